/*
 * test_import_options.c - the options that SQL users pass as JSON.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "insitu_import.h"

static ins_status
parse(ins_import_options *options, const char *text, ins_error *error)
{
    memset(error, 0, sizeof(*error));
    return ins_import_options_parse(options, (ins_text){text, strlen(text)},
                                    error);
}

static void
test_defaults(void **state)
{
    ins_import_options options;
    ins_error error;

    (void) state;
    assert_int_equal(parse(&options, "{}", &error), INS_OK);
    assert_int_equal(options.max_tokens, 0);
    assert_int_equal(options.pooling, INS_POOLING_FROM_SOURCE);
    assert_int_equal(options.normalize, -1);
    assert_int_equal(options.max_bytes, 0);
    assert_false(options.restricted);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_DEFAULT);
}

static void
test_all(void **state)
{
    ins_import_options options;
    ins_error error;

    (void) state;
    assert_int_equal(parse(&options,
                           "{\"max_tokens\": 128, \"pooling\": \"cls\", "
                           "\"normalize\": true, \"weights\": \"f32\", "
                           "\"restricted\": true}",
                           &error),
                     INS_OK);
    assert_int_equal(options.max_tokens, 128);
    assert_int_equal(options.pooling, INS_POOLING_CHOICE_CLS);
    assert_int_equal(options.normalize, 1);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_F32);
    assert_true(options.restricted);
    assert_int_equal(parse(&options,
                           "{\"normalize\":false,\"pooling\":"
                           "\"max\"}",
                           &error),
                     INS_OK);
    assert_int_equal(options.normalize, 0);
    assert_int_equal(options.pooling, INS_POOLING_CHOICE_MAX);
    assert_int_equal(parse(&options, "{\"pooling\":\"mean\"}", &error), INS_OK);
    assert_int_equal(options.pooling, INS_POOLING_CHOICE_MEAN);
    assert_int_equal(options.lexical, -1);
    assert_int_equal(parse(&options, "{\"lexical\":false}", &error), INS_OK);
    assert_int_equal(options.lexical, 0);
    assert_int_equal(parse(&options, "{\"lexical\":true}", &error), INS_OK);
    assert_int_equal(options.lexical, 1);
}

/* Row S10. */
static void
test_s10_refused(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"", "options is not valid JSON"},
        {"null", "not valid JSON"},
        {"[]", "must be a JSON object"},
        {"{\"max_token\":5}", "unknown option \"max_token\""},
        {"{\"max_bytes\":5}", "unknown option"},
        {"{\"max_tokens\":1}", "from 2 to 32768, not 1"},
        {"{\"max_tokens\":-5}", "not -5"},
        {"{\"max_tokens\":1e400}", "not valid JSON"},
        {"{\"max_tokens\":99999999999999999999}", "to 32768, not 1e20"},
        {"{\"max_tokens\":99999}", "not 99999"},
        {"{\"max_tokens\":\"128\"}", "not \"128\""},
        {"{\"max_tokens\":128.0}", "must be an integer"},
        {"{\"max_tokens\":null}", "must be set to a value, not null"},
        {"{\"max_tokens\":5,\"max_tokens\":6}", "not valid JSON"},
        {"{\"pooling\":\"last\"}", "not \"last\""},
        {"{\"pooling\":1}", "must be a string"},
        {"{\"normalize\":1}", "must be true or false, not 1"},
        {"{\"normalize\":\"yes\"}", "not \"yes\""},
        {"{\"weights\":\"int4\"}",
         "must be \"int8\", \"bf16\" or \"f32\", not \"int4\""},
        {"{\"weights\":[]}", "must be a string"},
        {"{\"restricted\":\"true\"}", "true or false"},
        {"{\"lexical\":0}", "must be true or false, not 0"},
        {"{} {}", "not valid JSON"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ins_import_options options;
        ins_error error;

        assert_int_equal(parse(&options, wrong[i].text, &error),
                         INS_INVALID_ARGUMENT);
        if (strstr(error.message, wrong[i].words) == NULL)
            print_error("%s said: %s\n", wrong[i].text, error.message);
        assert_non_null(strstr(error.message, wrong[i].words));
        /* Nothing of a refused text is applied. */
        assert_int_equal(options.max_tokens, 0);
        assert_int_equal(options.normalize, -1);
    }
}

static void
test_s10_deep_and_large(void **state)
{
    const size_t size = 100000;
    char *text = malloc(size + 1);
    ins_import_options options;
    ins_error error;

    (void) state;
    assert_non_null(text);
    memset(text, '[', size);
    text[size] = '\0';
    assert_int_equal(parse(&options, text, &error), INS_LIMIT_EXCEEDED);
    text[10000] = '\0';
    assert_int_equal(parse(&options, text, &error), INS_INVALID_ARGUMENT);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_s10_refused),
        cmocka_unit_test(test_s10_deep_and_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
