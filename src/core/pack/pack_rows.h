/*
 * pack_rows.h - puts rows of a matrix into the layout of a tensor.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_ROWS_H
#define INS_PACK_ROWS_H

#include "pack/pack_format.h"

/*
 * Stores values, [tensor->columns] and finite, as row number row of the
 * tensor, whose bytes begin at data and were zero.  bf16 is rounded to
 * nearest, ties to even; int8 is symmetric: the row's largest magnitude
 * becomes 127.  Equal values give equal bytes on every machine.
 */
void ins_pack_put_row(const ins_pack_tensor *tensor, uint8_t *data,
                      uint32_t row, const float *values);

#endif
