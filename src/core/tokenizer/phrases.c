/*
 * phrases.c - the added tokens in order, searched symbol by symbol: thousands
 * cost little more than five.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tokenizer/parts.h"

#define SIFTS_PER_POLL 256

/* -1 behind the end, which comes before every symbol. */
static int64_t
symbol_at(const ins_phrases *phrases, const ins_phrase *phrase, uint32_t at)
{
    if (at >= phrase->count)
        return -1;
    if (phrases->bytes != NULL)
        return (uint8_t) phrases->bytes[phrase->start + at];
    return phrases->code_points[phrase->start + at];
}

/* ---- order --------------------------------------------------------------- */

/* Equal phrases keep the order of the pack: the first one wins. */
static bool
precedes(const ins_phrases *phrases, const ins_phrase *a, const ins_phrase *b)
{
    for (uint32_t at = 0; at < a->count || at < b->count; at++) {
        int64_t left = symbol_at(phrases, a, at);
        int64_t right = symbol_at(phrases, b, at);

        if (left != right)
            return left < right;
    }
    return a->added < b->added;
}

static void
swap_phrases(ins_phrase *a, ins_phrase *b)
{
    ins_phrase kept = *a;

    *a = *b;
    *b = kept;
}

static void
sift_down(ins_phrases *phrases, uint32_t root, uint32_t count)
{
    ins_phrase *rows = phrases->rows;

    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count &&
            precedes(phrases, &rows[child], &rows[child + 1]))
            child++;
        if (!precedes(phrases, &rows[root], &rows[child]))
            return;
        swap_phrases(&rows[root], &rows[child]);
    }
}

/* Heapsort: libc's qsort allocates. */
ins_status
ins_phrases_sort(ins_phrases *phrases, const ins_host *host, ins_error *error)
{
    uint32_t half = phrases->count / 2;

    for (uint32_t i = 1; i < phrases->count + half; i++) {
        if (i % SIFTS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        if (i <= half) {
            sift_down(phrases, half - i, phrases->count);
        } else {
            uint32_t last = phrases->count + half - i;

            swap_phrases(&phrases->rows[0], &phrases->rows[last]);
            sift_down(phrases, 0, last);
        }
    }
    return INS_OK;
}

/* ---- search -------------------------------------------------------------- */

ins_phrase_range
ins_phrases_all(const ins_phrases *phrases)
{
    return (ins_phrase_range){0, phrases->count, 0};
}

/* The first phrase of the range whose next symbol is not below this one. */
static uint32_t
find_bound(const ins_phrases *phrases, ins_phrase_range range, int64_t symbol)
{
    while (range.from < range.to) {
        uint32_t middle = range.from + (range.to - range.from) / 2;

        if (symbol_at(phrases, &phrases->rows[middle], range.depth) < symbol)
            range.from = middle + 1;
        else
            range.to = middle;
    }
    return range.from;
}

const ins_phrase *
ins_phrases_narrow(const ins_phrases *phrases, ins_phrase_range *range,
                   uint32_t symbol)
{
    uint32_t from = find_bound(phrases, *range, symbol);

    range->to = find_bound(phrases, *range, (int64_t) symbol + 1);
    range->from = from;
    range->depth++;
    if (from < range->to && phrases->rows[from].count == range->depth)
        return &phrases->rows[from];
    return NULL;
}

bool
ins_phrases_may_grow(const ins_phrases *phrases, const ins_phrase_range *range)
{
    return range->from < range->to &&
           phrases->rows[range->to - 1].count > range->depth;
}
