/*
 * test_tabular.c - models over numbers: rows, packs, predictions.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "insitu_train.h"
#include "unit/tiny_model.h"
#include "unit/tiny_table.h"

#define TEXT(string) ((ins_text){string, sizeof(string) - 1})

static tiny_host host;
static ins_error error;
static ins_training_options options;

static void
demand(ins_status status)
{
    if (status != INS_OK)
        fail_msg("%s | %s", error.message, error.detail);
}

static void
expect(ins_status status, ins_status expected, const char *words)
{
    assert_int_equal(status, expected);
    if (strstr(error.message, words) == NULL)
        fail_msg("said: %s", error.message);
}

static ins_training *
open_training(void)
{
    ins_training *training;

    demand(ins_training_open(&training, INS_TRAIN_TABULAR, &options, NULL,
                             &host.host, &error));
    return training;
}

static ins_status
add_object(ins_training *training, const char *json, const char *label)
{
    return ins_training_add_object(training, (ins_text){json, strlen(json)},
                                   (ins_text){label, strlen(label)}, &error);
}

/* A model with its pack. */
struct fixture {
    void *pack;
    size_t pack_bytes;
    ins_model *model;
};

static struct fixture
open_model(void *pack, size_t pack_bytes)
{
    struct fixture fixture = {pack, pack_bytes, NULL};

    demand(ins_pack_check(pack, pack_bytes, &host.host, &error));
    demand(
        ins_model_open(&fixture.model, pack, pack_bytes, &host.host, &error));
    return fixture;
}

static struct fixture
run_training(ins_training *training)
{
    void *pack;
    size_t pack_bytes;

    demand(ins_training_run(training, &pack, &pack_bytes, &error));
    ins_training_close(training);
    return open_model(pack, pack_bytes);
}

static struct fixture
train_tiny(uint32_t units)
{
    void *pack;
    size_t pack_bytes;

    demand(tiny_table_train(units, &host.host, &pack, &pack_bytes, &error));
    return open_model(pack, pack_bytes);
}

static void
close_fixture(struct fixture *fixture)
{
    ins_model_close(fixture->model);
    host.host.release(&host, fixture->pack);
    assert_int_equal(host.live_blocks, 0);
}

static bool
is_text(ins_text text, const char *expected)
{
    return text.size == strlen(expected) &&
           memcmp(text.data, expected, text.size) == 0;
}

/* The score of the positive label. */
static float
predict_object(const struct fixture *fixture, const char *json)
{
    double features[16];
    float scores[4];

    demand(ins_predict_read_object(fixture->model,
                                   (ins_text){json, strlen(json)}, features,
                                   &host.host, &error));
    demand(ins_predict(fixture->model, features,
                       ins_model_describe(fixture->model)->feature_count,
                       scores, &error));
    return scores[ins_model_positive_label(fixture->model)];
}

/* ---- the model ----------------------------------------------------------- */

static void
test_description(void **state)
{
    static const char *const names[TINY_TABLE_FEATURES] = {
        "age", "colour=blue", "colour=green", "colour=red", "member"};
    struct fixture fixture = train_tiny(3);
    const ins_model_info *info = ins_model_describe(fixture.model);
    char json[1024] = "";
    char *text;
    size_t size;

    (void) state;
    assert_true(info->can_predict && !info->can_classify && !info->can_embed);
    assert_int_equal(info->feature_count, TINY_TABLE_FEATURES);
    assert_int_equal(info->label_count, 2);
    assert_int_equal(info->intermediate_size, 3);
    assert_int_equal(info->vocabulary_size, 0);
    assert_int_equal(info->parameter_count, 5 * 3 + 3 + 3 * 2 + 2 + 3 * 5);
    assert_string_equal(info->architecture, "tabular");
    assert_string_equal(ins_model_tasks(fixture.model), "predict");
    for (uint32_t i = 0; i < TINY_TABLE_FEATURES; i++)
        assert_true(is_text(ins_model_feature(fixture.model, i), names[i]));
    assert_int_equal(ins_model_feature(fixture.model, 5).size, 0);
    assert_true(is_text(ins_model_label(fixture.model, 0), "no"));
    assert_int_equal(ins_model_positive_label(fixture.model), 1);
    demand(
        ins_model_info_json(fixture.model, &host.host, &text, &size, &error));
    assert_true(size < sizeof(json));
    memcpy(json, text, size);
    assert_true(strstr(json, "\"tasks\":[\"predict\"]") != NULL);
    assert_true(strstr(json, "\"labels\":[\"no\",\"yes\"],\"positive\":\"yes\","
                             "\"features\":[\"age\",\"colour=blue\",") != NULL);
    assert_true(strstr(json, "max_tokens") == NULL);
    host.host.release(&host, text);
    close_fixture(&fixture);
}

