/*
 * test_training.c - rows to packs: what is learnt, what stays as the base has
 * it, memory, progress, cancelling and refusals.
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

#include "insitu_train.h"
#include "pack/pack_reader.h"
#include "tiny_model.h"

#define HIDDEN     32
#define MAX_LABELS 4

struct fixture {
    tiny_host host;
    size_t peak; /* of host.live_bytes, when it is polled */
    void *base_pack;
    ins_model *base;
    ins_training_method method;
    ins_training_options options;
    ins_training *training;
    void *pack;
    size_t pack_bytes;
    ins_model *model; /* of pack */
    ins_error error;
};

static ins_text
text_of(const char *string)
{
    return (ins_text){string, strlen(string)};
}

static void
open_fixture(struct fixture *f, unsigned flags)
{
    tiny_model files;
    size_t size;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, flags);
    assert_int_equal(
        tiny_import(&files, &f->host.host, &f->base_pack, &size, &f->error),
        INS_OK);
    tiny_close(&files);
    assert_int_equal(
        ins_model_open(&f->base, f->base_pack, size, &f->host.host, &f->error),
        INS_OK);
    f->options = ins_training_defaults;
    f->options.l2 = 1e-4;
    f->method = INS_TRAIN_CLASSIFIER;
}

static void
open_training(struct fixture *f)
{
    assert_int_equal(ins_training_open(&f->training, f->method, &f->options,
                                       f->base, &f->host.host, &f->error),
                     INS_OK);
}

static void
close_training(struct fixture *f)
{
    ins_model_close(f->model);
    f->model = NULL;
    f->host.host.release(&f->host, f->pack);
    f->pack = NULL;
    ins_training_close(f->training);
    f->training = NULL;
}

static void
close_fixture(struct fixture *f)
{
    close_training(f);
    ins_model_close(f->base);
    f->host.host.release(&f->host, f->base_pack);
    assert_int_equal(f->host.live_blocks, 0);
}

static ins_status
add(struct fixture *f, const char *text, const char *label)
{
    const ins_text labels[] = {text_of(label)};

    return ins_training_add_text(f->training, text_of(text), labels, 1,
                                 &f->error);
}

