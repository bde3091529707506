/*
 * test_import.c - directories that must be accepted, and what comes of them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pack/pack_reader.h"
#include "pack/piece_index.h"
#include "unit/tiny_model.h"

/* A tiny model, imported. */
struct imported {
    tiny_host host;
    tiny_model source;
    ins_error error;
    void *pack;
    size_t size;
    ins_pack_view view;
};

static void
fail_with(const ins_error *error)
{
    print_error("%s | %s\n", error->message, error->detail);
}

static void
import_source(struct imported *model, const ins_import_options *options)
{
    ins_status status = ins_import(model->source.files, model->source.count,
                                   options, &model->host.host, &model->pack,
                                   &model->size, &model->error);

    if (status != INS_OK)
        fail_with(&model->error);
    assert_int_equal(status, INS_OK);
    assert_int_equal(model->host.live_blocks, 1);
    assert_int_equal(
        ins_pack_read(&model->view, model->pack, model->size, &model->error),
        INS_OK);
    assert_int_equal(ins_pack_check(model->pack, model->size, &model->host.host,
                                    &model->error),
                     INS_OK);
}

static void
start(struct imported *model, unsigned flags)
{
    memset(model, 0, sizeof(*model));
    tiny_host_open(&model->host);
    tiny_open(&model->source, flags);
}

static void
open_imported(struct imported *model, unsigned flags)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;

    start(model, flags);
    import_source(model, &options);
}

static void
close_imported(struct imported *model)
{
    model->host.host.release(&model->host, model->pack);
    assert_int_equal(model->host.live_blocks, 0);
    tiny_close(&model->source);
}

static void
test_bert_encoder(void **state)
{
    struct imported model;
    const ins_pack_recipe *recipe;

    (void) state;
    open_imported(&model, 0);
    recipe = model.view.recipe;
    assert_int_equal(recipe->flags, INS_RECIPE_EMBED);
    assert_int_equal(recipe->pooling, INS_POOLING_MEAN);
    assert_int_equal(recipe->layers, 2);
    assert_int_equal(recipe->hidden, 32);
    assert_int_equal(recipe->heads, 4);
    assert_int_equal(recipe->intermediate, 64);
    assert_int_equal(recipe->positions, 48);
    assert_int_equal(recipe->max_tokens, 48);
    assert_int_equal(recipe->token_types, 2);
    assert_int_equal(recipe->labels, 0);
    assert_int_equal(recipe->activation, INS_ACTIVATION_GELU);
    assert_string_equal(recipe->architecture, "bert");
    assert_int_equal(model.view.tensor_count, 4 + 2 * 10);
    close_imported(&model);
}

static void
test_bert_classifier(void **state)
{
    struct imported model;
    const ins_pack_recipe *recipe;

    (void) state;
    open_imported(&model, TINY_CLASSIFIER);
    recipe = model.view.recipe;
    assert_int_equal(recipe->flags,
                     INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_DENSE);
    assert_int_equal(recipe->pooling, INS_POOLING_NONE);
    assert_int_equal(recipe->head_activation, INS_ACTIVATION_TANH);
    assert_int_equal(recipe->labels, 3);
    assert_memory_equal(ins_string_at(&model.view.labels, 1).data, "delivery",
                        8);
    assert_int_equal(model.view.tensor_count, 4 + 2 * 10 + 4);
    close_imported(&model);
}

static void
test_both_heads(void **state)
{
    struct imported model;
    const ins_pack_recipe *recipe;
    const ins_pack_tokenizer *tokenizer;

    (void) state;
    open_imported(&model, TINY_CLASSIFIER | TINY_SENTENCE);
    recipe = model.view.recipe;
    tokenizer = model.view.tokenizer;
    assert_int_equal(recipe->flags,
                     INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_DENSE |
                         INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE);
    assert_int_equal(recipe->max_tokens, 40);
    assert_int_equal(tokenizer->query_prompt_bytes, 7);
    assert_memory_equal(tokenizer->query_prompt, "query: ", 7);
    assert_int_equal(tokenizer->document_prompt_bytes, 0);
    close_imported(&model);
}

