/*
 * test_classes.c - character classes at the edges of their ranges.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unicode/classes.h"

#define LAST_CODE_POINT 0x10FFFFu

typedef bool (*character_class)(uint32_t code_point);

static void
assert_members(character_class is_member, const uint32_t *members, size_t count,
               bool expected)
{
    for (size_t i = 0; i < count; i++)
        if (is_member(members[i]) != expected)
            fail_msg("U+%04X", members[i]);
}

#define ALL_IN(class, ...)                                                     \
    assert_members(class, (const uint32_t[]){__VA_ARGS__},                     \
                   sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
                   true)
#define NONE_IN(class, ...)                                                    \
    assert_members(class, (const uint32_t[]){__VA_ARGS__},                     \
                   sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), \
                   false)

static uint32_t
count_members(character_class is_member)
{
    uint32_t count = 0;

    for (uint32_t c = 0; c <= LAST_CODE_POINT; c++)
        count += is_member(c);
    return count;
}

/* PropList.txt has 25 characters with White_Space, since Unicode 6.3. */
static void
test_whitespace(void **state)
{
    (void) state;
    assert_int_equal(count_members(ins_is_whitespace), 25);
    ALL_IN(ins_is_whitespace, '\t', '\v', ' ', 0x85, 0xA0, 0x2000, 0x200A,
           0x3000);
    NONE_IN(ins_is_whitespace, 0, 8, 14, 'a', 0x180E, 0x200B, 0xFEFF);
}

static void
test_control(void **state)
{
    (void) state;
    ALL_IN(ins_is_control, 0, 1, 8, 0x0B, 0x1F, 0x7F, 0x80, 0x9F, 0xAD, 0x200B,
           0x200D, 0xD800, 0xE000, 0xFEFF, 0xE0001, 0x10FFFD);
    NONE_IN(ins_is_control, '\t', '\n', '\r', ' ', '~', 0xA0, 0xE9, 0x378,
            0xFFFD);
}

static void
test_punctuation(void **state)
{
    uint32_t ascii = 0;

    (void) state;
    for (uint32_t c = 0; c < 0x80; c++)
        ascii += ins_is_punctuation(c);
    assert_int_equal(ascii, 32);
    ALL_IN(ins_is_punctuation, '$', '^', '`', '|', '~', 0xA1, 0xBF, 0x2014,
           0x3002, 0xFF01);
    NONE_IN(ins_is_punctuation, ' ', '0', 'a', 0x7F, 0xA2, 0xA9, 0x20AC,
            0x1F600);
}

static void
test_chinese(void **state)
{
    (void) state;
    ALL_IN(ins_is_chinese, 0x4E00, 0x9FFF, 0x3400, 0x4DBF, 0xF900, 0xFAFF,
           0x20000, 0x2A6DF, 0x2B920, 0x2FA1F);
    NONE_IN(ins_is_chinese, 0x33FF, 0x4DC0, 0x4DFF, 0xA000, 0x3042, 0xAC00,
            0x2A6E0, 0x2B820, 0x2FA20);
}

static void
test_marks_and_word_characters(void **state)
{
    (void) state;
    ALL_IN(ins_is_nonspacing_mark, 0x300, 0x36F, 0x5B0, 0x94D, 0xFE0F);
    NONE_IN(ins_is_nonspacing_mark, 'a', 0x903, 0x20DD, 0xE9);
    ALL_IN(ins_is_word_character, 'a', 'Z', '0', '_', 0xE9, 0x301, 0x903,
           0x20DD, 0x203F, 0x4E00, 0x200D);
    NONE_IN(ins_is_word_character, ' ', '-', '.', 0xB2, 0x20AC, 0x200B);
}

static void
test_classes_do_not_overlap(void **state)
{
    (void) state;
    for (uint32_t c = 0; c <= LAST_CODE_POINT; c++) {
        int classes = ins_is_punctuation(c) + ins_is_chinese(c) +
                      ins_is_nonspacing_mark(c) +
                      (ins_is_control(c) || ins_is_whitespace(c));

        if (classes > 1)
            fail_msg("U+%04X", c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whitespace),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_punctuation),
        cmocka_unit_test(test_chinese),
        cmocka_unit_test(test_marks_and_word_characters),
        cmocka_unit_test(test_classes_do_not_overlap),
    };

    return cmocka_run_group_tests_name("classes", tests, NULL, NULL);
}
