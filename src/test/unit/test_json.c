/*
 * test_json.c - the JSON parser and the typed reading of fields.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/json.h"

#define MANY ((uint64_t) 1 << 20)

/* A copy of exactly the text's size, so that a read past it is seen. */
static json_t *
parse(const char *text, ins_json_failure *failure)
{
    size_t size = strlen(text);
    char *copy = malloc(size > 0 ? size : 1);
    json_t *json;

    assert_non_null(copy);
    memcpy(copy, text, size);
    json = ins_json_parse((ins_text){copy, size}, MANY, false, NULL, failure);
    free(copy);
    return json;
}

static void
test_accepted(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "\t{ \"a\" : [ 1 , 2 ] }\r\n",
        "[0,-0,-1,10,9223372036854775807,-9223372036854775808]",
        "[0.5,1e3,1E+3,1e-3,-0.0,1.25e2,1e-400]",
        "[\"\",\"a\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e4\\u20AC\"]",
        "[\"\\ud83d\\ude00\",\"\xF0\x9F\x98\x80\",\"\x7F\"]",
        "[true,false,null,[[]],{\"a\":{}}]",
        "{\"\":1,\"a\":2}",
    };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ins_json_failure failure;
        json_t *json = parse(texts[i], &failure);
        json_t *reference = json_loads(texts[i], JSON_REJECT_DUPLICATES, NULL);

        if (json == NULL)
            print_error("%s: %s\n", texts[i], failure.problem);
        assert_non_null(json);
        assert_non_null(reference);
        assert_true(json_equal(json, reference));
        json_decref(json);
        json_decref(reference);
    }
}

static void
test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "1",
        "\"a\"",
        "null",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1}}",
        "[]]",
        "[] x",
        "[}",
        "{]",
        "[01]",
        "[-]",
        "[+1]",
        "[.5]",
        "[1.]",
        "[1e]",
        "[1e+]",
        "[0x1]",
        "[NaN]",
        "[Infinity]",
        "[nul]",
        "[True]",
        "[1e400]",
        "[-1e400]",
        "[9223372036854775808]",
        "[-9223372036854775809]",
        "[99999999999999999999]",
        "[\"]",
        "[\"\\\"]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\u12g4\"]",
        "[\"\\u0000\"]",
        "[\"\\ud800\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\\udc00\"]",
        "[\"\\ud800\\\"]",
        "[\"\n\"]",
        "[\"\x80\"]",
        "[\"\xC0\x80\"]",
        "[\"\xED\xA0\x80\"]",
        "[\"\xF4\x90\x80\x80\"]",
        "[\"\xE2\x82\"]",
        "\xEF\xBB\xBF[]",
        "[/**/]",
        "[1]//",
        "{\"a\":1,\"a\":2}",
        "{\"w\":1,\"\\u0077\":2}",
    };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ins_json_failure failure = {NULL, INS_OK, 0};
        json_t *json = parse(texts[i], &failure);

        if (json != NULL)
            print_error("accepted: %s\n", texts[i]);
        assert_null(json);
        assert_int_equal(failure.status, INS_BAD_SOURCE);
        assert_non_null(failure.problem);
        assert_true(failure.offset <= strlen(texts[i]));
    }
}

/* Valgrind computes long double as double; so do some machines. */
static bool
has_wide_long_double(void)
{
    volatile long double one = 1.0L;
    volatile long double sum = one + 0x1p-60L;

    return sum != one;
}

static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } numbers[] = {
        {"[1e-12]", 1e-12},
        {"[0.1]", 0.1},
        {"[1e-05]", 1e-5},
        {"[1.5e300]", 1.5e300},
        {"[-2.5]", -2.5},
        {"[1e22]", 1e22},
        {"[0e999999999]", 0},
        {"[1e-9999999]", 0},
        {"[123456789.125]", 123456789.125},
        {"[0.00000000000000000000000000001]", 1e-29},
    };

    (void) state;
    if (!has_wide_long_double())
        skip();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        ins_json_failure failure;
        json_t *json = parse(numbers[i].text, &failure);
        double value = json_real_value(json_array_get(json, 0));
        double scale =
            numbers[i].value < 0 ? -numbers[i].value : numbers[i].value;

        assert_non_null(json);
        assert_true(value - numbers[i].value <= scale * 3e-16 &&
                    numbers[i].value - value <= scale * 3e-16);
        json_decref(json);
    }
}

