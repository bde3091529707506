/*
 * test_run.c - ins_run over many texts: order, equal texts, memory, memo,
 * cancelling.
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

#include "insitu_memo.h"
#include "tiny_model.h"

#define LABELS     3
#define HIDDEN     32
#define MANY       2000
#define TEXT_BYTES 400
#define TOLERANCE  1e-5f

static const uint8_t identity[INS_MEMO_IDENTITY_BYTES] = {42};

struct fixture {
    tiny_host host;
    void *pack;
    ins_model *model;
    ins_session *session;
    ins_memo *memo;
    size_t session_memory; /* what the host gave to the session */
    char (*bytes)[TEXT_BYTES];
    ins_text *texts; /* [MANY] */
    float *rows;     /* [MANY][HIDDEN] */
    ins_error error;
};

static void
open_session(struct fixture *f, const ins_options *options)
{
    size_t before = f->host.live_bytes;

    assert_int_equal(ins_session_open(&f->session, f->model, options,
                                      &f->host.host, &f->error),
                     INS_OK);
    f->session_memory = f->host.live_bytes - before;
}

static void
open_with_prompts(struct fixture *f, bool prompts, const ins_options *options)
{
    tiny_model files;
    size_t size;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, TINY_CLASSIFIER | TINY_SENTENCE);
    if (prompts)
        tiny_set_text(&files, "config_sentence_transformers.json",
                      "{\"prompts\": {\"query\": \"my card \", "
                      "\"document\": \"order \"}}");
    assert_int_equal(
        tiny_import(&files, &f->host.host, &f->pack, &size, &f->error), INS_OK);
    tiny_close(&files);
    assert_int_equal(ins_runtime_prepare(&f->error), INS_OK);
    assert_int_equal(
        ins_model_open(&f->model, f->pack, size, &f->host.host, &f->error),
        INS_OK);
    open_session(f, options);
    f->bytes = calloc(MANY, TEXT_BYTES);
    f->texts = calloc(MANY, sizeof(ins_text));
    f->rows = calloc(MANY * HIDDEN, sizeof(float));
}

static void
open_fixture(struct fixture *f, const ins_options *options)
{
    open_with_prompts(f, false, options);
}

/* A session with a memo, in the place of the one without. */
static void
attach_memo(struct fixture *f, size_t bytes, ins_options options)
{
    assert_int_equal(ins_memo_open(&f->memo, bytes, &f->host.host, &f->error),
                     INS_OK);
    options.memo = f->memo;
    options.memo_identity = identity;
    ins_session_close(f->session);
    open_session(f, &options);
}

static void
close_fixture(struct fixture *f)
{
    const ins_host *host = &f->host.host;

    ins_session_close(f->session);
    ins_memo_close(f->memo);
    ins_model_close(f->model);
    host->release(host->user, f->pack);
    free(f->bytes);
    free(f->texts);
    free(f->rows);
    assert_int_equal(f->host.live_blocks, 0);
}

/* Texts of many lengths that differ in their first six words; after different
 * many they begin anew. */
static void
make_texts(struct fixture *f, size_t count, size_t different, size_t lengths)
{
    static const char *const words[] = {"card ", "order ", "charged ", "my ",
                                        "help "};

    for (size_t i = 0; i < count; i++) {
        size_t number = i % different;
        char *text = f->bytes[i];

        text[0] = '\0';
        for (size_t word = 0, rest = number; word < 6; word++, rest /= 5)
            strcat(text, words[rest % 5]);
        for (size_t word = 0; word < number * 13 % lengths; word++)
            strcat(text, words[(number + word * 3) % 5]);
        f->texts[i] = (ins_text){text, strlen(text)};
    }
}

static ins_status
run_texts(struct fixture *f, size_t count)
{
    memset(f->rows, 0xff, MANY * HIDDEN * sizeof(float));
    return ins_run(f->session, INS_TASK_EMBED, f->texts, count, f->rows, HIDDEN,
                   &f->error);
}

