/*
 * word_table.h - the words of a text as features of a head.
 *
 * A word is a piece, or two pieces that follow each other.  Words share the
 * rows of a table by a hash (Weinberger et al. 2009, "Feature Hashing for Large
 * Scale Multitask Learning", without its signs).  The sum of the rows of a
 * text's n words, by the root of n, is added to the logits, beside what the
 * head has read of the encoder: the wide part of Cheng et al. (2016), "Wide &
 * Deep Learning for Recommender Systems".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WORD_TABLE_H
#define INS_WORD_TABLE_H

#include "base/memory.h"

/* What a text's words are multiplied with and added to. */
typedef struct ins_word_table_sum {
    const uint32_t *words; /* [count]: rows of the table */
    uint32_t count;
    float share;
    uint32_t labels; /* columns of the table */
} ins_word_table_sum;

/* Words of a text of so many tokens, [CLS] and [SEP] among them. */
static inline uint32_t
ins_word_table_count(uint32_t tokens)
{
    return tokens > 2 ? 2 * (tokens - 2) - 1 : 0;
}

/* What the row of each of count words is multiplied with. */
float ins_word_table_share(uint32_t count);

/* The row of the piece alone or, with next >= 0, of it and the one behind it.
 * rows: a power of two. */
uint32_t ins_word_table_row(int32_t piece, int32_t next, uint32_t rows);

/*
 * ids: [tokens] of a text, of which the first and the last, [CLS] and [SEP],
 * are left out.  words: [ins_word_table_count(tokens)], filled: each piece, and
 * between two pieces both of them.
 */
void ins_word_table_find(const int32_t *ids, uint32_t tokens, uint32_t rows,
                         uint32_t *words);
/* logits[labels] += share * row, for each of the rows words[count] of table.
 * Polls.  Errors: CANCELLED. */
ins_status ins_word_table_add(const ins_word_table_sum *sum, const float *table,
                              float *logits, const ins_host *host,
                              ins_error *error);
/* The other way: the rows of table += share * logits. */
ins_status ins_word_table_spread(const ins_word_table_sum *sum,
                                 const float *logits, float *table,
                                 const ins_host *host, ins_error *error);

#endif
