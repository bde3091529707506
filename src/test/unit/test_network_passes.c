/*
 * test_network_passes.c - a network's scores are those of a session, dropout
 * repeats, a cancelled pass leaves nothing behind, and bad calls are refused.
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

#include "gradient/pass.h"
#include "unit/gradient_fixture.h"

#define HEAD INS_RECIPE_CLASSIFY

/* ---- against a session --------------------------------------------------- */

struct opened {
    tiny_host host;
    void *pack;
    ins_pack_view view;
    ins_model *model;
    ins_session *session;
    ins_error error;
};

static void
open_session(struct opened *opened, unsigned flags)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    const ins_host *host = &opened->host.host;
    tiny_model source;
    size_t size;

    memset(opened, 0, sizeof(*opened));
    options.weights = INS_WEIGHTS_CHOICE_F32;
    tiny_host_open(&opened->host);
    tiny_open(&source, flags);
    assert_int_equal(ins_import(source.files, source.count, &options, host,
                                &opened->pack, &size, &opened->error),
                     INS_OK);
    tiny_close(&source);
    assert_int_equal(
        ins_pack_read(&opened->view, opened->pack, size, &opened->error),
        INS_OK);
    assert_int_equal(ins_model_open(&opened->model, opened->pack, size, host,
                                    &opened->error),
                     INS_OK);
    assert_int_equal(ins_session_open(&opened->session, opened->model, NULL,
                                      host, &opened->error),
                     INS_OK);
}

static void
close_session(struct opened *opened)
{
    ins_session_close(opened->session);
    ins_model_close(opened->model);
    opened->host.host.release(&opened->host, opened->pack);
    assert_int_equal(opened->host.live_blocks, 0);
}

static uint32_t
find_ids(struct opened *opened, ins_text text, int32_t *ids)
{
    ins_token tokens[48];
    size_t count;

    assert_int_equal(
        ins_tokenize(opened->session, text, tokens, 48, &count, &opened->error),
        INS_OK);
    for (size_t i = 0; i < count; i++)
        ids[i] = tokens[i].id;
    return (uint32_t) count;
}

/* Logits of three texts, with the pack's weights in the recipe. */
static void
run_network(struct opened *opened, const ins_pack_recipe *recipe,
            const ins_text texts[3], gradient_fixture *fixture,
            const float **logits)
{
    const ins_network_options options = {
        .batch_tokens = 144, .batch_texts = 3, .max_tokens = 48};
    static int32_t ids[144];
    uint32_t starts[4] = {0};
    ins_batch batch = {ids, starts, 3, 0};

    gradient_open(fixture, recipe, &options);
    assert_int_equal(
        ins_parameters_read(fixture->weights, &opened->view, &fixture->error),
        INS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        batch.token_count +=
            find_ids(opened, texts[i], ids + batch.token_count);
        starts[i + 1] = batch.token_count;
    }
    assert_int_equal(ins_network_forward(fixture->network, &batch, NULL, false,
                                         logits, &fixture->error),
                     INS_OK);
}

static const ins_text texts[3] = {
    {"The order was charged twice!", 28}, {"hello", 5}, {"where is my 3", 13}};

static void
check_scores(unsigned flags)
{
    struct opened opened;
    gradient_fixture fixture;
    const float *logits;
    float scores[3][3];

    open_session(&opened, flags);
    run_network(&opened, opened.view.recipe, texts, &fixture, &logits);
    assert_int_equal(ins_run(opened.session, INS_TASK_CLASSIFY, texts, 3,
                             scores[0], 3, &opened.error),
                     INS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        const float *row = logits + i * 3;
        double sum = 0;

        for (uint32_t k = 0; k < 3; k++)
            sum += exp((double) row[k]);
        for (uint32_t k = 0; k < 3; k++)
            assert_true(fabs(exp((double) row[k]) / sum -
                             (double) scores[i][k]) < 2e-6);
    }
    gradient_close(&fixture);
    close_session(&opened);
}

static void
test_scores_of_a_session(void **state)
{
    (void) state;
    check_scores(TINY_CLASSIFIER);
    check_scores(TINY_CLASSIFIER | TINY_DISTILBERT);
}

