/*
 * layer.h - the parts of a forward pass and the memory they share; private to
 * this folder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LAYER_H
#define INS_LAYER_H

#include "encoder/encoder.h"
#include "kernels/product.h"

/* Weights of one layer, pointing into the pack; shapes in pack_format.h. */
typedef struct ins_layer {
    const float *qkv, *qkv_bias;
    const float *attention_out, *attention_bias, *attention_norm;
    const float *ffn_up, *ffn_up_bias;
    const float *ffn_down, *ffn_down_bias, *ffn_norm;
} ins_layer;

struct ins_encoder {
    ins_host host;
    const ins_pack_recipe *recipe;
    const ins_kernels *kernels;
    ins_products products; /* host and kernels, for matrix products */
    const float *words, *positions, *types, *input_norm;
    ins_arena arena;   /* holds everything below */
    ins_layer *layers; /* [recipe->layers] */
    float *hidden;     /* [batch_tokens][hidden] */
    float *projection; /* [batch_tokens][3 * hidden] or [..][intermediate] */
    float *context;    /* [batch_tokens][hidden]: attention and FFN results */
    float *scores;     /* [max_tokens][max_tokens]: of one head */
};

/* hidden = norm(word + position + type) for each token of the batch. */
void ins_encoder_embed(ins_encoder *encoder, const ins_batch *batch);
/* hidden = norm(hidden + attention(hidden)), sequence by sequence. */
ins_status ins_encoder_attend(ins_encoder *encoder, const ins_layer *layer,
                              const ins_batch *batch, ins_error *error);
/* hidden = norm(hidden + feed_forward(hidden)). */
ins_status ins_encoder_feed_forward(ins_encoder *encoder,
                                    const ins_layer *layer, uint32_t tokens,
                                    ins_error *error);
/* out[tokens][outputs] = in[tokens][inputs] . weights^T + bias */
ins_status ins_encoder_linear(ins_encoder *encoder, const ins_matrix *in,
                              const float *weights, const float *bias,
                              size_t outputs, float *out, ins_error *error);

#endif
