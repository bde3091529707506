/*
 * targets.c - what a head should say for each row, and how much the row counts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/targets.h"

#include <string.h>

#define WORK_PER_POLL ((uint64_t) 1 << 22) /* bytes written, about 1 ms */
#define WORK_PER_ROW  64

struct walk {
    ins_row_cursor cursor;
    const ins_sorted_labels *labels;
    const ins_host *host;
    uint64_t work; /* since the last poll */
};

uint64_t
ins_targets_bytes(uint64_t rows, uint32_t labels,
                  const ins_targets_options *options)
{
    uint64_t per_row = options->multi_label ? labels : sizeof(uint32_t);

    return rows * (per_row + (options->balanced ? sizeof(float) : 0));
}

static ins_status
count_work(struct walk *walk, uint64_t work, ins_error *error)
{
    walk->work += work + WORK_PER_ROW;
    if (walk->work < WORK_PER_POLL)
        return INS_OK;
    walk->work = 0;
    return ins_poll(walk->host, error);
}

static ins_status
fill_numbers(ins_targets *targets, struct walk *walk, ins_error *error)
{
    ins_row row;

    for (uint64_t i = 0; ins_row_cursor_next(&walk->cursor, &row); i++) {
        INS_TRY(count_work(walk, sizeof(uint32_t), error));
        targets->numbers[i] = walk->labels->places[ins_row_next_label(&row)];
    }
    return INS_OK;
}

static ins_status
fill_marks(ins_targets *targets, struct walk *walk, ins_error *error)
{
    uint8_t *marks = targets->marks;
    ins_row row;

    while (ins_row_cursor_next(&walk->cursor, &row)) {
        INS_TRY(
            count_work(walk, targets->labels + 8ull * row.label_count, error));
        memset(marks, 0, targets->labels);
        while (row.label_count-- > 0)
            marks[walk->labels->places[ins_row_next_label(&row)]] = 1;
        marks += targets->labels;
    }
    return INS_OK;
}

/* ---- weights ------------------------------------------------------------- */

static ins_status
count_labels(const ins_targets *targets, struct walk *walk, uint64_t *counts,
             ins_error *error)
{
    const uint8_t *marks = targets->marks;

    for (uint64_t i = 0; i < targets->count; i++) {
        INS_TRY(count_work(walk, marks != NULL ? targets->labels : 0, error));
        if (marks == NULL) {
            counts[targets->numbers[i]]++;
            continue;
        }
        for (uint32_t k = 0; k < targets->labels; k++)
            counts[k] += marks[k];
        marks += targets->labels;
    }
    return INS_OK;
}

static double
weight_of_label(const ins_targets *targets, const uint64_t *counts,
                uint32_t label)
{
    return (double) targets->count /
           ((double) targets->labels * (double) counts[label]);
}

static double
weight_of_marks(const ins_targets *targets, const uint64_t *counts,
                const uint8_t *marks)
{
    double sum = 0;
    uint32_t found = 0;

    for (uint32_t i = 0; i < targets->labels; i++) {
        if (marks[i] == 0)
            continue;
        sum += weight_of_label(targets, counts, i);
        found++;
    }
    return found > 0 ? sum / found : 1;
}

static ins_status
fill_weights(ins_targets *targets, struct walk *walk, const uint64_t *counts,
             ins_error *error)
{
    double sum = 0;

    for (uint64_t i = 0; i < targets->count; i++) {
        double weight;

        INS_TRY(count_work(walk, targets->marks != NULL ? targets->labels : 0,
                           error));
        if (targets->marks != NULL)
            weight = weight_of_marks(targets, counts,
                                     targets->marks + i * targets->labels);
        else
            weight = weight_of_label(targets, counts, targets->numbers[i]);
        targets->weights[i] = (float) weight;
        sum += weight;
    }
    for (uint64_t i = 0; i < targets->count; i++) {
        INS_TRY(count_work(walk, 0, error));
        targets->weights[i] *= (float) ((double) targets->count / sum);
    }
    return INS_OK;
}

static ins_status
balance(ins_targets *targets, struct walk *walk, ins_error *error)
{
    void *memory;
    ins_status status;

    INS_TRY(
        ins_alloc(walk->host, targets->count, sizeof(float), &memory, error));
    targets->weights = memory;
    INS_TRY(ins_alloc_zeroed(walk->host, targets->labels, sizeof(uint64_t),
                             &memory, error));
    status = count_labels(targets, walk, memory, error);
    if (status == INS_OK)
        status = fill_weights(targets, walk, memory, error);
    ins_release(walk->host, memory);
    return status;
}

ins_status
ins_targets_open(ins_targets *targets, const ins_row_store *rows,
                 const ins_sorted_labels *labels,
                 const ins_targets_options *options, const ins_host *host,
                 ins_error *error)
{
    struct walk walk = {
        .cursor = {.store = rows}, .labels = labels, .host = host};
    void *memory;

    *targets =
        (ins_targets){.count = rows->count, .labels = labels->table.count};
    if (options->multi_label) {
        INS_TRY(ins_alloc(host, rows->count, targets->labels, &memory, error));
        targets->marks = memory;
        INS_TRY(fill_marks(targets, &walk, error));
    } else {
        INS_TRY(ins_alloc(host, rows->count, sizeof(uint32_t), &memory, error));
        targets->numbers = memory;
        INS_TRY(fill_numbers(targets, &walk, error));
    }
    return options->balanced ? balance(targets, &walk, error) : INS_OK;
}

void
ins_targets_close(ins_targets *targets, const ins_host *host)
{
    ins_release(host, targets->numbers);
    ins_release(host, targets->marks);
    ins_release(host, targets->weights);
    *targets = (ins_targets){.count = 0};
}
