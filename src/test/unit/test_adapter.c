/*
 * test_adapter.c - adapters that must be accepted: the pack is that of the
 * model with the adapter merged into its weights, byte for byte.
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

#include "pack/pack_reader.h"
#include "unit/tiny_adapter.h"

#define BASE_CONFIG "base/config.json"
#define FOUR                                                          \
    "\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\",\"3\":\"d\"}," \
    "\"problem_type\":\"multi_label_classification\""
#define CLASS  "\"architectures\":[\"BertForSequenceClassification\"]"
#define POOLED "\"insitu_head\":{\"reads\":\"embedding\"}"

struct pair {
    tiny_host host;
    tiny_model adapter;
    tiny_model merged;
};

static void
begin(struct pair *pair, unsigned flags, unsigned adapter_flags)
{
    tiny_host_open(&pair->host);
    tiny_adapter_open(&pair->adapter, &pair->merged, flags, adapter_flags);
}

/* The merged model's config.json: the base's, with other words. */
static void
edit_merged(struct pair *pair, const char *from, const char *to)
{
    assert_true(tiny_replace(&pair->merged, "config.json", from, to));
}

static void
edit_adapter(struct pair *pair, const char *from, const char *to)
{
    assert_true(tiny_replace(&pair->adapter, ADAPTER_CONFIG, from, to));
}

static void *
import(struct pair *pair, const tiny_model *model, ins_weights_choice weights,
       size_t *size)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    ins_error error;
    void *pack;
    ins_status status;

    options.weights = weights;
    status = ins_import(model->files, model->count, &options, &pair->host.host,
                        &pack, size, &error);
    if (status != INS_OK)
        print_error("%s | %s | %s\n", error.message, error.detail, error.hint);
    assert_int_equal(status, INS_OK);
    return pack;
}

static void
end(struct pair *pair)
{
    tiny_close(&pair->adapter);
    tiny_close(&pair->merged);
    assert_int_equal(pair->host.live_blocks, 0);
}

static void
expect_equal(struct pair *pair)
{
    static const ins_weights_choice choices[] = {INS_WEIGHTS_CHOICE_F32,
                                                 INS_WEIGHTS_CHOICE_BF16,
                                                 INS_WEIGHTS_CHOICE_INT8};

    for (size_t i = 0; i < 3; i++) {
        size_t size;
        size_t expected_size;
        void *pack = import(pair, &pair->adapter, choices[i], &size);
        void *expected =
            import(pair, &pair->merged, choices[i], &expected_size);

        assert_int_equal(size, expected_size);
        assert_memory_equal(pack, expected, size);
        pair->host.host.release(&pair->host, pack);
        pair->host.host.release(&pair->host, expected);
    }
    end(pair);
}

/* ---- weights ------------------------------------------------------------- */

static void
test_every_shape_of_adapter(void **state)
{
    static const struct {
        unsigned flags;
        unsigned adapter_flags;
    } cases[] = {
        {TINY_CLASSIFIER, ADAPTER_LORA},
        {TINY_CLASSIFIER | TINY_SENTENCE, ADAPTER_LORA | ADAPTER_DENSE},
        {TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_F16},
        {TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_OLD_NAMES},
        {TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_STABILISED},
        {TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_PATTERNS},
        {TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_BIASES},
        {TINY_CLASSIFIER | TINY_DISTILBERT, ADAPTER_LORA},
        /* The names of both may have the architecture's prefix or not. */
        {TINY_SENTENCE, ADAPTER_LORA | ADAPTER_BARE},
        {TINY_SENTENCE | TINY_UNPREFIXED, ADAPTER_LORA},
        {TINY_SENTENCE | TINY_UNPREFIXED, ADAPTER_LORA | ADAPTER_BARE},
        {TINY_OLD_NAMES | TINY_VOCAB_TXT, ADAPTER_LORA | ADAPTER_BARE},
        /* A pooler that an encoder does without. */
        {TINY_EXTRAS, ADAPTER_LORA | ADAPTER_DENSE | ADAPTER_BARE},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;

        begin(&pair, cases[i].flags, cases[i].adapter_flags);
        expect_equal(&pair);
    }
}

/* The merged weights are not the base's. */
static void
test_weights_change(void **state)
{
    struct pair pair;
    tiny_model base;
    size_t sizes[2];
    void *packs[2];

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA);
    tiny_open(&base, TINY_CLASSIFIER);
    packs[0] = import(&pair, &pair.adapter, INS_WEIGHTS_CHOICE_F32, &sizes[0]);
    packs[1] = import(&pair, &base, INS_WEIGHTS_CHOICE_F32, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_not_equal(packs[0], packs[1], sizes[0]);
    for (int i = 0; i < 2; i++)
        pair.host.host.release(&pair.host, packs[i]);
    tiny_close(&base);
    end(&pair);
}

