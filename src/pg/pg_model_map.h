/*
 * pg_model_map.h - the weights of a model, mapped read-only into a backend.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_MODEL_MAP_H
#define PG_MODEL_MAP_H

#include "pg_catalog.h"
#include "store/cache_file.h"

/*
 * Maps the model's pack, ERROR on failure.  *loaded: this backend copied the
 * pack out of the tables into the file that all backends map.  Waits,
 * cancellably, while another backend does.
 */
void map_model(const model_identity *identity, ins_mapping *mapping,
               bool *loaded);

/* Removes the file of a model whose content turned out to be wrong; the next
 * map_model makes it again. */
void discard_file(const model_identity *identity);

/* Receives the chunks of a pack in order. */
typedef ins_status (*chunk_sink)(void *user, const void *data, size_t size,
                                 ins_error *error);
/*
 * Reads the chunks of a registered model under the query's snapshot.  Missing
 * or wrong chunks are INS_CORRUPT_PACK; the sink's failures are passed on.
 */
ins_status read_chunks(const model_identity *identity, chunk_sink sink,
                       void *user, ins_error *error);

/* Removes the file of a dropped model when the transaction commits. */
void remove_file_at_commit(const uint8_t digest[INS_DIGEST_BYTES]);
/* Called by the transaction callback. */
void prepare_file_removal(void); /* may raise ERROR */
void finish_file_removal(bool committed);

#endif
