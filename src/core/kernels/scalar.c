/*
 * scalar.c - the reference of every kernel, in plain C.
 *
 * Written to be read and to be right; the other levels are tested against it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#include <math.h>

#define SQRT_HALF       0.70710678118654752f
#define SQRT_2_OVER_PI  0.79788456080286536f
#define GELU_TANH_CUBIC 0.044715f

static void
add_bias_scalar(float *x, const float *bias, size_t rows, size_t columns)
{
    for (size_t row = 0; row < rows; row++, x += columns)
        for (size_t i = 0; i < columns; i++)
            x[i] += bias[i];
}

/* Sums in double: this is what the other levels are measured by. */
static void
norm_row(float *x, const float *norm, size_t columns, float epsilon)
{
    const float *bias = norm + columns;
    double mean = 0;
    double variance = 0;
    double factor;

    for (size_t i = 0; i < columns; i++)
        mean += (double) x[i];
    mean /= (double) columns;
    for (size_t i = 0; i < columns; i++)
        variance += ((double) x[i] - mean) * ((double) x[i] - mean);
    factor = 1.0 / sqrt(variance / (double) columns + (double) epsilon);
    for (size_t i = 0; i < columns; i++)
        x[i] = (float) (((double) x[i] - mean) * factor * (double) norm[i] +
                        (double) bias[i]);
}

static void
add_norm_scalar(float *x, const float *add, const float *norm, size_t rows,
                size_t columns, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        if (add != NULL) {
            for (size_t i = 0; i < columns; i++)
                x[i] += add[i];
            add += columns;
        }
        norm_row(x, norm, columns, epsilon);
        x += columns;
    }
}

static void
softmax_scalar(float *x, size_t rows, size_t columns, float scale)
{
    for (size_t row = 0; row < rows; row++, x += columns) {
        float highest = x[0];
        double sum = 0; /* long rows must add up to 1 */

        for (size_t i = 1; i < columns; i++)
            highest = x[i] > highest ? x[i] : highest;
        for (size_t i = 0; i < columns; i++) {
            x[i] = expf(scale * (x[i] - highest));
            sum += (double) x[i];
        }
        for (size_t i = 0; i < columns; i++)
            x[i] = (float) ((double) x[i] / sum);
    }
}

static void
gelu_scalar(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * SQRT_HALF));
}

static void
gelu_tanh_scalar(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float inner =
            SQRT_2_OVER_PI * (x[i] + GELU_TANH_CUBIC * x[i] * x[i] * x[i]);

        x[i] = 0.5f * x[i] * (1.0f + tanhf(inner));
    }
}

static void
relu_scalar(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

static void
tanh_scalar(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = tanhf(x[i]);
}

const ins_kernels ins_kernels_scalar = {
    .level = "scalar",
#define INS_KERNEL(name, arguments, tolerance) .name = name##_scalar,
#include "kernels/kernels.def"
#undef INS_KERNEL
};
