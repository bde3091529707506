/*
 * tabular.h - a growing table of numbers and words with a label per row, and
 * the model over numbers that is fitted to it.
 *
 * All rows are arrays of numbers, or all are JSON objects.  What an object's
 * key holds, numbers (or truth values) or strings, is settled by its first
 * value that is not null.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TABULAR_H
#define INS_TABULAR_H

#include "base/memory.h"
#include "insitu_train.h"
#include "pack/pack_format.h"

#define INS_MAX_FEATURES   INS_MAX_HIDDEN /* of a model */
#define INS_MAX_KEY_VALUES 1024           /* different strings of one key */

typedef struct ins_tabular ins_tabular;

/* max_bytes: of the rows here, and of all that training will need. */
ins_status ins_tabular_open(ins_tabular **tabular, uint64_t max_bytes,
                            const ins_host *host, ins_error *error);
void ins_tabular_close(ins_tabular *tabular); /* accepts NULL */

/* As ins_training_add_numbers and ins_training_add_object say.  A row that
 * fails leaves the table as it was but for new keys and values. */
ins_status ins_tabular_add_numbers(ins_tabular *tabular, const double *features,
                                   size_t count, ins_text label,
                                   ins_error *error);
ins_status ins_tabular_add_object(ins_tabular *tabular, ins_text json,
                                  ins_text label, ins_error *error);
uint64_t ins_tabular_rows(const ins_tabular *tabular);
/* All memory held now. */
uint64_t ins_tabular_bytes(const ins_tabular *tabular);

/*
 * Chooses a head, fits it and writes a pack.  options: head, balanced, l2,
 * folds, units, seed, positive and progress are used; progress gets phase,
 * step, loss, accuracy, rows and fraction.  *pack: allocated from host, owned
 * by the caller.
 * Errors: INVALID_ARGUMENT without rows, with one label only or when positive
 * is no label, LIMIT_EXCEEDED, CANCELLED, NO_MEMORY, INTERNAL.
 */
ins_status ins_tabular_run(const ins_tabular *tabular,
                           const ins_training_options *options, void **pack,
                           size_t *pack_bytes, ins_error *error);

#endif
