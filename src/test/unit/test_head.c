/*
 * test_head.c - fitting heads: known solutions, gradients by differences, and
 * the rows that a table may have.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/head.h"
#include "train/head_loss.h"
#include "unit/tiny_model.h"

#define ROWS    200
#define COLUMNS 4
#define LABELS  3

/* make_head_fixture.py prints these. */
/* largest component of the gradient: 2.3e-17 */
static const double expected_out[LABELS][COLUMNS] = {
    {-0.0140547650, 0.0138648170, 0.0010055881, -0.0001215379},
    {0.0022320223, -0.0004738776, -0.0001484080, 0.0008466163},
    {0.0118227427, -0.0133909393, -0.0008571802, -0.0007250784},
};
static const double expected_bias[LABELS] = {-1.5556506343, -0.2660278671,
                                             1.8216785014};
static const double expected_loss = 0.4779470513;
static const double fixture_l2 = 0.01;

static float features[ROWS][COLUMNS];
static uint32_t targets[ROWS];
static float weights[ROWS];
static tiny_host host;
static ins_error error;

/* make_rows of make_head_fixture.py */
static ins_head_rows
make_rows(void)
{
    uint32_t state = 12345;

    for (uint32_t i = 0; i < ROWS; i++) {
        int numbers[COLUMNS + 1];
        float score;

        for (int j = 0; j <= COLUMNS; j++) {
            state = (state * 1103515245u + 12345u) & 0x7FFFFFFFu;
            numbers[j] = (int) ((state >> 16) % 256) - 128;
            if (j < COLUMNS)
                features[i][j] = (float) (numbers[j] * (j + 1) + 100 * j);
        }
        score = features[i][0] - features[i][1] + 100 + (float) numbers[4];
        targets[i] = score < -60 ? 0 : score < 60 ? 1 : 2;
        weights[i] = (float) (1 + i % 3);
    }
    return (ins_head_rows){
        .features = features[0],
        .count = ROWS,
        .columns = COLUMNS,
        .labels = LABELS,
        .targets = targets,
        .weights = weights,
    };
}

static ins_head_options
make_options(uint32_t units, double l2)
{
    return (ins_head_options){
        .units = units, .l2 = l2, .iterations = 500, .seed = 1};
}

static ins_head
fit(const ins_head_rows *rows, const ins_head_options *options)
{
    ins_head head;

    if (ins_head_fit(&head, rows, options, &host.host, &error) != INS_OK)
        fail_msg("%s", error.message);
    return head;
}

static size_t
count_right(const ins_head *head, const ins_head_rows *rows)
{
    float *logits = calloc(rows->count * rows->labels, sizeof(float));
    size_t right = 0;

    assert_int_equal(ins_head_score(head, rows->features, rows->count, logits,
                                    &host.host, &error),
                     INS_OK);
    for (size_t i = 0; i < rows->count; i++)
        right += ins_best_label(logits + i * rows->labels, rows->labels) ==
                 rows->targets[i];
    free(logits);
    return right;
}

static void
close_head(ins_head *head)
{
    ins_head_close(head, &host.host);
    assert_int_equal(host.live_blocks, 0);
}

/* ---- solutions ----------------------------------------------------------- */

static void
assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9f instead of %.9f", value, expected);
}

static void
test_logistic_is_the_optimum(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, fixture_l2);
    ins_head head = fit(&rows, &options);
    double mean = 0;

    (void) state;
    for (int i = 0; i < LABELS; i++) {
        mean += (double) head.out_bias[i] / LABELS;
        for (int j = 0; j < COLUMNS; j++)
            assert_near((double) head.out[i * COLUMNS + j], expected_out[i][j],
                        2e-6);
    }
    for (int i = 0; i < LABELS; i++)
        assert_near((double) head.out_bias[i] - mean, expected_bias[i], 5e-4);
    assert_near(head.loss, expected_loss, 1e-7);
    close_head(&head);
}

/* A loss over the fixture's rows, with weights to look at. */
static void
open_loss(ins_head_loss *loss, const ins_head_rows *rows, uint32_t units)
{
    assert_int_equal(
        ins_head_loss_open(loss, rows, NULL, units, &host.host, &error),
        INS_OK);
    loss->l2 = 0.1;
}

static double
evaluate(ins_head_loss *loss, const float *x, float *gradient)
{
    double value;

    assert_int_equal(ins_head_loss_evaluate(loss, x, gradient, &value, &error),
                     INS_OK);
    return value;
}

