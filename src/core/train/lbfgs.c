/*
 * lbfgs.c - L-BFGS over floats; sums are taken in double.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/lbfgs.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"

#define MAX_PAIRS 10
#define MIN_PAIRS 3
/* More pairs than the fewest only while all of them take less. */
#define PAIRS_BYTES     ((uint64_t) 256 << 20)
#define VALUES_PER_POLL ((uint64_t) 1 << 22)
#define MAX_TRIALS      30
/* Of the weak Wolfe conditions (Nocedal & Wright 2006, section 3.1). */
#define SUFFICIENT_DECREASE 1e-4
#define CURVATURE           0.9
/* Near the minimum the loss falls by less than floats can show. */
#define LOSS_NOISE 1e-7

struct search {
    const ins_lbfgs_problem *problem;
    const ins_host *host;
    ins_error *error;
    uint64_t count;
    uint32_t pairs; /* room for */
    uint32_t stored;
    uint32_t next; /* place of the next pair */
    float *memory; /* holds all vectors, each [count] */
    float *x;      /* the caller's */
    float *gradient;
    float *direction;
    float *trial_x;
    float *trial_gradient;
    float *steps[MAX_PAIRS];   /* differences of x */
    float *changes[MAX_PAIRS]; /* ... and of the gradient */
    double products[MAX_PAIRS];
    double loss;
    double trial_loss;
};

static uint32_t
choose_pairs(uint64_t count)
{
    uint64_t fitting = PAIRS_BYTES / sizeof(float) / 2 / (count + 1);

    if (fitting > MAX_PAIRS)
        return MAX_PAIRS;
    return fitting < MIN_PAIRS ? MIN_PAIRS : (uint32_t) fitting;
}

uint64_t
ins_lbfgs_bytes(uint64_t count)
{
    uint64_t vectors = 4 + 2 * choose_pairs(count);
    uint64_t bytes;

    if (!ins_mul_u64(count, vectors * sizeof(float), &bytes))
        return UINT64_MAX;
    return bytes;
}

static ins_status
open_search(struct search *search)
{
    uint64_t count = search->count;
    uint64_t bytes = ins_lbfgs_bytes(count);
    void *memory;
    float *next;

    search->pairs = choose_pairs(count);
    INS_TRY(ins_alloc(search->host, bytes, 1, &memory, search->error));
    search->memory = next = memory;
    search->gradient = next;
    search->direction = next += count;
    search->trial_x = next += count;
    search->trial_gradient = next += count;
    for (uint32_t i = 0; i < search->pairs; i++) {
        search->steps[i] = next += count;
        search->changes[i] = next += count;
    }
    return INS_OK;
}

/* ---- vectors ------------------------------------------------------------- */

static uint64_t
end_of_slice(const struct search *search, uint64_t start)
{
    uint64_t left = search->count - start;

    return start + (left < VALUES_PER_POLL ? left : VALUES_PER_POLL);
}

static ins_status
take_product(struct search *search, const float *a, const float *b, double *sum)
{
    *sum = 0;
    for (uint64_t i = 0; i < search->count;) {
        uint64_t end = end_of_slice(search, i);
        double parts[4] = {0, 0, 0, 0};

        INS_TRY(ins_poll(search->host, search->error));
        for (; i + 4 <= end; i += 4)
            for (uint32_t j = 0; j < 4; j++)
                parts[j] += (double) a[i + j] * (double) b[i + j];
        for (; i < end; i++)
            parts[0] += (double) a[i] * (double) b[i];
        *sum += (parts[0] + parts[1]) + (parts[2] + parts[3]);
    }
    return INS_OK;
}

/* out = a + factor * b */
static ins_status
add_scaled(struct search *search, float *out, const float *a, double factor,
           const float *b)
{
    float scale = (float) factor;

    for (uint64_t i = 0; i < search->count;) {
        uint64_t end = end_of_slice(search, i);

        INS_TRY(ins_poll(search->host, search->error));
        for (; i < end; i++)
            out[i] = a[i] + scale * b[i];
    }
    return INS_OK;
}

static ins_status
scale_vector(struct search *search, float *out, double factor, const float *a)
{
    float scale = (float) factor;

    for (uint64_t i = 0; i < search->count;) {
        uint64_t end = end_of_slice(search, i);

        INS_TRY(ins_poll(search->host, search->error));
        for (; i < end; i++)
            out[i] = scale * a[i];
    }
    return INS_OK;
}

static ins_status
find_largest(struct search *search, const float *a, double *largest)
{
    float highest = 0;

    for (uint64_t i = 0; i < search->count;) {
        uint64_t end = end_of_slice(search, i);

        INS_TRY(ins_poll(search->host, search->error));
        for (; i < end; i++)
            highest = fabsf(a[i]) > highest ? fabsf(a[i]) : highest;
    }
    *largest = (double) highest;
    return INS_OK;
}

/* ---- direction ----------------------------------------------------------- */

/* age: 1 = the pair that was stored last. */
static uint32_t
pair_of_age(const struct search *search, uint32_t age)
{
    return (search->next + search->pairs - age) % search->pairs;
}

/* The first step has length 1 at most. */
static ins_status
descend_steepest(struct search *search)
{
    double square;

    INS_TRY(take_product(search, search->gradient, search->gradient, &square));
    return scale_vector(search, search->direction,
                        square > 1 ? -1 / sqrt(square) : -1, search->gradient);
}

