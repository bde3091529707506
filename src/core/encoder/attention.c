/*
 * attention.c - multi-head self-attention within each sequence.
 *
 * Query, key and value of all tokens come from one product over the whole
 * batch; then each sequence and head takes two small products, whose operands
 * are read in place with a row stride of three hidden rows.
 *
 * Source: Vaswani et al. (2017), "Attention Is All You Need", section 3.2.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

#include <math.h>

/* One head of one sequence; part: 0 query, 1 key, 2 value. */
static ins_matrix
head_matrix(const ins_encoder *encoder, uint32_t start, uint32_t length,
            uint32_t head, size_t part)
{
    size_t hidden = encoder->recipe->hidden;
    size_t size = hidden / encoder->recipe->heads;

    return (ins_matrix){
        encoder->projection + start * 3 * hidden + part * hidden + head * size,
        length,
        size,
        3 * hidden,
    };
}

static ins_status
attend_head(ins_encoder *encoder, uint32_t start, uint32_t length,
            uint32_t head, ins_error *error)
{
    size_t hidden = encoder->recipe->hidden;
    size_t size = hidden / encoder->recipe->heads;
    ins_matrix query = head_matrix(encoder, start, length, head, 0);
    ins_matrix key = head_matrix(encoder, start, length, head, 1);
    ins_matrix value = head_matrix(encoder, start, length, head, 2);
    ins_matrix scores = {encoder->scores, length, length, length};
    float *out = encoder->context + start * hidden + head * size;

    INS_TRY(ins_product(&encoder->products, &query, &key, encoder->scores,
                        length, error));
    encoder->kernels->softmax(encoder->scores, length, length,
                              1.0f / sqrtf((float) size));
    return ins_product_plain(&encoder->products, &scores, &value, out, hidden,
                             error);
}

ins_status
ins_encoder_attend(ins_encoder *encoder, const ins_layer *layer,
                   const ins_batch *batch, ins_error *error)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    size_t columns = recipe->hidden;
    ins_matrix hidden = {encoder->hidden, batch->token_count, columns, columns};
    ins_matrix context = {encoder->context, batch->token_count, columns,
                          columns};

    INS_TRY(ins_encoder_linear(encoder, &hidden, layer->qkv, layer->qkv_bias,
                               3 * columns, encoder->projection, error));
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        uint32_t start = batch->starts[i];
        uint32_t length = batch->starts[i + 1] - start;

        for (uint32_t head = 0; head < recipe->heads; head++)
            INS_TRY(attend_head(encoder, start, length, head, error));
    }
    INS_TRY(ins_encoder_linear(encoder, &context, layer->attention_out,
                               layer->attention_bias, columns,
                               encoder->projection, error));
    encoder->kernels->add_norm(encoder->hidden, encoder->projection,
                               layer->attention_norm, batch->token_count,
                               columns, recipe->norm_epsilon);
    return INS_OK;
}
