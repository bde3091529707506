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
        character.code_point = (uint32_t) utf8proc_tolower(
            (utf8proc_int32_t) character.code_point);
    }
    normalizer->sink(normalizer->sink_data, character);
}

void
ins_normalizer_flush(ins_normalizer *normalizer)
{
    for (uint32_t i = 0; i < normalizer->waiting_count; i++)
        emit(normalizer, normalizer->waiting[i]);
    normalizer->waiting_count = 0;
}

/* Insertion from the back keeps marks of one class in their order. */
static void
wait_in_order(ins_normalizer *normalizer, ins_character mark,
              uint8_t combining_class)
{
    uint32_t at;

    if (normalizer->waiting_count == INS_MAX_WAITING_MARKS)
        ins_normalizer_flush(normalizer);
    at = normalizer->waiting_count++;
    while (at > 0 && normalizer->waiting_class[at - 1] > combining_class) {
        normalizer->waiting[at] = normalizer->waiting[at - 1];
        normalizer->waiting_class[at] = normalizer->waiting_class[at - 1];
        at--;
    }
    normalizer->waiting[at] = mark;
    normalizer->waiting_class[at] = combining_class;
}

static void
strip_accents(ins_normalizer *normalizer, ins_character character)
{
    utf8proc_int32_t parts[MAX_DECOMPOSITION];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(
        (utf8proc_int32_t) character.code_point, parts, MAX_DECOMPOSITION,
        UTF8PROC_DECOMPOSE, &boundary);

    if (count < 0 || count > MAX_DECOMPOSITION) {
        count = 1;
        parts[0] = (utf8proc_int32_t) character.code_point;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        const utf8proc_property_t *property = utf8proc_get_property(parts[i]);

        character.code_point = (uint32_t) parts[i];
        if (property->category == UTF8PROC_CATEGORY_MN)
            continue;
        if (property->combining_class != 0) {
            wait_in_order(normalizer, character,
                          (uint8_t) property->combining_class);
            continue;
        }
        ins_normalizer_flush(normalizer);
        emit(normalizer, character);
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
