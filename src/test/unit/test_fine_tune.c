/*
 * test_fine_tune.c - a tiny encoder learns a toy task; equal runs give equal
 * bytes; every cancellation and failed allocation comes back as a status.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pack/pack_shape.h"
#include "train/sampling.h"
#include "train/tuned_pack.h"
#include "unit/tuning_fixture.h"

#define SENTENCE   TINY_SENTENCE
#define CLASSIFIER TINY_CLASSIFIER

/* Tunes with a host of its own; the caller closes *tuned. */
static void
tune(const tuning_fixture *fixture, tiny_host *host, ins_parameters **tuned,
     ins_fine_tune_figures *figures)
{
    ins_error error = {.status = INS_OK};

    tiny_host_open(host);
    if (tuning_run(fixture, &host->host, tuned, figures, &error) != INS_OK)
        fail_msg("%s | %s", error.message, error.detail);
}

/* How many rows the tuned model gets right, through its pack. */
static size_t
count_right(const tuning_fixture *fixture, const ins_parameters *tuned)
{
    static const uint32_t ends[] = {1, 2, 3, 4};
    const ins_row_labels *labels = &fixture->rows.labels;
    const ins_string_table names = {ends, "abcd", labels->labels};
    uint32_t order[TUNING_MAX_ROWS];
    ins_network_options limits;
    ins_parameters *again;
    ins_tune_score score = {.rows = 0};
    ins_batch_rows batch = {order, (uint32_t) labels->count};
    ins_pack_view view;
    ins_error error;
    ins_tuner tuner;
    void *pack;
    size_t size;

    assert_int_equal(ins_tuned_pack(&(ins_tuned_model){.parameters = tuned,
                                                       .base = &fixture->base,
                                                       .labels = &names},
                                    1 << 24, &pack, &size, &error),
                     INS_OK);
    assert_int_equal(ins_pack_check(pack, size, &tuned->host, &error), INS_OK);
    assert_int_equal(ins_pack_read(&view, pack, size, &error), INS_OK);
    assert_int_equal(
        ins_parameters_open(&again, view.recipe, &tuned->host, &error), INS_OK);
    assert_int_equal(ins_parameters_read(again, &view, &error), INS_OK);
    limits = ins_tuner_limits(ins_tune_longest(&fixture->rows), 16);
    assert_int_equal(ins_tuner_open(&tuner, &fixture->rows, again, &limits,
                                    &tuned->host, &error),
                     INS_OK);
    for (uint32_t i = 0; i < batch.count; i++)
        order[i] = i;
    assert_int_equal(ins_tuner_measure(&tuner, &batch, &score, &error), INS_OK);
    assert_int_equal(score.rows, labels->count);
    ins_tuner_close(&tuner, &tuned->host);
    ins_parameters_close(again);
    tuned->host.release(tuned->host.user, pack);
    return (size_t) score.right;
}

/* Learns the task in full, and says so. */
static void
check_learns(tuning_fixture *fixture)
{
    ins_fine_tune_figures figures;
    ins_parameters *tuned;
    tiny_host host;

    tune(fixture, &host, &tuned, &figures);
    assert_int_equal(count_right(fixture, tuned), fixture->rows.labels.count);
    assert_int_equal(figures.epochs, fixture->options.epochs);
    assert_true(figures.held_accuracy == 1);
    assert_true(figures.held_loss < 0.2 && figures.loss < 0.2);
    assert_in_range(figures.held_rows, 40, 60);
    assert_true(host.live_blocks > 0);
    ins_parameters_close(tuned);
    assert_int_equal(host.live_blocks, 0);
    tuning_close(fixture);
}

static void
test_learns_pooled(void **state)
{
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, SENTENCE, 240, 4, false);
    assert_true(fixture.recipe.flags & INS_RECIPE_HEAD_POOLED);
    check_learns(&fixture);
}

/* A base with a head of its own, first token and dense layer. */
static void
test_learns_first_token(void **state)
{
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, CLASSIFIER, 240, 4, false);
    assert_false(fixture.recipe.flags & INS_RECIPE_HEAD_POOLED);
    assert_true(fixture.recipe.flags & INS_RECIPE_HEAD_DENSE);
    check_learns(&fixture);
}

static void
test_learns_several_labels(void **state)
{
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, TINY_DISTILBERT | SENTENCE, 256, 3, true);
    fixture.options.epochs = 25;
    check_learns(&fixture);
}