static void
test_predictions(void **state)
{
    (void) state;
    for (uint32_t units = 0; units <= 70; units += 35) {
        struct fixture fixture = train_tiny(units);
        const char *likely =
            "{\"age\": 70, \"colour\": \"blue\", \"member\": true}";
        float score = predict_object(&fixture, likely);

        assert_true(score > 0.9f && score <= 1);
        assert_true(predict_object(&fixture, "{\"age\": 5, \"colour\": \"red\","
                                             "\"member\": false}") < 0.1f);
        assert_true(predict_object(&fixture, likely) == score);
        close_fixture(&fixture);
    }
}

/* What is missing is the mean: of all features, the score lies in between. */
static void
test_missing_values(void **state)
{
    struct fixture fixture = train_tiny(0);
    float nothing = predict_object(&fixture, "{}");

    (void) state;
    assert_true(nothing > 0.2f && nothing < 0.8f);
    assert_true(predict_object(&fixture, "{\"age\": null, \"member\": null, "
                                         "\"colour\": null}") == nothing);
    assert_true(predict_object(&fixture, "{\"age\": 79}") > nothing);
    assert_true(predict_object(&fixture, "{\"colour\": \"blue\"}") > nothing);
    /* A string that training did not see is none of the known ones.  Two
     * colours that are equally frequent weigh the same, so that it may be worth
     * as much as none at all. */
    float unseen = predict_object(&fixture, "{\"colour\": \"mauve\"}");

    assert_true(unseen > predict_object(&fixture, "{\"colour\": \"red\"}"));
    assert_true(unseen < predict_object(&fixture, "{\"colour\": \"blue\"}"));
    close_fixture(&fixture);
}

static void
test_objects_that_are_refused(void **state)
{
    static const struct {
        const char *json;
        const char *words;
    } cases[] = {
        {"{\"height\": 3}", "no feature \"height\""},
        {"{\"colour=red\": 1}", "must be a number"},
        {"{\"age\": \"old\"}", "must be a number or a truth value"},
        {"{\"age\": [1]}", "must be a number or a truth value"},
        {"{\"colour\": 3}", "must be a string"},
        {"{\"age\": 3", "not valid JSON"},
        {"[3]", "must be a JSON object"},
        {"3", "not valid JSON"},
        {"", "not valid JSON"},
    };
    struct fixture fixture = train_tiny(0);
    double features[TINY_TABLE_FEATURES];

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ins_text text = {cases[i].json, strlen(cases[i].json)};

        if (i == 1) {
            demand(ins_predict_read_object(fixture.model, text, features,
                                           &host.host, &error));
            continue;
        }
        expect(ins_predict_read_object(fixture.model, text, features,
                                       &host.host, &error),
               INS_INVALID_ARGUMENT, cases[i].words);
    }
    close_fixture(&fixture);
}

static void
test_rows_that_cannot_be_predicted(void **state)
{
    struct fixture fixture = train_tiny(0);
    double features[TINY_TABLE_FEATURES] = {0};
    float scores[2];

    (void) state;
    expect(ins_predict(fixture.model, features, 4, scores, &error),
           INS_INVALID_ARGUMENT, "from 5 features, not 4");
    features[2] = -INFINITY;
    expect(ins_predict(fixture.model, features, 5, scores, &error),
           INS_INVALID_ARGUMENT, "feature 3 is infinite or too large");
    features[2] = 0;
    features[0] = 1e300;
    expect(ins_predict(fixture.model, features, 5, scores, &error),
           INS_INVALID_ARGUMENT, "feature 1 is infinite or too large");
    close_fixture(&fixture);
}

static void
test_tasks_that_are_refused(void **state)
{
    struct fixture fixture = train_tiny(0);
    ins_session *session;

    (void) state;
    expect(ins_session_open(&session, fixture.model, NULL, &host.host, &error),
           INS_WRONG_TASK, "its task is predict");
    assert_null(session);
    assert_int_equal(ins_model_token_text(fixture.model, 0).size, 0);
    close_fixture(&fixture);
}

