/*
 * bench_gradient.c - bench_gradient [TEXTS TOKENS DROPOUT ROUNDS]: time of a
 * forward and a backward pass of a model of 6 layers of 384, of one core.
 *
 * Prints the median of the rounds with the lowest and highest, in milliseconds
 * of processor time, the rate of products alone, and the longest time between
 * two polls.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gradient/network.h"
#include "test/malloc_host.h"

#define LABELS     10
#define MAX_ROUNDS 100

static double
seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

struct polls {
    double last, longest;
};

static struct polls polls;

static bool
note_poll(void *user)
{
    struct polls *self = user;
    double now = seconds(CLOCK_PROCESS_CPUTIME_ID);

    if (self->last > 0 && now - self->last > self->longest)
        self->longest = now - self->last;
    self->last = now;
    return false;
}

static const ins_host host = {.user = &polls,
                              .alloc = malloc_host_alloc,
                              .release = malloc_host_release,
                              .cancelled = note_poll};

static ins_error error;

static void
require(ins_status status)
{
    if (status == INS_OK)
        return;
    fprintf(stderr, "bench_gradient: %s\n", error.message);
    exit(1);
}

static const ins_pack_recipe recipe = {
    .flags = INS_RECIPE_CLASSIFY | INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE |
             INS_RECIPE_HEAD_POOLED,
    .layers = 6,
    .hidden = 384,
    .heads = 12,
    .intermediate = 1536,
    .vocabulary = 30522,
    .positions = 512,
    .token_types = 2,
    .activation = INS_ACTIVATION_GELU,
    .pooling = INS_POOLING_MEAN,
    .labels = LABELS,
    .max_tokens = 512,
    .norm_epsilon = 1e-12f,
    .weights = INS_WEIGHTS_F32,
};

/* Of the products with weights and of attention, there only. */
static double
forward_operations(uint32_t texts, uint32_t tokens)
{
    double rows = (double) texts * tokens;
    double per_row = 4.0 * recipe.hidden * recipe.hidden +
                     2.0 * recipe.hidden * recipe.intermediate +
                     2.0 * recipe.hidden * tokens;

    return 2 * recipe.layers * rows * per_row;
}

/* Numbers as after initialisation; norms are 1 and 0. */
static void
fill_weights(ins_parameters *weights)
{
    uint32_t state = 1;

    for (uint64_t i = 0; i < weights->count; i++) {
        state = state * 1664525u + 1013904223u;
        weights->values[i] = (float) ((int) (state >> 8) % 2001 - 1000) * 5e-5f;
    }
    for (uint32_t i = 0; i < weights->tensor_count; i++) {
        const ins_parameter *tensor = &weights->tensors[i];

        for (uint32_t k = 0; tensor->rows == 2 && k < tensor->columns; k++)
            tensor->values[k] = 1;
    }
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;

    return (left > right) - (left < right);
}

static void
print_times(const char *name, double *times, int rounds, double operations)
{
    double median;

    qsort(times, (size_t) rounds, sizeof(times[0]), compare);
    median = times[rounds / 2];
    printf("%-8s %7.1f ms (%.1f to %.1f), %5.1f GFLOP/s\n", name, median * 1e3,
           times[0] * 1e3, times[rounds - 1] * 1e3, operations / median * 1e-9);
}

static void
run_round(ins_network *network, const ins_batch *batch, ins_parameters *sums,
          double times[2])
{
    float *gradient = calloc(batch->sequence_count, LABELS * sizeof(float));
    const float *logits;
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);

    polls.last = start;
    require(ins_network_forward(network, batch, NULL, true, &logits, &error));
    times[0] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    for (uint32_t i = 0; i < batch->sequence_count; i++)
        ins_loss_softmax(logits + i * LABELS, LABELS, i % LABELS,
                         1.0 / batch->sequence_count, gradient + i * LABELS);
    start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    require(ins_network_backward(network, gradient, sums, NULL, &error));
    times[1] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    polls.last = 0;
    free(gradient);
}

int
main(int argc, char **argv)
{
    uint32_t texts = argc > 1 ? (uint32_t) atoi(argv[1]) : 32;
    uint32_t tokens = argc > 2 ? (uint32_t) atoi(argv[2]) : 32;
    int rounds = argc > 4 ? atoi(argv[4]) : 9;
    ins_network_options options = {
        .batch_tokens = texts * tokens,
        .batch_texts = texts,
        .max_tokens = tokens,
        .dropout = argc > 3 ? (float) atof(argv[3]) : 0.1f,
    };
    int32_t *ids = calloc((size_t) texts * tokens + 1, sizeof(int32_t));
    uint32_t *starts = calloc((size_t) texts + 1, sizeof(uint32_t));
    ins_batch batch = {ids, starts, texts, texts * tokens};
    double operations = forward_operations(texts, tokens);
    double forward[MAX_ROUNDS], backward[MAX_ROUNDS], times[2];
    ins_parameters *weights, *sums;
    ins_network *network;

    if (rounds < 1 || rounds > MAX_ROUNDS || ids == NULL || starts == NULL)
        return 2;
    for (uint32_t i = 0; i < batch.token_count; i++)
        ids[i] = (int32_t) (i * 7919 % recipe.vocabulary);
    for (uint32_t i = 0; i <= texts; i++)
        starts[i] = i * tokens;
    require(ins_runtime_prepare(&error));
    require(ins_parameters_open(&weights, &recipe, &host, &error));
    require(ins_parameters_open(&sums, &recipe, &host, &error));
    fill_weights(weights);
    require(ins_network_open(&network, weights, &options, &host, &error));
    run_round(network, &batch, sums, times);
    for (int i = 0; i < rounds; i++) {
        run_round(network, &batch, sums, times);
        forward[i] = times[0];
        backward[i] = times[1];
    }
    print_times("forward", forward, rounds, operations);
    print_times("backward", backward, rounds, 2 * operations);
    printf("%.1f MB beside weights and gradient, %.1f ms between polls\n",
           (double) ins_network_bytes(&recipe, &options) / 1e6,
           polls.longest * 1e3);
    ins_network_close(network);
    ins_parameters_close(sums);
    ins_parameters_close(weights);
    free(ids);
    free(starts);
    return 0;
}
