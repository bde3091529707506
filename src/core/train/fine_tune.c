/*
 * fine_tune.c - trains a whole encoder with its head on labelled texts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/fine_tune.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "pack/pack_shape.h"
#include "train/adamw.h"
#include "train/head_start.h"
#include "train/tuned_pack.h"

/* Floats that are copied or cleared between two polls. */
#define VALUES_PER_POLL ((size_t) 1 << 20)

/* ---- the recipe ---------------------------------------------------------- */

void
ins_fine_tune_recipe(const ins_pack_recipe *base, uint32_t labels,
                     bool multi_label, ins_weights_choice weights,
                     ins_pack_recipe *recipe)
{
    const uint32_t pooled = INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE;

    *recipe = *base;
    recipe->labels = labels;
    recipe->weights = ins_tuned_weights(base, weights);
    if (base->flags & INS_RECIPE_EMBED) {
        recipe->flags = (base->flags & pooled) | INS_RECIPE_HEAD_POOLED;
        recipe->head_activation = INS_ACTIVATION_NONE;
    }
    recipe->flags |= INS_RECIPE_CLASSIFY;
    recipe->flags &= ~(uint32_t) INS_RECIPE_MULTI_LABEL;
    recipe->head_words = 0;
    if (multi_label)
        recipe->flags |= INS_RECIPE_MULTI_LABEL;
}

/* ---- what a run holds ---------------------------------------------------- */

struct run {
    const ins_fine_tune_job *job;
    const ins_training_options *options;
    ins_progress *progress;
    uint64_t random;
    uint32_t *order; /* rows; the held-back ones behind the others */
    size_t train_count, held_count;
    ins_network_options limits;
    ins_parameters *tuned; /* from the caller's host, which outlives the run */
    ins_parameters *gradient;
    /* [tuned->count] each, or NULL where nothing needs them. */
    float *first;      /* weights: the base's with the fitted head */
    float *mean;       /* of the weights so far */
    float *best;       /* weights: of the best epoch on held-back rows */
    double mean_steps; /* that the mean goes back */
    uint64_t steps;    /* done */
    ins_tuner tuner;
    ins_batches batches, held;
    ins_adamw_span *spans;
    ins_adamw adamw;
    uint64_t units_done, units; /* of work: rows, forward */
    ins_fine_tune_figures figures;
};

static bool
is_held_back(const struct run *run)
{
    return run->held_count > 0;
}

static bool
is_averaged(const ins_training_options *options)
{
    return options->averaging > 0;
}

static bool
is_mixed(const ins_training_options *options)
{
    return options->base_share > 0;
}

/* Does a tensor change, with the first layers frozen? */
static bool
is_trained(const ins_parameter *tensor, uint32_t first_layer)
{
    if (ins_pack_is_head(tensor->role))
        return true;
    if (tensor->role == INS_ROLE_LEXICAL)
        return false;
    if (tensor->role < INS_ROLE_QKV)
        return first_layer == 0;
    return tensor->layer >= first_layer;
}

static void
set_spans(struct run *run)
{
    const ins_parameters *tuned = run->tuned;
    size_t count = 0;

    for (uint32_t i = 0; i < tuned->tensor_count; i++) {
        const ins_parameter *tensor = &tuned->tensors[i];

        if (!is_trained(tensor, run->limits.first_layer))
            continue;
        run->spans[count++] = (ins_adamw_span){
            .first = (uint64_t) (tensor->values - tuned->values),
            .count = (uint64_t) tensor->rows * tensor->columns,
            .rate = 1,
            .decays = ins_pack_is_matrix(tensor->role),
        };
    }
    run->adamw.spans = run->spans;
    run->adamw.span_count = count;
}

static ins_network_options
training_limits(const ins_pack_recipe *recipe,
                const ins_training_options *options, uint32_t longest)
{
    ins_network_options limits = ins_tuner_limits(longest, options->batch_size);

    limits.dropout = (float) options->dropout;
    limits.seed = options->seed;
    limits.first_layer = options->freeze_layers < recipe->layers
                             ? options->freeze_layers
                             : recipe->layers;
    return limits;
}

