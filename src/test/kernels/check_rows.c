/*
 * check_rows.c - every level of kernels against the scalar twin, to the
 * tolerance of kernels.def, and the scalar one against double precision.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/blas.h"
#include "kernels/kernels.h"

/* Of the scalar kernels from double precision. */
#define SCALAR_TOLERANCE 2e-6
#define EPSILON          1e-12f
#define MAX_VALUES       8192

enum {
#define INS_KERNEL(name, arguments, tolerance) KERNEL_##name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

static const float tolerances[] = {
#define INS_KERNEL(name, arguments, tolerance) [KERNEL_##name] = (tolerance),
#include "kernels/kernels.def"
#undef INS_KERNEL
};

static const size_t sizes[] = {0,  1,  2,  3,  7,  8,  9,   13,  15,
                               16, 17, 31, 32, 61, 64, 127, 384, 1031};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

typedef void (*map_kernel)(float *x, size_t count);

/* ---- values ------------------------------------------------------------- */

static void
fill(float *values, size_t count, float scale)
{
    static uint32_t state = 1;

    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = ((float) (state >> 8) / 8388608.0f - 1.0f) * scale;
    }
}

static void
compare(float got, double expected, double tolerance)
{
    if (isnan(expected)) {
        assert_true(isnan(got));
        return;
    }
    if (fabs((double) got - expected) > tolerance * fmax(1.0, fabs(expected))) {
        print_error("got %.9g, expected %.9g\n", (double) got, expected);
        fail();
    }
}

/* The next level that this machine runs, the scalar one included. */
static const ins_kernels *
kernels_at(size_t i)
{
    const char *level = ins_kernel_level(i);
    const ins_kernels *kernels = NULL;
    ins_error error;

    if (level != NULL)
        assert_int_equal(ins_kernels_select(level, &kernels, &error), INS_OK);
    return kernels;
}

/* ---- activations -------------------------------------------------------- */

static double
gelu_double(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double
gelu_tanh_double(double x)
{
    const double factor = 2 / sqrt(M_PI);

    return 0.5 * x * (1 + tanh(factor / sqrt(2) * (x + 0.044715 * x * x * x)));
}

static double
relu_double(double x)
{
    return x > 0 ? x : 0;
}

static const struct {
    const char *name;
    size_t offset; /* of the member of ins_kernels */
    double (*reference)(double);
    int kernel;
} maps[] = {
    {"gelu", offsetof(ins_kernels, gelu), gelu_double, KERNEL_gelu},
    {"gelu_tanh", offsetof(ins_kernels, gelu_tanh), gelu_tanh_double,
     KERNEL_gelu_tanh},
    {"relu", offsetof(ins_kernels, relu), relu_double, KERNEL_relu},
    {"tanh", offsetof(ins_kernels, tanh), tanh, KERNEL_tanh},
};
#define MAP_COUNT (sizeof(maps) / sizeof(maps[0]))

static map_kernel
map_of(const ins_kernels *kernels, size_t map)
{
    map_kernel function;

    memcpy(&function, (const char *) kernels + maps[map].offset,
           sizeof(function));
    return function;
}

static void
compare_map(const ins_kernels *kernels, size_t map, const float *in,
            size_t count)
{
    static float twin[MAX_VALUES];
    static float out[MAX_VALUES + 1];

    memcpy(twin, in, count * sizeof(float));
    memcpy(out, in, count * sizeof(float));
    out[count] = 77;
    map_of(&ins_kernels_scalar, map)(twin, count);
    map_of(kernels, map)(out, count);
    assert_true(out[count] == 77);
    for (size_t i = 0; i < count; i++) {
        compare(twin[i], maps[map].reference((double) in[i]), SCALAR_TOLERANCE);
        compare(out[i], (double) twin[i],
                (double) tolerances[maps[map].kernel]);
    }
}

static void
test_activations(void **state)
{
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < MAP_COUNT; map++) {
            for (size_t i = 0; i < SIZE_COUNT; i++) {
                fill(in, sizes[i], 4);
                compare_map(kernels, map, in, sizes[i]);
            }
            for (size_t i = 0; i < MAX_VALUES; i++)
                in[i] = -12 + 24 * (float) i / MAX_VALUES;
            compare_map(kernels, map, in, MAX_VALUES);
        }
}

