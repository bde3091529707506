/*
 * random.h - a small generator of reproducible numbers.
 *
 * Source: SplitMix64 (Steele, Lea & Flood 2014).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_RANDOM_H
#define INS_RANDOM_H

#include <stdint.h>

#define INS_RANDOM_STEP 0x9E3779B97F4A7C15u

/* The number of a state, for those who make states of their own. */
static inline uint64_t
ins_random_mix(uint64_t bits)
{
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
    return bits ^ bits >> 31;
}

static inline uint64_t
ins_random_next(uint64_t *state)
{
    return ins_random_mix(*state += INS_RANDOM_STEP);
}

/* 0 <= number < limit; limit >= 1, far below 2^64, so that the modulus is
 * even enough. */
static inline uint64_t
ins_random_below(uint64_t *state, uint64_t limit)
{
    return ins_random_next(state) % limit;
}

/* -1 <= number < 1 */
static inline float
ins_random_symmetric(uint64_t *state)
{
    return (float) (int32_t) (ins_random_next(state) >> 40) / 8388608.0f - 1.0f;
}

#endif
