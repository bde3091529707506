/*
 * word_rows.c - the texts of a training as words.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/word_rows.h"

#include <string.h>

#include "pack/pack_shape.h"
#include "pack/word_table.h"

#define ROWS_PER_POLL  1024
#define WORDS_PER_POLL (1u << 20)
#define MOST_WORDS     2 /* of a token */

/* ---- estimates ----------------------------------------------------------- */

uint32_t
ins_word_rows_most(uint32_t labels, uint64_t tokens)
{
    return ins_pack_word_rows(labels, tokens * MOST_WORDS);
}

uint64_t
ins_word_rows_token_bytes(uint64_t tokens)
{
    return tokens * MOST_WORDS * sizeof(uint32_t);
}

uint64_t
ins_word_rows_bytes(uint64_t texts, uint64_t tokens)
{
    return (texts + 1) * sizeof(uint64_t) +
           2 * (uint64_t) ins_word_rows_most(1, tokens) * sizeof(uint32_t);
}

/* ---- filling ------------------------------------------------------------- */

static uint32_t
length_of(const ins_token_rows *tokens, uint64_t row)
{
    return (uint32_t) (tokens->starts[row + 1] - tokens->starts[row]);
}

static ins_status
find_words(ins_word_rows *words, const ins_token_rows *tokens, uint64_t rows,
           const ins_host *host, ins_error *error)
{
    uint64_t at = 0;
    void *memory;

    INS_TRY(ins_alloc(host, rows + 1, sizeof(uint64_t), &memory, error));
    words->starts = memory;
    for (uint64_t i = 0; i < rows; i++) {
        if (i % ROWS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        words->starts[i] = at;
        at += ins_word_table_count(length_of(tokens, i));
    }
    words->starts[rows] = at;
    INS_TRY(ins_alloc(host, at, sizeof(uint32_t), &memory, error));
    words->words = memory;
    for (uint64_t i = 0; i < rows; i++) {
        if (i % ROWS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        ins_word_table_find(tokens->ids + tokens->starts[i],
                            length_of(tokens, i), words->table_rows,
                            words->words + words->starts[i]);
    }
    return INS_OK;
}

/* How many of the rows the words have.  known: [rows], zeros, filled. */
static ins_status
count_rows(const ins_word_rows *words, uint64_t count, uint32_t *known,
           uint64_t *different, const ins_host *host, ins_error *error)
{
    *different = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t *mark = &known[words->words[i]];

        if (i % WORDS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        *different += *mark == 0;
        *mark = 1;
    }
    return INS_OK;
}

/* Rows of the table become numbers of rows that are learnt, in the order in
 * which they are met.  numbers: [table_rows], zeros. */
static ins_status
number_rows(ins_word_rows *words, uint64_t count, uint32_t *numbers,
            const ins_host *host, ins_error *error)
{
    uint32_t learnt = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint32_t row = words->words[i] & (words->table_rows - 1);

        if (i % WORDS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        if (numbers[row] == 0) {
            words->rows[learnt++] = row;
            numbers[row] = learnt;
        }
        words->words[i] = numbers[row] - 1;
    }
    words->head.table_rows = learnt;
    return INS_OK;
}

/* A table has rows by the number of different words, which is known only when
 * they have been found, in a table for all of them: a row of the smaller one
 * is what fits of the row of the larger one. */
static ins_status
fill_rows(ins_word_rows *words, uint64_t count, uint32_t labels,
          uint32_t *numbers, const ins_host *host, ins_error *error)
{
    uint64_t different;
    void *memory;

    INS_TRY(count_rows(words, count, numbers, &different, host, error));
    memset(numbers, 0, words->table_rows * sizeof(uint32_t));
    words->table_rows = ins_pack_word_rows(labels, different);
    INS_TRY(
        ins_alloc(host, words->table_rows, sizeof(uint32_t), &memory, error));
    words->rows = memory;
    return number_rows(words, count, numbers, host, error);
}

static ins_status
fill(ins_word_rows *words, const ins_token_rows *tokens, uint64_t texts,
     uint32_t labels, const ins_host *host, ins_error *error)
{
    ins_status status;
    void *memory;

    words->table_rows = ins_word_rows_most(1, tokens->starts[texts]);
    INS_TRY(find_words(words, tokens, texts, host, error));
    INS_TRY(ins_alloc_zeroed(host, words->table_rows, sizeof(uint32_t), &memory,
                             error));
    status =
        fill_rows(words, words->starts[texts], labels, memory, host, error);
    ins_release(host, memory);
    words->head.words = words->words;
    words->head.starts = words->starts;
    return status;
}

ins_status
ins_word_rows_open(ins_word_rows *words, const ins_token_rows *tokens,
                   uint64_t texts, uint32_t labels, const ins_host *host,
                   ins_error *error)
{
    *words = (ins_word_rows){.head.scale = 1};
    return fill(words, tokens, texts, labels, host, error);
}

ins_status
ins_word_rows_spread(const ins_word_rows *words, ins_head *head,
                     const ins_host *host, ins_error *error)
{
    size_t row = head->labels;
    float *table;
    void *memory;

    INS_TRY(ins_alloc_zeroed(host, (uint64_t) words->table_rows * row,
                             sizeof(float), &memory, error));
    table = memory;
    for (uint32_t i = 0; i < words->head.table_rows; i++)
        memcpy(table + words->rows[i] * row, head->words + i * row,
               row * sizeof(float));
    ins_release(host, head->words);
    head->words = table;
    head->word_rows = words->table_rows;
    return INS_OK;
}

void
ins_word_rows_close(ins_word_rows *words, const ins_host *host)
{
    ins_release(host, words->words);
    ins_release(host, words->starts);
    ins_release(host, words->rows);
    *words = (ins_word_rows){.words = NULL};
}
