/*
 * test_config.c - config.json and its companions, as a recipe.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "import/config.h"
#include "unit/tiny_model.h"

/* A tiny model's files, edited, and the configuration read from them. */
struct read_config {
    tiny_model model;
    tiny_host host;
    ins_config config;
    ins_error error;
};

static void
begin(struct read_config *read, unsigned flags)
{
    memset(read, 0, sizeof(*read));
    tiny_host_open(&read->host);
    tiny_open(&read->model, flags);
}

static void
edit(struct read_config *read, const char *from, const char *to)
{
    assert_true(tiny_replace(&read->model, "config.json", from, to));
}

static const ins_pack_recipe *
read_now(struct read_config *read)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    const ins_import_source source = {read->model.files, read->model.count,
                                      &options, &read->host.host};
    ins_status status =
        ins_config_read(&read->config, &source, NULL, &read->error);

    if (status != INS_OK)
        print_error("%s\n", read->error.message);
    assert_int_equal(status, INS_OK);
    return &read->config.recipe;
}

static void
end(struct read_config *read)
{
    ins_config_close(&read->config, &read->host.host);
    assert_int_equal(read->host.live_blocks, 0);
    tiny_close(&read->model);
}

static void
test_activations(void **state)
{
    static const struct {
        const char *name;
        uint32_t activation;
    } known[] = {
        {"\"gelu_new\"", INS_ACTIVATION_GELU_TANH},
        {"\"gelu_pytorch_tanh\"", INS_ACTIVATION_GELU_TANH},
        {"\"gelu_fast\"", INS_ACTIVATION_GELU_TANH},
        {"\"gelu_python\"", INS_ACTIVATION_GELU},
        {"\"relu\"", INS_ACTIVATION_RELU},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct read_config read;

        begin(&read, 0);
        edit(&read, "\"gelu\"", known[i].name);
        assert_int_equal(read_now(&read)->activation, known[i].activation);
        end(&read);
    }
}

/* Google's own files have fewer keys. */
static void
test_missing_keys_have_defaults(void **state)
{
    struct read_config read;
    const ins_pack_recipe *recipe;

    (void) state;
    begin(&read, 0);
    edit(&read,
         "\"type_vocab_size\":2,\"layer_norm_eps\":1e-12,"
         "\"position_embedding_type\":\"absolute\",",
         "");
    edit(&read, "\"architectures\":[\"BertModel\"],", "");
    edit(&read, "\"hidden_act\":\"gelu\",", "");
    recipe = read_now(&read);
    assert_int_equal(recipe->token_types, 2);
    assert_true(recipe->norm_epsilon == 1e-12f);
    assert_int_equal(recipe->activation, INS_ACTIVATION_GELU);
    assert_int_equal(recipe->flags, INS_RECIPE_EMBED);
    end(&read);
}

static void
test_default_labels(void **state)
{
    struct read_config read;
    ins_text label;

    (void) state;
    begin(&read, TINY_CLASSIFIER);
    edit(&read, "\"id2label\":", "\"num_labels\":12,\"unused\":");
    assert_int_equal(read_now(&read)->labels, 12);
    label = ins_string_at(&read.config.labels, 11);
    assert_int_equal(label.size, 8);
    assert_memory_equal(label.data, "LABEL_11", 8);
    end(&read);
}

/* The order in the file does not matter, the numbers do. */
static void
test_labels_by_number(void **state)
{
    struct read_config read;
    ins_text label;

    (void) state;
    begin(&read, TINY_CLASSIFIER);
    edit(&read, "\"0\":\"billing\",\"1\":\"delivery\",\"2\":\"other\"",
         "\"2\":\"c\",\"0\":\"\xC3\xA4\",\"1\":\"b\"");
    read_now(&read);
    label = ins_string_at(&read.config.labels, 0);
    assert_int_equal(label.size, 2);
    assert_int_equal(ins_string_at(&read.config.labels, 2).data[0], 'c');
    end(&read);
}

