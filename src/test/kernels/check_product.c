/*
 * check_product.c - products of any matrices on OpenBLAS against loops in
 * double precision, whole and cut; the host's lock and questions to it.
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

#include "base/cpu.h"
#include "kernels/blas.h"
#include "levels.h"

struct calls {
    size_t polls;
    size_t cancel_at; /* 0 = never */
    size_t locks;
    int held;
};

static bool
is_cancelled(void *user)
{
    struct calls *calls = user;

    assert_int_equal(calls->held, 0);
    return ++calls->polls == calls->cancel_at;
}

static void
lock(void *user)
{
    struct calls *calls = user;

    calls->locks++;
    assert_int_equal(calls->held++, 0);
}

static void
unlock(void *user)
{
    struct calls *calls = user;

    assert_int_equal(--calls->held, 0);
}

static struct calls calls;
static const ins_host host = {.user = &calls,
                              .cancelled = is_cancelled,
                              .blas_lock = lock,
                              .blas_unlock = unlock};

static float *
need(size_t count)
{
    float *values = malloc(count * sizeof(float));

    assert_non_null(values);
    fill(values, count, 1);
    return values;
}

/* Element (row, column) of what is stored or of its transpose. */
static double
element(const float *values, size_t stride, bool transposed, size_t row,
        size_t column)
{
    return (double) (transposed ? values[column * stride + row]
                                : values[row * stride + column]);
}

static double
exact_sum(const ins_product *product, size_t row, size_t column)
{
    double sum = 0;

    for (size_t k = 0; k < product->depth; k++)
        sum += element(product->a, product->a_stride, product->a_transposed,
                       row, k) *
               element(product->b, product->b_stride, product->b_transposed, k,
                       column);
    return (double) product->alpha * sum;
}

/*
 * What rounding may add to a sum of depth products of numbers within one.  A
 * library that adds them in one chain rounds each partial sum, which is as
 * large as the square root of its length: the errors walk to about
 * 2^-24 * depth / 7.  Those that keep many partial sums stay near the first
 * term.
 */
static double
rounding(size_t depth)
{
    return 1e-6 + 2e-6 * sqrt((double) depth) + ldexp((double) depth, -24) / 4;
}

/* Elements (i, j) with i and j multiples of step are compared. */
static void
check_product(ins_product product, size_t step)
{
    size_t rows = product.rows, columns = product.columns;
    ins_error error;
    float *a, *b, *before;

    product.a_stride = (product.a_transposed ? rows : product.depth) + 3;
    product.b_stride = (product.b_transposed ? product.depth : columns) + 1;
    product.c_stride = columns + 2;
    product.a = a =
        need((product.a_transposed ? product.depth : rows) * product.a_stride);
    product.b = b = need((product.b_transposed ? columns : product.depth) *
                         product.b_stride);
    product.c = need(rows * product.c_stride);
    before = need(rows * product.c_stride);
    memcpy(before, product.c, rows * product.c_stride * sizeof(float));
    for (size_t row = 0; row < rows && product.beta == 0; row++)
        product.c[row * product.c_stride] = NAN;
    assert_int_equal(ins_blas_run(&host, &product, &error), INS_OK);
    for (size_t row = 0; row < rows; row++) {
        const float *got = product.c + row * product.c_stride;
        const float *was = before + row * product.c_stride;

        assert_memory_equal(got + columns, was + columns, 2 * sizeof(float));
        for (size_t i = 0; i < columns && row % step == 0; i += step) {
            double sum = exact_sum(&product, row, i) +
                         (double) product.beta * (double) was[i];

            assert_true(fabs((double) got[i] - sum) <= rounding(product.depth));
        }
    }
    free(a);
    free(b);
    free(product.c);
    free(before);
}

/* Whatever model number the processor has. */
static void
test_openblas_runs_what_the_processor_has(void **state)
{
    unsigned features = ins_cpu_features();

    (void) state;
    if (secure_getenv("OPENBLAS_CORETYPE") != NULL)
        skip();
    if (features & INS_CPU_AVX512)
        assert_string_equal(ins_blas_core(), "SkylakeX");
    else if (features & INS_CPU_AVX2_FMA)
        assert_string_equal(ins_blas_core(), "Haswell");
}

static void
test_products(void **state)
{
    static const size_t shapes[][3] = {{1, 1, 1},    {5, 3, 2},  {32, 32, 32},
                                       {17, 64, 33}, {1, 50, 9}, {70, 1, 130}};

    (void) state;
    calls = (struct calls){0};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        for (unsigned flags = 0; flags < 8; flags++) {
            ins_product product = {.rows = shapes[i][0],
                                   .columns = shapes[i][1],
                                   .depth = shapes[i][2],
                                   .a_transposed = (flags & 1) != 0,
                                   .b_transposed = (flags & 2) != 0,
                                   .alpha = (flags & 4) != 0 ? 1.0f : 0.25f,
                                   .beta = (flags & 4) != 0 ? 1.0f : 0};

            check_product(product, 1);
        }
    assert_int_equal(calls.polls, calls.locks);
}

/* Parts of up to 2^27 multiply-adds. */
static void
test_large_products_are_cut(void **state)
{
    static const size_t shapes[][3] = {
        {700, 900, 500}, {16, 5000, 3000}, {5000, 16, 3000}, {3, 2, 1 << 22}};

    (void) state;
    for (size_t i = 0; i < 4; i++)
        for (unsigned flags = 0; flags < 4; flags++) {
            ins_product product = {.rows = shapes[i][0],
                                   .columns = shapes[i][1],
                                   .depth = shapes[i][2],
                                   .a_transposed = (flags & 1) != 0,
                                   .b_transposed = (flags & 2) != 0,
                                   .alpha = 1,
                                   .beta = 1};

            calls = (struct calls){0};
            check_product(product, i < 3 ? 61 : 1);
            if (i < 3)
                assert_in_range(calls.polls, 2, 8);
            assert_int_equal(calls.polls, calls.locks);
        }
}

static void
test_a_product_can_be_cancelled(void **state)
{
    float *values = need(3000 * 1000);
    float *c = need(1000 * 1000);
    ins_product product = {values, values, c,     3000, 3000, 1000, 1000,
                           1000,   3000,   false, true, 1,    0};
    ins_error error;

    (void) state;
    for (size_t i = 1; i <= 10; i++) {
        calls = (struct calls){.cancel_at = i};
        assert_int_equal(ins_blas_run(&host, &product, &error), INS_CANCELLED);
        assert_int_equal(calls.locks, i - 1);
    }
    free(values);
    free(c);
}

static void
test_sizes_that_do_not_fit(void **state)
{
    float value = 1;
    ins_product product = {&value, &value, &value, 1,     1, 1, 1,
                           1,      1,      false,  false, 1, 0};
    ins_error error;

    (void) state;
    product.a_stride = (size_t) 1 << 31;
    assert_int_equal(ins_blas_run(&host, &product, &error), INS_LIMIT_EXCEEDED);
    product.a_stride = 1;
    product.depth = (size_t) 1 << 31;
    assert_int_equal(ins_blas_run(&host, &product, &error), INS_LIMIT_EXCEEDED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openblas_runs_what_the_processor_has),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_large_products_are_cut),
        cmocka_unit_test(test_a_product_can_be_cancelled),
        cmocka_unit_test(test_sizes_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
