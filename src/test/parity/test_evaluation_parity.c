/*
 * test_evaluation_parity.c - reports against scikit-learn's figures
 * (make_evaluation_fixture.py) to 1e-12.
 *
 * Runs from the repository's root.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "insitu_evaluate.h"
#include "test/malloc_host.h"

#define FIXTURE   "src/test/parity/fixtures/evaluation.json"
#define TOLERANCE 1e-12

static const char *const averages[] = {"macro", "micro", "weighted"};
static const char *const figures[] = {"precision", "recall", "f1"};

static const ins_host host = {.alloc = malloc_host_alloc,
                              .release = malloc_host_release};

static json_t *
load_fixture(const char *part)
{
    json_error_t error;
    json_t *all = json_load_file(FIXTURE, JSON_DECODE_INT_AS_REAL, &error);
    json_t *found;

    if (all == NULL)
        fail_msg("%s: %s", FIXTURE, error.text);
    found = json_incref(json_object_get(all, part));
    json_decref(all);
    assert_true(json_array_size(found) > 0);
    return found;
}

static json_t *
read_report(char *text, size_t size)
{
    json_error_t error;
    json_t *report = json_loadb(
        text, size, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &error);

    if (report == NULL)
        fail_msg("%s in %s", error.text, text);
    free(text);
    return report;
}

/* Compares one number of two objects. */
static void
check_number(const char *name, const json_t *found, const json_t *expected,
             const char *key)
{
    double a = json_number_value(json_object_get(found, key));
    double b = json_number_value(json_object_get(expected, key));

    assert_true(json_is_number(json_object_get(found, key)));
    assert_true(json_is_number(json_object_get(expected, key)));
    if (!(fabs(a - b) <= TOLERANCE))
        fail_msg("%s: %s is %.17g, not %.17g", name, key, a, b);
}

static void
check_figures(const char *name, const json_t *found, const json_t *expected)
{
    for (size_t i = 0; i < 3; i++)
        check_number(name, found, expected, figures[i]);
}

/* ---- labels -------------------------------------------------------------- */

static ins_text
label_of(const json_t *labels, const json_t *pair, size_t side)
{
    size_t number = (size_t) json_number_value(json_array_get(pair, side));
    const json_t *label = json_array_get(labels, number);

    return (ins_text){json_string_value(label), json_string_length(label)};
}

static json_t *
report_case(const json_t *scenario)
{
    const json_t *labels = json_object_get(scenario, "labels");
    ins_evaluation *evaluation;
    char *text;
    size_t size;
    size_t i;
    json_t *pair;

    assert_int_equal(ins_evaluation_open(&evaluation, &host, NULL), INS_OK);
    json_array_foreach(json_object_get(scenario, "pairs"), i, pair)
    {
        ins_text predicted = label_of(labels, pair, 0);
        ins_text actual = label_of(labels, pair, 1);

        assert_int_equal(
            ins_evaluation_add(evaluation, &predicted, &actual, NULL), INS_OK);
    }
    assert_int_equal(ins_evaluation_report(evaluation, &text, &size, NULL),
                     INS_OK);
    ins_evaluation_close(evaluation);
    return read_report(text, size);
}

static void
check_labels(const char *name, const json_t *found, json_t *expected)
{
    const char *label;
    json_t *value;

    assert_int_equal(json_object_size(found), json_object_size(expected));
    json_object_foreach(expected, label, value)
    {
        check_figures(name, json_object_get(found, label), value);
        check_number(name, json_object_get(found, label), value, "support");
    }
}

static void
check_case(const json_t *scenario)
{
    const char *name = json_string_value(json_object_get(scenario, "name"));
    const json_t *expected = json_object_get(scenario, "expected");
    json_t *report = report_case(scenario);
    const json_t *matrix =
        json_object_get(json_object_get(report, "confusion"), "matrix");

    check_number(name, report, expected, "accuracy");
    for (size_t i = 0; i < 3; i++)
        check_figures(name, json_object_get(report, averages[i]),
                      json_object_get(expected, averages[i]));
    check_labels(name, json_object_get(report, "labels"),
                 json_object_get(expected, "labels"));
    assert_true(json_equal(
        json_object_get(json_object_get(report, "confusion"), "labels"),
        json_object_get(scenario, "labels")));
    if (json_object_get(expected, "confusion") != NULL)
        assert_true(json_equal(matrix, json_object_get(expected, "confusion")));
    else
        assert_null(matrix);
    json_decref(report);
}

static void
test_reports(void **state)
{
    json_t *cases = load_fixture("labels");
    size_t i;
    json_t *scenario;

    (void) state;
    json_array_foreach(cases, i, scenario) check_case(scenario);
    assert_true(i >= 10);
    json_decref(cases);
}

/* ---- scores -------------------------------------------------------------- */

static json_t *
report_scores(const json_t *scenario)
{
    const json_t *scores = json_object_get(scenario, "scores");
    const json_t *hits = json_object_get(scenario, "hits");
    ins_calibration calibration = {0};
    char *text;
    size_t size;

    for (size_t i = 0; i < json_array_size(scores); i++)
        assert_int_equal(
            ins_calibration_add(
                &calibration, json_number_value(json_array_get(scores, i)),
                json_number_value(json_array_get(hits, i)) > 0, NULL),
            INS_OK);
    assert_int_equal(
        ins_calibration_report(&calibration, &host, &text, &size, NULL),
        INS_OK);
    return read_report(text, size);
}

/* The fixture leaves out empty bins. */
static void
check_bins(const char *name, const json_t *found, const json_t *expected)
{
    static const char *const keys[] = {"rows", "mean_score", "accuracy"};
    size_t next = 0;
    size_t i;
    const json_t *bin;

    json_array_foreach(found, i, bin)
    {
        const json_t *wanted = json_array_get(expected, next);

        if (json_number_value(json_object_get(bin, "rows")) == 0)
            continue;
        next++;
        for (size_t k = 0; k < 3; k++) {
            double a = json_number_value(json_object_get(bin, keys[k]));
            double b = json_number_value(json_array_get(wanted, k));

            if (!(fabs(a - b) <= TOLERANCE))
                fail_msg("%s, bin %zu: %s is %.17g, not %.17g", name, i,
                         keys[k], a, b);
        }
    }
    assert_int_equal(next, json_array_size(expected));
}

static void
test_calibration(void **state)
{
    static const char *const keys[] = {"accuracy", "mean_score", "ece", "mce",
                                       "brier"};
    json_t *cases = load_fixture("scores");
    size_t i;
    json_t *scenario;

    (void) state;
    json_array_foreach(cases, i, scenario)
    {
        const char *name = json_string_value(json_object_get(scenario, "name"));
        const json_t *expected = json_object_get(scenario, "expected");
        json_t *report = report_scores(scenario);

        for (size_t k = 0; k < 5; k++)
            check_number(name, report, expected, keys[k]);
        check_bins(name, json_object_get(report, "bins"),
                   json_object_get(expected, "bins"));
        json_decref(report);
    }
    json_decref(cases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_calibration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
