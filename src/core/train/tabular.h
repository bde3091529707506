/*
 * tabular.h - a growing table of numbers and words with a label per row, and
 * the model over numbers that is fitted to it.
 *
 * All rows are arrays of numbers, or all are JSON objects.  Whether an object's
 * key holds strings, or numbers and truth values, is settled by its first value
 * that is not null.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TABULAR_H
#define INS_TABULAR_H

#include <float.h>

#include "train/progress.h"

#define INS_MAX_KEY_VALUES 1024 /* different strings of one key */
/* Of an object of features, in training and in prediction. */
#define INS_FEATURES_BYTES  ((uint64_t) 16 << 20)
#define INS_FEATURES_VALUES ((uint64_t) 1 << 17)
/* So that neither a distance nor a mean is infinite. */
#define INS_LARGEST_FEATURE ((double) FLT_MAX / 4)

typedef struct ins_tabular ins_tabular;

/* options: borrowed; max_bytes is of the rows here and of all that the run will
 * need.  Errors: NO_MEMORY. */
ins_status ins_tabular_open(ins_tabular **tabular,
                            const ins_training_options *options,
                            const ins_host *host, ins_error *error);
void ins_tabular_close(ins_tabular *tabular); /* accepts NULL */

/* As ins_training_add_numbers and ins_training_add_object say.  A row that
 * fails leaves the table as it was but for new labels, keys and strings. */
ins_status ins_tabular_add_numbers(ins_tabular *tabular, const double *features,
                                   size_t count, ins_text label,
                                   ins_error *error);
ins_status ins_tabular_add_object(ins_tabular *tabular, ins_text json,
                                  ins_text label, ins_error *error);
uint64_t ins_tabular_rows(const ins_tabular *tabular);
/* All memory held now. */
uint64_t ins_tabular_bytes(const ins_tabular *tabular);

/*
 * Chooses a head, fits it and writes a pack, in the phases "select", "fit" and
 * "write" of progress, whose host does the work.  Of the options head,
 * balanced, l2, folds, units, seed and positive are used.  *pack: allocated
 * from that host, owned by the caller.
 * Errors: INVALID_ARGUMENT without rows or features, with one label only or
 * when positive is no label; LIMIT_EXCEEDED, CANCELLED, NO_MEMORY, INTERNAL.
 */
ins_status ins_tabular_run(const ins_tabular *tabular, ins_progress *progress,
                           void **pack, size_t *pack_bytes, ins_error *error);

#endif
