/*
 * test_evaluate.c - counts are those of the rows in any order and in any
 * parts, limits hold, and damaged states are refused.
 *
 * The figures are compared with scikit-learn's in parity/.
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

#include "insitu_evaluate.h"
#include "tiny_collide.h"
#include "tiny_model.h"

#define ROWS  3000
#define PARTS 7
#define FLIPS 20000

typedef ins_status (*text_call)(const ins_evaluation *evaluation, char **text,
                                size_t *size, ins_error *error);

static const text_call text_calls[] = {
    ins_evaluation_report, ins_evaluation_confusion, ins_evaluation_html};

static uint64_t random_state;

static uint32_t
random_below(uint32_t end)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t) (random_state >> 33) % end;
}

static ins_evaluation *
open_evaluation(tiny_host *host)
{
    ins_evaluation *evaluation;

    assert_int_equal(ins_evaluation_open(&evaluation, &host->host, NULL),
                     INS_OK);
    return evaluation;
}

static ins_status
add(ins_evaluation *evaluation, const char *predicted, const char *actual,
    ins_error *error)
{
    ins_text texts[2] = {{predicted, predicted != NULL ? strlen(predicted) : 0},
                         {actual, actual != NULL ? strlen(actual) : 0}};

    return ins_evaluation_add(evaluation, predicted != NULL ? &texts[0] : NULL,
                              actual != NULL ? &texts[1] : NULL, error);
}

static void
must_add(ins_evaluation *evaluation, const char *predicted, const char *actual)
{
    ins_error error;

    if (add(evaluation, predicted, actual, &error) != INS_OK)
        fail_msg("%s", error.message);
}

/* Released by the caller through the host. */
static char *
text_of(const ins_evaluation *evaluation, text_call call)
{
    char *text;
    size_t size;

    assert_int_equal(call(evaluation, &text, &size, NULL), INS_OK);
    assert_int_equal(strlen(text), size);
    return text;
}

static void
check_text(const ins_evaluation *evaluation, text_call call,
           const char *expected, const tiny_host *host)
{
    char *text = text_of(evaluation, call);

    assert_string_equal(text, expected);
    host->host.release(host->host.user, text);
}

static bool
contains(const ins_evaluation *evaluation, text_call call, const char *part,
         const tiny_host *host)
{
    char *text = text_of(evaluation, call);
    bool found = strstr(text, part) != NULL;

    host->host.release(host->host.user, text);
    return found;
}

static void
close_all(tiny_host *host, ins_evaluation *evaluation)
{
    ins_evaluation_close(evaluation);
    assert_int_equal(host->live_blocks, 0);
}

/* ---- reports ------------------------------------------------------------- */

static void
test_report(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    must_add(evaluation, "b", "b");
    must_add(evaluation, "a", "b");
    must_add(evaluation, "a", "a");
    must_add(evaluation, "\"", "a");
    must_add(evaluation, NULL, "never");
    must_add(evaluation, "never", NULL);
    must_add(evaluation, NULL, NULL);
    check_text(
        evaluation, ins_evaluation_report,
        "{\"rows\":4,\"nulls\":3,\"accuracy\":0.5,"
        "\"macro\":{\"precision\":0.5,\"recall\":0.3333333333333333,"
        "\"f1\":0.38888888888888884},"
        "\"micro\":{\"precision\":0.5,\"recall\":0.5,\"f1\":0.5},"
        "\"weighted\":{\"precision\":0.75,\"recall\":0.5,"
        "\"f1\":0.5833333333333333},"
        "\"labels\":{"
        "\"\\\"\":{\"precision\":0,\"recall\":0,\"f1\":0,\"support\":0},"
        "\"a\":{\"precision\":0.5,\"recall\":0.5,\"f1\":0.5,\"support\":2},"
        "\"b\":{\"precision\":1,\"recall\":0.5,\"f1\":0.6666666666666666,"
        "\"support\":2}},"
        "\"confusion\":{\"labels\":[\"\\\"\",\"a\",\"b\"],"
        "\"matrix\":[[0,0,0],[1,1,0],[0,1,1]]}}",
        &host);
    check_text(evaluation, ins_evaluation_confusion,
               "{\"labels\":[\"\\\"\",\"a\",\"b\"],"
               "\"matrix\":[[0,0,0],[1,1,0],[0,1,1]]}",
               &host);
    assert_true(ins_evaluation_accuracy(evaluation) == 0.5);
    close_all(&host, evaluation);
}

