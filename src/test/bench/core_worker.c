/*
 * core_worker.c - core_worker CASES PACK: the core alone, for bench_peers.py.
 *
 * CASES is a text file: for each case a line "texts per-call unit", then its
 * texts, one per line.  A rate is taken over whole units: of texts that differ
 * in length all have had their turn.  Commands on standard input, one answer
 * per line:
 *
 *     run CASE SECONDS    texts per second
 *     embed CASE          the embedding of the case's first text
 *     quit
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

#define MAX_CASES 32
#define MAX_TEXTS 4096
#define MAX_LINE  65536

typedef struct bench_case {
    ins_text *texts;
    size_t count;
    size_t per_call;
    size_t unit;
} bench_case;

typedef struct core_worker {
    bench_case cases[MAX_CASES];
    size_t case_count;
    ins_session *session;
    float *rows;
    size_t stride;
} core_worker;

static const ins_host host = {.alloc = malloc_host_alloc,
                              .release = malloc_host_release};

static void
fail(const char *what)
{
    fprintf(stderr, "core_worker: %s\n", what);
    exit(1);
}

static void
require(ins_status status, const ins_error *error)
{
    if (status != INS_OK)
        fail(error->message);
}

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static ins_text
read_text(FILE *file, char *line)
{
    ins_text text = {NULL, 0};

    if (fgets(line, MAX_LINE, file) == NULL)
        fail("a text is missing");
    text.size = strcspn(line, "\n");
    text.data = strdup(line);
    return text;
}

static void
read_cases(core_worker *worker, const char *path)
{
    FILE *file = fopen(path, "r");
    static char line[MAX_LINE];

    if (file == NULL)
        fail(path);
    while (fgets(line, sizeof(line), file) != NULL) {
        bench_case *entry = &worker->cases[worker->case_count++];

        if (worker->case_count > MAX_CASES ||
            sscanf(line, "%zu %zu %zu", &entry->count, &entry->per_call,
                   &entry->unit) != 3 ||
            entry->count == 0 || entry->count > MAX_TEXTS ||
            entry->per_call == 0 || entry->per_call > entry->count ||
            entry->unit == 0)
            fail("the file of cases is wrong");
        entry->texts = malloc(entry->count * sizeof(ins_text));
        if (entry->texts == NULL)
            fail("out of memory");
        for (size_t i = 0; i < entry->count; i++)
            entry->texts[i] = read_text(file, line);
    }
    fclose(file);
}

static void
run_texts(core_worker *worker, const ins_text *texts, size_t count)
{
    ins_error error;

    require(ins_run(worker->session, INS_TASK_EMBED, texts, count, worker->rows,
                    worker->stride, &error),
            &error);
}

static void
run_case(core_worker *worker, const bench_case *entry, double seconds)
{
    double start = now();
    double passed;
    size_t done = 0;
    size_t next = 0;

    do {
        if (next + entry->per_call > entry->count)
            next = 0;
        run_texts(worker, entry->texts + next, entry->per_call);
        next += entry->per_call;
        done += entry->per_call;
        passed = now() - start;
    } while (passed < seconds || done % entry->unit != 0);
    printf("%.3f\n", (double) done / passed);
}

static void
print_embedding(core_worker *worker, const bench_case *entry)
{
    run_texts(worker, entry->texts, 1);
    for (size_t i = 0; i < worker->stride; i++)
        printf("%s%.9g", i == 0 ? "[" : ",", (double) worker->rows[i]);
    printf("]\n");
}

static void
answer(core_worker *worker)
{
    char line[128];
    size_t number = 0;
    double seconds = 0;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (sscanf(line, "run %zu %lf", &number, &seconds) == 2 &&
            number < worker->case_count)
            run_case(worker, &worker->cases[number], seconds);
        else if (sscanf(line, "embed %zu", &number) == 1 &&
                 number < worker->case_count)
            print_embedding(worker, &worker->cases[number]);
        else
            break;
        fflush(stdout);
    }
}

int
main(int argc, char **argv)
{
    static core_worker state;
    ins_model *model;
    ins_error error;
    size_t size = 0;
    void *pack;

    if (argc != 3)
        fail("usage: core_worker CASES PACK");
    read_cases(&state, argv[1]);
    pack = read_pack(argv[2], &size);
    require(ins_runtime_prepare(&error), &error);
    require(ins_model_open(&model, pack, size, &host, &error), &error);
    require(ins_session_open(&state.session, model, NULL, &host, &error),
            &error);
    state.stride = ins_model_describe(model)->embedding_size;
    state.rows = malloc(MAX_TEXTS * state.stride * sizeof(float));
    if (state.rows == NULL)
        fail("out of memory");
    answer(&state);
    ins_session_close(state.session);
    ins_model_close(model);
    free(pack);
    free(state.rows);
    return 0;
}
