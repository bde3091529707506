/*
 * test_pack_rows.c - rows of weights in each layout of a tensor.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "pack/pack_rows.h"
#include "pack/pack_shape.h"

#define ROWS    70
#define COLUMNS 7

static float
value_at(uint32_t row, uint32_t column)
{
    return (float) ((int) (row * 31 + column * 17) % 101 - 50) / 7;
}

/* The tensor with all rows put; the caller frees it. */
static uint8_t *
put_rows(ins_pack_tensor *tensor, uint32_t type)
{
    uint8_t *data;

    *tensor = (ins_pack_tensor){.type = type, .rows = ROWS, .columns = COLUMNS};
    tensor->bytes = ins_pack_tensor_bytes(type, ROWS, COLUMNS);
    data = calloc(1, tensor->bytes);
    assert_non_null(data);
    for (uint32_t row = 0; row < ROWS; row++) {
        float values[COLUMNS];

        for (uint32_t i = 0; i < COLUMNS; i++)
            values[i] = value_at(row, i);
        ins_pack_put_row(tensor, data, row, values);
    }
    return data;
}

static float
float_at(const uint8_t *data, uint64_t offset)
{
    float value;

    memcpy(&value, data + offset, sizeof(value));
    return value;
}

static float
bf16_at(const uint8_t *data, uint64_t offset)
{
    uint16_t half;
    uint32_t bits;
    float value;

    memcpy(&half, data + offset, sizeof(half));
    bits = (uint32_t) half << 16;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Two panels of 64 rows; the second begins after COLUMNS steps of 256. */
static void
test_f32_panels(void **state)
{
    ins_pack_tensor tensor;
    uint8_t *data = put_rows(&tensor, INS_TENSOR_F32_PANELS);

    (void) state;
    assert_int_equal(tensor.bytes, 2 * COLUMNS * 256);
    assert_true(float_at(data, 3 * 256 + 5 * 4) == value_at(5, 3));
    assert_true(float_at(data, COLUMNS * 256 + 2 * 256 + 4) == value_at(65, 2));
    /* Behind the last row. */
    assert_true(float_at(data, COLUMNS * 256 + 2 * 256 + 6 * 4) == 0);
    free(data);
}

static void
test_bf16(void **state)
{
    ins_pack_tensor tensor;
    uint8_t *data = put_rows(&tensor, INS_TENSOR_BF16_PANELS);

    (void) state;
    assert_int_equal(tensor.bytes, 2 * 4 * 256);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        float got = bf16_at(data, (i / 2) * 256 + 9 * 4 + (i % 2) * 2);

        assert_true(fabsf(got - value_at(9, i)) <= fabsf(got) / 256);
    }
    free(data);
    data = put_rows(&tensor, INS_TENSOR_BF16_ROWS);
    assert_int_equal(tensor.bytes, ROWS * COLUMNS * 2);
    assert_true(fabsf(bf16_at(data, (9 * COLUMNS + 3) * 2) - value_at(9, 3)) <
                0.05f);
    free(data);
}

static void
test_bf16_rounding(void **state)
{
    static const struct {
        uint32_t bits;
        uint16_t rounded;
    } cases[] = {
        {0x3F800000, 0x3F80}, {0x3F808000, 0x3F80}, /* a tie, to even */
        {0x3F818000, 0x3F82}, {0x3F808001, 0x3F81}, {0xBF808001, 0xBF81},
        {0x7F7FFFFF, 0x7F7F}, /* never infinity */
        {0xFF7FFFFF, 0xFF7F}, {0x00000000, 0x0000}, {0x80000000, 0x8000},
    };
    ins_pack_tensor tensor = {
        .type = INS_TENSOR_BF16_ROWS, .rows = 1, .columns = 1};

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t data[2];
        uint16_t got;
        float value;

        memcpy(&value, &cases[i].bits, sizeof(value));
        ins_pack_put_row(&tensor, data, 0, &value);
        memcpy(&got, data, sizeof(got));
        assert_int_equal(got, cases[i].rounded);
    }
}

static void
check_factor(const uint8_t *data, uint64_t factors, uint32_t row)
{
    float highest = 0;

    for (uint32_t i = 0; i < COLUMNS; i++)
        highest = fmaxf(highest, fabsf(value_at(row, i)));
    assert_true(float_at(data, factors + row * 4) == highest / 127);
}

