/*
 * folds.h - cuts rows into folds for cross-validation.
 *
 * Source: stratified folds (Kohavi 1995): each label's rows are shuffled and
 * dealt out in turn, so that each fold has its share of each label.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_FOLDS_H
#define INS_FOLDS_H

#include "train/head_loss.h"

#define INS_FOLD_NONE UINT8_MAX

typedef struct ins_folds {
    uint8_t *folds;    /* [count]: the fold that holds a row back, or NONE: the
                          only row of its label is always trained on */
    uint32_t *numbers; /* [count], scratch of ins_folds_cut */
    size_t count;
    uint32_t fold_count;
} ins_folds;

/* fold_count: 2 to 10.  With several labels per row all rows are shuffled as
 * if they had one.  Polls.  Close also after a failure. */
ins_status ins_folds_open(ins_folds *folds, const ins_head_rows *rows,
                          uint32_t fold_count, uint64_t seed,
                          const ins_host *host, ins_error *error);
void ins_folds_close(ins_folds *folds, const ins_host *host);
uint64_t ins_folds_bytes(const ins_head_rows *rows);

/* The numbers of the rows to train on and of those held back, in rising order;
 * valid until the next call. */
void ins_folds_cut(const ins_folds *folds, uint32_t fold, ins_head_part *train,
                   ins_head_part *held);

#endif
