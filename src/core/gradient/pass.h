/*
 * pass.h - the parts of a forward and backward pass and the memory they share;
 * private to this folder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PASS_H
#define INS_PASS_H

#include "gradient/network.h"
#include "kernels/kernels.h"

/* Values that a loop works on between polls: 20 ms of the slowest kernel. */
#define INS_PASS_POLL_VALUES 65536
/* Queries of a head that are worked on together. */
#define INS_PASS_QUERIES 128

/* out = in . weights^T + bias */
typedef struct ins_dense {
    const float *weights; /* [outputs][inputs] */
    const float *bias;    /* [outputs] */
    size_t inputs;
    size_t outputs;
} ins_dense;

/* Weights of a layer, pointing into the parameters. */
typedef struct ins_layer_weights {
    ins_dense qkv;
    ins_dense attention_out;
    const float *attention_norm;
    ins_dense ffn_up;
    ins_dense ffn_down;
    const float *ffn_norm;
} ins_layer_weights;

/* What a forward pass leaves for the backward one; factors: [tokens], inner:
 * [tokens][intermediate], projection: [tokens][3 * hidden], the others
 * [tokens][hidden]. */
typedef struct ins_kept_layer {
    float *in;
    float *projection; /* query, key, value */
    float *context;    /* what attention gives */
    float *attention_normal, *attention_factors;
    float *middle; /* behind the first norm */
    float *inner;  /* before the activation */
    float *ffn_normal, *ffn_factors;
} ins_kept_layer;

/* Where dropout is; one stream of numbers for each place of each layer. */
enum ins_dropout_place {
    INS_DROPOUT_EMBEDDINGS,
    INS_DROPOUT_SHARES,
    INS_DROPOUT_ATTENTION,
    INS_DROPOUT_FFN,
    INS_DROPOUT_PLACES
};

struct ins_network {
    ins_host host;
    const ins_parameters *parameters;
    const ins_pack_recipe *recipe; /* of the parameters */
    const ins_kernels *kernels;
    ins_network_options options;
    ins_arena arena;            /* holds everything that is pointed to below */
    ins_layer_weights *weights; /* [layers] */
    const float *words, *positions, *types, *input_norm;
    ins_dense head_dense, head_out; /* weights NULL: the recipe has none */

    /* The batch of the last forward pass. */
    int32_t *ids;     /* [batch_tokens] */
    uint32_t *starts; /* [batch_texts + 1] */
    uint32_t texts, tokens;
    bool has_words;   /* it had rows in the place of the word embedding */
    bool is_training; /* it had dropout */
    bool is_kept;     /* and waits for a backward pass */
    uint64_t step;    /* forward passes with dropout so far */

    /* Kept by it.  The layers below first_layer share slot 0 with it. */
    ins_kept_layer *kept; /* [slots] */
    float *input_normal, *input_factors;
    float *hidden;    /* [batch_tokens][hidden], behind the last layer */
    float *features;  /* [batch_texts][hidden], what the head reads */
    uint32_t *chosen; /* [batch_texts][hidden]: tokens of the maxima, or NULL */
    float *lengths;   /* [batch_texts]: before they became 1, or NULL */
    float *dense;     /* [batch_texts][hidden], before the activation */
    float *activated; /* [batch_texts][hidden] */
    float *logits;    /* [batch_texts][labels] */

    /* Scratch. */
    float *wide;     /* [batch_tokens][larger of intermediate, 3 * hidden] */
    float *added;    /* [batch_tokens][hidden] */
    float *gradient; /* [batch_tokens][hidden] */
    float *dropped;  /* [batch_tokens][hidden], or NULL without dropout */
    float *scores;   /* [INS_PASS_QUERIES][max_tokens] */
    float *shares;   /* [INS_PASS_QUERIES][max_tokens] */
    float *head_gradient; /* [batch_texts][hidden] */
    float *sums;          /* the gradients' block, or NULL */
};

/* Where the gradient of a weight lies, or NULL when none is wanted. */
static inline float *
ins_pass_gradient(const ins_network *network, const float *weights)
{
    if (network->sums == NULL)
        return NULL;
    return network->sums + (weights - network->parameters->values);
}

/* The slot of a layer. */
static inline ins_kept_layer *
ins_pass_kept(const ins_network *network, uint32_t layer)
{
    uint32_t first = network->options.first_layer;

    return &network->kept[layer > first ? layer - first : 0];
}

/* ---- dense.c ------------------------------------------------------------- */

