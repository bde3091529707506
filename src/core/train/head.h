/*
 * head.h - fits a head to rows of features: multinomial logistic regression,
 * or a network with one hidden layer, y = softmax(W_out tanh(W_h x + b_h) +
 * b_out); sigmoids in the place of the softmax with several labels per row.
 *
 * Source: minimised with L-BFGS (lbfgs.h), full batches; features are
 * standardised inside, and the standardisation is folded into what is
 * returned.  The penalty is l2 / 2 * |W|^2, of the weights over standardised
 * features, beside the weighted mean loss; biases are free.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_HEAD_H
#define INS_HEAD_H

#include "base/memory.h"

/* ins_head_rows.rounding of what an encoder gives: f32 sums whose order depends
 * on where in a batch a text is. */
#define INS_ENCODER_ROUNDING 1e-5

/* The words of rows, pack/word_table.h, beside their features. */
typedef struct ins_head_words {
    const uint32_t *words; /* rows of a table, of all texts behind each other */
    const uint64_t *starts; /* [count + 1] */
    uint32_t table_rows;
    /* What the sum of a text's words is multiplied with while it is learnt: how
     * much may come of them before the penalty does. */
    float scale;
} ins_head_words;

typedef struct ins_head_rows {
    const float *features; /* [count][columns], finite */
    size_t count;
    uint32_t columns; /* 0: words alone */
    uint32_t labels;
    const uint32_t *targets; /* [count]; NULL with several labels per row */
    const uint8_t *marks;    /* [count][labels], 0 or 1; or NULL */
    const float *weights;    /* [count], >= 0, or NULL: all 1 */
    /* A feature counts as constant when its deviation is below this share of
     * the root mean square of all features; 0 where each is exact. */
    double rounding;
    const ins_head_words *words; /* NULL: none */
} ins_head_rows;

typedef struct ins_head_options {
    uint32_t units; /* of the hidden layer; 0 = logistic regression */
    double l2;      /* >= 0 */
    uint32_t iterations;
    uint64_t seed; /* of the hidden layer's first weights */
    /* Ends when no component of the gradient is larger than this by the number
     * of labels, or when the loss falls by less than a hundredth of this share
     * of it; 0 = 1e-5. */
    double tolerance;
    /* Told after each iteration; NULL = nobody. */
    void (*progress)(void *user, uint32_t iteration, double loss);
    void *progress_user;
} ins_head_options;

/* Owned; over features as they came. */
typedef struct ins_head {
    uint32_t columns, units, labels;
    float *dense;      /* [units][columns], or NULL */
    float *dense_bias; /* [units], or NULL */
    float *out;        /* [labels][units or columns] */
    float *out_bias;   /* [labels] */
    float *words;      /* [word_rows][labels], or NULL */
    uint32_t word_rows;
    double loss; /* reached, with the penalty */
} ins_head;

/*
 * Polls at least every 60 ms.  Equal rows and options give equal bits on one
 * machine.  Errors: CANCELLED, NO_MEMORY, INVALID_ARGUMENT without rows or with
 * features that are not finite, INTERNAL when the loss is not a number.  Close
 * also after a failure.
 */
ins_status ins_head_fit(ins_head *head, const ins_head_rows *rows,
                        const ins_head_options *options, const ins_host *host,
                        ins_error *error);
/* Most memory that fitting needs beside the rows, the head included, in bytes;
 * UINT64_MAX when that is no number. */
uint64_t ins_head_fit_bytes(const ins_head_rows *rows, uint32_t units);
void ins_head_close(ins_head *head, const ins_host *host);
/* logits: [count][labels], before softmax or sigmoid, without what words add.
 * Polls.  Errors: CANCELLED, NO_MEMORY. */
ins_status ins_head_score(const ins_head *head, const float *features,
                          size_t count, float *logits, const ins_host *host,
                          ins_error *error);

#endif
