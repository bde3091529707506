/*
 * test_batches.c - shuffles, held-back rows and mini-batches: every row comes
 * once, equal seeds give equal orders, and batches hold similar lengths.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tiny_model.h"
#include "train/batches.h"

#define ROWS    1003
#define LONGEST 90
#define SIZE    8
#define LABELS  7

static uint32_t order[ROWS];
static uint64_t starts[ROWS + 1];

static void
set_rows(void)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = i;
        starts[i + 1] = starts[i] + 1 + i * 37 % LONGEST;
    }
}

static void
check_permutation(const uint32_t *items, size_t count)
{
    static uint8_t seen[ROWS];

    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < count; i++) {
        assert_true(items[i] < count && !seen[items[i]]);
        seen[items[i]] = 1;
    }
}

/* ---- holding back -------------------------------------------------------- */

static void
hold_back(const ins_row_labels *labels, double fraction, size_t *held)
{
    uint64_t random = 5;
    ins_error error;
    tiny_host host;

    tiny_host_open(&host);
    assert_int_equal(ins_hold_back(labels, fraction, &random, order, held,
                                   &host.host, &error),
                     INS_OK);
    assert_int_equal(host.live_blocks, 0);
    check_permutation(order, labels->count);
}

/* A million rows take longer than a host waits. */
static void
test_many_rows_poll(void **state)
{
    enum { MANY = 1000000 };
    uint32_t *targets = calloc(MANY, sizeof(*targets));
    uint32_t *many = malloc(MANY * sizeof(*many));
    ins_row_labels labels = {targets, NULL, MANY, 1};
    uint64_t random = 1;
    tiny_host host;
    size_t held;

    (void) state;
    assert_non_null(targets);
    assert_non_null(many);
    tiny_host_open(&host);
    for (size_t at = 1; at < 20; at += 17) {
        host.polls = 0;
        host.cancel_at = at;
        assert_int_equal(
            ins_hold_back(&labels, 0, &random, many, &held, &host.host, NULL),
            at == 1 ? INS_CANCELLED : INS_OK);
        assert_true(at == 1 || host.polls >= 15);
    }
    assert_int_equal(host.live_blocks, 0);
    free(targets);
    free(many);
}

/* Each label loses its share; the one with a single row, and both rows' worth
 * of a pair, nothing more than it can. */
static void
test_hold_back_targets(void **state)
{
    static uint32_t targets[ROWS];
    uint32_t of_label[LABELS] = {0};
    uint32_t back[LABELS] = {0};
    ins_row_labels labels = {targets, NULL, ROWS, LABELS};
    size_t held;

    (void) state;
    /* One row of label 0, two of label 1, none of label 2. */
    for (uint32_t i = 0; i < ROWS; i++)
        targets[i] = i == 0 ? 0 : i < 3 ? 1 : 3 + i * i % 4;
    for (uint32_t i = 0; i < ROWS; i++)
        of_label[targets[i]]++;
    hold_back(&labels, 0.25, &held);
    for (size_t i = ROWS - held; i < ROWS; i++)
        back[targets[order[i]]]++;
    assert_int_equal(back[0], 0);
    assert_int_equal(back[1], 1);
    for (uint32_t i = 3; i < LABELS; i++)
        assert_int_equal(back[i], (uint32_t) (0.25 * of_label[i] + 0.5));
    hold_back(&labels, 0.99, &held);
    memset(back, 0, sizeof(back));
    for (size_t i = 0; i < ROWS - held; i++)
        back[targets[order[i]]]++;
    for (uint32_t i = 0; i < LABELS; i++)
        assert_true((back[i] > 0) == (of_label[i] > 0));
    hold_back(&labels, 0, &held);
    assert_int_equal(held, 0);
}

static void
test_hold_back_marks(void **state)
{
    static uint8_t marks[ROWS][LABELS];
    uint32_t left[LABELS] = {0};
    ins_row_labels labels = {NULL, marks[0], ROWS, LABELS};
    size_t held;

    (void) state;
    memset(marks, 0, sizeof(marks));
    marks[17][0] = 1;
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t k = 1; k < LABELS; k++)
            marks[i][k] = i * k % 11 == 1;
    hold_back(&labels, 0.1, &held);
    assert_int_equal(held, 100);
    hold_back(&labels, 0.999, &held);
    for (size_t i = 0; i < ROWS - held; i++)
        for (uint32_t k = 0; k < LABELS; k++)
            left[k] += marks[order[i]][k];
    for (uint32_t k = 0; k < LABELS; k++)
        assert_true(left[k] > 0);
}

/* ---- batches ------------------------------------------------------------- */

