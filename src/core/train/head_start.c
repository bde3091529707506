/*
 * head_start.c - the first weights of the head of a model to be tuned.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/head_start.h"

#include <string.h>

#include "pack/pack_shape.h"
#include "train/head.h"

#define DEFAULT_L2 1e-3
#define ITERATIONS 100

/* The recipe whose labels are the features that the head of recipe reads. */
static ins_pack_recipe
feature_recipe(const ins_pack_recipe *recipe)
{
    ins_pack_recipe features = *recipe;

    features.flags &= ~(uint32_t) INS_RECIPE_MULTI_LABEL;
    features.labels = recipe->hidden;
    return features;
}

uint64_t
ins_recipe_weights(const ins_pack_recipe *recipe)
{
    ins_pack_step step = {0, 0};
    uint64_t count = 0;

    while (ins_pack_next_step(recipe, &step)) {
        uint32_t rows;
        uint32_t columns;

        ins_pack_role_shape(recipe, step.role, &rows, &columns);
        count += (uint64_t) rows * columns;
    }
    return count;
}

uint64_t
ins_head_start_bytes(const ins_pack_recipe *recipe,
                     const ins_network_options *limits, size_t count)
{
    ins_pack_recipe features = feature_recipe(recipe);
    uint64_t rows = count < INS_HEAD_START_ROWS ? count : INS_HEAD_START_ROWS;
    /* Features, as they are and standardised; logits and their gradient. */
    uint64_t row_bytes =
        sizeof(float) * 2 * ((uint64_t) recipe->hidden + recipe->labels);

    return ins_recipe_weights(&features) * sizeof(float) +
           ins_tuner_bytes(&features, limits) + rows * row_bytes;
}

/* ---- features ------------------------------------------------------------ */

/* The base with an identity for a head: its logits are the features. */
static ins_status
open_reader(ins_parameters **reader, const ins_head_start *start,
            const ins_pack_recipe *recipe, const ins_host *host,
            ins_error *error)
{
    ins_pack_recipe features = feature_recipe(recipe);
    const ins_parameter *out;
    const ins_parameter *bias;

    INS_TRY(ins_parameters_open(reader, &features, host, error));
    INS_TRY(ins_parameters_read(*reader, start->base, error));
    out = ins_parameters_find(*reader, INS_ROLE_HEAD_OUT, 0);
    bias = ins_parameters_find(*reader, INS_ROLE_HEAD_OUT_BIAS, 0);
    /* The base may have as many labels as features. */
    memset(out->values, 0, (size_t) out->rows * out->columns * sizeof(float));
    memset(bias->values, 0, bias->columns * sizeof(float));
    for (uint32_t i = 0; i < out->rows; i++)
        out->values[(size_t) i * out->columns + i] = 1;
    return INS_OK;
}

/* What the head will read of each row, in the order of batches. */
static ins_status
read_features(ins_tuner *tuner, const ins_batches *batches, float *features,
              ins_progress *progress, ins_error *error)
{
    ins_progress_begin(progress, "embed", batches->count);
    for (size_t i = 0; i < batches->batch_count; i++) {
        ins_batch_rows batch = ins_batches_at(batches, i);

        INS_TRY(ins_tuner_run(tuner, &batch, features, error));
        features += (size_t) batch.count * tuner->outputs;
        progress->now.step += batch.count;
    }
    return INS_OK;
}

static ins_status
fill_features(const ins_head_start *start, const ins_pack_recipe *recipe,
              float *features, ins_progress *progress, ins_error *error)
{
    const ins_host *host = &progress->host;
    ins_batches batches = {.order = start->order,
                           .starts = start->rows->starts,
                           .count = start->count,
                           .size = start->limits.batch_texts,
                           .longest = start->limits.max_tokens};
    ins_parameters *reader = NULL;
    ins_tuner tuner = {.rows = NULL};
    ins_status status = open_reader(&reader, start, recipe, host, error);

    if (status == INS_OK)
        status = ins_batches_open(&batches, host, error);
    if (status == INS_OK)
        status = ins_batches_sort(&batches, host, error);
    if (status == INS_OK)
        status = ins_tuner_open(&tuner, start->rows, reader, &start->limits,
                                host, error);
    if (status == INS_OK)
        status = read_features(&tuner, &batches, features, progress, error);
    ins_tuner_close(&tuner, host);
    ins_batches_close(&batches, host);
    ins_parameters_close(reader);
    return status;
}

