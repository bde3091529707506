/*
 * word_head.c - a head that reads the words of a text and nothing else.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/word_head.h"

#include "train/word_rows.h"

#define ITERATIONS 100
/* Of a row's loss by the squares of the weights: scikit-learn's C. */
#define STRENGTH 10

uint64_t
ins_word_head_bytes(const ins_word_head_size *size)
{
    const uint32_t table_rows = ins_word_rows_most(size->labels, size->tokens);
    const uint8_t marks = 0;
    const ins_head_words words = {.table_rows = table_rows};
    const ins_head_rows rows = {
        .count = (size_t) size->texts,
        .labels = size->labels,
        .marks = size->multi_label ? &marks : NULL,
        .words = &words,
    };

    return ins_word_rows_bytes(size->texts, size->tokens) +
           ins_word_rows_token_bytes(size->tokens) +
           ins_head_fit_bytes(&rows, 0) +
           (uint64_t) table_rows * size->labels * sizeof(float);
}

/* The table is 16 MB at most: a few milliseconds without a poll. */
static void
take_share(ins_head *head)
{
    size_t count = (size_t) head->word_rows * head->labels;

    for (size_t i = 0; i < count; i++)
        head->words[i] *= INS_WORD_HEAD_SHARE;
    for (uint32_t i = 0; i < head->labels; i++)
        head->out_bias[i] *= INS_WORD_HEAD_SHARE;
}

static ins_status
fit(ins_head *head, const ins_word_rows *words, const ins_targets *targets,
    ins_progress *progress, ins_error *error)
{
    const ins_head_rows rows = {
        .count = (size_t) targets->count,
        .labels = targets->labels,
        .targets = targets->numbers,
        .marks = targets->marks,
        .weights = targets->weights,
        .words = &words->head,
    };
    const ins_head_options options = {
        .l2 = 1.0 / (STRENGTH * (double) targets->count),
        .iterations = ITERATIONS,
        .progress = ins_progress_iteration,
        .progress_user = progress,
    };

    INS_TRY(ins_head_fit(head, &rows, &options, &progress->host, error));
    INS_TRY(ins_word_rows_spread(words, head, &progress->host, error));
    take_share(head);
    return INS_OK;
}

ins_status
ins_word_head_fit(ins_head *head, const ins_token_rows *tokens,
                  const ins_targets *targets, ins_progress *progress,
                  ins_error *error)
{
    ins_word_rows words;
    ins_status status;

    *head = (ins_head){0};
    ins_progress_begin(progress, "words", ITERATIONS);
    status = ins_word_rows_open(&words, tokens, targets->count, targets->labels,
                                &progress->host, error);
    if (status == INS_OK)
        status = fit(head, &words, targets, progress, error);
    ins_word_rows_close(&words, &progress->host);
    return status;
}
