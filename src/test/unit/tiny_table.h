/*
 * tiny_table.h - a model over numbers, trained on a few rows.
 *
 * Features, in this order: "age", "colour=blue", "colour=green", "colour=red",
 * "member"; labels: "no", "yes".  Aborts the program when it is out of memory.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TINY_TABLE_H
#define TINY_TABLE_H

#include "insitu_train.h"

#define TINY_TABLE_FEATURES 5

/* units: of the hidden layer, 0 = logistic regression. */
ins_status tiny_table_train(uint32_t units, const ins_host *host, void **pack,
                            size_t *pack_bytes, ins_error *error);

#endif