static void
test_excluded_modules(void **state)
{
    struct pair pair;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA);
    edit_adapter(&pair, "\"query\",",
                 "\"query\",\"dense\",\"word_embeddings\",");
    edit_adapter(&pair, "{",
                 "{\"exclude_modules\":[\"dense\",\"bert."
                 "embeddings.word_embeddings\"],");
    expect_equal(&pair);
}

/* ---- head and labels ----------------------------------------------------- */

static void
test_head_of_other_labels(void **state)
{
    struct pair pair;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_HEAD);
    tiny_set_text(&pair.adapter, "config.json", "{" FOUR "," CLASS "}");
    edit_merged(&pair, "\"id2label\":", FOUR ",\"unused\":");
    edit_merged(&pair, "\"problem_type\":\"single", "\"unused2\":\"single");
    expect_equal(&pair);
}

/* Labels come with their own problem_type. */
static void
test_labels_replace_the_problem_type(void **state)
{
    struct pair pair;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA);
    assert_true(tiny_replace(&pair.adapter, BASE_CONFIG, "single_", "multi_"));
    tiny_set_text(&pair.adapter, "config.json",
                  "{\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}}");
    edit_merged(&pair, "billing", "a");
    edit_merged(&pair, "delivery", "b");
    edit_merged(&pair, "other", "c");
    expect_equal(&pair);
}

/* SEQ_CLS makes a classifier of a bare encoder, with labels by number. */
static void
test_encoder_becomes_a_classifier(void **state)
{
    static const unsigned flags[] = {TINY_EXTRAS, TINY_EXTRAS | TINY_SENTENCE,
                                     TINY_EXTRAS | TINY_UNPREFIXED};

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;

        begin(&pair, flags[i], ADAPTER_LORA | ADAPTER_HEAD | ADAPTER_OLD_NAMES);
        edit_merged(&pair, "\"BertModel\"",
                    "\"BertForSequenceClassification\"");
        edit_merged(&pair, "{", "{\"num_labels\":4,");
        expect_equal(&pair);
    }
}

/* FEATURE_EXTRACTION leaves the head of the base alone. */
static void
test_classifier_becomes_an_encoder(void **state)
{
    struct pair pair;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_BARE);
    edit_adapter(&pair, "\"task_type\":null",
                 "\"task_type\":\"FEATURE_EXTRACTION\"");
    edit_merged(&pair, "BertForSequenceClassification", "BertModel");
    expect_equal(&pair);
}

/* Nothing but a head over the base's embeddings. */
static void
test_pooled_head_alone(void **state)
{
    static const char *const tasks[] = {"null", "\"SEQ_CLS\""};

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;

        begin(&pair, TINY_SENTENCE, ADAPTER_HEAD);
        edit_adapter(&pair, "\"SEQ_CLS\"", tasks[i]);
        edit_adapter(&pair, ",\"score\"", "");
        tiny_set_text(&pair.adapter, "config.json", "{" FOUR "," POOLED "}");
        edit_merged(&pair, "{", "{" FOUR "," POOLED ",");
        expect_equal(&pair);
    }
}

/* Settings of rank and scale may then be missing. */
static void
test_head_needs_no_rank(void **state)
{
    struct pair pair;

    (void) state;
    begin(&pair, TINY_SENTENCE, ADAPTER_HEAD);
    tiny_set_text(&pair.adapter, ADAPTER_CONFIG,
                  "{\"peft_type\":\"LORA\",\"modules_to_save\":"
                  "[\"classifier\"],\"target_modules\":null}");
    tiny_set_text(&pair.adapter, "config.json", "{" FOUR "," POOLED "}");
    edit_merged(&pair, "{", "{" FOUR "," POOLED ",");
    expect_equal(&pair);
}

/* ---- files --------------------------------------------------------------- */

/* A whole config.json beside the adapter, as some trainers save it. */
static void
test_complete_config(void **state)
{
    struct pair pair;
    const ins_source_file *config;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_HEAD);
    edit_merged(&pair, "\"id2label\":", FOUR ",\"unused\":");
    edit_merged(&pair, "\"problem_type\":\"single", "\"unused2\":\"single");
    config = tiny_find(&pair.merged, "config.json");
    tiny_set(&pair.adapter, "config.json", config->data, (size_t) config->size);
    expect_equal(&pair);
}

