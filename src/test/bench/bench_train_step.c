/*
 * bench_train_step.c - bench_train_step PACK BATCH TOKENS: times steps of
 * fine-tuning (forward, backward, AdamW), for bench_train_step.py.
 *
 * Each line "step" on the standard input runs one step and answers its
 * seconds; the end of the input ends the program.  The head is of eight labels
 * over the mean of the tokens; the batch is always the same.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/bench/read_pack.h"
#include "test/malloc_host.h"
#include "train/adamw.h"
#include "train/fine_tune.h"

#define LABELS  8
#define DROPOUT 0.1f

static const ins_host host = {.alloc = malloc_host_alloc,
                              .release = malloc_host_release};

static void
require(ins_status status, const ins_error *error)
{
    if (status == INS_OK)
        return;
    fprintf(stderr, "bench_train_step: %s\n", error->message);
    exit(1);
}

/* Of the processor: other programs of the machine do not count. */
static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

/* The same ids as bench_train_step.py has. */
static void
make_rows(ins_tune_rows *rows, uint32_t batch, uint32_t tokens,
          uint32_t vocabulary)
{
    int32_t *ids = malloc((size_t) batch * tokens * sizeof(*ids));
    uint64_t *starts = malloc((batch + 1) * sizeof(*starts));
    uint32_t *targets = malloc(batch * sizeof(*targets));

    if (ids == NULL || starts == NULL || targets == NULL)
        exit(1);
    for (uint32_t i = 0; i < batch * tokens; i++)
        ids[i] = (int32_t) (100 + i * 37u % (vocabulary - 100));
    for (uint32_t i = 0; i <= batch; i++)
        starts[i] = (uint64_t) i * tokens;
    for (uint32_t i = 0; i < batch; i++)
        targets[i] = i % LABELS;
    *rows = (ins_tune_rows){
        .ids = ids, .starts = starts, .labels = {targets, NULL, batch, LABELS}};
}

/* Everything that a step needs. */
struct bench {
    ins_tune_rows rows;
    ins_batch_rows batch;
    ins_parameters *weights, *gradient;
    ins_tuner tuner;
    ins_adamw_span span;
    ins_adamw adamw;
};

static void
open_bench(struct bench *bench, const ins_pack_view *view, uint32_t batch,
           uint32_t tokens)
{
    ins_pack_recipe recipe;
    ins_network_options limits;
    uint32_t *order = malloc(batch * sizeof(*order));
    ins_error error;

    if (order == NULL)
        exit(1);
    for (uint32_t i = 0; i < batch; i++)
        order[i] = i;
    bench->batch = (ins_batch_rows){order, batch};
    make_rows(&bench->rows, batch, tokens, view->recipe->vocabulary);
    ins_fine_tune_recipe(view->recipe, LABELS, false,
                         INS_WEIGHTS_CHOICE_DEFAULT, &recipe);
    require(ins_parameters_open(&bench->weights, &recipe, &host, &error),
            &error);
    require(ins_parameters_read(bench->weights, view, &error), &error);
    require(ins_parameters_open(&bench->gradient, &recipe, &host, &error),
            &error);
    limits = ins_tuner_limits(tokens, batch);
    limits.dropout = DROPOUT;
    require(ins_tuner_open(&bench->tuner, &bench->rows, bench->weights, &limits,
                           &host, &error),
            &error);
    bench->span = (ins_adamw_span){0, bench->weights->count, 1, true};
    require(ins_adamw_open(&bench->adamw, bench->weights->count,
                           &ins_adamw_defaults, &host, &error),
            &error);
    bench->adamw.spans = &bench->span;
    bench->adamw.span_count = 1;
}

static double
run_step(struct bench *bench)
{
    double start = now();
    ins_tune_score score = {.rows = 0};
    ins_error error;

    memset(bench->gradient->values, 0,
           (size_t) bench->gradient->count * sizeof(float));
    require(ins_tuner_learn(&bench->tuner, &bench->batch, bench->gradient,
                            &score, &error),
            &error);
    require(ins_adamw_step(&bench->adamw, bench->weights->values,
                           bench->gradient->values, 1e-5, NULL, &error),
            &error);
    return now() - start;
}

int
main(int argc, char **argv)
{
    struct bench bench;
    ins_pack_view view;
    ins_error error;
    char line[64];
    size_t size;
    void *pack;

    if (argc != 4) {
        fprintf(stderr, "usage: bench_train_step PACK BATCH TOKENS\n");
        return 2;
    }
    require(ins_runtime_prepare(&error), &error);
    pack = read_pack(argv[1], &size);
    require(ins_pack_read(&view, pack, size, &error), &error);
    open_bench(&bench, &view, (uint32_t) strtoul(argv[2], NULL, 10),
               (uint32_t) strtoul(argv[3], NULL, 10));
    while (fgets(line, sizeof(line), stdin) != NULL) {
        printf("%.6f\n", run_step(&bench));
        fflush(stdout);
    }
    return 0;
}
