/*
 * layer.h - the parts of a forward pass and the memory they share; private to
 * this folder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LAYER_H
#define INS_LAYER_H

#include "encoder/encoder.h"
#include "kernels/linear.h"

/* Weights of one layer, pointing into the pack; shapes in pack_format.h. */
typedef struct ins_layer {
    ins_linear qkv;
    ins_linear attention_out;
    const float *attention_norm;
    ins_linear ffn_up;
    ins_linear ffn_down;
    const float *ffn_norm;
} ins_layer;

struct ins_encoder {
    ins_host host;
    const ins_pack_recipe *recipe;
    const ins_kernels *kernels;
    ins_linear_context linear;
    const ins_pack_tensor *words;
    const uint8_t *word_bytes;
    const float *positions, *types, *input_norm;
    ins_arena arena;   /* holds everything below */
    ins_layer *layers; /* [recipe->layers] */
    float *hidden;     /* [batch_tokens][hidden] */
    float *projection; /* [batch_tokens][3 * hidden] */
    float *context;    /* [batch_tokens][hidden] */
    float *inner;      /* [INS_LINEAR_ROWS][intermediate] */
    float *added;      /* [INS_LINEAR_ROWS][hidden] */
    float *head;       /* scratch of attention */
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
#endif
