/*
 * test_training_limits.c - progress, cancelling and memory of a training.
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

#include "training_fixture.h"

/* ---- progress and cancelling --------------------------------------------- */

struct told {
    char phases[128];
    double fraction;
    double begun;   /* the fraction when the last phase began */
    unsigned rises; /* phases that began with a higher fraction than the last */
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
        strcmp(told->phases + length - size, progress->phase) != 0) {
        told->rises += progress->fraction > told->begun;
        told->begun = progress->fraction;
        snprintf(told->phases + length, sizeof(told->phases) - length, " %s",
                 progress->phase);
    }
    told->fell |= progress->fraction < told->fraction;
    told->fraction = progress->fraction;
    told->rows = progress->rows;
    told->skipped = progress->skipped;
    told->loss_known |= !isnan(progress->loss);
}

static void
expect_progress(ins_training_method method, double l2, const char *phases,
                unsigned rises)
{
    struct told told = {.rows = 0};
    struct training_fixture f;

    training_open(&f, TINY_SENTENCE);
    f.method = method;
    f.options.l2 = l2;
    f.options.epochs = 1;
    f.options.validation = 0.4;
    f.options.progress = note_progress;
    f.options.progress_user = &told;
    training_begin(&f);
    training_add_rows(&f);
    ins_training_skip(f.training);
    ins_training_skip(f.training);
    assert_int_equal(ins_training_rows(f.training), TRAINING_ROWS);
    assert_int_equal(ins_training_skipped(f.training), 2);
    training_run_and_open(&f);
    assert_string_equal(told.phases, phases);
    assert_false(told.fell);
    assert_true(told.loss_known);
    assert_true(told.fraction == 1);
    /* From each phase to the next; 1 only at the end. */
    assert_int_equal(told.rises, rises);
    assert_true(told.begun > 0.5 && told.begun < 1);
    assert_int_equal(told.rows, TRAINING_ROWS);
    assert_int_equal(told.skipped, 2);
    training_close(&f);
}

static void
test_progress(void **state)
{
    (void) state;
    expect_progress(INS_TRAIN_CLASSIFIER, 1e-4,
                    " collect tokenize embed fit write", 3);
    expect_progress(INS_TRAIN_CLASSIFIER, -1,
                    " collect tokenize embed select fit write", 4);
    expect_progress(INS_TRAIN_FINE_TUNE, -1,
                    " collect tokenize embed fit validate train validate "
                    "words write",
                    6);
}

/* Cancelled at every poll; the training can be run again. */
static void
cancel_anywhere(ins_training_method method)
{
    struct training_fixture f;
    size_t held;
    size_t at = 0;
    ins_status status;

    training_open(&f, TINY_SENTENCE);
    f.method = method;
    f.options.epochs = 1;
    training_begin(&f);
    training_add_rows(&f);
    held = f.host.live_bytes;
    do {
        at += 1 + at / 16;
        f.host.polls = 0;
        f.host.cancel_at = at;
        status = training_run(&f);
        if (status != INS_OK) {
            assert_int_equal(status, INS_CANCELLED);
            assert_int_equal(f.host.live_bytes, held);
        }
    } while (status != INS_OK);
    assert_true(at > 20);
    training_close(&f);
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
    struct training_fixture *f = user;

    if (f->host.live_bytes > f->peak)
        f->peak = f->host.live_bytes;
    return false;
}

static void *
allocate(void *user, size_t size)
{
    struct training_fixture *f = user;
    void *memory = f->host.host.alloc(&f->host, size);

    note_peak(f);
    return memory;
}

static void
release(void *user, void *memory)
{
    struct training_fixture *f = user;

    f->host.host.release(&f->host, memory);
}

/* How many of these rows a limit lets in; runs when it is all of them. */
static size_t
fill_up(struct training_fixture *f, uint64_t max_bytes, size_t count)
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
        const struct training_row *row = &training_rows[added % TRAINING_ROWS];

        if (training_add(f, row->text, row->label) != INS_OK)
            break;
        added++;
        assert_int_equal(ins_training_bytes(f->training),
                         f->host.live_bytes - before);
    }
    if (added == count)
        assert_int_equal(training_run(f), INS_OK);
    if (f->peak > 0)
        f->peak -= before;
    training_end(f);
    return added;
}

struct limit_case {
    ins_training_method method;
    ins_head_choice head;
    bool words;
    size_t count;
    size_t most; /* times the peak: what a limit may be that lets them in */
};

/* The smallest limit that lets so many rows in is enough for the run. */
static void
expect_limit_is_kept(const struct limit_case *limit_case)
{
    const size_t count = limit_case->count;
    uint64_t low = 1;
    uint64_t high = (uint64_t) 1 << 30;
    struct training_fixture f;

    training_open(&f, TINY_SENTENCE);
    f.method = limit_case->method;
    f.options.head = limit_case->head;
    f.options.words = limit_case->words;
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
    assert_true(f.peak > high / limit_case->most);
    assert_true(fill_up(&f, low, count) < count);
    assert_int_equal(f.error.status, INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(f.error.message, "limit of memory for training"));
    training_close(&f);
}

static void
test_limit_is_kept(void **state)
{
    /* These few sentences have 90 words; so many rows may have as many as the
     * largest table takes. */
    static const struct limit_case cases[] = {
        {INS_TRAIN_CLASSIFIER, INS_HEAD_LOGISTIC, false, 5000, 3},
        {INS_TRAIN_CLASSIFIER, INS_HEAD_LOGISTIC, true, 5000, 24},
        {INS_TRAIN_CLASSIFIER, INS_HEAD_NETWORK, false, 5000, 3},
        {INS_TRAIN_FINE_TUNE, INS_HEAD_LOGISTIC, false, 500, 3},
        {INS_TRAIN_FINE_TUNE, INS_HEAD_LOGISTIC, true, 500, 10},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_limit_is_kept(&cases[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_cancelled_anywhere),
        cmocka_unit_test(test_limit_is_kept),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
