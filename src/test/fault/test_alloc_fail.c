/*
 * test_alloc_fail.c - every allocation of every public call fails, one after
 * the other, once alone and once with all that follow.
 *
 * After each failure: the status is NO_MEMORY, nothing is left allocated, and
 * the same call without a failure gives the same result as before.  The method
 * is SQLite's.  A second round fails the allocations of the JSON library.
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

#include "gradient/network.h"
#include "insitu_evaluate.h"
#include "insitu_explain.h"
#include "insitu_memo.h"
#include "insitu_train.h"
#include "unit/tiny_adapter.h"

#define MAX_VALUES 256
#define MAX_CALLS  10000

/* What a scenario works on; made before allocations begin to fail. */
struct fixture {
    tiny_model source;
    void *pack;
    size_t pack_bytes;
    ins_model *model;
    ins_session *session;
};

/* One public call.  *result: filled from what it returned. */
typedef ins_status (*scenario)(struct fixture *fixture, tiny_host *host,
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
call_import(struct fixture *fixture, tiny_host *host,
            uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    void *pack;
    size_t size;
    ins_status status =
        tiny_import(&fixture->source, &host->host, &pack, &size, error);

    if (status != INS_OK) {
        assert_null(pack);
        return status;
    }
    digest_result(pack, size, result);
    host->host.release(host, pack);
    return INS_OK;
}

/* The fixture's model with an adapter and its own config.json. */
static ins_status
call_import_adapter(struct fixture *fixture, tiny_host *host,
                    uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    struct fixture adapter = *fixture;
    ins_status status;

    tiny_adapter_open(&adapter.source, NULL, TINY_EXTRAS,
                      ADAPTER_LORA | ADAPTER_HEAD);
    tiny_set_text(&adapter.source, "config.json",
                  "{\"architectures\":[\"BertForSequenceClassification\"]}");
    status = call_import(&adapter, host, result, error);
    tiny_close(&adapter.source);
    return status;
}

static ins_status
call_pack_check(struct fixture *fixture, tiny_host *host,
                uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    (void) result;
    return ins_pack_check(fixture->pack, fixture->pack_bytes, &host->host,
                          error);
}

static ins_status
call_model_open(struct fixture *fixture, tiny_host *host,
                uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_model *model;
    ins_status status = ins_model_open(&model, fixture->pack,
                                       fixture->pack_bytes, &host->host, error);

    if (status != INS_OK) {
        assert_null(model);
        return status;
    }
    digest_result(ins_model_tasks(model), strlen(ins_model_tasks(model)),
                  result);
    ins_model_close(model);
    return INS_OK;
}

static ins_status
call_info_json(struct fixture *fixture, tiny_host *host,
               uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    char *json;
    size_t size;
    ins_status status =
        ins_model_info_json(fixture->model, &host->host, &json, &size, error);

    if (status != INS_OK)
        return status;
    digest_result(json, size, result);
    host->host.release(host, json);
    return INS_OK;
}

static ins_status
call_session_open(struct fixture *fixture, tiny_host *host,
                  uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_session *session;
    ins_status status =
        ins_session_open(&session, fixture->model, NULL, &host->host, error);
    size_t bytes;

    if (status != INS_OK) {
        assert_null(session);
        return status;
    }
    bytes = ins_session_bytes(session);
    digest_result(&bytes, sizeof(bytes), result);
    ins_session_close(session);
    return INS_OK;
}

static ins_status
run_task(struct fixture *fixture, tiny_host *host, ins_task task,
         uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    const ins_text texts[2] = {{"The order was charged twice!", 28},
                               {"hello", 5}};
    float rows[2][MAX_VALUES];
    ins_session *session;
    ins_status status =
        ins_session_open(&session, fixture->model, NULL, &host->host, error);

    memset(rows, 0, sizeof(rows));
    if (status == INS_OK)
        status = ins_run(session, task, texts, 2, rows[0], MAX_VALUES, error);
    if (status == INS_OK)
        digest_result(rows, sizeof(rows), result);
    ins_session_close(session);
    return status;
}

static ins_status
call_classify(struct fixture *fixture, tiny_host *host,
              uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    return run_task(fixture, host, INS_TASK_CLASSIFY, result, error);
}

static ins_status
call_embed(struct fixture *fixture, tiny_host *host,
           uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    return run_task(fixture, host, INS_TASK_EMBED_QUERY, result, error);
}

/* A memo, a session that uses it, and a text that is found in it. */
static ins_status
call_with_memo(struct fixture *fixture, tiny_host *host,
               uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    static const uint8_t identity[INS_MEMO_IDENTITY_BYTES] = {1};
    const ins_text texts[3] = {{"refund", 6}, {"hello", 5}, {"refund", 6}};
    ins_options options = {.memo_identity = identity};
    float rows[3][MAX_VALUES];
    ins_session *session = NULL;
    ins_status status =
        ins_memo_open(&options.memo, 1 << 14, &host->host, error);

    memset(rows, 0, sizeof(rows));
    if (status == INS_OK)
        status = ins_session_open(&session, fixture->model, &options,
                                  &host->host, error);
    for (int i = 0; i < 2 && status == INS_OK; i++)
        status = ins_run(session, INS_TASK_CLASSIFY, texts, 3, rows[0],
                         MAX_VALUES, error);
    if (status == INS_OK) {
        assert_int_equal(ins_memo_counters(options.memo).hits, 2);
        digest_result(rows, sizeof(rows), result);
    }
    ins_session_close(session);
    ins_memo_close(options.memo);
    return status;
}

static ins_status
call_tokenize(struct fixture *fixture, tiny_host *host,
              uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    const ins_text text = {"Where is my delivery, [MASK]?", 29};
    ins_token tokens[MAX_VALUES];
    size_t count;
    ins_session *session;
    ins_status status =
        ins_session_open(&session, fixture->model, NULL, &host->host, error);

    if (status == INS_OK)
        status = ins_tokenize(session, text, tokens, MAX_VALUES, &count, error);
    if (status == INS_OK)
        digest_result(tokens, count * sizeof(tokens[0]), result);
    ins_session_close(session);
    return status;
}

static ins_status
call_digest(struct fixture *fixture, tiny_host *host,
            uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_digest *digest;
    ins_status status = ins_digest_open(&digest, &host->host, error);

    if (status != INS_OK)
        return status;
    ins_digest_add(digest, fixture->pack, fixture->pack_bytes);
    ins_digest_close(digest, result);
    return INS_OK;
}

/* Weights, their gradient, and one pass there and back. */
static ins_status
call_network(struct fixture *fixture, tiny_host *host,
             uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    static const int32_t ids[] = {2, 7, 3};
    static const uint32_t starts[] = {0, 3};
    static const float logit_gradient[3] = {1, -1, 0};
    const ins_batch batch = {ids, starts, 1, 3};
    const ins_network_options options = {
        .batch_tokens = 8, .batch_texts = 2, .max_tokens = 8, .dropout = 0.1f};
    ins_parameters *weights = NULL, *sums = NULL;
    ins_network *network = NULL;
    const float *logits;
    ins_pack_view view;
    ins_status status =
        ins_pack_read(&view, fixture->pack, fixture->pack_bytes, error);

    if (status == INS_OK)
        status = ins_parameters_open(&weights, view.recipe, &host->host, error);
    if (status == INS_OK)
        status = ins_parameters_open(&sums, view.recipe, &host->host, error);
    if (status == INS_OK)
        status = ins_parameters_read(weights, &view, error);
    if (status == INS_OK)
        status =
            ins_network_open(&network, weights, &options, &host->host, error);
    if (status == INS_OK)
        status =
            ins_network_forward(network, &batch, NULL, true, &logits, error);
    if (status == INS_OK)
        status =
            ins_network_backward(network, logit_gradient, sums, NULL, error);
    if (status == INS_OK)
        digest_result(sums->values, sums->count * sizeof(float), result);
    ins_network_close(network);
    ins_parameters_close(sums);
    ins_parameters_close(weights);
    return status;
}

/* Models over numbers are in test_alloc_tabular.c. */
static ins_status
train(struct fixture *fixture, tiny_host *host, ins_training_method method,
      ins_training_options *options, uint8_t result[INS_DIGEST_BYTES],
      ins_error *error)
{
    static const char *const texts[] = {"where is my order", "my refund",
                                        "the order", "refund the charge"};
    const ins_text labels[] = {{"delivery", 8}, {"billing", 7}};
    ins_training *training;
    void *pack = NULL;
    size_t size;
    ins_status status;

    options->folds = 2;
    options->epochs = 1;
    status = ins_training_open(&training, method, options, fixture->model,
                               &host->host, error);
    for (int i = 0; i < 4 && status == INS_OK; i++)
        status = ins_training_add_text(training,
                                       (ins_text){texts[i], strlen(texts[i])},
                                       &labels[i % 2], 1, error);
    if (status == INS_OK)
        status = ins_training_run(training, &pack, &size, error);
    if (status == INS_OK)
        digest_result(pack, size, result);
    host->host.release(host, pack);
    ins_training_close(training);
    return status;
}

static ins_status
call_train_classifier(struct fixture *fixture, tiny_host *host,
                      uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_training_options options = ins_training_defaults;

    options.balanced = true;
    return train(fixture, host, INS_TRAIN_CLASSIFIER, &options, result, error);
}

static ins_status
call_train_network(struct fixture *fixture, tiny_host *host,
                   uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_training_options options = ins_training_defaults;

    options.head = INS_HEAD_NETWORK;
    options.l2 = 1e-3;
    options.multi_label = true;
    options.weights = INS_WEIGHTS_CHOICE_F32;
    return train(fixture, host, INS_TRAIN_CLASSIFIER, &options, result, error);
}

static ins_status
call_fine_tune(struct fixture *fixture, tiny_host *host,
               uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_training_options options = ins_training_defaults;

    options.validation = 0.5;
    return train(fixture, host, INS_TRAIN_FINE_TUNE, &options, result, error);
}

/* ---- evaluation ---------------------------------------------------------- */

static ins_status
add_pairs(ins_evaluation *evaluation, int count, ins_error *error)
{
    ins_status status = INS_OK;

    for (int i = 0; i < count && status == INS_OK; i++) {
        char labels[2] = {(char) ('a' + i % 20), (char) ('a' + i % 7)};
        ins_text texts[2] = {{&labels[0], 1}, {&labels[1], 1}};

        status = ins_evaluation_add(evaluation, &texts[0], &texts[1], error);
    }
    return status;
}

/* Adds from to into, once as it is and once saved. */
static ins_status
merge_twice(ins_evaluation *into, const ins_evaluation *from, tiny_host *host,
            ins_error *error)
{
    void *saved;
    size_t size;
    ins_status status = ins_evaluation_merge(into, from, error);

    if (status == INS_OK)
        status = ins_evaluation_save(from, &saved, &size, error);
    if (status != INS_OK)
        return status;
    status = ins_evaluation_load(into, saved, size, error);
    host->host.release(host, saved);
    return status;
}

static ins_status
write_texts(const ins_evaluation *evaluation, tiny_host *host,
            uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    char *text;
    size_t size;
    ins_status status =
        ins_evaluation_confusion(evaluation, &text, &size, error);

    host->host.release(host, text);
    if (status == INS_OK)
        status = ins_evaluation_html(evaluation, &text, &size, error);
    host->host.release(host, text);
    if (status == INS_OK)
        status = ins_evaluation_report(evaluation, &text, &size, error);
    if (status == INS_OK)
        digest_result(text, size, result);
    host->host.release(host, text);
    return status;
}

static ins_status
call_evaluate(struct fixture *fixture, tiny_host *host,
              uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_evaluation *into;
    ins_evaluation *from = NULL;
    ins_status status = ins_evaluation_open(&into, &host->host, error);

    (void) fixture;
    if (status == INS_OK)
        status = ins_evaluation_open(&from, &host->host, error);
    if (status == INS_OK)
        status = add_pairs(into, 10, error);
    if (status == INS_OK)
        status = add_pairs(from, 100, error);
    if (status == INS_OK)
        status = merge_twice(into, from, host, error);
    if (status == INS_OK)
        status = write_texts(into, host, result, error);
    ins_evaluation_close(into);
    ins_evaluation_close(from);
    return status;
}

static ins_status
call_calibrate(struct fixture *fixture, tiny_host *host,
               uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    ins_calibration calibration = {.nulls = 1};
    char *text;
    size_t size;
    ins_status status =
        ins_calibration_report(&calibration, &host->host, &text, &size, error);

    (void) fixture;
    if (status == INS_OK)
        digest_result(text, size, result);
    host->host.release(host, text);
    return status;
}

/* An explanation and its HTML. */
static ins_status
call_explain(struct fixture *fixture, tiny_host *host,
             uint8_t result[INS_DIGEST_BYTES], ins_error *error)
{
    const ins_text text = {"my order was charged twice", 26};
    ins_explanation explanation;
    ins_status status =
        ins_explain(&explanation, fixture->model, text, 0, &host->host, error);
    char *html;
    size_t size;

    if (status == INS_OK) {
        assert_int_equal(explanation.count, 5);
        status = ins_explanation_html(&explanation, fixture->model, text,
                                      &host->host, &html, &size, error);
    }
    if (status == INS_OK) {
        digest_result(html, size, result);
        host->host.release(host, html);
    }
    ins_explanation_close(&explanation, &host->host);
    return status;
}

/* ---- the loop ------------------------------------------------------------ */

static void
open_fixture(struct fixture *fixture, tiny_host *host, unsigned flags)
{
    ins_error error;

    tiny_open(&fixture->source, flags);
    assert_int_equal(tiny_import(&fixture->source, &host->host, &fixture->pack,
                                 &fixture->pack_bytes, &error),
                     INS_OK);
    assert_int_equal(ins_model_open(&fixture->model, fixture->pack,
                                    fixture->pack_bytes, &host->host, &error),
                     INS_OK);
}

static void
close_fixture(struct fixture *fixture, tiny_host *host)
{
    ins_model_close(fixture->model);
    host->host.release(host, fixture->pack);
    tiny_close(&fixture->source);
    assert_int_equal(host->live_blocks, 0);
}

/* Calls once with allocation number n failing (0: none). */
static ins_status
call_once(struct fixture *fixture, scenario call, size_t n, bool persistent,
          uint8_t result[INS_DIGEST_BYTES])
{
    tiny_host host;
    ins_error error = {.status = INS_OK};
    ins_status status;

    tiny_host_open(&host);
    host.fail_at = n;
    host.persistent = persistent;
    memset(result, 0, INS_DIGEST_BYTES);
    status = call(fixture, &host, result, &error);
    assert_int_equal(host.live_blocks, 0);
    assert_int_equal(host.live_bytes, 0);
    if (n > 0 && host.calls >= n) {
        assert_int_equal(status, INS_NO_MEMORY);
        assert_int_equal(error.status, INS_NO_MEMORY);
        assert_true(error.message[0] != '\0');
    } else {
        assert_int_equal(status, INS_OK);
    }
    return status;
}

static void
fail_each(unsigned flags, scenario call)
{
    struct fixture fixture;
    tiny_host host;
    uint8_t expected[INS_DIGEST_BYTES];
    uint8_t result[INS_DIGEST_BYTES];
    size_t n = 0;
    ins_status status;

    tiny_host_open(&host);
    open_fixture(&fixture, &host, flags);
    call_once(&fixture, call, 0, false, expected);
    do {
        n++;
        assert_true(n < MAX_CALLS);
        call_once(&fixture, call, n, true, result);
        status = call_once(&fixture, call, n, false, result);
        call_once(&fixture, call, 0, false, result);
        assert_memory_equal(result, expected, INS_DIGEST_BYTES);
    } while (status != INS_OK);
    print_message("%zu allocations failed, each twice\n", n - 1);
    close_fixture(&fixture, &host);
}

#define FAIL_TEST(name, flags, call) \
    static void name(void **state)   \
    {                                \
        (void) state;                \
        fail_each(flags, call);      \
    }
#define BOTH_HEADS (TINY_CLASSIFIER | TINY_SENTENCE | TINY_LEXICAL)

FAIL_TEST(test_import_bert, BOTH_HEADS, call_import)
FAIL_TEST(test_import_distilbert, TINY_DISTILBERT | TINY_CLASSIFIER,
          call_import)
FAIL_TEST(test_import_sharded, TINY_SHARDED, call_import)
FAIL_TEST(test_import_vocab_txt, TINY_VOCAB_TXT, call_import)
FAIL_TEST(test_import_adapter, TINY_EXTRAS, call_import_adapter)
FAIL_TEST(test_pack_check, BOTH_HEADS, call_pack_check)
FAIL_TEST(test_model_open, BOTH_HEADS, call_model_open)
FAIL_TEST(test_model_info_json, BOTH_HEADS, call_info_json)
FAIL_TEST(test_session_open, BOTH_HEADS, call_session_open)
FAIL_TEST(test_run_classify, BOTH_HEADS, call_classify)
FAIL_TEST(test_run_embed, BOTH_HEADS, call_embed)
FAIL_TEST(test_run_distilbert, TINY_DISTILBERT | BOTH_HEADS, call_classify)
FAIL_TEST(test_memo, BOTH_HEADS, call_with_memo)
FAIL_TEST(test_tokenize, BOTH_HEADS, call_tokenize)
FAIL_TEST(test_digest, BOTH_HEADS, call_digest)
FAIL_TEST(test_evaluate, BOTH_HEADS, call_evaluate)
FAIL_TEST(test_calibrate, BOTH_HEADS, call_calibrate)
FAIL_TEST(test_explain, TINY_CLASSIFIER, call_explain)
FAIL_TEST(test_explain_distilbert, TINY_CLASSIFIER | TINY_DISTILBERT,
          call_explain)
FAIL_TEST(test_train_classifier, BOTH_HEADS, call_train_classifier)
FAIL_TEST(test_train_network, BOTH_HEADS, call_train_network)
FAIL_TEST(test_fine_tune, BOTH_HEADS, call_fine_tune)
FAIL_TEST(test_fine_tune_first_token, TINY_CLASSIFIER, call_fine_tune)
FAIL_TEST(test_network, BOTH_HEADS, call_network)

/* A run on an open session must not allocate at all. */
static void
test_run_allocates_nothing(void **state)
{
    struct fixture fixture;
    tiny_host host;
    ins_session *session;
    ins_error error;
    const ins_text text = {"my refund", 9};
    float row[MAX_VALUES];
    size_t calls;

    (void) state;
    tiny_host_open(&host);
    open_fixture(&fixture, &host, BOTH_HEADS);
    assert_int_equal(
        ins_session_open(&session, fixture.model, NULL, &host.host, &error),
        INS_OK);
    calls = host.calls;
    assert_int_equal(
        ins_run(session, INS_TASK_CLASSIFY, &text, 1, row, MAX_VALUES, &error),
        INS_OK);
    assert_int_equal(
        ins_run(session, INS_TASK_EMBED, &text, 1, row, MAX_VALUES, &error),
        INS_OK);
    assert_int_equal(host.calls, calls);
    ins_session_close(session);
    close_fixture(&fixture, &host);
}

/* ---- the JSON library's allocations -------------------------------------- */

/* jansson's hooks have no argument. */
static struct {
    size_t calls;
    size_t fail_at;
    bool persistent;
    size_t live;
} json_memory;

static void *
allocate_json(size_t size)
{
    void *memory;

    json_memory.calls++;
    if (json_memory.fail_at > 0 &&
        (json_memory.calls == json_memory.fail_at ||
         (json_memory.persistent && json_memory.calls > json_memory.fail_at)))
        return NULL;
    memory = malloc(size);
    json_memory.live += memory != NULL;
    return memory;
}

static void
release_json(void *memory)
{
    json_memory.live -= memory != NULL;
    free(memory);
}

static bool
call_with_failing_json(struct fixture *fixture, scenario call, size_t n,
                       bool persistent,
                       const uint8_t expected[INS_DIGEST_BYTES])
{
    uint8_t result[INS_DIGEST_BYTES];
    tiny_host host;
    ins_error error;
    ins_status status;

    tiny_host_open(&host);
    json_memory.calls = 0;
    json_memory.fail_at = n;
    json_memory.persistent = persistent;
    status = call(fixture, &host, result, &error);
    assert_int_equal(host.live_blocks, 0);
    assert_int_equal(json_memory.live, 0);
    if (status == INS_OK)
        assert_memory_equal(result, expected, INS_DIGEST_BYTES);
    else if (status != INS_NO_MEMORY)
        fail_msg("allocation %zu: %s | %s", n, error.message, error.detail);
    return json_memory.calls >= n;
}

static void
fail_each_of_json(unsigned flags, scenario call)
{
    struct fixture fixture;
    tiny_host host;
    uint8_t expected[INS_DIGEST_BYTES];
    size_t n = 1;

    tiny_host_open(&host);
    open_fixture(&fixture, &host, flags);
    json_set_alloc_funcs(allocate_json, release_json);
    call_once(&fixture, call, 0, false, expected);
    while (call_with_failing_json(&fixture, call, n, false, expected)) {
        call_with_failing_json(&fixture, call, n, true, expected);
        n++;
        assert_true(n < MAX_CALLS);
    }
    json_memory.fail_at = 0;
    print_message("%zu allocations of the JSON library failed\n", n - 1);
    json_set_alloc_funcs(malloc, free);
    close_fixture(&fixture, &host);
}

static void
test_import_json_library(void **state)
{
    (void) state;
    fail_each_of_json(BOTH_HEADS | TINY_SHARDED, call_import);
}

static void
test_import_adapter_json_library(void **state)
{
    (void) state;
    fail_each_of_json(TINY_EXTRAS, call_import_adapter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_bert),
        cmocka_unit_test(test_import_distilbert),
        cmocka_unit_test(test_import_sharded),
        cmocka_unit_test(test_import_vocab_txt),
        cmocka_unit_test(test_import_adapter),
        cmocka_unit_test(test_pack_check),
        cmocka_unit_test(test_model_open),
        cmocka_unit_test(test_model_info_json),
        cmocka_unit_test(test_session_open),
        cmocka_unit_test(test_run_classify),
        cmocka_unit_test(test_run_embed),
        cmocka_unit_test(test_run_distilbert),
        cmocka_unit_test(test_memo),
        cmocka_unit_test(test_tokenize),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_distilbert),
        cmocka_unit_test(test_train_classifier),
        cmocka_unit_test(test_train_network),
        cmocka_unit_test(test_fine_tune),
        cmocka_unit_test(test_fine_tune_first_token),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_run_allocates_nothing),
        cmocka_unit_test(test_import_json_library),
        cmocka_unit_test(test_import_adapter_json_library),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
