/*
 * repeats.c - finds equal texts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "batching/repeats.h"

#include <string.h>

/* Of a longer text its beginning and its end are hashed; all of it is
 * compared. */
#define HASHED_BYTES ((size_t) 256)

void
ins_repeats_reserve(ins_arena *arena)
{
    ins_arena_reserve(arena, INS_REPEAT_SETS,
                      INS_REPEAT_WAYS * sizeof(ins_seen_text));
}

void
ins_repeats_take(ins_repeats *repeats, ins_arena *arena)
{
    repeats->sets = ins_arena_take(arena, INS_REPEAT_SETS,
                                   INS_REPEAT_WAYS * sizeof(ins_seen_text));
}

void
ins_repeats_clear(ins_repeats *repeats)
{
    memset(repeats->sets, 0, INS_REPEAT_SETS * sizeof(repeats->sets[0]));
}

/* FNV-1a over eight bytes at a time; only texts of one run meet. */
static uint64_t
add_bytes(uint64_t hash, const char *data, size_t size)
{
    while (size > 0) {
        size_t step = size < sizeof(uint64_t) ? size : sizeof(uint64_t);
        uint64_t word = 0;

        memcpy(&word, data, step);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 32;
        data += step;
        size -= step;
    }
    return hash * 0x9e3779b97f4a7c15u;
}

static uint64_t
hash_text(ins_text text)
{
    uint64_t hash = 0xcbf29ce484222325u ^ text.size;

    if (text.size <= 2 * HASHED_BYTES)
        return add_bytes(hash, text.data, text.size);
    hash = add_bytes(hash, text.data, HASHED_BYTES);
    return add_bytes(hash, text.data + text.size - HASHED_BYTES, HASHED_BYTES);
}

static bool
is_equal(ins_text a, ins_text b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

size_t
ins_repeats_find(ins_repeats *repeats, const ins_text *texts, size_t number)
{
    uint64_t hash = hash_text(texts[number]);
    ins_seen_text *set = repeats->sets[(hash >> 32) % INS_REPEAT_SETS];
    uint32_t rest = (uint32_t) hash;

    for (int way = 0; way < INS_REPEAT_WAYS && set[way].number != 0; way++)
        if (set[way].hash == rest &&
            is_equal(texts[set[way].number - 1], texts[number]))
            return set[way].number - 1;
    if (number < UINT32_MAX) {
        memmove(set + 1, set, (INS_REPEAT_WAYS - 1) * sizeof(set[0]));
        set[0] = (ins_seen_text){(uint32_t) number + 1, rest};
    }
    return number;
}
