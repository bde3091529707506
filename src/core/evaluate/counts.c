/*
 * counts.c - the tables of labels and of pairs: adding and merging.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "evaluate/evaluation.h"

#include <string.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/utf8.h"

/* Queries have many groups, and most of them few labels. */
#define FIRST_ENTRIES 4
#define FIRST_BYTES   64
/* Pairs merged between two looks at the host. */
#define POLL_PAIRS 16384
/* ... and slots: whoever writes the labels can make them fall into one. */
#define POLL_SLOTS 65536

ins_status
ins_evaluation_open(ins_evaluation **evaluation, const ins_host *host,
                    ins_error *error)
{
    void *memory;

    *evaluation = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_evaluation), &memory, error));
    *evaluation = memory;
    (*evaluation)->host = *host;
    return INS_OK;
}

void
ins_evaluation_close(ins_evaluation *evaluation)
{
    ins_host host;

    if (evaluation == NULL)
        return;
    host = evaluation->host;
    ins_release(&host, evaluation->bytes);
    ins_release(&host, evaluation->labels);
    ins_release(&host, evaluation->label_slots);
    ins_release(&host, evaluation->pairs);
    ins_release(&host, evaluation->pair_slots);
    ins_release(&host, evaluation);
}

/* ---- growing ------------------------------------------------------------- */

/* Replaces *array, of used bytes, by one of capacity bytes. */
static ins_status
move_array(const ins_host *host, void **array, size_t used, size_t capacity,
           ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc(host, capacity, 1, &memory, error));
    if (used > 0)
        memcpy(memory, *array, used);
    ins_release(host, *array);
    *array = memory;
    return INS_OK;
}

static ins_status
open_slots(const ins_host *host, uint32_t capacity, uint32_t **slots,
           ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc_zeroed(host, (uint64_t) 2 * capacity, sizeof(uint32_t),
                             &memory, error));
    *slots = memory;
    return INS_OK;
}

static ins_status
count_slot(ins_evaluation *evaluation, ins_error *error)
{
    if (++evaluation->work < POLL_SLOTS)
        return INS_OK;
    evaluation->work = 0;
    return ins_poll(&evaluation->host, error);
}

static uint32_t
larger_capacity(uint32_t capacity)
{
    return capacity > 0 ? 2 * capacity : FIRST_ENTRIES;
}

/* ---- labels -------------------------------------------------------------- */

ins_text
ins_evaluation_label(const ins_evaluation *evaluation, uint32_t number)
{
    const ins_counted_label *label = &evaluation->labels[number];

    return (ins_text){evaluation->bytes + label->start, label->size};
}

static bool
is_label(const ins_evaluation *evaluation, uint32_t number, ins_text text,
         uint32_t hash)
{
    const ins_counted_label *label = &evaluation->labels[number];

    return label->hash == hash && label->size == text.size &&
           (text.size == 0 || memcmp(evaluation->bytes + label->start,
                                     text.data, text.size) == 0);
}

/* *slot: of the label, or the free one where it belongs. */
static ins_status
find_label_slot(ins_evaluation *evaluation, ins_text text, uint32_t hash,
                uint32_t *slot, ins_error *error)
{
    const uint32_t *slots = evaluation->label_slots;
    uint32_t mask = 2 * evaluation->label_capacity - 1;

    for (*slot = hash & mask;
         slots[*slot] != 0 &&
         !is_label(evaluation, slots[*slot] - 1, text, hash);
         *slot = (*slot + 1) & mask)
        INS_TRY(count_slot(evaluation, error));
    return INS_OK;
}

/* slots: [2 * capacity], zeros. */
static ins_status
fill_label_slots(ins_evaluation *evaluation, uint32_t *slots, uint32_t capacity,
                 ins_error *error)
{
    uint32_t mask = 2 * capacity - 1;

    for (uint32_t i = 0; i < evaluation->label_count; i++) {
        uint32_t slot = evaluation->labels[i].hash & mask;

        for (; slots[slot] != 0; slot = (slot + 1) & mask)
            INS_TRY(count_slot(evaluation, error));
        slots[slot] = i + 1;
    }
    return INS_OK;
}

static ins_status
grow_labels(ins_evaluation *evaluation, ins_error *error)
{
    const ins_host *host = &evaluation->host;
    uint32_t capacity = larger_capacity(evaluation->label_capacity);
    void *labels = evaluation->labels;
    uint32_t *slots;
    ins_status status;

    INS_TRY(move_array(
        host, &labels, evaluation->label_count * sizeof(evaluation->labels[0]),
        (size_t) capacity * sizeof(evaluation->labels[0]), error));
    evaluation->labels = labels;
    INS_TRY(open_slots(host, capacity, &slots, error));
    status = fill_label_slots(evaluation, slots, capacity, error);
    if (status != INS_OK) {
        ins_release(host, slots);
        return status;
    }
    ins_release(host, evaluation->label_slots);
    evaluation->label_slots = slots;
    evaluation->label_capacity = capacity;
    return INS_OK;
}

