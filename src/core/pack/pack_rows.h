/*
 * pack_rows.h - rows of a matrix into the layout of a tensor, and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_ROWS_H
#define INS_PACK_ROWS_H

#include "base/memory.h"
#include "pack/pack_format.h"

/*
 * Stores values, [tensor->columns] and finite, as row number row of the
 * tensor, whose bytes begin at data and were zero.  bf16 is rounded to
 * nearest, ties to even; int8 is symmetric: the row's largest magnitude
 * becomes 127.  Equal values give equal bytes on every machine.
 */
void ins_pack_put_row(const ins_pack_tensor *tensor, uint8_t *data,
                      uint32_t row, const float *values);
/* All of them: values, [tensor->rows][tensor->columns].  Polls.  Errors:
 * CANCELLED; INTERNAL when a value is not finite. */
ins_status ins_pack_put_rows(const ins_pack_tensor *tensor, uint8_t *data,
                             const float *values, const ins_host *host,
                             ins_error *error);
/* The other way: values, [tensor->columns], become the floats that the row's
 * numbers stand for.  Exact for f32 and bf16; int8 is number * factor. */
void ins_pack_get_row(const ins_pack_tensor *tensor, const uint8_t *data,
                      uint32_t row, float *values);

#endif