#define MAX_WEIGHTS 100

/* The gradient against central differences. */
static void
compare_gradient(const ins_head_rows *rows, uint32_t units)
{
    ins_head_loss loss;
    uint64_t count = ins_head_find_places(rows, units).count;
    float x[MAX_WEIGHTS];
    float gradient[MAX_WEIGHTS];
    float unused[MAX_WEIGHTS];

    assert_true(count <= MAX_WEIGHTS);
    open_loss(&loss, rows, units);
    for (uint64_t i = 0; i < count; i++)
        x[i] = (float) ((int) (i * 37 % 21) - 10) / 20;
    evaluate(&loss, x, gradient);
    for (uint64_t i = 0; i < count; i++) {
        float kept = x[i];
        double above;
        double below;

        x[i] = kept + 0.01f;
        above = evaluate(&loss, x, unused);
        x[i] = kept - 0.01f;
        below = evaluate(&loss, x, unused);
        x[i] = kept;
        assert_near((double) gradient[i], (above - below) / 0.02, 2e-4);
    }
    ins_head_loss_close(&loss);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_gradient_of_softmax(void **state)
{
    ins_head_rows rows = make_rows();

    (void) state;
    compare_gradient(&rows, 0);
    compare_gradient(&rows, 5);
}

/* From none to three words in a row, of three rows of a table. */
static void
test_gradient_of_words(void **state)
{
    uint32_t words[3 * ROWS];
    uint64_t starts[ROWS + 1] = {0};
    const ins_head_words of_rows = {words, starts, 3, 1.5f};
    ins_head_rows rows = make_rows();

    (void) state;
    for (uint32_t i = 0; i < 3 * ROWS; i++)
        words[i] = i * 7 % 11 % 3;
    for (uint32_t i = 0; i < ROWS; i++)
        starts[i + 1] = starts[i] + i % 4;
    rows.words = &of_rows;
    compare_gradient(&rows, 0);
    compare_gradient(&rows, 5);
}

static uint8_t marks[ROWS][LABELS];

static ins_head_rows
make_marked_rows(void)
{
    ins_head_rows rows = make_rows();

    for (uint32_t i = 0; i < ROWS; i++) {
        marks[i][0] = features[i][0] > 0;
        marks[i][1] = features[i][1] > 100;
        marks[i][2] = i % 3 == 0;
    }
    rows.targets = NULL;
    rows.marks = marks[0];
    return rows;
}

static void
test_gradient_of_sigmoids(void **state)
{
    ins_head_rows rows = make_marked_rows();

    (void) state;
    compare_gradient(&rows, 0);
    compare_gradient(&rows, 5);
}

static void
test_several_labels_are_learned(void **state)
{
    ins_head_rows rows = make_marked_rows();
    ins_head_options options = make_options(0, 1e-4);
    ins_head head = fit(&rows, &options);
    float logits[ROWS][LABELS];
    int wrong = 0;

    (void) state;
    assert_int_equal(
        ins_head_score(&head, features[0], ROWS, logits[0], &host.host, &error),
        INS_OK);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 2; j++)
            wrong += (logits[i][j] > 0) != marks[i][j];
    assert_true(wrong <= 4);
    close_head(&head);
}

static void
test_weights_are_repetitions(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, fixture_l2);
    static float repeated[3 * ROWS][COLUMNS];
    static uint32_t repeated_targets[3 * ROWS];
    ins_head weighted = fit(&rows, &options);
    ins_head plain;
    size_t count = 0;

    (void) state;
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t n = 0; n < 1 + i % 3; n++) {
            memcpy(repeated[count], features[i], sizeof(features[i]));
            repeated_targets[count++] = targets[i];
        }
    rows.features = repeated[0];
    rows.targets = repeated_targets;
    rows.count = count;
    rows.weights = NULL;
    plain = fit(&rows, &options);
    /* Not equal: repetitions also move the deviations that l2 is taken by. */
    for (int i = 0; i < LABELS * COLUMNS; i++)
        assert_near((double) plain.out[i], (double) weighted.out[i], 5e-4);
    ins_head_close(&weighted, &host.host);
    close_head(&plain);
}

