/*
 * batches.c - mini-batches of texts of similar length.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/batches.h"

#include <string.h>

#define POOL_BATCHES 50

static size_t
pool_rows(size_t count, uint32_t size)
{
    size_t rows = (size_t) size * POOL_BATCHES;

    return rows < count ? rows : count;
}

uint64_t
ins_batches_bytes(size_t count, uint32_t size, uint32_t longest)
{
    return sizeof(uint32_t) *
           ((uint64_t) count / size + 1 + count + (uint64_t) longest + 1);
}

ins_status
ins_batches_open(ins_batches *batches, const ins_host *host, ins_error *error)
{
    void *memory;

    batches->batches = batches->sorted = batches->places = NULL;
    batches->batch_count = (batches->count - 1) / batches->size + 1;
    INS_TRY(ins_alloc(host, batches->batch_count, sizeof(uint32_t), &memory,
                      error));
    batches->batches = memory;
    for (size_t i = 0; i < batches->batch_count; i++)
        batches->batches[i] = (uint32_t) i;
    /* All of them: sorting as a whole needs no other room. */
    INS_TRY(ins_alloc(host, batches->count, sizeof(uint32_t), &memory, error));
    batches->sorted = memory;
    INS_TRY(ins_alloc(host, (uint64_t) batches->longest + 1, sizeof(uint32_t),
                      &memory, error));
    batches->places = memory;
    return INS_OK;
}

void
ins_batches_close(ins_batches *batches, const ins_host *host)
{
    ins_release(host, batches->batches);
    ins_release(host, batches->sorted);
    ins_release(host, batches->places);
    batches->batches = batches->sorted = batches->places = NULL;
}

static uint32_t
row_length(const ins_batches *batches, uint32_t row)
{
    return (uint32_t) (batches->starts[row + 1] - batches->starts[row]);
}

/* Counting sort, which keeps the order of equally long rows. */
static void
sort_rows(ins_batches *batches, uint32_t *rows, size_t count)
{
    uint32_t *places = batches->places;
    uint32_t place = 0;

    memset(places, 0, ((size_t) batches->longest + 1) * sizeof(*places));
    for (size_t i = 0; i < count; i++)
        places[row_length(batches, rows[i])]++;
    for (uint32_t length = 0; length <= batches->longest; length++) {
        uint32_t here = places[length];

        places[length] = place;
        place += here;
    }
    for (size_t i = 0; i < count; i++)
        batches->sorted[places[row_length(batches, rows[i])]++] = rows[i];
    memcpy(rows, batches->sorted, count * sizeof(*rows));
}

ins_status
ins_batches_shuffle(ins_batches *batches, uint64_t *random,
                    const ins_host *host, ins_error *error)
{
    size_t pool = pool_rows(batches->count, batches->size);

    INS_TRY(ins_poll(host, error));
    INS_TRY(ins_shuffle(batches->order, batches->count, random, host, error));
    for (size_t at = 0; at < batches->count; at += pool) {
        size_t left = batches->count - at;

        INS_TRY(ins_poll(host, error));
        sort_rows(batches, batches->order + at, left < pool ? left : pool);
    }
    return ins_shuffle(batches->batches, batches->batch_count, random, host,
                       error);
}

ins_status
ins_batches_sort(ins_batches *batches, const ins_host *host, ins_error *error)
{
    INS_TRY(ins_poll(host, error));
    sort_rows(batches, batches->order, batches->count);
    for (size_t i = 0; i < batches->batch_count; i++)
        batches->batches[i] = (uint32_t) i;
    return INS_OK;
}

ins_batch_rows
ins_batches_at(const ins_batches *batches, size_t i)
{
    size_t first = (size_t) batches->batches[i] * batches->size;
    size_t left = batches->count - first;

    return (ins_batch_rows){batches->order + first, left < batches->size
                                                        ? (uint32_t) left
                                                        : batches->size};
}
