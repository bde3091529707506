/*
 * bench_train.c - bench_train PACK TRAIN TEST [METHOD [OPTIONS]]: trains on
 * lines "label TAB text" and prints the seconds of each phase and the share of
 * right labels on other such lines.  bench_banking.py makes the files.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "insitu_train.h"

#define MAX_PHASES 8

static struct {
    const char *names[MAX_PHASES];
    double begin[MAX_PHASES];
    int count;
    double last;    /* when it was last told */
    double longest; /* between two tellings */
    double fraction;
} phases;

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

static void
note_progress(void *user, const ins_training_progress *progress)
{
    double now = seconds();
    int last = phases.count - 1;

    (void) user;
    if (phases.last > 0 && now - phases.last > phases.longest)
        phases.longest = now - phases.last;
    phases.last = now;
    if (progress->fraction < phases.fraction)
        printf("the fraction fell to %g\n", progress->fraction);
    phases.fraction = progress->fraction;
    if (last >= 0 && strcmp(phases.names[last], progress->phase) == 0)
        return;
    if (phases.count == MAX_PHASES)
        return;
    if (last >= 0)
        printf("  at %.3f of the run %s begins\n", progress->fraction,
               progress->phase);
    phases.names[phases.count] = progress->phase;
    phases.begin[phases.count++] = now;
}

static void *
allocate(void *user, size_t size)
{
    (void) user;
    return malloc(size);
}

static void
release(void *user, void *memory)
{
    (void) user;
    free(memory);
}

static const ins_host host = {.alloc = allocate, .release = release};
static ins_error error;

static void
require(ins_status status)
{
    if (status == INS_OK)
        return;
    fprintf(stderr, "bench_train: %s\n%s\n%s\n", error.message, error.detail,
            error.hint);
    exit(1);
}

/* aligned_alloc: the pack is read in place. */
static char *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long end;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 ||
        (end = ftell(file)) < 0) {
        perror(path);
        exit(1);
    }
    rewind(file);
    *size = (size_t) end;
    bytes = aligned_alloc(64, (*size + 64) / 64 * 64);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
        exit(1);
    fclose(file);
    return bytes;
}

/* The next line of [*at, end): false at the end. */
static bool
next_line(const char **at, const char *end, ins_text *label, ins_text *text)
{
    const char *tab;
    const char *stop;

    if (*at >= end)
        return false;
    tab = memchr(*at, '\t', (size_t) (end - *at));
    stop = memchr(*at, '\n', (size_t) (end - *at));
    if (tab == NULL || stop == NULL || tab > stop)
        return false;
    *label = (ins_text){*at, (size_t) (tab - *at)};
    *text = (ins_text){tab + 1, (size_t) (stop - tab - 1)};
    *at = stop + 1;
    return true;
}

static void
train(const ins_model *base, ins_training_method method, const char *json,
      const char *path, void **pack, size_t *pack_bytes)
{
    ins_training_options options;
    ins_training *training;
    size_t size;
    char *bytes = read_file(path, &size);
    const char *at = bytes;
    ins_text label;
    ins_text text;
    double begin;

    require(ins_training_options_parse(&options, method,
                                       (ins_text){json, strlen(json)}, &error));
    options.progress = note_progress;
    require(
        ins_training_open(&training, method, &options, base, &host, &error));
    while (next_line(&at, bytes + size, &label, &text))
        require(ins_training_add_text(training, text, &label, 1, &error));
    printf("%llu rows, %llu bytes held\n",
           (unsigned long long) ins_training_rows(training),
           (unsigned long long) ins_training_bytes(training));
    begin = seconds();
    require(ins_training_run(training, pack, pack_bytes, &error));
    phases.begin[phases.count] = seconds();
    printf("%.2f s in all\n", seconds() - begin);
    for (int i = 0; i < phases.count; i++)
        printf("  %-8s %8.2f s\n", phases.names[i],
               phases.begin[i + 1] - phases.begin[i]);
    printf("longest silence %.3f s\n", phases.longest);
    ins_training_close(training);
    free(bytes);
}

static void
evaluate(const ins_model *model, const char *path)
{
    uint32_t labels = ins_model_describe(model)->label_count;
    float *scores = malloc(labels * sizeof(float));
    ins_session *session;
    size_t size;
    char *bytes = read_file(path, &size);
    const char *at = bytes;
    ins_text label;
    ins_text text;
    size_t rows = 0;
    size_t right = 0;

    require(ins_session_open(&session, model, NULL, &host, &error));
    while (next_line(&at, bytes + size, &label, &text)) {
        ins_text found;

        require(ins_run(session, INS_TASK_CLASSIFY, &text, 1, scores, labels,
                        &error));
        found = ins_model_label(model, ins_best_label(scores, labels));
        right += found.size == label.size &&
                 memcmp(found.data, label.data, label.size) == 0;
        rows++;
    }
    printf("accuracy %.4f on %zu rows, %u labels\n",
           (double) right / (double) rows, rows, labels);
    ins_session_close(session);
    free(scores);
    free(bytes);
}

int
main(int argc, char **argv)
{
    ins_training_method method = INS_TRAIN_CLASSIFIER;
    ins_model *base;
    ins_model *model;
    size_t size;
    char *bytes;
    void *pack;

    if (argc < 4) {
        fprintf(stderr, "usage: bench_train PACK TRAIN TEST [METHOD "
                        "[OPTIONS]]\n");
        return 2;
    }
    if (argc > 4 && strcmp(argv[4], "fine_tune") == 0)
        method = INS_TRAIN_FINE_TUNE;
    bytes = read_file(argv[1], &size);
    require(ins_runtime_prepare(&error));
    require(ins_model_open(&base, bytes, size, &host, &error));
    train(base, method, argc > 5 ? argv[5] : "{}", argv[2], &pack, &size);
    require(ins_pack_check(pack, size, &host, &error));
    require(ins_model_open(&model, pack, size, &host, &error));
    evaluate(model, argv[3]);
    ins_model_close(model);
    ins_model_close(base);
    free(pack);
    free(bytes);
    return 0;
}
