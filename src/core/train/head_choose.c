/*
 * head_choose.c - chooses a head's kind and penalty by cross-validation.
 *
 * Within a fold each fit starts from the one before: that takes a few
 * iterations instead of many.  The penalties fall for logistic regression, and
 * rise for a network, whose weights a large penalty would bring to zero, where
 * the gradient is zero too.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/head_choose.h"

#include <math.h>

#include "base/checked.h"
#include "train/folds.h"
#include "train/lbfgs.h"

#define FIT_ITERATIONS 500
#define FOLD_TOLERANCE 5e-4

#define DEFAULT_PENALTY 1e-3
#define MAX_PENALTIES   5
/* Of a single kind of head: logistic regression, then a network. */
#define KINDS 2

struct penalties {
    double values[MAX_PENALTIES];
    uint32_t count;
    uint32_t iterations;
};

static const struct penalties of_kinds[KINDS] = {
    {{1e-1, 1e-2, 1e-3, 1e-4, 1e-5}, 5, 60},
    {{1e-4, 1e-3, 1e-2}, 3, 120},
};

struct choosing {
    const ins_head_rows *rows;
    const ins_head_wish *wish;
    const ins_host *host;
    ins_error *error;
    ins_folds folds;
    struct penalties penalties[KINDS]; /* none of a kind not tried */
    uint32_t step;
    ins_head_measure measures[KINDS][MAX_PENALTIES]; /* over all folds */
};

static void
plan(struct choosing *choosing)
{
    const ins_head_wish *wish = choosing->wish;

    for (int kind = 0; kind < KINDS; kind++) {
        struct penalties *penalties = &choosing->penalties[kind];

        if (wish->head != INS_HEAD_AUTO &&
            (kind == 0) != (wish->head == INS_HEAD_LOGISTIC))
            continue;
        *penalties = of_kinds[kind];
        if (wish->l2 >= 0) {
            penalties->values[0] = wish->l2;
            penalties->count = 1;
        }
    }
}

static uint32_t
units_of(const ins_head_wish *wish, int kind)
{
    return kind == 0 ? 0 : wish->units;
}

static void
tell_step(struct choosing *choosing)
{
    const ins_head_wish *wish = choosing->wish;
    uint32_t steps =
        choosing->folds.fold_count *
        (choosing->penalties[0].count + choosing->penalties[1].count);

    choosing->step++;
    if (wish->progress != NULL)
        wish->progress(wish->progress_user, choosing->step, steps);
}

/* All penalties on one fold. */
static ins_status
walk_penalties(struct choosing *choosing, ins_head_loss *loss, int kind,
               const ins_head_part *held, float *weights)
{
    const struct penalties *penalties = &choosing->penalties[kind];
    const ins_head_options options = {.iterations = penalties->iterations,
                                      .tolerance = FOLD_TOLERANCE};
    double value;

    INS_TRY(ins_head_loss_start(loss, choosing->wish->seed, weights,
                                choosing->error));
    for (uint32_t i = 0; i < penalties->count; i++) {
        loss->l2 = penalties->values[i];
        INS_TRY(ins_head_loss_minimise(loss, &options, weights, &value,
                                       choosing->error));
        INS_TRY(ins_head_loss_measure(loss, weights, held,
                                      &choosing->measures[kind][i],
                                      choosing->error));
        tell_step(choosing);
    }
    return INS_OK;
}

static ins_status
try_fold(struct choosing *choosing, uint32_t fold, int kind)
{
    const ins_host *host = choosing->host;
    uint32_t units = units_of(choosing->wish, kind);
    ins_head_part train;
    ins_head_part held;
    ins_head_loss loss;
    void *weights = NULL;
    ins_status status;

    ins_folds_cut(&choosing->folds, fold, &train, &held);
    if (train.count == 0 || held.count == 0)
        return INS_OK;
    status = ins_head_loss_open(&loss, choosing->rows, &train, units, host,
                                choosing->error);
    if (status == INS_OK)
        status =
            ins_alloc(host, ins_head_find_places(choosing->rows, units).count,
                      sizeof(float), &weights, choosing->error);
    if (status == INS_OK)
        status = walk_penalties(choosing, &loss, kind, &held, weights);
    ins_release(host, weights);
    ins_head_loss_close(&loss);
    return status;
}

