/*
 * check_gradients.c - the kernels of training at every level: against double
 * precision, and against the bits of the scalar level.
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

#define MAX_ROWS    3
#define MAX_COLUMNS 1031
#define MAX_VALUES  (MAX_ROWS * MAX_COLUMNS)
#define EPSILON     1e-5f

static const size_t sizes[] = {1,  2,  3,  7,  8,  9,   15,  16,
                               17, 31, 32, 61, 64, 127, 384, 1031};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

static void
compare(float got, double expected, double tolerance)
{
    if (!(fabs((double) got - expected) <=
          tolerance * fmax(1.0, fabs(expected)))) {
        print_error("got %.9g, expected %.9g\n", (double) got, expected);
        fail();
    }
}

/* ---- activations --------------------------------------------------------- */

static double
gelu_slope(double x)
{
    return 0.5 * (1 + erf(x / sqrt(2))) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double
gelu_tanh_slope(double x)
{
    const double factor = sqrt(2 / M_PI);
    double t = tanh(factor * (x + 0.044715 * x * x * x));

    return 0.5 * (1 + t) +
           0.5 * x * (1 - t * t) * factor * (1 + 3 * 0.044715 * x * x);
}

static double
relu_slope(double x)
{
    return x > 0;
}

static double
tanh_slope(double x)
{
    return 1 - tanh(x) * tanh(x);
}

static double
one_slope(double x)
{
    (void) x;
    return 1;
}

static double (*const slopes[])(double) = {
    [INS_ACTIVATION_NONE] = one_slope,
    [INS_ACTIVATION_GELU] = gelu_slope,
    [INS_ACTIVATION_GELU_TANH] = gelu_tanh_slope,
    [INS_ACTIVATION_RELU] = relu_slope,
    [INS_ACTIVATION_TANH] = tanh_slope,
};
#define ACTIVATIONS (sizeof(slopes) / sizeof(slopes[0]))

/* The value is that of activate. */
static void
check_slopes(const ins_kernels *kernels, size_t map, const float *in,
             size_t count)
{
    static float x[MAX_VALUES + 1], value[MAX_VALUES], gradient[MAX_VALUES + 1];
    static float scalar_x[MAX_VALUES], scalar_gradient[MAX_VALUES];
    enum ins_activation activation = (enum ins_activation) map;

    memcpy(x, in, count * sizeof(float));
    memcpy(value, in, count * sizeof(float));
    memcpy(scalar_x, in, count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        gradient[i] = scalar_gradient[i] = 1 + (float) (i % 3);
    x[count] = gradient[count] = 77;
    kernels->activate_backward(activation, x, gradient, count);
    kernels->activate(activation, value, count);
    ins_kernels_scalar.activate_backward(activation, scalar_x, scalar_gradient,
                                         count);
    assert_true(x[count] == 77 && gradient[count] == 77);
    assert_memory_equal(x, scalar_x, count * sizeof(float));
    assert_memory_equal(gradient, scalar_gradient, count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        compare(x[i], (double) value[i], 3e-7);
        compare(gradient[i] / (1 + (float) (i % 3)),
                slopes[map]((double) in[i]), 2e-6);
    }
}

static void
test_slopes(void **state)
{
    static float in[MAX_VALUES];
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < ACTIVATIONS; map++) {
            for (size_t i = 0; i < SIZE_COUNT; i++) {
                fill(in, sizes[i], 4);
                check_slopes(kernels, map, in, sizes[i]);
            }
            for (size_t i = 0; i < MAX_VALUES; i++)
                in[i] = -15 + 30 * (float) i / MAX_VALUES;
            check_slopes(kernels, map, in, MAX_VALUES);
        }
}

static void
test_slope_extremes(void **state)
{
    static const float in[] = {88,   -88, 100,     -100,     1e30f,   -1e30f,
                               0.0f, 9,   FLT_MAX, -FLT_MAX, 1e-30f,  -1e-30f,
                               13,   -13, FLT_MIN, 1e-42f,   -1e-42f, -5.2f};
    const size_t count = sizeof(in) / sizeof(in[0]);
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t map = 0; map < ACTIVATIONS; map++) {
            float x = NAN, gradient = 1;

            check_slopes(kernels, map, in, count);
            kernels->activate_backward((enum ins_activation) map, &x, &gradient,
                                       1);
            assert_true(isnan(x));
            if (map != INS_ACTIVATION_NONE)
                assert_true(isnan(gradient));
        }
}

