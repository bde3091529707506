/*
 * test_utf8.c - every code point, and malformed bytes as maximal subparts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define LAST_CODE_POINT 0x10FFFFu

static bool
is_scalar(uint32_t c)
{
    return c <= LAST_CODE_POINT && (c < 0xD800 || c > 0xDFFF);
}

static void
test_every_scalar_value_survives(void **state)
{
    (void) state;
    for (uint32_t c = 0; c <= LAST_CODE_POINT; c++) {
        char bytes[INS_UTF8_MAX_BYTES];
        size_t length;
        uint32_t back;

        if (!is_scalar(c))
            continue;
        length = ins_utf8_encode(c, bytes);
        assert_int_equal(length, c < 0x80      ? 1
                                 : c < 0x800   ? 2
                                 : c < 0x10000 ? 3
                                               : 4);
        assert_int_equal(ins_utf8_decode(bytes, length, &back), length);
        assert_int_equal(back, c);
        /* Cut short it is one malformed sequence, as long as what is left. */
        for (size_t cut = 1; cut < length; cut++) {
            assert_int_equal(ins_utf8_decode(bytes, cut, &back), cut);
            assert_int_equal(back, INS_UTF8_INVALID);
        }
    }
}

struct malformed {
    const char *bytes;
    size_t size;
    size_t length; /* of the first maximal subpart */
};

static void
test_malformed_has_the_length_of_its_subpart(void **state)
{
    static const struct malformed cases[] = {
        {"\x80", 1, 1},
        {"\xBF\xBF", 2, 1},
        {"\xC0\x80", 2, 1},
        {"\xC1\xBF", 2, 1},
        {"\xE0\x80\x80", 3, 1},
        {"\xE0\x9F\xBF", 3, 1},
        {"\xED\xA0\x80", 3, 1},
        {"\xED\xBF\xBF", 3, 1},
        {"\xF0\x80\x80\x80", 4, 1},
        {"\xF4\x90\x80\x80", 4, 1},
        {"\xF5\x80\x80\x80", 4, 1},
        {"\xFE", 1, 1},
        {"\xFF", 1, 1},
        {"\xC3z", 2, 1},
        {"\xE2\x82z", 3, 2},
        {"\xF0\x9F\x98z", 4, 3},
        {"\xF0\x9Fz", 3, 2},
        {"\xE2\xE2\x82\xAC", 4, 1},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t code_point;

        assert_int_equal(
            ins_utf8_decode(cases[i].bytes, cases[i].size, &code_point),
            cases[i].length);
        assert_int_equal(code_point, INS_UTF8_INVALID);
    }
}

/* All texts of three bytes: no read beyond, progress, what decodes encodes. */
static void
test_every_three_bytes(void **state)
{
    (void) state;
    for (uint32_t n = 0; n < 1u << 24; n++) {
        char bytes[3] = {(char) (n >> 16), (char) (n >> 8), (char) n};
        char back[INS_UTF8_MAX_BYTES];
        uint32_t c;
        size_t length = ins_utf8_decode(bytes, sizeof(bytes), &c);

        if (length < 1 || length > sizeof(bytes))
            fail();
        if (c == INS_UTF8_INVALID)
            continue;
        if (!is_scalar(c) || ins_utf8_encode(c, back) != length ||
            memcmp(back, bytes, length) != 0)
            fail();
    }
}

/* Wherever it stands, one byte decides; what comes before is looked at eight
 * bytes at a time. */
static void
test_text_is_told_from_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_text;
    } cases[] = {
        {"\x01", 1, true},
        {"\x7F", 1, true},
        {"\0", 1, false},
        {"\x80", 1, false},
        {"\xC3\xA9", 2, true},
        {"\xC3", 1, false},
        {"\xFF", 1, false},
        {"\xC0\x80", 2, false},
        {"\xF0\x9F\x98\x80", 4, true},
    };
    char text[40];

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t at = 0; at <= 32; at++)
            for (size_t behind = 0; behind <= 4; behind++) {
                memset(text, 'a', sizeof(text));
                memcpy(text + at, cases[i].bytes, cases[i].size);
                assert_int_equal(
                    ins_utf8_is_text(text, at + cases[i].size + behind),
                    cases[i].is_text);
            }
    assert_true(ins_utf8_is_text("", 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scalar_value_survives),
        cmocka_unit_test(test_malformed_has_the_length_of_its_subpart),
        cmocka_unit_test(test_every_three_bytes),
        cmocka_unit_test(test_text_is_told_from_bytes),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