static void
test_no_rows(void **state)
{
    static const char averages[] =
        "{\"precision\":null,\"recall\":null,\"f1\":null}";
    char expected[600];
    tiny_host host;
    ins_evaluation *evaluation;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    must_add(evaluation, NULL, "a");
    snprintf(expected, sizeof(expected),
             "{\"rows\":0,\"nulls\":1,\"accuracy\":null,\"macro\":%s,"
             "\"micro\":%s,\"weighted\":%s,\"labels\":{},"
             "\"confusion\":{\"labels\":[],\"matrix\":[]}}",
             averages, averages, averages);
    check_text(evaluation, ins_evaluation_report, expected, &host);
    assert_true(isnan(ins_evaluation_accuracy(evaluation)));
    assert_true(contains(evaluation, ins_evaluation_html, "no rows", &host));
    close_all(&host, evaluation);
    ins_evaluation_close(NULL);
}

static void
test_pairs_beyond_a_matrix(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    for (int i = 0; i < 200; i++) {
        char label[20];

        snprintf(label, sizeof(label), "%03d", i);
        must_add(evaluation, label, label);
    }
    assert_true(
        contains(evaluation, ins_evaluation_confusion, "\"matrix\"", &host));
    must_add(evaluation, "000", "200");
    assert_false(
        contains(evaluation, ins_evaluation_confusion, "\"matrix\"", &host));
    assert_true(contains(evaluation, ins_evaluation_confusion,
                         ",\"pairs\":[[0,0,1],[1,1,1],", &host));
    assert_true(contains(evaluation, ins_evaluation_confusion,
                         "[199,199,1],[200,0,1]]}", &host));
    close_all(&host, evaluation);
}

/* ---- order and parts ----------------------------------------------------- */

struct row {
    char predicted[8];
    char actual[8];
    int null; /* 1: predicted is, 2: actual is */
};

static void
make_rows(struct row *rows)
{
    random_state = 3;
    for (int i = 0; i < ROWS; i++) {
        uint32_t actual = random_below(60);
        uint32_t predicted = random_below(3) > 0 ? actual : random_below(70);

        snprintf(rows[i].predicted, sizeof(rows[i].predicted), "l%u",
                 predicted % 100);
        snprintf(rows[i].actual, sizeof(rows[i].actual), "l%u", actual % 100);
        rows[i].null = random_below(20) == 0 ? 1 + (int) random_below(2) : 0;
    }
}

static void
shuffle(struct row *rows)
{
    for (uint32_t i = ROWS - 1; i > 0; i--) {
        uint32_t other = random_below(i + 1);
        struct row moved = rows[i];

        rows[i] = rows[other];
        rows[other] = moved;
    }
}

static void
add_row(ins_evaluation *evaluation, const struct row *row)
{
    must_add(evaluation, row->null == 1 ? NULL : row->predicted,
             row->null == 2 ? NULL : row->actual);
}

/* Through a state in memory that is not aligned. */
static void
merge_saved(ins_evaluation *into, const ins_evaluation *from, tiny_host *host)
{
    void *saved;
    size_t size;
    char *moved;

    assert_int_equal(ins_evaluation_save(from, &saved, &size, NULL), INS_OK);
    moved = malloc(size + 1);
    assert_non_null(moved);
    memcpy(moved + 1, saved, size);
    assert_int_equal(ins_evaluation_load(into, moved + 1, size, NULL), INS_OK);
    free(moved);
    host->host.release(host, saved);
}

/* The rows in parts of random sizes, merged in random order. */
static ins_evaluation *
add_in_parts(tiny_host *host, const struct row *rows)
{
    ins_evaluation *parts[PARTS];
    uint32_t left = PARTS;

    for (int i = 0; i < PARTS; i++)
        parts[i] = open_evaluation(host);
    for (int i = 0; i < ROWS; i++)
        add_row(parts[random_below(PARTS)], &rows[i]);
    while (left > 1) {
        uint32_t from = 1 + random_below(left - 1);

        if (random_below(2) == 0)
            merge_saved(parts[0], parts[from], host);
        else
            assert_int_equal(ins_evaluation_merge(parts[0], parts[from], NULL),
                             INS_OK);
        ins_evaluation_close(parts[from]);
        parts[from] = parts[--left];
    }
    return parts[0];
}

static void
check_equal_texts(const ins_evaluation *a, const ins_evaluation *b,
                  tiny_host *host)
{
    for (size_t i = 0; i < sizeof(text_calls) / sizeof(text_calls[0]); i++) {
        char *text = text_of(a, text_calls[i]);

        check_text(b, text_calls[i], text, host);
        host->host.release(host, text);
    }
}

