/*
 * levels.h - what the kernel tests share: the levels of this machine and
 * numbers that are the same in every run.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LEVELS_H
#define LEVELS_H

#include <stdint.h>

#include "kernels/kernels.h"

/* The next level that this machine runs, the scalar one included. */
static inline const ins_kernels *
kernels_at(size_t i)
{
    const char *level = ins_kernel_level(i);
    const ins_kernels *kernels = NULL;
    ins_error error;

    if (level != NULL)
        assert_int_equal(ins_kernels_select(level, &kernels, &error), INS_OK);
    return kernels;
}

static inline uint32_t
next_number(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* Between -scale and scale. */
static inline void
fill(float *values, size_t count, float scale)
{
    for (size_t i = 0; i < count; i++)
        values[i] = ((float) next_number() / 8388608.0f - 1.0f) * scale;
}

#endif
