/*
 * test_tasks.c - pooling, normalisation and scores on hand-made hidden states.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "tasks/task.h"
#include "tiny_model.h"

#define HIDDEN 2

static ins_pack_recipe recipe;
static ins_pack_view view = {.recipe = &recipe};
static float scratch[2 * HIDDEN];
static float row[HIDDEN];

static ins_status
embed(uint32_t pooling, uint32_t flags, const float *hidden, uint32_t tokens)
{
    const ins_linear_context linear = {.kernels = &ins_kernels_scalar};
    const ins_task_input input = {.view = &view,
                                  .linear = &linear,
                                  .hidden = hidden,
                                  .tokens = tokens,
                                  .scratch = scratch};
    ins_error error;

    recipe =
        (ins_pack_recipe){.hidden = HIDDEN, .pooling = pooling, .flags = flags};
    return ins_task_embed(&input, row, &error);
}

static void
expect(float first, float second)
{
    assert_true(fabsf(row[0] - first) <= 1e-6f);
    assert_true(fabsf(row[1] - second) <= 1e-6f);
}

static void
test_pooling(void **state)
{
    static const float hidden[] = {3, -4, -1, 2, 1, -1};

    (void) state;
    assert_int_equal(embed(INS_POOLING_MEAN, 0, hidden, 3), INS_OK);
    expect(1, -1);
    assert_int_equal(embed(INS_POOLING_CLS, 0, hidden, 3), INS_OK);
    expect(3, -4);
    assert_int_equal(embed(INS_POOLING_MAX, 0, hidden, 3), INS_OK);
    expect(3, 2);
    for (uint32_t i = INS_POOLING_MEAN; i <= INS_POOLING_MAX; i++) {
        assert_int_equal(embed(i, INS_RECIPE_NORMALIZE, hidden, 1), INS_OK);
        expect(0.6f, -0.8f);
    }
}

/* N09: a zero vector stays zero; values whose squares overflow a float. */
static void
test_lengths(void **state)
{
    static const float zero[] = {0, 0};
    static const float huge[] = {3e30f, -4e30f};

    (void) state;
    assert_int_equal(embed(INS_POOLING_CLS, INS_RECIPE_NORMALIZE, zero, 1),
                     INS_OK);
    expect(0, 0);
    assert_int_equal(embed(INS_POOLING_CLS, INS_RECIPE_NORMALIZE, huge, 1),
                     INS_OK);
    expect(0.6f, -0.8f);
}

static void
test_not_finite(void **state)
{
    const float values[] = {NAN, INFINITY, -INFINITY};

    (void) state;
    for (int i = 0; i < 3; i++) {
        const float hidden[] = {1, values[i]};

        for (uint32_t j = INS_POOLING_MEAN; j <= INS_POOLING_MAX; j++)
            assert_int_equal(embed(j, 0, hidden, 1), INS_INTERNAL);
        assert_int_equal(
            embed(INS_POOLING_CLS, INS_RECIPE_NORMALIZE, hidden, 1),
            INS_INTERNAL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_not_finite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