/* With dropout, several passes per batch and no rows held back. */
static void
test_learns_without_held(void **state)
{
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 200, 2, false);
    fixture.options.validation = 0;
    fixture.options.dropout = 0.1;
    fixture.options.batch_size = 150;
    fixture.options.epochs = 40;
    tune(&fixture, &host, &tuned, &figures);
    assert_int_equal(count_right(&fixture, tuned), 200);
    assert_int_equal(figures.best, 40);
    assert_true(isnan(figures.held_loss) && isnan(figures.held_accuracy));
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* Nothing tells the rows apart but rounding, which differs from one place in a
 * batch to another: no weight may grow on that. */
static void
test_equal_texts(void **state)
{
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    for (size_t count = 2; count <= 64; count = 2 * count + 1) {
        double share = (double) (count / 2) / (double) count;
        double best = -share * log(share) - (1 - share) * log(1 - share);

        tuning_open(&fixture, SENTENCE, count, 2, false);
        for (size_t i = 1; i < count; i++) {
            memcpy(fixture.ids + i * fixture.starts[1], fixture.ids,
                   fixture.starts[1] * sizeof(int32_t));
            fixture.starts[i + 1] = (i + 1) * fixture.starts[1];
        }
        fixture.options.validation = 0;
        fixture.options.learning_rate = 0;
        fixture.options.epochs = 1;
        tune(&fixture, &host, &tuned, &figures);
        print_message("%zu equal texts: loss %g, %g is best\n", count,
                      figures.loss, best);
        assert_true(fabs(figures.loss - best) < 1e-4);
        ins_parameters_close(tuned);
        tuning_close(&fixture);
    }
}

/* ---- the mean of weights ------------------------------------------------- */

static ins_parameters *
tune_once(tuning_fixture *fixture, double averaging, float share, double rate,
          tiny_host *host)
{
    ins_fine_tune_figures figures;
    ins_parameters *tuned;

    fixture->options.averaging = averaging;
    fixture->options.base_share = (double) share;
    fixture->options.learning_rate = rate;
    tune(fixture, host, &tuned, &figures);
    return tuned;
}

/* found: that share of the way between the two, which is not short. */
static void
check_on_the_way(const ins_parameters *from, const ins_parameters *to,
                 float share, const ins_parameters *found)
{
    uint64_t moved = 0;

    for (uint64_t k = 0; k < found->count; k++) {
        float way = to->values[k] - from->values[k];
        float expected = from->values[k] + share * way;

        moved += fabsf(way) > 1e-3f;
        assert_true(fabsf(found->values[k] - expected) < 1e-6f);
    }
    assert_true(moved > found->count / 4);
}

/* By the number of weights that share in it: after one step two, the base's
 * with the fitted head and the step's. */
static void
test_mean_of_one_step(void **state)
{
    static const struct {
        double averaging;
        float share; /* of the step */
    } cases[] = {{1, 1}, {5, 0.5f}, {1.25, 0.8f}, {0.01, 1}};
    ins_parameters *first, *last;
    tiny_host hosts[2];
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, SENTENCE, 8, 2, false);
    fixture.options.batch_size = 16;
    fixture.options.epochs = 1;
    fixture.options.validation = 0;
    first = tune_once(&fixture, 0, 0, 0, &hosts[0]);
    last = tune_once(&fixture, 0, 0, 1e-2, &hosts[1]);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tiny_host host;
        ins_parameters *mean =
            tune_once(&fixture, cases[i].averaging, 0, 1e-2, &host);

        check_on_the_way(first, last, cases[i].share, mean);
        ins_parameters_close(mean);
    }
    ins_parameters_close(first);
    ins_parameters_close(last);
    tuning_close(&fixture);
}

/* A share of the base's weights with the fitted head, the rest of what there
 * would be without it. */
static void
test_share_of_base(void **state)
{
    static const struct {
        double averaging;
        float share;
    } cases[] = {{0, 0.25f}, {1, 0.25f}, {1, 0.9f}};
    ins_parameters *first;
    tiny_host first_host;
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, SENTENCE, 24, 2, false);
    fixture.options.batch_size = 8;
    fixture.options.epochs = 2;
    fixture.options.validation = 0;
    first = tune_once(&fixture, 0, 0, 0, &first_host);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tiny_host hosts[2];
        ins_parameters *whole, *mixed;

        whole = tune_once(&fixture, cases[i].averaging, 0, 1e-2, &hosts[0]);
        mixed = tune_once(&fixture, cases[i].averaging, cases[i].share, 1e-2,
                          &hosts[1]);
        check_on_the_way(whole, first, cases[i].share, mixed);
        ins_parameters_close(whole);
        ins_parameters_close(mixed);
    }
    ins_parameters_close(first);
    tuning_close(&fixture);
}

