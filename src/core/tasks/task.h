/*
 * task.h - hidden states to result rows: the last step of every task.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TASK_H
#define INS_TASK_H

#include "encoder/encoder.h"

/* Borrowed; scratch is two rows of hidden values. */
typedef struct ins_task_input {
    const ins_pack_view *view;
    const ins_linear_context *linear; /* of the encoder */
    const float *hidden; /* [tokens][hidden]: the tokens of one sequence */
    uint32_t tokens;     /* >= 1 */
    float *scratch;      /* [2][hidden] */
} ins_task_input;

/* row: [labels]; softmax or, for multi-label models, sigmoid of each logit.
 * INS_INTERNAL when a result is not finite. */
ins_status ins_task_classify(const ins_task_input *input, float *row,
                             ins_error *error);
/* row: [hidden]; pooled, then normalised when the recipe says so.  A vector of
 * length 0 stays 0. */
ins_status ins_task_embed(const ins_task_input *input, float *row,
                          ins_error *error);

#endif
