/*
 * checked.h - the only arithmetic allowed on sizes that come from outside.
 *
 * Each function stores the exact result and returns true, or returns false
 * when it does not fit (and stores nothing that may be used), but where it says
 * otherwise.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CHECKED_H
#define INS_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
ins_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* The sum for limits that are only compared: UINT64_MAX when it does not
 * fit. */
static inline uint64_t
ins_add_capped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t
ins_smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t
ins_larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline bool
ins_mul_u64(uint64_t a, uint64_t b, uint64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* alignment: a power of two. */
static inline bool
ins_align_u64(uint64_t value, uint64_t alignment, uint64_t *aligned)
{
    if (__builtin_add_overflow(value, alignment - 1, aligned))
        return false;
    *aligned &= ~(alignment - 1);
    return true;
}

static inline bool
ins_to_size(uint64_t value, size_t *size)
{
    *size = (size_t) value;
    return *size == value;
}

/* Is [offset, offset + length) inside [0, size)? */
static inline bool
ins_range_inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

#endif
