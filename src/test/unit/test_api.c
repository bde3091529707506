/*
 * test_api.c - insitu.h from outside: open, describe, run, tokenise.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "insitu.h"
#include "tiny_model.h"

#define LABELS     3
#define HIDDEN     32
#define TEXT_COUNT 40
#define TOLERANCE  1e-5f

struct fixture {
    tiny_host host;
    void *pack;
    ins_model *model;
    ins_session *session;
    ins_error error;
};

static void
open_fixture(struct fixture *fixture, unsigned flags,
             const ins_options *options)
{
    tiny_model files;
    size_t size;

    memset(fixture, 0, sizeof(*fixture));
    tiny_host_open(&fixture->host);
    tiny_open(&files, flags);
    assert_int_equal(tiny_import(&files, &fixture->host.host, &fixture->pack,
                                 &size, &fixture->error),
                     INS_OK);
    tiny_close(&files);
    assert_int_equal(ins_runtime_prepare(&fixture->error), INS_OK);
    assert_int_equal(ins_model_open(&fixture->model, fixture->pack, size,
                                    &fixture->host.host, &fixture->error),
                     INS_OK);
    assert_int_equal(ins_session_open(&fixture->session, fixture->model,
                                      options, &fixture->host.host,
                                      &fixture->error),
                     INS_OK);
}

static void
close_fixture(struct fixture *fixture)
{
    const ins_host *host = &fixture->host.host;

    ins_session_close(fixture->session);
    ins_model_close(fixture->model);
    host->release(host->user, fixture->pack);
    assert_int_equal(fixture->host.live_blocks, 0);
}

static ins_text
text_of(const char *string)
{
    return (ins_text){string, strlen(string)};
}

static void
assert_rows_close(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(a[i] - b[i]) <= TOLERANCE);
}

static void
test_describe_tells_the_tasks(void **state)
{
    struct fixture f;
    const ins_model_info *info;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER | TINY_SENTENCE, NULL);
    info = ins_model_describe(f.model);
    assert_true(info->can_classify);
    assert_true(info->can_embed);
    assert_int_equal(info->label_count, LABELS);
    assert_int_equal(info->embedding_size, HIDDEN);
    assert_string_equal(info->architecture, "bert");
    assert_string_equal(ins_model_tasks(f.model), "classify, embed");
    assert_true(info->parameter_count > 1000);
    close_fixture(&f);
}

static void
test_labels_are_found_by_text(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    for (uint32_t i = 0; i < LABELS; i++)
        assert_int_equal(
            ins_model_find_label(f.model, ins_model_label(f.model, i)), i);
    assert_int_equal(ins_model_find_label(f.model, text_of("nothing")), -1);
    assert_int_equal(ins_model_find_label(f.model, text_of("")), -1);
    assert_int_equal(ins_model_label(f.model, LABELS).size, 0);
    assert_int_equal(ins_model_token_text(f.model, -1).size, 0);
    assert_int_equal(ins_model_token_text(f.model, INT32_MAX).size, 0);
    close_fixture(&f);
}

static void
test_info_json_is_an_object(void **state)
{
    struct fixture f;
    const ins_host *host;
    json_t *json;
    char *text;
    size_t size;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER | TINY_SENTENCE, NULL);
    host = &f.host.host;
    assert_int_equal(ins_model_info_json(f.model, host, &text, &size, &f.error),
                     INS_OK);
    json = json_loadb(text, size, 0, NULL);
    assert_true(json_is_object(json));
    assert_int_equal(json_array_size(json_object_get(json, "labels")), LABELS);
    assert_int_equal(
        json_integer_value(json_object_get(json, "embedding_size")), HIDDEN);
    assert_int_equal(json_array_size(json_object_get(json, "tasks")), 2);
    json_decref(json);
    host->release(host->user, text);
    close_fixture(&f);
}

static void
test_scores_are_probabilities(void **state)
{
    struct fixture f;
    ins_text text = text_of("my card was charged twice");
    float scores[LABELS];
    float sum = 0;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, &text, 1, scores,
                             LABELS, &f.error),
                     INS_OK);
    for (int i = 0; i < LABELS; i++) {
        assert_true(scores[i] >= 0 && scores[i] <= 1);
        sum += scores[i];
    }
    assert_true(fabsf(sum - 1) < TOLERANCE);
    close_fixture(&f);
}

static void
test_best_label_breaks_ties_downwards(void **state)
{
    const float tie[] = {0.2f, 0.4f, 0.4f};
    const float all[] = {0.5f, 0.5f};

    (void) state;
    assert_int_equal(ins_best_label(tie, 3), 1);
    assert_int_equal(ins_best_label(all, 2), 0);
    assert_int_equal(ins_best_label(all, 1), 0);
}

/* A task the model has no head for names what it can do. */
static void
test_wrong_task_names_both(void **state)
{
    struct fixture f;
    ins_text text = text_of("hello");
    float row[HIDDEN];

    (void) state;
    open_fixture(&f, TINY_SENTENCE, NULL);
    assert_int_equal(
        ins_run(f.session, INS_TASK_CLASSIFY, &text, 1, row, HIDDEN, &f.error),
        INS_WRONG_TASK);
    assert_non_null(strstr(f.error.message, "classify"));
    assert_non_null(strstr(f.error.message, "embed"));
    close_fixture(&f);
}

