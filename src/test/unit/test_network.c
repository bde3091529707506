/*
 * test_network.c - gradients against double-sided differences of the loss, for
 * every weight of small networks of each kind.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "unit/gradient_fixture.h"

#define STEP 4e-3f
/* Of the largest gradient of the tensor, and absolute: the loss of floats is
 * off by 1e-7, over twice the step. */
#define RELATIVE 2e-3
#define ABSOLUTE 2e-4
/* A bend that smooth functions do not have. */
#define CORNER 0.02

#define HEAD   INS_RECIPE_CLASSIFY
#define POOLED (INS_RECIPE_CLASSIFY | INS_RECIPE_EMBED | INS_RECIPE_HEAD_POOLED)

/* What a difference of the loss is taken by. */
struct probe {
    gradient_fixture *fixture;
    const ins_batch *batch;
    const float *words;
    float *value;
    bool has_corners; /* the loss has some */
};

static double
loss_at(const struct probe *probe, float step)
{
    float before = *probe->value;
    double loss;

    *probe->value = before + step;
    loss =
        gradient_loss(probe->fixture, probe->batch, probe->words, false, NULL);
    *probe->value = before;
    return loss;
}

/* *bend: how much the slopes on both sides differ; a corner of relu or of a
 * maximum within the step puts the difference off by as much. */
static double
find_difference(const struct probe *probe, double *bend)
{
    double above = loss_at(probe, STEP);
    double here = loss_at(probe, 0);
    double below = loss_at(probe, -STEP);
    double width = 2 * (double) STEP;

    *bend = fabs(above + below - 2 * here) / width;
    return (above - below) / width;
}

static double
highest_of(const float *values, size_t count)
{
    double highest = 0;

    for (size_t i = 0; i < count; i++)
        highest = fmax(highest, fabs((double) values[i]));
    return highest;
}

/* Compares count gradients, in the order of values.  Returns the corners. */
static size_t
compare_values(struct probe *probe, float *values, const float *gradients,
               size_t count)
{
    double highest = highest_of(gradients, count);
    size_t corners = 0;

    for (size_t i = 0; i < count; i++) {
        double got = (double) gradients[i];
        double bend, expected;

        probe->value = &values[i];
        expected = find_difference(probe, &bend);
        corners += bend > CORNER;
        if (!probe->has_corners)
            bend = 0;
        if (fabs(got - expected) > RELATIVE * highest + ABSOLUTE + bend)
            fail_msg("value %zu of %zu: %g instead of %g", i, count, got,
                     expected);
    }
    return corners;
}

static void
check_recipe(const ins_pack_recipe *recipe)
{
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    struct probe probe = {&fixture, gradient_batch(), NULL, NULL, false};
    size_t corners = 0;

    probe.has_corners = recipe->activation == INS_ACTIVATION_RELU ||
                        recipe->head_activation == INS_ACTIVATION_RELU ||
                        recipe->pooling == INS_POOLING_MAX;

    gradient_open(&fixture, recipe, &options);
    gradient_run(&fixture, probe.batch, NULL, NULL);
    for (uint32_t i = 0; i < fixture.weights->tensor_count; i++) {
        const ins_parameter *tensor = &fixture.weights->tensors[i];
        size_t count = (size_t) tensor->rows * tensor->columns;

        corners += compare_values(&probe, tensor->values,
                                  fixture.sums->tensors[i].values, count);
        /* A bias of keys moves all scores of a query alike. */
        assert_true(highest_of(fixture.sums->tensors[i].values, count) > 1e-3);
    }
    assert_true(corners <=
                (probe.has_corners ? fixture.weights->count / 20 : 0));
    gradient_close(&fixture);
}

static void
test_first_token(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD);

    (void) state;
    check_recipe(&recipe);
    recipe.token_types = 0;
    recipe.flags |= INS_RECIPE_MULTI_LABEL;
    check_recipe(&recipe);
}

static void
test_dense_head(void **state)
{
    (void) state;
    for (uint32_t i = INS_ACTIVATION_NONE; i <= INS_ACTIVATION_TANH; i++) {
        ins_pack_recipe recipe = gradient_recipe(HEAD | INS_RECIPE_HEAD_DENSE);

        recipe.head_activation = i;
        check_recipe(&recipe);
    }
}