static void
copy_file(tiny_model *to, const tiny_model *from, const char *name)
{
    const ins_source_file *file = tiny_find(from, name);

    tiny_set(to, name, file->data, (size_t) file->size);
}

/* The tokenizer's files are the adapter's as a whole, or the base's. */
static void
test_own_tokenizer(void **state)
{
    struct pair pair;
    tiny_model other;

    (void) state;
    begin(&pair, TINY_CLASSIFIER | TINY_VOCAB_TXT, ADAPTER_LORA);
    tiny_open(&other, TINY_CLASSIFIER);
    assert_true(tiny_replace(&other, "tokenizer.json", "lowercase\":true",
                             "lowercase\":false"));
    copy_file(&pair.adapter, &other, "tokenizer.json");
    tiny_remove(&pair.merged, "vocab.txt");
    tiny_remove(&pair.merged, "tokenizer_config.json");
    tiny_remove(&pair.merged, "special_tokens_map.json");
    copy_file(&pair.merged, &other, "tokenizer.json");
    tiny_close(&other);
    expect_equal(&pair);
}

static void
test_own_pooling(void **state)
{
    static const char pooling[] = "{\"pooling_mode\":\"cls\"}";
    struct pair pair;

    (void) state;
    begin(&pair, TINY_SENTENCE, ADAPTER_LORA);
    tiny_set_text(&pair.adapter, "1_Pooling/config.json", pooling);
    tiny_remove(&pair.merged, "modules.json");
    tiny_remove(&pair.merged, "sentence_bert_config.json");
    tiny_remove(&pair.merged, "config_sentence_transformers.json");
    tiny_set_text(&pair.merged, "1_Pooling/config.json", pooling);
    expect_equal(&pair);
}

static void
test_sharded_base(void **state)
{
    struct pair pair;
    tiny_model base;

    (void) state;
    begin(&pair, TINY_CLASSIFIER, ADAPTER_LORA);
    tiny_open(&base, TINY_CLASSIFIER | TINY_SHARDED);
    tiny_remove(&pair.adapter, "base/model.safetensors");
    for (size_t i = 0; i < base.count; i++) {
        char name[80] = INS_IMPORT_BASE;

        if (strncmp(base.files[i].name, "model", 5) != 0)
            continue;
        strncat(name, base.files[i].name, sizeof(name) - 10);
        tiny_set(&pair.adapter, name, base.files[i].data,
                 (size_t) base.files[i].size);
    }
    tiny_close(&base);
    expect_equal(&pair);
}

/* ---- where the base is --------------------------------------------------- */

static ins_status
read_path(const char *config, char path[INS_IMPORT_PATH_BYTES],
          ins_error *error)
{
    const ins_source_file file = {ADAPTER_CONFIG, config, strlen(config)};
    tiny_host host;
    ins_status status;

    tiny_host_open(&host);
    status = ins_import_base_path(&file, &host.host, path, error);
    assert_int_equal(host.live_blocks, 0);
    return status;
}

static void
test_base_path(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"base_model_name_or_path\":null}",
        "{\"base_model_name_or_path\":\"\"}",
        "{\"base_model_name_or_path\":5}",
        "{\"base_model_name_or_path\":\"a\\u0000b\"}",
    };
    char path[INS_IMPORT_PATH_BYTES];
    char long_path[5000];
    ins_error error;

    (void) state;
    assert_int_equal(
        read_path("{\"base_model_name_or_path\":\"../b\"}", path, &error),
        INS_OK);
    assert_string_equal(path, "../b");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(read_path(bad[i], path, &error), INS_BAD_SOURCE);
    memset(long_path, 'x', sizeof(long_path));
    memcpy(long_path, "{\"base_model_name_or_path\":\"", 28);
    memcpy(long_path + 4990, "\"}", 3);
    assert_int_equal(read_path(long_path, path, &error), INS_BAD_SOURCE);
    assert_non_null(strstr(error.message, "too long"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_of_adapter),
        cmocka_unit_test(test_weights_change),
        cmocka_unit_test(test_excluded_modules),
        cmocka_unit_test(test_head_of_other_labels),
        cmocka_unit_test(test_labels_replace_the_problem_type),
        cmocka_unit_test(test_encoder_becomes_a_classifier),
        cmocka_unit_test(test_classifier_becomes_an_encoder),
        cmocka_unit_test(test_pooled_head_alone),
        cmocka_unit_test(test_head_needs_no_rank),
        cmocka_unit_test(test_complete_config),
        cmocka_unit_test(test_own_tokenizer),
        cmocka_unit_test(test_own_pooling),
        cmocka_unit_test(test_sharded_base),
        cmocka_unit_test(test_base_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