/* ---- fitting ------------------------------------------------------------- */

/* The labels and weights of the rows, in their order. */
struct picked {
    uint32_t *targets;
    uint8_t *marks;
    float *weights;
};

static ins_status
pick_rows(const ins_head_start *start, struct picked *picked,
          const ins_host *host, ins_error *error)
{
    const ins_tune_rows *rows = start->rows;
    uint32_t labels = rows->labels.labels;
    void *memory;

    INS_TRY(ins_alloc(host, start->count, sizeof(float), &memory, error));
    picked->weights = memory;
    for (size_t i = 0; i < start->count; i++)
        picked->weights[i] =
            rows->weights != NULL ? rows->weights[start->order[i]] : 1;
    if (rows->labels.targets != NULL) {
        INS_TRY(
            ins_alloc(host, start->count, sizeof(uint32_t), &memory, error));
        picked->targets = memory;
        for (size_t i = 0; i < start->count; i++)
            picked->targets[i] = rows->labels.targets[start->order[i]];
        return INS_OK;
    }
    INS_TRY(
        ins_alloc(host, (uint64_t) start->count * labels, 1, &memory, error));
    picked->marks = memory;
    for (size_t i = 0; i < start->count; i++)
        memcpy(picked->marks + i * labels,
               rows->labels.marks + (size_t) start->order[i] * labels, labels);
    return INS_OK;
}

static ins_status
fit(const ins_head_start *start, const float *features, ins_parameters *tuned,
    ins_progress *progress, ins_error *error)
{
    const ins_parameter *out = ins_parameters_find(tuned, INS_ROLE_HEAD_OUT, 0);
    const ins_parameter *bias =
        ins_parameters_find(tuned, INS_ROLE_HEAD_OUT_BIAS, 0);
    struct picked picked = {NULL, NULL, NULL};
    ins_head_options options = {.l2 = start->l2 < 0 ? DEFAULT_L2 : start->l2,
                                .iterations = ITERATIONS,
                                .progress = ins_progress_iteration,
                                .progress_user = progress};
    ins_head head = {.columns = 0};
    ins_status status = pick_rows(start, &picked, &progress->host, error);
    ins_head_rows rows = {.features = features,
                          .count = start->count,
                          .columns = out->columns,
                          .labels = out->rows,
                          .targets = picked.targets,
                          .marks = picked.marks,
                          .weights = picked.weights,
                          .rounding = INS_ENCODER_ROUNDING};

    ins_progress_begin(progress, "fit", ITERATIONS);
    if (status == INS_OK)
        status = ins_head_fit(&head, &rows, &options, &progress->host, error);
    if (status == INS_OK) {
        memcpy(out->values, head.out,
               (size_t) out->rows * out->columns * sizeof(float));
        memcpy(bias->values, head.out_bias, out->rows * sizeof(float));
    }
    ins_head_close(&head, &progress->host);
    ins_release(&progress->host, picked.targets);
    ins_release(&progress->host, picked.marks);
    ins_release(&progress->host, picked.weights);
    return status;
}

ins_status
ins_head_start_fill(const ins_head_start *start, ins_parameters *tuned,
                    ins_progress *progress, ins_error *error)
{
    const ins_pack_recipe *recipe = &tuned->recipe;
    ins_head_start first = *start;
    ins_status status;
    void *features;

    if (first.count > INS_HEAD_START_ROWS)
        first.count = INS_HEAD_START_ROWS;
    INS_TRY(ins_alloc(&progress->host, (uint64_t) first.count * recipe->hidden,
                      sizeof(float), &features, error));
    status = fill_features(&first, recipe, features, progress, error);
    if (status == INS_OK)
        status = fit(&first, features, tuned, progress, error);
    ins_release(&progress->host, features);
    return status;
}