static void
test_distilbert(void **state)
{
    struct imported model;

    (void) state;
    open_imported(&model, TINY_DISTILBERT | TINY_CLASSIFIER);
    assert_int_equal(model.view.recipe->token_types, 0);
    assert_int_equal(model.view.recipe->head_activation, INS_ACTIVATION_RELU);
    assert_string_equal(model.view.recipe->architecture, "distilbert");
    assert_int_equal(model.view.tensor_count, 3 + 2 * 10 + 4);
    close_imported(&model);
}

static void
test_multi_label(void **state)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    start(&model, TINY_CLASSIFIER);
    assert_true(tiny_replace(&model.source, "config.json", "single_label",
                             "multi_label"));
    import_source(&model, &options);
    assert_true((model.view.recipe->flags & INS_RECIPE_MULTI_LABEL) != 0);
    close_imported(&model);
}

/* The same weights by another way must give the same pack. */
static void
assert_same_pack(unsigned flags, unsigned other_flags)
{
    struct imported one;
    struct imported other;

    open_imported(&one, flags);
    open_imported(&other, other_flags);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.pack, other.pack, one.size);
    close_imported(&one);
    close_imported(&other);
}

static void
test_deterministic(void **state)
{
    (void) state;
    assert_same_pack(TINY_CLASSIFIER, TINY_CLASSIFIER);
}

static void
test_sharded(void **state)
{
    (void) state;
    assert_same_pack(TINY_CLASSIFIER, TINY_CLASSIFIER | TINY_SHARDED);
}

static void
test_f16_and_bf16(void **state)
{
    (void) state;
    assert_same_pack(0, TINY_F16);
    assert_same_pack(0, TINY_BF16);
}

static void
test_unprefixed(void **state)
{
    (void) state;
    assert_same_pack(TINY_SENTENCE, TINY_SENTENCE | TINY_UNPREFIXED);
    assert_same_pack(TINY_DISTILBERT, TINY_DISTILBERT | TINY_UNPREFIXED);
}

static void
test_gamma_beta(void **state)
{
    (void) state;
    assert_same_pack(0, TINY_OLD_NAMES);
}

static void
test_extra_tensors(void **state)
{
    (void) state;
    assert_same_pack(0, TINY_EXTRAS);
}

static void
test_vocab_txt(void **state)
{
    (void) state;
    assert_same_pack(0, TINY_VOCAB_TXT);
    assert_same_pack(TINY_DISTILBERT, TINY_DISTILBERT | TINY_VOCAB_TXT);
}

static void
test_vocab_txt_crlf(void **state)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    start(&model, TINY_VOCAB_TXT);
    while (tiny_replace(&model.source, "vocab.txt", "d]\n", "d]\r\n") ||
           tiny_replace(&model.source, "vocab.txt", "the\n", "the\r\n"))
        ;
    import_source(&model, &options);
    assert_int_equal(ins_piece_index_find(&model.view, (ins_text){"", 0},
                                          (ins_text){"the", 3}),
                     5);
    close_imported(&model);
}

static void
test_vocab_txt_duplicate_has_higher_id(void **state)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    start(&model, TINY_VOCAB_TXT);
    assert_true(
        tiny_replace(&model.source, "vocab.txt", "\nwhere\n", "\nwas\n"));
    import_source(&model, &options);
    assert_int_equal(ins_piece_index_find(&model.view, (ins_text){"", 0},
                                          (ins_text){"was", 3}),
                     13);
    close_imported(&model);
}

/* Tokens that somebody added, with ids in the vocabulary and past it. */
static void
test_added_tokens_file(void **state)
{
    struct imported model;
    const ins_pack_added_token *token;

    (void) state;
    start(&model, TINY_VOCAB_TXT);
    tiny_set_text(&model.source, "added_tokens.json",
                  "{\"refund\":16,\"[MASK]\":4}");
    import_source(&model, &(ins_import_options) INS_IMPORT_DEFAULTS);
    assert_int_equal(model.view.tokenizer->added_tokens, 6);
    token = &model.view.added_tokens[5];
    assert_int_equal(token->id, 16);
    assert_int_equal(token->flags, INS_ADDED_NORMALIZED);
    assert_memory_equal(model.view.added_bytes + token->start, "refund", 6);
    close_imported(&model);
}

