/*
 * word_table.c - the words of a text as features of a head.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/word_table.h"

#include <math.h>

#include "base/random.h"

/* Values that are added between two polls, a few milliseconds. */
#define VALUES_PER_POLL ((uint64_t) 1 << 22)

float
ins_word_table_share(uint32_t count)
{
    return count > 0 ? (float) (1 / sqrt((double) count)) : 0;
}

uint32_t
ins_word_table_row(int32_t piece, int32_t next, uint32_t rows)
{
    uint64_t bits = ins_random_mix((uint64_t) piece + INS_RANDOM_STEP);

    if (next >= 0)
        bits = ins_random_mix(bits + (uint64_t) next + 1);
    return (uint32_t) bits & (rows - 1);
}

void
ins_word_table_find(const int32_t *ids, uint32_t tokens, uint32_t rows,
                    uint32_t *words)
{
    for (uint32_t i = 1; i + 1 < tokens; i++) {
        *words++ = ins_word_table_row(ids[i], -1, rows);
        if (i + 2 < tokens)
            *words++ = ins_word_table_row(ids[i], ids[i + 1], rows);
    }
}

ins_status
ins_word_table_add(const ins_word_table_sum *sum, const float *table,
                   float *logits, const ins_host *host, ins_error *error)
{
    uint64_t added = 0;

    for (uint32_t i = 0; i < sum->count; i++) {
        const float *row = table + (size_t) sum->words[i] * sum->labels;

        for (uint32_t j = 0; j < sum->labels; j++)
            logits[j] += sum->share * row[j];
        added += sum->labels;
        if (added >= VALUES_PER_POLL) {
            added = 0;
            INS_TRY(ins_poll(host, error));
        }
    }
    return INS_OK;
}

ins_status
ins_word_table_spread(const ins_word_table_sum *sum, const float *logits,
                      float *table, const ins_host *host, ins_error *error)
{
    uint64_t added = 0;

    for (uint32_t i = 0; i < sum->count; i++) {
        float *row = table + (size_t) sum->words[i] * sum->labels;

        for (uint32_t j = 0; j < sum->labels; j++)
            row[j] += sum->share * logits[j];
        added += sum->labels;
        if (added >= VALUES_PER_POLL) {
            added = 0;
            INS_TRY(ins_poll(host, error));
        }
    }
    return INS_OK;
}
