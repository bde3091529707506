/*
 * label_table.c - the different labels of the rows, found by their bytes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/label_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/order.h"
#include "base/utf8.h"

#define FIRST_ENDS  64
#define FIRST_BYTES 1024
#define FIRST_SLOTS 256
/* Comparisons between two polls: labels may be alike for a kilobyte. */
#define COMPARISONS_PER_POLL 65536
#define BYTES_PER_COMPARISON 64 /* of a label that is read and hashed */

static uint32_t
hash_label(ins_text label)
{
    uint32_t state = ins_hash_start(0);

    return ins_hash_finish(ins_hash_add(state, label.data, label.size));
}

static ins_text
label_at(const ins_label_table *table, uint32_t number)
{
    const ins_string_table strings = {table->ends, table->bytes, table->count};

    return ins_string_at(&strings, number);
}

void
ins_label_table_close(ins_label_table *table, const ins_host *host)
{
    ins_release(host, table->ends);
    ins_release(host, table->bytes);
    ins_release(host, table->slots);
    *table = (ins_label_table){0};
}

uint64_t
ins_label_table_bytes(const ins_label_table *table)
{
    return (uint64_t) table->end_capacity * sizeof(uint32_t) +
           table->byte_capacity +
           (uint64_t) table->slot_count * sizeof(uint32_t);
}

uint64_t
ins_label_table_text_bytes(const ins_label_table *table)
{
    return table->count > 0 ? table->ends[table->count - 1] : 0;
}

ins_status
ins_label_check(ins_text label, ins_error *error)
{
    INS_CHECK(label.size > 0, error, INS_INVALID_ARGUMENT, "a label is empty");
    if (label.size > INS_MAX_LABEL_BYTES) {
        ins_fail(error, INS_INVALID_ARGUMENT,
                 "a label has %zu bytes; the limit is %d", label.size,
                 INS_MAX_LABEL_BYTES);
        ins_fail_hint(error, "Are the texts and the labels in each other's "
                             "places?");
        return INS_INVALID_ARGUMENT;
    }
    INS_CHECK(ins_utf8_is_text(label.data, label.size), error,
              INS_INVALID_ARGUMENT,
              "a label is not UTF-8 without NUL characters");
    return INS_OK;
}

/* ---- growing ------------------------------------------------------------- */

/* Replaces *array of count entries by one of capacity. */
static ins_status
grow(void **array, uint64_t count, uint64_t capacity, size_t size,
     const ins_host *host, ins_error *error)
{
    void *larger;

    INS_TRY(ins_alloc(host, capacity, size, &larger, error));
    if (count > 0)
        memcpy(larger, *array, (size_t) count * size);
    ins_release(host, *array);
    *array = larger;
    return INS_OK;
}

static uint32_t
larger_capacity(uint32_t capacity, uint32_t first, uint32_t wanted)
{
    if (capacity == 0)
        capacity = first;
    while (capacity < wanted)
        capacity *= 2;
    return capacity;
}

static ins_status
make_room(ins_label_table *table, uint32_t size, const ins_host *host,
          ins_error *error)
{
    uint32_t used = (uint32_t) ins_label_table_text_bytes(table);
    uint32_t ends =
        larger_capacity(table->end_capacity, FIRST_ENDS, table->count + 1);
    /* At most 65536 labels of 1 kB: far from an overflow. */
    uint32_t bytes =
        larger_capacity(table->byte_capacity, FIRST_BYTES, used + size);
    void *array;

    if (ends > table->end_capacity) {
        array = table->ends;
        INS_TRY(
            grow(&array, table->count, ends, sizeof(uint32_t), host, error));
        table->ends = array;
        table->end_capacity = ends;
    }
    if (bytes > table->byte_capacity) {
        array = table->bytes;
        INS_TRY(grow(&array, used, bytes, 1, host, error));
        table->bytes = array;
        table->byte_capacity = bytes;
    }
    return INS_OK;
}

static ins_status
count_work(ins_label_table *table, uint32_t comparisons, const ins_host *host,
           ins_error *error)
{
    table->work += comparisons;
    if (table->work < COMPARISONS_PER_POLL)
        return INS_OK;
    table->work = 0;
    return ins_poll(host, error);
}

/* *slot: of the label, or the empty one where it belongs. */
static ins_status
find_slot(ins_label_table *table, ins_text label, const ins_host *host,
          uint32_t *slot, ins_error *error)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t at = hash_label(label) & mask;

    for (; table->slots[at] != 0; at = (at + 1) & mask) {
        ins_text other = label_at(table, table->slots[at] - 1);

        if (other.size == label.size &&
            memcmp(other.data, label.data, label.size) == 0)
            break;
        INS_TRY(count_work(table, 1, host, error));
    }
    *slot = at;
    return INS_OK;
}

