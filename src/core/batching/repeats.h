/*
 * repeats.h - which texts of a run have the same bytes as an earlier one.
 *
 * A fixed table remembers the last few thousand different texts; one that was
 * forgotten is computed again, which costs time and changes nothing.  No input
 * makes a look-up slow: a place in the table has eight ways.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_REPEATS_H
#define INS_REPEATS_H

#include "base/memory.h"

#define INS_REPEAT_SETS 512 /* a power of two */
#define INS_REPEAT_WAYS 8   /* together a cache line */

typedef struct ins_seen_text {
    uint32_t number; /* in the run, from 1; 0 = none */
    uint32_t hash;
} ins_seen_text;

typedef struct ins_repeats {
    ins_seen_text (*sets)[INS_REPEAT_WAYS]; /* [INS_REPEAT_SETS] */
} ins_repeats;

/* As those of chunk.h. */
void ins_repeats_reserve(ins_arena *arena);
void ins_repeats_take(ins_repeats *repeats, ins_arena *arena);

/* Forgets the texts of the run before. */
void ins_repeats_clear(ins_repeats *repeats);
/*
 * The number of an earlier text with the bytes of texts[number], or number
 * itself, which is then remembered.
 */
size_t ins_repeats_find(ins_repeats *repeats, const ins_text *texts,
                        size_t number);

#endif
