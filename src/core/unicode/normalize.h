/*
 * normalize.h - BertNormalizer as a stream: text bytes in, characters out,
 * each with the bytes it came from.
 *
 * Per character: drop controls and unify spaces; put spaces around CJK
 * ideographs; decompose (NFD) and drop non-spacing marks; lower-case.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_NORMALIZE_H
#define INS_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A normalised character and the bytes [start, end) of the text behind it. */
typedef struct ins_character {
    uint32_t code_point;
    uint32_t start;
    uint32_t end;
} ins_character;

/* Takes the characters in order; may ignore them, cannot fail. */
typedef void (*ins_character_sink)(void *sink, ins_character character);

/*
 * Combining marks that survive (class Mc, mostly) wait here until the next
 * base character, in canonical order.  More of them than this belong to a word
 * that is too long for any vocabulary; their order no longer matters.
 */
#define INS_MAX_WAITING_MARKS 1024

typedef struct ins_normalizer {
    uint32_t flags; /* enum ins_tokenizer_flags of pack_format.h */
    ins_character_sink sink;
    void *sink_data;
    bool too_many; /* marks follow that are not put in order */
    uint32_t waiting_count;
    ins_character waiting[INS_MAX_WAITING_MARKS];
    uint8_t waiting_class[INS_MAX_WAITING_MARKS];
} ins_normalizer;

/* Feeds one character of the text; U+FFFD stands for malformed bytes. */
void ins_normalizer_add(ins_normalizer *normalizer, ins_character character);
/* Ends a stretch of text: lets go of what waits. */
void ins_normalizer_flush(ins_normalizer *normalizer);

#endif