static const struct row {
    const char *text;
    const char *label;
} rows[] = {
    {"where is my order", "delivery"},
    {"is my order delivery", "delivery"},
    {"order delivery where", "delivery"},
    {"where is the delivery?", "delivery"},
    {"my refund!", "billing"},
    {"charged twice refund", "billing"},
    {"the refund was charged", "billing"},
    {"hello", "other"},
    {"hello hello", "other"},
    {"hello.", "other"},
    {"hello!", "other"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
add_rows(struct fixture *f)
{
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(add(f, rows[i].text, rows[i].label), INS_OK);
}

static ins_status
run(struct fixture *f)
{
    ins_status status =
        ins_training_run(f->training, &f->pack, &f->pack_bytes, &f->error);

    if (status != INS_OK) {
        assert_null(f->pack);
        assert_int_equal(f->pack_bytes, 0);
    }
    return status;
}

/* Trains, checks the pack as one from elsewhere and opens it. */
static void
run_and_open(struct fixture *f)
{
    ins_status status = run(f);

    if (status != INS_OK)
        print_error("%s | %s\n", f->error.message, f->error.detail);
    assert_int_equal(status, INS_OK);
    assert_int_equal(
        ins_pack_check(f->pack, f->pack_bytes, &f->host.host, &f->error),
        INS_OK);
    assert_int_equal(ins_model_open(&f->model, f->pack, f->pack_bytes,
                                    &f->host.host, &f->error),
                     INS_OK);
}

static void
run_task(struct fixture *f, const ins_model *model, ins_task task,
         const char *text, float *row)
{
    const ins_text texts[] = {text_of(text)};
    ins_session *session;

    assert_int_equal(
        ins_session_open(&session, model, NULL, &f->host.host, &f->error),
        INS_OK);
    assert_int_equal(ins_run(session, task, texts, 1, row, HIDDEN, &f->error),
                     INS_OK);
    ins_session_close(session);
}

static void
expect_label(struct fixture *f, const char *text, const char *expected)
{
    float scores[HIDDEN];
    ins_text label;

    run_task(f, f->model, INS_TASK_CLASSIFY, text, scores);
    label = ins_model_label(f->model, ins_best_label(scores, 3));
    assert_int_equal(label.size, strlen(expected));
    assert_memory_equal(label.data, expected, label.size);
}

/* ---- what is learnt ------------------------------------------------------ */

static void
expect_all_learnt(struct fixture *f)
{
    const ins_model_info *info = ins_model_describe(f->model);

    assert_true(info->can_classify);
    assert_true(info->can_embed);
    assert_false(info->multi_label);
    assert_int_equal(info->label_count, 3);
    assert_int_equal(ins_model_find_label(f->model, text_of("billing")), 0);
    assert_int_equal(ins_model_find_label(f->model, text_of("delivery")), 1);
    assert_int_equal(ins_model_find_label(f->model, text_of("other")), 2);
    for (size_t i = 0; i < ROWS; i++)
        expect_label(f, rows[i].text, rows[i].label);
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
            struct fixture f;
            ins_pack_view view;
            bool dense;

            open_fixture(&f, bases[i]);
            f.options.head = (ins_head_choice) head;
            open_training(&f);
            add_rows(&f);
            run_and_open(&f);
            expect_all_learnt(&f);
            assert_int_equal(
                ins_pack_read(&view, f.pack, f.pack_bytes, &f.error), INS_OK);
            dense = (view.recipe->flags & INS_RECIPE_HEAD_DENSE) != 0;
            assert_int_equal(dense, head == INS_HEAD_NETWORK);
            close_fixture(&f);
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
        struct fixture f;

        open_fixture(&f, TINY_SENTENCE);
        f.options.head = heads[i];
        f.options.l2 = -1;
        f.options.folds = 3;
        open_training(&f);
        add_rows(&f);
        run_and_open(&f);
        expect_all_learnt(&f);
        close_fixture(&f);
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
            struct fixture f;

            open_fixture(&f, bases[i]);
            f.method = INS_TRAIN_FINE_TUNE;
            f.options.validation = 0;
            f.options.learning_rate = 1e-3;
            f.options.epochs = 10;
            f.options.weights = (ins_weights_choice) weights;
            open_training(&f);
            add_rows(&f);
            run_and_open(&f);
            assert_string_equal(ins_model_describe(f.model)->weights,
                                names[weights]);
            assert_int_equal(ins_model_describe(f.model)->can_embed, i == 0);
            for (size_t k = 0; k < ROWS; k++)
                expect_label(&f, rows[k].text, rows[k].label);
            close_fixture(&f);
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
        struct fixture f;

        open_fixture(&f, TINY_SENTENCE | TINY_CLASSIFIER);
        f.options.weights = (ins_weights_choice) weights;
        open_training(&f);
        add_rows(&f);
        run_and_open(&f);
        assert_string_equal(ins_model_describe(f.model)->weights,
                            names[weights]);
        expect_all_learnt(&f);
        close_fixture(&f);
    }
}

/* Sections and tensors of the base, byte for byte; embeddings follow. */
static void
test_base_stays(void **state)
{
    struct fixture f;
    ins_pack_view base;
    ins_pack_view trained;
    float expected[HIDDEN];
    float found[HIDDEN];

    (void) state;
    open_fixture(&f, TINY_SENTENCE | TINY_CLASSIFIER);
    open_training(&f);
    add_rows(&f);
    run_and_open(&f);
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

        if (tensor->role >= INS_ROLE_HEAD_DENSE)
            continue;
        assert_int_equal(source->bytes, tensor->bytes);
        assert_memory_equal(base.bytes + source->offset,
                            trained.bytes + tensor->offset, tensor->bytes);
    }
    for (int task = INS_TASK_EMBED; task <= INS_TASK_EMBED_QUERY; task++) {
        run_task(&f, f.base, (ins_task) task, "my order", expected);
        run_task(&f, f.model, (ins_task) task, "my order", found);
        assert_memory_equal(expected, found, sizeof(found));
    }
    close_fixture(&f);
}

static void
test_equal_rows_give_equal_packs(void **state)
{
    struct fixture f;
    uint8_t digests[2][INS_DIGEST_BYTES];

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    for (int i = 0; i < 2; i++) {
        f.options.head = INS_HEAD_NETWORK;
        open_training(&f);
        add_rows(&f);
        run_and_open(&f);
        assert_int_equal(ins_digest_of(f.pack, f.pack_bytes, &f.host.host,
                                       digests[i], &f.error),
                         INS_OK);
        close_training(&f);
    }
    assert_memory_equal(digests[0], digests[1], INS_DIGEST_BYTES);
    close_fixture(&f);
}

