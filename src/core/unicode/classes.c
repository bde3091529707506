/*
 * classes.c - character classes over the reference's tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unicode/classes.h"

#include <stddef.h>
#include <utf8proc.h>

#include "unicode/class_ranges.h"

bool
ins_is_whitespace(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 0x09 && c <= 0x0D);
    return c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool
is_in(const ins_code_range *ranges, size_t count, uint32_t c)
{
    size_t low = 0;
    size_t high = count;

    /* Looks for the first range that does not end before c. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].first <= c;
}

#define IS_IN(ranges, c) is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), c)

bool
ins_is_control(uint32_t c)
{
    if (c == '\t' || c == '\n' || c == '\r')
        return false;
    if (c < 0x80)
        return c < 0x20 || c == 0x7F;
    return (c >= 0xD800 && c <= 0xDFFF) || IS_IN(control_ranges, c);
}

bool
ins_is_punctuation(uint32_t c)
{
    if (c < 0x80)
        return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) ||
               (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return IS_IN(punctuation_ranges, c);
}

bool
ins_is_chinese(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } blocks[] = {
        {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF},
        {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF},
        {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F},
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (c >= blocks[i].first && c <= blocks[i].last)
            return true;
    return false;
}

bool
ins_is_nonspacing_mark(uint32_t c)
{
    return c >= 0x300 && IS_IN(mark_ranges, c);
}

uint8_t
ins_combining_class(uint32_t c)
{
    /* Marks of Unicode 9 that are not among the non-spacing ones of 8. */
    static const struct {
        uint32_t first;
        uint32_t last;
        uint8_t combining_class;
    } others[] = {
        {0x8D4, 0x8E1, 230},     {0x1B44, 0x1B44, 9},
        {0x1BAA, 0x1BAA, 9},     {0x1BF2, 0x1BF3, 9},
        {0x1DFB, 0x1DFB, 230},   {0x302E, 0x302F, 224},
        {0xA953, 0xA953, 9},     {0xA9C0, 0xA9C0, 9},
        {0x111C0, 0x111C0, 9},   {0x11235, 0x11235, 9},
        {0x1134D, 0x1134D, 9},   {0x11442, 0x11442, 9},
        {0x11446, 0x11446, 7},   {0x116B6, 0x116B6, 9},
        {0x11C3F, 0x11C3F, 9},   {0x1D165, 0x1D166, 216},
        {0x1D16D, 0x1D16D, 226}, {0x1D16E, 0x1D172, 216},
        {0x1E000, 0x1E006, 230}, {0x1E008, 0x1E018, 230},
        {0x1E01B, 0x1E021, 230}, {0x1E023, 0x1E024, 230},
        {0x1E026, 0x1E02A, 230}, {0x1E944, 0x1E949, 230},
        {0x1E94A, 0x1E94A, 7},
    };

    if (ins_is_nonspacing_mark(c))
        return (uint8_t) utf8proc_get_property((utf8proc_int32_t) c)
            ->combining_class;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (c >= others[i].first && c <= others[i].last)
            return others[i].combining_class;
    return 0;
}

bool
ins_is_word_character(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t) c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        /* Joiners, and the circled and squared letters. */
        return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) ||
               (c >= 0x1F130 && c <= 0x1F149) ||
               (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
    }
}