static void
test_arguments_are_checked(void **state)
{
    struct fixture f;
    ins_text text = text_of("hello");
    float row[HIDDEN];

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    assert_int_equal(
        ins_run(f.session, (ins_task) 9, &text, 1, row, HIDDEN, &f.error),
        INS_INVALID_ARGUMENT);
    assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, &text, 1, row,
                             LABELS - 1, &f.error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(
        ins_run(f.session, INS_TASK_CLASSIFY, NULL, 0, NULL, LABELS, &f.error),
        INS_OK);
    close_fixture(&f);
}

static void
assert_options_refused(const ins_options *options)
{
    struct fixture f;
    ins_session *session;

    open_fixture(&f, TINY_CLASSIFIER, NULL);
    assert_int_equal(
        ins_session_open(&session, f.model, options, &f.host.host, &f.error),
        INS_INVALID_ARGUMENT);
    assert_null(session);
    close_fixture(&f);
}

static void
test_bad_options_are_refused(void **state)
{
    (void) state;
    assert_options_refused(&(ins_options){.max_tokens = 1});
    assert_options_refused(&(ins_options){.batch_tokens = 1u << 20});
    assert_options_refused(&(ins_options){.kernels = "mmx"});
}

/* Words of the tiny vocabulary, from none to more than the model takes. */
static void
make_texts(char texts[TEXT_COUNT][512], ins_text spans[TEXT_COUNT])
{
    static const char *const words[] = {"card ", "order ", "charged ", "my ",
                                        "help "};

    for (size_t i = 0; i < TEXT_COUNT; i++) {
        texts[i][0] = '\0';
        for (size_t word = 0; word < i; word++)
            strcat(texts[i], words[(i * 7 + word * 3) % 5]);
        spans[i] = text_of(texts[i]);
    }
}

static void
test_batches_equal_single_texts(void **state)
{
    static char texts[TEXT_COUNT][512];
    static float together[TEXT_COUNT][HIDDEN];
    ins_options options = {.batch_tokens = 70};
    ins_text spans[TEXT_COUNT];
    struct fixture f;

    (void) state;
    make_texts(texts, spans);
    open_fixture(&f, TINY_SENTENCE, &options);
    assert_int_equal(ins_run(f.session, INS_TASK_EMBED, spans, TEXT_COUNT,
                             together[0], HIDDEN, &f.error),
                     INS_OK);
    assert_true(ins_session_usage(f.session).batches > 1);
    assert_int_equal(ins_session_usage(f.session).texts, TEXT_COUNT);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        float alone[HIDDEN];

        assert_int_equal(ins_run(f.session, INS_TASK_EMBED, &spans[i], 1, alone,
                                 HIDDEN, &f.error),
                         INS_OK);
        assert_rows_close(alone, together[i], HIDDEN);
    }
    close_fixture(&f);
}