static void
check_row(struct fixture *f, size_t number, const float *row)
{
    float alone[HIDDEN];

    assert_int_equal(ins_run(f->session, INS_TASK_EMBED, &f->texts[number], 1,
                             alone, HIDDEN, &f->error),
                     INS_OK);
    for (size_t i = 0; i < HIDDEN; i++)
        assert_true(fabsf(alone[i] - row[i]) <= TOLERANCE);
}

/* All rows are where they belong, and equal texts have equal bytes. */
static void
check_rows(struct fixture *f, size_t count, size_t different)
{
    for (size_t i = 0; i < count; i++) {
        if (i < different)
            check_row(f, i, f->rows + i * HIDDEN);
        else
            assert_memory_equal(f->rows + i * HIDDEN,
                                f->rows + i % different * HIDDEN,
                                HIDDEN * sizeof(float));
    }
}

static void
test_rows_come_in_input_order(void **state)
{
    struct fixture f;
    ins_usage usage;

    (void) state;
    open_fixture(&f, NULL);
    make_texts(&f, MANY, MANY, 17);
    assert_int_equal(run_texts(&f, MANY), INS_OK);
    usage = ins_session_usage(f.session);
    assert_int_equal(usage.texts, MANY);
    assert_int_equal(usage.computed, MANY);
    assert_int_equal(usage.memo_hits, 0);
    assert_true(usage.tokens > 8 * 512);
    check_rows(&f, MANY, MANY);
    close_fixture(&f);
}

static void
test_equal_texts_are_computed_once(void **state)
{
    static const size_t counts[] = {1, 2, 7, 200, 1000};

    (void) state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct fixture f;
        ins_usage usage;

        open_fixture(&f, NULL);
        make_texts(&f, MANY, counts[i], 17);
        assert_int_equal(run_texts(&f, MANY), INS_OK);
        usage = ins_session_usage(f.session);
        assert_int_equal(usage.texts, MANY);
        /* The table of texts seen may have forgotten one of a thousand. */
        assert_in_range(usage.computed, counts[i], counts[i] + counts[i] / 500);
        check_rows(&f, MANY, counts[i]);
        close_fixture(&f);
    }
}

/* More copies than one chunk notes down, before and after the row is there. */
static void
test_many_copies_of_one_text(void **state)
{
    ins_options options = {.batch_tokens = 64};
    struct fixture f;

    (void) state;
    open_fixture(&f, &options);
    make_texts(&f, MANY, 1, 1);
    assert_int_equal(run_texts(&f, MANY), INS_OK);
    assert_int_equal(ins_session_usage(f.session).computed, 1);
    assert_int_equal(ins_session_usage(f.session).batches, 1);
    check_rows(&f, MANY, 1);
    close_fixture(&f);
}

/* Texts that differ only where the hash does not look. */
static void
test_long_texts_are_compared_whole(void **state)
{
    static char bytes[3][2000];
    ins_text texts[3];
    float rows[3][HIDDEN];
    struct fixture f;

    (void) state;
    open_fixture(&f, NULL);
    for (int i = 0; i < 3; i++) {
        memset(bytes[i], ' ', sizeof(bytes[i]));
        memcpy(bytes[i], "order", 5);
        memcpy(bytes[i] + 1000, i == 1 ? "help" : "card", 4);
        texts[i] = (ins_text){bytes[i], sizeof(bytes[i])};
    }
    assert_int_equal(
        ins_run(f.session, INS_TASK_EMBED, texts, 3, rows[0], HIDDEN, &f.error),
        INS_OK);
    assert_int_equal(ins_session_usage(f.session).computed, 2);
    assert_memory_equal(rows[0], rows[2], sizeof(rows[0]));
    assert_memory_not_equal(rows[0], rows[1], sizeof(rows[0]));
    close_fixture(&f);
}