static ins_status
fill_slots(ins_label_table *table, const ins_host *host, ins_error *error)
{
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t slot;

        INS_TRY(find_slot(table, label_at(table, i), host, &slot, error));
        table->slots[slot] = i + 1;
    }
    return INS_OK;
}

/* At most half of the slots are taken. */
static ins_status
make_slots(ins_label_table *table, const ins_host *host, ins_error *error)
{
    uint32_t count =
        larger_capacity(table->slot_count, FIRST_SLOTS, 2 * (table->count + 1));
    const ins_label_table before = *table;
    void *slots;
    ins_status status;

    if (count == table->slot_count)
        return INS_OK;
    INS_TRY(ins_alloc_zeroed(host, count, sizeof(uint32_t), &slots, error));
    table->slots = slots;
    table->slot_count = count;
    status = fill_slots(table, host, error);
    if (status == INS_OK) {
        ins_release(host, before.slots);
    } else {
        ins_release(host, slots);
        *table = before;
    }
    return status;
}

ins_status
ins_label_table_add(ins_label_table *table, ins_text label,
                    const ins_host *host, uint32_t *number, ins_error *error)
{
    uint32_t slot;
    uint32_t used;

    INS_TRY(ins_label_check(label, error));
    INS_TRY(count_work(table, 1 + (uint32_t) label.size / BYTES_PER_COMPARISON,
                       host, error));
    INS_TRY(make_slots(table, host, error));
    INS_TRY(find_slot(table, label, host, &slot, error));
    if (table->slots[slot] != 0) {
        *number = table->slots[slot] - 1;
        return INS_OK;
    }
    if (table->count == INS_MAX_LABELS) {
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "the rows have more than %d different labels", INS_MAX_LABELS);
        ins_fail_hint(error, "Are the texts and the labels in each other's "
                             "places?");
        return INS_LIMIT_EXCEEDED;
    }
    INS_TRY(make_room(table, (uint32_t) label.size, host, error));
    used = (uint32_t) ins_label_table_text_bytes(table);
    memcpy(table->bytes + used, label.data, label.size);
    table->ends[table->count] = used + (uint32_t) label.size;
    table->slots[slot] = ++table->count;
    *number = table->count - 1;
    return INS_OK;
}

/* ---- sorting ------------------------------------------------------------- */

static bool
comes_before(const void *table, uint32_t a, uint32_t b)
{
    return ins_text_compare(label_at(table, a), label_at(table, b)) < 0;
}

static void
put_sorted(ins_sorted_labels *sorted, const ins_label_table *table,
           const uint32_t *order, uint32_t *ends, char *bytes)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < table->count; i++) {
        ins_text label = label_at(table, order[i]);

        memcpy(bytes + at, label.data, label.size);
        at += (uint32_t) label.size;
        ends[i] = at;
        sorted->places[order[i]] = i;
    }
}

ins_status
ins_sorted_labels_open(ins_sorted_labels *sorted, const ins_label_table *table,
                       const ins_host *host, ins_error *error)
{
    void *ends;
    void *bytes;
    void *places;
    void *order;
    ins_status status;

    *sorted = (ins_sorted_labels){.places = NULL};
    INS_TRY(ins_alloc(host, table->count, sizeof(uint32_t), &ends, error));
    sorted->table.ends = ends;
    INS_TRY(
        ins_alloc(host, ins_label_table_text_bytes(table), 1, &bytes, error));
    sorted->table.bytes = bytes;
    INS_TRY(ins_alloc(host, table->count, sizeof(uint32_t), &places, error));
    sorted->places = places;
    INS_TRY(ins_alloc(host, table->count, sizeof(uint32_t), &order, error));
    status = ins_order(order, table->count, comes_before, table, host, error);
    if (status == INS_OK) {
        put_sorted(sorted, table, order, ends, bytes);
        sorted->table.count = table->count;
    }
    ins_release(host, order);
    return status;
}

void
ins_sorted_labels_close(ins_sorted_labels *sorted, const ins_host *host)
{
    ins_release(host, (void *) (uintptr_t) sorted->table.ends);
    ins_release(host, (void *) (uintptr_t) sorted->table.bytes);
    ins_release(host, sorted->places);
    *sorted = (ins_sorted_labels){.places = NULL};
}