static void
test_network_learns_xor(void **state)
{
    static const float corners[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const uint32_t is_odd[4] = {0, 1, 1, 0};
    ins_head_rows rows = {.features = corners[0],
                          .count = 4,
                          .columns = 2,
                          .labels = 2,
                          .targets = is_odd};
    ins_head_options options = make_options(8, 1e-5);
    ins_head head = fit(&rows, &options);

    (void) state;
    assert_int_equal(count_right(&head, &rows), 4);
    assert_true(head.loss < 0.05);
    close_head(&head);
    /* What no line can part. */
    options.units = 0;
    head = fit(&rows, &options);
    assert_near(head.loss, 0.6931471806, 1e-6);
    close_head(&head);
}

/* ---- rows that a table may have ------------------------------------------ */

static void
test_constant_features_get_no_weight(void **state)
{
    ins_head_rows rows = make_rows();

    (void) state;
    for (uint32_t i = 0; i < ROWS; i++)
        features[i][2] = 16777.3f;
    for (uint32_t units = 0; units <= 4; units += 4) {
        ins_head_options options = make_options(units, 0);
        ins_head head = fit(&rows, &options);
        const float *first = units > 0 ? head.dense : head.out;

        for (uint32_t i = 0; i < (units > 0 ? units : LABELS); i++)
            assert_true(first[i * COLUMNS + 2] == 0);
        assert_true(isfinite(head.loss));
        close_head(&head);
    }
}

static void
test_only_constant_features(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, 0);
    ins_head head;

    (void) state;
    memset(features, 0, sizeof(features));
    head = fit(&rows, &options);
    assert_true(isfinite(head.loss));
    close_head(&head);
}

/* The optimum lies at infinity. */
static void
test_separable_rows_end(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, 0);

    (void) state;
    rows.labels = 2;
    for (uint32_t i = 0; i < ROWS; i++)
        targets[i] = features[i][0] > 0;
    for (uint32_t units = 0; units <= 4; units += 4) {
        ins_head head;

        options.units = units;
        head = fit(&rows, &options);
        assert_int_equal(count_right(&head, &rows), ROWS);
        assert_true(head.loss < 1e-2);
        close_head(&head);
    }
}

static void
test_scales_do_not_matter(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, fixture_l2);
    ins_head head;

    (void) state;
    for (uint32_t i = 0; i < ROWS; i++) {
        features[i][0] *= 1e12f;
        features[i][1] *= 1e-12f;
    }
    head = fit(&rows, &options);
    assert_near(head.loss, expected_loss, 1e-6);
    close_head(&head);
}

static void
test_one_row_per_label(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, 1e-6);
    ins_head head;

    (void) state;
    for (uint32_t i = 0; i < ROWS; i++)
        targets[i] = i;
    rows.labels = ROWS;
    rows.weights = NULL;
    head = fit(&rows, &options);
    /* Four features cannot part all of them. */
    assert_true(count_right(&head, &rows) > ROWS / 2);
    close_head(&head);
}

static void
test_many_labels(void **state)
{
    const uint32_t labels = 10000;
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, 1e-3);
    ins_head head;

    (void) state;
    for (uint32_t i = 0; i < ROWS; i++)
        targets[i] = i * 49;
    rows.labels = labels;
    options.iterations = 5;
    head = fit(&rows, &options);
    assert_int_equal(head.labels, labels);
    assert_true(head.loss < log(labels));
    close_head(&head);
}

static void
test_values_must_be_finite(void **state)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    ins_head_options options = make_options(0, 0.1);

    (void) state;
    for (int i = 0; i < 3; i++) {
        ins_head_rows rows = make_rows();
        ins_head head;

        features[77][2] = values[i];
        assert_int_equal(
            ins_head_fit(&head, &rows, &options, &host.host, &error),
            INS_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "feature 3 has a value that is not finite");
        close_head(&head);
    }
}

static void
test_no_rows(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, 0.1);
    ins_head head;

    (void) state;
    rows.count = 0;
    assert_int_equal(ins_head_fit(&head, &rows, &options, &host.host, &error),
                     INS_INVALID_ARGUMENT);
    close_head(&head);
    rows.count = ROWS;
    memset(weights, 0, sizeof(weights));
    assert_int_equal(ins_head_fit(&head, &rows, &options, &host.host, &error),
                     INS_INVALID_ARGUMENT);
    close_head(&head);
}

/* ---- the contract -------------------------------------------------------- */