/* N08; no sum of a model is infinite, so that infinities are not promised. */
static void
test_activation_extremes(void **state)
{
    static const float in[] = {88,     -88,     100,   -100,    1e30f,
                               -1e30f, 0.0f,    -0.0f, FLT_MAX, -FLT_MAX,
                               1e-30f, -1e-30f, 87.4f, -87.4f,  FLT_MIN,
                               1e-42f, 9,       NAN};
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < MAP_COUNT; map++) {
            float out[sizeof(in) / sizeof(in[0])];
            size_t count = sizeof(in) / sizeof(in[0]) - 1;

            compare_map(kernels, map, in, count);
            memcpy(out, in, sizeof(in));
            map_of(kernels, map)(out, count + 1);
            for (size_t i = 0; i < count; i++)
                assert_true(isfinite(out[i]));
            /* relu is allowed to give 0. */
            assert_true(isnan(out[count]) || maps[map].kernel == KERNEL_relu);
        }
}

/* A value gives the same result wherever it stands. */
static void
test_places(void **state)
{
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < MAP_COUNT; map++) {
            float values[37];

            for (size_t i = 0; i < 37; i++)
                values[i] = 0.7531f;
            map_of(kernels, map)(values, 37);
            for (size_t i = 1; i < 37; i++)
                assert_memory_equal(&values[i], &values[0], sizeof(float));
        }
}

/* ---- rows --------------------------------------------------------------- */

static void
compare_norm(const ins_kernels *kernels, size_t rows, size_t columns,
             bool with_add)
{
    static float x[MAX_VALUES], add[MAX_VALUES], norm[MAX_VALUES];
    static float twin[MAX_VALUES], out[MAX_VALUES];
    size_t count = rows * columns;

    fill(x, count, 3);
    fill(add, count, 2);
    fill(norm, 2 * columns, 1.5f);
    memcpy(twin, x, sizeof(x));
    memcpy(out, x, sizeof(x));
    ins_kernels_scalar.add_norm(twin, with_add ? add : NULL, norm, rows,
                                columns, EPSILON);
    kernels->add_norm(out, with_add ? add : NULL, norm, rows, columns, EPSILON);
    for (size_t row = 0; row < rows; row++) {
        const size_t first = row * columns;
        double mean = 0, variance = 0;

        for (size_t i = first; i < first + columns; i++) {
            x[i] += with_add ? add[i] : 0;
            mean += (double) x[i] / (double) columns;
        }
        for (size_t i = first; i < first + columns; i++)
            variance += pow((double) x[i] - mean, 2) / (double) columns;
        for (size_t i = 0; i < columns; i++) {
            double expected = ((double) x[first + i] - mean) /
                              sqrt(variance + (double) EPSILON);

            expected = expected * (double) norm[i] + (double) norm[columns + i];
            compare(twin[first + i], expected, 1e-5);
            compare(out[first + i], (double) twin[first + i],
                    columns > 2 ? (double) tolerances[KERNEL_add_norm] : 1e-4);
        }
    }
}

static void
test_norm(void **state)
{
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 1; i < SIZE_COUNT; i++)
            for (size_t rows = 0; rows < 6; rows++) {
                compare_norm(kernels, rows, sizes[i], true);
                compare_norm(kernels, rows, sizes[i], false);
            }
}

/* N07: without variance the result is the bias, or near it, and finite. */
static void
test_constant_rows(void **state)
{
    static const float values[] = {0, 1, -3, 0.1f, 1e6f, 1e30f};
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t value = 0; value < 6; value++) {
            float x[29], norm[2 * 29];

            for (size_t i = 0; i < 29; i++) {
                x[i] = values[value];
                norm[i] = 1;
                norm[29 + i] = 0.5f;
            }
            kernels->add_norm(x, NULL, norm, 1, 29, EPSILON);
            for (size_t i = 0; i < 29; i++) {
                assert_true(isfinite(x[i]));
                if (value < 3)
                    compare(x[i], 0.5, 1e-6);
            }
        }
}