/* ---- layer norm ---------------------------------------------------------- */

struct norm_case {
    float x[MAX_VALUES], add[MAX_VALUES], out[MAX_VALUES + 1];
    float normal[MAX_VALUES + 1], factors[MAX_ROWS];
    float norm[2 * MAX_COLUMNS], gradient[MAX_VALUES];
    float back[MAX_VALUES + 1], sums[2 * MAX_COLUMNS + 1];
};

static void
run_norm(const ins_kernels *kernels, size_t rows, size_t columns, bool has_add,
         struct norm_case *self)
{
    const ins_norm norm = {.rows = rows,
                           .columns = columns,
                           .norm = self->norm,
                           .epsilon = EPSILON,
                           .normal = self->normal,
                           .factors = self->factors};
    size_t count = rows * columns;

    self->out[count] = self->normal[count] = self->back[count] = 77;
    self->sums[2 * columns] = 77;
    kernels->norm_forward(&norm, self->x, has_add ? self->add : NULL,
                          self->out);
    memcpy(self->back, self->gradient, count * sizeof(float));
    for (size_t i = 0; i < 2 * columns; i++)
        self->sums[i] = 2;
    kernels->norm_backward(&norm, self->back, self->sums);
    assert_true(self->out[count] == 77 && self->normal[count] == 77);
    assert_true(self->back[count] == 77 && self->sums[2 * columns] == 77);
}

/* Row number row in double precision. */
static void
check_norm_row(const struct norm_case *self, size_t row, size_t columns,
               bool has_add)
{
    static double normal[MAX_COLUMNS], g[MAX_COLUMNS];
    const size_t first = row * columns;
    double mean = 0, variance = 0, sum = 0, products = 0, factor;
    /* Of two values there is nothing left but a sign. */
    double tolerance = columns > 2 ? 2e-5 : 4e-2;

    for (size_t i = 0; i < columns; i++) {
        normal[i] = (double) self->x[first + i] +
                    (has_add ? (double) self->add[first + i] : 0);
        mean += normal[i] / (double) columns;
    }
    for (size_t i = 0; i < columns; i++)
        variance += pow(normal[i] - mean, 2) / (double) columns;
    factor = 1 / sqrt(variance + (double) EPSILON);
    compare(self->factors[row] / (float) factor, 1, 1e-3);
    for (size_t i = 0; i < columns; i++) {
        normal[i] = (normal[i] - mean) * factor;
        g[i] = (double) self->gradient[first + i] * (double) self->norm[i];
        sum += g[i] / (double) columns;
        products += g[i] * normal[i] / (double) columns;
        compare(self->normal[first + i], normal[i], tolerance);
        compare(self->out[first + i],
                normal[i] * (double) self->norm[i] +
                    (double) self->norm[columns + i],
                tolerance);
    }
    for (size_t i = 0; i < columns; i++)
        compare(self->back[first + i],
                factor * (g[i] - sum - normal[i] * products),
                tolerance * fmax(1, factor));
}

static void
check_norm_sums(const struct norm_case *self, size_t rows, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        double scale = 2, bias = 2;

        for (size_t row = 0; row < rows; row++) {
            double g = (double) self->gradient[row * columns + i];

            scale += g * (double) self->normal[row * columns + i];
            bias += g;
        }
        compare(self->sums[i], scale, 1e-5);
        compare(self->sums[columns + i], bias, 1e-5);
    }
}

