/*
 * test_pack.c - writer, shapes and reader of the pack agree.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pack/pack_shape.h"
#include "pack/pack_writer.h"
#include "unit/tiny_model.h"

static const uint32_t piece_ends[] = {1, 2, 3};
static const uint32_t piece_index[8] = {1, 2, 3};
static const uint32_t label_ends[] = {2, 5};

/* The smallest model that there can be. */
static ins_pack_contents
make_contents(void)
{
    ins_pack_contents contents = {
        .recipe = {.flags = INS_RECIPE_CLASSIFY | INS_RECIPE_EMBED |
                            INS_RECIPE_HEAD_DENSE,
                   .layers = 1,
                   .hidden = 3,
                   .heads = 1,
                   .intermediate = 5,
                   .vocabulary = 3,
                   .positions = 2,
                   .token_types = 1,
                   .activation = INS_ACTIVATION_GELU,
                   .head_activation = INS_ACTIVATION_TANH,
                   .pooling = INS_POOLING_CLS,
                   .labels = 2,
                   .max_tokens = 2,
                   .norm_epsilon = 1e-12f,
                   .weights = INS_WEIGHTS_INT8,
                   .architecture = "bert"},
        .tokenizer = {.pieces = 3,
                      .max_word_chars = 100,
                      .index_slots = 8,
                      .prefix_bytes = 2,
                      .prefix = "##"},
        .pieces = {piece_ends, "abc", 3},
        .piece_index = piece_index,
        .labels = {label_ends, "onetw", 2},
    };

    return contents;
}

static void
test_written_is_read(void **state)
{
    ins_pack_contents contents = make_contents();
    tiny_host host;
    ins_error error;
    ins_pack_view view;
    void *pack;
    size_t size;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(
        ins_pack_write(&contents, UINT64_MAX, &host.host, &pack, &size, &error),
        INS_OK);
    assert_int_equal(ins_pack_read(&view, pack, size, &error), INS_OK);
    assert_memory_equal(view.recipe, &contents.recipe, sizeof(ins_pack_recipe));
    assert_memory_equal(view.tokenizer, &contents.tokenizer,
                        sizeof(ins_pack_tokenizer));
    assert_int_equal(ins_string_at(&view.pieces, 1).data[0], 'b');
    assert_int_equal(ins_string_at(&view.labels, 1).size, 3);
    assert_int_equal(view.tensor_count, 18);
    for (uint32_t i = 0; i < view.tensor_count; i++) {
        const ins_pack_tensor *tensor = &view.tensors[i];

        assert_int_equal(tensor->offset % INS_PACK_ALIGNMENT, 0);
        assert_ptr_equal(
            ins_pack_find_tensor(&view, tensor->role, tensor->layer), tensor);
    }
    assert_null(ins_pack_find_tensor(&view, INS_ROLE_QKV, 1));
    assert_null(ins_pack_find_tensor(&view, 0, 0));
    host.host.release(&host, pack);
}

static void
test_limit(void **state)
{
    ins_pack_contents contents = make_contents();
    tiny_host host;
    ins_error error;
    void *pack;
    size_t size;
    size_t full;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(
        ins_pack_write(&contents, UINT64_MAX, &host.host, &pack, &full, &error),
        INS_OK);
    host.host.release(&host, pack);
    assert_int_equal(
        ins_pack_write(&contents, full, &host.host, &pack, &size, &error),
        INS_OK);
    host.host.release(&host, pack);
    assert_int_equal(
        ins_pack_write(&contents, full - 1, &host.host, &pack, &size, &error),
        INS_LIMIT_EXCEEDED);
    assert_null(pack);
    assert_int_equal(host.live_blocks, 0);
}

/* The largest recipe within the limits must not overflow anything. */
static void
test_largest_recipe(void **state)
{
    ins_pack_contents contents = make_contents();
    tiny_host host;
    ins_error error;
    void *pack;
    size_t size;

    (void) state;
    tiny_host_open(&host);
    contents.recipe.layers = INS_MAX_LAYERS;
    contents.recipe.hidden = INS_MAX_HIDDEN;
    contents.recipe.intermediate = INS_MAX_INTERMEDIATE;
    contents.recipe.vocabulary = INS_MAX_VOCABULARY;
    contents.recipe.positions = INS_MAX_POSITIONS;
    assert_int_equal(
        ins_pack_write(&contents, UINT64_MAX, &host.host, &pack, &size, &error),
        INS_LIMIT_EXCEEDED);
    assert_int_equal(host.calls, 0);
    assert_true(ins_pack_step_count(&contents.recipe) <= INS_MAX_TENSORS);
}

static void
test_unsound_recipe(void **state)
{
    ins_pack_contents contents = make_contents();
    tiny_host host;
    ins_error error;
    void *pack;
    size_t size;

    (void) state;
    tiny_host_open(&host);
    contents.recipe.heads = 2;
    assert_int_equal(
        ins_pack_write(&contents, UINT64_MAX, &host.host, &pack, &size, &error),
        INS_INTERNAL);
}

static void
test_steps(void **state)
{
    ins_pack_recipe recipe = make_contents().recipe;
    ins_pack_step step = {0, 0};
    ins_pack_step before = {0, 0};
    uint32_t count = 0;

    (void) state;
    recipe.layers = 3;
    recipe.token_types = 0;
    recipe.flags = INS_RECIPE_EMBED;
    while (ins_pack_next_step(&recipe, &step)) {
        assert_true(step.layer > before.layer || step.role > before.role);
        assert_int_not_equal(step.role, INS_ROLE_TYPES);
        assert_true(step.role < INS_ROLE_HEAD_DENSE);
        before = step;
        count++;
    }
    assert_int_equal(count, 3 + 3 * 10);
    assert_int_equal(ins_pack_step_count(&recipe), count);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_largest_recipe),
        cmocka_unit_test(test_unsound_recipe),
        cmocka_unit_test(test_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