static void
test_texts_do_not_predict(void **state)
{
    tiny_model source;
    void *pack;
    size_t pack_bytes;
    struct fixture fixture;
    double feature = 1;
    float scores[8];

    (void) state;
    tiny_open(&source, TINY_CLASSIFIER);
    demand(tiny_import(&source, &host.host, &pack, &pack_bytes, &error));
    tiny_close(&source);
    fixture = open_model(pack, pack_bytes);
    assert_int_equal(ins_model_describe(fixture.model)->feature_count, 0);
    expect(ins_predict(fixture.model, &feature, 1, scores, &error),
           INS_WRONG_TASK, "its task is classify");
    expect(ins_predict_read_object(fixture.model, TEXT("{}"), &feature,
                                   &host.host, &error),
           INS_WRONG_TASK, "its task is classify");
    close_fixture(&fixture);
}

/* ---- training ------------------------------------------------------------ */

/* Three groups along a diagonal, at times of day far from zero, and a column
 * that says nothing. */
static ins_training *
add_numbers(void)
{
    static const ins_text labels[] = {{"b", 1}, {"c", 1}, {"a", 1}};
    ins_training *training = open_training();

    for (int i = 0; i < 90; i++) {
        const double row[4] = {1.7e9 + 10.0 * (i % 3) + i % 5,
                               i % 7 == 0 ? NAN : 100.0 - 10 * (i % 3), 5,
                               i % 2 == 0 ? 1e-3 : 2e-3};

        demand(
            ins_training_add_numbers(training, row, 4, labels[i % 3], &error));
    }
    return training;
}

static void
test_arrays_of_numbers(void **state)
{
    struct fixture fixture = run_training(add_numbers());
    float scores[3];

    (void) state;
    assert_true(is_text(ins_model_feature(fixture.model, 3), "4"));
    assert_true(is_text(ins_model_label(fixture.model, 0), "a"));
    for (int i = 0; i < 3; i++) {
        const double row[4] = {1.7e9 + 10.0 * i + 2, NAN, 5, 1e-3};

        demand(ins_predict(fixture.model, row, 4, scores, &error));
        assert_int_equal(ins_best_label(scores, 3), (i + 1) % 3);
        assert_true(fabsf(scores[0] + scores[1] + scores[2] - 1) < 1e-5f);
    }
    /* The names are keys too. */
    assert_true(predict_object(&fixture, "{\"1\": 1700000012, \"3\": 5}") >
                0.8f);
    close_fixture(&fixture);
}

static void
test_equal_rows_give_equal_packs(void **state)
{
    struct fixture first = run_training(add_numbers());
    struct fixture second;

    (void) state;
    second.pack = NULL;
    second = run_training(add_numbers());
    assert_int_equal(first.pack_bytes, second.pack_bytes);
    assert_memory_equal(first.pack, second.pack, first.pack_bytes);
    ins_model_close(second.model);
    host.host.release(&host, second.pack);
    close_fixture(&first);
}

static void
test_positive_label(void **state)
{
    struct fixture fixture;

    (void) state;
    strcpy(options.positive, "b");
    fixture = run_training(add_numbers());
    assert_int_equal(ins_model_positive_label(fixture.model), 1);
    close_fixture(&fixture);
}