/* Nocedal's two loops: -H . gradient. */
static ins_status
find_direction(struct search *search)
{
    float *direction = search->direction;
    double factors[MAX_PAIRS];
    double square;
    uint32_t last = pair_of_age(search, 1);

    if (search->stored == 0)
        return descend_steepest(search);
    INS_TRY(scale_vector(search, direction, -1, search->gradient));
    for (uint32_t age = 1; age <= search->stored; age++) {
        uint32_t i = pair_of_age(search, age);

        INS_TRY(take_product(search, search->steps[i], direction, &factors[i]));
        factors[i] /= search->products[i];
        INS_TRY(add_scaled(search, direction, direction, -factors[i],
                           search->changes[i]));
    }
    INS_TRY(take_product(search, search->changes[last], search->changes[last],
                         &square));
    INS_TRY(scale_vector(search, direction, search->products[last] / square,
                         direction));
    for (uint32_t age = search->stored; age >= 1; age--) {
        uint32_t i = pair_of_age(search, age);
        double factor;

        INS_TRY(take_product(search, search->changes[i], direction, &factor));
        INS_TRY(add_scaled(search, direction, direction,
                           factors[i] - factor / search->products[i],
                           search->steps[i]));
    }
    return INS_OK;
}

/* Keeps the step just taken, unless rounding hides its curvature. */
static ins_status
store_pair(struct search *search)
{
    float *step = search->steps[search->next];
    float *change = search->changes[search->next];
    double product;
    double square;

    INS_TRY(add_scaled(search, step, search->trial_x, -1, search->x));
    INS_TRY(add_scaled(search, change, search->trial_gradient, -1,
                       search->gradient));
    INS_TRY(take_product(search, step, change, &product));
    INS_TRY(take_product(search, change, change, &square));
    /* Written so that what is not a number is not kept. */
    if (!(product > 1e-10 * square) || !(square > 0) || !isfinite(square))
        return INS_OK;
    search->products[search->next] = product;
    search->next = (search->next + 1) % search->pairs;
    if (search->stored < search->pairs)
        search->stored++;
    return INS_OK;
}

/* ---- line search --------------------------------------------------------- */

static ins_status
evaluate_trial(struct search *search, double step, double *slope)
{
    const ins_lbfgs_problem *problem = search->problem;

    INS_TRY(add_scaled(search, search->trial_x, search->x, step,
                       search->direction));
    INS_TRY(problem->evaluate(problem->user, search->trial_x,
                              search->trial_gradient, &search->trial_loss,
                              search->error));
    return take_product(search, search->trial_gradient, search->direction,
                        slope);
}

/* *found: whether the trial is a step worth taking. */
static ins_status
search_line(struct search *search, bool *found)
{
    double low = 0;
    double high = INFINITY;
    double step = 1;
    double first_slope;
    double noise = LOSS_NOISE * fabs(search->loss);

    *found = false;
    INS_TRY(take_product(search, search->gradient, search->direction,
                         &first_slope));
    if (!(first_slope < 0))
        return INS_OK;
    for (int i = 0; i < MAX_TRIALS; i++) {
        double limit =
            search->loss + SUFFICIENT_DECREASE * step * first_slope + noise;
        double slope;

        INS_TRY(evaluate_trial(search, step, &slope));
        if (!isfinite(slope) || !(search->trial_loss <= limit)) {
            high = step;
        } else if (slope < CURVATURE * first_slope) {
            low = step;
        } else {
            *found = true;
            return INS_OK;
        }
        step = isinf(high) ? 2 * step : (low + high) / 2;
    }
    *found = search->trial_loss < search->loss;
    return INS_OK;
}

/* *taken: false at a point that no step leaves. */
static ins_status
take_step(struct search *search, bool *taken)
{
    float *gradient = search->gradient;

    INS_TRY(find_direction(search));
    INS_TRY(search_line(search, taken));
    if (!*taken && search->stored > 0) {
        search->stored = 0;
        INS_TRY(find_direction(search));
        INS_TRY(search_line(search, taken));
    }
    if (!*taken)
        return INS_OK;
    INS_TRY(store_pair(search));
    memcpy(search->x, search->trial_x, search->count * sizeof(float));
    search->gradient = search->trial_gradient;
    search->trial_gradient = gradient;
    search->loss = search->trial_loss;
    return INS_OK;
}

static ins_status
minimise(struct search *search)
{
    const ins_lbfgs_problem *problem = search->problem;
    uint32_t slow = 0;
    bool taken;

    INS_TRY(problem->evaluate(problem->user, search->x, search->gradient,
                              &search->loss, search->error));
    INS_CHECK(isfinite(search->loss), search->error, INS_INTERNAL,
              "the loss of the training is not a number");
    for (uint32_t i = 1; i <= problem->iterations && slow < 2; i++) {
        double before = search->loss;
        double largest;

        INS_TRY(find_largest(search, search->gradient, &largest));
        if (largest <= problem->gradient_limit)
            return INS_OK;
        INS_TRY(take_step(search, &taken));
        if (!taken)
            return INS_OK;
        slow = before - search->loss <= problem->loss_limit * fabs(before)
                   ? slow + 1
                   : 0;
        if (problem->progress != NULL)
            problem->progress(problem->progress_user, i, search->loss);
    }
    return INS_OK;
}

ins_status
ins_lbfgs_run(const ins_lbfgs_problem *problem, float *x, double *loss,
              const ins_host *host, ins_error *error)
{
    struct search search = {
        .problem = problem,
        .host = host,
        .error = error,
        .count = problem->count,
        .x = x,
    };
    ins_status status = open_search(&search);

    if (status == INS_OK)
        status = minimise(&search);
    *loss = search.loss;
    ins_release(host, search.memory);
    return status;
}