/* Without dropout and gradients. */
static ins_network_options
reading_limits(const ins_pack_recipe *recipe,
               const ins_training_options *options, uint32_t longest)
{
    ins_network_options limits = ins_tuner_limits(longest, options->batch_size);

    limits.first_layer = recipe->layers;
    return limits;
}

uint64_t
ins_fine_tune_bytes(const ins_pack_recipe *recipe,
                    const ins_training_options *options, uint64_t count,
                    uint32_t longest)
{
    ins_network_options training = training_limits(recipe, options, longest);
    ins_network_options reading = reading_limits(recipe, options, longest);
    uint64_t weights = ins_recipe_weights(recipe) * sizeof(float);
    /* Order, batches of both parts. */
    uint64_t rows = count * sizeof(uint32_t) +
                    2 * ins_batches_bytes(count, options->batch_size, longest);
    uint64_t first = ins_head_start_bytes(recipe, &reading, count);
    /* Gradient, AdamW's two means, best epoch. */
    uint32_t blocks =
        4u + (is_averaged(options) ? 1 : 0) + (is_mixed(options) ? 1 : 0);
    uint64_t then = ins_tuner_bytes(recipe, &training) + blocks * weights;

    return rows + weights + (first > then ? first : then);
}

/* ---- all values ---------------------------------------------------------- */

/* Of the values from at on, up to the next poll. */
static size_t
take_values(const struct run *run, size_t at)
{
    size_t left = (size_t) run->tuned->count - at;

    return left < VALUES_PER_POLL ? left : VALUES_PER_POLL;
}

static ins_status
copy_values(const struct run *run, float *to, const float *from,
            ins_error *error)
{
    for (size_t at = 0; at < run->tuned->count; at += VALUES_PER_POLL) {
        INS_TRY(ins_poll(&run->progress->host, error));
        memcpy(to + at, from + at, take_values(run, at) * sizeof(float));
    }
    return INS_OK;
}

static ins_status
clear_gradient(const struct run *run, ins_error *error)
{
    for (size_t at = 0; at < run->tuned->count; at += VALUES_PER_POLL) {
        INS_TRY(ins_poll(&run->progress->host, error));
        memset(run->gradient->values + at, 0,
               take_values(run, at) * sizeof(float));
    }
    return INS_OK;
}

/* The mean of all weights so far, the first ones too, until there are more than
 * mean_steps; from then on old ones fade. */
static ins_status
add_to_mean(struct run *run, ins_error *error)
{
    const float *values = run->tuned->values;
    double weights = (double) ++run->steps + 1;
    float share;

    if (run->mean == NULL)
        return INS_OK;
    share =
        (float) (1 / (weights < run->mean_steps ? weights : run->mean_steps));
    for (size_t at = 0; at < run->tuned->count; at += VALUES_PER_POLL) {
        size_t end = at + take_values(run, at);

        INS_TRY(ins_poll(&run->progress->host, error));
        for (size_t i = at; i < end; i++)
            run->mean[i] += share * (values[i] - run->mean[i]);
    }
    return INS_OK;
}

/* What the run would give now, in the place of the gradient, which is free
 * between the steps: the mean, or the weights as they are, and of the first
 * ones their share. */
static ins_status
mix_weights(const struct run *run, ins_error *error)
{
    const float *now = run->mean != NULL ? run->mean : run->tuned->values;
    const float share = (float) run->options->base_share;
    float *mixed = run->gradient->values;

    if (!is_mixed(run->options))
        return copy_values(run, mixed, now, error);
    for (size_t at = 0; at < run->tuned->count; at += VALUES_PER_POLL) {
        size_t end = at + take_values(run, at);

        INS_TRY(ins_poll(&run->progress->host, error));
        for (size_t i = at; i < end; i++)
            mixed[i] = now[i] + share * (run->first[i] - now[i]);
    }
    return INS_OK;
}

/* The network reads what lies in the place of the gradient, and the weights lie
 * there; again, and they are back. */
static ins_status
swap_weights(const struct run *run, ins_error *error)
{
    float *values = run->tuned->values;
    float *others = run->gradient->values;

    for (size_t at = 0; at < run->tuned->count; at += VALUES_PER_POLL) {
        size_t end = at + take_values(run, at);

        INS_TRY(ins_poll(&run->progress->host, error));
        for (size_t i = at; i < end; i++) {
            float value = values[i];

            values[i] = others[i];
            others[i] = value;
        }
    }
    return INS_OK;
}

