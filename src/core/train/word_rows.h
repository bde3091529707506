/*
 * word_rows.h - the texts of a training as words, pack/word_table.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WORD_ROWS_H
#define INS_WORD_ROWS_H

#include "train/head.h"
#include "train/token_rows.h"

/* Owned.  Only the rows of the table that a text has are learnt. */
typedef struct ins_word_rows {
    uint32_t *words;     /* numbers of rows that are learnt */
    uint64_t *starts;    /* [texts + 1] */
    uint32_t *rows;      /* [head.table_rows]: their places in the table */
    uint32_t table_rows; /* of the whole table */
    ins_head_words head; /* what a head is fitted with; scale is 1 */
} ins_word_rows;

/* tokens: of so many texts, which may be closed then.  labels: of the head.
 * Close also after a failure.  Errors: NO_MEMORY, CANCELLED. */
ins_status ins_word_rows_open(ins_word_rows *words,
                              const ins_token_rows *tokens, uint64_t texts,
                              uint32_t labels, const ins_host *host,
                              ins_error *error);
/* The words of a head that was fitted with them become the whole table, 16 MB
 * at most: a few milliseconds without a poll.  Errors: NO_MEMORY. */
ins_status ins_word_rows_spread(const ins_word_rows *words, ins_head *head,
                                const ins_host *host, ins_error *error);
void ins_word_rows_close(ins_word_rows *words, const ins_host *host);

/* Memory of the words of so many tokens, and of all else. */
uint64_t ins_word_rows_token_bytes(uint64_t tokens);
uint64_t ins_word_rows_bytes(uint64_t texts, uint64_t tokens);
/* Rows of the table, at most. */
uint32_t ins_word_rows_most(uint32_t labels, uint64_t tokens);

#endif