static void
check_norm(size_t rows, size_t columns, bool has_add)
{
    static struct norm_case self, scalar;
    const ins_kernels *kernels;

    fill(self.x, rows * columns, 3);
    fill(self.add, rows * columns, 2);
    fill(self.norm, 2 * columns, 1.5f);
    fill(self.gradient, rows * columns, 1);
    scalar = self;
    run_norm(&ins_kernels_scalar, rows, columns, has_add, &scalar);
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
        run_norm(kernels, rows, columns, has_add, &self);
        for (size_t row = 0; row < rows; row++)
            check_norm_row(&self, row, columns, has_add);
        check_norm_sums(&self, rows, columns);
        assert_memory_equal(&self, &scalar, sizeof(self));
    }
}

static void
test_norm(void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZE_COUNT; i++)
        for (size_t rows = 1; rows <= MAX_ROWS; rows++) {
            check_norm(rows, sizes[i], true);
            check_norm(rows, sizes[i], false);
        }
}

/* out may be x, and the sums may be left away. */
static void
test_norm_in_place(void **state)
{
    static struct norm_case self;
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
        const ins_norm norm = {2,       61,          self.norm,
                               EPSILON, self.normal, self.factors};
        float back[2 * 61];

        fill(self.x, 2 * 61, 3);
        fill(self.norm, 2 * 61, 1);
        fill(self.gradient, 2 * 61, 1);
        memcpy(back, self.gradient, sizeof(back));
        run_norm(kernels, 2, 61, false, &self);
        kernels->norm_forward(&norm, self.x, NULL, self.x);
        assert_memory_equal(self.x, self.out, sizeof(back));
        kernels->norm_backward(&norm, back, NULL);
        assert_memory_equal(back, self.back, sizeof(back));
    }
}

/* ---- softmax and sums ---------------------------------------------------- */

static void
check_softmax(const ins_kernels *kernels, size_t columns)
{
    static float shares[MAX_COLUMNS], in[MAX_COLUMNS];
    static float got[MAX_COLUMNS + 1], scalar[MAX_COLUMNS];
    double mean = 0;

    fill(shares, columns, 3);
    kernels->softmax(shares, columns);
    fill(in, columns, 2);
    memcpy(got, in, columns * sizeof(float));
    memcpy(scalar, in, columns * sizeof(float));
    got[columns] = 77;
    kernels->softmax_backward(shares, got, columns, 0.5f);
    ins_kernels_scalar.softmax_backward(shares, scalar, columns, 0.5f);
    assert_true(got[columns] == 77);
    assert_memory_equal(got, scalar, columns * sizeof(float));
    for (size_t i = 0; i < columns; i++)
        mean += (double) shares[i] * (double) in[i];
    for (size_t i = 0; i < columns; i++)
        compare(got[i], 0.5 * (double) shares[i] * ((double) in[i] - mean),
                1e-6);
}

static void
test_softmax(void **state)
{
    const ins_kernels *kernels;

    (void) state;
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 0; i < SIZE_COUNT; i++)
            check_softmax(kernels, sizes[i]);
}

static void
test_add_rows(void **state)
{
    static float rows[MAX_VALUES], sum[MAX_COLUMNS + 1];
    const ins_kernels *kernels;

    (void) state;
    fill(rows, MAX_VALUES, 2);
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++)
        for (size_t i = 0; i < SIZE_COUNT; i++)
            for (size_t count = 0; count <= MAX_ROWS; count++) {
                for (size_t k = 0; k <= sizes[i]; k++)
                    sum[k] = 77;
                kernels->add_rows(sum, rows, count, sizes[i]);
                assert_true(sum[sizes[i]] == 77);
                for (size_t k = 0; k < sizes[i]; k++) {
                    float expected = 77;

                    for (size_t row = 0; row < count; row++)
                        expected += rows[row * sizes[i] + k];
                    assert_true(sum[k] == expected);
                }
            }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slopes),  cmocka_unit_test(test_slope_extremes),
        cmocka_unit_test(test_norm),    cmocka_unit_test(test_norm_in_place),
        cmocka_unit_test(test_softmax), cmocka_unit_test(test_add_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
