/*
 * memo.c - a ring of rows and a table that finds them.
 *
 *   ring   [ row | row | dead | row | free ... ]    oldest first, wraps around
 *   table  the row's place in the ring, by its key; linear probing
 *
 * New rows are written behind the newest, over the oldest.  A row that is
 * found in the older half of the ring is moved to the front, so that what is
 * asked for stays; nothing is allocated, searched or compacted.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "memo/memo.h"

#include <string.h>

#include "base/memory.h"

/* Rows have many sizes, so that the ring counts in units. */
#define UNIT_BYTES 8
/* Memory for one place of the table: a row of ten scores has 80. */
#define BYTES_PER_SLOT 64
/* What two pieces of an arena may be padded by. */
#define PADDING_BYTES 192

typedef struct memo_row {
    uint32_t bytes;  /* of the row in the ring, a multiple of UNIT_BYTES */
    uint32_t values; /* 0: dead, only its bytes count */
    uint8_t key[INS_MEMO_KEY_BYTES];
    float row[]; /* [values] */
} memo_row;

struct ins_memo {
    ins_host host;
    ins_arena arena;
    uint8_t *ring;
    uint64_t ring_bytes;
    /* Bytes written since the memo was cleared, at both ends of what is held;
     * the place in the ring is the remainder. */
    uint64_t oldest;
    uint64_t newest;
    uint32_t *slots; /* [slot_mask + 1]: place in units + 1, 0 = free */
    uint32_t slot_mask;
    ins_memo_usage usage;
};

/* ---- opening ------------------------------------------------------------- */

static uint32_t
choose_slots(size_t bytes)
{
    uint32_t slots = 16;

    while (slots < bytes / BYTES_PER_SLOT)
        slots *= 2;
    return slots;
}

static void
empty_table(ins_memo *memo)
{
    memset(memo->slots, 0, ((size_t) memo->slot_mask + 1) * sizeof(uint32_t));
}

static ins_status
open_ring(ins_memo *memo, size_t bytes, ins_error *error)
{
    uint32_t slots = choose_slots(bytes);
    size_t table_bytes = slots * sizeof(uint32_t);

    memo->slot_mask = slots - 1;
    memo->ring_bytes = (bytes - sizeof(*memo) - table_bytes - PADDING_BYTES) /
                       UNIT_BYTES * UNIT_BYTES;
    ins_arena_reserve(&memo->arena, slots, sizeof(uint32_t));
    ins_arena_reserve(&memo->arena, memo->ring_bytes, 1);
    INS_TRY(ins_arena_open(&memo->arena, &memo->host, error));
    memo->slots = ins_arena_take(&memo->arena, slots, sizeof(uint32_t));
    memo->ring = ins_arena_take(&memo->arena, memo->ring_bytes, 1);
    empty_table(memo);
    return INS_OK;
}

ins_status
ins_memo_open(ins_memo **memo, size_t bytes, const ins_host *host,
              ins_error *error)
{
    void *memory;
    ins_status status;

    *memo = NULL;
    INS_CHECK(bytes >= INS_MEMO_MIN_BYTES && bytes <= INS_MEMO_MAX_BYTES, error,
              INS_INVALID_ARGUMENT, "a memo has %d to %zu bytes",
              INS_MEMO_MIN_BYTES, INS_MEMO_MAX_BYTES);
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_memo), &memory, error));
    *memo = memory;
    (*memo)->host = *host;
    status = open_ring(*memo, bytes, error);
    if (status != INS_OK) {
        ins_memo_close(*memo);
        *memo = NULL;
    }
    return status;
}

void
ins_memo_close(ins_memo *memo)
{
    ins_host host;

    if (memo == NULL)
        return;
    host = memo->host;
    ins_arena_close(&memo->arena, &host);
    ins_release(&host, memo);
}

ins_memo_usage
ins_memo_counters(const ins_memo *memo)
{
    return memo->usage;
}

/* ---- the table ----------------------------------------------------------- */

static memo_row *
row_at(const ins_memo *memo, uint64_t place)
{
    return (memo_row *) (void *) (memo->ring + place);
}

static memo_row *
row_of_slot(const ins_memo *memo, uint32_t slot)
{
    return row_at(memo, (uint64_t) (memo->slots[slot] - 1) * UNIT_BYTES);
}

