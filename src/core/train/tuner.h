/*
 * tuner.h - rows of tokens through a network: what a mini-batch teaches it, and
 * how well it does.
 *
 * A mini-batch may need several passes, whose gradients add up: memory depends
 * on the tokens of a pass, not on the batch.
 *
 * Source: tokens that are left out while a text teaches are the word dropout of
 * Iyyer et al. (2015), "Deep Unordered Composition Rivals Syntactic Methods for
 * Text Classification".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TUNER_H
#define INS_TUNER_H

#include "gradient/network.h"
#include "train/batches.h"

/* Borrowed.  ids: of all texts, one behind the other. */
typedef struct ins_tune_rows {
    const int32_t *ids;     /* each below recipe.vocabulary */
    const uint64_t *starts; /* [labels.count + 1]; texts have 1 token or more */
    ins_row_labels labels;
    const float *weights; /* [labels.count], >= 0; NULL: all 1 */
} ins_tune_rows;

/* Sums over rows. */
typedef struct ins_tune_score {
    double loss;   /* times the rows' weights */
    double weight; /* of the rows */
    double right;  /* rows whose label, or all of whose labels, are right */
    uint64_t rows;
} ins_tune_score;

typedef struct ins_tuner {
    const ins_tune_rows *rows;
    ins_network *network;
    uint32_t outputs; /* of a text: labels, or features */
    ins_network_options limits;
    double token_dropout; /* of a text that teaches; 0 when it is opened */
    uint64_t random;      /* for that */
    int32_t *ids;         /* [limits.batch_tokens] */
    uint32_t *starts;     /* [limits.batch_texts + 1] */
    float *gradient;      /* [limits.batch_texts][outputs] */
} ins_tuner;

/* Tokens of the longest text. */
uint32_t ins_tune_longest(const ins_tune_rows *rows);
/* The sizes of passes for batches of so many texts; the rest is zero. */
ins_network_options ins_tuner_limits(uint32_t longest, uint32_t batch_size);
uint64_t ins_tuner_bytes(const ins_pack_recipe *recipe,
                         const ins_network_options *limits);

/* Opens a network over parameters, which are borrowed.  Close also after a
 * failure.  Errors: NO_MEMORY. */
ins_status ins_tuner_open(ins_tuner *tuner, const ins_tune_rows *rows,
                          const ins_parameters *parameters,
                          const ins_network_options *limits,
                          const ins_host *host, ins_error *error);
void ins_tuner_close(ins_tuner *tuner, const ins_host *host);

/*
 * Adds the gradient of the batch's mean loss to gradient, and its score, as it
 * is with dropout and without some of the tokens, to score.
 * Errors: CANCELLED, INTERNAL when the loss is not a number.
 */
ins_status ins_tuner_learn(ins_tuner *tuner, const ins_batch_rows *batch,
                           ins_parameters *gradient, ins_tune_score *score,
                           ins_error *error);
/* Adds the batch's score, without dropout. */
ins_status ins_tuner_measure(ins_tuner *tuner, const ins_batch_rows *batch,
                             ins_tune_score *score, ins_error *error);
/* outputs: [batch->count][outputs], without dropout. */
ins_status ins_tuner_run(ins_tuner *tuner, const ins_batch_rows *batch,
                         float *outputs, ins_error *error);

#endif