static void
test_several_labels(void **state)
{
    const ins_text both[] = {text_of("order"), text_of("refund")};
    struct fixture f;
    float scores[HIDDEN];

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    f.options.multi_label = true;
    f.options.balanced = true;
    open_training(&f);
    for (int i = 0; i < 3; i++) {
        const ins_text inputs[] = {text_of("refund my order"),
                                   text_of("my order"), text_of("my refund"),
                                   text_of("hello")};
        const size_t first[] = {0, 0, 1, 0};
        const size_t counts[] = {2, 1, 1, 0};

        for (int k = 0; k < 4; k++)
            assert_int_equal(ins_training_add_text(f.training, inputs[k],
                                                   both + first[k], counts[k],
                                                   &f.error),
                             INS_OK);
    }
    run_and_open(&f);
    assert_true(ins_model_describe(f.model)->multi_label);
    run_task(&f, f.model, INS_TASK_CLASSIFY, "refund my order", scores);
    assert_true(scores[0] > 0.5f && scores[1] > 0.5f);
    run_task(&f, f.model, INS_TASK_CLASSIFY, "my order", scores);
    assert_true(scores[0] > 0.5f && scores[1] < 0.5f);
    run_task(&f, f.model, INS_TASK_CLASSIFY, "my refund", scores);
    assert_true(scores[0] < 0.5f && scores[1] > 0.5f);
    run_task(&f, f.model, INS_TASK_CLASSIFY, "hello", scores);
    assert_true(scores[0] < 0.5f && scores[1] < 0.5f);
    close_fixture(&f);
}

/* The same text with two labels, one of them nine times: without weights the
 * scores follow the counts, with them they are equal. */
static void
test_class_weights(void **state)
{
    struct fixture f;
    float scores[HIDDEN];

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    for (int balanced = 0; balanced < 2; balanced++) {
        f.options.balanced = balanced != 0;
        open_training(&f);
        for (int i = 0; i < 10; i++)
            assert_int_equal(add(&f, "my order", i == 0 ? "a" : "b"), INS_OK);
        run_and_open(&f);
        run_task(&f, f.model, INS_TASK_CLASSIFY, "my order", scores);
        assert_float_equal(scores[1], balanced ? 0.5f : 0.9f, 0.01f);
        close_training(&f);
    }
    close_fixture(&f);
}

static void
test_odd_rows(void **state)
{
    struct fixture f;
    char name[16];

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    open_training(&f);
    add_rows(&f);
    assert_int_equal(add(&f, "", "empty"), INS_OK);
    assert_int_equal(add(&f, "\xFF\xC3 \xED\xA0\x80", "bytes"), INS_OK);
    assert_int_equal(ins_training_add_text(f.training, (ins_text){"a\0b", 3},
                                           &(ins_text){"nul", 3}, 1, &f.error),
                     INS_OK);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "label %d", i);
        assert_int_equal(add(&f, name, name), INS_OK);
    }
    run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->label_count, 506);
    close_fixture(&f);
}

/* Each label in one row.  Not run to its end, which takes long. */
static void
test_many_labels(void **state)
{
    struct fixture f;
    char name[16];

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    open_training(&f);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "label %d", i);
        assert_int_equal(add(&f, "hello", name), INS_OK);
    }
    f.host.cancel_at = f.host.polls + 100;
    assert_int_equal(run(&f), INS_CANCELLED);
    close_fixture(&f);
}

static void
test_max_tokens(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    f.options.max_tokens = 5;
    open_training(&f);
    add_rows(&f);
    run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->max_tokens, 5);
    close_training(&f);
    f.options.max_tokens = 30000;
    open_training(&f);
    add_rows(&f);
    run_and_open(&f);
    assert_int_equal(ins_model_describe(f.model)->max_tokens,
                     ins_model_describe(f.base)->max_tokens);
    close_fixture(&f);
}

/* ---- progress and cancelling --------------------------------------------- */

struct told {
    char phases[128];
    double fraction;
    uint64_t rows;
    uint64_t skipped;
    bool fell;
    bool loss_known;
};

