/*
 * gradient_fixture.c - recipes, weights and batches for the tests of training.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pack/pack_shape.h"
#include "unit/gradient_fixture.h"

#define MAX_LABELS 64
#define MAX_TEXTS  8

ins_pack_recipe
gradient_recipe(uint32_t flags)
{
    ins_pack_recipe recipe = {
        .flags = flags,
        .layers = 2,
        .hidden = 8,
        .heads = 2,
        .intermediate = 12,
        .vocabulary = 11,
        .positions = 9,
        .position_offset = 1,
        .token_types = 2,
        .activation = INS_ACTIVATION_GELU,
        .labels = 3,
        .max_tokens = 8,
        .norm_epsilon = 1e-5f,
        .weights = INS_WEIGHTS_F32,
        .architecture = "bert",
    };

    if ((flags & INS_RECIPE_HEAD_DENSE) != 0)
        recipe.head_activation = INS_ACTIVATION_TANH;
    if ((flags & INS_RECIPE_EMBED) != 0)
        recipe.pooling = INS_POOLING_MEAN;
    return recipe;
}

void
gradient_fill(float *values, size_t count, float range)
{
    static uint32_t state = 11;

    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = ((float) (state >> 8) / (float) (1 << 23) - 1) * range;
    }
}

static bool
is_norm(uint32_t role)
{
    return role == INS_ROLE_INPUT_NORM || role == INS_ROLE_ATTENTION_NORM ||
           role == INS_ROLE_FFN_NORM;
}

void
gradient_open(gradient_fixture *fixture, const ins_pack_recipe *recipe,
              const ins_network_options *options)
{
    const ins_host *host = &fixture->host.host;

    memset(fixture, 0, sizeof(*fixture));
    tiny_host_open(&fixture->host);
    assert_int_equal(
        ins_parameters_open(&fixture->weights, recipe, host, &fixture->error),
        INS_OK);
    assert_int_equal(
        ins_parameters_open(&fixture->sums, recipe, host, &fixture->error),
        INS_OK);
    for (uint32_t i = 0; i < fixture->weights->tensor_count; i++) {
        const ins_parameter *tensor = &fixture->weights->tensors[i];

        gradient_fill(tensor->values, (size_t) tensor->rows * tensor->columns,
                      0.6f);
        for (uint32_t k = 0; is_norm(tensor->role) && k < tensor->columns; k++)
            tensor->values[k] += 1;
    }
    assert_int_equal(ins_network_open(&fixture->network, fixture->weights,
                                      options, host, &fixture->error),
                     INS_OK);
}

void
gradient_close(gradient_fixture *fixture)
{
    ins_network_close(fixture->network);
    ins_parameters_close(fixture->sums);
    ins_parameters_close(fixture->weights);
    assert_int_equal(fixture->host.live_blocks, 0);
}

ins_network_options
gradient_options(void)
{
    return (ins_network_options){
        .batch_tokens = 16, .batch_texts = 4, .max_tokens = 8};
}

const ins_batch *
gradient_batch(void)
{
    static const int32_t ids[] = {2, 5, 7, 5, 2, 9, 1, 0, 10, 3, 2, 6, 4};
    static const uint32_t starts[] = {0, 4, 10, 11, 13};
    static const ins_batch batch = {ids, starts, 4, 13};

    return &batch;
}

static double
add_loss(const ins_pack_recipe *recipe, uint32_t text, const float *logits,
         float *gradient)
{
    uint8_t targets[MAX_LABELS] = {0};
    uint32_t target = text % recipe->labels;

    assert_true(recipe->labels <= MAX_LABELS);
    if ((recipe->flags & INS_RECIPE_MULTI_LABEL) == 0)
        return ins_loss_softmax(logits, recipe->labels, target, 0.5, gradient);
    targets[target] = 1;
    targets[(target + 1) % recipe->labels] = 1;
    return ins_loss_sigmoid(logits, recipe->labels, targets, 0.5, gradient);
}

double
gradient_loss(gradient_fixture *fixture, const ins_batch *batch,
              const float *words, bool training, float *logit_gradient)
{
    const ins_pack_recipe *recipe = &fixture->weights->recipe;
    float unused[MAX_LABELS];
    const float *logits;
    double loss = 0;

    assert_int_equal(ins_network_forward(fixture->network, batch, words,
                                         training, &logits, &fixture->error),
                     INS_OK);
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        size_t row = (size_t) i * recipe->labels;

        loss +=
            add_loss(recipe, i, logits + row,
                     logit_gradient != NULL ? logit_gradient + row : unused);
    }
    return loss;
}

double
gradient_run(gradient_fixture *fixture, const ins_batch *batch,
             const float *words, const float **input_gradient)
{
    float logit_gradient[MAX_TEXTS * MAX_LABELS];
    double loss = gradient_loss(fixture, batch, words, false, logit_gradient);

    assert_true(batch->sequence_count <= MAX_TEXTS);
    assert_int_equal(ins_network_backward(fixture->network, logit_gradient,
                                          fixture->sums, input_gradient,
                                          &fixture->error),
                     INS_OK);
    return loss;
}
