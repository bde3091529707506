/*
 * test_head_choose.c - folds, and the choice of a head on them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "train/folds.h"
#include "train/head_choose.h"
#include "unit/tiny_model.h"

#define ROWS 300

static float features[ROWS][2];
static uint32_t targets[ROWS];
static tiny_host host;
static ins_error error;

/* is_xor: the signs of both features decide, which no line can tell. */
static ins_head_rows
make_rows(bool is_xor)
{
    uint64_t random = 7;

    for (int i = 0; i < ROWS; i++) {
        float a = ins_random_symmetric(&random);
        float b = ins_random_symmetric(&random);

        features[i][0] = a;
        features[i][1] = b;
        targets[i] = is_xor ? (a > 0) != (b > 0)
                            : a + 2 * b + ins_random_symmetric(&random) > 0;
    }
    return (ins_head_rows){.features = features[0],
                           .count = ROWS,
                           .columns = 2,
                           .labels = 2,
                           .targets = targets};
}

static const ins_head_wish automatic = {
    .head = INS_HEAD_AUTO, .units = 8, .l2 = -1, .folds = 3, .seed = 1};

/* ---- folds --------------------------------------------------------------- */

#define LABELS 4

/* 200 rows of label 0, 90 of 1, 9 of 2, one of 3. */
static void
make_uneven(ins_head_rows *rows)
{
    *rows = make_rows(false);
    rows->labels = LABELS;
    for (int i = 0; i < ROWS; i++) {
        int place = i * 7 % ROWS;

        targets[i] = place < 200 ? 0 : place < 290 ? 1 : place < 299 ? 2 : 3;
    }
}

static void
count_held(const ins_folds *folds, uint32_t fold, uint32_t counts[LABELS],
           int seen[ROWS])
{
    ins_head_part train;
    ins_head_part held;

    memset(counts, 0, LABELS * sizeof(*counts));
    ins_folds_cut(folds, fold, &train, &held);
    assert_int_equal(train.count + held.count, ROWS);
    for (size_t i = 0; i < held.count; i++) {
        counts[targets[held.numbers[i]]]++;
        seen[held.numbers[i]]++;
        assert_true(i == 0 || held.numbers[i] > held.numbers[i - 1]);
    }
    for (size_t i = 0; i < train.count; i++) {
        assert_int_not_equal(folds->folds[train.numbers[i]], fold);
        assert_true(i == 0 || train.numbers[i] > train.numbers[i - 1]);
    }
}

static void
test_folds_have_their_share(void **state)
{
    ins_head_rows rows;
    (void) state;

    make_uneven(&rows);
    for (uint32_t count = 2; count <= 10; count++) {
        int seen[ROWS] = {0};
        ins_folds folds;

        assert_int_equal(
            ins_folds_open(&folds, &rows, count, 1, &host.host, &error),
            INS_OK);
        for (uint32_t fold = 0; fold < count; fold++) {
            uint32_t counts[LABELS];

            count_held(&folds, fold, counts, seen);
            assert_true(counts[0] == 200 / count ||
                        counts[0] == 200 / count + 1);
            assert_true(counts[1] == 90 / count || counts[1] == 90 / count + 1);
            assert_true(counts[2] == 9 / count || counts[2] == 9 / count + 1);
            assert_int_equal(counts[3], 0);
        }
        for (int i = 0; i < ROWS; i++)
            assert_int_equal(seen[i], targets[i] != 3);
        ins_folds_close(&folds, &host.host);
    }
    assert_int_equal(host.live_blocks, 0);
}

static void
test_folds_are_shuffled_by_the_seed(void **state)
{
    ins_head_rows rows;
    ins_folds folds[3];
    static const uint64_t seeds[3] = {1, 1, 2};

    (void) state;
    make_uneven(&rows);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            ins_folds_open(&folds[i], &rows, 5, seeds[i], &host.host, &error),
            INS_OK);
    assert_memory_equal(folds[0].folds, folds[1].folds, ROWS);
    assert_true(memcmp(folds[0].folds, folds[2].folds, ROWS) != 0);
    for (int i = 0; i < 3; i++)
        ins_folds_close(&folds[i], &host.host);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_number_of_folds(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_folds folds;

    (void) state;
    for (uint32_t count = 0; count <= 11; count += 11) {
        assert_int_equal(
            ins_folds_open(&folds, &rows, count, 1, &host.host, &error),
            INS_INVALID_ARGUMENT);
        ins_folds_close(&folds, &host.host);
    }
    assert_int_equal(host.live_blocks, 0);
}

