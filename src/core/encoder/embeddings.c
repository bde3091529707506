/*
 * embeddings.c - token ids to the input of the first layer.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

static void
embed_token(const ins_encoder *encoder, int32_t id, uint32_t position,
            float *out)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    size_t columns = recipe->hidden;
    size_t row = position + recipe->position_offset;
    const float *word = encoder->words + (size_t) id * columns;
    const float *place = encoder->positions + row * columns;

    for (size_t i = 0; i < columns; i++)
        out[i] = word[i] + place[i];
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