static void
test_max_tokens(void **state)
{
    static const struct {
        const char *sentence;  /* sentence_bert_config.json, or NULL */
        const char *tokenizer; /* tokenizer_config.json, or NULL */
        uint32_t expected;
    } limits[] = {
        {NULL, NULL, 48},
        {"{\"max_seq_length\":20}", NULL, 20},
        {"{\"max_seq_length\":20}", "{\"model_max_length\":30}", 20},
        {"{\"max_seq_length\":null}", "{\"model_max_length\":30}", 30},
        {"{\"max_seq_length\":512}", NULL, 48},
        {NULL, "{\"model_max_length\":30}", 30},
        {NULL, "{\"model_max_length\":512}", 48},
        {NULL, "{\"model_max_length\":1000000000000000019884624838656}", 48},
        {NULL, "{\"model_max_length\":0}", 48},
        {NULL, "{\"model_max_length\":-1}", 48},
        {NULL, "{\"model_max_length\":\"x\"}", 48},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct read_config read;

        begin(&read, 0);
        if (limits[i].sentence != NULL)
            tiny_set_text(&read.model, "sentence_bert_config.json",
                          limits[i].sentence);
        if (limits[i].tokenizer != NULL)
            tiny_set_text(&read.model, "tokenizer_config.json",
                          limits[i].tokenizer);
        assert_int_equal(read_now(&read)->max_tokens, limits[i].expected);
        end(&read);
    }
}

static void
test_pooling(void **state)
{
    static const struct {
        const char *file;
        uint32_t pooling;
    } poolings[] = {
        {"{\"pooling_mode_mean_tokens\":true}", INS_POOLING_MEAN},
        {"{\"pooling_mode_cls_token\":true}", INS_POOLING_CLS},
        {"{\"pooling_mode_max_tokens\":true}", INS_POOLING_MAX},
        {"{\"pooling_mode\":\"cls\"}", INS_POOLING_CLS},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(poolings) / sizeof(poolings[0]); i++) {
        struct read_config read;

        begin(&read, TINY_SENTENCE);
        tiny_set_text(&read.model, "1_Pooling/config.json", poolings[i].file);
        assert_int_equal(read_now(&read)->pooling, poolings[i].pooling);
        end(&read);
    }
}

/* Without Normalize, and without modules.json at all. */
static void
test_no_normalisation(void **state)
{
    struct read_config read;

    (void) state;
    begin(&read, TINY_SENTENCE);
    assert_true(tiny_replace(&read.model, "modules.json",
                             ",{\"idx\":2,\"name\":\"2\",\"path\":"
                             "\"2_Normalize\",\"type\":"
                             "\"sentence_transformers.models.Normalize\"}",
                             ""));
    assert_int_equal(read_now(&read)->flags, INS_RECIPE_EMBED);
    end(&read);
    begin(&read, TINY_SENTENCE | TINY_CLASSIFIER);
    tiny_remove(&read.model, "modules.json");
    assert_int_equal(read_now(&read)->flags, INS_RECIPE_EMBED |
                                                 INS_RECIPE_CLASSIFY |
                                                 INS_RECIPE_HEAD_DENSE);
    end(&read);
}

static void
test_prompts(void **state)
{
    struct read_config read;

    (void) state;
    begin(&read, TINY_SENTENCE);
    tiny_set_text(&read.model, "config_sentence_transformers.json",
                  "{\"prompts\":{\"query\":\"q: \",\"passage\":\"p: \","
                  "\"x\":\"all: \"}}");
    read_now(&read);
    assert_memory_equal(read.config.query_prompt, "q: ", 4);
    assert_memory_equal(read.config.document_prompt, "p: ", 4);
    end(&read);
    begin(&read, TINY_SENTENCE);
    tiny_set_text(&read.model, "config_sentence_transformers.json",
                  "{\"prompts\":{\"x\":\"all: \"},\"default_prompt_name\":"
                  "\"x\"}");
    read_now(&read);
    assert_int_equal(read.config.query_prompt_bytes, 5);
    assert_int_equal(read.config.document_prompt_bytes, 5);
    end(&read);
}

