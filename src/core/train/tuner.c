/*
 * tuner.c - rows of tokens through a network.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tuner.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* Products are as fast with more, and memory grows with it. */
#define PASS_TOKENS 1024

uint32_t
ins_tune_longest(const ins_tune_rows *rows)
{
    uint64_t longest = 0;

    for (size_t i = 0; i < rows->labels.count; i++) {
        uint64_t length = rows->starts[i + 1] - rows->starts[i];

        longest = length > longest ? length : longest;
    }
    return (uint32_t) longest;
}

ins_network_options
ins_tuner_limits(uint32_t longest, uint32_t batch_size)
{
    uint64_t tokens = (uint64_t) longest * batch_size;

    if (tokens > PASS_TOKENS)
        tokens = longest > PASS_TOKENS ? longest : PASS_TOKENS;
    return (ins_network_options){
        .batch_tokens = (uint32_t) tokens,
        .batch_texts = batch_size < tokens ? batch_size : (uint32_t) tokens,
        .max_tokens = longest,
    };
}

uint64_t
ins_tuner_bytes(const ins_pack_recipe *recipe,
                const ins_network_options *limits)
{
    return ins_network_bytes(recipe, limits) +
           (uint64_t) limits->batch_tokens * sizeof(int32_t) +
           ((uint64_t) limits->batch_texts + 1) *
               (sizeof(uint32_t) + (uint64_t) recipe->labels * sizeof(float));
}

ins_status
ins_tuner_open(ins_tuner *tuner, const ins_tune_rows *rows,
               const ins_parameters *parameters,
               const ins_network_options *limits, const ins_host *host,
               ins_error *error)
{
    void *memory;

    *tuner = (ins_tuner){
        .rows = rows, .outputs = parameters->recipe.labels, .limits = *limits};
    INS_TRY(
        ins_alloc(host, limits->batch_tokens, sizeof(int32_t), &memory, error));
    tuner->ids = memory;
    INS_TRY(ins_alloc_zeroed(host, (uint64_t) limits->batch_texts + 1,
                             sizeof(uint32_t), &memory, error));
    tuner->starts = memory;
    INS_TRY(ins_alloc(host, (uint64_t) limits->batch_texts * tuner->outputs,
                      sizeof(float), &memory, error));
    tuner->gradient = memory;
    return ins_network_open(&tuner->network, parameters, limits, host, error);
}

void
ins_tuner_close(ins_tuner *tuner, const ins_host *host)
{
    ins_network_close(tuner->network);
    ins_release(host, tuner->ids);
    ins_release(host, tuner->starts);
    ins_release(host, tuner->gradient);
    *tuner = (ins_tuner){.rows = NULL};
}

/* ids: [count].  All but some of the tokens between the first and the last, and
 * of these one at least where there is one; how many. */
static uint32_t
drop_tokens(ins_tuner *tuner, const int32_t *ids, uint32_t count,
            int32_t *kept_ids)
{
    const uint64_t threshold = (uint64_t) (tuner->token_dropout * 4294967296.0);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool inner = i > 0 && i + 1 < count;

        if (!inner || ins_random_next(&tuner->random) >> 32 >= threshold)
            kept_ids[kept++] = ids[i];
    }
    if (kept > 2 || count <= 2)
        return kept;
    memcpy(kept_ids, ids, count * sizeof(int32_t));
    return count;
}

/* The next texts of the batch that fit into a pass. */
static ins_batch_rows
gather(ins_tuner *tuner, const ins_batch_rows *batch, uint32_t first,
       bool teaches)
{
    const uint64_t *starts = tuner->rows->starts;
    uint32_t tokens = 0;
    uint32_t texts = 0;

    while (first + texts < batch->count && texts < tuner->limits.batch_texts) {
        uint32_t row = batch->rows[first + texts];
        uint32_t length = (uint32_t) (starts[row + 1] - starts[row]);

        if (length > tuner->limits.batch_tokens - tokens)
            break;
        if (teaches && tuner->token_dropout > 0)
            length = drop_tokens(tuner, tuner->rows->ids + starts[row], length,
                                 tuner->ids + tokens);
        else
            memcpy(tuner->ids + tokens, tuner->rows->ids + starts[row],
                   length * sizeof(int32_t));
        tokens += length;
        tuner->starts[++texts] = tokens;
    }
    return (ins_batch_rows){batch->rows + first, texts};
}

