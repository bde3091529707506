/*
 * test_status.c - the formatter: numbers, escapes, cutting; errors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/status.h"

#define SMALL 8

static void
test_numbers(void **state)
{
    char out[256];
    size_t length;

    (void) state;
    length = ins_format(out, sizeof(out), "%d %d %d %u %zu %lld %llu %%", 0,
                        INT32_MIN, INT32_MAX, UINT32_MAX, SIZE_MAX,
                        (long long) INT64_MIN, (unsigned long long) UINT64_MAX);
    assert_string_equal(out, "0 -2147483648 2147483647 4294967295 "
                             "18446744073709551615 -9223372036854775808 "
                             "18446744073709551615 %");
    assert_int_equal(length, strlen(out));
}

static void
test_strings_and_precision(void **state)
{
    const char unterminated[3] = {'a', 'b', 'c'};
    char out[64];

    (void) state;
    ins_format(out, sizeof(out), "[%s][%.*s][%.*s][%.*s][%c]", "x", 2,
               unterminated, 3, unterminated, 0, unterminated, 'y');
    assert_string_equal(out, "[x][ab][abc][][y]");
    ins_format(out, sizeof(out), "%.*s", 9, "a\0b");
    assert_string_equal(out, "a");
}

static void
test_controls_and_malformed_bytes_are_escaped(void **state)
{
    char out[128];

    (void) state;
    ins_format(out, sizeof(out), "%s", "a\x1b[31m\n\t\x7f");
    assert_string_equal(out, "a\\x1b[31m\\x0a\\x09\\x7f");
    ins_format(out, sizeof(out), "%s", "\xC2\x9B|\xFF|\xE2\x82|\xC3\xA9");
    assert_string_equal(out, "\\xc2\\x9b|\\xff|\\xe2\\x82|\xC3\xA9");
    ins_format(out, sizeof(out), "%c", '\x01');
    assert_string_equal(out, "\\x01");
}

static void
test_cut_at_the_end_of_the_buffer(void **state)
{
    char out[SMALL];

    (void) state;
    assert_int_equal(ins_format(out, SMALL, "%s", "1234567"), 7);
    assert_string_equal(out, "1234567");
    assert_int_equal(ins_format(out, SMALL, "%s", "123456789"), 7);
    assert_string_equal(out, "1234567");
    /* A character or an escape stays out as a whole. */
    assert_int_equal(ins_format(out, SMALL, "%s", "123456\xC3\xA9"), 6);
    assert_string_equal(out, "123456");
    assert_int_equal(ins_format(out, SMALL, "%s", "1234\n"), 4);
    assert_string_equal(out, "1234");
    assert_int_equal(ins_format(out, 1, "%s", "x"), 0);
    assert_string_equal(out, "");
    out[0] = 'k';
    assert_int_equal(ins_format(out, 0, "%s", "x"), 0);
    assert_int_equal(out[0], 'k');
}

static void
test_fail_fills_the_error(void **state)
{
    ins_error error;

    (void) state;
    memset(&error, 'x', sizeof(error));
    assert_int_equal(ins_fail(&error, INS_NOT_FOUND, "no \"%s\"", "it"),
                     INS_NOT_FOUND);
    assert_int_equal(error.status, INS_NOT_FOUND);
    assert_string_equal(error.message, "no \"it\"");
    assert_string_equal(error.detail, "");
    assert_string_equal(error.hint, "");
    ins_fail_detail(&error, "Detail %d.", 1);
    ins_fail_hint(&error, "Hint %d.", 2);
    assert_string_equal(error.detail, "Detail 1.");
    assert_string_equal(error.hint, "Hint 2.");
}

static void
test_fail_takes_no_error(void **state)
{
    (void) state;
    assert_int_equal(ins_fail(NULL, INS_INTERNAL, "x"), INS_INTERNAL);
    ins_fail_detail(NULL, "x");
    ins_fail_hint(NULL, "x");
    assert_int_equal(ins_fail_no_memory(NULL, 1), INS_NO_MEMORY);
    assert_int_equal(ins_fail_cancelled(NULL), INS_CANCELLED);
}

static void
test_long_arguments_fit_every_field(void **state)
{
    static char text[4096];
    ins_error error;

    (void) state;
    memset(text, 'y', sizeof(text) - 1);
    ins_fail(&error, INS_INTERNAL, "%s", text);
    ins_fail_detail(&error, "%s", text);
    ins_fail_hint(&error, "%s", text);
    assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
    assert_int_equal(strlen(error.detail), sizeof(error.detail) - 1);
    assert_int_equal(strlen(error.hint), sizeof(error.hint) - 1);
}

static void
test_every_status_has_a_text(void **state)
{
    (void) state;
    for (int i = 0; i < INS_STATUS_COUNT; i++)
        assert_true(strlen(ins_status_text((ins_status) i)) > 0);
    assert_string_equal(ins_status_text(INS_STATUS_COUNT), "unknown status");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings_and_precision),
        cmocka_unit_test(test_controls_and_malformed_bytes_are_escaped),
        cmocka_unit_test(test_cut_at_the_end_of_the_buffer),
        cmocka_unit_test(test_fail_fills_the_error),
        cmocka_unit_test(test_fail_takes_no_error),
        cmocka_unit_test(test_long_arguments_fit_every_field),
        cmocka_unit_test(test_every_status_has_a_text),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
