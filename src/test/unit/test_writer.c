/*
 * test_writer.c - numbers read back as they were, in the fewest digits; texts
 * are escaped; failures are kept.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "tiny_model.h"

#define RANDOM_NUMBERS 50000

/* ---- numbers ------------------------------------------------------------- */

static void
test_forms(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {10, "10"},
        {123456789, "123456789"},
        {0.1, "0.1"},
        {0.5, "0.5"},
        {2.0 / 3, "0.6666666666666666"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {0.000001, "0.000001"},
        {0.0000001, "1e-7"},
        {1.5e-9, "1.5e-9"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.25e22, "1.25e+22"},
        {1e23, "1e+23"},
        {9007199254740993.0, "9007199254740992"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_TRUE_MIN, "5e-324"},
        {1 - DBL_EPSILON / 2, "0.9999999999999999"},
    };
    char text[INS_NUMBER_TEXT_BYTES];

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = ins_number_text(cases[i].value, text);

        assert_true(size < sizeof(text));
        text[size] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static uint64_t random_state;

static uint64_t
random_bits(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state ^ random_state >> 29;
}

/* Counts the digits without leading and trailing zeros. */
static int
count_digits(const char *text)
{
    int count = 0;
    int zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        count += count > 0 || *text != '0';
    }
    return count > zeros ? count - zeros : count;
}

static void
check_number(double value)
{
    char text[INS_NUMBER_TEXT_BYTES];
    char shorter[64];
    size_t size = ins_number_text(value, text);
    int digits;

    assert_true(size < sizeof(text));
    text[size] = '\0';
    if (strtod(text, NULL) != value)
        fail_msg("%.17g is written as %s", value, text);
    digits = count_digits(text);
    assert_in_range(digits, 1, 17);
    if (digits == 1)
        return;
    snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
    if (strtod(shorter, NULL) == value)
        fail_msg("%s is shorter than %s", shorter, text);
}

static void
test_random_numbers(void **state)
{
    (void) state;
    random_state = 7;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        uint64_t bits = random_bits();
        double value;

        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value) && value != 0)
            check_number(value);
        /* What reports have. */
        check_number((double) (bits % 1000 + 1) /
                     (double) (random_bits() % 1000 + 1001));
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        check_number(ldexp(1, exponent));
        check_number(nextafter(ldexp(1, exponent), 0) + 0.0 != 0
                         ? nextafter(ldexp(1, exponent), 0)
                         : 1);
        check_number(nextafter(ldexp(1, exponent), INFINITY));
    }
}

/* ---- texts --------------------------------------------------------------- */

static void
open_writer(tiny_host *host, ins_writer *writer)
{
    tiny_host_open(host);
    ins_writer_open(writer, &host->host, NULL);
}

static void
check_text(tiny_host *host, ins_writer *writer, const char *expected)
{
    char *text;
    size_t size;

    assert_int_equal(ins_writer_finish(writer, &text, &size), INS_OK);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
    host->host.release(host, text);
    assert_int_equal(host->live_blocks, 0);
}

static void
test_empty_text(void **state)
{
    tiny_host host;
    ins_writer writer;

    (void) state;
    open_writer(&host, &writer);
    check_text(&host, &writer, "");
}

static void
test_numbers_in_a_text(void **state)
{
    tiny_host host;
    ins_writer writer;

    (void) state;
    open_writer(&host, &writer);
    ins_write_u64(&writer, 0);
    ins_write(&writer, " ");
    ins_write_u64(&writer, UINT64_MAX);
    ins_write(&writer, " ");
    ins_write_double(&writer, 0.25);
    ins_write(&writer, " ");
    ins_write_double(&writer, (double) NAN);
    ins_write(&writer, " ");
    ins_write_double(&writer, -(double) INFINITY);
    ins_write(&writer, " ");
    ins_write_fixed(&writer, 0.0625, 3);
    ins_write(&writer, " ");
    ins_write_fixed(&writer, 99.96, 1);
    ins_write(&writer, " ");
    ins_write_fixed(&writer, 2.5, 0);
    check_text(&host, &writer,
               "0 18446744073709551615 0.25 null null 0.063 100.0 3");
}

