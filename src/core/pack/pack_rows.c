/*
 * pack_rows.c - rows of a matrix into the layout of a tensor, and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/pack_rows.h"

#include <math.h>
#include <string.h>

#include "pack/pack_shape.h"

#define MAX_INT8 127.0f
/* Floats between two polls: a few milliseconds of the slowest layout. */
#define VALUES_PER_POLL 262144

static uint16_t
round_to_bf16(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    /* Half of the last place that stays, less one when it is even. */
    bits += 0x7FFF + ((bits >> 16) & 1);
    /* The largest floats would round up to infinity. */
    if ((bits & 0x7F800000u) == 0x7F800000u)
        bits = (bits & 0x80000000u) | 0x7F7F0000u;
    return (uint16_t) (bits >> 16);
}

static float
int8_step(const float *values, uint32_t count)
{
    float highest = 0;

    for (uint32_t i = 0; i < count; i++)
        highest = fabsf(values[i]) > highest ? fabsf(values[i]) : highest;
    return highest / MAX_INT8;
}

static int8_t
round_to_int8(float value, float step)
{
    float number = step > 0 ? rintf(value / step) : 0;

    /* A step below the normal floats is coarse: value / step may be above. */
    number = number > MAX_INT8 ? MAX_INT8 : number;
    return (int8_t) (number < -MAX_INT8 ? -MAX_INT8 : number);
}

static void
put_float(uint8_t *data, uint64_t offset, float value)
{
    memcpy(data + offset, &value, sizeof(value));
}

static void
put_int8_row(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
             const float *values)
{
    uint64_t factors =
        ins_pack_factors_offset(tensor->type, tensor->rows, tensor->columns);
    float step = int8_step(values, tensor->columns);

    put_float(data, factors + row * sizeof(float), step);
    data += (uint64_t) row * tensor->columns;
    for (uint32_t i = 0; i < tensor->columns; i++)
        data[i] = (uint8_t) round_to_int8(values[i], step);
}

/* Where column number column of a row lies, from the row's place on. */
static uint64_t
column_offset(uint32_t column, uint32_t per_step, uint32_t size)
{
    return (uint64_t) (column / per_step) * INS_PANEL_STEP_BYTES +
           column % per_step * size;
}

/* Where a row begins within its panel; a row takes 4 bytes of each step. */
static uint64_t
panel_place(const ins_pack_tensor *tensor, uint32_t row)
{
    return row / INS_PANEL_OUTPUTS *
               ins_panel_bytes(tensor->type, tensor->columns) +
           row % INS_PANEL_OUTPUTS * 4;
}

static void
put_int8_panel(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
               const float *values)
{
    uint64_t factors =
        ins_pack_factors_offset(tensor->type, tensor->rows, tensor->columns);
    uint64_t all_rows = ins_panel_count(tensor->rows) * INS_PANEL_OUTPUTS;
    uint8_t *place = data + panel_place(tensor, row);
    float step = int8_step(values, tensor->columns);
    int32_t sum = 0;

    for (uint32_t i = 0; i < tensor->columns; i++) {
        int8_t number = round_to_int8(values[i], step);

        place[column_offset(i, 4, 1)] = (uint8_t) number;
        sum += number;
    }
    put_float(data, factors + row * sizeof(float), step);
    put_float(data, factors + (all_rows + row) * sizeof(float), (float) sum);
}

static void
put_bf16_panel(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
               const float *values)
{
    data += panel_place(tensor, row);
    for (uint32_t i = 0; i < tensor->columns; i++) {
        uint16_t number = round_to_bf16(values[i]);

        memcpy(data + column_offset(i, 2, 2), &number, sizeof(number));
    }
}

static void
put_f32_panel(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
              const float *values)
{
    data += panel_place(tensor, row);
    for (uint32_t i = 0; i < tensor->columns; i++)
        put_float(data, column_offset(i, 1, 4), values[i]);
}

static void
put_bf16_row(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
             const float *values)
{
    data += (uint64_t) row * tensor->columns * sizeof(uint16_t);
    for (uint32_t i = 0; i < tensor->columns; i++) {
        uint16_t number = round_to_bf16(values[i]);

        memcpy(data + i * sizeof(number), &number, sizeof(number));
    }
}