/* Rows may lie further apart than they are long; what is between stays. */
static void
test_stride_is_left_alone(void **state)
{
    float rows[40][HIDDEN + 3];
    struct fixture f;

    (void) state;
    open_fixture(&f, NULL);
    make_texts(&f, 40, 15, 9);
    for (size_t i = 0; i < 40; i++)
        for (size_t j = 0; j < HIDDEN + 3; j++)
            rows[i][j] = 77;
    assert_int_equal(ins_run(f.session, INS_TASK_EMBED, f.texts, 40, rows[0],
                             HIDDEN + 3, &f.error),
                     INS_OK);
    for (size_t i = 0; i < 40; i++) {
        assert_true(rows[i][0] != 77);
        assert_true(rows[i][HIDDEN] == 77 && rows[i][HIDDEN + 2] == 77);
        assert_memory_equal(rows[i], rows[i % 15], HIDDEN * sizeof(float));
    }
    close_fixture(&f);
}

/* ---- memory -------------------------------------------------------------- */

/* Whatever the number of texts, nothing is allocated, and what the session
 * says about its memory is what it took. */
static void
test_runs_allocate_nothing(void **state)
{
    (void) state;
    for (int round = 0; round < 3; round++) {
        struct fixture f;
        size_t calls;

        open_with_prompts(&f, round == 1, NULL);
        if (round == 2)
            attach_memo(&f, 1 << 16, (ins_options){0});
        assert_in_range(f.session_memory - ins_session_bytes(f.session), 0,
                        200);
        make_texts(&f, MANY, 500, 17);
        calls = f.host.calls;
        for (size_t count = 1; count <= MANY; count *= 7) {
            assert_int_equal(run_texts(&f, count), INS_OK);
            assert_int_equal(ins_run(f.session, INS_TASK_CLASSIFY, f.texts,
                                     count, f.rows, HIDDEN, &f.error),
                             INS_OK);
            assert_int_equal(ins_run(f.session, INS_TASK_EMBED_QUERY, f.texts,
                                     count, f.rows, HIDDEN, &f.error),
                             INS_OK);
        }
        assert_int_equal(f.host.calls, calls);
        close_fixture(&f);
    }
}

/* A prompt of a model is read before each text, long texts too. */
static void
test_prompts_are_joined(void **state)
{
    struct fixture f;
    float rows[3][HIDDEN];
    char *text = calloc(1, 100001);
    ins_text texts[2] = {{"my card help", 12}, {"help", 4}};

    (void) state;
    open_with_prompts(&f, true, NULL);
    assert_int_equal(ins_run(f.session, INS_TASK_EMBED_QUERY, &texts[1], 1,
                             rows[0], HIDDEN, &f.error),
                     INS_OK);
    memset(text, ' ', 100000);
    memcpy(text + 99990, "help", 4);
    assert_int_equal(ins_run(f.session, INS_TASK_EMBED_QUERY,
                             &(ins_text){text, 100000}, 1, rows[1], HIDDEN,
                             &f.error),
                     INS_OK);
    assert_memory_equal(rows[0], rows[1], sizeof(rows[0]));
    assert_int_equal(
        ins_run(f.session, INS_TASK_EMBED, texts, 1, rows[2], HIDDEN, &f.error),
        INS_OK);
    assert_memory_not_equal(rows[0], rows[2], sizeof(rows[0]));
    free(text);
    close_fixture(&f);
}

/* ---- failures ------------------------------------------------------------ */

static void
test_long_input_in_the_middle(void **state)
{
    ins_options options = {.error_on_long_input = true};
    static char text[8192];
    struct fixture f;

    (void) state;
    for (int i = 0; i < 1000; i++)
        strcat(text, "card ");
    open_fixture(&f, &options);
    make_texts(&f, 100, 100, 2);
    f.texts[60] = (ins_text){text, strlen(text)};
    assert_int_equal(run_texts(&f, 100), INS_INPUT_TOO_LONG);
    assert_non_null(strstr(f.error.message, "tokens"));
    assert_non_null(strstr(f.error.hint, "on_long_input"));
    assert_int_equal(run_texts(&f, 60), INS_OK);
    check_rows(&f, 60, 60);
    close_fixture(&f);
}