static void
test_equal_seeds_give_equal_bits(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(6, fixture_l2);
    ins_head first = fit(&rows, &options);
    ins_head second = fit(&rows, &options);
    size_t bytes = 6 * COLUMNS * sizeof(float);
    ins_head other;

    (void) state;
    options.seed++;
    other = fit(&rows, &options);
    assert_memory_equal(first.dense, second.dense, bytes);
    assert_memory_equal(first.out, second.out, 6 * LABELS * sizeof(float));
    assert_true(memcmp(first.dense, other.dense, bytes) != 0);
    ins_head_close(&first, &host.host);
    ins_head_close(&second, &host.host);
    close_head(&other);
}

static void
test_memory_is_what_was_said(void **state)
{
    ins_head_rows rows = make_rows();

    (void) state;
    for (uint32_t units = 0; units <= 6; units += 6) {
        ins_head_options options = make_options(units, fixture_l2);
        uint64_t said = ins_head_fit_bytes(&rows, units);
        ins_head head;

        tiny_host_open(&host);
        head = fit(&rows, &options);
        assert_true(host.peak_bytes <= said + 64);
        assert_true(host.peak_bytes > said / 2);
        close_head(&head);
    }
}

static void
test_every_poll_can_cancel(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(3, fixture_l2);
    size_t n = 0;
    ins_status status;

    (void) state;
    options.iterations = 3;
    do {
        ins_head head;

        n++;
        host.polls = 0;
        host.cancel_at = n;
        status = ins_head_fit(&head, &rows, &options, &host.host, &error);
        assert_true(status == INS_OK || status == INS_CANCELLED);
        close_head(&head);
    } while (status != INS_OK);
    host.cancel_at = 0;
    assert_true(n > 40);
}

static void
count_iteration(void *user, uint32_t iteration, double loss)
{
    uint32_t *last = user;

    assert_int_equal(iteration, *last + 1);
    assert_true(isfinite(loss));
    *last = iteration;
}

static void
test_progress_is_told(void **state)
{
    ins_head_rows rows = make_rows();
    ins_head_options options = make_options(0, fixture_l2);
    uint32_t last = 0;
    ins_head head;

    (void) state;
    options.progress = count_iteration;
    options.progress_user = &last;
    head = fit(&rows, &options);
    assert_true(last >= 5 && last < 100);
    close_head(&head);
}

static int
set_up(void **state)
{
    (void) state;
    tiny_host_open(&host);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

/* Eight million weights take longer than a host waits: each pass over them
 * polls, of the start, the gradient, its penalty and the result. */
static void
test_many_weights_poll(void **state)
{
    enum { MANY_LABELS = 4096, MANY_COLUMNS = 2048 };
    float *two_rows = calloc(2, MANY_COLUMNS * sizeof(float));
    const uint32_t labels[2] = {0, MANY_LABELS - 1};
    const ins_head_rows rows = {.features = two_rows,
                                .count = 2,
                                .columns = MANY_COLUMNS,
                                .labels = MANY_LABELS,
                                .targets = labels};
    const ins_head_options options = {.iterations = 0};
    ins_head head;
    size_t polls;

    (void) state;
    assert_non_null(two_rows);
    two_rows[0] = 1;
    tiny_host_open(&host);
    assert_int_equal(ins_head_fit(&head, &rows, &options, &host.host, NULL),
                     INS_OK);
    ins_head_close(&head, &host.host);
    polls = host.polls;
    assert_true(polls >= 20);
    /* At every third, since each begins anew. */
    for (size_t i = 1; i <= polls; i += 3) {
        host.polls = 0;
        host.cancel_at = i;
        assert_int_equal(ins_head_fit(&head, &rows, &options, &host.host, NULL),
                         INS_CANCELLED);
        ins_head_close(&head, &host.host);
        assert_int_equal(host.live_blocks, 0);
    }
    free(two_rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_logistic_is_the_optimum),
        TEST(test_gradient_of_softmax),
        TEST(test_gradient_of_words),
        TEST(test_gradient_of_sigmoids),
        TEST(test_several_labels_are_learned),
        TEST(test_weights_are_repetitions),
        TEST(test_network_learns_xor),
        TEST(test_constant_features_get_no_weight),
        TEST(test_only_constant_features),
        TEST(test_separable_rows_end),
        TEST(test_scales_do_not_matter),
        TEST(test_one_row_per_label),
        TEST(test_many_labels),
        TEST(test_values_must_be_finite),
        TEST(test_no_rows),
        TEST(test_equal_seeds_give_equal_bits),
        TEST(test_memory_is_what_was_said),
        TEST(test_every_poll_can_cancel),
        TEST(test_progress_is_told),
        cmocka_unit_test(test_many_weights_poll),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
