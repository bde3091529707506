/*
 * test_parameters.c - weights as floats: what a pack holds, there and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "gradient/parameters.h"
#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "unit/gradient_fixture.h"

struct opened {
    tiny_host host;
    void *pack;
    size_t size;
    ins_pack_view view;
    ins_parameters *parameters;
    ins_error error;
};

static void
open_pack(struct opened *opened, unsigned flags, ins_weights_choice weights)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    const ins_host *host = &opened->host.host;
    tiny_model model;

    memset(opened, 0, sizeof(*opened));
    options.weights = weights;
    tiny_host_open(&opened->host);
    tiny_open(&model, flags);
    assert_int_equal(ins_import(model.files, model.count, &options, host,
                                &opened->pack, &opened->size, &opened->error),
                     INS_OK);
    tiny_close(&model);
    assert_int_equal(ins_pack_read(&opened->view, opened->pack, opened->size,
                                   &opened->error),
                     INS_OK);
    assert_int_equal(ins_parameters_open(&opened->parameters,
                                         opened->view.recipe, host,
                                         &opened->error),
                     INS_OK);
}

static void
close_pack(struct opened *opened)
{
    ins_parameters_close(opened->parameters);
    opened->host.host.release(&opened->host, opened->pack);
    assert_int_equal(opened->host.live_blocks, 0);
}

/* Every tensor of the recipe, once, in the pack's order, one behind another. */
static void
test_layout(void **state)
{
    struct opened opened;
    const ins_parameters *all;
    uint64_t count = 0;

    (void) state;
    open_pack(&opened, TINY_CLASSIFIER, INS_WEIGHTS_CHOICE_DEFAULT);
    all = opened.parameters;
    assert_int_equal(all->tensor_count, opened.view.tensor_count);
    for (uint32_t i = 0; i < all->tensor_count; i++) {
        const ins_parameter *tensor = &all->tensors[i];
        const ins_pack_tensor *packed = &opened.view.tensors[i];

        assert_int_equal(tensor->role, packed->role);
        assert_int_equal(tensor->layer, packed->layer);
        assert_int_equal(tensor->rows, packed->rows);
        assert_int_equal(tensor->columns, packed->columns);
        assert_ptr_equal(tensor->values, all->values + count);
        assert_ptr_equal(ins_parameters_find(all, tensor->role, tensor->layer),
                         tensor);
        count += (uint64_t) tensor->rows * tensor->columns;
    }
    assert_int_equal(all->count, count);
    for (uint64_t i = 0; i < count; i++)
        assert_true(all->values[i] == 0);
    assert_null(ins_parameters_find(all, INS_ROLE_WORDS, 1));
    assert_null(ins_parameters_find(all, INS_ROLE_QKV, 2));
    assert_null(ins_parameters_find(all, INS_ROLE_LAST + 1, 0));
    assert_null(ins_parameters_find(all, 0, 0));
    close_pack(&opened);
}

/* What was read and is written into an empty pack gives the pack again. */
static void
check_round_trip(unsigned flags, ins_weights_choice weights)
{
    struct opened opened;
    uint8_t *copy;
    uint64_t first;

    open_pack(&opened, flags, weights);
    assert_int_equal(
        ins_parameters_read(opened.parameters, &opened.view, &opened.error),
        INS_OK);
    copy = malloc(opened.size);
    assert_non_null(copy);
    memcpy(copy, opened.pack, opened.size);
    first = opened.view.tensors[0].offset;
    memset(copy + first, 0, opened.size - first);
    assert_int_equal(ins_parameters_write(opened.parameters, &opened.view, copy,
                                          &opened.error),
                     INS_OK);
    assert_memory_equal(copy, opened.pack, opened.size);
    free(copy);
    close_pack(&opened);
}

static void
test_round_trip(void **state)
{
    static const ins_weights_choice choices[] = {INS_WEIGHTS_CHOICE_F32,
                                                 INS_WEIGHTS_CHOICE_BF16,
                                                 INS_WEIGHTS_CHOICE_INT8};

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        check_round_trip(TINY_CLASSIFIER | TINY_SENTENCE, choices[i]);
        check_round_trip(TINY_DISTILBERT | TINY_CLASSIFIER, choices[i]);
        check_round_trip(0, choices[i]);
    }
}

/* Tensors that the pack has not, or in another shape, keep their values. */
static void
test_other_tensors_stay(void **state)
{
    struct opened opened;
    ins_pack_recipe recipe;
    ins_parameters *wider;

    (void) state;
    open_pack(&opened, TINY_SENTENCE, INS_WEIGHTS_CHOICE_F32);
    recipe = *opened.view.recipe;
    recipe.flags |= INS_RECIPE_CLASSIFY;
    recipe.labels = 5;
    recipe.positions += 1;
    assert_int_equal(
        ins_parameters_open(&wider, &recipe, &opened.host.host, &opened.error),
        INS_OK);
    for (uint64_t i = 0; i < wider->count; i++)
        wider->values[i] = 77;
    assert_int_equal(ins_parameters_read(wider, &opened.view, &opened.error),
                     INS_OK);
    for (uint32_t i = 0; i < wider->tensor_count; i++) {
        const ins_parameter *tensor = &wider->tensors[i];
        bool stays = tensor->role == INS_ROLE_POSITIONS ||
                     tensor->role >= INS_ROLE_HEAD_DENSE;

        assert_true((tensor->values[0] == 77) == stays);
    }
    /* Such a pack has no place for them. */
    assert_int_equal(
        ins_parameters_write(wider, &opened.view, opened.pack, &opened.error),
        INS_INTERNAL);
    ins_parameters_close(wider);
    close_pack(&opened);
}

static void
test_a_weight_must_be_finite(void **state)
{
    struct opened opened;

    (void) state;
    open_pack(&opened, 0, INS_WEIGHTS_CHOICE_INT8);
    opened.parameters->values[100] = NAN;
    assert_int_equal(ins_parameters_write(opened.parameters, &opened.view,
                                          opened.pack, &opened.error),
                     INS_INTERNAL);
    assert_non_null(strstr(opened.error.message, "not a number"));
    close_pack(&opened);
}

static void
test_cancel(void **state)
{
    struct opened opened;

    (void) state;
    open_pack(&opened, 0, INS_WEIGHTS_CHOICE_INT8);
    opened.host.polls = 0;
    opened.host.cancel_at = 1;
    assert_int_equal(
        ins_parameters_read(opened.parameters, &opened.view, &opened.error),
        INS_CANCELLED);
    assert_int_equal(ins_parameters_write(opened.parameters, &opened.view,
                                          opened.pack, &opened.error),
                     INS_CANCELLED);
    opened.host.cancel_at = 0;
    close_pack(&opened);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_other_tensors_stay),
        cmocka_unit_test(test_a_weight_must_be_finite),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