/* Whichever poll says stop, the next run is right. */
static void
cancel_everywhere(struct fixture *f, size_t count)
{
    float *expected = malloc(count * HIDDEN * sizeof(float));
    size_t polls;

    f->host.polls = 0;
    ins_memo_clear(f->memo);
    assert_int_equal(run_texts(f, count), INS_OK);
    memcpy(expected, f->rows, count * HIDDEN * sizeof(float));
    polls = f->host.polls;
    assert_true(polls > 10);
    for (size_t i = 1; i <= polls; i += 1 + polls / 40) {
        ins_memo_clear(f->memo);
        f->host.polls = 0;
        f->host.cancel_at = i;
        assert_int_equal(run_texts(f, count), INS_CANCELLED);
        f->host.cancel_at = 0;
        assert_int_equal(run_texts(f, count), INS_OK);
        for (size_t j = 0; j < count * HIDDEN; j++)
            assert_true(fabsf(expected[j] - f->rows[j]) <= TOLERANCE);
    }
    free(expected);
}

static void
test_cancelling_in_the_middle(void **state)
{
    ins_options options = {.batch_tokens = 64};
    struct fixture f;

    (void) state;
    open_fixture(&f, &options);
    make_texts(&f, 120, 80, 9);
    cancel_everywhere(&f, 120);
    attach_memo(&f, 1 << 15, options);
    cancel_everywhere(&f, 120);
    close_fixture(&f);
}

/* Texts that are only compared and copied are work, too. */
static void
test_copies_are_cancelled(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, NULL);
    for (size_t i = 0; i < MANY; i++)
        f.texts[i] = (ins_text){"order", 5};
    for (int round = 0; round < 4; round++)
        assert_int_equal(run_texts(&f, MANY), INS_OK);
    f.host.polls = 0;
    assert_int_equal(run_texts(&f, 1), INS_OK);
    {
        size_t alone = f.host.polls;
        static char text[TEXT_BYTES * 10];

        memset(text, ' ', sizeof(text));
        for (size_t i = 0; i < MANY; i++)
            f.texts[i] = (ins_text){text, sizeof(text)};
        f.host.polls = 0;
        assert_int_equal(run_texts(&f, MANY), INS_OK);
        assert_true(f.host.polls >= alone + 7);
    }
    close_fixture(&f);
}

/* ---- the memo ------------------------------------------------------------ */

static void
test_second_run_does_not_compute(void **state)
{
    struct fixture f;
    ins_usage first;
    ins_usage second;
    float *expected;

    (void) state;
    open_fixture(&f, NULL);
    attach_memo(&f, 1 << 20, (ins_options){0});
    make_texts(&f, 600, 300, 17);
    assert_int_equal(run_texts(&f, 600), INS_OK);
    first = ins_session_usage(f.session);
    assert_int_equal(first.computed, 300);
    assert_int_equal(first.memo_hits, 0);
    expected = malloc(600 * HIDDEN * sizeof(float));
    memcpy(expected, f.rows, 600 * HIDDEN * sizeof(float));
    assert_int_equal(run_texts(&f, 600), INS_OK);
    second = ins_session_usage(f.session);
    assert_int_equal(second.computed, first.computed);
    assert_int_equal(second.tokens, first.tokens);
    assert_int_equal(second.batches, first.batches);
    assert_int_equal(second.memo_hits, 300);
    assert_int_equal(second.texts, 1200);
    assert_memory_equal(expected, f.rows, 600 * HIDDEN * sizeof(float));
    ins_memo_clear(f.memo);
    assert_int_equal(run_texts(&f, 600), INS_OK);
    assert_int_equal(ins_session_usage(f.session).computed, 600);
    free(expected);
    close_fixture(&f);
}