static void
fail_training(ins_training *training, const char *words)
{
    void *pack = &pack;
    size_t pack_bytes;

    expect(ins_training_run(training, &pack, &pack_bytes, &error),
           INS_INVALID_ARGUMENT, words);
    assert_null(pack);
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_trainings_that_fail(void **state)
{
    ins_training *training = open_training();
    const double row[2] = {1, 2};

    (void) state;
    fail_training(training, "no rows");
    training = open_training();
    demand(ins_training_add_numbers(training, row, 2, TEXT("a"), &error));
    demand(ins_training_add_numbers(training, row, 2, TEXT("a"), &error));
    fail_training(training, "same label");
    training = open_training();
    demand(add_object(training, "{}", "a"));
    demand(add_object(training, "{\"x\": null}", "b"));
    fail_training(training, "no row has a feature");
    strcpy(options.positive, "x");
    fail_training(add_numbers(), "positive");
}

/* Two rows, one per label; every feature is constant within its label. */
static void
test_two_rows(void **state)
{
    ins_training *training = open_training();
    struct fixture fixture;

    (void) state;
    demand(add_object(training, "{\"x\": 1}", "a"));
    demand(add_object(training, "{\"x\": 2, \"y\": \"\"}", "b"));
    fixture = run_training(training);
    assert_true(is_text(ins_model_feature(fixture.model, 1), "y="));
    assert_true(predict_object(&fixture, "{\"x\": 2, \"y\": \"\"}") > 0.5f);
    assert_true(predict_object(&fixture, "{\"x\": 1, \"y\": \"z\"}") < 0.5f);
    close_fixture(&fixture);
}

static void
test_rows_that_are_refused(void **state)
{
    static const double row[2] = {1, 2};
    static const double infinite[2] = {1, INFINITY};
    static const double large[2] = {1, 1e39};
    ins_training *training = open_training();

    (void) state;
    demand(ins_training_add_numbers(training, row, 2, TEXT("a"), &error));
    expect(ins_training_add_numbers(training, row, 1, TEXT("a"), &error),
           INS_INVALID_ARGUMENT, "has 1 features, the first one has 2");
    expect(ins_training_add_numbers(training, infinite, 2, TEXT("a"), &error),
           INS_INVALID_ARGUMENT, "infinite or too large");
    expect(ins_training_add_numbers(training, large, 2, TEXT("a"), &error),
           INS_INVALID_ARGUMENT, "infinite or too large");
    expect(add_object(training, "{}", "a"), INS_INVALID_ARGUMENT,
           "give one of the two");
    expect(ins_training_add_numbers(training, row, 2, TEXT(""), &error),
           INS_INVALID_ARGUMENT, "label");
    ins_training_close(training);
    training = open_training();
    expect(ins_training_add_numbers(training, row, 0, TEXT("a"), &error),
           INS_INVALID_ARGUMENT, "no features");
    expect(ins_training_add_numbers(training, row, 16385, TEXT("a"), &error),
           INS_LIMIT_EXCEEDED, "16385 features");
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_objects_that_cannot_be_trained_on(void **state)
{
    static const struct {
        const char *json;
        const char *words;
    } cases[] = {
        {"{\"n\": \"one\"}", "\"n\" has numbers, and in this row a string"},
        {"{\"s\": 1}", "\"s\" has strings, and in this row a number"},
        {"{\"s\": true}", "\"s\" has strings, and in this row a number"},
        {"{\"n\": [1]}", "not an array"},
        {"{\"n\": {}}", "not an object"},
        {"{\"a=b\": 1}", "has a \"=\""},
        {"{\"\": 1}", "is empty"},
        {"{\"n\": 1e300}", "too large"},
        {"[1]", "must be a JSON object"},
        {"{\"n\": 1", "not valid JSON"},
    };
    ins_training *training = open_training();
    char json[3000];

    (void) state;
    demand(add_object(training, "{\"n\": 1, \"s\": \"x\"}", "a"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect(add_object(training, cases[i].json, "a"), INS_INVALID_ARGUMENT,
               cases[i].words);
    snprintf(json, sizeof(json), "{\"s\": \"%01023d\"}", 0);
    expect(add_object(training, json, "a"), INS_INVALID_ARGUMENT, "too long");
    snprintf(json, sizeof(json), "{\"%01024d\": 1}", 0);
    expect(add_object(training, json, "a"), INS_INVALID_ARGUMENT,
           "more than 1,023 bytes");
    assert_int_equal(ins_training_rows(training), 1);
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_too_many_strings(void **state)
{
    ins_training *training = open_training();
    char json[64];

    (void) state;
    for (int i = 0; i < 1024; i++) {
        snprintf(json, sizeof(json), "{\"id\": \"row %d\"}", i);
        demand(add_object(training, json, "a"));
    }
    demand(add_object(training, "{\"id\": \"row 7\"}", "a"));
    expect(add_object(training, "{\"id\": \"another\"}", "a"),
           INS_LIMIT_EXCEEDED, "\"id\" has more than 1024 different strings");
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_too_many_features(void **state)
{
    ins_training *training = open_training();
    ins_status status = INS_OK;
    char json[512];
    int i;

    (void) state;
    for (i = 0; i < 1700 && status == INS_OK; i++) {
        size_t at = 0;

        json[at++] = '{';
        for (int j = 0; j < 10; j++)
            at +=
                (size_t) snprintf(json + at, sizeof(json) - at, "%s\"f%d\": 1",
                                  j > 0 ? "," : "", 10 * i + j);
        snprintf(json + at, sizeof(json) - at, "}");
        status = add_object(training, json, "a");
    }
    expect(status, INS_LIMIT_EXCEEDED, "more than 16384 features");
    assert_int_equal(i, 1639);
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_limit_of_memory(void **state)
{
    ins_training *training;
    ins_status status = INS_OK;
    double row[500] = {0};
    uint64_t rows;

    (void) state;
    options.max_bytes = 4 << 20;
    training = open_training();
    for (int i = 0; i < 5000 && status == INS_OK; i++)
        status = ins_training_add_numbers(
            training, row, 500, i % 2 == 0 ? TEXT("a") : TEXT("b"), &error);
    expect(status, INS_LIMIT_EXCEEDED, "limit of memory");
    rows = ins_training_rows(training);
    assert_true(rows > 100 && rows < 1100);
    ins_training_close(training);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_memory_is_within_the_limit(void **state)
{
    ins_training *training;
    struct fixture fixture;
    void *pack;
    size_t pack_bytes;
    double row[500];
    ins_status status = INS_OK;

    (void) state;
    options.max_bytes = 6 << 20;
    options.folds = 2;
    training = open_training();
    for (int i = 0; status == INS_OK; i++) {
        for (int j = 0; j < 500; j++)
            row[j] = i * (j + 3) % 101;
        status = ins_training_add_numbers(
            training, row, 500, i % 2 == 0 ? TEXT("a") : TEXT("b"), &error);
    }
    assert_int_equal(status, INS_LIMIT_EXCEEDED);
    demand(ins_training_run(training, &pack, &pack_bytes, &error));
    assert_true(host.peak_bytes <= options.max_bytes + 100000);
    ins_training_close(training);
    fixture = open_model(pack, pack_bytes);
    close_fixture(&fixture);
}

static void
test_polls_can_cancel(void **state)
{
    ins_status status = INS_CANCELLED;
    size_t n = 1;

    (void) state;
    for (; status != INS_OK; n += 1 + n / 4) {
        void *pack;
        size_t pack_bytes;

        host.polls = 0;
        host.cancel_at = n;
        status = tiny_table_train(3, &host.host, &pack, &pack_bytes, &error);
        assert_true(status == INS_OK || status == INS_CANCELLED);
        if (status == INS_OK)
            host.host.release(&host, pack);
        assert_int_equal(host.live_blocks, 0);
    }
    assert_true(n > 100);
}

static void
watch(void *user, const ins_training_progress *progress)
{
    ins_training_progress *last = user;

    assert_true(progress->fraction >= last->fraction);
    assert_true(progress->fraction <= 1);
    *last = *progress;
}

static void
test_progress(void **state)
{
    ins_training_progress last = {.fraction = 0};
    struct fixture fixture;

    (void) state;
    options.progress = watch;
    options.progress_user = &last;
    fixture = run_training(add_numbers());
    assert_true(last.fraction == 1);
    assert_int_equal(last.rows, 90);
    assert_true(last.accuracy > 0.9 && last.loss < 0.5);
    assert_string_equal(last.phase, "write");
    close_fixture(&fixture);
}

static int
set_up(void **state)
{
    (void) state;
    tiny_host_open(&host);
    options = ins_training_defaults;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_description),
        TEST(test_predictions),
        TEST(test_missing_values),
        TEST(test_objects_that_are_refused),
        TEST(test_rows_that_cannot_be_predicted),
        TEST(test_tasks_that_are_refused),
        TEST(test_texts_do_not_predict),
        TEST(test_arrays_of_numbers),
        TEST(test_equal_rows_give_equal_packs),
        TEST(test_positive_label),
        TEST(test_trainings_that_fail),
        TEST(test_two_rows),
        TEST(test_rows_that_are_refused),
        TEST(test_objects_that_cannot_be_trained_on),
        TEST(test_too_many_strings),
        TEST(test_too_many_features),
        TEST(test_limit_of_memory),
        TEST(test_memory_is_within_the_limit),
        TEST(test_polls_can_cancel),
        TEST(test_progress),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
