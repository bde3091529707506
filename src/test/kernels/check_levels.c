/*
 * check_levels.c - layers and attention: every level gives the scalar one's
 * bits, whatever rows stand beside a row, and the numbers are those of double
 * precision.
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

#include "base/memory.h"
#include "kernels/linear.h"
#include "levels.h"
#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "test/malloc_host.h"

struct calls {
    size_t polls;
    size_t cancel_at; /* 0 = never */
};

static bool
is_cancelled(void *user)
{
    struct calls *calls = user;

    return ++calls->polls == calls->cancel_at;
}

static struct calls calls;
static const ins_host host = {
    &calls, malloc_host_alloc, malloc_host_release, is_cancelled, NULL, NULL};

static void *
need(size_t size)
{
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);

    assert_non_null(memory);
    memset(memory, 0, size);
    return memory;
}

/* ---- layers -------------------------------------------------------------- */

struct layer {
    ins_linear linear;
    float *values; /* [outputs][inputs], before rounding */
    float *bias;
    uint8_t *data;
};

static void
make_layer(struct layer *layer, uint32_t type, uint32_t outputs,
           uint32_t inputs)
{
    ins_pack_tensor tensor = {.type = type, .rows = outputs, .columns = inputs};

    layer->values = need((size_t) outputs * inputs * sizeof(float));
    layer->bias = need(outputs * sizeof(float));
    layer->data = need(ins_pack_tensor_bytes(type, outputs, inputs));
    fill(layer->values, (size_t) outputs * inputs, 0.5f);
    fill(layer->bias, outputs, 1);
    for (uint32_t row = 0; row < outputs; row++)
        ins_pack_put_row(&tensor, layer->data, row,
                         layer->values + (size_t) row * inputs);
    layer->linear = (ins_linear){.type = type,
                                 .inputs = inputs,
                                 .outputs = outputs,
                                 .panels = layer->data,
                                 .bias = layer->bias};
    if (type == INS_TENSOR_INT8_PANELS) {
        layer->linear.scales =
            (const void *) (layer->data +
                            ins_pack_factors_offset(type, outputs, inputs));
        layer->linear.sums =
            layer->linear.scales + ins_panel_count(outputs) * INS_PANEL_OUTPUTS;
    }
}

static void
free_layer(struct layer *layer)
{
    free(layer->values);
    free(layer->bias);
    free(layer->data);
}

static void
run_layer(const ins_kernels *kernels, const struct layer *layer,
          const float *in, size_t rows, enum ins_activation activation,
          float *out)
{
    size_t stride = ins_linear_stride(layer->linear.inputs);
    ins_linear_context context = {
        .host = &host,
        .kernels = kernels,
        .bytes = need(INS_LINEAR_ROWS * stride),
        .scales = need(INS_LINEAR_ROWS * sizeof(float)),
        .zeros = need(INS_LINEAR_ROWS * sizeof(float)),
    };
    ins_matrix matrix = {in, rows, layer->linear.inputs};
    ins_error error;

    assert_int_equal(ins_linear_run(&context, &layer->linear, &matrix,
                                    activation, out, &error),
                     INS_OK);
    free(context.bytes);
    free(context.scales);
    free(context.zeros);
}

/*
 * What the sums may be off by.  Rounding of weights and rows adds up like its
 * root.  The rounding of a running sum, all that f32 has, adds up faster: terms
 * of 1/6 let the sum grow like sqrt(n) / 6, so that n errors of 2^-24 / sqrt 3
 * of it have a deviation of 4e-9 n; a large sum and many of them take 15.
 */
static double
tolerance_of(uint32_t type, uint32_t inputs)
{
    double values = sqrt((double) inputs);

    switch (type) {
    case INS_TENSOR_INT8_PANELS:
        return 0.006 * values;
    case INS_TENSOR_BF16_PANELS:
        return 0.003 * values;
    default:
        return 1e-6 + 6e-8 * (double) inputs;
    }
}

static void
check_numbers(const struct layer *layer, const float *in, const float *out)
{
    uint32_t inputs = layer->linear.inputs;

    for (uint32_t i = 0; i < layer->linear.outputs; i++) {
        const float *values = layer->values + (size_t) i * inputs;
        double sum = (double) layer->bias[i];

        for (uint32_t k = 0; k < inputs; k++)
            sum += (double) in[k] * (double) values[k];
        assert_true(fabs((double) out[i] - sum) <=
                    tolerance_of(layer->linear.type, inputs));
    }
}

