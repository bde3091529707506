/*
 * encoder.c - drives a batch through embeddings and layers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

static const float *
find_weights(const ins_pack_view *view, uint32_t role, uint32_t layer)
{
    return ins_pack_f32(view, role, layer);
}

static void
find_layer(ins_layer *layer, const ins_pack_view *view, uint32_t i)
{
    layer->qkv = find_weights(view, INS_ROLE_QKV, i);
    layer->qkv_bias = find_weights(view, INS_ROLE_QKV_BIAS, i);
    layer->attention_out = find_weights(view, INS_ROLE_ATTENTION_OUT, i);
    layer->attention_bias = find_weights(view, INS_ROLE_ATTENTION_BIAS, i);
    layer->attention_norm = find_weights(view, INS_ROLE_ATTENTION_NORM, i);
    layer->ffn_up = find_weights(view, INS_ROLE_FFN_UP, i);
    layer->ffn_up_bias = find_weights(view, INS_ROLE_FFN_UP_BIAS, i);
    layer->ffn_down = find_weights(view, INS_ROLE_FFN_DOWN, i);
    layer->ffn_down_bias = find_weights(view, INS_ROLE_FFN_DOWN_BIAS, i);
    layer->ffn_norm = find_weights(view, INS_ROLE_FFN_NORM, i);
}

static uint64_t
projection_columns(const ins_pack_recipe *recipe)
{
    uint64_t qkv = 3 * (uint64_t) recipe->hidden;

    return qkv > recipe->intermediate ? qkv : recipe->intermediate;
}

/* Runs twice over the same list: to reserve, then to take. */
static ins_status
open_workspace(ins_encoder *encoder, uint64_t tokens, ins_error *error)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    ins_arena *arena = &encoder->arena;
    uint64_t hidden = tokens * recipe->hidden;
    uint64_t projection = tokens * projection_columns(recipe);
    uint64_t scores = (uint64_t) recipe->max_tokens * recipe->max_tokens;

    ins_arena_reserve(arena, recipe->layers, sizeof(ins_layer));
    ins_arena_reserve(arena, hidden, sizeof(float));
    ins_arena_reserve(arena, projection, sizeof(float));
    ins_arena_reserve(arena, hidden, sizeof(float));
    ins_arena_reserve(arena, scores, sizeof(float));
    INS_TRY(ins_arena_open(arena, &encoder->host, error));
    encoder->layers = ins_arena_take(arena, recipe->layers, sizeof(ins_layer));
    encoder->hidden = ins_arena_take(arena, hidden, sizeof(float));
    encoder->projection = ins_arena_take(arena, projection, sizeof(float));
    encoder->context = ins_arena_take(arena, hidden, sizeof(float));
    encoder->scores = ins_arena_take(arena, scores, sizeof(float));
    return INS_OK;
}

ins_status
ins_encoder_open(ins_encoder **encoder, const ins_pack_view *view,
                 uint32_t batch_tokens, const ins_kernels *kernels,
                 const ins_host *host, ins_error *error)
{
    ins_encoder *self;
    void *memory;
    ins_status status;

    *encoder = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_encoder), &memory, error));
    self = memory;
    self->host = *host;
    self->recipe = view->recipe;
    self->kernels = kernels;
    self->products = (ins_products){&self->host, kernels};
    status = open_workspace(self, batch_tokens, error);
    if (status != INS_OK) {
        ins_encoder_close(self);
        return status;
    }
    self->words = find_weights(view, INS_ROLE_WORDS, 0);
    self->positions = find_weights(view, INS_ROLE_POSITIONS, 0);
    self->types = find_weights(view, INS_ROLE_TYPES, 0);
    self->input_norm = find_weights(view, INS_ROLE_INPUT_NORM, 0);
    for (uint32_t i = 0; i < view->recipe->layers; i++)
        find_layer(&self->layers[i], view, i);
    *encoder = self;
    return INS_OK;
}

void
ins_encoder_close(ins_encoder *encoder)
{
    ins_host host;

    if (encoder == NULL)
        return;
    host = encoder->host;
    ins_arena_close(&encoder->arena, &host);
    ins_release(&host, encoder);
}

size_t
ins_encoder_bytes(const ins_encoder *encoder)
{
    return sizeof(*encoder) + (size_t) encoder->arena.reserved;
}

ins_status
ins_encoder_forward(ins_encoder *encoder, const ins_batch *batch,
                    const float **hidden, ins_error *error)
{
    ins_encoder_embed(encoder, batch);
    for (uint32_t i = 0; i < encoder->recipe->layers; i++) {
        const ins_layer *layer = &encoder->layers[i];

        INS_TRY(ins_encoder_attend(encoder, layer, batch, error));
        INS_TRY(ins_encoder_feed_forward(encoder, layer, batch->token_count,
                                         error));
    }
    *hidden = encoder->hidden;
    return INS_OK;
}