/* What a pooled head reads is the embedding. */
static void
test_embedding_of_a_session(void **state)
{
    struct opened opened;
    gradient_fixture fixture;
    ins_pack_recipe recipe;
    const float *logits;
    float rows[3][32];

    (void) state;
    open_session(&opened, TINY_SENTENCE);
    recipe = *opened.view.recipe;
    assert_true(recipe.flags & INS_RECIPE_NORMALIZE);
    recipe.flags |= INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_POOLED;
    recipe.labels = 2;
    run_network(&opened, &recipe, texts, &fixture, &logits);
    assert_int_equal(ins_run(opened.session, INS_TASK_EMBED, texts, 3, rows[0],
                             32, &opened.error),
                     INS_OK);
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t k = 0; k < 32; k++)
            assert_true(fabsf(fixture.network->features[i * 32 + k] -
                              rows[i][k]) < 2e-6f);
    gradient_close(&fixture);
    close_session(&opened);
}

/* ---- dropout ------------------------------------------------------------- */

/* Loss of the first pass of a new network over the fixture's weights. */
static double
first_loss(gradient_fixture *fixture, const ins_network_options *options,
           float *logit_gradient)
{
    ins_network_close(fixture->network);
    assert_int_equal(ins_network_open(&fixture->network, fixture->weights,
                                      options, &fixture->host.host,
                                      &fixture->error),
                     INS_OK);
    return gradient_loss(fixture, gradient_batch(), NULL, true, logit_gradient);
}

static void
test_gradient_with_dropout(void **state)
{
    const float step = 4e-3f;
    ins_pack_recipe recipe = gradient_recipe(HEAD | INS_RECIPE_HEAD_DENSE);
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    float logit_gradient[4 * 3];

    (void) state;
    options.dropout = 0.3f;
    options.seed = 5;
    gradient_open(&fixture, &recipe, &options);
    first_loss(&fixture, &options, logit_gradient);
    assert_int_equal(ins_network_backward(fixture.network, logit_gradient,
                                          fixture.sums, NULL, &fixture.error),
                     INS_OK);
    for (uint64_t i = 0; i < fixture.weights->count; i += 7) {
        float *value = &fixture.weights->values[i];
        float before = *value;
        double above, below, difference;

        *value = before + step;
        above = first_loss(&fixture, &options, NULL);
        *value = before - step;
        below = first_loss(&fixture, &options, NULL);
        *value = before;
        difference = (above - below) / (2 * (double) step);
        assert_true(fabs(difference - (double) fixture.sums->values[i]) < 1e-3);
    }
    gradient_close(&fixture);
}

static void
test_dropout_repeats(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    const ins_batch *batch = gradient_batch();
    gradient_fixture fixture;
    double first, second, without;

    (void) state;
    options.dropout = 0.2f;
    options.seed = 1;
    gradient_open(&fixture, &recipe, &options);
    first = first_loss(&fixture, &options, NULL);
    without = gradient_loss(&fixture, batch, NULL, false, NULL);
    second = gradient_loss(&fixture, batch, NULL, true, NULL);
    assert_true(first != second && first != without && second != without);
    /* A pass without dropout in between counts no step. */
    assert_true(first_loss(&fixture, &options, NULL) == first);
    assert_true(gradient_loss(&fixture, batch, NULL, true, NULL) == second);
    options.seed = 2;
    assert_true(first_loss(&fixture, &options, NULL) != first);
    options.dropout = 0;
    assert_true(first_loss(&fixture, &options, NULL) == without);
    gradient_close(&fixture);
}

/* So many are left out as were asked for, and the mean stays. */
static void
test_dropout_rate(void **state)
{
    static const float rates[] = {0.1f, 0.5f, 0.9f};
    static float x[1000 * 37];
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    const ins_dropout_rows rows = {
        .step = 1, .rows = 1000, .columns = 37, .layer = 1};
    gradient_fixture fixture;

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        double rate = (double) rates[i], zeros = 0;

        options.dropout = rates[i];
        gradient_open(&fixture, &recipe, &options);
        for (size_t k = 0; k < 37000; k++)
            x[k] = 1;
        ins_pass_drop(fixture.network, &rows, x);
        for (size_t k = 0; k < 37000; k++) {
            zeros += x[k] == 0;
            assert_true(x[k] == 0 ||
                        fabs((double) x[k] - 1 / (1 - rate)) < 1e-3);
        }
        /* Five standard deviations. */
        assert_true(fabs(zeros / 37000 - rate) <
                    5 * sqrt(rate * (1 - rate) / 37000));
        gradient_close(&fixture);
    }
}