static void
check_layer(uint32_t type, uint32_t outputs, uint32_t inputs, size_t rows)
{
    struct layer layer;
    size_t bytes = rows * outputs * sizeof(float);
    float *in = need(rows * inputs * sizeof(float));
    float *expected = need(bytes + sizeof(float));
    float *out = need(bytes + sizeof(float));
    const ins_kernels *kernels;

    make_layer(&layer, type, outputs, inputs);
    fill(in, rows * inputs, 1);
    run_layer(&ins_kernels_scalar, &layer, in, rows, INS_ACTIVATION_NONE,
              expected);
    check_numbers(&layer, in, expected);
    for (size_t level = 0; (kernels = kernels_at(level)) != NULL; level++) {
        bool is_reference = kernels->uses_blas && type == INS_TENSOR_F32_PANELS;

        out[rows * outputs] = 77;
        run_layer(kernels, &layer, in, rows, INS_ACTIVATION_NONE, out);
        assert_true(out[rows * outputs] == 77);
        if (is_reference) {
            check_numbers(&layer, in, out);
            continue;
        }
        assert_memory_equal(out, expected, bytes);
        /* Each row alone. */
        for (size_t row = 0; row < rows; row += 7) {
            run_layer(kernels, &layer, in + row * inputs, 1,
                      INS_ACTIVATION_NONE, out);
            assert_memory_equal(out, expected + row * outputs,
                                outputs * sizeof(float));
        }
    }
    free_layer(&layer);
    free(in);
    free(expected);
    free(out);
}

static const uint32_t types[] = {INS_TENSOR_F32_PANELS, INS_TENSOR_BF16_PANELS,
                                 INS_TENSOR_INT8_PANELS};

static void
test_layers(void **state)
{
    static const uint32_t shapes[][2] = {
        {1, 1},   {3, 2},    {16, 5},   {17, 16},  {63, 31},
        {64, 64}, {65, 130}, {96, 384}, {200, 33}, {384, 1536},
    };

    /* Each number of rows of a tile, and more than a block. */
    static const size_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 50};

    (void) state;
    for (size_t type = 0; type < 3; type++)
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
            for (size_t k = 0; k < (i < 7 ? 10 : 7); k += i < 7 ? 1 : 3)
                check_layer(types[type], shapes[i][0], shapes[i][1], rows[k]);
}

static void
test_layer_activations(void **state)
{
    struct layer layer;
    const ins_kernels *kernels;
    float in[9 * 40], expected[9 * 70], out[9 * 70];

    (void) state;
    fill(in, 9 * 40, 2);
    for (size_t type = 0; type < 3; type++) {
        make_layer(&layer, types[type], 70, 40);
        for (int i = INS_ACTIVATION_NONE; i <= INS_ACTIVATION_TANH; i++) {
            enum ins_activation activation = (enum ins_activation) i;

            run_layer(&ins_kernels_scalar, &layer, in, 9, INS_ACTIVATION_NONE,
                      expected);
            ins_kernels_scalar.activate(activation, expected, 9 * 70);
            for (size_t k = 0; (kernels = kernels_at(k)) != NULL; k++) {
                run_layer(kernels, &layer, in, 9, activation, out);
                if (!kernels->uses_blas)
                    assert_memory_equal(out, expected, sizeof(out));
                for (size_t v = 0; v < 9 * 70; v++)
                    assert_true(fabsf(out[v] - expected[v]) < 1e-5f);
            }
        }
        free_layer(&layer);
    }
}

static void
test_a_layer_can_be_cancelled(void **state)
{
    struct layer layer;
    float *in = need(500 * 256 * sizeof(float));
    float *out = need(500 * 256 * sizeof(float));
    const ins_kernels *kernels = kernels_at(0);
    ins_linear_context context = {
        .host = &host,
        .kernels = kernels,
        .bytes = need(INS_LINEAR_ROWS * ins_linear_stride(256)),
        .scales = need(INS_LINEAR_ROWS * sizeof(float)),
        .zeros = need(INS_LINEAR_ROWS * sizeof(float)),
    };
    ins_matrix matrix = {in, 500, 256};
    ins_error error;

    (void) state;
    make_layer(&layer, INS_TENSOR_INT8_PANELS, 256, 256);
    for (calls.cancel_at = 1; calls.cancel_at <= 3; calls.cancel_at++) {
        calls.polls = 0;
        assert_int_equal(ins_linear_run(&context, &layer.linear, &matrix,
                                        INS_ACTIVATION_NONE, out, &error),
                         INS_CANCELLED);
        assert_int_equal(calls.polls, calls.cancel_at);
    }
    calls.cancel_at = 0;
    free_layer(&layer);
    free(in);
    free(out);
    free(context.bytes);
    free(context.scales);
    free(context.zeros);
}

/* ---- attention ----------------------------------------------------------- */

/* Whole attention of one head in double precision. */
static void
attend_double(const ins_attention *head, double *out)
{
    double *shares = need(head->length * sizeof(double));

    for (size_t i = 0; i < head->length; i++) {
        double sum = 0, highest = -HUGE_VAL;

        for (size_t j = 0; j < head->length; j++) {
            shares[j] = 0;
            for (size_t k = 0; k < head->size; k++)
                shares[j] += (double) head->query[i * head->stride + k] *
                             (double) head->key[j * head->stride + k];
            shares[j] *= (double) head->scale;
            highest = fmax(highest, shares[j]);
        }
        for (size_t j = 0; j < head->length; j++)
            sum += shares[j] = exp(shares[j] - highest);
        for (size_t k = 0; k < head->size; k++) {
            out[i * head->size + k] = 0;
            for (size_t j = 0; j < head->length; j++)
                out[i * head->size + k] +=
                    shares[j] / sum *
                    (double) head->value[j * head->stride + k];
        }
    }
    free(shares);
}