static void
test_order_and_parts_do_not_matter(void **state)
{
    static struct row rows[ROWS];
    tiny_host host;
    ins_evaluation *whole;

    (void) state;
    tiny_host_open(&host);
    make_rows(rows);
    whole = open_evaluation(&host);
    for (int i = 0; i < ROWS; i++)
        add_row(whole, &rows[i]);
    for (int round = 0; round < 20; round++) {
        ins_evaluation *merged;

        shuffle(rows);
        merged = add_in_parts(&host, rows);
        check_equal_texts(whole, merged, &host);
        ins_evaluation_close(merged);
    }
    close_all(&host, whole);
}

/* ---- limits -------------------------------------------------------------- */

static void
test_too_many_labels(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;
    ins_evaluation *other;
    ins_error error;
    char *before;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    for (int i = 0; i < 65536; i++) {
        char label[16];

        snprintf(label, sizeof(label), "%d", i);
        must_add(evaluation, label, "0");
    }
    before = text_of(evaluation, ins_evaluation_report);
    assert_int_equal(add(evaluation, "one more", "0", &error),
                     INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(error.message, "65536 different labels"));
    assert_true(error.hint[0] != '\0');
    check_text(evaluation, ins_evaluation_report, before, &host);
    host.host.release(&host, before);
    other = open_evaluation(&host);
    must_add(other, "one more", "0");
    assert_int_equal(ins_evaluation_merge(evaluation, other, NULL),
                     INS_LIMIT_EXCEEDED);
    ins_evaluation_close(other);
    close_all(&host, evaluation);
}

static void
test_too_many_pairs(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;
    ins_error error;
    char labels[1001][8];
    char *text;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    for (int i = 0; i <= 1000; i++)
        snprintf(labels[i], sizeof(labels[i]), "%d", i);
    for (int i = 0; i < 1000000; i++)
        must_add(evaluation, labels[i % 1000], labels[i / 1000]);
    assert_int_equal(add(evaluation, "0", labels[1000], &error),
                     INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(error.message, "1000000 different pairs"));
    must_add(evaluation, "0", "0");
    text = text_of(evaluation, ins_evaluation_report);
    assert_non_null(strstr(text, "{\"rows\":1000001,"));
    assert_non_null(strstr(text, "[999,998,1],[999,999,1]]}}"));
    host.host.release(&host, text);
    close_all(&host, evaluation);
}

static void
test_long_labels(void **state)
{
    static char label[10242];
    tiny_host host;
    ins_evaluation *evaluation;
    ins_error error;
    int added = 0;
    ins_status status;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    memset(label, 'x', sizeof(label) - 1);
    assert_int_equal(add(evaluation, label, "a", &error), INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(error.message, "10241 bytes"));
    assert_null(strstr(error.message, "xx"));
    label[10240] = '\0';
    do {
        char number[16];

        snprintf(number, sizeof(number), "%06d", added++);
        memcpy(label, number, 6);
        status = add(evaluation, label, label, &error);
    } while (status == INS_OK);
    assert_int_equal(status, INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(error.message, "16777216 bytes in all"));
    assert_int_equal(added, (16 << 20) / 10240 + 1);
    close_all(&host, evaluation);
}