static bool
is_utf8(ins_text text)
{
    size_t at = 0;

    while (at < text.size) {
        uint32_t code_point;

        at += ins_utf8_decode(text.data + at, text.size - at, &code_point);
        if (code_point == INS_UTF8_INVALID)
            return false;
    }
    return true;
}

static ins_status
check_label(const ins_evaluation *evaluation, ins_text text, ins_error *error)
{
    INS_CHECK(is_utf8(text), error, INS_INVALID_ARGUMENT,
              "a label is not valid UTF-8");
    if (evaluation->label_count < INS_EVALUATION_LABELS &&
        text.size <= INS_EVALUATION_BYTES - evaluation->bytes_size)
        return INS_OK;
    if (evaluation->label_count == INS_EVALUATION_LABELS)
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "there are more than %d different labels",
                 INS_EVALUATION_LABELS);
    else
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "the labels have more than %zu bytes in all",
                 INS_EVALUATION_BYTES);
    ins_fail_hint(error, "Evaluate a column of classes, not of free text.");
    return INS_LIMIT_EXCEEDED;
}

static ins_status
keep_bytes(ins_evaluation *evaluation, ins_text text, ins_error *error)
{
    size_t capacity = evaluation->bytes_capacity;
    void *bytes = evaluation->bytes;

    if (text.size > capacity - evaluation->bytes_size) {
        capacity = 2 * (evaluation->bytes_size + text.size) + FIRST_BYTES;
        INS_TRY(move_array(&evaluation->host, &bytes, evaluation->bytes_size,
                           capacity, error));
        evaluation->bytes = bytes;
        evaluation->bytes_capacity = capacity;
    }
    if (text.size > 0)
        memcpy(evaluation->bytes + evaluation->bytes_size, text.data,
               text.size);
    evaluation->bytes_size += text.size;
    return INS_OK;
}

static ins_status
add_label(ins_evaluation *evaluation, ins_text text, uint32_t hash,
          ins_error *error)
{
    ins_counted_label label = {(uint32_t) evaluation->bytes_size,
                               (uint32_t) text.size, hash};
    uint32_t slot;

    INS_TRY(check_label(evaluation, text, error));
    if (evaluation->label_count == evaluation->label_capacity)
        INS_TRY(grow_labels(evaluation, error));
    INS_TRY(find_label_slot(evaluation, text, hash, &slot, error));
    INS_TRY(keep_bytes(evaluation, text, error));
    evaluation->labels[evaluation->label_count] = label;
    evaluation->label_slots[slot] = ++evaluation->label_count;
    return INS_OK;
}

ins_status
ins_evaluation_intern(ins_evaluation *evaluation, ins_text text,
                      uint32_t *number, ins_error *error)
{
    uint32_t hash;

    if (text.size > INS_EVALUATION_LABEL_BYTES) {
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "a label has %zu bytes, more than the limit of %d", text.size,
                 INS_EVALUATION_LABEL_BYTES);
        ins_fail_hint(error, "Evaluate a column of classes, not of free text.");
        return INS_LIMIT_EXCEEDED;
    }
    hash =
        ins_hash_finish(ins_hash_add(ins_hash_start(0), text.data, text.size));
    if (evaluation->label_capacity > 0) {
        uint32_t slot;

        INS_TRY(find_label_slot(evaluation, text, hash, &slot, error));
        if (evaluation->label_slots[slot] != 0) {
            *number = evaluation->label_slots[slot] - 1;
            return INS_OK;
        }
    }
    *number = evaluation->label_count;
    return add_label(evaluation, text, hash, error);
}

/* ---- pairs --------------------------------------------------------------- */

static uint32_t
hash_pair(const ins_counted_pair *pair)
{
    return ins_hash_finish(pair->predicted * 0x9e3779b9u + pair->actual);
}

/* *slot: of the pair, or the free one where it belongs. */
static ins_status
find_pair_slot(ins_evaluation *evaluation, const ins_counted_pair *pair,
               uint32_t *slot, ins_error *error)
{
    const uint32_t *slots = evaluation->pair_slots;
    uint32_t mask = 2 * evaluation->pair_capacity - 1;

    for (*slot = hash_pair(pair) & mask; slots[*slot] != 0;
         *slot = (*slot + 1) & mask) {
        const ins_counted_pair *other = &evaluation->pairs[slots[*slot] - 1];

        if (other->predicted == pair->predicted &&
            other->actual == pair->actual)
            break;
        INS_TRY(count_slot(evaluation, error));
    }
    return INS_OK;
}

/* slots: [2 * capacity], zeros. */
static ins_status
fill_pair_slots(ins_evaluation *evaluation, uint32_t *slots, uint32_t capacity,
                ins_error *error)
{
    uint32_t mask = 2 * capacity - 1;

    for (uint32_t i = 0; i < evaluation->pair_count; i++) {
        uint32_t slot = hash_pair(&evaluation->pairs[i]) & mask;

        for (; slots[slot] != 0; slot = (slot + 1) & mask)
            INS_TRY(count_slot(evaluation, error));
        slots[slot] = i + 1;
    }
    return INS_OK;
}