/* ---- choice -------------------------------------------------------------- */

static void
test_kind_of_head(void **state)
{
    (void) state;
    for (int is_xor = 0; is_xor < 2; is_xor++) {
        ins_head_rows rows = make_rows(is_xor);
        ins_head_options options = {.units = 99};
        ins_head_choice_result result;

        assert_int_equal(ins_head_choose(&options, &result, &rows, &automatic,
                                         &host.host, &error),
                         INS_OK);
        assert_int_equal(options.units, is_xor ? 8 : 0);
        assert_true(result.accuracy > (is_xor ? 0.93 : 0.8));
        assert_true(result.loss > 0 && result.loss < (is_xor ? 0.25 : 0.5));
        assert_true(options.l2 > 0 && options.iterations > 0);
    }
    assert_int_equal(host.live_blocks, 0);
}

/* Labels that nothing explains: the largest penalty is the best. */
static void
test_noise_is_not_learned(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_head_options options = {.units = 99};
    ins_head_wish wish = automatic;
    uint64_t random = 3;

    (void) state;
    wish.head = INS_HEAD_LOGISTIC;
    for (int i = 0; i < ROWS; i++)
        targets[i] = (uint32_t) ins_random_below(&random, 2);
    assert_int_equal(
        ins_head_choose(&options, NULL, &rows, &wish, &host.host, &error),
        INS_OK);
    assert_true(options.l2 == 0.1);
}

static void
test_nothing_to_choose(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_head_wish wish = automatic;
    ins_head_options options = {.units = 99};
    ins_head_choice_result result;

    (void) state;
    wish.head = INS_HEAD_NETWORK;
    wish.l2 = 0.25;
    assert_int_equal(
        ins_head_choose(&options, &result, &rows, &wish, &host.host, &error),
        INS_OK);
    assert_int_equal(host.calls, 0);
    assert_int_equal(options.units, 8);
    assert_true(options.l2 == 0.25 && isnan(result.loss));
}

static void
test_only_single_rows(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_head_options options = {.units = 99};
    ins_head_choice_result result;

    (void) state;
    rows.count = rows.labels = 2;
    targets[0] = 0;
    targets[1] = 1;
    assert_int_equal(ins_head_choose(&options, &result, &rows, &automatic,
                                     &host.host, &error),
                     INS_OK);
    assert_int_equal(options.units, 0);
    assert_true(options.l2 > 0 && isnan(result.loss));
    assert_int_equal(host.live_blocks, 0);
}

static void
count_step(void *user, uint32_t step, uint32_t steps)
{
    uint32_t *last = user;

    assert_int_equal(step, *last + 1);
    assert_int_equal(steps, 3 * (5 + 3));
    *last = step;
}

static void
test_progress_and_memory(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_head_options options = {.units = 99};
    ins_head_wish wish = automatic;
    uint32_t last = 0;

    (void) state;
    wish.progress = count_step;
    wish.progress_user = &last;
    assert_int_equal(
        ins_head_choose(&options, NULL, &rows, &wish, &host.host, &error),
        INS_OK);
    assert_int_equal(last, 3 * (5 + 3));
    assert_true(host.peak_bytes <= ins_head_choose_bytes(&rows, &wish) + 64);
    assert_true(host.peak_bytes > ins_head_choose_bytes(&rows, &wish) / 2);
}

static void
test_polls_can_cancel(void **state)
{
    ins_head_rows rows = make_rows(false);
    ins_head_options options = {.units = 99};
    ins_status status = INS_CANCELLED;

    (void) state;
    for (size_t n = 1; status != INS_OK; n += 1 + n / 8) {
        host.polls = 0;
        host.cancel_at = n;
        status = ins_head_choose(&options, NULL, &rows, &automatic, &host.host,
                                 &error);
        assert_true(status == INS_OK || status == INS_CANCELLED);
        assert_int_equal(host.live_blocks, 0);
    }
    assert_true(host.polls > 1000);
}

static int
set_up(void **state)
{
    (void) state;
    tiny_host_open(&host);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_folds_have_their_share),
        TEST(test_folds_are_shuffled_by_the_seed),
        TEST(test_number_of_folds),
        TEST(test_kind_of_head),
        TEST(test_noise_is_not_learned),
        TEST(test_nothing_to_choose),
        TEST(test_only_single_rows),
        TEST(test_progress_and_memory),
        TEST(test_polls_can_cancel),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