/* What is measured on held-back rows is what is given back. */
static void
test_mean_is_measured(void **state)
{
    ins_tune_score score = {.rows = 0};
    ins_fine_tune_figures figures;
    ins_network_options limits;
    ins_batch_rows batch;
    uint32_t order[TUNING_MAX_ROWS];
    tuning_fixture fixture;
    ins_parameters *tuned;
    ins_tuner tuner;
    ins_error error;
    tiny_host host;
    uint64_t random;
    size_t held;

    (void) state;
    tuning_open(&fixture, SENTENCE, 60, 3, false);
    fixture.options.epochs = 3;
    fixture.options.learning_rate = 1e-3;
    fixture.options.averaging = 2;
    fixture.options.base_share = 0.25;
    tune(&fixture, &host, &tuned, &figures);
    random = fixture.options.seed;
    assert_int_equal(ins_hold_back(&fixture.rows.labels,
                                   fixture.options.validation, &random, order,
                                   &held, &host.host, &error),
                     INS_OK);
    batch = (ins_batch_rows){order + 60 - held, (uint32_t) held};
    limits = ins_tuner_limits(ins_tune_longest(&fixture.rows), 60);
    assert_int_equal(ins_tuner_open(&tuner, &fixture.rows, tuned, &limits,
                                    &host.host, &error),
                     INS_OK);
    assert_int_equal(ins_tuner_measure(&tuner, &batch, &score, &error), INS_OK);
    assert_true(fabs(score.loss / score.weight - figures.held_loss) < 1e-5);
    ins_tuner_close(&tuner, &host.host);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* ---- what stays ---------------------------------------------------------- */

static void
test_frozen_layers_stay(void **state)
{
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, SENTENCE | TINY_LEXICAL, 40, 2, false);
    fixture.options.epochs = 2;
    for (uint32_t frozen = 0; frozen <= 3; frozen++) {
        ins_fine_tune_figures figures;
        ins_parameters *tuned;
        ins_parameters *base;
        ins_error error;
        tiny_host host;

        fixture.options.freeze_layers = frozen;
        fixture.options.validation = 0;
        tune(&fixture, &host, &tuned, &figures);
        assert_int_equal(
            ins_parameters_open(&base, &fixture.recipe, &host.host, &error),
            INS_OK);
        assert_int_equal(ins_parameters_read(base, &fixture.base, &error),
                         INS_OK);
        for (uint32_t i = 0; i < tuned->tensor_count; i++) {
            const ins_parameter *tensor = &tuned->tensors[i];
            bool is_head = ins_pack_is_head(tensor->role);
            bool is_front = tensor->role < INS_ROLE_QKV;
            bool is_fixed = tensor->role == INS_ROLE_LEXICAL;
            bool moves =
                !is_fixed &&
                (is_head || (is_front ? frozen == 0 : tensor->layer >= frozen));
            size_t bytes =
                (size_t) tensor->rows * tensor->columns * sizeof(float);

            assert_true((memcmp(tensor->values, base->tensors[i].values,
                                bytes) != 0) == moves);
        }
        ins_parameters_close(base);
        ins_parameters_close(tuned);
    }
    tuning_close(&fixture);
}

/* A row of weight 0 teaches nothing: wrong labels do no harm. */
static void
test_weights(void **state)
{
    static float weights[TUNING_MAX_ROWS];
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 240, 2, false);
    fixture.rows.weights = weights;
    fixture.options.validation = 0;
    for (size_t i = 0; i < 240; i++) {
        weights[i] = i % 3 == 0 ? 0.0f : 2.0f;
        if (i % 3 == 0)
            fixture.targets[i] = 1 - fixture.targets[i];
    }
    tune(&fixture, &host, &tuned, &figures);
    assert_int_equal(count_right(&fixture, tuned), 160);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* ---- which epoch --------------------------------------------------------- */

/* All right from an early epoch on: the last one is kept. */
static void
test_last_of_equals(void **state)
{
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 240, 4, false);
    tune(&fixture, &host, &tuned, &figures);
    assert_true(figures.held_accuracy == 1);
    assert_int_equal(figures.best, fixture.options.epochs);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* A rate that spoils the encoder: what the fitted head could do is not lost. */