static ins_status
grow_pairs(ins_evaluation *evaluation, ins_error *error)
{
    const ins_host *host = &evaluation->host;
    uint32_t capacity = larger_capacity(evaluation->pair_capacity);
    void *pairs = evaluation->pairs;
    uint32_t *slots;
    ins_status status;

    INS_TRY(move_array(
        host, &pairs, evaluation->pair_count * sizeof(evaluation->pairs[0]),
        (size_t) capacity * sizeof(evaluation->pairs[0]), error));
    evaluation->pairs = pairs;
    INS_TRY(open_slots(host, capacity, &slots, error));
    status = fill_pair_slots(evaluation, slots, capacity, error);
    if (status != INS_OK) {
        ins_release(host, slots);
        return status;
    }
    ins_release(host, evaluation->pair_slots);
    evaluation->pair_slots = slots;
    evaluation->pair_capacity = capacity;
    return INS_OK;
}

static ins_status
add_pair(ins_evaluation *evaluation, const ins_counted_pair *pair,
         ins_error *error)
{
    uint32_t slot;

    if (evaluation->pair_count == INS_EVALUATION_PAIRS) {
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "there are more than %d different pairs of labels",
                 INS_EVALUATION_PAIRS);
        ins_fail_hint(error, "Evaluate a column of classes, not of free text.");
        return INS_LIMIT_EXCEEDED;
    }
    if (evaluation->pair_count == evaluation->pair_capacity)
        INS_TRY(grow_pairs(evaluation, error));
    INS_TRY(find_pair_slot(evaluation, pair, &slot, error));
    evaluation->pairs[evaluation->pair_count] = *pair;
    evaluation->pair_slots[slot] = ++evaluation->pair_count;
    return INS_OK;
}

ins_status
ins_evaluation_count(ins_evaluation *evaluation, const ins_counted_pair *pair,
                     ins_error *error)
{
    uint32_t slot = 0;
    uint64_t rows;

    /* Then no count of a pair can overflow either. */
    INS_CHECK(ins_add_u64(evaluation->rows, pair->count, &rows), error,
              INS_LIMIT_EXCEEDED, "there are too many rows");
    if (evaluation->pair_capacity > 0)
        INS_TRY(find_pair_slot(evaluation, pair, &slot, error));
    if (evaluation->pair_capacity > 0 && evaluation->pair_slots[slot] != 0)
        evaluation->pairs[evaluation->pair_slots[slot] - 1].count +=
            pair->count;
    else
        INS_TRY(add_pair(evaluation, pair, error));
    evaluation->rows = rows;
    return INS_OK;
}

/* ---- rows and parts ------------------------------------------------------ */

ins_status
ins_evaluation_add(ins_evaluation *evaluation, const ins_text *predicted,
                   const ins_text *actual, ins_error *error)
{
    ins_counted_pair pair = {.count = 1};

    if (predicted == NULL || actual == NULL) {
        evaluation->nulls++;
        return INS_OK;
    }
    INS_TRY(
        ins_evaluation_intern(evaluation, *predicted, &pair.predicted, error));
    INS_TRY(ins_evaluation_intern(evaluation, *actual, &pair.actual, error));
    return ins_evaluation_count(evaluation, &pair, error);
}

static ins_status
merge_pairs(ins_evaluation *into, const ins_evaluation *from,
            const uint32_t *numbers, ins_error *error)
{
    for (uint32_t i = 0; i < from->pair_count; i++) {
        ins_counted_pair pair = from->pairs[i];

        if (i % POLL_PAIRS == POLL_PAIRS - 1)
            INS_TRY(ins_poll(&into->host, error));
        pair.predicted = numbers[pair.predicted];
        pair.actual = numbers[pair.actual];
        INS_TRY(ins_evaluation_count(into, &pair, error));
    }
    return INS_OK;
}

ins_status
ins_evaluation_merge(ins_evaluation *into, const ins_evaluation *from,
                     ins_error *error)
{
    ins_status status = INS_OK;
    uint64_t nulls;
    void *numbers; /* of from's labels, in into */

    INS_CHECK(ins_add_u64(into->nulls, from->nulls, &nulls), error,
              INS_LIMIT_EXCEEDED, "there are too many rows");
    INS_TRY(ins_alloc(&into->host, from->label_count, sizeof(uint32_t),
                      &numbers, error));
    for (uint32_t i = 0; i < from->label_count && status == INS_OK; i++)
        status = ins_evaluation_intern(into, ins_evaluation_label(from, i),
                                       (uint32_t *) numbers + i, error);
    if (status == INS_OK)
        status = merge_pairs(into, from, numbers, error);
    if (status == INS_OK)
        into->nulls = nulls;
    ins_release(&into->host, numbers);
    return status;
}