static void
check_head(size_t length, size_t size, float range)
{
    size_t stride = 3 * size + 5;
    size_t count = length * size;
    float *in = need(length * stride * sizeof(float));
    double *exact = need(count * sizeof(double));
    float *expected = need(count * sizeof(float));
    float *out = need((count + 1) * sizeof(float));
    ins_attention head = {
        .query = in,
        .key = in + size,
        .value = in + 2 * size,
        .stride = stride,
        .length = length,
        .size = size,
        .scale = 1 / sqrtf((float) size),
        .out_stride = size,
        .scratch = need(ins_attention_scratch(length, size) * sizeof(float)),
        .host = &host,
    };

    fill(in, length * stride, range);
    attend_double(&head, exact);
    for (int narrow = 0; narrow < 2; narrow++) {
        /* A score is off by a rounding of each factor; f32 by its sums. */
        double tolerance = (narrow ? 4e-4 : 4e-6) * (double) range *
                           fmax(1, (double) range * (double) range);
        const ins_kernels *kernels;

        head.out = expected;
        assert_true((narrow ? ins_kernels_scalar.attend_int16
                            : ins_kernels_scalar.attend_f32)(&head));
        for (size_t i = 0; i < count; i++)
            assert_true(fabs((double) expected[i] - exact[i]) <= tolerance);
        for (size_t k = 0; (kernels = kernels_at(k)) != NULL; k++) {
            head.out = out;
            out[count] = 77;
            assert_true(
                (narrow ? kernels->attend_int16 : kernels->attend_f32)(&head));
            assert_memory_equal(out, expected, count * sizeof(float));
            assert_true(out[count] == 77);
        }
    }
    free(in);
    free(exact);
    free(expected);
    free(out);
    free(head.scratch);
}

static void
test_attention(void **state)
{
    static const size_t lengths[] = {1, 2, 3, 5, 15, 16, 17, 33, 130};
    static const size_t head_sizes[] = {1, 3, 8, 16, 17, 32, 64, 100};

    (void) state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (size_t k = 0; k < sizeof(head_sizes) / sizeof(head_sizes[0]);
             k++) {
            check_head(lengths[i], head_sizes[k], 1);
            check_head(lengths[i], head_sizes[k], 3);
        }
    check_head(513, 32, 1);
}

/* Equal scores everywhere: the smallest shares there are. */
static void
test_long_even_attention(void **state)
{
    size_t length = 8192;
    float *in = need(length * 48 * sizeof(float));
    float *out = need(length * 16 * sizeof(float));
    ins_attention head = {
        .query = in,
        .key = in + 16,
        .value = in + 32,
        .stride = 48,
        .length = length,
        .size = 16,
        .scale = 0.25f,
        .out = out,
        .out_stride = 16,
        .scratch = need(ins_attention_scratch(length, 16) * sizeof(float)),
        .host = &host,
    };

    (void) state;
    for (size_t i = 0; i < length; i++)
        for (size_t k = 0; k < 16; k++)
            in[i * 48 + 32 + k] = 5;
    calls.polls = 0;
    assert_true(kernels_at(0)->attend_int16(&head));
    assert_true(calls.polls > 100);
    for (size_t i = 0; i < length * 16; i++)
        assert_true(fabsf(out[i] - 5) < 1e-5f);
    calls.polls = 0;
    calls.cancel_at = 3;
    assert_false(kernels_at(0)->attend_int16(&head));
    calls.cancel_at = 0;
    free(in);
    free(out);
    free(head.scratch);
}

static void
test_attention_keeps_faults(void **state)
{
    static const float faults[] = {NAN, INFINITY, -INFINITY, 3e38f};
    const ins_kernels *kernels;

    (void) state;
    for (size_t k = 0; (kernels = kernels_at(k)) != NULL; k++)
        for (size_t part = 0; part < 3; part++)
            for (size_t i = 0; i < 4; i++) {
                float in[5 * 24], out[5 * 8];
                float scratch[2048];
                ins_attention head = {in, in + 8, in + 16, 24,      5,    8,
                                      1,  out,    8,       scratch, &host};
                bool all_finite = true;

                assert_true(ins_attention_scratch(5, 8) <= 2048);
                fill(in, 5 * 24, 1e5f);
                in[2 * 24 + part * 8 + 3] = faults[i];
                assert_true(kernels->attend_int16(&head));
                for (size_t v = 0; v < 5 * 8; v++)
                    all_finite = all_finite && isfinite(out[v]);
                /* A large finite value alone is no fault. */
                assert_true(!all_finite || (i == 3 && part == 2));
            }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_layer_activations),
        cmocka_unit_test(test_a_layer_can_be_cancelled),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_long_even_attention),
        cmocka_unit_test(test_attention_keeps_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
