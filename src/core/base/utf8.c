/*
 * utf8.c - strict UTF-8, one code point at a time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/utf8.h"

#include <string.h>

/* What a lead byte announces; the second byte's range excludes overlong forms,
 * surrogates and values above U+10FFFF (Unicode, table 3-7). */
struct lead {
    uint8_t length;
    uint8_t second_low;
    uint8_t second_high;
};

static struct lead
classify_lead(uint8_t byte)
{
    if (byte >= 0xC2 && byte <= 0xDF)
        return (struct lead){2, 0x80, 0xBF};
    if (byte == 0xE0)
        return (struct lead){3, 0xA0, 0xBF};
    if (byte == 0xED)
        return (struct lead){3, 0x80, 0x9F};
    if (byte >= 0xE1 && byte <= 0xEF)
        return (struct lead){3, 0x80, 0xBF};
    if (byte == 0xF0)
        return (struct lead){4, 0x90, 0xBF};
    if (byte >= 0xF1 && byte <= 0xF3)
        return (struct lead){4, 0x80, 0xBF};
    if (byte == 0xF4)
        return (struct lead){4, 0x80, 0x8F};
    return (struct lead){0, 0, 0};
}

size_t
ins_utf8_decode(const char *text, size_t size, uint32_t *code_point)
{
    const uint8_t *bytes = (const uint8_t *) text;
    struct lead lead;
    uint32_t value;

    if (bytes[0] < 0x80) {
        *code_point = bytes[0];
        return 1;
    }
    *code_point = INS_UTF8_INVALID;
    lead = classify_lead(bytes[0]);
    if (lead.length == 0 || size < 2 || bytes[1] < lead.second_low ||
        bytes[1] > lead.second_high)
        return 1;
    value = ((uint32_t) bytes[0] & (0x7Fu >> lead.length)) << 6;
    value |= bytes[1] & 0x3Fu;
    for (size_t i = 2; i < lead.length; i++) {
        if (i >= size || !ins_utf8_continues(text[i]))
            return i;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    *code_point = value;
    return lead.length;
}

/* Are eight bytes all from 1 to 0x7F?  One less than 0 borrows, which sets the
 * highest bit of a byte as those from 0x80 on have it. */
static bool
is_ascii_word(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return ((word | (word - ones)) & (ones << 7)) == 0;
}

bool
ins_utf8_is_text(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint32_t code_point;
        unsigned char byte = (unsigned char) text[at];

        /* Most bytes are ASCII. */
        if (size - at >= 8 && is_ascii_word(text + at)) {
            at += 8;
            continue;
        }
        if (byte >= 1 && byte < 0x80) {
            at++;
            continue;
        }
        at += ins_utf8_decode(text + at, size - at, &code_point);
        if (code_point == 0 || code_point == INS_UTF8_INVALID)
            return false;
    }
    return true;
}

size_t
ins_utf8_encode(uint32_t code_point, char out[INS_UTF8_MAX_BYTES])
{
    if (code_point < 0x80) {
        out[0] = (char) code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char) (0xC0 | code_point >> 6);
        out[1] = (char) (0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char) (0xE0 | code_point >> 12);
        out[1] = (char) (0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char) (0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char) (0xF0 | code_point >> 18);
    out[1] = (char) (0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char) (0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char) (0x80 | (code_point & 0x3F));
    return 4;
}
