/*
 * hash.h - the seeded hash of vocabularies (FNV-1a with a finaliser).
 *
 * The hash is part of the pack format: changing it means a new pack version.
 * It can be continued: hash(seed, "##ing") equals
 * finish(add(add(start(seed), "##"), "ing")).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_HASH_H
#define INS_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t
ins_hash_start(uint32_t seed)
{
    return 2166136261u ^ seed;
}

static inline uint32_t
ins_hash_add(uint32_t state, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        state = (state ^ (uint8_t) bytes[i]) * 16777619u;
    return state;
}

static inline uint32_t
ins_hash_finish(uint32_t state)
{
    state ^= state >> 16;
    state *= 0x7feb352du;
    state ^= state >> 15;
    state *= 0x846ca68bu;
    return state ^ state >> 16;
}

#endif
