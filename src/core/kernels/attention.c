/*
 * attention.c - how much memory a head needs, at every level.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"
#include "kernels/lanes.h"

/* Rows of scores and shares, in floats. */
#define ROW_BUFFERS 6

size_t
ins_attention_scratch(size_t length, size_t size)
{
    size_t wide_length = whole_vectors(length);
    /* int16 keeps two numbers in the place of a float and pads to pairs of
     * vectors; f32 does neither. */
    size_t wide_size = 2 * whole_vectors((size + 1) / 2);

    return 2 * wide_length * wide_size + ROW_BUFFERS * wide_length;
}
