/*
 * normalize.c - BertNormalizer as a stream.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unicode/normalize.h"

#include <string.h>
#include <utf8proc.h>

#include "pack/pack_format.h"
#include "unicode/classes.h"

/* The longest canonical decomposition in Unicode has 4 characters. */
#define MAX_DECOMPOSITION 8

#define CAPITAL_I_WITH_DOT 0x130
#define COMBINING_DOT      0x307

/* Letters of Unicode 16 and 17 whose lower case utf8proc 2.8 does not know. */
static const struct {
    uint32_t first;
    uint32_t last;
    uint32_t lower; /* of the first */
} young_letters[] = {
    {0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},
    {0xA7CC, 0xA7CC, 0xA7CD},    {0xA7CE, 0xA7CE, 0xA7CF},
    {0xA7D2, 0xA7D2, 0xA7D3},    {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},
    {0x10D50, 0x10D65, 0x10D70}, {0x16EA0, 0x16EB8, 0x16EBB},
};

static uint32_t
to_lower(uint32_t c)
{
    uint32_t lower = (uint32_t) utf8proc_tolower((utf8proc_int32_t) c);

    if (lower != c || c < young_letters[0].first)
        return lower;
    for (size_t i = 0; i < sizeof(young_letters) / sizeof(young_letters[0]);
         i++)
        if (c >= young_letters[i].first && c <= young_letters[i].last)
            return young_letters[i].lower + (c - young_letters[i].first);
    return c;
}

static void
emit(ins_normalizer *normalizer, ins_character character)
{
    if ((normalizer->flags & INS_TOKENIZER_LOWERCASE) == 0) {
        normalizer->sink(normalizer->sink_data, character);
        return;
    }
    /* The one character whose lower case is two. */
    if (character.code_point == CAPITAL_I_WITH_DOT) {
        character.code_point = 'i';
        normalizer->sink(normalizer->sink_data, character);
        character.code_point = COMBINING_DOT;
    } else {
        character.code_point = to_lower(character.code_point);
    }
    normalizer->sink(normalizer->sink_data, character);
}

static void
emit_waiting(ins_normalizer *normalizer)
{
    for (uint32_t i = 0; i < normalizer->waiting_count; i++)
        emit(normalizer, normalizer->waiting[i]);
    normalizer->waiting_count = 0;
}

void
ins_normalizer_flush(ins_normalizer *normalizer)
{
    emit_waiting(normalizer);
    normalizer->too_many = false;
}

/* Insertion from the back keeps marks of one class in their order. */
static void
wait_in_order(ins_normalizer *normalizer, ins_character mark,
              uint8_t combining_class)
{
    uint32_t at;

    if (normalizer->waiting_count == INS_MAX_WAITING_MARKS) {
        /* Sorting block after block would still take too long. */
        emit_waiting(normalizer);
        normalizer->too_many = true;
        emit(normalizer, mark);
        return;
    }
    at = normalizer->waiting_count++;
    while (at > 0 && normalizer->waiting_class[at - 1] > combining_class) {
        normalizer->waiting[at] = normalizer->waiting[at - 1];
        normalizer->waiting_class[at] = normalizer->waiting_class[at - 1];
        at--;
    }
    normalizer->waiting[at] = mark;
    normalizer->waiting_class[at] = combining_class;
}

/*
 * The reference decomposes as Unicode 12 does.  These are the characters with a
 * decomposition that came later, some as the block that they are in.
 */
static bool
is_young(uint32_t c)
{
    return c == 0x11938 || (c >= 0x105C0 && c <= 0x105FF) ||
           (c >= 0x11380 && c <= 0x113FF) || (c >= 0x16100 && c <= 0x1613F) ||
           (c >= 0x16D40 && c <= 0x16D7F);
}

/* Canonical decomposition; a character without one is its own. */
static utf8proc_ssize_t
decompose(uint32_t c, utf8proc_int32_t parts[MAX_DECOMPOSITION])
{
    int boundary = 0;
    utf8proc_ssize_t count = -1;

    if (!is_young(c))
        count = utf8proc_decompose_char((utf8proc_int32_t) c, parts,
                                        MAX_DECOMPOSITION, UTF8PROC_DECOMPOSE,
                                        &boundary);
    if (count >= 0 && count <= MAX_DECOMPOSITION)
        return count;
    parts[0] = (utf8proc_int32_t) c;
    return 1;
}

static void
strip_accents(ins_normalizer *normalizer, ins_character character)
{
    utf8proc_int32_t parts[MAX_DECOMPOSITION];
    utf8proc_ssize_t count = decompose(character.code_point, parts);

    for (utf8proc_ssize_t i = 0; i < count; i++) {
        uint32_t c = (uint32_t) parts[i];
        uint8_t combining_class = ins_combining_class(c);

        character.code_point = c;
        /* What is stripped bounds the reordering all the same. */
        if (combining_class == 0)
            ins_normalizer_flush(normalizer);
        if (ins_is_nonspacing_mark(c))
            continue;
        if (combining_class == 0 || normalizer->too_many)
            emit(normalizer, character);
        else
            wait_in_order(normalizer, character, combining_class);
    }
}

static void
add_clean(ins_normalizer *normalizer, ins_character character)
{
    if (normalizer->flags & INS_TOKENIZER_STRIP_ACCENTS &&
        character.code_point >= 0x80) {
        strip_accents(normalizer, character);
        return;
    }
    ins_normalizer_flush(normalizer);
    emit(normalizer, character);
}

void
ins_normalizer_add(ins_normalizer *normalizer, ins_character character)
{
    uint32_t c = character.code_point;

    if (normalizer->flags & INS_TOKENIZER_CLEAN) {
        if (c == 0 || c == 0xFFFD || ins_is_control(c))
            return;
        if (ins_is_whitespace(c))
            character.code_point = ' ';
    }
    if (normalizer->flags & INS_TOKENIZER_CHINESE && ins_is_chinese(c)) {
        ins_character space = {' ', character.start, character.end};

        add_clean(normalizer, space);
        add_clean(normalizer, character);
        add_clean(normalizer, space);
        return;
    }
    add_clean(normalizer, character);
}