/* ---- opening ------------------------------------------------------------- */

static ins_status
check_job(const ins_fine_tune_job *job, const ins_training_options *options,
          uint32_t longest, ins_error *error)
{
    const char *problem;

    INS_CHECK(ins_pack_recipe_is_sound(job->recipe, &problem), error,
              INS_INTERNAL, "the recipe to be tuned is wrong in \"%s\"",
              problem);
    INS_CHECK(job->rows->labels.count >= 1 &&
                  job->rows->labels.count <= UINT32_MAX,
              error, INS_INVALID_ARGUMENT,
              "fine-tuning needs from 1 to %u rows, not %zu", UINT32_MAX,
              job->rows->labels.count);
    INS_CHECK(longest >= 1 && longest <= job->recipe->max_tokens, error,
              INS_INTERNAL, "a text to be tuned on has %u tokens", longest);
    INS_CHECK(options->epochs >= 1 && options->batch_size >= 1 &&
                  options->dropout >= 0 && options->dropout < 1 &&
                  options->token_dropout >= 0 && options->token_dropout < 1 &&
                  options->base_share >= 0 && options->base_share < 1,
              error, INS_INVALID_ARGUMENT,
              "fine-tuning needs epochs, a batch size and dropouts and a share "
              "of the base below 1");
    return INS_OK;
}

static ins_status
divide_rows(struct run *run, ins_error *error)
{
    const ins_row_labels *labels = &run->job->rows->labels;
    const ins_host *host = &run->progress->host;
    void *memory;

    INS_TRY(ins_alloc(host, labels->count, sizeof(uint32_t), &memory, error));
    run->order = memory;
    INS_TRY(ins_hold_back(labels, run->options->validation, &run->random,
                          run->order, &run->held_count, host, error));
    run->train_count = labels->count - run->held_count;
    return INS_OK;
}

static ins_status
open_batches(struct run *run, ins_error *error)
{
    const ins_host *host = &run->progress->host;
    ins_batches batches = {.order = run->order,
                           .starts = run->job->rows->starts,
                           .count = run->train_count,
                           .size = run->options->batch_size,
                           .longest = run->limits.max_tokens};

    run->batches = batches;
    INS_TRY(ins_batches_open(&run->batches, host, error));
    if (!is_held_back(run))
        return INS_OK;
    batches.order += run->train_count;
    batches.count = run->held_count;
    run->held = batches;
    INS_TRY(ins_batches_open(&run->held, host, error));
    return ins_batches_sort(&run->held, host, error);
}

/* The base's weights with a fitted head. */
static ins_status
open_weights(struct run *run, ins_error *error)
{
    const ins_fine_tune_job *job = run->job;
    ins_head_start start = {
        .base = job->base,
        .rows = job->rows,
        .order = run->order,
        .count = run->train_count,
        .limits =
            reading_limits(job->recipe, run->options, run->limits.max_tokens),
        .l2 = run->options->l2,
    };

    INS_TRY(ins_parameters_open(&run->tuned, job->recipe, run->progress->real,
                                error));
    INS_TRY(ins_parameters_read(run->tuned, job->base, error));
    return ins_head_start_fill(&start, run->tuned, run->progress, error);
}

static ins_status
copy_of_weights(const struct run *run, float **copy, ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc(&run->progress->host, run->tuned->count, sizeof(float),
                      &memory, error));
    *copy = memory;
    return copy_values(run, *copy, run->tuned->values, error);
}

static ins_status
open_training(struct run *run, ins_error *error)
{
    const ins_host *host = &run->progress->host;
    const ins_parameters *tuned = run->tuned;
    ins_adamw_options options = ins_adamw_defaults;
    void *memory;

    options.weight_decay = run->options->weight_decay;
    INS_TRY(ins_parameters_open(&run->gradient, &tuned->recipe, host, error));
    INS_TRY(ins_alloc(host, tuned->tensor_count, sizeof(ins_adamw_span),
                      &memory, error));
    run->spans = memory;
    INS_TRY(ins_adamw_open(&run->adamw, tuned->count, &options, host, error));
    set_spans(run);
    if (is_held_back(run)) {
        INS_TRY(ins_alloc(host, tuned->count, sizeof(float), &memory, error));
        run->best = memory;
    }
    if (is_averaged(run->options))
        INS_TRY(copy_of_weights(run, &run->mean, error));
    if (is_mixed(run->options))
        INS_TRY(copy_of_weights(run, &run->first, error));
    INS_TRY(ins_tuner_open(&run->tuner, run->job->rows, tuned, &run->limits,
                           host, error));
    run->tuner.token_dropout = run->options->token_dropout;
    run->tuner.random = ins_random_mix(run->options->seed);
    return open_batches(run, error);
}

