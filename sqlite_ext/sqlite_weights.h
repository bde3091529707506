/*
 * sqlite_weights.h - the bytes of a model, brought into this process.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_WEIGHTS_H
#define SQLITE_WEIGHTS_H

#include "sqlite_insitu.h"

typedef struct weights {
    const void *data; /* 64-byte aligned, read-only */
    size_t size;
    weight_place place;
    ins_mapping mapping; /* empty for PLACE_LIBRARY */
} weights;

/*
 * From the shared library, a cache file that other processes map as well, or a
 * private copy of the chunks in the database, in this order.  The bytes have
 * the digest of identity; their structure has not been checked.
 */
ins_status load_weights(connection *conn, const model_identity *identity,
                        weights *found, ins_error *error);
void unload_weights(weights *unused); /* accepts an empty one */

/* The model inside this library; false when it was built without. */
bool bundled_identity(model_identity *identity);
ins_text bundled_pack(void);

#endif