static void
test_int8_panels(void **state)
{
    ins_pack_tensor tensor;
    uint8_t *data = put_rows(&tensor, INS_TENSOR_INT8_PANELS);
    uint64_t factors =
        ins_pack_factors_offset(tensor.type, tensor.rows, tensor.columns);

    (void) state;
    assert_int_equal(factors, 2 * 2 * 256);
    assert_int_equal(tensor.bytes, factors + 2 * 128 * 4);
    for (uint32_t row = 0; row < ROWS; row++) {
        float factor = float_at(data, factors + row * 4);
        int sum = 0;

        check_factor(data, factors, row);
        for (uint32_t i = 0; i < COLUMNS; i++) {
            int8_t number = (int8_t)
                data[row / 64 * 512 + i / 4 * 256 + row % 64 * 4 + i % 4];

            assert_true(fabsf((float) number * factor - value_at(row, i)) <=
                        factor * 0.501f);
            sum += number;
        }
        assert_true(float_at(data, factors + (128 + row) * 4) == (float) sum);
    }
    assert_true(float_at(data, factors + ROWS * 4) == 0);
    free(data);
}

static void
test_int8_rows(void **state)
{
    ins_pack_tensor tensor;
    uint8_t *data = put_rows(&tensor, INS_TENSOR_INT8_ROWS);
    uint64_t factors =
        ins_pack_factors_offset(tensor.type, tensor.rows, tensor.columns);

    (void) state;
    assert_int_equal(factors, (ROWS * COLUMNS + 63) / 64 * 64);
    assert_int_equal(tensor.bytes, factors + ROWS * 4);
    for (uint32_t row = 0; row < ROWS; row++)
        check_factor(data, factors, row);
    free(data);
}

/* No division by nothing, nothing beyond 127. */
static void
test_int8_extremes(void **state)
{
    static const float rows[][3] = {
        {0, 0, 0},
        {1e-45f, -1e-45f, 0},
        {1e-40f, -3e-41f, 1e-45f},
        {FLT_MAX, -FLT_MAX, 1},
        {-0.0f, 0, 2},
    };
    ins_pack_tensor tensor = {
        .type = INS_TENSOR_INT8_ROWS, .rows = 1, .columns = 3};

    (void) state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t data[64 + 4] = {0};

        ins_pack_put_row(&tensor, data, 0, rows[i]);
        for (size_t k = 0; k < 3; k++)
            assert_in_range((int8_t) data[k] + 127, 0, 254);
        assert_true(isfinite(float_at(data, 64)));
    }
}

/* Getting is the inverse of putting: exact for f32, to the last place that
 * bf16 keeps, to half a step of int8; and a row put again gives its bytes. */
static void
test_get_row(void **state)
{
    static const struct {
        uint32_t type;
        float tolerance; /* of the row's largest magnitude */
    } cases[] = {
        {INS_TENSOR_F32_ROWS, 0},
        {INS_TENSOR_F32_PANELS, 0},
        {INS_TENSOR_BF16_ROWS, 0.5f / 128},
        {INS_TENSOR_BF16_PANELS, 0.5f / 128},
        {INS_TENSOR_INT8_ROWS, 0.501f / 127},
        {INS_TENSOR_INT8_PANELS, 0.501f / 127},
    };

    (void) state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        ins_pack_tensor tensor;
        uint8_t *data = put_rows(&tensor, cases[k].type);
        uint8_t *again = calloc(1, tensor.bytes);

        assert_non_null(again);
        for (uint32_t row = 0; row < ROWS; row++) {
            float values[COLUMNS + 1], highest = 0;

            values[COLUMNS] = 77;
            ins_pack_get_row(&tensor, data, row, values);
            assert_true(values[COLUMNS] == 77);
            for (uint32_t i = 0; i < COLUMNS; i++)
                highest = fmaxf(highest, fabsf(value_at(row, i)));
            for (uint32_t i = 0; i < COLUMNS; i++)
                assert_true(fabsf(values[i] - value_at(row, i)) <=
                            cases[k].tolerance * highest);
            ins_pack_put_row(&tensor, again, row, values);
        }
        assert_memory_equal(again, data, tensor.bytes);
        free(again);
        free(data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32_panels),
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_bf16_rounding),
        cmocka_unit_test(test_int8_panels),
        cmocka_unit_test(test_int8_rows),
        cmocka_unit_test(test_int8_extremes),
        cmocka_unit_test(test_get_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