static void
close_run(struct run *run)
{
    const ins_host *host = &run->progress->host;

    ins_batches_close(&run->batches, host);
    ins_batches_close(&run->held, host);
    ins_tuner_close(&run->tuner, host);
    ins_release(host, run->first);
    ins_release(host, run->mean);
    ins_release(host, run->best);
    ins_adamw_close(&run->adamw);
    ins_release(host, run->spans);
    ins_parameters_close(run->gradient);
    ins_release(host, run->order);
}

/* ---- epochs -------------------------------------------------------------- */

static void
count_work(struct run *run, uint64_t units)
{
    run->units_done += units;
    ins_progress_reach(run->progress, INS_FINE_TUNE_WORK,
                       (double) run->units_done / (double) run->units);
}

static ins_status
learn_epoch(struct run *run, uint32_t epoch, ins_error *error)
{
    const uint64_t steps = run->batches.batch_count;
    ins_training_progress *progress = &run->progress->now;
    ins_tune_score score = {.rows = 0};

    progress->epoch = epoch;
    progress->loss = NAN;
    ins_progress_begin(run->progress, "train", steps);
    INS_TRY(ins_batches_shuffle(&run->batches, &run->random,
                                &run->progress->host, error));
    for (uint64_t i = 0; i < steps; i++) {
        ins_batch_rows batch = ins_batches_at(&run->batches, (size_t) i);
        double rate = ins_linear_schedule((epoch - 1) * steps + i,
                                          steps * run->options->epochs,
                                          run->options->warmup);

        INS_TRY(clear_gradient(run, error));
        INS_TRY(
            ins_tuner_learn(&run->tuner, &batch, run->gradient, &score, error));
        INS_TRY(ins_adamw_step(
            &run->adamw, run->tuned->values, run->gradient->values,
            rate * run->options->learning_rate, NULL, error));
        INS_TRY(add_to_mean(run, error));
        progress->step = i + 1;
        progress->loss = score.loss / score.weight;
        count_work(run, INS_LEARN_UNITS * (uint64_t) batch.count);
    }
    run->figures.loss = progress->loss;
    run->figures.epochs = epoch;
    return INS_OK;
}

static ins_status
measure_held(struct run *run, ins_tune_score *score, ins_error *error)
{
    *score = (ins_tune_score){.rows = 0};
    ins_progress_begin(run->progress, "validate", run->held.batch_count);
    for (size_t i = 0; i < run->held.batch_count; i++) {
        ins_batch_rows batch = ins_batches_at(&run->held, i);

        INS_TRY(ins_tuner_measure(&run->tuner, &batch, score, error));
        run->progress->now.step = i + 1;
        count_work(run, batch.count);
    }
    run->progress->now.accuracy = score->right / (double) score->rows;
    return INS_OK;
}

static double
mean_loss(const ins_tune_score *score)
{
    return score->weight > 0 ? score->loss / score->weight : 0;
}

static bool
is_better(const struct run *run, const ins_tune_score *score,
          const ins_tune_score *than)
{
    if (than->rows == 0)
        return true;
    if (run->job->rows->labels.targets != NULL && score->right != than->right)
        return score->right > than->right;
    return mean_loss(score) < mean_loss(than);
}

/* Is it as good, for all that the held-back rows can tell?  Within a standard
 * error of the number that are right, one right and one wrong row added so that
 * a perfect score has one too. */
static bool
is_as_good(const struct run *run, const ins_tune_score *score,
           const ins_tune_score *best)
{
    double rows = (double) best->rows;
    double variance = (best->right + 1) * (rows - best->right + 1) / (rows + 2);

    return run->job->rows->labels.targets != NULL &&
           score->right >= best->right - sqrt(variance);
}