static ins_status
forward(ins_tuner *tuner, const ins_batch_rows *pass, bool training,
        const float **logits, ins_error *error)
{
    ins_batch batch = {tuner->ids, tuner->starts, pass->count,
                       tuner->starts[pass->count]};

    INS_CHECK(pass->count > 0, error, INS_INTERNAL,
              "a text is longer than a pass of the training");
    return ins_network_forward(tuner->network, &batch, NULL, training, logits,
                               error);
}

/* ---- loss ---------------------------------------------------------------- */

static double
weight_of(const ins_tuner *tuner, uint32_t row)
{
    const float *weights = tuner->rows->weights;

    return weights != NULL ? (double) weights[row] : 1;
}

static bool
is_right(const ins_row_labels *labels, uint32_t row, const float *logits)
{
    if (labels->targets == NULL) {
        const uint8_t *marks = labels->marks + (size_t) row * labels->labels;

        for (uint32_t i = 0; i < labels->labels; i++)
            if ((logits[i] > 0) != (marks[i] != 0))
                return false;
        return true;
    }
    return ins_best_label(logits, labels->labels) == labels->targets[row];
}

static double
row_loss(const ins_row_labels *labels, uint32_t row, const float *logits,
         double weight, float *gradient)
{
    if (labels->targets != NULL)
        return ins_loss_softmax(logits, labels->labels, labels->targets[row],
                                weight, gradient);
    return ins_loss_sigmoid(logits, labels->labels,
                            labels->marks + (size_t) row * labels->labels,
                            weight, gradient);
}

/* Fills tuner->gradient with the gradients times scale. */
static ins_status
add_losses(ins_tuner *tuner, const ins_batch_rows *pass, const float *logits,
           double scale, ins_tune_score *score, ins_error *error)
{
    const ins_row_labels *labels = &tuner->rows->labels;
    double sum = 0;

    for (uint32_t i = 0; i < pass->count; i++) {
        uint32_t row = pass->rows[i];
        size_t at = (size_t) i * tuner->outputs;
        double weight = weight_of(tuner, row);

        sum += row_loss(labels, row, logits + at, weight * scale,
                        tuner->gradient + at);
        score->weight += weight;
        score->right += is_right(labels, row, logits + at);
    }
    score->rows += pass->count;
    score->loss += sum / scale;
    if (isfinite(sum))
        return INS_OK;
    ins_fail(error, INS_INTERNAL, "the training's loss is not a number");
    ins_fail_hint(error, "Try a lower learning rate.");
    return INS_INTERNAL;
}

static double
batch_weight(const ins_tuner *tuner, const ins_batch_rows *batch)
{
    double weight = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        weight += weight_of(tuner, batch->rows[i]);
    return weight;
}

ins_status
ins_tuner_learn(ins_tuner *tuner, const ins_batch_rows *batch,
                ins_parameters *gradient, ins_tune_score *score,
                ins_error *error)
{
    double weight = batch_weight(tuner, batch);
    ins_tune_score learnt = *score;

    if (!(weight > 0))
        return INS_OK;
    for (uint32_t at = 0; at < batch->count;) {
        ins_batch_rows pass = gather(tuner, batch, at, true);
        const float *logits;

        INS_TRY(forward(tuner, &pass, true, &logits, error));
        INS_TRY(add_losses(tuner, &pass, logits, 1 / weight, &learnt, error));
        INS_TRY(ins_network_backward(tuner->network, tuner->gradient, gradient,
                                     NULL, error));
        at += pass.count;
    }
    *score = learnt;
    return INS_OK;
}

ins_status
ins_tuner_measure(ins_tuner *tuner, const ins_batch_rows *batch,
                  ins_tune_score *score, ins_error *error)
{
    for (uint32_t at = 0; at < batch->count;) {
        ins_batch_rows pass = gather(tuner, batch, at, false);
        const float *logits;

        INS_TRY(forward(tuner, &pass, false, &logits, error));
        INS_TRY(add_losses(tuner, &pass, logits, 1, score, error));
        at += pass.count;
    }
    return INS_OK;
}

ins_status
ins_tuner_run(ins_tuner *tuner, const ins_batch_rows *batch, float *outputs,
              ins_error *error)
{
    for (uint32_t at = 0; at < batch->count;) {
        ins_batch_rows pass = gather(tuner, batch, at, false);
        const float *logits;

        INS_TRY(forward(tuner, &pass, false, &logits, error));
        memcpy(outputs + (size_t) at * tuner->outputs, logits,
               (size_t) pass.count * tuner->outputs * sizeof(float));
        at += pass.count;
    }
    return INS_OK;
}