static void
test_activations(void **state)
{
    (void) state;
    for (uint32_t i = INS_ACTIVATION_GELU; i <= INS_ACTIVATION_RELU; i++) {
        ins_pack_recipe recipe = gradient_recipe(HEAD);

        recipe.activation = i;
        check_recipe(&recipe);
    }
}

static void
test_pooling(void **state)
{
    static const uint32_t more[] = {
        0, INS_RECIPE_NORMALIZE, INS_RECIPE_NORMALIZE | INS_RECIPE_HEAD_DENSE};

    (void) state;
    for (uint32_t i = INS_POOLING_MEAN; i <= INS_POOLING_MAX; i++)
        for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++) {
            ins_pack_recipe recipe = gradient_recipe(POOLED | more[k]);

            recipe.pooling = i;
            check_recipe(&recipe);
        }
}

/* A pooling that is there for embeddings only does not change the head. */
static void
test_pooling_of_another_task(void **state)
{
    ins_pack_recipe recipe =
        gradient_recipe(HEAD | INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE);

    (void) state;
    recipe.pooling = INS_POOLING_MAX;
    check_recipe(&recipe);
}

/* By the words of the input, whether they come from the table or not. */
static void
test_input_gradient(void **state)
{
    static float words[13 * 8], found[13 * 8];
    ins_pack_recipe recipe = gradient_recipe(POOLED | INS_RECIPE_NORMALIZE);
    ins_network_options options = gradient_options();
    const ins_batch *batch = gradient_batch();
    gradient_fixture fixture;
    struct probe probe = {&fixture, batch, words, NULL, false};
    const ins_parameter *table;
    float logit_gradient[4 * 3];
    const float *gradient;
    double loss;

    (void) state;
    options.input_gradient = true;
    gradient_open(&fixture, &recipe, &options);
    table = ins_parameters_find(fixture.weights, INS_ROLE_WORDS, 0);
    for (uint32_t i = 0; i < batch->token_count; i++)
        memcpy(words + i * 8, table->values + batch->ids[i] * 8,
               8 * sizeof(float));
    loss = gradient_run(&fixture, batch, NULL, &gradient);
    memcpy(found, gradient, sizeof(found));
    assert_true(gradient_run(&fixture, batch, words, &gradient) == loss);
    assert_memory_equal(found, gradient, sizeof(found));
    assert_int_equal(compare_values(&probe, words, found, 13 * 8), 0);
    /* And without a gradient of the weights. */
    gradient_loss(&fixture, batch, words, false, logit_gradient);
    assert_int_equal(ins_network_backward(fixture.network, logit_gradient, NULL,
                                          &gradient, &fixture.error),
                     INS_OK);
    assert_memory_equal(found, gradient, sizeof(found));
    gradient_close(&fixture);
}

/* Words of the caller's are not those of the table. */
static void
test_words_of_the_caller(void **state)
{
    static float words[13 * 8];
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    const ins_parameter *sums;

    (void) state;
    gradient_fill(words, 13 * 8, 1);
    gradient_open(&fixture, &recipe, &options);
    gradient_run(&fixture, gradient_batch(), words, NULL);
    sums = ins_parameters_find(fixture.sums, INS_ROLE_WORDS, 0);
    assert_true(highest_of(sums->values, 11 * 8) == 0);
    sums = ins_parameters_find(fixture.sums, INS_ROLE_POSITIONS, 0);
    assert_true(highest_of(sums->values, 9 * 8) > 1e-3);
    /* Row 0 is before the offset, the last two are behind every text. */
    assert_true(highest_of(sums->values, 8) == 0);
    assert_true(highest_of(sums->values + 7 * 8, 2 * 8) == 0);
    gradient_close(&fixture);
}

static bool
is_frozen(const ins_parameter *tensor, uint32_t first_layer)
{
    if (tensor->role < INS_ROLE_QKV)
        return true;
    return tensor->role < INS_ROLE_HEAD_DENSE && tensor->layer < first_layer;
}

