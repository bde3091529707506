/*
 * network.h - encoder and head forward and backward, in floats on OpenBLAS.
 *
 * Source: backpropagation (Rumelhart, Hinton & Williams 1986) through the
 * encoder of Devlin et al. (2018); dropout where BERT has it: behind the
 * embeddings, on attention probabilities, and behind the two sublayers.
 *
 * Sequences are packed one behind the other, without padding.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_NETWORK_H
#define INS_NETWORK_H

#include "encoder/encoder.h"
#include "gradient/parameters.h"

typedef struct ins_network ins_network;

typedef struct ins_network_options {
    uint32_t batch_tokens; /* most tokens of one pass */
    uint32_t batch_texts;  /* most sequences of one pass */
    uint32_t max_tokens;   /* longest sequence */
    float dropout;         /* 0 = none; 0 to < 1 */
    uint64_t seed;         /* of dropout */
    /* Layers below it, and the embeddings, get no gradient; = layers: only the
     * head does. */
    uint32_t first_layer;
    /* true: also the gradient by the word rows of the input, of every token;
     * first_layer must be 0. */
    bool input_gradient;
} ins_network_options;

/* Memory of a network with these sizes, in bytes, before opening it. */
uint64_t ins_network_bytes(const ins_pack_recipe *recipe,
                           const ins_network_options *options);
/*
 * Allocates all that passes need: a pass allocates nothing.  parameters:
 * borrowed; read anew in each pass.  Errors: NO_MEMORY, WRONG_TASK when the
 * recipe has no head, INVALID_ARGUMENT when an option is out of range.
 */
ins_status ins_network_open(ins_network **network,
                            const ins_parameters *parameters,
                            const ins_network_options *options,
                            const ins_host *host, ins_error *error);
void ins_network_close(ins_network *network); /* accepts NULL */

/*
 * *logits: [sequence_count][labels], before softmax or sigmoid, inside the
 * network, valid until the next call.
 * words: NULL, or [token_count][hidden]: what is taken in the place of the
 *        rows of the word embedding.
 * training: with dropout, other numbers in each pass.
 * Every pass is kept for one ins_network_backward.  Polls between products.
 * Errors: CANCELLED, INVALID_ARGUMENT when the batch is larger than the options
 * said or a token is not in the vocabulary.
 */
ins_status ins_network_forward(ins_network *network, const ins_batch *batch,
                               const float *words, bool training,
                               const float **logits, ins_error *error);
/*
 * From the last forward pass, once.  logit_gradient: [sequence_count][labels].
 * gradient: NULL, or of the same recipe: ADDED to.  A failed call leaves it
 * partly added to.
 * *input_gradient, when the option is set: [token_count][hidden], inside the
 * network, by the rows of the word embedding or what took their place; valid
 * until the next call.  May be NULL.
 * Errors: CANCELLED, INVALID_ARGUMENT without a forward pass before it.
 */
ins_status ins_network_backward(ins_network *network,
                                const float *logit_gradient,
                                ins_parameters *gradient,
                                const float **input_gradient, ins_error *error);

/*
 * The loss of a row of logits and its gradient: cross-entropy of softmax, or
 * the sum of those of the labels' sigmoids.
 * targets: [labels], 0 or 1; gradient: [labels], set, multiplied by weight.
 * Returns the loss times weight.
 */
double ins_loss_softmax(const float *logits, uint32_t labels, uint32_t target,
                        double weight, float *gradient);
double ins_loss_sigmoid(const float *logits, uint32_t labels,
                        const uint8_t *targets, double weight, float *gradient);

#endif
