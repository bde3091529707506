/*
 * test_encoder.c - a text's numbers do not depend on its batch, repeat
 * exactly, and a cancelled pass leaves the encoder usable.  Values themselves
 * are tested in src/test/parity.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "encoder/encoder.h"
#include "tiny_model.h"

#define HIDDEN       32
#define MAX_LENGTH   48
#define BATCH_TOKENS 1200

struct opened {
    tiny_host host;
    void *pack;
    ins_pack_view view;
    ins_encoder *encoder;
    ins_error error;
};

static void
open_encoder(struct opened *opened)
{
    const ins_kernels *kernels;
    tiny_model model;
    size_t size;

    memset(opened, 0, sizeof(*opened));
    tiny_host_open(&opened->host);
    tiny_open(&model, 0);
    assert_int_equal(tiny_import(&model, &opened->host.host, &opened->pack,
                                 &size, &opened->error),
                     INS_OK);
    tiny_close(&model);
    assert_int_equal(
        ins_pack_read(&opened->view, opened->pack, size, &opened->error),
        INS_OK);
    assert_int_equal(ins_kernels_select(NULL, &kernels, &opened->error),
                     INS_OK);
    assert_int_equal(ins_encoder_open(&opened->encoder, &opened->view,
                                      BATCH_TOKENS, kernels, &opened->host.host,
                                      &opened->error),
                     INS_OK);
}

static void
close_encoder(struct opened *opened)
{
    ins_encoder_close(opened->encoder);
    opened->host.host.release(&opened->host, opened->pack);
    assert_int_equal(opened->host.live_blocks, 0);
}

/* One sequence of each length from first to last. */
static ins_status
run_lengths(struct opened *opened, uint32_t first, uint32_t last,
            const float **hidden)
{
    static int32_t ids[BATCH_TOKENS];
    static uint32_t starts[MAX_LENGTH + 1]; /* starts[0] stays 0 */
    ins_batch batch = {ids, starts, 0, 0};

    for (uint32_t length = first; length <= last; length++) {
        for (uint32_t i = 0; i < length; i++)
            ids[batch.token_count++] = (int32_t) ((i * 7 + length * 3) % 100);
        starts[++batch.sequence_count] = batch.token_count;
    }
    return ins_encoder_forward(opened->encoder, &batch, hidden, &opened->error);
}

static void
test_batch_invariance(void **state)
{
    static float together[BATCH_TOKENS][HIDDEN];
    struct opened opened;
    const float *hidden;
    uint32_t start = 0;

    (void) state;
    open_encoder(&opened);
    assert_int_equal(opened.view.recipe->hidden, HIDDEN);
    assert_int_equal(run_lengths(&opened, 1, MAX_LENGTH, &hidden), INS_OK);
    memcpy(together, hidden,
           sizeof(float) * HIDDEN * MAX_LENGTH * (MAX_LENGTH + 1) / 2);
    for (uint32_t length = 1; length <= MAX_LENGTH; length++) {
        assert_int_equal(run_lengths(&opened, length, length, &hidden), INS_OK);
        for (uint32_t i = 0; i < length * HIDDEN; i++) {
            double expected = (double) together[start + i / HIDDEN][i % HIDDEN];

            assert_true(isfinite(hidden[i]) &&
                        fabs((double) hidden[i] - expected) <=
                            1e-5 * fmax(1, fabs(expected)));
        }
        start += length;
    }
    close_encoder(&opened);
}

static void
test_repeats(void **state)
{
    static float before[BATCH_TOKENS][HIDDEN];
    const size_t bytes = sizeof(float) * HIDDEN * (3 + 4 + 5 + 6 + 7);
    struct opened opened;
    const float *hidden;

    (void) state;
    open_encoder(&opened);
    assert_int_equal(run_lengths(&opened, 3, 7, &hidden), INS_OK);
    memcpy(before, hidden, bytes);
    assert_int_equal(run_lengths(&opened, 1, MAX_LENGTH, &hidden), INS_OK);
    assert_int_equal(run_lengths(&opened, 3, 7, &hidden), INS_OK);
    assert_memory_equal(before, hidden, bytes);
    close_encoder(&opened);
}

/* Each poll of a pass in turn says stop; the next pass is right again. */
static void
test_cancel(void **state)
{
    static float before[5 * HIDDEN];
    struct opened opened;
    const float *hidden;
    size_t polls;

    (void) state;
    open_encoder(&opened);
    opened.host.polls = 0;
    assert_int_equal(run_lengths(&opened, 5, 5, &hidden), INS_OK);
    memcpy(before, hidden, sizeof(before));
    polls = opened.host.polls;
    assert_true(polls >= 2 * 4);
    for (size_t i = 1; i <= polls; i++) {
        opened.host.polls = 0;
        opened.host.cancel_at = i;
        assert_int_equal(run_lengths(&opened, 5, 5, &hidden), INS_CANCELLED);
        opened.host.cancel_at = 0;
        assert_int_equal(run_lengths(&opened, 5, 5, &hidden), INS_OK);
        assert_memory_equal(before, hidden, sizeof(before));
    }
    close_encoder(&opened);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_invariance),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