static void
test_architectures(void **state)
{
    (void) state;
    assert_non_null(ins_architecture_find("bert"));
    assert_non_null(ins_architecture_find("distilbert"));
    assert_null(ins_architecture_find("Bert"));
    assert_null(ins_architecture_find(""));
    assert_string_equal(ins_architecture_list, " bert distilbert");
}

/* "insitu_head" in the place of the architecture's head, and beside a bare
 * encoder. */
static void
test_own_head(void **state)
{
    static const struct {
        const char *head;
        uint32_t flags;
        uint32_t activation;
        uint32_t words;
    } heads[] = {
        {"\"embedding\"", INS_RECIPE_HEAD_POOLED, INS_ACTIVATION_NONE, 0},
        {"\"first_token\"", 0, INS_ACTIVATION_NONE, 0},
        {"\"embedding\", \"dense\": \"tanh\"",
         INS_RECIPE_HEAD_POOLED | INS_RECIPE_HEAD_DENSE, INS_ACTIVATION_TANH,
         0},
        {"\"first_token\", \"dense\": \"none\"", INS_RECIPE_HEAD_DENSE,
         INS_ACTIVATION_NONE, 0},
        {"\"first_token\", \"dense\": \"gelu_new\"", INS_RECIPE_HEAD_DENSE,
         INS_ACTIVATION_GELU_TANH, 0},
        {"\"embedding\", \"words\": 65536", INS_RECIPE_HEAD_POOLED,
         INS_ACTIVATION_NONE, 65536},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        const uint32_t of_head = INS_RECIPE_HEAD_POOLED | INS_RECIPE_HEAD_DENSE;
        const ins_pack_recipe *recipe;
        struct read_config read;
        char text[128];

        begin(&read, TINY_SENTENCE | (i % 2 ? TINY_CLASSIFIER : 0));
        snprintf(text, sizeof(text), "{\"insitu_head\": {\"reads\": %s},",
                 heads[i].head);
        edit(&read, "{", text);
        recipe = read_now(&read);
        assert_true(recipe->flags & INS_RECIPE_CLASSIFY);
        assert_true(recipe->flags & INS_RECIPE_EMBED);
        assert_int_equal(recipe->flags & of_head, heads[i].flags);
        assert_int_equal(recipe->head_activation, heads[i].activation);
        assert_int_equal(recipe->head_words, heads[i].words);
        assert_int_equal(recipe->labels, i % 2 ? 3 : 2);
        end(&read);
    }
}

/* An option must not change the embedding under the head. */
static void
test_own_head_options(void **state)
{
    ins_import_options options[2] = {INS_IMPORT_DEFAULTS, INS_IMPORT_DEFAULTS};

    (void) state;
    options[0].pooling = INS_POOLING_CHOICE_CLS;
    options[1].normalize = 0;
    for (size_t i = 0; i < 2; i++) {
        struct read_config read;
        ins_import_source source;

        begin(&read, TINY_SENTENCE);
        edit(&read, "{", "{\"insitu_head\": {\"reads\": \"embedding\"},");
        source = (ins_import_source){read.model.files, read.model.count,
                                     &options[i], &read.host.host};
        assert_int_equal(
            ins_config_read(&read.config, &source, NULL, &read.error),
            INS_INVALID_ARGUMENT);
        assert_non_null(strstr(read.error.message, "embedding"));
        end(&read);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_missing_keys_have_defaults),
        cmocka_unit_test(test_default_labels),
        cmocka_unit_test(test_labels_by_number),
        cmocka_unit_test(test_max_tokens),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_no_normalisation),
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_own_head),
        cmocka_unit_test(test_own_head_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