static void
test_kernel_levels_agree(void **state)
{
    ins_text text = text_of("please help, my order was charged twice!");
    float first[HIDDEN];
    const char *level;

    (void) state;
    for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++) {
        ins_options options = {.kernels = level};
        float row[HIDDEN];
        struct fixture f;

        open_fixture(&f, TINY_SENTENCE, &options);
        assert_int_equal(ins_run(f.session, INS_TASK_EMBED, &text, 1,
                                 i == 0 ? first : row, HIDDEN, &f.error),
                         INS_OK);
        if (i > 0)
            assert_rows_close(first, row, HIDDEN);
        close_fixture(&f);
    }
    assert_true(ins_kernel_level(0) != NULL);
}

static void
test_long_input_is_cut_or_refused(void **state)
{
    static char text[8192];
    ins_options refuse = {.error_on_long_input = true};
    ins_text span;
    float scores[LABELS];
    struct fixture f;

    (void) state;
    for (int i = 0; i < 1000; i++)
        strcat(text, "card ");
    span = text_of(text);
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, &span, 1, scores,
                             LABELS, &f.error),
                     INS_OK);
    assert_int_equal(ins_session_usage(f.session).tokens,
                     ins_model_describe(f.model)->max_tokens);
    close_fixture(&f);
    open_fixture(&f, TINY_CLASSIFIER, &refuse);
    assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, &span, 1, scores,
                             LABELS, &f.error),
                     INS_INPUT_TOO_LONG);
    assert_null(strstr(f.error.message, "card"));
    close_fixture(&f);
}

/* Whichever poll says stop, the next run gives the right numbers. */
static void
test_cancelling_leaves_the_session_usable(void **state)
{
    ins_text texts[] = {text_of("my order"), text_of("card charged twice")};
    float expected[2 * LABELS];
    float rows[2 * LABELS];
    struct fixture f;
    size_t polls;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    f.host.polls = 0;
    assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, texts, 2, expected,
                             LABELS, &f.error),
                     INS_OK);
    polls = f.host.polls;
    assert_true(polls > 4);
    for (size_t i = 1; i <= polls; i++) {
        f.host.polls = 0;
        f.host.cancel_at = i;
        assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, texts, 2, rows,
                                 LABELS, &f.error),
                         INS_CANCELLED);
        f.host.cancel_at = 0;
        assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, texts, 2, rows,
                                 LABELS, &f.error),
                         INS_OK);
        assert_memory_equal(rows, expected, sizeof(rows));
    }
    close_fixture(&f);
}

static void
test_tokenize_counts_beyond_its_capacity(void **state)
{
    ins_text text = text_of("my order my refund");
    ins_token tokens[3];
    struct fixture f;
    size_t count;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER, NULL);
    assert_int_equal(ins_tokenize(f.session, text, NULL, 0, &count, &f.error),
                     INS_OK);
    assert_int_equal(count, 6);
    assert_int_equal(ins_tokenize(f.session, text, tokens, 3, &count, &f.error),
                     INS_OK);
    assert_int_equal(count, 6);
    assert_int_equal(tokens[1].start, 0);
    assert_int_equal(tokens[1].end, 2);
    assert_int_equal(ins_model_token_text(f.model, tokens[2].id).size, 5);
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe_tells_the_tasks),
        cmocka_unit_test(test_labels_are_found_by_text),
        cmocka_unit_test(test_info_json_is_an_object),
        cmocka_unit_test(test_scores_are_probabilities),
        cmocka_unit_test(test_best_label_breaks_ties_downwards),
        cmocka_unit_test(test_wrong_task_names_both),
        cmocka_unit_test(test_arguments_are_checked),
        cmocka_unit_test(test_bad_options_are_refused),
        cmocka_unit_test(test_batches_equal_single_texts),
        cmocka_unit_test(test_kernel_levels_agree),
        cmocka_unit_test(test_long_input_is_cut_or_refused),
        cmocka_unit_test(test_cancelling_leaves_the_session_usable),
        cmocka_unit_test(test_tokenize_counts_beyond_its_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
