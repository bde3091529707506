/*
 * test_adamw.c - AdamW against torch's, and its schedule.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tiny_model.h"
#include "train/adamw.h"
#include "unit/adamw_table.h"

/* As in make_adamw_fixture.py; three values before, between and behind the
 * spans stay. */
#define GAP    3
#define FIRST  600
#define SECOND 45
#define STEPS  10
#define WARMUP 0.2
#define COUNT  (GAP + FIRST + GAP + SECOND + GAP)
#define KEPT   0.25f

static const ins_adamw_span spans[] = {
    {GAP, FIRST, 1, true},
    {GAP + FIRST + GAP, SECOND, 3, false},
};

static void
set_values(float *values, int step, float size)
{
    int number = 0;

    for (size_t i = 0; i < COUNT; i++)
        values[i] = KEPT;
    for (size_t s = 0; s < 2; s++)
        for (uint64_t i = 0; i < spans[s].count; i++, number++)
            values[spans[s].first + i] =
                (float) ((number * 37 + step * 11) % 101 - 50) / 64 * size;
}

static ins_status
run(tiny_host *host, float *values, ins_error *error)
{
    float gradient[COUNT];
    ins_adamw_options options = ins_adamw_defaults;
    ins_status status;
    ins_adamw adamw;

    options.weight_decay = 0.05;
    status = ins_adamw_open(&adamw, COUNT, &options, &host->host, error);
    adamw.spans = spans;
    adamw.span_count = 2;
    set_values(values, 0, 1);
    for (int step = 0; step < STEPS && status == INS_OK; step++) {
        const double rate = ins_linear_schedule((uint64_t) step, STEPS, WARMUP);

        set_values(gradient, step + 1, step < 5 ? 1 : 1.0f / 64);
        status =
            ins_adamw_step(&adamw, values, gradient, 1e-2 * rate, NULL, error);
    }
    ins_adamw_close(&adamw);
    assert_int_equal(host->live_blocks, 0);
    return status;
}

static void
test_torch(void **state)
{
    float values[COUNT];
    float moved[FIRST + SECOND];
    const size_t count = sizeof(adamw_expected) / sizeof(adamw_expected[0]);
    ins_error error;
    tiny_host host;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(run(&host, values, &error), INS_OK);
    memcpy(moved, values + spans[0].first, sizeof(float) * FIRST);
    memcpy(moved + FIRST, values + spans[1].first, sizeof(float) * SECOND);
    assert_int_equal(count, (FIRST + SECOND + 6) / 7);
    for (size_t i = 0; i < count; i++)
        if (fabs((double) moved[i * 7] - adamw_expected[i]) > 2e-6)
            fail_msg("value %zu is %.9g, not %.9g", i * 7,
                     (double) moved[i * 7], adamw_expected[i]);
    for (size_t i = 0; i < GAP; i++) {
        assert_true(values[i] == KEPT);
        assert_true(values[GAP + FIRST + i] == KEPT);
        assert_true(values[COUNT - 1 - i] == KEPT);
    }
}

static void
test_schedule(void **state)
{
    (void) state;
    assert_true(ins_linear_schedule(0, 10, 0.2) == 0.5);
    assert_true(ins_linear_schedule(1, 10, 0.2) == 1);
    assert_true(ins_linear_schedule(2, 10, 0.2) == 1);
    assert_true(ins_linear_schedule(9, 10, 0.2) == 0.125);
    assert_true(ins_linear_schedule(0, 1, 0) == 1);
    assert_true(ins_linear_schedule(0, 1, 0.9) == 1);
    assert_true(ins_linear_schedule(4, 5, 1) == 1);
}

/* A gradient that is not finite moves nothing. */
static void
test_not_finite(void **state)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    float values[COUNT];
    float before[COUNT];
    float gradient[COUNT];
    ins_error error;
    ins_adamw adamw;
    tiny_host host;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(
        ins_adamw_open(&adamw, COUNT, &ins_adamw_defaults, &host.host, &error),
        INS_OK);
    adamw.spans = spans;
    adamw.span_count = 2;
    set_values(values, 0, 1);
    memcpy(before, values, sizeof(values));
    for (size_t i = 0; i < 3; i++) {
        set_values(gradient, 1, 1);
        gradient[spans[1].first + SECOND - 1] = bad[i];
        assert_int_equal(
            ins_adamw_step(&adamw, values, gradient, 1, NULL, &error),
            INS_INTERNAL);
        assert_memory_equal(values, before, sizeof(values));
    }
    /* Outside of the spans nobody looks. */
    set_values(gradient, 1, 1);
    gradient[0] = NAN;
    assert_int_equal(ins_adamw_step(&adamw, values, gradient, 1, NULL, &error),
                     INS_OK);
    ins_adamw_close(&adamw);
}

static void
test_cancel_and_no_memory(void **state)
{
    float values[COUNT];
    ins_error error;
    tiny_host host;
    size_t polls;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(run(&host, values, &error), INS_OK);
    polls = host.polls;
    assert_true(polls >= 2 * STEPS);
    for (size_t i = 1; i <= polls; i++) {
        host.polls = 0;
        host.cancel_at = i;
        assert_int_equal(run(&host, values, &error), INS_CANCELLED);
    }
    for (size_t i = 1; i <= 2; i++) {
        tiny_host_open(&host);
        host.fail_at = i;
        assert_int_equal(run(&host, values, &error), INS_NO_MEMORY);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_cancel_and_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