static void
note_progress(void *user, const ins_training_progress *progress)
{
    struct told *told = user;
    size_t length = strlen(told->phases);
    size_t size = strlen(progress->phase);

    if (length < size ||
        strcmp(told->phases + length - size, progress->phase) != 0)
        snprintf(told->phases + length, sizeof(told->phases) - length, " %s",
                 progress->phase);
    told->fell |= progress->fraction < told->fraction;
    told->fraction = progress->fraction;
    told->rows = progress->rows;
    told->skipped = progress->skipped;
    told->loss_known |= !isnan(progress->loss);
}

static void
expect_progress(ins_training_method method, double l2, const char *phases)
{
    struct told told = {.rows = 0};
    struct fixture f;

    open_fixture(&f, TINY_SENTENCE);
    f.method = method;
    f.options.l2 = l2;
    f.options.epochs = 1;
    f.options.validation = 0.4;
    f.options.progress = note_progress;
    f.options.progress_user = &told;
    open_training(&f);
    add_rows(&f);
    ins_training_skip(f.training);
    ins_training_skip(f.training);
    assert_int_equal(ins_training_rows(f.training), ROWS);
    assert_int_equal(ins_training_skipped(f.training), 2);
    run_and_open(&f);
    assert_string_equal(told.phases, phases);
    assert_false(told.fell);
    assert_true(told.loss_known);
    assert_true(told.fraction == 1);
    assert_int_equal(told.rows, ROWS);
    assert_int_equal(told.skipped, 2);
    close_fixture(&f);
}

static void
test_progress(void **state)
{
    (void) state;
    expect_progress(INS_TRAIN_CLASSIFIER, 1e-4, " collect embed fit write");
    expect_progress(INS_TRAIN_CLASSIFIER, -1,
                    " collect embed select fit write");
    expect_progress(INS_TRAIN_FINE_TUNE, -1,
                    " collect tokenize embed fit validate train validate "
                    "write");
}

/* Cancelled at every poll; the training can be run again. */
static void
cancel_anywhere(ins_training_method method)
{
    struct fixture f;
    size_t held;
    size_t at = 0;
    ins_status status;

    open_fixture(&f, TINY_SENTENCE);
    f.method = method;
    f.options.epochs = 1;
    open_training(&f);
    add_rows(&f);
    held = f.host.live_bytes;
    do {
        at += 1 + at / 16;
        f.host.polls = 0;
        f.host.cancel_at = at;
        status = run(&f);
        if (status != INS_OK) {
            assert_int_equal(status, INS_CANCELLED);
            assert_int_equal(f.host.live_bytes, held);
        }
    } while (status != INS_OK);
    assert_true(at > 20);
    close_fixture(&f);
}

static void
test_cancelled_anywhere(void **state)
{
    (void) state;
    cancel_anywhere(INS_TRAIN_CLASSIFIER);
    cancel_anywhere(INS_TRAIN_FINE_TUNE);
}

/* ---- memory -------------------------------------------------------------- */

static bool
note_peak(void *user)
{
    struct fixture *f = user;

    if (f->host.live_bytes > f->peak)
        f->peak = f->host.live_bytes;
    return false;
}

static void *
allocate(void *user, size_t size)
{
    struct fixture *f = user;
    void *memory = f->host.host.alloc(&f->host, size);

    note_peak(f);
    return memory;
}

static void
release(void *user, void *memory)
{
    struct fixture *f = user;

    f->host.host.release(&f->host, memory);
}

/* How many of these rows a limit lets in; runs when it is all of them. */
static size_t
fill_up(struct fixture *f, uint64_t max_bytes, size_t count)
{
    const ins_host host = {f, allocate, release, note_peak, NULL, NULL};
    size_t before = f->host.live_bytes;
    size_t added = 0;

    f->peak = 0;
    f->options.max_bytes = max_bytes;
    assert_int_equal(ins_training_open(&f->training, f->method, &f->options,
                                       f->base, &host, &f->error),
                     INS_OK);
    while (added < count) {
        const struct row *row = &rows[added % ROWS];

        if (add(f, row->text, row->label) != INS_OK)
            break;
        added++;
        assert_int_equal(ins_training_bytes(f->training),
                         f->host.live_bytes - before);
    }
    if (added == count)
        assert_int_equal(run(f), INS_OK);
    if (f->peak > 0)
        f->peak -= before;
    close_training(f);
    return added;
}

