/*
 * bench_encoder.c - bench_encoder PACK [LEVEL]: texts per second of the core
 * alone, without a database.
 *
 * Each row is one length; columns are one text per call and 32 per call, as
 * the median of the rounds with the lowest and highest.  Texts are made of
 * pieces of the model's vocabulary that are one token each.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "insitu.h"
#include "test/bench/read_pack.h"
#include "test/malloc_host.h"

#define ROUNDS        9
#define BATCH         32
#define ROUND_SECONDS 0.25
#define MAX_TEXT      65536

static const ins_host host = {.alloc = malloc_host_alloc,
                              .release = malloc_host_release};

static void
require(ins_status status, const ins_error *error)
{
    if (status == INS_OK)
        return;
    fprintf(stderr, "bench_encoder: %s\n", error->message);
    exit(1);
}

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static bool
is_word(ins_text piece)
{
    if (piece.size < 3 || piece.size > 10)
        return false;
    for (size_t i = 0; i < piece.size; i++)
        if (piece.data[i] < 'a' || piece.data[i] > 'z')
            return false;
    return true;
}

/* Words of one token each; seed makes texts differ. */
static ins_text
make_text(const ins_model *model, uint32_t words, uint32_t seed, char *buffer)
{
    uint32_t vocabulary = ins_model_describe(model)->vocabulary_size;
    size_t size = 0;

    for (uint32_t id = seed * 97 % vocabulary; words > 0;
         id = (id + 1) % vocabulary) {
        ins_text piece = ins_model_token_text(model, (int32_t) id);

        if (!is_word(piece) || size + piece.size + 1 > MAX_TEXT / BATCH)
            continue;
        memcpy(buffer + size, piece.data, piece.size);
        size += piece.size;
        buffer[size++] = ' ';
        words--;
    }
    return (ins_text){buffer, size};
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;

    return (x > y) - (x < y);
}

/* Texts per second of one round. */
static double
run_round(ins_session *session, ins_task task, const ins_text *texts,
          size_t per_call, float *rows, size_t stride)
{
    double start = now();
    double seconds;
    size_t done = 0;
    ins_error error;

    do {
        require(ins_run(session, task, texts + done % BATCH, per_call, rows,
                        stride, &error),
                &error);
        done += per_call;
        seconds = now() - start;
    } while (seconds < ROUND_SECONDS);
    return (double) done / seconds;
}

static void
print_rate(double *rates)
{
    qsort(rates, ROUNDS, sizeof(double), compare_doubles);
    printf("  %8.1f (%.1f-%.1f)", rates[ROUNDS / 2], rates[0],
           rates[ROUNDS - 1]);
}

static void
bench_length(ins_session *session, const ins_model *model, uint32_t tokens)
{
    static char buffer[MAX_TEXT];
    const ins_model_info *info = ins_model_describe(model);
    ins_task task = info->can_embed ? INS_TASK_EMBED : INS_TASK_CLASSIFY;
    size_t stride = info->can_embed ? info->embedding_size : info->label_count;
    float *rows = malloc(BATCH * stride * sizeof(float));
    ins_text texts[BATCH];
    double alone[ROUNDS], together[ROUNDS];

    if (rows == NULL)
        exit(1);
    for (uint32_t i = 0; i < BATCH; i++)
        texts[i] = make_text(model, tokens - 2, i,
                             buffer + (size_t) i * MAX_TEXT / BATCH);
    run_round(session, task, texts, BATCH, rows, stride);
    /* In turns, so that a busy minute hurts both. */
    for (size_t i = 0; i < ROUNDS; i++) {
        alone[i] = run_round(session, task, texts, 1, rows, stride);
        together[i] = run_round(session, task, texts, BATCH, rows, stride);
    }
    printf("%6u", tokens);
    print_rate(alone);
    print_rate(together);
    printf("\n");
    free(rows);
}

int
main(int argc, char **argv)
{
    static const uint32_t lengths[] = {16, 32, 64, 128};
    ins_options options = {.kernels = argc > 2 ? argv[2] : NULL};
    ins_session *session;
    ins_model *model;
    ins_error error;
    size_t size = 0;
    void *pack;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_encoder PACK [LEVEL]\n");
        return 2;
    }
    pack = read_pack(argv[1], &size);
    require(ins_runtime_prepare(&error), &error);
    require(ins_model_open(&model, pack, size, &host, &error), &error);
    require(ins_session_open(&session, model, &options, &host, &error), &error);
    printf("tokens  texts/s, one per call (lowest-highest), %d per call\n",
           BATCH);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        if (lengths[i] <= ins_model_describe(model)->max_tokens)
            bench_length(session, model, lengths[i]);
    ins_session_close(session);
    ins_model_close(model);
    free(pack);
    return 0;
}
