/*
 * test_training.c - rows to packs: what is learnt, what stays as the base has
 * it, and refusals.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack/pack_reader.h"
#include "pack/pack_shape.h"
#include "training_fixture.h"

static void
expect_label(struct training_fixture *f, const char *text, const char *expected)
{
    float scores[TRAINING_VALUES];
    ins_text label;

    training_task(f, f->model, INS_TASK_CLASSIFY, text, scores);
    label = ins_model_label(f->model, ins_best_label(scores, 3));
    assert_int_equal(label.size, strlen(expected));
    assert_memory_equal(label.data, expected, label.size);
}

/* ---- what is learnt ------------------------------------------------------ */

static void
expect_all_learnt(struct training_fixture *f)
{
    const ins_model_info *info = ins_model_describe(f->model);

    assert_true(info->can_classify);
    assert_true(info->can_embed);
    assert_false(info->multi_label);
    assert_int_equal(info->label_count, 3);
    assert_int_equal(ins_model_find_label(f->model, training_text("billing")),
                     0);
    assert_int_equal(ins_model_find_label(f->model, training_text("delivery")),
                     1);
    assert_int_equal(ins_model_find_label(f->model, training_text("other")), 2);
    for (size_t i = 0; i < TRAINING_ROWS; i++)
        expect_label(f, training_rows[i].text, training_rows[i].label);
}

static void
test_heads_learn(void **state)
{
    static const unsigned bases[] = {
        TINY_SENTENCE, TINY_SENTENCE | TINY_CLASSIFIER,
        TINY_SENTENCE | TINY_CLASSIFIER | TINY_DISTILBERT, TINY_VOCAB_TXT};

    (void) state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        for (int head = INS_HEAD_LOGISTIC; head <= INS_HEAD_NETWORK; head++) {
            struct training_fixture f;
            ins_pack_view view;
            bool dense;

            training_open(&f, bases[i]);
            f.options.head = (ins_head_choice) head;
            training_begin(&f);
            training_add_rows(&f);
            training_run_and_open(&f);
            expect_all_learnt(&f);
            assert_int_equal(
                ins_pack_read(&view, f.pack, f.pack_bytes, &f.error), INS_OK);
            dense = (view.recipe->flags & INS_RECIPE_HEAD_DENSE) != 0;
            assert_int_equal(dense, head == INS_HEAD_NETWORK);
            training_close(&f);
        }
    }
}

/* Chosen on folds; labels with one or two rows are among them. */
static void
test_chosen_heads_learn(void **state)
{
    static const ins_head_choice heads[] = {INS_HEAD_LOGISTIC, INS_HEAD_AUTO};

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        struct training_fixture f;

        training_open(&f, TINY_SENTENCE);
        f.options.head = heads[i];
        f.options.l2 = -1;
        f.options.folds = 3;
        training_begin(&f);
        training_add_rows(&f);
        training_run_and_open(&f);
        expect_all_learnt(&f);
        training_close(&f);
    }
}

/* With every number type of the result, from an encoder that embeds, whose head
 * then reads the embedding, and from one that does not. */
static void
test_encoders_learn(void **state)
{
    static const unsigned bases[] = {TINY_SENTENCE, TINY_CLASSIFIER};
    static const char *const names[] = {"int8", "f32", "bf16", "int8"};

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        for (int weights = INS_WEIGHTS_CHOICE_DEFAULT;
             weights <= INS_WEIGHTS_CHOICE_INT8; weights++) {
            struct training_fixture f;

            training_open(&f, bases[i]);
            f.method = INS_TRAIN_FINE_TUNE;
            f.options.validation = 0;
            f.options.learning_rate = 1e-3;
            f.options.epochs = 10;
            f.options.weights = (ins_weights_choice) weights;
            training_begin(&f);
            training_add_rows(&f);
            training_run_and_open(&f);
            assert_string_equal(ins_model_describe(f.model)->weights,
                                names[weights]);
            assert_int_equal(ins_model_describe(f.model)->can_embed, i == 0);
            for (size_t k = 0; k < TRAINING_ROWS; k++)
                expect_label(&f, training_rows[k].text, training_rows[k].label);
            training_close(&f);
        }
    }
}