/* Below first_layer nothing is added; above it all is as without it. */
static void
test_frozen_layers(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(POOLED | INS_RECIPE_HEAD_DENSE);
    ins_network_options options = gradient_options();

    (void) state;
    recipe.layers = 3;
    for (uint32_t first = 1; first <= 3; first++) {
        gradient_fixture all, frozen;

        options.first_layer = 0;
        gradient_open(&all, &recipe, &options);
        gradient_run(&all, gradient_batch(), NULL, NULL);
        options.first_layer = first;
        gradient_open(&frozen, &recipe, &options);
        memcpy(frozen.weights->values, all.weights->values,
               all.weights->count * sizeof(float));
        gradient_run(&frozen, gradient_batch(), NULL, NULL);
        for (uint32_t i = 0; i < all.sums->tensor_count; i++) {
            const ins_parameter *got = &frozen.sums->tensors[i];
            size_t count = (size_t) got->rows * got->columns;

            if (is_frozen(got, first))
                assert_true(highest_of(got->values, count) == 0);
            else
                assert_memory_equal(got->values, all.sums->tensors[i].values,
                                    count * sizeof(float));
        }
        gradient_close(&all);
        gradient_close(&frozen);
    }
}

/* Texts of a batch do not see each other. */
static void
test_batch_is_a_sum(void **state)
{
    static float logit_gradient[4 * 3];
    ins_pack_recipe recipe = gradient_recipe(POOLED | INS_RECIPE_NORMALIZE);
    ins_network_options options = gradient_options();
    const ins_batch *batch = gradient_batch();
    gradient_fixture together, alone;
    const float *logits;

    (void) state;
    gradient_open(&together, &recipe, &options);
    gradient_open(&alone, &recipe, &options);
    memcpy(alone.weights->values, together.weights->values,
           together.weights->count * sizeof(float));
    gradient_loss(&together, batch, NULL, false, logit_gradient);
    gradient_run(&together, batch, NULL, NULL);
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        const uint32_t starts[] = {0, batch->starts[i + 1] - batch->starts[i]};
        const ins_batch one = {batch->ids + batch->starts[i], starts, 1,
                               starts[1]};

        assert_int_equal(ins_network_forward(alone.network, &one, NULL, false,
                                             &logits, &alone.error),
                         INS_OK);
        assert_int_equal(ins_network_backward(alone.network,
                                              logit_gradient + i * 3,
                                              alone.sums, NULL, &alone.error),
                         INS_OK);
    }
    for (uint64_t i = 0; i < together.sums->count; i++)
        assert_true(fabsf(together.sums->values[i] - alone.sums->values[i]) <
                    2e-6f);
    gradient_close(&together);
    gradient_close(&alone);
}

/* More queries than are worked on together. */
static void
test_long_text(void **state)
{
    static int32_t ids[300];
    const uint32_t starts[] = {0, 300};
    const ins_batch batch = {ids, starts, 1, 300};
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = {
        .batch_tokens = 300, .batch_texts = 1, .max_tokens = 300};
    gradient_fixture fixture;
    struct probe probe = {&fixture, &batch, NULL, NULL, false};

    (void) state;
    for (int32_t i = 0; i < 300; i++)
        ids[i] = i * i % 11;
    recipe.positions = 310;
    recipe.max_tokens = 300;
    gradient_open(&fixture, &recipe, &options);
    gradient_run(&fixture, &batch, NULL, NULL);
    for (uint32_t layer = 0; layer < 2; layer++) {
        const ins_parameter *weights =
            ins_parameters_find(fixture.weights, INS_ROLE_QKV, layer);
        const ins_parameter *sums =
            ins_parameters_find(fixture.sums, INS_ROLE_QKV, layer);

        assert_int_equal(
            compare_values(&probe, weights->values, sums->values, 24 * 8), 0);
    }
    gradient_close(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_token),
        cmocka_unit_test(test_dense_head),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_pooling_of_another_task),
        cmocka_unit_test(test_input_gradient),
        cmocka_unit_test(test_words_of_the_caller),
        cmocka_unit_test(test_frozen_layers),
        cmocka_unit_test(test_batch_is_a_sum),
        cmocka_unit_test(test_long_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