static void
test_worse_epochs(void **state)
{
    ins_fine_tune_figures before, after;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 240, 4, false);
    fixture.options.epochs = 2;
    fixture.options.learning_rate = 0;
    tune(&fixture, &host, &tuned, &before);
    ins_parameters_close(tuned);
    fixture.options.learning_rate = 0.9;
    fixture.options.warmup = 0;
    tune(&fixture, &host, &tuned, &after);
    print_message("accuracy %g before, %g of epoch %u\n", before.held_accuracy,
                  after.held_accuracy, after.best);
    assert_true(before.held_accuracy > 0.5);
    assert_int_equal(after.best, 0);
    assert_true(after.held_accuracy == before.held_accuracy);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* ---- stopping ------------------------------------------------------------ */

static void
test_patience(void **state)
{
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 60, 2, false);
    /* Nothing is learnt. */
    fixture.options.learning_rate = 0;
    fixture.options.epochs = 30;
    fixture.options.patience = 2;
    tune(&fixture, &host, &tuned, &figures);
    assert_int_equal(figures.epochs, 3);
    assert_int_equal(figures.best, 3); /* as good as the first */
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

static void
test_equal_runs(void **state)
{
    ins_parameters *tuned[3];
    tuning_fixture fixture;
    tiny_host host[3];

    (void) state;
    tuning_open(&fixture, SENTENCE, 60, 3, false);
    fixture.options.dropout = 0.2;
    fixture.options.token_dropout = 0.2;
    fixture.options.epochs = 3;
    for (size_t i = 0; i < 3; i++) {
        ins_fine_tune_figures figures;

        fixture.options.seed = i < 2 ? 5 : 6;
        tune(&fixture, &host[i], &tuned[i], &figures);
    }
    assert_memory_equal(tuned[0]->values, tuned[1]->values,
                        tuned[0]->count * sizeof(float));
    assert_memory_not_equal(tuned[0]->values, tuned[2]->values,
                            tuned[0]->count * sizeof(float));
    for (size_t i = 0; i < 3; i++)
        ins_parameters_close(tuned[i]);
    tuning_close(&fixture);
}

/* ---- progress ------------------------------------------------------------ */

struct watched {
    double fraction;
    uint32_t ended;
    size_t calls;
    bool embeds, fits, trains, validates;
};

static void
watch(void *user, const ins_training_progress *progress)
{
    struct watched *watched = user;

    assert_true(progress->fraction >= watched->fraction &&
                progress->fraction <= 1);
    assert_true(progress->step <= progress->steps);
    watched->fraction = progress->fraction;
    watched->calls++;
    watched->embeds |= strcmp(progress->phase, "embed") == 0;
    watched->fits |= strcmp(progress->phase, "fit") == 0;
    watched->trains |= strcmp(progress->phase, "train") == 0;
    watched->validates |= strcmp(progress->phase, "validate") == 0;
    if (progress->epoch_ended) {
        assert_int_equal(progress->epoch, ++watched->ended);
        assert_true(isfinite(progress->loss) && isfinite(progress->accuracy));
    }
}

static void
test_progress(void **state)
{
    struct watched watched = {.fraction = 0};
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 60, 3, false);
    fixture.options.progress = watch;
    fixture.options.progress_user = &watched;
    fixture.options.epochs = 4;
    tune(&fixture, &host, &tuned, &figures);
    assert_int_equal(watched.ended, 4);
    assert_true(watched.fraction == 1);
    assert_true(watched.embeds && watched.fits && watched.trains &&
                watched.validates);
    /* Told at each question whether to go on. */
    assert_true(watched.calls + 50 >= host.polls);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

/* ---- failures ------------------------------------------------------------ */

static ins_status
run_once(const tuning_fixture *fixture, tiny_host *host)
{
    ins_error error = {.status = INS_OK};
    ins_fine_tune_figures figures;
    ins_parameters *tuned;
    ins_status status =
        tuning_run(fixture, &host->host, &tuned, &figures, &error);

    assert_int_equal(error.status, status);
    assert_true((tuned != NULL) == (status == INS_OK));
    ins_parameters_close(tuned);
    assert_int_equal(host->live_blocks, 0);
    return status;
}

/* Every poll says stop in turn, in every phase. */
static void
test_cancel(void **state)
{
    tuning_fixture fixture;
    tiny_host host;
    size_t polls;

    (void) state;
    tuning_open(&fixture, SENTENCE, 12, 2, false);
    fixture.options.epochs = 1;
    tiny_host_open(&host);
    assert_int_equal(run_once(&fixture, &host), INS_OK);
    polls = host.polls;
    assert_true(polls > 100);
    for (size_t i = 1; i <= polls; i++) {
        tiny_host_open(&host);
        host.cancel_at = i;
        assert_int_equal(run_once(&fixture, &host), INS_CANCELLED);
        assert_int_equal(host.polls, i);
    }
    tuning_close(&fixture);
}