static void
test_tokenizer(void **state)
{
    struct imported model;
    const ins_pack_tokenizer *tokenizer;

    (void) state;
    open_imported(&model, 0);
    tokenizer = model.view.tokenizer;
    assert_int_equal(tokenizer->cls_id, 2);
    assert_int_equal(tokenizer->sep_id, 3);
    assert_int_equal(tokenizer->unk_id, 1);
    assert_int_equal(tokenizer->pad_id, 0);
    assert_int_equal(tokenizer->max_word_chars, 100);
    assert_int_equal(tokenizer->added_tokens, 5);
    assert_int_equal(model.view.added_tokens[4].flags, INS_ADDED_SPECIAL);
    /* strip_accents null follows lowercase. */
    assert_int_equal(tokenizer->flags,
                     INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE |
                         INS_TOKENIZER_STRIP_ACCENTS | INS_TOKENIZER_LOWERCASE);
    for (uint32_t i = 0; i < model.view.pieces.count; i++)
        assert_int_equal(
            ins_piece_index_find(&model.view, (ins_text){"", 0},
                                 ins_string_at(&model.view.pieces, i)),
            i);
    close_imported(&model);
}

static void
test_tokenizer_json_wins(void **state)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    start(&model, 0);
    tiny_set_text(&model.source, "tokenizer_config.json",
                  "{\"do_lower_case\":false,\"model_max_length\":20}");
    import_source(&model, &options);
    assert_true((model.view.tokenizer->flags & INS_TOKENIZER_LOWERCASE) != 0);
    assert_int_equal(model.view.recipe->max_tokens, 20);
    close_imported(&model);
}

static void
test_cased_keeps_accents(void **state)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    start(&model, 0);
    assert_true(tiny_replace(&model.source, "tokenizer.json",
                             "\"lowercase\":true", "\"lowercase\":false"));
    import_source(&model, &options);
    assert_int_equal(model.view.tokenizer->flags,
                     INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE);
    close_imported(&model);
}

static void
test_bert_processing(void **state)
{
    static const char processing[] =
        "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\","
        "3],\"cls\":[\"[CLS]\",2]},\"unused\":{";
    struct imported model;

    (void) state;
    start(&model, 0);
    assert_true(tiny_replace(
        &model.source, "tokenizer.json",
        "\"post_processor\":{\"type\":\"TemplateProcessing\",", processing));
    import_source(&model, &(ins_import_options) INS_IMPORT_DEFAULTS);
    assert_int_equal(model.view.tokenizer->cls_id, 2);
    assert_int_equal(model.view.tokenizer->sep_id, 3);
    close_imported(&model);
}

/* bert-base-uncased's own tokenizer.json does not name the model's type. */
static void
test_model_without_type(void **state)
{
    struct imported model;

    (void) state;
    start(&model, 0);
    assert_true(tiny_replace(&model.source, "tokenizer.json",
                             "\"type\":\"WordPiece\",", ""));
    import_source(&model, &(ins_import_options) INS_IMPORT_DEFAULTS);
    close_imported(&model);
}

static void
test_weights_arrive(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;
    const ins_source_file *file;
    const float *words;
    const float *norm;
    float first;
    uint64_t header;

    (void) state;
    start(&model, 0);
    options.weights = INS_WEIGHTS_CHOICE_F32;
    import_source(&model, &options);
    file = tiny_find(&model.source, "model.safetensors");
    memcpy(&header, file->data, sizeof(header));
    memcpy(&first, (const char *) file->data + 8 + header, sizeof(first));
    words = ins_pack_f32(&model.view, INS_ROLE_WORDS, 0);
    assert_true(words[0] == first);
    norm = ins_pack_f32(&model.view, INS_ROLE_FFN_NORM, 1);
    assert_true(norm[0] > 0.8f && norm[0] < 1.2f);    /* scale */
    assert_true(norm[32] > -0.2f && norm[32] < 0.2f); /* bias */
    assert_null(ins_pack_f32(&model.view, INS_ROLE_HEAD_OUT, 0));
    assert_null(ins_pack_f32(&model.view, INS_ROLE_QKV, 2));
    close_imported(&model);
}

