/*
 * classify.c - the classification head: one score per label.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tasks/task.h"

#include <math.h>

#include "pack/pack_shape.h"
#include "pack/word_table.h"

/* What the head reads: [hidden]. */
static ins_status
read_features(const ins_task_input *input, const float **features,
              ins_error *error)
{
    *features = input->hidden;
    if ((input->view->recipe->flags & INS_RECIPE_HEAD_POOLED) == 0)
        return INS_OK;
    *features = input->scratch;
    return ins_task_pool(input, input->scratch, error);
}

/* What the text's words say of the labels, onto the logits. */
static ins_status
add_words(const ins_task_input *input, float *logits, ins_error *error)
{
    const ins_pack_recipe *recipe = input->view->recipe;
    ins_word_table_sum sum = {.words = input->words,
                              .count = ins_word_table_count(input->tokens),
                              .labels = recipe->labels};

    if (recipe->head_words == 0)
        return INS_OK;
    sum.share = ins_word_table_share(sum.count);
    ins_word_table_find(input->ids, input->tokens, recipe->head_words,
                        input->words);
    return ins_word_table_add(&sum,
                              ins_pack_f32(input->view, INS_ROLE_HEAD_WORDS, 0),
                              logits, input->host, error);
}

ins_status
ins_task_classify(const ins_task_input *input, float *row, ins_error *error)
{
    const ins_pack_view *view = input->view;
    const ins_pack_recipe *recipe = view->recipe;
    ins_matrix features = {NULL, 1, recipe->hidden};
    ins_linear out =
        ins_encoder_linear(view, INS_ROLE_HEAD_OUT, INS_ROLE_HEAD_OUT_BIAS, 0);

    INS_TRY(read_features(input, &features.values, error));
    if (recipe->flags & INS_RECIPE_HEAD_DENSE) {
        float *inner = input->scratch + recipe->hidden;
        ins_linear dense = ins_encoder_linear(view, INS_ROLE_HEAD_DENSE,
                                              INS_ROLE_HEAD_DENSE_BIAS, 0);

        INS_TRY(ins_linear_run(input->linear, &dense, &features,
                               (enum ins_activation) recipe->head_activation,
                               inner, error));
        features.values = inner;
    }
    INS_TRY(ins_linear_run(input->linear, &out, &features, INS_ACTIVATION_NONE,
                           row, error));
    INS_TRY(add_words(input, row, error));
    if (recipe->flags & INS_RECIPE_MULTI_LABEL)
        input->linear->kernels->sigmoid(row, recipe->labels);
    else
        input->linear->kernels->softmax(row, recipe->labels);
    for (uint32_t i = 0; i < recipe->labels; i++)
        INS_CHECK(isfinite(row[i]), error, INS_INTERNAL,
                  "the model gave a score that is not a number");
    return INS_OK;
}
