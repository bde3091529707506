/*
 * head_choose.h - chooses a head's kind and penalty by cross-validation.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_HEAD_CHOOSE_H
#define INS_HEAD_CHOOSE_H

#include "insitu_train.h"
#include "train/head.h"

typedef struct ins_head_wish {
    ins_head_choice head;
    uint32_t units; /* of a network, >= 1 */
    double l2;      /* < 0: chosen */
    uint32_t folds; /* 2 to 10 */
    uint64_t seed;
    /* Told after each of steps fits; NULL = nobody. */
    void (*progress)(void *user, uint32_t step, uint32_t steps);
    void *progress_user;
} ins_head_wish;

/* What is known of the choice; NaN where nothing was held back. */
typedef struct ins_head_choice_result {
    double loss;     /* mean on held-back rows */
    double accuracy; /* ... */
} ins_head_choice_result;

/*
 * Sets units, l2, iterations, seed and tolerance of options for ins_head_fit;
 * its progress stays.  Of the choices whose mean loss on held-back rows is
 * within one standard error of the lowest the simplest wins (Breiman et al.
 * 1984, section 3.4.3): logistic regression before a network, then the largest
 * l2.  result: may be NULL.  Nothing is fitted where nothing is to be chosen.
 * Errors: those of ins_head_fit.
 */
ins_status ins_head_choose(ins_head_options *options,
                           ins_head_choice_result *result,
                           const ins_head_rows *rows, const ins_head_wish *wish,
                           const ins_host *host, ins_error *error);
/* Most memory that choosing needs beside the rows, in bytes. */
uint64_t ins_head_choose_bytes(const ins_head_rows *rows,
                               const ins_head_wish *wish);

#endif