static void
compare_softmax(const ins_kernels *kernels, const float *in, size_t rows,
                size_t columns, float scale)
{
    static float twin[MAX_VALUES], out[MAX_VALUES];

    memcpy(twin, in, rows * columns * sizeof(float));
    memcpy(out, in, rows * columns * sizeof(float));
    ins_kernels_scalar.softmax(twin, rows, columns, scale);
    kernels->softmax(out, rows, columns, scale);
    for (size_t row = 0; row < rows; row++) {
        const float *x = in + row * columns;
        double highest = (double) x[0], sum = 0, total = 0;

        for (size_t i = 0; i < columns; i++)
            highest = fmax(highest, (double) x[i]);
        for (size_t i = 0; i < columns; i++)
            sum += exp((double) scale * ((double) x[i] - highest));
        for (size_t i = 0; i < columns; i++) {
            double expected =
                exp((double) scale * ((double) x[i] - highest)) / sum;

            compare(twin[row * columns + i], expected, SCALAR_TOLERANCE);
            compare(out[row * columns + i], (double) twin[row * columns + i],
                    (double) tolerances[KERNEL_softmax]);
            total += (double) out[row * columns + i];
        }
        compare((float) total, 1.0, 1e-6);
    }
}

static void
test_softmax(void **state)
{
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 1; i < SIZE_COUNT; i++)
            for (size_t rows = 0; rows < 6; rows++) {
                fill(in, MAX_VALUES, 20);
                compare_softmax(kernels, in, rows, sizes[i], 0.17f);
                compare_softmax(kernels, in, rows, sizes[i], 1);
            }
}

/* N04, N06 */
static void
test_softmax_extremes(void **state)
{
    static const float rows[][4] = {
        {1e30f, 0, -1e30f, 1},
        {3e38f, -3e38f, 3e38f, 0},
        {-3e38f, -3e38f, -3e38f, -3e38f},
        {5, 5, 5, 5},
        {0, 0, 0, 0},
        {88, -88, 100, -100},
        {-INFINITY, 0, 1, 2},
    };
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
        float none[] = {-INFINITY, -INFINITY, -INFINITY};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            compare_softmax(kernels, rows[i], 1, 4, 1);
            compare_softmax(kernels, rows[i], 4, 1, 1);
        }
        /* Nothing to choose from: not a number, which the tasks refuse. */
        kernels->softmax(none, 1, 3, 1);
        for (size_t i = 0; i < 3; i++)
            assert_true(!isfinite(none[i]));
    }
}

static void
test_bias(void **state)
{
    static float x[MAX_VALUES], twin[MAX_VALUES], bias[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            fill(x, 5 * sizes[i], 1);
            fill(bias, sizes[i], 1);
            memcpy(twin, x, sizeof(x));
            kernels->add_bias(x, bias, 5, sizes[i]);
            ins_kernels_scalar.add_bias(twin, bias, 5, sizes[i]);
            assert_memory_equal(x, twin, 5 * sizes[i] * sizeof(float));
        }
}

/* ---- selection ---------------------------------------------------------- */

static void
test_selection(void **state)
{
    const ins_kernels *kernels;
    const ins_kernels *best;
    ins_error error;

    (void) state;
    assert_int_equal(ins_kernels_select(NULL, &best, &error), INS_OK);
    assert_string_equal(best->level, ins_kernel_level(0));
    assert_int_equal(ins_kernels_select("auto", &kernels, &error), INS_OK);
    assert_ptr_equal(kernels, best);
    assert_int_equal(ins_kernels_select("scalar", &kernels, &error), INS_OK);
    assert_ptr_equal(kernels, &ins_kernels_scalar);
    assert_int_equal(ins_kernels_select("sse9", &kernels, &error),
                     INS_INVALID_ARGUMENT);
    assert_null(kernels);
    assert_non_null(strstr(error.message, "sse9"));
    assert_non_null(strstr(error.hint, "auto"));
    assert_non_null(strstr(error.hint, "scalar"));
    assert_null(ins_kernel_level(99));
}

/* ---- products ----------------------------------------------------------- */

struct calls {
    size_t polls, cancel_at, locked, products;
};

static bool
is_cancelled(void *user)
{
    struct calls *calls = user;

    return ++calls->polls == calls->cancel_at;
}