/* Where the search for a key begins; the key is a hash. */
static uint32_t
home_of(const ins_memo *memo, const uint8_t *key)
{
    uint32_t hash;

    memcpy(&hash, key, sizeof(hash));
    return hash & memo->slot_mask;
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t
find_slot(const ins_memo *memo, const uint8_t *key)
{
    uint32_t slot = home_of(memo, key);

    while (memo->slots[slot] != 0 &&
           memcmp(row_of_slot(memo, slot)->key, key, INS_MEMO_KEY_BYTES) != 0)
        slot = (slot + 1) & memo->slot_mask;
    return slot;
}

/* Is slot passed when searching from home to end? */
static bool
is_between(uint32_t home, uint32_t slot, uint32_t end, uint32_t mask)
{
    return ((slot - home) & mask) <= ((end - home) & mask);
}

/* Moves rows of the same run of slots into the gap, so that every search goes
 * on ending at the first free slot (Knuth, volume 3, 6.4, algorithm R). */
static void
free_slot(ins_memo *memo, uint32_t gap)
{
    uint32_t mask = memo->slot_mask;

    for (uint32_t slot = (gap + 1) & mask; memo->slots[slot] != 0;
         slot = (slot + 1) & mask) {
        uint32_t home = home_of(memo, row_of_slot(memo, slot)->key);

        if (is_between(home, gap, slot, mask)) {
            memo->slots[gap] = memo->slots[slot];
            gap = slot;
        }
    }
    memo->slots[gap] = 0;
}

/* ---- the ring ------------------------------------------------------------ */

static void
forget_row(ins_memo *memo, uint32_t slot)
{
    row_of_slot(memo, slot)->values = 0;
    free_slot(memo, slot);
    memo->usage.rows--;
}

static void
drop_oldest(ins_memo *memo)
{
    memo_row *row = row_at(memo, memo->oldest % memo->ring_bytes);

    memo->oldest += row->bytes;
    if (row->values > 0)
        forget_row(memo, find_slot(memo, row->key));
}

static void
make_room(ins_memo *memo, uint64_t bytes)
{
    while (memo->ring_bytes - (memo->newest - memo->oldest) < bytes)
        drop_oldest(memo);
}

/* A row does not wrap around: it begins where this leaves newest. */
static void
begin_row(ins_memo *memo, uint32_t bytes)
{
    uint64_t rest = memo->ring_bytes - memo->newest % memo->ring_bytes;

    if (rest < bytes) {
        memo_row *gap;

        make_room(memo, rest);
        gap = row_at(memo, memo->newest % memo->ring_bytes);
        gap->bytes = (uint32_t) rest;
        gap->values = 0;
        memo->newest += rest;
    }
    make_room(memo, bytes);
}

/* A few rows of a large memo go one by one: users may alternate. */
void
ins_memo_clear(ins_memo *memo)
{
    if (memo == NULL)
        return;
    if (memo->usage.rows > memo->slot_mask / 64)
        empty_table(memo);
    else
        while (memo->oldest < memo->newest)
            drop_oldest(memo);
    memo->oldest = 0;
    memo->newest = 0;
    memo->usage.rows = 0;
}

static uint64_t
bytes_of_row(uint32_t values)
{
    uint64_t bytes = sizeof(memo_row) + (uint64_t) values * sizeof(float);

    return (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
}

void
ins_memo_put(ins_memo *memo, const uint8_t key[INS_MEMO_KEY_BYTES],
             const float *row, uint32_t values)
{
    uint64_t bytes = bytes_of_row(values);
    uint64_t place;
    memo_row *made;

    if (bytes > memo->ring_bytes / 4 || memo->slots[find_slot(memo, key)] != 0)
        return;
    begin_row(memo, (uint32_t) bytes);
    /* A table that is nearly full is slow. */
    while (memo->usage.rows > memo->slot_mask / 4 * 3)
        drop_oldest(memo);
    place = memo->newest % memo->ring_bytes;
    made = row_at(memo, place);
    made->bytes = (uint32_t) bytes;
    made->values = values;
    memcpy(made->key, key, INS_MEMO_KEY_BYTES);
    memcpy(made->row, row, values * sizeof(float));
    memo->slots[find_slot(memo, key)] = (uint32_t) (place / UNIT_BYTES) + 1;
    memo->newest += bytes;
    memo->usage.rows++;
}

size_t
ins_memo_capacity(const ins_memo *memo, uint32_t values)
{
    uint64_t rows;
    uint64_t most;

    if (memo == NULL)
        return 0;
    /* Rows within the newest half do not move; half of it is for others. */
    rows = memo->ring_bytes / 4 / bytes_of_row(values);
    most = memo->slot_mask / 4;
    return (size_t) (rows < most ? rows : most);
}

/* How much was written since the row was. */
static uint64_t
age_of(const ins_memo *memo, uint32_t slot)
{
    uint64_t place = (uint64_t) (memo->slots[slot] - 1) * UNIT_BYTES;
    uint64_t end = memo->newest % memo->ring_bytes;

    return end > place ? end - place : end + memo->ring_bytes - place;
}

bool
ins_memo_find(ins_memo *memo, const uint8_t key[INS_MEMO_KEY_BYTES], float *row,
              uint32_t values)
{
    uint32_t slot = find_slot(memo, key);

    if (memo->slots[slot] == 0 || row_of_slot(memo, slot)->values != values) {
        memo->usage.misses++;
        return false;
    }
    memo->usage.hits++;
    memcpy(row, row_of_slot(memo, slot)->row, values * sizeof(float));
    if (age_of(memo, slot) > memo->ring_bytes / 2) {
        forget_row(memo, slot);
        ins_memo_put(memo, key, row, values);
    }
    return true;
}