/* The head is fitted to the embeddings of the number type that is wanted. */
static void
test_weights_are_converted(void **state)
{
    static const char *const names[] = {"int8", "f32", "bf16", "int8"};

    (void) state;
    for (int weights = INS_WEIGHTS_CHOICE_DEFAULT;
         weights <= INS_WEIGHTS_CHOICE_INT8; weights++) {
        struct training_fixture f;

        training_open(&f, TINY_SENTENCE | TINY_CLASSIFIER);
        f.options.weights = (ins_weights_choice) weights;
        training_begin(&f);
        training_add_rows(&f);
        training_run_and_open(&f);
        assert_string_equal(ins_model_describe(f.model)->weights,
                            names[weights]);
        expect_all_learnt(&f);
        training_close(&f);
    }
}

/* Sections and tensors of the base, byte for byte; embeddings follow. */
static void
test_base_stays(void **state)
{
    struct training_fixture f;
    ins_pack_view base;
    ins_pack_view trained;
    float expected[TRAINING_VALUES];
    float found[TRAINING_VALUES];

    (void) state;
    training_open(&f, TINY_SENTENCE | TINY_CLASSIFIER | TINY_LEXICAL);
    training_begin(&f);
    training_add_rows(&f);
    training_run_and_open(&f);
    assert_int_equal(
        ins_pack_read(&base, f.base_pack,
                      (size_t) ins_model_describe(f.base)->pack_bytes,
                      &f.error),
        INS_OK);
    assert_int_equal(ins_pack_read(&trained, f.pack, f.pack_bytes, &f.error),
                     INS_OK);
    assert_memory_equal(base.tokenizer, trained.tokenizer,
                        sizeof(ins_pack_tokenizer));
    for (uint32_t i = 0; i < trained.tensor_count; i++) {
        const ins_pack_tensor *tensor = &trained.tensors[i];
        const ins_pack_tensor *source =
            ins_pack_find_tensor(&base, tensor->role, tensor->layer);

        if (ins_pack_is_head(tensor->role))
            continue;
        assert_int_equal(source->bytes, tensor->bytes);
        assert_memory_equal(base.bytes + source->offset,
                            trained.bytes + tensor->offset, tensor->bytes);
    }
    for (int task = INS_TASK_EMBED; task <= INS_TASK_EMBED_QUERY; task++) {
        training_task(&f, f.base, (ins_task) task, "my order", expected);
        training_task(&f, f.model, (ins_task) task, "my order", found);
        assert_memory_equal(expected, found, sizeof(found));
    }
    training_close(&f);
}

static void
test_equal_rows_give_equal_packs(void **state)
{
    struct training_fixture f;
    uint8_t digests[2][INS_DIGEST_BYTES];

    (void) state;
    training_open(&f, TINY_SENTENCE);
    for (int i = 0; i < 2; i++) {
        f.options.head = INS_HEAD_NETWORK;
        training_begin(&f);
        training_add_rows(&f);
        training_run_and_open(&f);
        assert_int_equal(ins_digest_of(f.pack, f.pack_bytes, &f.host.host,
                                       digests[i], &f.error),
                         INS_OK);
        training_end(&f);
    }
    assert_memory_equal(digests[0], digests[1], INS_DIGEST_BYTES);
    training_close(&f);
}

