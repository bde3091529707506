/*
 * pg_batch_counts.c - what a batch scan has done, in all of its processes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "port/atomics.h"

#include "pg_batch_counts.h"

/* Written by its worker alone; atomic because the leader of a query that ends
 * early reads while workers write. */
struct shared_slot {
    pg_atomic_uint64 batches;
    pg_atomic_uint64 texts;
    pg_atomic_uint64 tokens;
    pg_atomic_uint64 largest;
};

struct shared_counts {
    int workers;
    shared_slot slots[FLEXIBLE_ARRAY_MEMBER];
};

static void
add_counts(batch_counts *sum, batch_counts more)
{
    sum->batches += more.batches;
    sum->texts += more.texts;
    sum->tokens += more.tokens;
    sum->largest = Max(sum->largest, more.largest);
}

void
count_batch(batch_tally *tally, uint32 texts, uint64 tokens)
{
    shared_slot *slot = tally->slot;

    add_counts(&tally->counts, (batch_counts){.batches = 1,
                                              .texts = texts,
                                              .tokens = tokens,
                                              .largest = texts});
    if (slot == NULL)
        return;
    pg_atomic_fetch_add_u64(&slot->batches, 1);
    pg_atomic_fetch_add_u64(&slot->texts, texts);
    pg_atomic_fetch_add_u64(&slot->tokens, (int64) tokens);
    if (pg_atomic_read_u64(&slot->largest) < texts)
        pg_atomic_write_u64(&slot->largest, texts);
}

Size
shared_counts_size(int workers)
{
    return add_size(offsetof(shared_counts, slots),
                    mul_size(sizeof(shared_slot), (Size) Max(workers, 0)));
}

void
share_counts(batch_tally *tally, void *memory, int workers)
{
    shared_counts *shared = memory;

    shared->workers = workers;
    for (int i = 0; i < workers; i++) {
        pg_atomic_init_u64(&shared->slots[i].batches, 0);
        pg_atomic_init_u64(&shared->slots[i].texts, 0);
        pg_atomic_init_u64(&shared->slots[i].tokens, 0);
        pg_atomic_init_u64(&shared->slots[i].largest, 0);
    }
    tally->shared = shared;
}

void
join_counts(batch_tally *tally, void *memory, int number)
{
    shared_counts *shared = memory;

    if (number >= 0 && number < shared->workers)
        tally->slot = &shared->slots[number];
}

static batch_counts
read_slot(shared_slot *slot)
{
    return (batch_counts){.batches = pg_atomic_read_u64(&slot->batches),
                          .texts = pg_atomic_read_u64(&slot->texts),
                          .tokens = pg_atomic_read_u64(&slot->tokens),
                          .largest = pg_atomic_read_u64(&slot->largest)};
}

void
collect_counts(batch_tally *tally)
{
    shared_counts *shared = tally->shared;

    tally->shared = NULL;
    for (int i = 0; shared != NULL && i < shared->workers; i++)
        add_counts(&tally->counts, read_slot(&shared->slots[i]));
}