static ins_batches
make_batches(size_t count)
{
    return (ins_batches){.order = order,
                         .starts = starts,
                         .count = count,
                         .size = SIZE,
                         .longest = LONGEST};
}

/* Mean over batches of longest less shortest. */
static double
mean_spread(const ins_batches *batches)
{
    uint64_t sum = 0;
    size_t rows = 0;

    for (size_t i = 0; i < batches->batch_count; i++) {
        ins_batch_rows batch = ins_batches_at(batches, i);
        uint64_t low = UINT64_MAX;
        uint64_t high = 0;

        assert_in_range(batch.count, 1, SIZE);
        rows += batch.count;
        for (uint32_t k = 0; k < batch.count; k++) {
            uint32_t row = batch.rows[k];
            uint64_t length = starts[row + 1] - starts[row];

            low = length < low ? length : low;
            high = length > high ? length : high;
        }
        sum += high - low;
    }
    assert_int_equal(rows, batches->count);
    return (double) sum / (double) batches->batch_count;
}

static void
test_batches(void **state)
{
    static uint32_t first[ROWS];
    tiny_host host;
    ins_error error;

    (void) state;
    for (int round = 0; round < 2; round++) {
        ins_batches batches = make_batches(ROWS);
        uint64_t random = 9;

        tiny_host_open(&host);
        set_rows();
        assert_int_equal(ins_batches_open(&batches, &host.host, &error),
                         INS_OK);
        assert_int_equal(batches.batch_count, (ROWS + SIZE - 1) / SIZE);
        assert_true(host.live_bytes <= ins_batches_bytes(ROWS, SIZE, LONGEST));
        assert_int_equal(
            ins_batches_shuffle(&batches, &random, &host.host, &error), INS_OK);
        check_permutation(order, ROWS);
        check_permutation(batches.batches, batches.batch_count);
        /* Drawn at random it would be about 0.8 of the longest. */
        assert_true(mean_spread(&batches) < 0.1 * LONGEST);
        if (round == 0)
            memcpy(first, order, sizeof(first));
        else
            assert_memory_equal(first, order, sizeof(first));
        assert_int_equal(
            ins_batches_shuffle(&batches, &random, &host.host, &error), INS_OK);
        assert_memory_not_equal(first, order, sizeof(first));
        check_permutation(order, ROWS);
        assert_int_equal(ins_batches_sort(&batches, &host.host, &error),
                         INS_OK);
        assert_true(mean_spread(&batches) < 2);
        ins_batches_close(&batches, &host.host);
        assert_int_equal(host.live_blocks, 0);
    }
}

static void
test_one_row(void **state)
{
    ins_batches batches = make_batches(1);
    uint64_t random = 9;
    tiny_host host;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    set_rows();
    assert_int_equal(ins_batches_open(&batches, &host.host, &error), INS_OK);
    assert_int_equal(ins_batches_shuffle(&batches, &random, &host.host, &error),
                     INS_OK);
    assert_int_equal(batches.batch_count, 1);
    assert_int_equal(ins_batches_at(&batches, 0).count, 1);
    ins_batches_close(&batches, &host.host);
}

static ins_status
run(tiny_host *host, ins_error *error)
{
    static const uint32_t targets[ROWS];
    ins_row_labels labels = {targets, NULL, ROWS, 1};
    ins_batches batches = make_batches(ROWS);
    uint64_t random = 9;
    size_t held;
    ins_status status =
        ins_hold_back(&labels, 0.2, &random, order, &held, &host->host, error);

    if (status == INS_OK)
        status = ins_batches_open(&batches, &host->host, error);
    if (status == INS_OK)
        status = ins_batches_shuffle(&batches, &random, &host->host, error);
    if (status == INS_OK)
        status = ins_batches_sort(&batches, &host->host, error);
    ins_batches_close(&batches, &host->host);
    assert_int_equal(host->live_blocks, 0);
    return status;
}

static void
test_cancel_and_no_memory(void **state)
{
    ins_error error;
    tiny_host host;
    size_t polls;
    size_t calls;

    (void) state;
    set_rows();
    tiny_host_open(&host);
    assert_int_equal(run(&host, &error), INS_OK);
    polls = host.polls;
    calls = host.calls;
    assert_true(polls >= 4 && calls == 5);
    for (size_t i = 1; i <= polls; i++) {
        tiny_host_open(&host);
        host.cancel_at = i;
        assert_int_equal(run(&host, &error), INS_CANCELLED);
    }
    for (size_t i = 1; i <= calls; i++) {
        tiny_host_open(&host);
        host.fail_at = i;
        assert_int_equal(run(&host, &error), INS_NO_MEMORY);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_rows_poll),
        cmocka_unit_test(test_hold_back_targets),
        cmocka_unit_test(test_hold_back_marks),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_cancel_and_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
