/*
 * attention.c - how much memory a head needs, at every level.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* Rows of scores and shares, and a key on its way, in floats. */
#define ROW_BUFFERS 8

size_t
ins_attention_scratch(size_t length, size_t size)
{
    size_t wide_length = (length + LANES - 1) / LANES * LANES;
    size_t wide_size = (size + LANES - 1) / LANES * LANES;

    /* f32: keys and values; int16 needs three quarters of that. */
    return 2 * wide_length * wide_size + ROW_BUFFERS * wide_length + wide_size;
}