/* Rows of other tasks, limits and models are other rows. */
static void
test_memo_keeps_things_apart(void **state)
{
    static const uint8_t other[INS_MEMO_IDENTITY_BYTES] = {43};
    ins_options variants[4] = {
        {0}, {.max_tokens = 4}, {0}, {.error_on_long_input = true}};
    ins_text text = {"my order was charged", 20};
    float row[HIDDEN];
    struct fixture f;

    (void) state;
    open_fixture(&f, NULL);
    attach_memo(&f, 1 << 16, (ins_options){0});
    for (int i = 0; i < 4; i++) {
        variants[i].memo = f.memo;
        variants[i].memo_identity = i == 2 ? other : identity;
        ins_session_close(f.session);
        open_session(&f, &variants[i]);
        for (int task = INS_TASK_CLASSIFY; task <= INS_TASK_EMBED_QUERY; task++)
            assert_int_equal(ins_run(f.session, (ins_task) task, &text, 1, row,
                                     HIDDEN, &f.error),
                             INS_OK);
        assert_int_equal(ins_session_usage(f.session).computed, 3);
    }
    assert_int_equal(ins_memo_counters(f.memo).hits, 0);
    assert_int_equal(ins_memo_counters(f.memo).rows, 12);
    /* Another session of the same kind finds what the first one left. */
    ins_session_close(f.session);
    open_session(&f, &variants[0]);
    assert_int_equal(
        ins_run(f.session, INS_TASK_EMBED, &text, 1, row, HIDDEN, &f.error),
        INS_OK);
    assert_int_equal(ins_session_usage(f.session).computed, 0);
    close_fixture(&f);
}

/* A refused text must not be answered from a row that another session cut. */
static void
test_memo_does_not_hide_a_refusal(void **state)
{
    ins_options refuse = {.error_on_long_input = true};
    static char text[8192];
    ins_text span;
    float row[HIDDEN];
    struct fixture f;

    (void) state;
    for (int i = 0; i < 1000; i++)
        strcat(text, "card ");
    span = (ins_text){text, strlen(text)};
    open_fixture(&f, NULL);
    attach_memo(&f, 1 << 16, (ins_options){0});
    assert_int_equal(
        ins_run(f.session, INS_TASK_EMBED, &span, 1, row, HIDDEN, &f.error),
        INS_OK);
    refuse.memo = f.memo;
    refuse.memo_identity = identity;
    ins_session_close(f.session);
    open_session(&f, &refuse);
    assert_int_equal(
        ins_run(f.session, INS_TASK_EMBED, &span, 1, row, HIDDEN, &f.error),
        INS_INPUT_TOO_LONG);
    close_fixture(&f);
}

static void
test_memo_needs_an_identity(void **state)
{
    struct fixture f;
    ins_session *session;
    ins_options options = {0};

    (void) state;
    open_fixture(&f, NULL);
    attach_memo(&f, 4096, options);
    options.memo = f.memo;
    assert_int_equal(
        ins_session_open(&session, f.model, &options, &f.host.host, &f.error),
        INS_INVALID_ARGUMENT);
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_in_input_order),
        cmocka_unit_test(test_equal_texts_are_computed_once),
        cmocka_unit_test(test_many_copies_of_one_text),
        cmocka_unit_test(test_long_texts_are_compared_whole),
        cmocka_unit_test(test_stride_is_left_alone),
        cmocka_unit_test(test_runs_allocate_nothing),
        cmocka_unit_test(test_prompts_are_joined),
        cmocka_unit_test(test_long_input_in_the_middle),
        cmocka_unit_test(test_cancelling_in_the_middle),
        cmocka_unit_test(test_copies_are_cancelled),
        cmocka_unit_test(test_second_run_does_not_compute),
        cmocka_unit_test(test_memo_keeps_things_apart),
        cmocka_unit_test(test_memo_does_not_hide_a_refusal),
        cmocka_unit_test(test_memo_needs_an_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