/* model_max_length is written so when nobody has set it. */
static void
test_huge_integer_as_real(void **state)
{
    static const char text[] =
        "[1000000000000000019884624838656,-9223372036854775809,"
        "-9223372036854775808]";
    ins_json_failure failure;
    json_t *json = ins_json_parse((ins_text){text, sizeof(text) - 1}, MANY,
                                  true, NULL, &failure);

    (void) state;
    assert_non_null(json);
    assert_true(json_real_value(json_array_get(json, 0)) > 0.999e30);
    assert_true(json_real_value(json_array_get(json, 1)) == -0x1p63);
    assert_true(json_is_integer(json_array_get(json, 2)));
    json_decref(json);
}

static void
test_depth(void **state)
{
    char text[80] = {0};
    ins_json_failure failure;
    json_t *json;

    (void) state;
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    json = parse(text, &failure);
    assert_non_null(json);
    json_decref(json);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    assert_null(parse(text, &failure));
    assert_string_equal(failure.problem, "nested deeper than 32 levels");
}

static void
test_value_limit(void **state)
{
    const ins_text text = {"{\"a\":[1,2]}", 11};
    ins_json_failure failure;
    json_t *json = ins_json_parse(text, 5, false, NULL, &failure);

    (void) state;
    assert_non_null(json);
    json_decref(json);
    assert_null(ins_json_parse(text, 4, false, NULL, &failure));
    assert_int_equal(failure.status, INS_LIMIT_EXCEEDED);
}

/* Every prefix of a text that has all there is. */
static void
test_every_prefix(void **state)
{
    static const char text[] =
        "{\"a\":[1,-2.5e+3,\"x\\n\\u00e4\\ud83d\\ude00\xC3\xA4\",true,false,"
        "null,{\"b\":[]}]}";

    (void) state;
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        ins_json_failure failure;
        char copy[sizeof(text)] = {0};

        memcpy(copy, text, size);
        assert_null(parse(copy, &failure));
    }
}

static bool
is_cancelled(void *user)
{
    (void) user;
    return true;
}

static void
test_cancel(void **state)
{
    static const ins_json_limits limits = {1 << 20, MANY, false};
    const ins_host host = {.cancelled = is_cancelled};
    ins_json json = {"f.json", "", INS_BAD_SOURCE, NULL};
    char text[20000];
    ins_error error;

    (void) state;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "1,", 2);
    text[0] = '[';
    text[1] = '1';
    text[2] = ',';
    text[3] = '1';
    text[sizeof(text) - 1] = ']';
    assert_int_equal(ins_json_open(&json, (ins_text){text, sizeof(text)},
                                   &limits, &host, &error),
                     INS_CANCELLED);
    assert_null(json.value);
    assert_int_equal(ins_json_open(&json, (ins_text){text, sizeof(text)},
                                   &limits, NULL, &error),
                     INS_OK);
    ins_json_close(&json);
}

/* ---- fields -------------------------------------------------------------- */

struct opened {
    ins_json json;
    ins_error error;
};

static void
open_fields(struct opened *opened, const char *text)
{
    static const ins_json_limits limits = {4096, 100, false};

    opened->json = (ins_json){"f.json", "", INS_BAD_SOURCE, NULL};
    assert_int_equal(ins_json_open(&opened->json,
                                   (ins_text){text, strlen(text)}, &limits,
                                   NULL, &opened->error),
                     INS_OK);
}