static void
test_json_texts(void **state)
{
    static const char bytes[] = "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\0z\xc3\xa4";
    tiny_host host;
    ins_writer writer;

    (void) state;
    open_writer(&host, &writer);
    ins_write_json_text(&writer, (ins_text){bytes, sizeof(bytes) - 1});
    ins_write_json_text(&writer, (ins_text){NULL, 0});
    check_text(&host, &writer,
               "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001F\x7f\\u0000z"
               "\xc3\xa4\"\"\"");
}

static void
write_html(ins_writer *writer, const char *text, size_t max_characters)
{
    ins_write_html_text(writer, (ins_text){text, strlen(text)}, max_characters);
    ins_write(writer, "|");
}

static void
test_html_texts(void **state)
{
    tiny_host host;
    ins_writer writer;

    (void) state;
    open_writer(&host, &writer);
    write_html(&writer, "<a href=\"x\" b='y'>&amp;", 100);
    write_html(&writer, "t\tn\nr\r\x01\x7f\xc2\x85\xff", 100);
    write_html(&writer, "\xc3\xa4\xf0\x9f\x99\x82xyz", 2);
    write_html(&writer, "\xc3\xa4\xc3\xa4", 2);
    ins_write_html_text(&writer, (ins_text){NULL, 0}, 1);
    check_text(&host, &writer,
               "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;|"
               "t n r &#xFFFD;&#xFFFD;&#xFFFD;&#xFFFD;|"
               "\xc3\xa4\xf0\x9f\x99\x82&hellip;|\xc3\xa4\xc3\xa4|");
}

/* ---- growing and failing ------------------------------------------------- */

static void
test_long_text(void **state)
{
    tiny_host host;
    ins_writer writer;
    char *text;
    size_t size;

    (void) state;
    open_writer(&host, &writer);
    for (int i = 0; i < 100000; i++)
        ins_write_bytes(&writer, "0123456789", 10);
    assert_int_equal(ins_writer_finish(&writer, &text, &size), INS_OK);
    assert_int_equal(size, 1000000);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(text[i], '0' + (int) (i % 10));
    assert_int_equal(text[size], '\0');
    /* Once per 64 kB. */
    assert_in_range(host.polls, 1000000 / 65536, 1000000 / 65536 + 1);
    host.host.release(&host, text);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_first_failure_is_kept(void **state)
{
    tiny_host host;
    ins_writer writer;
    ins_error error;
    char *text;
    size_t size;

    (void) state;
    for (size_t n = 1; n <= 8; n++) {
        tiny_host_open(&host);
        host.fail_at = n;
        ins_writer_open(&writer, &host.host, &error);
        for (int i = 0; i < 10000; i++)
            ins_write(&writer, "0123456789");
        assert_int_equal(ins_writer_finish(&writer, &text, &size),
                         INS_NO_MEMORY);
        assert_null(text);
        assert_int_equal(size, 0);
        /* Nothing was tried after it. */
        assert_int_equal(host.calls, n);
        assert_int_equal(host.live_blocks, 0);
    }
    tiny_host_open(&host);
    host.cancel_at = 2;
    ins_writer_open(&writer, &host.host, &error);
    for (int i = 0; i < 100000; i++)
        ins_write(&writer, "0123456789");
    assert_int_equal(ins_writer_finish(&writer, &text, &size), INS_CANCELLED);
    assert_int_equal(host.polls, 2);
    assert_int_equal(host.live_blocks, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_random_numbers),
        cmocka_unit_test(test_empty_text),
        cmocka_unit_test(test_numbers_in_a_text),
        cmocka_unit_test(test_json_texts),
        cmocka_unit_test(test_html_texts),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_first_failure_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
