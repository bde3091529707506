/*
 * attention.c - multi-head self-attention within each sequence.
 *
 * Query, key and value of all tokens come from one layer over the whole batch;
 * then each sequence and head is one call of a kernel, which reads them in
 * place with a stride of three hidden rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

#include <math.h>

static ins_status
attend_sequence(ins_encoder *encoder, const ins_layer *layer, uint32_t start,
                uint32_t length, ins_error *error)
{
    const ins_kernels *kernels = encoder->kernels;
    uint32_t heads = encoder->recipe->heads;
    size_t hidden = encoder->recipe->hidden;
    size_t size = hidden / heads;
    bool is_f32 = layer->qkv.type == INS_TENSOR_F32_PANELS;
    ins_attention attention = {
        .query = encoder->projection + start * 3 * hidden,
        .stride = 3 * hidden,
        .length = length,
        .size = size,
        .scale = 1.0f / sqrtf((float) size),
        .out = encoder->context + start * hidden,
        .out_stride = hidden,
        .scratch = encoder->head,
        .host = &encoder->host,
    };

    for (uint32_t head = 0; head < heads; head++) {
        attention.key = attention.query + hidden;
        attention.value = attention.key + hidden;
        if (!(is_f32 ? kernels->attend_f32 : kernels->attend_int16)(&attention))
            return ins_fail_cancelled(error);
        attention.query += size;
        attention.out += size;
    }
    return INS_OK;
}

/* hidden = norm(hidden + attention_out(context)) */
static ins_status
add_context(ins_encoder *encoder, const ins_layer *layer, uint32_t tokens,
            ins_error *error)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    size_t columns = recipe->hidden;

    for (size_t row = 0; row < tokens; row += INS_LINEAR_ROWS) {
        size_t left = tokens - row;
        size_t rows = left < INS_LINEAR_ROWS ? left : INS_LINEAR_ROWS;
        ins_matrix in = {encoder->context + row * columns, rows, columns};

        INS_TRY(ins_linear_run(&encoder->linear, &layer->attention_out, &in,
                               INS_ACTIVATION_NONE, encoder->added, error));
        encoder->kernels->add_norm(encoder->hidden + row * columns,
                                   encoder->added, layer->attention_norm, rows,
                                   columns, recipe->norm_epsilon);
    }
    return INS_OK;
}

ins_status
ins_encoder_attend(ins_encoder *encoder, const ins_layer *layer,
                   const ins_batch *batch, ins_error *error)
{
    ins_matrix hidden = {encoder->hidden, batch->token_count,
                         encoder->recipe->hidden};

    INS_TRY(ins_linear_run(&encoder->linear, &layer->qkv, &hidden,
                           INS_ACTIVATION_NONE, encoder->projection, error));
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        uint32_t start = batch->starts[i];

        INS_TRY(attend_sequence(encoder, layer, start,
                                batch->starts[i + 1] - start, error));
    }
    return add_context(encoder, layer, batch->token_count, error);
}
