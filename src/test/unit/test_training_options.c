/*
 * test_training_options.c - the options of a training that SQL users pass as
 * JSON, for each method.
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

#include "insitu_train.h"

static ins_status
parse(ins_training_options *options, ins_training_method method,
      const char *text, ins_error *error)
{
    memset(error, 0, sizeof(*error));
    return ins_training_options_parse(options, method,
                                      (ins_text){text, strlen(text)}, error);
}

static ins_training_options
parse_good(ins_training_method method, const char *text)
{
    ins_training_options options;
    ins_error error;

    if (parse(&options, method, text, &error) != INS_OK)
        print_error("%s said: %s\n", text, error.message);
    assert_int_equal(error.status, INS_OK);
    return options;
}

static void
test_defaults(void **state)
{
    (void) state;
    for (int i = INS_TRAIN_CLASSIFIER; i <= INS_TRAIN_TABULAR; i++) {
        ins_training_options options =
            parse_good((ins_training_method) i, "{}");

        assert_memory_equal(&options, &ins_training_defaults, sizeof(options));
    }
    assert_int_equal(ins_training_defaults.head, INS_HEAD_LOGISTIC);
    assert_true(ins_training_defaults.l2 < 0);
    assert_string_equal(ins_training_defaults.encoder, "");
    assert_null(ins_training_defaults.progress);
}

static void
test_classifier(void **state)
{
    ins_training_options options = parse_good(
        INS_TRAIN_CLASSIFIER,
        "{\"encoder\": \"e\", \"head\": \"auto\", \"class_weights\": "
        "\"balanced\", \"l2\": 0.5, \"folds\": 3, \"seed\": 7, "
        "\"max_tokens\": 64, \"weights\": \"bf16\"}");

    (void) state;
    assert_string_equal(options.encoder, "e");
    assert_int_equal(options.head, INS_HEAD_AUTO);
    assert_true(options.balanced);
    assert_true(options.l2 == 0.5);
    assert_int_equal(options.folds, 3);
    assert_int_equal(options.seed, 7);
    assert_int_equal(options.max_tokens, 64);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_BF16);
    options = parse_good(INS_TRAIN_CLASSIFIER,
                         "{\"head\":\"network\",\"class_weights\":\"none\","
                         "\"l2\":0,\"weights\":\"int8\"}");
    assert_int_equal(options.head, INS_HEAD_NETWORK);
    assert_false(options.balanced);
    assert_true(options.l2 == 0);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_INT8);
    options = parse_good(INS_TRAIN_CLASSIFIER,
                         "{\"head\":\"logistic\",\"weights\":\"f32\"}");
    assert_int_equal(options.head, INS_HEAD_LOGISTIC);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_F32);
}

static void
test_fine_tune(void **state)
{
    ins_training_options options = parse_good(
        INS_TRAIN_FINE_TUNE,
        "{\"epochs\": 9, \"batch_size\": 8, "
        "\"learning_rate\": 1e-4, \"warmup\": 0.2, \"weight_decay\": 0.5, "
        "\"dropout\": 0, \"token_dropout\": 0.4, \"averaging\": 0.5, "
        "\"base_share\": 0.75, \"max_tokens\": 2, "
        "\"freeze_layers\": 0, "
        "\"validation\": 0.25, \"patience\": 0, \"class_weights\": "
        "\"balanced\", \"seed\": 9223372036854775807, \"weights\": \"f32\"}");

    (void) state;
    assert_int_equal(options.epochs, 9);
    assert_int_equal(options.batch_size, 8);
    assert_true(options.learning_rate == 1e-4);
    assert_true(options.warmup == 0.2);
    assert_true(options.weight_decay == 0.5);
    assert_true(options.dropout == 0);
    assert_true(options.token_dropout == 0.4);
    assert_true(options.averaging == 0.5);
    assert_true(options.base_share == 0.75);
    assert_int_equal(options.max_tokens, 2);
    assert_int_equal(options.freeze_layers, 0);
    assert_true(options.validation == 0.25);
    assert_int_equal(options.patience, 0);
    assert_true(options.balanced);
    assert_true(options.seed == INT64_MAX);
    assert_int_equal(options.weights, INS_WEIGHTS_CHOICE_F32);
}

static void
test_tabular(void **state)
{
    ins_training_options options =
        parse_good(INS_TRAIN_TABULAR,
                   "{\"head\": \"network\", \"units\": 12, \"class_weights\": "
                   "\"balanced\", \"l2\": 1, \"folds\": 10, \"seed\": 0, "
                   "\"positive\": \"yes\"}");

    (void) state;
    assert_int_equal(options.head, INS_HEAD_NETWORK);
    assert_int_equal(options.units, 12);
    assert_true(options.balanced);
    assert_true(options.l2 == 1);
    assert_int_equal(options.folds, 10);
    assert_int_equal(options.seed, 0);
    assert_string_equal(options.positive, "yes");
}

#define C INS_TRAIN_CLASSIFIER
#define F INS_TRAIN_FINE_TUNE
#define T INS_TRAIN_TABULAR

static void
test_refused(void **state)
{
    static const struct {
        ins_training_method method;
        const char *text;
        const char *words;
    } wrong[] = {
        {C, "", "options is not valid JSON"},
        {C, "[]", "options must be a JSON object"},
        {C, "{\"hed\":1}", "unknown option \"hed\" of the method classifier"},
        {C, "{\"epochs\":1}", "\"epochs\" of the method classifier"},
        {F, "{\"head\":\"auto\"}", "\"head\" of the method fine_tune"},
        {T, "{\"encoder\":\"e\"}", "\"encoder\" of the method tabular"},
        /* Its base is an argument. */
        {F, "{\"encoder\":\"e\"}", "\"encoder\" of the method fine_tune"},
        {T, "{\"max_bytes\":1}", "unknown option \"max_bytes\""},
        {C, "{\"seed\":1,\"seed\":1}", "not valid JSON"},
        {C, "{\"seed\":null}", "\"seed\" must be set to a value"},
        {C, "{\"seed\":-1}", "an integer that is not negative, not -1"},
        {C, "{\"seed\":1.5}", "not 1.5"},
        {C, "{\"seed\":9223372036854775808}",
         "\"seed\" must be an integer that is not negative, not 9.22337204e18"},
        {C, "{\"l2\":1000000000000000000000000000000}",
         "\"l2\" must be a number from 0 to 1000000, not 1e30"},
        {C, "{\"folds\":1e30}", "\"folds\" must be an integer from 2 to 10"},
        {C, "{\"l2\":1e400}", "not valid JSON"},
        {C, "{\"head\":\"tree\"}",
         "must be \"logistic\", \"network\" or \"auto\", not \"tree\""},
        {C, "{\"head\":1}", "\"head\" must be a string, not 1"},
        {C, "{\"class_weights\":true}", "must be a string"},
        {C, "{\"class_weights\":\"yes\"}",
         "must be \"none\" or \"balanced\", not \"yes\""},
        {C, "{\"l2\":-1}", "a number from 0 to 1000000, not -1"},
        {C, "{\"l2\":\"0\"}", "not \"0\""},
        {C, "{\"folds\":1}", "from 2 to 10, not 1"},
        {C, "{\"folds\":11}", "not 11"},
        {C, "{\"folds\":5.0}", "must be an integer"},
        {C, "{\"max_tokens\":1}", "from 2 to 32768"},
        {C, "{\"weights\":\"int4\"}", "\"int8\", \"bf16\" or \"f32\""},
        {C, "{\"encoder\":\"\"}", "a string of 1 to 63 bytes"},
        {C, "{\"encoder\":5}", "must be a string"},
        {C,
         "{\"encoder\":\"0123456789012345678901234567890123456789012345678901"
         "234567890123\"}",
         "1 to 63 bytes"},
        {F, "{\"epochs\":0}", "from 1 to 1000, not 0"},
        {F, "{\"batch_size\":0}", "from 1 to 1024"},
        {F, "{\"batch_size\":1025}", "not 1025"},
        {F, "{\"learning_rate\":0}", "a number above 0 and up to 1, not 0"},
        {F, "{\"learning_rate\":1.5}", "not 1.5"},
        {F, "{\"warmup\":1}", "a number from 0 to below 1, not 1"},
        {F, "{\"weight_decay\":-0.1}", "a number from 0 to 1"},
        {F, "{\"dropout\":1}", "from 0 to below 1, not 1"},
        {F, "{\"token_dropout\":1}", "from 0 to below 1, not 1"},
        {F, "{\"averaging\":-1}", "a number from 0 to 1000, not -1"},
        {F, "{\"base_share\":1}", "a number from 0 to below 1, not 1"},
        {F, "{\"freeze_layers\":-1}", "from 0 to 128"},
        {F, "{\"validation\":0.6}", "a number from 0 to 0.5"},
        {F, "{\"patience\":-1}", "from 0 to 1000"},
        {T, "{\"units\":0}", "from 1 to 4096"},
        {T, "{\"positive\":\"\"}", "1 to 255 bytes"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ins_training_options options;
        ins_error error;

        assert_int_equal(
            parse(&options, wrong[i].method, wrong[i].text, &error),
            INS_INVALID_ARGUMENT);
        if (strstr(error.message, wrong[i].words) == NULL)
            print_error("%s said: %s\n", wrong[i].text, error.message);
        assert_non_null(strstr(error.message, wrong[i].words));
        /* Nothing of a refused text is applied. */
        assert_memory_equal(&options, &ins_training_defaults, sizeof(options));
    }
}

/* Every key that there is stands in the hint. */
static void
test_hints(void **state)
{
    static const struct {
        ins_training_method method;
        const char *hint;
    } hints[] = {
        {C, "Options of the method classifier: encoder, head, words, "
            "class_weights, l2, folds, seed, max_tokens, weights."},
        {F, "Options of the method fine_tune: epochs, batch_size, "
            "learning_rate, warmup, weight_decay, dropout, token_dropout, "
            "averaging, base_share, max_tokens, freeze_layers, validation, "
            "patience, words, class_weights, seed, weights."},
        {T, "Options of the method tabular: head, units, class_weights, l2, "
            "folds, seed, positive."},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        ins_training_options options;
        ins_error error;

        assert_int_equal(parse(&options, hints[i].method, "{\"x\":1}", &error),
                         INS_INVALID_ARGUMENT);
        assert_string_equal(error.hint, hints[i].hint);
    }
}

static void
test_unknown_method(void **state)
{
    ins_training_options options;
    ins_error error;

    (void) state;
    assert_int_equal(parse(&options, (ins_training_method) 9, "{}", &error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "method number 9"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_classifier),
        cmocka_unit_test(test_fine_tune),
        cmocka_unit_test(test_tabular),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_unknown_method),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