/* ---- calls --------------------------------------------------------------- */

/* Each poll of both passes in turn says stop; the next ones are right. */
static void
test_cancel(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD | INS_RECIPE_HEAD_DENSE);
    ins_network_options options = gradient_options();
    const ins_batch *batch = gradient_batch();
    gradient_fixture fixture;
    const float *logits;
    float logit_gradient[4 * 3];
    ins_status status;
    size_t polls;
    float *expected;

    (void) state;
    gradient_open(&fixture, &recipe, &options);
    fixture.host.polls = 0;
    gradient_run(&fixture, batch, NULL, NULL);
    polls = fixture.host.polls;
    assert_true(polls > 100);
    expected = malloc(fixture.sums->count * sizeof(float));
    assert_non_null(expected);
    memcpy(expected, fixture.sums->values, fixture.sums->count * sizeof(float));
    gradient_loss(&fixture, batch, NULL, false, logit_gradient);
    for (size_t i = 1; i <= polls; i++) {
        fixture.host.polls = 0;
        fixture.host.cancel_at = i;
        status = ins_network_forward(fixture.network, batch, NULL, false,
                                     &logits, &fixture.error);
        if (status == INS_OK)
            status = ins_network_backward(fixture.network, logit_gradient,
                                          fixture.sums, NULL, &fixture.error);
        assert_int_equal(status, INS_CANCELLED);
        fixture.host.cancel_at = 0;
        /* What was cancelled is not there to go back from. */
        assert_int_equal(ins_network_backward(fixture.network, logit_gradient,
                                              fixture.sums, NULL,
                                              &fixture.error),
                         INS_INVALID_ARGUMENT);
    }
    memset(fixture.sums->values, 0, fixture.sums->count * sizeof(float));
    gradient_run(&fixture, batch, NULL, NULL);
    assert_memory_equal(fixture.sums->values, expected,
                        fixture.sums->count * sizeof(float));
    free(expected);
    gradient_close(&fixture);
}

static void
test_passes_allocate_nothing(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    size_t calls;

    (void) state;
    options.dropout = 0.1f;
    gradient_open(&fixture, &recipe, &options);
    calls = fixture.host.calls;
    gradient_run(&fixture, gradient_batch(), NULL, NULL);
    gradient_loss(&fixture, gradient_batch(), NULL, true, NULL);
    assert_int_equal(fixture.host.calls, calls);
    gradient_close(&fixture);
}

static void
test_bytes(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    size_t before;

    (void) state;
    options.dropout = 0.1f;
    gradient_open(&fixture, &recipe, &options);
    ins_network_close(fixture.network);
    before = fixture.host.live_bytes;
    assert_int_equal(ins_network_open(&fixture.network, fixture.weights,
                                      &options, &fixture.host.host,
                                      &fixture.error),
                     INS_OK);
    assert_int_equal(fixture.host.live_bytes - before,
                     ins_network_bytes(&recipe, &options));
    gradient_close(&fixture);
    options.batch_tokens = UINT32_MAX;
    options.batch_texts = UINT32_MAX;
    recipe.hidden = 16384;
    recipe.intermediate = 65536;
    recipe.layers = 128;
    assert_true(ins_network_bytes(&recipe, &options) > (uint64_t) 1 << 50);
}

static void
refuse_options(const ins_pack_recipe *recipe, ins_network_options options,
               ins_status expected)
{
    ins_network_options sound = gradient_options();
    ins_pack_recipe with_head = *recipe;
    gradient_fixture fixture;
    ins_network *network;

    with_head.flags |= HEAD;
    gradient_open(&fixture, &with_head, &sound);
    fixture.weights->recipe = *recipe;
    assert_int_equal(ins_network_open(&network, fixture.weights, &options,
                                      &fixture.host.host, &fixture.error),
                     expected);
    assert_null(network);
    assert_true(fixture.error.message[0] != '\0');
    gradient_close(&fixture);
}

