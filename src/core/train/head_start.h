/*
 * head_start.h - the first weights of the head of a model to be tuned.
 *
 * Source: Kumar et al. (2022), "Fine-Tuning can Distort Pretrained Features and
 * Underperform Out-of-Distribution": the head is fitted first, on what the
 * encoder gives as it is, so that the encoder is not driven by a random head.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_HEAD_START_H
#define INS_HEAD_START_H

#include "train/progress.h"
#include "train/tuner.h"

typedef struct ins_head_start {
    const ins_pack_view *base;
    const ins_tune_rows *rows;
    uint32_t *order; /* the rows to fit to; reordered */
    size_t count;
    ins_network_options limits; /* of a pass, without dropout */
    double l2;                  /* < 0: a good one */
} ins_head_start;

/* Rows that a head is fitted to at most: the first of order. */
#define INS_HEAD_START_ROWS 20000

/* Floats of a recipe's parameters. */
uint64_t ins_recipe_weights(const ins_pack_recipe *recipe);
/* Memory beside the parameters to be tuned. */
uint64_t ins_head_start_bytes(const ins_pack_recipe *recipe,
                              const ins_network_options *limits, size_t count);
/* Fills in the head of tuned, whose other tensors are the base's; a dense layer
 * before the labels stays.  Tells the phases embed and
 * fit.  Errors: CANCELLED, NO_MEMORY, INTERNAL. */
ins_status ins_head_start_fill(const ins_head_start *start,
                               ins_parameters *tuned, ins_progress *progress,
                               ins_error *error);

#endif
