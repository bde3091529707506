/*
 * check_products.c - matrix products at every level: against double precision,
 * the same bits whatever the number of rows, nothing written outside.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/product.h"

#define MAX_ROWS    50
#define MAX_OUTPUTS 40
#define MAX_DEPTH   400
#define PADDING     5 /* between rows, to be left alone */
#define POISON      -12345.0f

static const size_t row_counts[] = {0, 1, 2, 3, 5, 6, 7, 8, 13, 24, 25, 49};
static const size_t output_counts[] = {1, 2, 3, 4, 5, 7, 16, 17, 32, 33};
static const size_t depths[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 64, 384, 389};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Operands with room behind each row. */
struct operands {
    float a[MAX_ROWS][MAX_DEPTH + PADDING];
    float b[MAX_DEPTH][MAX_DEPTH + PADDING];
    float out[MAX_ROWS + 1][MAX_OUTPUTS + PADDING];
    float again[MAX_ROWS + 1][MAX_OUTPUTS + PADDING];
};

typedef ins_status (*product_function)(const ins_products *, const ins_matrix *,
                                       const ins_matrix *, float *, size_t,
                                       ins_error *);

static struct operands operands;
static bool cancel;

static bool
is_cancelled(void *user)
{
    (void) user;
    return cancel;
}

static const ins_host host = {.cancelled = is_cancelled};

static void
fill(float *values, size_t count)
{
    static uint32_t state = 7;

    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float) (state >> 8) / 8388608.0f - 1.0f;
    }
}

static void
poison(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = POISON;
}

/* b is [outputs][depth] for the product, [depth][outputs] for the plain one. */
static double
expected(size_t row, size_t output, size_t depth, bool plain, double *size)
{
    double sum = 0;

    *size = 0;
    for (size_t k = 0; k < depth; k++) {
        double b = plain ? (double) operands.b[k][output]
                         : (double) operands.b[output][k];
        double term = (double) operands.a[row][k] * b;

        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static void
check_values(size_t rows, size_t outputs, size_t depth, bool plain)
{
    for (size_t row = 0; row <= rows; row++)
        for (size_t i = 0; i < MAX_OUTPUTS + PADDING; i++) {
            double size;

            if (row == rows || i >= outputs) {
                assert_true(operands.out[row][i] == POISON);
                continue;
            }
            /* A sum in float is off by its length times half an ulp of the
             * sizes at most; the vectors do far better. */
            assert_true(fabs((double) operands.out[row][i] -
                             expected(row, i, depth, plain, &size)) <=
                        1e-6 * size + 1e-9);
        }
}

static void
run(const ins_products *products, bool plain, size_t first, size_t rows,
    size_t outputs, size_t depth)
{
    product_function function = plain ? ins_product_plain : ins_product;
    size_t out_stride = MAX_OUTPUTS + PADDING;
    size_t stride = MAX_DEPTH + PADDING;
    ins_matrix a = {operands.a[first], rows, depth, stride};
    ins_matrix b = {operands.b[0], plain ? depth : outputs,
                    plain ? outputs : depth, stride};
    ins_error error;

    assert_int_equal(
        function(products, &a, &b, operands.out[first], out_stride, &error),
        INS_OK);
}

/* Row by row gives the bits that all rows together gave. */
static void
check_invariance(const ins_products *products, bool plain, size_t rows,
                 size_t outputs, size_t depth)
{
    /* OpenBLAS makes no such promise. */
    if (products->kernels->tiles == NULL)
        return;
    memcpy(operands.again, operands.out, sizeof(operands.out));
    poison(operands.out[0], rows * (MAX_OUTPUTS + PADDING));
    for (size_t row = 0; row < rows; row++)
        run(products, plain, row, 1, outputs, depth);
    assert_memory_equal(operands.again, operands.out, sizeof(operands.out));
}

static void
check_level(const char *level, bool plain)
{
    ins_products products = {&host, NULL};
    ins_error error;

    assert_int_equal(ins_kernels_select(level, &products.kernels, &error),
                     INS_OK);
    for (size_t r = 0; r < COUNT(row_counts); r++)
        for (size_t o = 0; o < COUNT(output_counts); o++)
            for (size_t d = 0; d < COUNT(depths); d++) {
                poison(operands.out[0],
                       (MAX_ROWS + 1) * (MAX_OUTPUTS + PADDING));
                run(&products, plain, 0, row_counts[r], output_counts[o],
                    depths[d]);
                check_values(row_counts[r], output_counts[o], depths[d], plain);
                check_invariance(&products, plain, row_counts[r],
                                 output_counts[o], depths[d]);
            }
}

static int
make_operands(void **state)
{
    ins_error error;

    (void) state;
    fill(operands.a[0], sizeof(operands.a) / sizeof(float));
    fill(operands.b[0], sizeof(operands.b) / sizeof(float));
    return ins_runtime_prepare(&error) == INS_OK ? 0 : -1;
}

static void
test_product_at_each_level(void **state)
{
    const char *level;

    (void) state;
    for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++)
        check_level(level, false);
}

static void
test_plain_product_at_each_level(void **state)
{
    const char *level;

    (void) state;
    for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++)
        check_level(level, true);
}

static void
test_wrong_shapes_are_refused(void **state)
{
    ins_products products = {&host, NULL};
    ins_matrix a = {operands.a[0], 4, 8, MAX_DEPTH};
    ins_matrix b = {operands.b[0], 4, 9, MAX_DEPTH};
    ins_error error;

    (void) state;
    for (size_t i = 0; ins_kernel_level(i) != NULL; i++) {
        assert_int_equal(
            ins_kernels_select(ins_kernel_level(i), &products.kernels, &error),
            INS_OK);
        assert_int_equal(
            ins_product(&products, &a, &b, operands.out[0], 4, &error),
            INS_INTERNAL);
        assert_int_equal(
            ins_product_plain(&products, &a, &b, operands.out[0], 9, &error),
            INS_INTERNAL);
    }
}

static void
test_a_product_can_be_cancelled(void **state)
{
    ins_products products = {&host, NULL};
    ins_matrix a = {operands.a[0], 4, 8, MAX_DEPTH};
    ins_matrix b = {operands.b[0], 4, 8, MAX_DEPTH};
    ins_error error;

    (void) state;
    cancel = true;
    for (size_t i = 0; ins_kernel_level(i) != NULL; i++) {
        assert_int_equal(
            ins_kernels_select(ins_kernel_level(i), &products.kernels, &error),
            INS_OK);
        assert_int_equal(
            ins_product(&products, &a, &b, operands.out[0], 4, &error),
            INS_CANCELLED);
    }
    cancel = false;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product_at_each_level),
        cmocka_unit_test(test_plain_product_at_each_level),
        cmocka_unit_test(test_wrong_shapes_are_refused),
        cmocka_unit_test(test_a_product_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, make_operands, NULL);
}
