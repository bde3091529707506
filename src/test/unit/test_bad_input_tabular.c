/*
 * test_bad_input_tabular.c - packs of models over numbers that somebody has
 * forged.
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
#include "unit/tiny_model.h"
#include "unit/tiny_table.h"

/* A good pack to damage. */
struct pack {
    uint8_t *bytes;
    size_t size;
    ins_pack_section *sections;
    ins_pack_recipe *recipe;
    uint8_t *tokenizer;
};

static tiny_host host;

static void *
section_data(const struct pack *pack, uint32_t kind)
{
    return pack->bytes + pack->sections[kind - 1].offset;
}

static struct pack
open_pack(uint32_t units)
{
    struct pack pack;
    ins_error error;
    void *bytes;

    tiny_host_open(&host);
    assert_int_equal(
        tiny_table_train(units, &host.host, &bytes, &pack.size, &error),
        INS_OK);
    pack.bytes = bytes;
    pack.sections =
        (ins_pack_section *) (void *) (pack.bytes + sizeof(ins_pack_header));
    pack.recipe = section_data(&pack, INS_SECTION_RECIPE);
    pack.tokenizer = section_data(&pack, INS_SECTION_TOKENIZER);
    return pack;
}

static ins_pack_tensor *
tensors(const struct pack *pack)
{
    return section_data(pack, INS_SECTION_TENSORS);
}

static void *
last_tensor_data(const struct pack *pack)
{
    return pack->bytes + tensors(pack)[4].offset;
}

/* X(name, words, statements on "pack"); the pack has a dense layer. */
#define FORGERIES(X)                                                           \
    X(no_flag, "flags", pack->recipe->flags ^= INS_RECIPE_TABULAR)             \
    X(and_classify, "flags", pack->recipe->flags |= INS_RECIPE_CLASSIFY)       \
    X(and_embed, "flags", pack->recipe->flags |= INS_RECIPE_EMBED)             \
    X(and_pooled, "flags", pack->recipe->flags |= INS_RECIPE_HEAD_POOLED)      \
    X(and_multi_label, "flags", pack->recipe->flags |= INS_RECIPE_MULTI_LABEL) \
    X(unknown_flag, "flags", pack->recipe->flags |= 1u << 20)                  \
    X(no_dense, "intermediate", pack->recipe->flags ^= INS_RECIPE_HEAD_DENSE)  \
    X(layers, "layers", pack->recipe->layers = 1)                              \
    X(no_features, "hidden", pack->recipe->hidden = 0)                         \
    X(one_feature_more, "section", pack->recipe->hidden++)                     \
    X(many_features, "hidden", pack->recipe->hidden = 16385)                   \
    X(heads, "heads", pack->recipe->heads = 1)                                 \
    X(no_units, "intermediate", pack->recipe->intermediate = 0)                \
    X(one_unit_more, "tensors do not fit", pack->recipe->intermediate++)       \
    X(many_units, "intermediate", pack->recipe->intermediate = UINT32_MAX)     \
    X(vocabulary, "vocabulary", pack->recipe->vocabulary = 5)                  \
    X(positions, "positions", pack->recipe->positions = 2)                     \
    X(positive_beyond, "position_offset", pack->recipe->position_offset = 2)   \
    X(positive_wraps, "position_offset",                                       \
      pack->recipe->position_offset = UINT32_MAX)                              \
    X(token_types, "token_types", pack->recipe->token_types = 1)               \
    X(activation, "activation", pack->recipe->activation = 1)                  \
    X(head_activation, "head_activation",                                      \
      pack->recipe->head_activation = INS_ACTIVATION_RELU)                     \
    X(pooling, "pooling", pack->recipe->pooling = 1)                           \
    X(no_labels, "labels", pack->recipe->labels = 0)                           \
    X(one_label_more, "section", pack->recipe->labels++)                       \
    X(many_labels, "labels", pack->recipe->labels = 65537)                     \
    X(max_tokens, "max_tokens", pack->recipe->max_tokens = 2)                  \
    X(epsilon, "norm_epsilon", pack->recipe->norm_epsilon = 1e-5f)             \
    X(epsilon_nan, "norm_epsilon",                                             \
      memset(&pack->recipe->norm_epsilon, 0xFF, 4))                            \
    X(epsilon_minus_zero, "norm_epsilon", pack->recipe->norm_epsilon = -0.0f)  \
    X(weights, "weights", pack->recipe->weights = INS_WEIGHTS_INT8)            \
    X(architecture, "architecture", pack->recipe->architecture[0] = 0)         \
    X(tokenizer_flag, "has a tokenizer", pack->tokenizer[0] = 1)               \
    X(tokenizer_end, "has a tokenizer", pack->tokenizer[2127] = 1)             \
    X(tokenizer_size, "section", pack->sections[1].bytes--)                    \
    X(index, "section", pack->sections[INS_SECTION_PIECE_INDEX - 1].bytes = 4) \
    X(name_ends_fall, "malformed",                                             \
      ((uint32_t *) section_data(pack, INS_SECTION_PIECE_ENDS))[3] = 1)        \
    X(name_ends_beyond, "malformed",                                           \
      ((uint32_t *) section_data(pack, INS_SECTION_PIECE_ENDS))[4] =           \
          UINT32_MAX)                                                          \
    X(name_nul, "malformed",                                                   \
      ((char *) section_data(pack, INS_SECTION_PIECE_BYTES))[0] = 0)           \
    X(label_nul, "malformed",                                                  \
      ((char *) section_data(pack, INS_SECTION_LABEL_BYTES))[0] = 0)           \
    X(tensor_role, "tensors do not fit",                                       \
      tensors(pack)[0].role = INS_ROLE_WORDS)                                  \
    X(tensor_rows, "tensors do not fit", tensors(pack)[4].rows = 2)            \
    X(tensor_type, "tensors do not fit",                                       \
      tensors(pack)[0].type = INS_TENSOR_F32_ROWS)                             \
    X(tensor_offset, "tensors do not fit", tensors(pack)[4].offset += 64)      \
    X(mean_nan, "not finite", memset(last_tensor_data(pack), 0xFF, 4))

