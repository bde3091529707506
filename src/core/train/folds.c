/*
 * folds.c - cuts rows into folds for cross-validation.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/folds.h"

#include "train/sampling.h"

#define ROWS_PER_POLL 65536

uint64_t
ins_folds_bytes(const ins_head_rows *rows)
{
    return (uint64_t) rows->count * (sizeof(uint8_t) + sizeof(uint32_t)) +
           ((uint64_t) rows->labels + 1) * sizeof(uint32_t);
}

static uint32_t
label_of(const ins_head_rows *rows, size_t row)
{
    return rows->targets != NULL ? rows->targets[row] : 0;
}

static ins_status
poll_sometimes(size_t row, const ins_host *host, ins_error *error)
{
    return row % ROWS_PER_POLL == 0 ? ins_poll(host, error) : INS_OK;
}

/* Fills folds->numbers with the rows ordered by label; starts: [labels + 1],
 * zeros, becomes where each label's rows end. */
static ins_status
order_rows(ins_folds *folds, const ins_head_rows *rows, uint32_t *starts,
           const ins_host *host, ins_error *error)
{
    for (size_t i = 0; i < rows->count; i++) {
        INS_TRY(poll_sometimes(i, host, error));
        starts[label_of(rows, i) + 1]++;
    }
    for (uint32_t i = 0; i < rows->labels; i++)
        starts[i + 1] += starts[i];
    for (size_t i = 0; i < rows->count; i++) {
        INS_TRY(poll_sometimes(i, host, error));
        folds->numbers[starts[label_of(rows, i)]++] = (uint32_t) i;
    }
    return INS_OK;
}

/* Deals out the rows of each label, going on with the fold after the one that
 * the label before ended with. */
static ins_status
deal_rows(ins_folds *folds, const uint32_t *ends, uint32_t labels,
          uint64_t seed, const ins_host *host, ins_error *error)
{
    uint32_t start = 0;
    uint32_t next = 0;

    for (uint32_t label = 0; label < labels; label++) {
        uint32_t count = ends[label] - start;
        uint32_t *numbers = folds->numbers + start;

        INS_TRY(ins_poll(host, error));
        INS_TRY(ins_shuffle(numbers, count, &seed, host, error));
        if (count == 1)
            folds->folds[numbers[0]] = INS_FOLD_NONE;
        for (uint32_t i = 0; i < count && count > 1; i++) {
            INS_TRY(poll_sometimes(i, host, error));
            folds->folds[numbers[i]] = (uint8_t) next;
            next = (next + 1) % folds->fold_count;
        }
        start = ends[label];
    }
    return INS_OK;
}

ins_status
ins_folds_open(ins_folds *folds, const ins_head_rows *rows, uint32_t fold_count,
               uint64_t seed, const ins_host *host, ins_error *error)
{
    void *starts = NULL;
    void *memory;
    ins_status status;

    *folds = (ins_folds){.count = rows->count, .fold_count = fold_count};
    INS_CHECK(fold_count >= 2 && fold_count <= 10, error, INS_INVALID_ARGUMENT,
              "rows are cut into 2 to 10 folds, not %u", fold_count);
    INS_CHECK(rows->count <= UINT32_MAX, error, INS_LIMIT_EXCEEDED,
              "there are too many rows to cut into folds");
    INS_TRY(ins_alloc(host, rows->count, sizeof(uint8_t), &memory, error));
    folds->folds = memory;
    INS_TRY(ins_alloc(host, rows->count, sizeof(uint32_t), &memory, error));
    folds->numbers = memory;
    INS_TRY(ins_alloc_zeroed(host, (uint64_t) rows->labels + 1,
                             sizeof(uint32_t), &starts, error));
    status = order_rows(folds, rows, starts, host, error);
    if (status == INS_OK)
        status = deal_rows(folds, starts, rows->labels, seed, host, error);
    ins_release(host, starts);
    return status;
}

void
ins_folds_close(ins_folds *folds, const ins_host *host)
{
    ins_release(host, folds->folds);
    ins_release(host, folds->numbers);
    *folds = (ins_folds){0};
}

void
ins_folds_cut(const ins_folds *folds, uint32_t fold, ins_head_part *train,
              ins_head_part *held)
{
    size_t first = 0;
    size_t last = folds->count;

    /* The rows to train on from the front, the others from the back. */
    for (size_t i = 0; i < folds->count; i++)
        if (folds->folds[i] != fold)
            folds->numbers[first++] = (uint32_t) i;
    for (size_t i = folds->count; i > 0; i--)
        if (folds->folds[i - 1] == fold)
            folds->numbers[--last] = (uint32_t) (i - 1);
    *train = (ins_head_part){folds->numbers, first};
    *held = (ins_head_part){folds->numbers + first, folds->count - first};
}