static void
test_no_memory(void **state)
{
    tuning_fixture fixture;
    tiny_host host;
    size_t calls;

    (void) state;
    tuning_open(&fixture, CLASSIFIER, 12, 3, true);
    fixture.options.epochs = 1;
    tiny_host_open(&host);
    assert_int_equal(run_once(&fixture, &host), INS_OK);
    calls = host.calls;
    assert_true(calls > 15);
    for (size_t i = 1; i <= calls; i++)
        for (int persistent = 0; persistent < 2; persistent++) {
            tiny_host_open(&host);
            host.fail_at = i;
            host.persistent = persistent == 1;
            assert_int_equal(run_once(&fixture, &host), INS_NO_MEMORY);
        }
    tuning_close(&fixture);
}

/* What ins_fine_tune_bytes says covers what is held at the height. */
struct meter {
    tiny_host *inner;
    size_t peak;
};

static void *
meter_alloc(void *user, size_t size)
{
    struct meter *meter = user;
    void *memory = meter->inner->host.alloc(meter->inner, size);

    if (meter->inner->live_bytes > meter->peak)
        meter->peak = meter->inner->live_bytes;
    return memory;
}

static void
meter_release(void *user, void *memory)
{
    struct meter *meter = user;

    meter->inner->host.release(meter->inner, memory);
}

static void
test_bytes(void **state)
{
    tuning_fixture fixture;

    (void) state;
    tuning_open(&fixture, SENTENCE, 256, 4, false);
    fixture.options.epochs = 1;
    fixture.options.averaging = 1;
    fixture.options.base_share = 0.25;
    for (uint32_t size = 1; size <= 64; size *= 8) {
        tiny_host inner;
        struct meter meter = {&inner, 0};
        ins_host host = {
            .user = &meter, .alloc = meter_alloc, .release = meter_release};
        ins_fine_tune_figures figures;
        ins_parameters *tuned;
        ins_error error;
        uint64_t promised;

        tiny_host_open(&inner);
        fixture.options.batch_size = size;
        promised = ins_fine_tune_bytes(&fixture.recipe, &fixture.options, 256,
                                       ins_tune_longest(&fixture.rows));
        assert_int_equal(tuning_run(&fixture, &host, &tuned, &figures, &error),
                         INS_OK);
        print_message("%zu of %zu bytes\n", meter.peak, (size_t) promised);
        assert_true(meter.peak <= promised + 65536);
        assert_true(promised <= 2 * meter.peak);
        ins_parameters_close(tuned);
    }
    tuning_close(&fixture);
}

static void
test_bad_rates(void **state)
{
    tuning_fixture fixture;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 40, 2, false);
    fixture.options.learning_rate = 1e30;
    tiny_host_open(&host);
    assert_int_equal(run_once(&fixture, &host), INS_INTERNAL);
    fixture.options.learning_rate = 1e-3;
    fixture.options.epochs = 0;
    assert_int_equal(run_once(&fixture, &host), INS_INVALID_ARGUMENT);
    fixture.options.epochs = 1;
    fixture.options.dropout = 1;
    assert_int_equal(run_once(&fixture, &host), INS_INVALID_ARGUMENT);
    fixture.options.dropout = 0;
    fixture.rows.labels.count = 0;
    assert_int_equal(run_once(&fixture, &host), INS_INVALID_ARGUMENT);
    tuning_close(&fixture);
}

/* One row, one label: there is nothing to hold back and nothing to lose. */
static void
test_one_row(void **state)
{
    ins_fine_tune_figures figures;
    tuning_fixture fixture;
    ins_parameters *tuned;
    tiny_host host;

    (void) state;
    tuning_open(&fixture, SENTENCE, 1, 1, false);
    fixture.options.validation = 0.5;
    tune(&fixture, &host, &tuned, &figures);
    assert_int_equal(figures.held_rows, 0);
    assert_true(figures.loss == 0);
    ins_parameters_close(tuned);
    tuning_close(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_pooled),
        cmocka_unit_test(test_learns_first_token),
        cmocka_unit_test(test_learns_several_labels),
        cmocka_unit_test(test_learns_without_held),
        cmocka_unit_test(test_equal_texts),
        cmocka_unit_test(test_mean_of_one_step),
        cmocka_unit_test(test_share_of_base),
        cmocka_unit_test(test_mean_is_measured),
        cmocka_unit_test(test_frozen_layers_stay),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_last_of_equals),
        cmocka_unit_test(test_worse_epochs),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_equal_runs),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bad_rates),
        cmocka_unit_test(test_one_row),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
