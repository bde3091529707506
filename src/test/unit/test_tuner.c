/*
 * test_tuner.c - which tokens of its rows a tuner teaches with.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "unit/tuning_fixture.h"

#define ROWS   60
#define LABELS 3
#define ROUNDS 40

struct teacher {
    tuning_fixture fixture;
    tiny_host host;
    ins_parameters *weights;
    ins_parameters *gradient;
    ins_tuner tuner;
};

static void
teacher_open(struct teacher *t, double token_dropout)
{
    ins_network_options limits;
    ins_error error;

    tuning_open(&t->fixture, TINY_SENTENCE, ROWS, LABELS, false);
    tiny_host_open(&t->host);
    assert_int_equal(ins_parameters_open(&t->weights, &t->fixture.recipe,
                                         &t->host.host, &error),
                     INS_OK);
    assert_int_equal(ins_parameters_read(t->weights, &t->fixture.base, &error),
                     INS_OK);
    assert_int_equal(ins_parameters_open(&t->gradient, &t->fixture.recipe,
                                         &t->host.host, &error),
                     INS_OK);
    limits = ins_tuner_limits(ins_tune_longest(&t->fixture.rows), 1);
    assert_int_equal(ins_tuner_open(&t->tuner, &t->fixture.rows, t->weights,
                                    &limits, &t->host.host, &error),
                     INS_OK);
    t->tuner.token_dropout = token_dropout;
}

static void
teacher_close(struct teacher *t)
{
    ins_tuner_close(&t->tuner, &t->host.host);
    ins_parameters_close(t->gradient);
    ins_parameters_close(t->weights);
    assert_int_equal(t->host.live_blocks, 0);
    tuning_close(&t->fixture);
}

/* The length of a row. */
static uint32_t
length_of(const struct teacher *t, uint32_t row)
{
    return (uint32_t) (t->fixture.starts[row + 1] - t->fixture.starts[row]);
}

/* Teaches with one row; how many of its tokens. */
static uint32_t
teach(struct teacher *t, uint32_t row)
{
    const ins_batch_rows batch = {&row, 1};
    ins_tune_score score = {.rows = 0};
    ins_error error;

    assert_int_equal(
        ins_tuner_learn(&t->tuner, &batch, t->gradient, &score, &error),
        INS_OK);
    assert_int_equal(score.rows, 1);
    return t->tuner.starts[1];
}

/* The first, the last, and of those between some, in their order. */
static void
expect_some(const struct teacher *t, uint32_t row, uint32_t kept)
{
    const int32_t *ids = t->fixture.ids + t->fixture.starts[row];
    const uint32_t length = length_of(t, row);
    uint32_t at = 0;

    assert_int_equal(t->tuner.ids[0], ids[0]);
    assert_int_equal(t->tuner.ids[kept - 1], ids[length - 1]);
    for (uint32_t i = 0; i < length && at < kept; i++)
        at += t->tuner.ids[at] == ids[i];
    assert_int_equal(at, kept);
}

static void
expect_share(double dropout)
{
    double inner = 0;
    double left = 0;
    struct teacher t;

    teacher_open(&t, dropout);
    for (uint32_t i = 0; i < ROUNDS * ROWS; i++) {
        uint32_t row = i % ROWS;
        uint32_t kept = teach(&t, row);

        assert_true(kept >= 3 || kept == length_of(&t, row));
        expect_some(&t, row, kept);
        inner += length_of(&t, row) - 2;
        left += kept - 2;
    }
    /* A little more are kept than drawn: no text loses all. */
    assert_true(fabs(left / inner - (1 - dropout)) < 0.03);
    teacher_close(&t);
}

static void
test_share(void **state)
{
    (void) state;
    expect_share(0);
    expect_share(0.2);
    expect_share(0.5);
}

static void
test_never_all(void **state)
{
    struct teacher t;

    (void) state;
    teacher_open(&t, 0.999999);
    for (uint32_t row = 0; row < ROWS; row++)
        assert_int_equal(teach(&t, row), length_of(&t, row));
    teacher_close(&t);
}

static void
test_whole_texts_are_measured(void **state)
{
    double losses[2];
    ins_error error;
    struct teacher t;

    (void) state;
    teacher_open(&t, 0.5);
    for (size_t i = 0; i < 2; i++) {
        ins_tune_score score = {.rows = 0};

        for (uint32_t row = 0; row < ROWS; row++) {
            const ins_batch_rows batch = {&row, 1};

            assert_int_equal(
                ins_tuner_measure(&t.tuner, &batch, &score, &error), INS_OK);
            assert_int_equal(t.tuner.starts[1], length_of(&t, row));
        }
        losses[i] = score.loss;
        t.tuner.token_dropout = 0;
    }
    assert_true(losses[0] == losses[1]);
    teacher_close(&t);
}

static void
test_equal_numbers_draw_the_same(void **state)
{
    uint32_t kept[2][ROWS];
    struct teacher t;

    (void) state;
    teacher_open(&t, 0.5);
    for (size_t i = 0; i < 2; i++) {
        t.tuner.random = 7;
        for (uint32_t row = 0; row < ROWS; row++)
            kept[i][row] = teach(&t, row);
    }
    assert_memory_equal(kept[0], kept[1], sizeof(kept[0]));
    t.tuner.random = 8;
    for (uint32_t row = 0; row < ROWS; row++)
        kept[1][row] = teach(&t, row);
    assert_memory_not_equal(kept[0], kept[1], sizeof(kept[0]));
    teacher_close(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_never_all),
        cmocka_unit_test(test_whole_texts_are_measured),
        cmocka_unit_test(test_equal_numbers_draw_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