static ins_status
try_all(struct choosing *choosing)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (uint32_t fold = 0; fold < choosing->folds.fold_count; fold++)
            if (choosing->penalties[kind].count > 0)
                INS_TRY(try_fold(choosing, fold, kind));
    return INS_OK;
}

/* ---- the best ------------------------------------------------------------ */

/* Mean loss of a choice; infinite where nothing was measured. */
static double
mean_loss(const ins_head_measure *measure)
{
    double loss = measure->loss / measure->weight;

    return measure->weight > 0 && isfinite(loss) ? loss : INFINITY;
}

/* The lowest loss and its standard error, with weights that are 1 on the
 * average. */
static double
find_limit(const struct choosing *choosing)
{
    double lowest = INFINITY;
    double limit = INFINITY;

    for (int kind = 0; kind < KINDS; kind++) {
        for (uint32_t i = 0; i < choosing->penalties[kind].count; i++) {
            const ins_head_measure *measure = &choosing->measures[kind][i];
            double loss = mean_loss(measure);
            double variance = measure->squares / measure->weight - loss * loss;

            if (!(loss < lowest))
                continue;
            lowest = loss;
            limit = loss + sqrt(variance > 0 ? variance / measure->weight : 0);
        }
    }
    return limit;
}

/* The simplest head within the limit: logistic regression before a network,
 * then the largest penalty. */
static void
take_best(const struct choosing *choosing, ins_head_options *options,
          ins_head_choice_result *result)
{
    double limit = find_limit(choosing);
    double largest = -1;

    for (int kind = 0; kind < KINDS && largest < 0; kind++) {
        for (uint32_t i = 0; i < choosing->penalties[kind].count; i++) {
            const ins_head_measure *measure = &choosing->measures[kind][i];
            double l2 = choosing->penalties[kind].values[i];

            /* An infinite limit: nothing was measured. */
            if (!(mean_loss(measure) <= limit) || isinf(limit) || l2 < largest)
                continue;
            largest = l2;
            options->units = units_of(choosing->wish, kind);
            options->l2 = l2;
            result->loss = mean_loss(measure);
            result->accuracy = measure->accuracy / measure->weight;
        }
    }
}

/* What is fitted where no row can be held back. */
static void
take_default(ins_head_options *options, const ins_head_wish *wish)
{
    options->units = wish->head == INS_HEAD_NETWORK ? wish->units : 0;
    options->l2 = wish->l2 >= 0 ? wish->l2 : DEFAULT_PENALTY;
    options->iterations = FIT_ITERATIONS;
    options->tolerance = 0;
    options->seed = wish->seed;
}

ins_status
ins_head_choose(ins_head_options *options, ins_head_choice_result *result,
                const ins_head_rows *rows, const ins_head_wish *wish,
                const ins_host *host, ins_error *error)
{
    ins_head_choice_result unused;
    struct choosing choosing = {
        .rows = rows,
        .wish = wish,
        .host = host,
        .error = error,
    };
    ins_status status;

    result = result != NULL ? result : &unused;
    *result = (ins_head_choice_result){NAN, NAN};
    take_default(options, wish);
    if (wish->l2 >= 0 && wish->head != INS_HEAD_AUTO)
        return INS_OK;
    plan(&choosing);
    status = ins_folds_open(&choosing.folds, rows, wish->folds, wish->seed,
                            host, error);
    if (status == INS_OK)
        status = try_all(&choosing);
    if (status == INS_OK)
        take_best(&choosing, options, result);
    ins_folds_close(&choosing.folds, host);
    return status;
}

uint64_t
ins_head_choose_bytes(const ins_head_rows *rows, const ins_head_wish *wish)
{
    uint32_t units = wish->head == INS_HEAD_LOGISTIC ? 0 : wish->units;
    uint64_t logistic =
        wish->head == INS_HEAD_NETWORK ? 0 : ins_head_fit_bytes(rows, 0);
    uint64_t network = ins_head_fit_bytes(rows, units);
    uint64_t most = logistic > network ? logistic : network;
    uint64_t bytes;

    if (!ins_add_u64(most, ins_folds_bytes(rows), &bytes))
        return UINT64_MAX;
    return bytes;
}