static void
test_several_labels(void **state)
{
    const ins_text both[] = {training_text("order"), training_text("refund")};
    const ins_text bad[] = {training_text("new"), training_text("")};
    struct training_fixture f;
    float scores[TRAINING_VALUES];

    (void) state;
    training_open(&f, TINY_SENTENCE);
    f.options.multi_label = true;
    f.options.balanced = true;
    training_begin(&f);
    /* A row that is refused leaves no label behind. */
    assert_int_equal(
        ins_training_add_text(f.training, training_text("x"), bad, 2, &f.error),
        INS_INVALID_ARGUMENT);
    for (int i = 0; i < 3; i++) {
        const ins_text inputs[] = {
            training_text("refund my order"), training_text("my order"),
            training_text("my refund"), training_text("hello")};
        const size_t first[] = {0, 0, 1, 0};
        const size_t counts[] = {2, 1, 1, 0};

        for (int k = 0; k < 4; k++)
            assert_int_equal(ins_training_add_text(f.training, inputs[k],
                                                   both + first[k], counts[k],
                                                   &f.error),
                             INS_OK);
    }
    training_run_and_open(&f);
    assert_true(ins_model_describe(f.model)->multi_label);
    assert_int_equal(ins_model_describe(f.model)->label_count, 2);
    training_task(&f, f.model, INS_TASK_CLASSIFY, "refund my order", scores);
    assert_true(scores[0] > 0.5f && scores[1] > 0.5f);
    training_task(&f, f.model, INS_TASK_CLASSIFY, "my order", scores);
    assert_true(scores[0] > 0.5f && scores[1] < 0.5f);
    training_task(&f, f.model, INS_TASK_CLASSIFY, "my refund", scores);
    assert_true(scores[0] < 0.5f && scores[1] > 0.5f);
    training_task(&f, f.model, INS_TASK_CLASSIFY, "hello", scores);
    assert_true(scores[0] < 0.5f && scores[1] < 0.5f);
    training_close(&f);
}

/* The same text with two labels, one of them nine times: without weights the
 * scores follow the counts, with them they are equal. */
static void
test_class_weights(void **state)
{
    struct training_fixture f;
    float scores[TRAINING_VALUES];

    (void) state;
    training_open(&f, TINY_SENTENCE);
    for (int balanced = 0; balanced < 2; balanced++) {
        f.options.balanced = balanced != 0;
        training_begin(&f);
        for (int i = 0; i < 10; i++)
            assert_int_equal(training_add(&f, "my order", i == 0 ? "a" : "b"),
                             INS_OK);
        training_run_and_open(&f);
        training_task(&f, f.model, INS_TASK_CLASSIFY, "my order", scores);
        assert_float_equal(scores[1], balanced ? 0.5f : 0.9f, 0.01f);
        training_end(&f);
    }
    training_close(&f);
}

static void
test_odd_rows(void **state)
{
    struct training_fixture f;
    char name[16];

    (void) state;
    training_open(&f, TINY_SENTENCE);
    training_begin(&f);
    training_add_rows(&f);
    assert_int_equal(training_add(&f, "", "empty"), INS_OK);
    assert_int_equal(training_add(&f, "\xFF\xC3 \xED\xA0\x80", "bytes"),
                     INS_OK);
    assert_int_equal(ins_training_add_text(f.training, (ins_text){"a\0b", 3},
                                           &(ins_text){"nul", 3}, 1, &f.error),
                     INS_OK);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "label %d", i);
        assert_int_equal(training_add(&f, name, name), INS_OK);
    }
    training_run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->label_count, 506);
    training_close(&f);
}

/* Each label in one row.  Not run to its end, which takes long. */
static void
test_many_labels(void **state)
{
    struct training_fixture f;
    char name[16];

    (void) state;
    training_open(&f, TINY_SENTENCE);
    training_begin(&f);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "label %d", i);
        assert_int_equal(training_add(&f, "hello", name), INS_OK);
    }
    f.host.cancel_at = f.host.polls + 100;
    assert_int_equal(training_run(&f), INS_CANCELLED);
    training_close(&f);
}

static void
test_max_tokens(void **state)
{
    struct training_fixture f;

    (void) state;
    training_open(&f, TINY_SENTENCE);
    f.options.max_tokens = 5;
    training_begin(&f);
    training_add_rows(&f);
    training_run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->max_tokens, 5);
    training_end(&f);
    f.options.max_tokens = 30000;
    training_begin(&f);
    training_add_rows(&f);
    training_run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->max_tokens,
                     ins_model_describe(f.base)->max_tokens);
    training_close(&f);
}

/* ---- refusals ------------------------------------------------------------ */