ins_status ins_dense_forward(const ins_network *network, const ins_dense *dense,
                             const ins_matrix *in, float *out,
                             ins_error *error);
/* Adds to the gradients of weights and bias, when they are wanted.
 * out_gradient: [in->rows][outputs]. */
ins_status ins_dense_add_gradient(const ins_network *network,
                                  const ins_dense *dense, const ins_matrix *in,
                                  const float *out_gradient, ins_error *error);
/* to = from . weights + beta * to; from: [rows][outputs], by the layer's out;
 * to: [rows][inputs], by its in. */
typedef struct ins_dense_step {
    const float *from;
    size_t rows;
    float *to;
    float beta;
} ins_dense_step;
ins_status ins_dense_backward(const ins_network *network,
                              const ins_dense *dense,
                              const ins_dense_step *step, ins_error *error);

/* ---- rows.c: kernels over all rows of a batch, with polls ---------------- */

/* A norm of the batch's tokens. */
ins_norm ins_pass_norm(const ins_network *network, const float *weights,
                       float *normal, float *factors);
/* out = norm(x + add); add may be NULL. */
typedef struct ins_norm_rows {
    const float *x, *add;
    float *out;
} ins_norm_rows;
ins_status ins_pass_norm_forward(const ins_network *network,
                                 const ins_norm *norm,
                                 const ins_norm_rows *rows, ins_error *error);
ins_status ins_pass_norm_backward(const ins_network *network,
                                  const ins_norm *norm, float *gradient,
                                  ins_error *error);
/* out = activation(x), of the feed-forward layers. */
ins_status ins_pass_activate(const ins_network *network, const float *x,
                             float *out, size_t count, ins_error *error);
/* As the kernel activate_backward. */
ins_status ins_pass_activate_backward(const ins_network *network, float *x,
                                      float *gradient, size_t count,
                                      ins_error *error);

/* ---- dropout.c ----------------------------------------------------------- */

/* Has the last forward pass dropout? */
bool ins_pass_drops(const ins_network *network);
/* Values of some rows become 0 or are multiplied with 1 / (1 - dropout). */
typedef struct ins_dropout_rows {
    uint32_t layer;
    enum ins_dropout_place place;
    uint64_t first; /* number of the first row at this place */
    uint64_t step;  /* from one row's number to the next */
    size_t rows;
    size_t columns;
} ins_dropout_rows;
void ins_pass_drop(const ins_network *network, const ins_dropout_rows *rows,
                   float *x);
/* [tokens][hidden]; the same values in both passes.  Does nothing without
 * dropout. */
ins_status ins_pass_drop_hidden(const ins_network *network, uint32_t layer,
                                enum ins_dropout_place place, float *x,
                                ins_error *error);
/* gradient behind the dropout of a sublayer: itself, or a changed copy. */
ins_status ins_pass_drop_gradient(const ins_network *network, uint32_t layer,
                                  enum ins_dropout_place place,
                                  const float **dropped, ins_error *error);

/* ---- the parts; gradients go through network->gradient ------------------- */

/* words: see ins_network_forward.  Fills in of the first layer. */
ins_status ins_pass_embed(ins_network *network, const float *words,
                          ins_error *error);
ins_status ins_pass_embed_backward(ins_network *network, ins_error *error);
/* in to middle. */
ins_status ins_pass_attend(ins_network *network, uint32_t layer,
                           ins_error *error);
ins_status ins_pass_attend_backward(ins_network *network, uint32_t layer,
                                    ins_error *error);
/* middle to out, [tokens][hidden]. */
ins_status ins_pass_feed_forward(ins_network *network, uint32_t layer,
                                 float *out, ins_error *error);
ins_status ins_pass_feed_forward_backward(ins_network *network, uint32_t layer,
                                          ins_error *error);
/* hidden to features. */
ins_status ins_pass_pool(ins_network *network, ins_error *error);
/* head_gradient, by features, to gradient. */
ins_status ins_pass_pool_backward(ins_network *network, ins_error *error);
/* features to logits. */
ins_status ins_pass_head(ins_network *network, ins_error *error);
/* logit_gradient to head_gradient. */
ins_status ins_pass_head_backward(ins_network *network,
                                  const float *logit_gradient,
                                  ins_error *error);

/* ---- memory.c ------------------------------------------------------------ */

/* Reserves the arena's pieces, or takes them when it is open. */
void ins_pass_place(ins_network *network);

#endif