static void
test_fields(void **state)
{
    struct opened o;
    uint32_t number = 7;
    bool flag = true;
    const char *text = "kept";
    const json_t *array = NULL;
    ins_json child;

    (void) state;
    open_fields(&o, "{\"n\":5,\"b\":false,\"t\":\"x\",\"z\":null,\"a\":[1],"
                    "\"o\":{\"n\":1}}");
    assert_int_equal(
        ins_json_u32(&o.json, "n", (ins_json_range){0, 9}, &number, &o.error),
        INS_OK);
    assert_int_equal(number, 5);
    assert_int_equal(ins_json_bool(&o.json, "b", &flag, &o.error), INS_OK);
    assert_false(flag);
    assert_int_equal(ins_json_text(&o.json, "z", &text, &o.error), INS_OK);
    assert_string_equal(text, "kept");
    assert_int_equal(ins_json_text(&o.json, "t", &text, &o.error), INS_OK);
    assert_string_equal(text, "x");
    assert_int_equal(ins_json_array(&o.json, "a", &array, &o.error), INS_OK);
    assert_int_equal(json_array_size(array), 1);
    assert_int_equal(ins_json_object(&o.json, "o", "o.", &child, &o.error),
                     INS_OK);
    assert_true(ins_json_has(&child, "n"));
    assert_false(ins_json_has(&o.json, "z"));
    ins_json_close(&o.json);
}

static void
test_field_messages(void **state)
{
    struct opened o;
    uint32_t number = 7;
    bool flag;
    const json_t *array;
    ins_json child;

    (void) state;
    open_fields(&o, "{\"n\":50,\"l\":\"0123456789012345678901234567890123456"
                    "789012345678901234567890123456789\",\"o\":{\"r\":0.5}}");
    assert_int_equal(
        ins_json_u32(&o.json, "n", (ins_json_range){0, 9}, &number, &o.error),
        INS_BAD_SOURCE);
    assert_int_equal(number, 7);
    assert_string_equal(o.error.message,
                        "f.json: \"n\" must be an integer from 0 to 9, not 50");
    assert_int_equal(ins_json_bool(&o.json, "o", &flag, &o.error),
                     INS_BAD_SOURCE);
    assert_string_equal(o.error.message,
                        "f.json: \"o\" must be true or false, not an object");
    assert_int_equal(ins_json_array(&o.json, "l", &array, &o.error),
                     INS_BAD_SOURCE);
    assert_non_null(strstr(o.error.message,
                           "\"0123456789012345678901234567890123456"
                           "78901234567...\""));
    assert_int_equal(ins_json_object(&o.json, "o", "o.", &child, &o.error),
                     INS_OK);
    assert_int_equal(ins_json_fail_unsupported(&child, "r", NULL, &o.error),
                     INS_UNSUPPORTED);
    assert_string_equal(o.error.message,
                        "f.json: \"o.r\" = 0.5 is not supported");
    assert_int_equal(ins_json_fail_missing(&child, "x", &o.error),
                     INS_BAD_SOURCE);
    assert_string_equal(o.error.message, "f.json: \"o.x\" is missing");
    ins_json_close(&o.json);
    ins_json_close(&o.json); /* twice is harmless */
}

static void
test_place_of_a_mistake(void **state)
{
    static const ins_json_limits limits = {4096, 100, false};
    static const char text[] = "{\n \"a\": 1,\n \"b\" 2}";
    ins_json json = {"f.json", "", INS_BAD_SOURCE, NULL};
    ins_error error;

    (void) state;
    assert_int_equal(ins_json_open(&json, (ins_text){text, strlen(text)},
                                   &limits, NULL, &error),
                     INS_BAD_SOURCE);
    assert_string_equal(error.message, "f.json is not valid JSON");
    assert_string_equal(error.detail, "Line 3, column 6: ':' is expected.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_huge_integer_as_real),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_value_limit),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_field_messages),
        cmocka_unit_test(test_place_of_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
