/*
 * embeddings.c - token ids to the input of the first layer.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

#include <string.h>

#include "pack/pack_shape.h"

static void
copy_bf16(const uint8_t *bytes, size_t columns, float *out)
{
    for (size_t i = 0; i < columns; i++) {
        uint16_t half;
        uint32_t bits;

        memcpy(&half, bytes + i * sizeof(half), sizeof(half));
        bits = (uint32_t) half << 16;
        memcpy(&out[i], &bits, sizeof(bits));
    }
}

static void
copy_word(const ins_encoder *encoder, size_t id, float *out)
{
    const ins_pack_tensor *words = encoder->words;
    const uint8_t *bytes = encoder->word_bytes;
    size_t columns = words->columns;

    if (words->type == INS_TENSOR_INT8_ROWS) {
        const int8_t *numbers = (const int8_t *) bytes + id * columns;
        float factor;

        bytes +=
            ins_pack_factors_offset(words->type, words->rows, words->columns);
        memcpy(&factor, bytes + id * sizeof(factor), sizeof(factor));
        for (size_t i = 0; i < columns; i++)
            out[i] = (float) numbers[i] * factor;
    } else if (words->type == INS_TENSOR_BF16_ROWS) {
        copy_bf16(bytes + id * columns * sizeof(uint16_t), columns, out);
    } else {
        memcpy(out, bytes + id * columns * sizeof(float),
               columns * sizeof(float));
    }
}

static void
embed_token(const ins_encoder *encoder, int32_t id, uint32_t position,
            float *out)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    size_t columns = recipe->hidden;
    size_t row = position + recipe->position_offset;
    const float *place = encoder->positions + row * columns;

    copy_word(encoder, (size_t) id, out);
    for (size_t i = 0; i < columns; i++)
        out[i] += place[i];
    if (encoder->types != NULL)
        for (size_t i = 0; i < columns; i++)
            out[i] += encoder->types[i];
}

void
ins_encoder_embed(ins_encoder *encoder, const ins_batch *batch)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    float *out = encoder->hidden;

    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        uint32_t start = batch->starts[i];
        uint32_t length = batch->starts[i + 1] - start;

        for (uint32_t position = 0; position < length; position++) {
            embed_token(encoder, batch->ids[start + position], position, out);
            out += recipe->hidden;
        }
    }
    encoder->kernels->add_norm(encoder->hidden, NULL, encoder->input_norm,
                               batch->token_count, recipe->hidden,
                               recipe->norm_epsilon);
}