struct forgery {
    const char *name;
    void (*forge)(struct pack *pack);
    const char *words;
};

#define FORGE_FUNCTION(name, words, statement)  \
    static void forge_##name(struct pack *pack) \
    {                                           \
        statement;                              \
    }
#define FORGE_ROW(name, words, statement) {#name, forge_##name, words},

FORGERIES(FORGE_FUNCTION)

static const struct forgery forgeries[] = {FORGERIES(FORGE_ROW)};
#define FORGERY_COUNT (sizeof(forgeries) / sizeof(forgeries[0]))

static void
run_forgery(void **state)
{
    const struct forgery *forgery = *state;
    struct pack pack = open_pack(3);
    ins_error error = {.status = INS_OK};

    assert_int_equal(ins_pack_check(pack.bytes, pack.size, &host.host, &error),
                     INS_OK);
    forgery->forge(&pack);
    assert_int_equal(ins_pack_check(pack.bytes, pack.size, &host.host, &error),
                     INS_CORRUPT_PACK);
    if (strstr(error.message, forgery->words) == NULL &&
        strstr(error.detail, forgery->words) == NULL)
        fail_msg("said: %s | %s", error.message, error.detail);
    host.host.release(&host, pack.bytes);
    assert_int_equal(host.live_blocks, 0);
}

/* ---- many at once -------------------------------------------------------- */

/* Opens the pack and uses it, when it is accepted. */
static bool
survives(const uint8_t *bytes, size_t size)
{
    double features[TINY_TABLE_FEATURES];
    float scores[2];
    const ins_text json = {"{\"age\": 3, \"colour\": \"red\"}", 27};
    ins_model *model;
    ins_error error;

    if (ins_model_open(&model, bytes, size, &host.host, &error) != INS_OK)
        return false;
    assert_int_equal(ins_model_describe(model)->feature_count,
                     TINY_TABLE_FEATURES);
    assert_int_equal(ins_model_describe(model)->label_count, 2);
    assert_true(ins_model_positive_label(model) < 2);
    ins_predict_read_object(model, json, features, &host.host, &error);
    ins_predict(model, features, TINY_TABLE_FEATURES, scores, &error);
    ins_model_close(model);
    return true;
}

static void
test_every_bit_before_weights(void **state)
{
    (void) state;
    for (uint32_t units = 0; units <= 3; units += 3) {
        struct pack pack = open_pack(units);
        size_t end = (size_t) pack.sections[INS_SECTION_WEIGHTS - 1].offset;
        size_t accepted = 0;

        for (size_t i = 0; i < end * 8; i++) {
            pack.bytes[i / 8] ^= (uint8_t) (1 << i % 8);
            accepted += survives(pack.bytes, pack.size);
            pack.bytes[i / 8] ^= (uint8_t) (1 << i % 8);
        }
        assert_true(survives(pack.bytes, pack.size));
        /* Names, the positive label and padding may change. */
        assert_true(accepted > 0 && accepted < end);
        host.host.release(&host, pack.bytes);
        assert_int_equal(host.live_blocks, 0);
    }
}

static void
test_every_truncation(void **state)
{
    struct pack pack = open_pack(3);

    (void) state;
    for (size_t size = 0; size < pack.size; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        uint64_t total = size;

        assert_non_null(copy);
        memcpy(copy, pack.bytes, size);
        /* A header that knows of the cut. */
        if (size >= sizeof(ins_pack_header))
            memcpy(copy + 16, &total, sizeof(total));
        assert_false(survives(copy, size));
        free(copy);
    }
    host.host.release(&host, pack.bytes);
}

/* Weights that are not numbers give an error, not a score. */
static void
test_weights_that_are_not_numbers(void **state)
{
    struct pack pack = open_pack(3);
    double features[TINY_TABLE_FEATURES] = {0};
    float scores[2];
    ins_model *model;
    ins_error error;

    (void) state;
    memset(last_tensor_data(&pack), 0xFF, 4);
    assert_int_equal(
        ins_model_open(&model, pack.bytes, pack.size, &host.host, &error),
        INS_OK);
    assert_int_equal(
        ins_predict(model, features, TINY_TABLE_FEATURES, scores, &error),
        INS_INTERNAL);
    ins_model_close(model);
    host.host.release(&host, pack.bytes);
}

int
main(void)
{
    struct CMUnitTest tests[FORGERY_COUNT + 3] = {
        cmocka_unit_test(test_every_bit_before_weights),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_weights_that_are_not_numbers),
    };

    for (size_t i = 0; i < FORGERY_COUNT; i++) {
        tests[3 + i].name = forgeries[i].name;
        tests[3 + i].test_func = run_forgery;
        tests[3 + i].initial_state = (void *) (uintptr_t) &forgeries[i];
    }
    return _cmocka_run_group_tests("bad_input_tabular", tests,
                                   FORGERY_COUNT + 3, tiny_prepare, NULL);
}
