/*
 * head_loss.h - the loss of a head over rows, and its gradient.
 *
 * Weights are one vector over standardised features: out [labels][width],
 * where width is units or, without a hidden layer, columns; out_bias [labels];
 * dense [units][columns]; dense_bias [units]; words [table_rows][labels].
 *
 * The functions that start and minimise are in head.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_HEAD_LOSS_H
#define INS_HEAD_LOSS_H

#include "kernels/blas.h"
#include "train/head.h"

/* Where the parts of a vector of weights begin. */
typedef struct ins_head_places {
    uint32_t width; /* of a row of out, which begins at 0 */
    uint64_t out_bias;
    uint64_t dense;
    uint64_t dense_bias;
    uint64_t words;
    uint64_t count;
} ins_head_places;

/* Sizes are within the limits of a pack. */
ins_head_places ins_head_find_places(const ins_head_rows *rows, uint32_t units);

/* c = a . matrix^T + bias; layer: rows, columns, depth, which may be 0, a, b
 * (the matrix, [columns][depth]) and c, all without gaps.  Polls.  Errors:
 * CANCELLED. */
ins_status ins_head_apply_layer(const ins_host *host, const ins_product *layer,
                                const float *bias, ins_error *error);

/* Some of the rows: numbers into ins_head_rows, [count]; NULL = all of them. */
typedef struct ins_head_part {
    const uint32_t *numbers;
    size_t count;
} ins_head_part;

/* Everything below the first line is scratch. */
typedef struct ins_head_loss {
    const ins_head_rows *rows; /* borrowed */
    ins_head_part part;        /* borrowed */
    uint32_t units;
    double l2;
    const ins_host *host;
    const ins_kernels *kernels;
    double weight_sum; /* of the part's rows */
    float *means;      /* [columns] of the part's rows */
    float *factors;    /* [columns] 1 / deviation, 0 for constant columns */
    double *sums;      /* [columns] */
    size_t block;      /* rows computed together */
    float *features;   /* [block][columns], standardised */
    float *hidden;     /* [block][units] */
    float *hidden_gradient;
    float *logits; /* [block][labels] */
    ins_arena arena;
} ins_head_loss;

/* Scratch, in bytes. */
uint64_t ins_head_loss_bytes(const ins_head_rows *rows, uint32_t units);

/* The penalty l2 is 0 until it is set.  Errors: INVALID_ARGUMENT for features
 * that are not finite and parts without weight, NO_MEMORY, CANCELLED.  Close
 * also after a failure. */
ins_status ins_head_loss_open(ins_head_loss *loss, const ins_head_rows *rows,
                              const ins_head_part *part, uint32_t units,
                              const ins_host *host, ins_error *error);
void ins_head_loss_close(ins_head_loss *loss);

/* Mean loss of the part's rows, with the penalty, and its gradient.  user: an
 * ins_head_loss; the signature is that of ins_lbfgs_problem. */
ins_status ins_head_loss_evaluate(void *user, const float *weights,
                                  float *gradient, double *value,
                                  ins_error *error);

/* First weights: zeros, or small numbers by the seed with a hidden layer.
 * Polls.  Errors: CANCELLED. */
ins_status ins_head_loss_start(const ins_head_loss *loss, uint64_t seed,
                               float *weights, ins_error *error);
/* weights: the start, then the best ones; *value: the loss there.  options:
 * iterations, tolerance and progress are used; units and l2 are loss's. */
ins_status ins_head_loss_minimise(ins_head_loss *loss,
                                  const ins_head_options *options,
                                  float *weights, double *value,
                                  ins_error *error);

/* What a head does on rows that it may not have seen. */
typedef struct ins_head_measure {
    double loss;     /* sum of weight * loss, without the penalty */
    double squares;  /* sum of weight * loss^2 */
    double accuracy; /* sum of weight * whether the highest logit is right, or
                        * the share of several labels that are */
    double weight;   /* sum */
} ins_head_measure;

/* Adds to measure. */
ins_status ins_head_loss_measure(ins_head_loss *loss, const float *weights,
                                 const ins_head_part *part,
                                 ins_head_measure *measure, ins_error *error);

#endif