/* Measures the epoch's weights and keeps them when they are the best so far or
 * as good: the schedule was made for the last ones. */
static ins_status
keep_best(struct run *run, uint32_t epoch, ins_tune_score *score,
          ins_tune_score *best, ins_error *error)
{
    bool better;

    INS_TRY(measure_held(run, score, error));
    better = is_better(run, score, best);
    if (!better && !is_as_good(run, score, best))
        return INS_OK;
    if (better)
        *best = *score;
    run->figures.best = epoch;
    run->figures.held_loss = mean_loss(score);
    run->figures.held_accuracy = score->right / (double) score->rows;
    return copy_values(run, run->best, run->tuned->values, error);
}

static void
end_epoch(struct run *run)
{
    run->progress->now.epoch_ended = true;
    ins_progress_tell(run->progress);
    run->progress->now.epoch_ended = false;
}

/* A fitted head may be better than the first epochs, which then still go on:
 * patience begins with the first. */
static ins_status
train_with_held(struct run *run, ins_error *error)
{
    ins_tune_score best = {.rows = 0};
    ins_tune_score best_trained = {.rows = 0};
    ins_tune_score score;
    uint32_t stale = 0;

    INS_TRY(keep_best(run, 0, &score, &best, error));
    for (uint32_t epoch = 1; epoch <= run->options->epochs; epoch++) {
        INS_TRY(learn_epoch(run, epoch, error));
        INS_TRY(mix_weights(run, error));
        INS_TRY(swap_weights(run, error));
        INS_TRY(keep_best(run, epoch, &score, &best, error));
        INS_TRY(swap_weights(run, error));
        end_epoch(run);
        stale++;
        if (is_better(run, &score, &best_trained)) {
            best_trained = score;
            stale = 0;
        }
        if (run->options->patience > 0 && stale >= run->options->patience)
            break;
    }
    return copy_values(run, run->tuned->values, run->best, error);
}

static ins_status
train(struct run *run, ins_error *error)
{
    if (is_held_back(run))
        return train_with_held(run, error);
    for (uint32_t epoch = 1; epoch <= run->options->epochs; epoch++) {
        INS_TRY(learn_epoch(run, epoch, error));
        end_epoch(run);
    }
    run->figures.best = run->options->epochs;
    INS_TRY(mix_weights(run, error));
    return swap_weights(run, error);
}

/* ---- the whole ----------------------------------------------------------- */

static ins_status
tune(struct run *run, ins_error *error)
{
    uint32_t longest = ins_tune_longest(run->job->rows);
    uint64_t epochs = run->options->epochs;

    INS_TRY(check_job(run->job, run->options, longest, error));
    run->limits = training_limits(run->job->recipe, run->options, longest);
    INS_TRY(divide_rows(run, error));
    run->figures.held_rows = run->held_count;
    run->units = run->train_count * (1 + INS_LEARN_UNITS * epochs) +
                 run->held_count * (1 + epochs);
    INS_TRY(open_weights(run, error));
    count_work(run, run->train_count);
    INS_TRY(open_training(run, error));
    run->mean_steps =
        run->options->averaging * (double) run->batches.batch_count;
    if (run->mean_steps < 1)
        run->mean_steps = 1; /* the last weights themselves */
    return train(run, error);
}

ins_status
ins_fine_tune(const ins_fine_tune_job *job, ins_progress *progress,
              ins_parameters **tuned, ins_fine_tune_figures *figures,
              ins_error *error)
{
    const ins_host *host = &progress->host;
    struct run *run;
    ins_status status;
    void *memory;

    *tuned = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(*run), &memory, error));
    run = memory;
    run->job = job;
    run->progress = progress;
    run->options = progress->options;
    run->random = progress->options->seed;
    run->figures = (ins_fine_tune_figures){
        .loss = NAN, .held_loss = NAN, .held_accuracy = NAN};
    progress->now.epochs = progress->options->epochs;
    status = tune(run, error);
    *figures = run->figures;
    if (status == INS_OK)
        *tuned = run->tuned;
    else
        ins_parameters_close(run->tuned);
    close_run(run);
    ins_release(host, run);
    return status;
}