static void
test_encoder_that_cannot_embed(void **state)
{
    struct training_fixture f;

    (void) state;
    training_open(&f, TINY_CLASSIFIER);
    assert_int_equal(ins_training_open(&f.training, INS_TRAIN_CLASSIFIER,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_WRONG_TASK);
    assert_null(f.training);
    assert_non_null(strstr(f.error.message, "its task is classify"));
    assert_int_equal(ins_training_open(&f.training, INS_TRAIN_CLASSIFIER,
                                       &f.options, NULL, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    f.options.folds = 1;
    assert_int_equal(ins_training_open(&f.training, INS_TRAIN_FINE_TUNE,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "\"folds\" must be from 2 to 10"));
    f.options = ins_training_defaults;
    f.options.dropout = NAN;
    assert_int_equal(ins_training_open(&f.training, INS_TRAIN_FINE_TUNE,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "\"dropout\" must be a number"));
    f.options = ins_training_defaults;
    f.options.patience = 2;
    assert_int_equal(ins_training_open(&f.training, INS_TRAIN_FINE_TUNE,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "\"patience\" needs rows"));
    f.options = ins_training_defaults;
    assert_int_equal(ins_training_open(&f.training, (ins_training_method) 9,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    training_close(&f);
}

static void
expect_refused(struct training_fixture *f, const char *words)
{
    assert_int_equal(training_run(f), INS_INVALID_ARGUMENT);
    if (strstr(f->error.message, words) == NULL)
        print_error("said: %s\n", f->error.message);
    assert_non_null(strstr(f->error.message, words));
}

static void
test_too_few_rows(void **state)
{
    struct training_fixture f;

    (void) state;
    training_open(&f, TINY_SENTENCE);
    training_begin(&f);
    ins_training_skip(f.training);
    expect_refused(&f, "no rows");
    assert_non_null(strstr(f.error.detail, "1 rows were left out"));
    assert_int_equal(training_add(&f, "x", "a"), INS_OK);
    assert_int_equal(training_add(&f, "y", "a"), INS_OK);
    expect_refused(&f, "same label");
    training_end(&f);
    f.method = INS_TRAIN_TABULAR;
    training_begin(&f);
    ins_training_skip(f.training);
    ins_training_skip(f.training);
    expect_refused(&f, "no rows");
    assert_non_null(strstr(f.error.detail, "2 rows were left out"));
    training_end(&f);
    f.method = INS_TRAIN_CLASSIFIER;
    f.options.multi_label = true;
    training_begin(&f);
    assert_int_equal(ins_training_add_text(f.training, training_text("x"), NULL,
                                           0, &f.error),
                     INS_OK);
    expect_refused(&f, "no row has a label");
    training_close(&f);
}

static void
test_bad_labels(void **state)
{
    const ins_text two[] = {training_text("a"), training_text("b")};
    char *large = malloc(10240);
    struct training_fixture f;

    (void) state;
    assert_non_null(large);
    memset(large, 'x', 10240);
    training_open(&f, TINY_SENTENCE);
    training_begin(&f);
    assert_int_equal(training_add(&f, "x", ""), INS_INVALID_ARGUMENT);
    assert_int_equal(training_add(&f, "x", "\xFF"), INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_text(f.training, training_text("x"),
                                           &(ins_text){large, 10240}, 1,
                                           &f.error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "the limit is 1024"));
    assert_int_equal(
        ins_training_add_text(f.training, training_text("x"), two, 2, &f.error),
        INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "one label, not 2"));
    assert_int_equal(
        ins_training_add_text(f.training, training_text("x"), two, 0, &f.error),
        INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_numbers(f.training, &(double){1}, 1,
                                              training_text("a"), &f.error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_object(f.training, training_text("{}"),
                                             training_text("a"), &f.error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_rows(f.training), 0);
    training_close(&f);
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_learn),
        cmocka_unit_test(test_chosen_heads_learn),
        cmocka_unit_test(test_encoders_learn),
        cmocka_unit_test(test_weights_are_converted),
        cmocka_unit_test(test_base_stays),
        cmocka_unit_test(test_equal_rows_give_equal_packs),
        cmocka_unit_test(test_several_labels),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_odd_rows),
        cmocka_unit_test(test_many_labels),
        cmocka_unit_test(test_max_tokens),
        cmocka_unit_test(test_encoder_that_cannot_embed),
        cmocka_unit_test(test_too_few_rows),
        cmocka_unit_test(test_bad_labels),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
