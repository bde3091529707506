/*
 * targets.h - what a head should say for each row, and how much the row counts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TARGETS_H
#define INS_TARGETS_H

#include "train/label_table.h"
#include "train/rows.h"

typedef struct ins_targets_options {
    bool multi_label;
    /* A row weighs rows / (labels * rows with its label), the mean of that with
     * several labels, 1 without any; together the weights have the mean 1. */
    bool balanced;
} ins_targets_options;

/* Owned. */
typedef struct ins_targets {
    uint64_t count;
    uint32_t labels;
    uint32_t *numbers; /* [count]: places of the labels; or NULL */
    uint8_t *marks;    /* [count][labels] with several labels; or NULL */
    float *weights;    /* [count], or NULL: all 1 */
} ins_targets;

/* Memory of it in bytes. */
uint64_t ins_targets_bytes(uint64_t rows, uint32_t labels,
                           const ins_targets_options *options);
/* Polls.  Close also after a failure. */
ins_status ins_targets_open(ins_targets *targets, const ins_row_store *rows,
                            const ins_sorted_labels *labels,
                            const ins_targets_options *options,
                            const ins_host *host, ins_error *error);
void ins_targets_close(ins_targets *targets, const ins_host *host);

#endif