static void
test_options(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    struct imported model;

    (void) state;
    options.max_tokens = 16;
    options.pooling = INS_POOLING_CHOICE_CLS;
    options.normalize = 1;
    start(&model, TINY_CLASSIFIER);
    import_source(&model, &options);
    assert_int_equal(model.view.recipe->max_tokens, 16);
    assert_int_equal(model.view.recipe->pooling, INS_POOLING_CLS);
    assert_int_equal(model.view.recipe->flags,
                     INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_DENSE |
                         INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE);
    close_imported(&model);
}

static void
expect_option_failure(const ins_import_options *options, ins_status expected)
{
    struct imported model;

    start(&model, TINY_CLASSIFIER);
    assert_int_equal(ins_import(model.source.files, model.source.count, options,
                                &model.host.host, &model.pack, &model.size,
                                &model.error),
                     expected);
    assert_null(model.pack);
    close_imported(&model);
}

static void
test_options_refused(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;

    (void) state;
    options.max_tokens = 49;
    expect_option_failure(&options, INS_INVALID_ARGUMENT);
    options = (ins_import_options) INS_IMPORT_DEFAULTS;
    options.normalize = 1; /* the model only classifies */
    expect_option_failure(&options, INS_INVALID_ARGUMENT);
    options = (ins_import_options) INS_IMPORT_DEFAULTS;
    options.max_bytes = 1000;
    expect_option_failure(&options, INS_LIMIT_EXCEEDED);
}

static void
test_cancel(void **state)
{
    (void) state;
    for (size_t at = 1; at < 1000; at++) {
        struct imported model;
        ins_status status;

        start(&model, TINY_CLASSIFIER | TINY_SENTENCE);
        model.host.cancel_at = at;
        status = tiny_import(&model.source, &model.host.host, &model.pack,
                             &model.size, &model.error);
        if (status == INS_OK) {
            close_imported(&model);
            assert_true(at > 20);
            return;
        }
        assert_int_equal(status, INS_CANCELLED);
        assert_null(model.pack);
        close_imported(&model);
    }
    fail();
}

static void
test_shard_names(void **state)
{
    static const char *const wrong[] = {
        "model-00000-of-00002.safetensors",
        "model-00003-of-00002.safetensors",
        "model-00001-of-99999.safetensors",
        "model-0001-of-00002.safetensors",
        "model-00001-of-00002.safetensors.x",
        "../model-00001-of-00002.safetensor",
        "model.safetensors",
        "",
    };

    (void) state;
    assert_true(ins_import_is_shard("model-00001-of-00002.safetensors"));
    assert_true(ins_import_is_shard("model-00256-of-00256.safetensors"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(ins_import_is_shard(wrong[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bert_encoder),
        cmocka_unit_test(test_bert_classifier),
        cmocka_unit_test(test_both_heads),
        cmocka_unit_test(test_distilbert),
        cmocka_unit_test(test_multi_label),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_sharded),
        cmocka_unit_test(test_f16_and_bf16),
        cmocka_unit_test(test_unprefixed),
        cmocka_unit_test(test_gamma_beta),
        cmocka_unit_test(test_extra_tensors),
        cmocka_unit_test(test_vocab_txt),
        cmocka_unit_test(test_vocab_txt_crlf),
        cmocka_unit_test(test_vocab_txt_duplicate_has_higher_id),
        cmocka_unit_test(test_added_tokens_file),
        cmocka_unit_test(test_tokenizer),
        cmocka_unit_test(test_tokenizer_json_wins),
        cmocka_unit_test(test_cased_keeps_accents),
        cmocka_unit_test(test_bert_processing),
        cmocka_unit_test(test_model_without_type),
        cmocka_unit_test(test_weights_arrive),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_refused),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_shard_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
