/*
 * test_alloc_tabular.c - every allocation of the training of heads and of
 * models over numbers fails, as in test_alloc_fail.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "train/head_choose.h"
#include "unit/tiny_model.h"
#include "unit/tiny_table.h"

#define MAX_CALLS 10000
#define ROWS      24

/* *result: a digest of what the call returned. */
typedef ins_status (*scenario)(tiny_host *host,
                               uint8_t result[INS_DIGEST_BYTES],
                               ins_error *error);

/* Not through the host: the result must be seen when nothing fails. */
static void
digest_result(const void *data, size_t size, uint8_t out[INS_DIGEST_BYTES])
{
    assert_int_equal(ins_digest_of(data, size, &(ins_host){0}, out, NULL),
                     INS_OK);
}

/* ---- the calls ----------------------------------------------------------- */

static ins_status
call_train(tiny_host *host, uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    void *pack;
    size_t size;
    ins_status status = tiny_table_train(3, &host->host, &pack, &size, error);

    if (status != INS_OK) {
        assert_null(pack);
        return status;
    }
    digest_result(pack, size, result);
    host->host.release(host, pack);
    return INS_OK;
}

static ins_status
call_numbers(tiny_host *host, uint8_t result[INS_DIGEST_BYTES],
             ins_error *error)
{
    static const ins_text labels[] = {{"a", 1}, {"b", 1}};
    ins_training_options options = ins_training_defaults;
    ins_training *training;
    void *pack = NULL;
    size_t size;
    ins_status status = ins_training_open(&training, INS_TRAIN_TABULAR,
                                          &options, NULL, &host->host, error);

    for (int i = 0; i < ROWS && status == INS_OK; i++) {
        const double row[2] = {i, i * 7 % 5};

        status = ins_training_add_numbers(training, row, 2, labels[i % 5 < 2],
                                          error);
    }
    if (status == INS_OK)
        status = ins_training_run(training, &pack, &size, error);
    if (status == INS_OK)
        digest_result(pack, size, result);
    host->host.release(host, pack);
    ins_training_close(training);
    return status;
}

static ins_status
call_choose(tiny_host *host, uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    static const ins_head_wish wish = {
        .head = INS_HEAD_AUTO, .units = 3, .l2 = -1, .folds = 2, .seed = 1};
    float features[ROWS][2];
    uint32_t targets[ROWS];
    const ins_head_rows rows = {.features = features[0],
                                .count = ROWS,
                                .columns = 2,
                                .labels = 2,
                                .targets = targets};
    ins_head_options options = {0};
    ins_head head = {0};
    ins_status status;

    for (uint32_t i = 0; i < ROWS; i++) {
        features[i][0] = (float) (i * 7 % 11);
        features[i][1] = (float) (i * 5 % 13);
        targets[i] = features[i][0] > features[i][1];
    }
    status = ins_head_choose(&options, NULL, &rows, &wish, &host->host, error);
    if (status == INS_OK)
        status = ins_head_fit(&head, &rows, &options, &host->host, error);
    if (status == INS_OK)
        digest_result(head.out_bias, 2 * sizeof(float), result);
    ins_head_close(&head, &host->host);
    return status;
}

static ins_status
call_predict(tiny_host *host, uint8_t result[INS_DIGEST_BYTES],
             ins_error *error)
{
    static void *pack;
    static size_t size;
    static tiny_host other;
    const ins_text json = {"{\"age\": 3, \"colour\": \"red\"}", 27};
    double features[TINY_TABLE_FEATURES];
    float scores[2];
    ins_model *model;
    ins_status status;

    if (pack == NULL) {
        tiny_host_open(&other);
        assert_int_equal(tiny_table_train(3, &other.host, &pack, &size, error),
                         INS_OK);
    }
    status = ins_model_open(&model, pack, size, &host->host, error);
    if (status == INS_OK)
        status =
            ins_predict_read_object(model, json, features, &host->host, error);
    if (status == INS_OK)
        status =
            ins_predict(model, features, TINY_TABLE_FEATURES, scores, error);
    if (status == INS_OK)
        digest_result(scores, sizeof(scores), result);
    ins_model_close(model);
    return status;
}

/* ---- the loop ------------------------------------------------------------ */

/* jansson's hooks have no argument. */
static struct {
    size_t calls;
    size_t fail_at; /* 0 = never */
    size_t live;
} json_memory;

static void *
allocate_json(size_t size)
{
    void *memory =
        ++json_memory.calls == json_memory.fail_at ? NULL : malloc(size);

    json_memory.live += memory != NULL;
    return memory;
}

static void
release_json(void *memory)
{
    json_memory.live -= memory != NULL;
    free(memory);
}

/* Calls with allocation number n of the host, or of the JSON library, failing;
 * true when there was one. */
static bool
call_failing(scenario call, size_t n, bool in_json, bool persistent,
             const uint8_t expected[INS_DIGEST_BYTES])
{
    uint8_t result[INS_DIGEST_BYTES];
    tiny_host host;
    ins_error error = {.status = INS_OK};
    ins_status status;
    bool failed;

    tiny_host_open(&host);
    host.fail_at = in_json ? 0 : n;
    host.persistent = persistent;
    json_memory.calls = 0;
    json_memory.fail_at = in_json ? n : 0;
    status = call(&host, result, &error);
    failed = in_json ? json_memory.calls >= n : host.calls >= n;
    json_memory.fail_at = 0;
    assert_int_equal(host.live_blocks, 0);
    assert_int_equal(json_memory.live, 0);
    assert_int_equal(status, failed ? INS_NO_MEMORY : INS_OK);
    assert_int_equal(error.status, failed ? INS_NO_MEMORY : INS_OK);
    if (!failed)
        assert_memory_equal(result, expected, INS_DIGEST_BYTES);
    return failed;
}

static void
fail_each(scenario call)
{
    uint8_t expected[INS_DIGEST_BYTES];
    tiny_host host;
    ins_error error;
    size_t n;

    json_set_alloc_funcs(allocate_json, release_json);
    tiny_host_open(&host);
    assert_int_equal(call(&host, expected, &error), INS_OK);
    for (n = 1; call_failing(call, n, false, false, expected); n++) {
        call_failing(call, n, false, true, expected);
        assert_true(n < MAX_CALLS);
    }
    print_message("%zu allocations failed\n", n - 1);
    for (n = 1; call_failing(call, n, true, false, expected); n++)
        assert_true(n < MAX_CALLS);
    print_message("%zu allocations of the JSON library failed\n", n - 1);
    json_set_alloc_funcs(malloc, free);
}

#define FAIL_TEST(name, call)      \
    static void name(void **state) \
    {                              \
        (void) state;              \
        fail_each(call);           \
    }

FAIL_TEST(test_train_on_objects, call_train)
FAIL_TEST(test_train_on_numbers, call_numbers)
FAIL_TEST(test_choose_a_head, call_choose)
FAIL_TEST(test_predict, call_predict)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_on_objects),
        cmocka_unit_test(test_train_on_numbers),
        cmocka_unit_test(test_choose_a_head),
        cmocka_unit_test(test_predict),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
