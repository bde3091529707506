/*
 * sampling.c - shuffles, and which rows are held back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/sampling.h"

#define MARKS_PER_POLL ((uint64_t) 1 << 22)
/* Each may be a miss of all caches. */
#define ITEMS_PER_POLL 65536

ins_status
ins_shuffle(uint32_t *items, size_t count, uint64_t *random,
            const ins_host *host, ins_error *error)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t) ins_random_below(random, i);
        uint32_t item = items[k];

        if (i % ITEMS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        items[k] = items[i - 1];
        items[i - 1] = item;
    }
    return INS_OK;
}

/* ---- holding back -------------------------------------------------------- */

/* How the rows of each label are divided. */
struct division {
    const ins_row_labels *rows;
    uint32_t *left;  /* rows that still train, per label */
    uint32_t *quota; /* to be held back, per label; targets only */
    uint64_t wanted; /* to be held back, of all */
};

static ins_status
count_labels(struct division *division, const ins_host *host, ins_error *error)
{
    const ins_row_labels *rows = division->rows;
    uint64_t marks = 0;

    for (size_t row = 0; row < rows->count; row++) {
        if (row % ITEMS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        if (rows->targets != NULL) {
            division->left[rows->targets[row]]++;
            continue;
        }
        for (uint32_t i = 0; i < rows->labels; i++)
            division->left[i] += rows->marks[row * rows->labels + i];
        marks += rows->labels;
        if (marks > MARKS_PER_POLL) {
            INS_TRY(ins_poll(host, error));
            marks = 0;
        }
    }
    return INS_OK;
}

static void
set_quotas(struct division *division, double fraction)
{
    for (uint32_t i = 0; i < division->rows->labels; i++) {
        uint32_t count = division->left[i];
        uint32_t share = (uint32_t) (fraction * (double) count + 0.5);

        division->quota[i] = share < count ? share : count > 0 ? count - 1 : 0;
    }
}

static bool
take_marked(struct division *division, const uint8_t *marks)
{
    uint32_t labels = division->rows->labels;

    if (division->wanted == 0)
        return false;
    for (uint32_t i = 0; i < labels; i++)
        if (marks[i] && division->left[i] < 2)
            return false;
    for (uint32_t i = 0; i < labels; i++)
        division->left[i] -= marks[i];
    division->wanted--;
    return true;
}

static bool
take_row(struct division *division, uint32_t row)
{
    const ins_row_labels *rows = division->rows;
    uint32_t *quota;

    if (rows->targets == NULL)
        return take_marked(division, rows->marks + (size_t) row * rows->labels);
    quota = &division->quota[rows->targets[row]];
    if (*quota == 0)
        return false;
    --*quota;
    return true;
}

/* Shuffled already: the held-back rows go behind the others. */
static ins_status
divide(struct division *division, uint32_t *order, uint32_t *taken,
       size_t *held, const ins_host *host, ins_error *error)
{
    size_t count = division->rows->count;
    size_t kept = 0;

    *held = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % 4096 == 0)
            INS_TRY(ins_poll(host, error));
        if (take_row(division, order[i]))
            taken[(*held)++] = order[i];
        else
            order[kept++] = order[i];
    }
    for (size_t i = 0; i < *held; i++)
        order[kept + i] = taken[i];
    return INS_OK;
}

ins_status
ins_hold_back(const ins_row_labels *rows, double fraction, uint64_t *random,
              uint32_t *order, size_t *held, const ins_host *host,
              ins_error *error)
{
    struct division division = {.rows = rows};
    ins_status status;
    void *counts;
    void *taken;

    *held = 0;
    for (size_t i = 0; i < rows->count; i++)
        order[i] = (uint32_t) i;
    INS_TRY(ins_shuffle(order, rows->count, random, host, error));
    if (!(fraction > 0))
        return INS_OK;
    INS_TRY(ins_alloc_zeroed(host, (uint64_t) rows->labels * 2,
                             sizeof(uint32_t), &counts, error));
    status = ins_alloc(host, rows->count, sizeof(uint32_t), &taken, error);
    division.left = counts;
    division.quota = division.left + rows->labels;
    division.wanted = (uint64_t) (fraction * (double) rows->count + 0.5);
    if (status == INS_OK)
        status = count_labels(&division, host, error);
    if (status == INS_OK) {
        set_quotas(&division, fraction);
        status = divide(&division, order, taken, held, host, error);
    }
    ins_release(host, taken);
    ins_release(host, counts);
    return status;
}