static void
test_invalid_utf8(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    assert_int_equal(add(evaluation, "a", "\xff", &error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(add(evaluation, "\xed\xa0\x80", "a", &error),
                     INS_INVALID_ARGUMENT);
    check_text(evaluation, ins_evaluation_confusion,
               "{\"labels\":[],\"matrix\":[]}", &host);
    must_add(evaluation, "\xc3\xa4", "a");
    check_text(evaluation, ins_evaluation_confusion,
               "{\"labels\":[\"a\",\"\xc3\xa4\"],\"matrix\":[[0,1],[0,0]]}",
               &host);
    close_all(&host, evaluation);
}

/* ---- damaged states ------------------------------------------------------ */

static void *
save_some(tiny_host *host, size_t *size)
{
    static struct row rows[ROWS];
    ins_evaluation *evaluation = open_evaluation(host);
    void *saved;

    make_rows(rows);
    for (int i = 0; i < 100; i++)
        add_row(evaluation, &rows[i]);
    assert_int_equal(ins_evaluation_save(evaluation, &saved, size, NULL),
                     INS_OK);
    ins_evaluation_close(evaluation);
    return saved;
}

/* Loads exactly size bytes; what is accepted can be reported. */
static bool
try_state(tiny_host *host, const char *bytes, size_t size)
{
    ins_evaluation *evaluation = open_evaluation(host);
    char *copy = malloc(size > 0 ? size : 1);
    ins_error error;
    ins_status status;

    assert_non_null(copy);
    must_add(evaluation, "l1", "other");
    memcpy(copy, bytes, size);
    status = ins_evaluation_load(evaluation, copy, size, &error);
    free(copy);
    if (status == INS_OK)
        for (size_t i = 0; i < sizeof(text_calls) / sizeof(text_calls[0]); i++)
            host->host.release(host, text_of(evaluation, text_calls[i]));
    else if (status != INS_LIMIT_EXCEEDED)
        assert_int_equal(status, INS_INVALID_ARGUMENT);
    ins_evaluation_close(evaluation);
    return status == INS_OK;
}

static void
test_damaged_states(void **state)
{
    tiny_host host;
    size_t size;
    char *saved;
    int accepted = 0;

    (void) state;
    tiny_host_open(&host);
    saved = save_some(&host, &size);
    for (size_t length = 0; length < size; length++)
        assert_false(try_state(&host, saved, length));
    assert_true(try_state(&host, saved, size));
    random_state = 11;
    for (int i = 0; i < FLIPS; i++) {
        size_t places[3];
        uint8_t changes[3];
        uint32_t count = 1 + random_below(3);

        for (uint32_t k = 0; k < count; k++) {
            places[k] = random_below(2) == 0 ? random_below(40)
                                             : random_below((uint32_t) size);
            changes[k] = (uint8_t) (1 + random_below(255));
            saved[places[k]] = (char) (saved[places[k]] ^ changes[k]);
        }
        accepted += try_state(&host, saved, size);
        for (uint32_t k = 0; k < count; k++)
            saved[places[k]] = (char) (saved[places[k]] ^ changes[k]);
    }
    /* A change of a label or of the NULLs cannot be told. */
    assert_in_range(accepted, 1, FLIPS / 2);
    host.host.release(&host, saved);
    assert_int_equal(host.live_blocks, 0);
}

/* Sums that would overflow. */
static void
test_too_many_rows(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;
    size_t size;
    char *saved;
    uint64_t nulls = UINT64_MAX;

    (void) state;
    tiny_host_open(&host);
    saved = save_some(&host, &size);
    memcpy(saved + 24, &nulls, sizeof(nulls));
    evaluation = open_evaluation(&host);
    assert_int_equal(ins_evaluation_load(evaluation, saved, size, NULL),
                     INS_OK);
    assert_true(contains(evaluation, ins_evaluation_report,
                         "\"nulls\":18446744073709551615,", &host));
    assert_int_equal(ins_evaluation_load(evaluation, saved, size, NULL),
                     INS_LIMIT_EXCEEDED);
    host.host.release(&host, saved);
    close_all(&host, evaluation);
}

/* ---- cancelling ---------------------------------------------------------- */

static void
test_cancelled_report(void **state)
{
    tiny_host host;
    ins_evaluation *evaluation;
    char *whole;
    char *text;
    size_t size;
    size_t polls;

    (void) state;
    tiny_host_open(&host);
    evaluation = open_evaluation(&host);
    for (int i = 0; i < 20000; i++) {
        char label[16];

        snprintf(label, sizeof(label), "%d", i);
        must_add(evaluation, label, "0");
    }
    host.polls = 0;
    whole = text_of(evaluation, ins_evaluation_report);
    polls = host.polls;
    assert_true(polls > 20);
    for (size_t n = 1; n <= polls; n++) {
        host.polls = 0;
        host.cancel_at = n;
        assert_int_equal(ins_evaluation_report(evaluation, &text, &size, NULL),
                         INS_CANCELLED);
        assert_null(text);
    }
    host.cancel_at = 0;
    check_text(evaluation, ins_evaluation_report, whole, &host);
    host.host.release(&host, whole);
    close_all(&host, evaluation);
}

/* ---- calibration --------------------------------------------------------- */

static void
check_calibration(const ins_calibration *calibration, const char *part)
{
    tiny_host host;
    char *text;
    size_t size;

    tiny_host_open(&host);
    assert_int_equal(
        ins_calibration_report(calibration, &host.host, &text, &size, NULL),
        INS_OK);
    if (strstr(text, part) == NULL)
        fail_msg("no %s in %s", part, text);
    host.host.release(&host, text);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_calibration(void **state)
{
    ins_calibration calibration = {0};
    ins_error error;

    (void) state;
    check_calibration(
        &calibration,
        "{\"rows\":0,\"nulls\":0,\"accuracy\":null,\"mean_score\":null,"
        "\"ece\":null,\"mce\":null,\"brier\":null,\"bins\":[{\"from\":0,"
        "\"to\":0.1,\"rows\":0,\"mean_score\":null,\"accuracy\":null}");
    calibration.nulls = 2;
    for (int i = 0; i <= 10; i++)
        assert_int_equal(
            ins_calibration_add(&calibration, i / 10.0, i % 2 == 0, NULL),
            INS_OK);
    check_calibration(&calibration,
                      "{\"rows\":11,\"nulls\":2,"
                      "\"accuracy\":0.5454545454545454,\"mean_score\":0.5,");
    check_calibration(&calibration, "{\"from\":0,\"to\":0.1,\"rows\":2,"
                                    "\"mean_score\":0.05,\"accuracy\":0.5}");
    check_calibration(&calibration, "{\"from\":0.2,\"to\":0.3,\"rows\":1,"
                                    "\"mean_score\":0.3,\"accuracy\":0}");
    check_calibration(&calibration, "{\"from\":0.9,\"to\":1,\"rows\":1,"
                                    "\"mean_score\":1,\"accuracy\":1}]}");
    assert_int_equal(ins_calibration_add(&calibration, -0.01, true, &error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(ins_calibration_add(&calibration, 1.01, true, &error),
                     INS_INVALID_ARGUMENT);
    assert_int_equal(
        ins_calibration_add(&calibration, (double) NAN, true, &error),
        INS_INVALID_ARGUMENT);
    assert_int_equal(calibration.rows, 11);
}

static void
test_calibration_of_parts(void **state)
{
    ins_calibration whole = {0};
    ins_calibration parts[PARTS] = {0};
    double scores[ROWS];

    (void) state;
    random_state = 5;
    for (int i = 0; i < ROWS; i++) {
        scores[i] = random_below(1000003) / 1000003.0;
        assert_int_equal(
            ins_calibration_add(&whole, scores[i], i % 3 == 0, NULL), INS_OK);
    }
    for (int i = ROWS - 1; i >= 0; i--)
        assert_int_equal(ins_calibration_add(&parts[random_below(PARTS)],
                                             scores[i], i % 3 == 0, NULL),
                         INS_OK);
    for (int i = PARTS - 1; i > 0; i--)
        ins_calibration_merge(&parts[0], &parts[i]);
    assert_memory_equal(&parts[0], &whole, sizeof(whole));
}

/* ---- labels of one hash -------------------------------------------------- */

#define ALIKE 4096

/* Whoever writes the labels can make a row look at all of them: then the host
 * is asked, and a cancelled row changes nothing. */
static void
test_labels_of_one_hash(void **state)
{
    ins_evaluation *evaluation;
    ins_evaluation *other;
    tiny_colliding names;
    tiny_host host;
    void *saved;
    size_t size;
    ins_status status = INS_OK;

    (void) state;
    tiny_host_open(&host);
    tiny_collide(&names);
    evaluation = open_evaluation(&host);
    other = open_evaluation(&host);
    for (uint32_t i = 0; i < ALIKE; i++) {
        ins_text name = tiny_colliding_text(&names, i);

        assert_int_equal(ins_evaluation_add(evaluation, &name, &name, NULL),
                         INS_OK);
    }
    /* 25 million slots by rows, and half as many labels by growing. */
    assert_true(host.polls > 250);
    host.polls = 0;
    assert_int_equal(ins_evaluation_merge(other, evaluation, NULL), INS_OK);
    assert_true(host.polls > 100);
    host.cancel_at = host.polls + 1;
    for (uint32_t i = ALIKE; i < ALIKE + 20 && status == INS_OK; i++) {
        ins_text name = tiny_colliding_text(&names, i);

        status = ins_evaluation_add(evaluation, &name, &name, NULL);
    }
    assert_int_equal(status, INS_CANCELLED);
    host.cancel_at = 0;
    assert_int_equal(ins_evaluation_save(evaluation, &saved, &size, NULL),
                     INS_OK);
    assert_int_equal(ins_evaluation_load(other, saved, size, NULL), INS_OK);
    host.host.release(host.host.user, saved);
    ins_evaluation_close(other);
    close_all(&host, evaluation);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_pairs_beyond_a_matrix),
        cmocka_unit_test(test_order_and_parts_do_not_matter),
        cmocka_unit_test(test_too_many_labels),
        cmocka_unit_test(test_too_many_pairs),
        cmocka_unit_test(test_long_labels),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_damaged_states),
        cmocka_unit_test(test_too_many_rows),
        cmocka_unit_test(test_cancelled_report),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_calibration_of_parts),
        cmocka_unit_test(test_labels_of_one_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
