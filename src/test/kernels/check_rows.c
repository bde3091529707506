/*
 * check_rows.c - the row kernels of every level against double precision, and
 * which level a machine takes.
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

#include "levels.h"

/* Relative to the larger of 1 and the value. */
#define TOLERANCE  2e-6
#define EPSILON    1e-12f
#define MAX_VALUES 8192

static const size_t sizes[] = {0,  1,  2,  3,  7,  8,  9,   13,  15,
                               16, 17, 31, 32, 61, 64, 127, 384, 1031};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

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

static double
same_double(double x)
{
    return x;
}

static double (*const references[])(double) = {
    [INS_ACTIVATION_NONE] = same_double,
    [INS_ACTIVATION_GELU] = gelu_double,
    [INS_ACTIVATION_GELU_TANH] = gelu_tanh_double,
    [INS_ACTIVATION_RELU] = relu_double,
    [INS_ACTIVATION_TANH] = tanh,
};
#define ACTIVATIONS (sizeof(references) / sizeof(references[0]))

static void
compare_activation(const ins_kernels *kernels, size_t activation,
                   const float *in, size_t count)
{
    static float out[MAX_VALUES + 1];

    memcpy(out, in, count * sizeof(float));
    out[count] = 77;
    kernels->activate((enum ins_activation) activation, out, count);
    assert_true(out[count] == 77);
    for (size_t i = 0; i < count; i++)
        compare(out[i], references[activation]((double) in[i]), TOLERANCE);
}

static void
test_activations(void **state)
{
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < ACTIVATIONS; map++) {
            for (size_t i = 0; i < SIZE_COUNT; i++) {
                fill(in, sizes[i], 4);
                compare_activation(kernels, map, in, sizes[i]);
            }
            for (size_t i = 0; i < MAX_VALUES; i++)
                in[i] = -12 + 24 * (float) i / MAX_VALUES;
            compare_activation(kernels, map, in, MAX_VALUES);
        }
}

/* No sum of a model is infinite, so that infinities are not promised. */
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
        for (size_t map = 0; map < ACTIVATIONS; map++) {
            float out[sizeof(in) / sizeof(in[0])];
            size_t count = sizeof(in) / sizeof(in[0]) - 1;

            compare_activation(kernels, map, in, count);
            memcpy(out, in, sizeof(in));
            kernels->activate((enum ins_activation) map, out, count + 1);
            for (size_t i = 0; i < count; i++)
                assert_true(isfinite(out[i]));
            assert_true(isnan(out[count]));
        }
}

static void
test_sigmoid(void **state)
{
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (float x = -90; x < 90; x += 0.37f) {
            float values[3] = {x, -x, x};
            double expected = 1 / (1 + exp(-(double) x));

            kernels->sigmoid(values, 3);
            compare(values[0], expected, 1e-6);
            assert_true(values[0] == values[2]);
            /* Small ones keep their precision, down to the smallest float. */
            if (expected > 1e-37)
                assert_true(fabs((double) values[0] / expected - 1) < 1e-5);
        }
}

/* A value gives the same result wherever it stands. */
static void
test_places(void **state)
{
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < ACTIVATIONS; map++) {
            float values[37];

            for (size_t i = 0; i < 37; i++)
                values[i] = 0.7531f;
            kernels->activate((enum ins_activation) map, values, 37);
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
    static float out[MAX_VALUES];
    size_t count = rows * columns;

    fill(x, count, 3);
    fill(add, count, 2);
    fill(norm, 2 * columns, 1.5f);
    memcpy(out, x, sizeof(x));
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
            /* Two nearly equal values lose what they have in common. */
            compare(out[first + i], expected, columns > 2 ? 1e-5 : 2e-3);
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

/* Without variance the result is the bias, or near it, and finite. */
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
compare_softmax(const ins_kernels *kernels, const float *in, size_t columns)
{
    static float out[MAX_VALUES];
    double highest = (double) in[0], sum = 0, total = 0;

    memcpy(out, in, columns * sizeof(float));
    kernels->softmax(out, columns);
    for (size_t i = 0; i < columns; i++)
        highest = fmax(highest, (double) in[i]);
    for (size_t i = 0; i < columns; i++)
        sum += exp((double) in[i] - highest);
    for (size_t i = 0; i < columns; i++) {
        compare(out[i], exp((double) in[i] - highest) / sum, TOLERANCE);
        total += (double) out[i];
    }
    compare((float) total, 1.0, 1e-6);
}

static void
test_softmax(void **state)
{
    static const float extremes[][4] = {
        {1e30f, 0, -1e30f, 1},
        {3e38f, -3e38f, 3e38f, 0},
        {-3e38f, -3e38f, -3e38f, -3e38f},
        {0, 0, 0, 0},
        {-200, -300, -400, -500},
    };
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
        for (size_t i = 1; i < SIZE_COUNT; i++) {
            fill(in, sizes[i], 20);
            compare_softmax(kernels, in, sizes[i]);
        }
        for (size_t i = 0; i < 5; i++)
            for (size_t columns = 1; columns <= 4; columns++)
                compare_softmax(kernels, extremes[i], columns);
    }
}

/* ---- quantisation -------------------------------------------------------- */

static void
check_quantized(const ins_kernels *kernels, const float *in, size_t columns)
{
    uint8_t bytes[MAX_VALUES];
    ins_rows rows = {
        .values = in, .stride = columns * sizeof(float), .count = 1};
    size_t stride = (columns + 63) / 64 * 64 + 64;
    float scale, zero;

    memset(bytes, 7, sizeof(bytes));
    kernels->quantize(&rows, columns, bytes, stride, &scale, &zero);
    assert_true(zero >= 0 && zero <= 255);
    for (size_t i = 0; i < columns; i++) {
        double back = ((double) bytes[i] - (double) zero) * (double) scale;

        /* Half a step from rounding, half from that of the zero. */
        assert_true(fabs(back - (double) in[i]) <= 1.001 * (double) scale);
    }
    for (size_t i = columns; i < stride; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(bytes[stride], 7);
}

static void
test_quantisation(void **state)
{
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 1; i < SIZE_COUNT; i++) {
            size_t count = sizes[i];

            fill(in, count, 5);
            check_quantized(kernels, in, count);
            for (size_t k = 0; k < count; k++)
                in[k] = fabsf(in[k]) + 3; /* the range must cover 0 */
            check_quantized(kernels, in, count);
            for (size_t k = 0; k < count; k++)
                in[k] = -in[k] * 1e30f;
            check_quantized(kernels, in, count);
            memset(in, 0, sizeof(in));
            check_quantized(kernels, in, count);
            in[0] = 1e-38f; /* too small to invert */
            check_quantized(kernels, in + 1, count);
        }
}

/* What is not finite must not become a number on its way. */
static void
test_quantisation_keeps_faults(void **state)
{
    static const float faults[] = {NAN, INFINITY, -INFINITY};
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t place = 0; place < 40; place++)
            for (size_t i = 0; i < 3; i++) {
                float in[40];
                uint8_t bytes[64];
                float scale, zero;
                ins_rows rows = {
                    .values = in, .stride = sizeof(in), .count = 1};

                fill(in, 40, 1);
                in[place] = faults[i];
                kernels->quantize(&rows, 40, bytes, 64, &scale, &zero);
                assert_true(!isfinite(scale));
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_activation_extremes),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_constant_rows),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_quantisation),
        cmocka_unit_test(test_quantisation_keeps_faults),
        cmocka_unit_test(test_selection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