static void
lock(void *user)
{
    struct calls *calls = user;

    assert_int_equal(calls->locked++, 0);
    calls->products++;
}

static void
unlock(void *user)
{
    struct calls *calls = user;

    assert_int_equal(--calls->locked, 0);
}

static void
test_products(void **state)
{
    static const size_t shapes[][3] = {{1, 1, 1},    {0, 3, 4},    {3, 0, 4},
                                       {3, 4, 0},    {7, 5, 3},    {1, 97, 31},
                                       {64, 33, 17}, {13, 128, 64}};
    static float a[2 * MAX_VALUES], b[2 * MAX_VALUES], out[2 * MAX_VALUES];
    struct calls calls = {0};
    ins_host host = {.user = &calls, .blas_lock = lock, .blas_unlock = unlock};
    ins_error error;

    (void) state;
    assert_int_equal(ins_runtime_prepare(&error), INS_OK);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        size_t rows = shapes[i][0], width = shapes[i][1], depth = shapes[i][2];
        ins_matrix left = {a, rows, depth, depth + 2};
        ins_matrix right = {b, width, depth, depth + 1};

        fill(a, 2 * MAX_VALUES, 1);
        fill(b, 2 * MAX_VALUES, 1);
        memset(out, 0, sizeof(out));
        assert_int_equal(
            ins_blas_product(&host, &left, &right, out, width + 3, &error),
            INS_OK);
        for (size_t row = 0; row < rows; row++)
            for (size_t j = 0; j < width; j++) {
                double sum = 0;

                for (size_t k = 0; k < depth; k++)
                    sum += (double) a[row * left.stride + k] *
                           (double) b[j * right.stride + k];
                compare(out[row * (width + 3) + j], sum, 1e-5);
            }
    }
    assert_int_equal(calls.locked, 0);
    assert_true(calls.products > 0);
}

static void
test_product_shapes(void **state)
{
    float values[64] = {0};
    ins_host host = {.user = NULL};
    ins_matrix a = {values, 4, 4, 4};
    ins_matrix wide = {values, 4, 5, 5};
    ins_matrix narrow = {values, 4, 4, 3};
    ins_error error;

    (void) state;
    assert_int_equal(ins_blas_product(&host, &a, &wide, values, 8, &error),
                     INS_INTERNAL);
    assert_int_equal(ins_blas_product(&host, &a, &narrow, values, 8, &error),
                     INS_INTERNAL);
    assert_int_equal(ins_blas_product(&host, &a, &a, values, 3, &error),
                     INS_INTERNAL);
    assert_int_equal(
        ins_blas_product_plain(&host, &a, &wide, values, 3, &error),
        INS_INTERNAL);
}

/* 5 * 10^8 multiply-adds come in several products with a poll before each. */
static void
test_product_blocks(void **state)
{
    enum { ROWS = 512, SIZE = 1024 };
    struct calls calls = {0};
    ins_host host = {.user = &calls,
                     .cancelled = is_cancelled,
                     .blas_lock = lock,
                     .blas_unlock = unlock};
    float *values = calloc((size_t) 2 * ROWS * SIZE, sizeof(float));
    ins_matrix a = {values, ROWS, SIZE, SIZE};
    ins_matrix b = {values, SIZE, SIZE, SIZE};
    ins_error error;

    (void) state;
    assert_non_null(values);
    assert_int_equal(ins_blas_product(&host, &a, &b,
                                      values + (size_t) ROWS * SIZE, SIZE,
                                      &error),
                     INS_OK);
    assert_int_equal(calls.products, 2);
    assert_int_equal(calls.polls, 2);
    calls = (struct calls){.cancel_at = 2};
    assert_int_equal(ins_blas_product(&host, &a, &b,
                                      values + (size_t) ROWS * SIZE, SIZE,
                                      &error),
                     INS_CANCELLED);
    assert_int_equal(calls.products, 1);
    assert_int_equal(calls.locked, 0);
    free(values);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_activation_extremes),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_constant_rows),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_softmax_extremes),
        cmocka_unit_test(test_bias),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_product_shapes),
        cmocka_unit_test(test_product_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