/* The smallest limit that lets so many rows in is enough for the run. */
static void
expect_limit_is_kept(ins_training_method method, ins_head_choice head,
                     size_t count)
{
    uint64_t low = 1;
    uint64_t high = (uint64_t) 1 << 30;
    struct fixture f;

    open_fixture(&f, TINY_SENTENCE);
    f.method = method;
    f.options.head = head;
    f.options.epochs = 1;
    while (high - low > 4096) {
        uint64_t middle = low + (high - low) / 2;

        if (fill_up(&f, middle, count + 1) >= count)
            high = middle;
        else
            low = middle;
    }
    assert_int_equal(fill_up(&f, high, count), count);
    print_message("limit %zu, peak %zu\n", (size_t) high, f.peak);
    assert_true(f.peak <= high);
    assert_true(f.peak > high / 3);
    assert_true(fill_up(&f, low, count) < count);
    assert_int_equal(f.error.status, INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(f.error.message, "limit of memory for training"));
    close_fixture(&f);
}

static void
test_limit_is_kept(void **state)
{
    (void) state;
    expect_limit_is_kept(INS_TRAIN_CLASSIFIER, INS_HEAD_LOGISTIC, 5000);
    expect_limit_is_kept(INS_TRAIN_CLASSIFIER, INS_HEAD_NETWORK, 5000);
    expect_limit_is_kept(INS_TRAIN_FINE_TUNE, INS_HEAD_LOGISTIC, 500);
}

/* ---- refusals ------------------------------------------------------------ */

static void
test_encoder_that_cannot_embed(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TINY_CLASSIFIER);
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
    assert_int_equal(ins_training_open(&f.training, (ins_training_method) 9,
                                       &f.options, f.base, &f.host.host,
                                       &f.error),
                     INS_INVALID_ARGUMENT);
    close_fixture(&f);
}

static void
expect_refused(struct fixture *f, const char *words)
{
    assert_int_equal(run(f), INS_INVALID_ARGUMENT);
    if (strstr(f->error.message, words) == NULL)
        print_error("said: %s\n", f->error.message);
    assert_non_null(strstr(f->error.message, words));
}

static void
test_too_few_rows(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, TINY_SENTENCE);
    open_training(&f);
    ins_training_skip(f.training);
    expect_refused(&f, "no rows");
    assert_non_null(strstr(f.error.detail, "1 rows were left out"));
    assert_int_equal(add(&f, "x", "a"), INS_OK);
    assert_int_equal(add(&f, "y", "a"), INS_OK);
    expect_refused(&f, "same label");
    close_training(&f);
    f.options.multi_label = true;
    open_training(&f);
    assert_int_equal(
        ins_training_add_text(f.training, text_of("x"), NULL, 0, &f.error),
        INS_OK);
    expect_refused(&f, "no row has a label");
    close_fixture(&f);
}

static void
test_bad_labels(void **state)
{
    const ins_text two[] = {text_of("a"), text_of("b")};
    char *large = malloc(10240);
    struct fixture f;

    (void) state;
    assert_non_null(large);
    memset(large, 'x', 10240);
    open_fixture(&f, TINY_SENTENCE);
    open_training(&f);
    assert_int_equal(add(&f, "x", ""), INS_INVALID_ARGUMENT);
    assert_int_equal(add(&f, "x", "\xFF"), INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_text(f.training, text_of("x"),
                                           &(ins_text){large, 10240}, 1,
                                           &f.error),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "the limit is 1024"));
    assert_int_equal(
        ins_training_add_text(f.training, text_of("x"), two, 2, &f.error),
        INS_INVALID_ARGUMENT);
    assert_non_null(strstr(f.error.message, "one label, not 2"));
    assert_int_equal(
        ins_training_add_text(f.training, text_of("x"), two, 0, &f.error),
        INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_numbers(f.training, &(double){1}, 1,
                                              text_of("a"), &f.error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_add_object(f.training, text_of("{}"),
                                             text_of("a"), &f.error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(ins_training_rows(f.training), 0);
    close_fixture(&f);
    free(large);
}

static int
prepare(void **state)
{
    ins_error error;

    (void) state;
    return ins_runtime_prepare(&error) == INS_OK ? 0 : 1;
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
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_limit_is_kept),
        cmocka_unit_test(test_encoder_that_cannot_embed),
        cmocka_unit_test(test_too_few_rows),
        cmocka_unit_test(test_bad_labels),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