static void
test_bad_options(void **state)
{
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();

    (void) state;
    options.dropout = 1;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options.dropout = NAN;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options = gradient_options();
    options.first_layer = 3;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options.first_layer = 1;
    options.input_gradient = true;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options = gradient_options();
    options.max_tokens = 9;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options.max_tokens = 0;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options = gradient_options();
    options.batch_texts = 0;
    refuse_options(&recipe, options, INS_INVALID_ARGUMENT);
    options = gradient_options();
    recipe = gradient_recipe(INS_RECIPE_EMBED);
    refuse_options(&recipe, options, INS_WRONG_TASK);
}

static void
test_bad_batches(void **state)
{
    static const int32_t ids[20] = {2, 3};
    static const int32_t high[] = {2, 11};
    static const int32_t negative[] = {2, -1};
    static const uint32_t starts[][6] = {
        {0, 17},            /* more tokens than there is room for */
        {0, 1, 2, 3, 4, 5}, /* more texts */
        {0, 9},             /* a longer text */
        {0, 0, 2},          /* an empty one */
        {1, 3},
        {0, 2},
        {0, 2},
    };
    const ins_batch batches[] = {
        {ids, starts[0], 1, 17},     {ids, starts[1], 5, 5},
        {ids, starts[2], 1, 9},      {ids, starts[3], 2, 2},
        {ids, starts[4], 1, 3},      {high, starts[5], 1, 2},
        {negative, starts[6], 1, 2}, {ids, starts[5], 0, 0},
    };
    ins_pack_recipe recipe = gradient_recipe(HEAD);
    ins_network_options options = gradient_options();
    gradient_fixture fixture;
    const float *logits;

    (void) state;
    gradient_open(&fixture, &recipe, &options);
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
        assert_int_equal(ins_network_forward(fixture.network, &batches[i], NULL,
                                             false, &logits, &fixture.error),
                         INS_INVALID_ARGUMENT);
    gradient_close(&fixture);
}

/* ---- losses -------------------------------------------------------------- */

static void
test_losses(void **state)
{
    static const float logits[3] = {1, -2, 0.5f};
    static const float extreme[2] = {-3e38f, 3e38f};
    static const uint8_t targets[3] = {1, 0, 1};
    double sum = exp(1) + exp(-2) + exp(0.5);
    float gradient[3];

    (void) state;
    assert_true(fabs(ins_loss_softmax(logits, 3, 1, 2, gradient) -
                     2 * (log(sum) + 2)) < 1e-12);
    assert_true(fabs((double) gradient[0] - 2 * exp(1) / sum) < 1e-6);
    assert_true(fabs((double) gradient[1] - 2 * (exp(-2) / sum - 1)) < 1e-6);
    assert_true(fabs(ins_loss_sigmoid(logits, 3, targets, 2, gradient) -
                     2 * (log1p(exp(-1)) + log1p(exp(-2)) + log1p(exp(-0.5)))) <
                1e-12);
    assert_true(fabs((double) gradient[0] + 2 / (1 + exp(1))) < 1e-6);
    assert_true(fabs((double) gradient[1] - 2 / (1 + exp(2))) < 1e-6);
    assert_true(isfinite(ins_loss_softmax(extreme, 2, 0, 1, gradient)));
    assert_true(gradient[0] == -1 && gradient[1] == 1);
    assert_true(isfinite(ins_loss_sigmoid(extreme, 2, targets, 1, gradient)));
    assert_true(gradient[0] == -1 && gradient[1] == 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_of_a_session),
        cmocka_unit_test(test_embedding_of_a_session),
        cmocka_unit_test(test_gradient_with_dropout),
        cmocka_unit_test(test_dropout_repeats),
        cmocka_unit_test(test_dropout_rate),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_passes_allocate_nothing),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_bad_batches),
        cmocka_unit_test(test_losses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
