/*
 * adamw.c - AdamW over one long vector of floats.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/adamw.h"

#include <math.h>

/* A block stays in the first cache; its loops have a fixed length, so that the
 * compiler makes vectors of them. */
#define BLOCK           256
#define BLOCKS_PER_POLL 4096

const ins_adamw_options ins_adamw_defaults = {
    .beta1 = 0.9,
    .beta2 = 0.999,
    .epsilon = 1e-8,
    .weight_decay = 0.01,
    .clip = 1,
};

ins_status
ins_adamw_open(ins_adamw *adamw, uint64_t count,
               const ins_adamw_options *options, const ins_host *host,
               ins_error *error)
{
    void *memory;

    *adamw = (ins_adamw){
        .options = *options, .beta1_power = 1, .beta2_power = 1, .host = *host};
    INS_TRY(ins_alloc_zeroed(host, count, sizeof(float), &memory, error));
    adamw->mean = memory;
    INS_TRY(ins_alloc_zeroed(host, count, sizeof(float), &memory, error));
    adamw->square = memory;
    return INS_OK;
}

void
ins_adamw_close(ins_adamw *adamw)
{
    ins_release(&adamw->host, adamw->mean);
    ins_release(&adamw->host, adamw->square);
    adamw->mean = adamw->square = NULL;
}

/* ---- the gradient's norm ------------------------------------------------- */

static double
sum_squares(const float *restrict values, size_t count)
{
    double sums[8] = {0};
    double sum = 0;
    size_t i = 0;

    for (; i + 8 <= count; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += (double) values[i + k] * (double) values[i + k];
    for (; i < count; i++)
        sum += (double) values[i] * (double) values[i];
    for (size_t k = 0; k < 8; k++)
        sum += sums[k];
    return sum;
}

static ins_status
measure(const ins_adamw *adamw, const float *gradient, double *norm,
        ins_error *error)
{
    const uint64_t step = (uint64_t) BLOCK * BLOCKS_PER_POLL;
    double sum = 0;

    for (size_t s = 0; s < adamw->span_count; s++) {
        const ins_adamw_span *span = &adamw->spans[s];

        for (uint64_t at = 0; at < span->count; at += step) {
            uint64_t left = span->count - at;

            INS_TRY(ins_poll(&adamw->host, error));
            sum += sum_squares(gradient + span->first + at,
                               (size_t) (left < step ? left : step));
        }
    }
    *norm = sqrt(sum);
    INS_CHECK(isfinite(*norm), error, INS_INTERNAL,
              "the training's gradient is not a number");
    return INS_OK;
}

/* ---- moving the values --------------------------------------------------- */

/* The factors of one step and span. */
struct move {
    float scale; /* of the gradient */
    float beta1, rest1;
    float beta2, rest2;
    float root; /* of what the squares are divided by: bias correction */
    float epsilon;
    float rate; /* with the bias correction of the mean */
    float keep; /* 1 - rate * decay */
};

static void
move_block(const struct move *move, float *restrict values,
           const float *restrict gradient, float *restrict mean,
           float *restrict square)
{
    float roots[BLOCK];

    for (size_t i = 0; i < BLOCK; i++) {
        float g = gradient[i] * move->scale;

        mean[i] = mean[i] * move->beta1 + g * move->rest1;
        square[i] = square[i] * move->beta2 + g * g * move->rest2;
    }
    for (size_t i = 0; i < BLOCK; i++)
        roots[i] = sqrtf(square[i]);
    for (size_t i = 0; i < BLOCK; i++)
        values[i] =
            values[i] * move->keep -
            move->rate * mean[i] / (roots[i] / move->root + move->epsilon);
}

/* Fewer than a block: the same numbers, with zeros behind them. */
static void
move_rest(const struct move *move, float *values, const float *gradient,
          float *mean, float *square, size_t count)
{
    float padded[4][BLOCK] = {{0}};

    for (size_t i = 0; i < count; i++) {
        padded[0][i] = values[i];
        padded[1][i] = gradient[i];
        padded[2][i] = mean[i];
        padded[3][i] = square[i];
    }
    move_block(move, padded[0], padded[1], padded[2], padded[3]);
    for (size_t i = 0; i < count; i++) {
        values[i] = padded[0][i];
        mean[i] = padded[2][i];
        square[i] = padded[3][i];
    }
}

static ins_status
move_span(ins_adamw *adamw, const ins_adamw_span *span, const struct move *move,
          float *values, const float *gradient, ins_error *error)
{
    uint64_t at = span->first;
    uint64_t end = span->first + span->count;

    for (uint64_t block = 0; at + BLOCK <= end; block++, at += BLOCK) {
        if (block % BLOCKS_PER_POLL == 0)
            INS_TRY(ins_poll(&adamw->host, error));
        move_block(move, values + at, gradient + at, adamw->mean + at,
                   adamw->square + at);
    }
    if (at < end)
        move_rest(move, values + at, gradient + at, adamw->mean + at,
                  adamw->square + at, (size_t) (end - at));
    return INS_OK;
}

static struct move
make_move(const ins_adamw *adamw, const ins_adamw_span *span, double rate,
          double norm)
{
    const ins_adamw_options *options = &adamw->options;
    double decay = span->decays ? options->weight_decay : 0;
    bool clips = options->clip > 0 && norm > options->clip;

    rate *= (double) span->rate;
    return (struct move){
        .scale = clips ? (float) (options->clip / norm) : 1,
        .beta1 = (float) options->beta1,
        .rest1 = (float) (1 - options->beta1),
        .beta2 = (float) options->beta2,
        .rest2 = (float) (1 - options->beta2),
        .root = (float) sqrt(1 - adamw->beta2_power),
        .epsilon = (float) options->epsilon,
        .rate = (float) (rate / (1 - adamw->beta1_power)),
        .keep = (float) (1 - rate * decay),
    };
}

ins_status
ins_adamw_step(ins_adamw *adamw, float *values, const float *gradient,
               double rate, double *norm, ins_error *error)
{
    double length;

    INS_TRY(measure(adamw, gradient, &length, error));
    if (norm != NULL)
        *norm = length;
    adamw->beta1_power *= adamw->options.beta1;
    adamw->beta2_power *= adamw->options.beta2;
    for (size_t s = 0; s < adamw->span_count; s++) {
        const ins_adamw_span *span = &adamw->spans[s];
        struct move move = make_move(adamw, span, rate, length);

        INS_TRY(move_span(adamw, span, &move, values, gradient, error));
    }
    return INS_OK;
}

double
ins_linear_schedule(uint64_t step, uint64_t steps, double warmup)
{
    uint64_t rising = (uint64_t) (warmup * (double) steps);

    if (step < rising)
        return (double) (step + 1) / (double) rising;
    return (double) (steps - step) / (double) (steps - rising);
}
