/*
 * embed.c - hidden states, and pieces, to one vector.
 *
 * Source: Reimers & Gurevych (2019), "Sentence-BERT"; the special tokens take
 * part in the mean and the maximum, as in the sentence-transformers library.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tasks/task.h"

#include <math.h>
#include <string.h>

#include "pack/pack_shape.h"

static void
pool_mean(const float *hidden, size_t tokens, size_t columns, float *row)
{
    memset(row, 0, columns * sizeof(float));
    for (size_t token = 0; token < tokens; token++, hidden += columns)
        for (size_t i = 0; i < columns; i++)
            row[i] += hidden[i];
    for (size_t i = 0; i < columns; i++)
        row[i] /= (float) tokens;
}

static void
pool_max(const float *hidden, size_t tokens, size_t columns, float *row)
{
    memcpy(row, hidden, columns * sizeof(float));
    for (size_t token = 1; token < tokens; token++) {
        hidden += columns;
        for (size_t i = 0; i < columns; i++)
            row[i] = hidden[i] > row[i] ? hidden[i] : row[i];
    }
}

static ins_status
check_finite(const float *row, size_t columns, ins_error *error)
{
    for (size_t i = 0; i < columns; i++)
        INS_CHECK(isfinite(row[i]), error, INS_INTERNAL,
                  "the model gave an embedding that is not a number");
    return INS_OK;
}

ins_status
ins_task_pool(const ins_task_input *input, float *row, ins_error *error)
{
    const ins_pack_recipe *recipe = input->view->recipe;
    size_t columns = recipe->hidden;

    if (recipe->pooling == INS_POOLING_MEAN)
        pool_mean(input->hidden, input->tokens, columns, row);
    else if (recipe->pooling == INS_POOLING_MAX)
        pool_max(input->hidden, input->tokens, columns, row);
    else
        memcpy(row, input->hidden, columns * sizeof(float));
    if (recipe->flags & INS_RECIPE_NORMALIZE)
        ins_encoder_normalize(row, columns);
    return check_finite(row, columns, error);
}

ins_status
ins_task_embed(const ins_task_input *input, float *row, ins_error *error)
{
    const ins_pack_recipe *recipe = input->view->recipe;
    uint32_t columns = ins_pack_embedding_size(recipe);

    INS_TRY(ins_task_pool(input, row, error));
    if (recipe->lexical == 0)
        return INS_OK;
    INS_TRY(ins_task_lexical(input, row + recipe->hidden, error));
    ins_encoder_normalize(row, columns);
    return check_finite(row, columns, error);
}
