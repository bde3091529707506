/*
 * classify.c - the classification head: one score per label.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tasks/task.h"

#include <math.h>
#include <string.h>

/* out[rows] = weights[rows][columns] . x + bias.  One row of activations does
 * not pay for a call of OpenBLAS. */
static void
apply_matrix(const float *weights, const float *bias, const float *x,
             size_t rows, size_t columns, float *out)
{
    for (size_t row = 0; row < rows; row++, weights += columns) {
        float sum = 0;

        for (size_t i = 0; i < columns; i++)
            sum += weights[i] * x[i];
        out[row] = sum + bias[row];
    }
}

static void
activate_head(const ins_kernels *kernels, uint32_t activation, float *x,
              size_t count)
{
    switch (activation) {
    case INS_ACTIVATION_TANH:
        kernels->tanh(x, count);
        break;
    case INS_ACTIVATION_RELU:
        kernels->relu(x, count);
        break;
    case INS_ACTIVATION_GELU:
        kernels->gelu(x, count);
        break;
    case INS_ACTIVATION_GELU_TANH:
        kernels->gelu_tanh(x, count);
        break;
    default:
        break;
    }
}

static void
sigmoid(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = 1.0f / (1.0f + expf(-x[i]));
}

ins_status
ins_task_classify(const ins_task_input *input, float *row, ins_error *error)
{
    const ins_pack_view *view = input->view;
    const ins_pack_recipe *recipe = view->recipe;
    size_t hidden = recipe->hidden;
    const float *features = input->hidden;

    if (recipe->flags & INS_RECIPE_HEAD_DENSE) {
        apply_matrix(ins_pack_f32(view, INS_ROLE_HEAD_DENSE, 0),
                     ins_pack_f32(view, INS_ROLE_HEAD_DENSE_BIAS, 0), features,
                     hidden, hidden, input->scratch);
        activate_head(input->kernels, recipe->head_activation, input->scratch,
                      hidden);
        features = input->scratch;
    }
    apply_matrix(ins_pack_f32(view, INS_ROLE_HEAD_OUT, 0),
                 ins_pack_f32(view, INS_ROLE_HEAD_OUT_BIAS, 0), features,
                 recipe->labels, hidden, row);
    if (recipe->flags & INS_RECIPE_MULTI_LABEL)
        sigmoid(row, recipe->labels);
    else
        input->kernels->softmax(row, 1, recipe->labels, 1.0f);
    for (uint32_t i = 0; i < recipe->labels; i++)
        INS_CHECK(isfinite(row[i]), error, INS_INTERNAL,
                  "the model gave a score that is not a number");
    return INS_OK;
}