void
ins_pack_put_row(const ins_pack_tensor *tensor, uint8_t *data, uint32_t row,
                 const float *values)
{
    size_t bytes = (size_t) tensor->columns * sizeof(float);

    switch (tensor->type) {
    case INS_TENSOR_INT8_ROWS:
        put_int8_row(tensor, data, row, values);
        break;
    case INS_TENSOR_INT8_PANELS:
        put_int8_panel(tensor, data, row, values);
        break;
    case INS_TENSOR_BF16_PANELS:
        put_bf16_panel(tensor, data, row, values);
        break;
    case INS_TENSOR_F32_PANELS:
        put_f32_panel(tensor, data, row, values);
        break;
    case INS_TENSOR_BF16_ROWS:
        put_bf16_row(tensor, data, row, values);
        break;
    default:
        memcpy(data + row * bytes, values, bytes);
        break;
    }
}

static bool
is_finite(const float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

ins_status
ins_pack_put_rows(const ins_pack_tensor *tensor, uint8_t *data,
                  const float *values, const ins_host *host, ins_error *error)
{
    size_t done = VALUES_PER_POLL;

    for (uint32_t row = 0; row < tensor->rows; row++) {
        if (done >= VALUES_PER_POLL) {
            INS_TRY(ins_poll(host, error));
            done = 0;
        }
        INS_CHECK(is_finite(values, tensor->columns), error, INS_INTERNAL,
                  "a weight is not a number");
        ins_pack_put_row(tensor, data, row, values);
        values += tensor->columns;
        done += tensor->columns;
    }
    return INS_OK;
}

/* ---- and back ------------------------------------------------------------ */

static float
get_float(const uint8_t *data, uint64_t offset)
{
    float value;

    memcpy(&value, data + offset, sizeof(value));
    return value;
}

static float
get_bf16(const uint8_t *data, uint64_t offset)
{
    uint16_t number;
    uint32_t bits;
    float value;

    memcpy(&number, data + offset, sizeof(number));
    bits = (uint32_t) number << 16;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void
get_int8_row(const ins_pack_tensor *tensor, const uint8_t *data, uint32_t row,
             float *values)
{
    bool is_panel = tensor->type == INS_TENSOR_INT8_PANELS;
    uint64_t factors =
        ins_pack_factors_offset(tensor->type, tensor->rows, tensor->columns);
    uint64_t place =
        is_panel ? panel_place(tensor, row) : (uint64_t) row * tensor->columns;
    float factor = get_float(data, factors + row * sizeof(float));

    for (uint32_t i = 0; i < tensor->columns; i++) {
        uint64_t offset = is_panel ? column_offset(i, 4, 1) : i;

        values[i] = (float) (int8_t) data[place + offset] * factor;
    }
}

void
ins_pack_get_row(const ins_pack_tensor *tensor, const uint8_t *data,
                 uint32_t row, float *values)
{
    uint64_t first = (uint64_t) row * tensor->columns;
    uint64_t place = panel_place(tensor, row);

    switch (tensor->type) {
    case INS_TENSOR_INT8_ROWS:
    case INS_TENSOR_INT8_PANELS:
        get_int8_row(tensor, data, row, values);
        break;
    case INS_TENSOR_BF16_PANELS:
        for (uint32_t i = 0; i < tensor->columns; i++)
            values[i] = get_bf16(data, place + column_offset(i, 2, 2));
        break;
    case INS_TENSOR_F32_PANELS:
        for (uint32_t i = 0; i < tensor->columns; i++)
            values[i] = get_float(data, place + column_offset(i, 1, 4));
        break;
    case INS_TENSOR_BF16_ROWS:
        for (uint32_t i = 0; i < tensor->columns; i++)
            values[i] = get_bf16(data, (first + i) * sizeof(uint16_t));
        break;
    default:
        memcpy(values, data + first * sizeof(float),
               tensor->columns * sizeof(float));
        break;
    }
}
