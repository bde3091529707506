/*
 * encoder.c - drives a batch through embeddings and layers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

#include <math.h>

static void
find_layer(ins_layer *layer, const ins_pack_view *view, uint32_t i)
{
    layer->qkv = ins_encoder_linear(view, INS_ROLE_QKV, INS_ROLE_QKV_BIAS, i);
    layer->attention_out = ins_encoder_linear(view, INS_ROLE_ATTENTION_OUT,
                                              INS_ROLE_ATTENTION_BIAS, i);
    layer->attention_norm = ins_pack_f32(view, INS_ROLE_ATTENTION_NORM, i);
    layer->ffn_up =
        ins_encoder_linear(view, INS_ROLE_FFN_UP, INS_ROLE_FFN_UP_BIAS, i);
    layer->ffn_down =
        ins_encoder_linear(view, INS_ROLE_FFN_DOWN, INS_ROLE_FFN_DOWN_BIAS, i);
    layer->ffn_norm = ins_pack_f32(view, INS_ROLE_FFN_NORM, i);
}

/* Values per array of the workspace. */
struct workspace {
    uint64_t hidden, projection, inner, added, head, bytes;
};

static struct workspace
measure_workspace(const ins_pack_recipe *recipe, uint64_t tokens)
{
    const uint64_t rows = INS_LINEAR_ROWS;
    uint64_t hidden = tokens * recipe->hidden;
    uint32_t widest = recipe->hidden > recipe->intermediate
                          ? recipe->hidden
                          : recipe->intermediate;

    return (struct workspace){
        .hidden = hidden,
        .projection = 3 * hidden,
        .inner = rows * recipe->intermediate,
        .added = rows * recipe->hidden,
        .head = ins_attention_scratch(recipe->max_tokens,
                                      recipe->hidden / recipe->heads),
        .bytes = rows * ins_linear_stride(widest),
    };
}

static ins_status
open_workspace(ins_encoder *encoder, uint64_t tokens, ins_error *error)
{
    uint32_t layers = encoder->recipe->layers;
    struct workspace size = measure_workspace(encoder->recipe, tokens);
    ins_arena *arena = &encoder->arena;

    ins_arena_reserve(arena, layers, sizeof(ins_layer));
    ins_arena_reserve(arena, size.hidden, sizeof(float));
    ins_arena_reserve(arena, size.projection, sizeof(float));
    ins_arena_reserve(arena, size.hidden, sizeof(float));
    ins_arena_reserve(arena, size.inner, sizeof(float));
    ins_arena_reserve(arena, size.added, sizeof(float));
    ins_arena_reserve(arena, size.head, sizeof(float));
    ins_arena_reserve(arena, size.bytes, 1);
    ins_arena_reserve(arena, INS_LINEAR_ROWS, sizeof(float));
    ins_arena_reserve(arena, INS_LINEAR_ROWS, sizeof(float));
    INS_TRY(ins_arena_open(arena, &encoder->host, error));
    encoder->layers = ins_arena_take(arena, layers, sizeof(ins_layer));
    encoder->hidden = ins_arena_take(arena, size.hidden, sizeof(float));
    encoder->projection = ins_arena_take(arena, size.projection, sizeof(float));
    encoder->context = ins_arena_take(arena, size.hidden, sizeof(float));
    encoder->inner = ins_arena_take(arena, size.inner, sizeof(float));
    encoder->added = ins_arena_take(arena, size.added, sizeof(float));
    encoder->head = ins_arena_take(arena, size.head, sizeof(float));
    encoder->linear.bytes = ins_arena_take(arena, size.bytes, 1);
    encoder->linear.scales =
        ins_arena_take(arena, INS_LINEAR_ROWS, sizeof(float));
    encoder->linear.zeros =
        ins_arena_take(arena, INS_LINEAR_ROWS, sizeof(float));
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
    self->linear.host = &self->host;
    self->linear.kernels = kernels;
    status = open_workspace(self, batch_tokens, error);
    if (status != INS_OK) {
        ins_encoder_close(self);
        return status;
    }
    self->words = ins_pack_find_tensor(view, INS_ROLE_WORDS, 0);
    self->word_bytes = view->bytes + self->words->offset;
    self->positions = ins_pack_f32(view, INS_ROLE_POSITIONS, 0);
    self->types = ins_pack_f32(view, INS_ROLE_TYPES, 0);
    self->input_norm = ins_pack_f32(view, INS_ROLE_INPUT_NORM, 0);
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

const ins_linear_context *
ins_encoder_context(const ins_encoder *encoder)
{
    return &encoder->linear;
}

/* The squares are summed in double: float overflows above 1e19. */
float
ins_encoder_normalize(float *row, size_t columns)
{
    double squares = 0;
    double length;

    for (size_t i = 0; i < columns; i++)
        squares += (double) row[i] * (double) row[i];
    length = sqrt(squares);
    if (length > 0)
        for (size_t i = 0; i < columns; i++)
            row[i] = (float) (row[i] / length);
    return (float) length;
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
