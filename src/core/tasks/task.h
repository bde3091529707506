/*
 * task.h - hidden states to result rows: the last step of every task.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TASK_H
#define INS_TASK_H

#include "encoder/encoder.h"

/* Borrowed.  What only one of the tasks reads may be NULL for others. */
typedef struct ins_task_input {
    const ins_pack_view *view;
    const ins_linear_context *linear; /* of the encoder */
    const ins_host *host;
    const int32_t *ids;  /* [tokens]: of one sequence */
    const float *hidden; /* [tokens][hidden] */
    uint32_t tokens;     /* >= 1 */
    bool is_query;       /* embed: and not a document */
    float *scratch;      /* [2][hidden]; classify */
    uint32_t *order;     /* [tokens], scratch; embed with a lexical part */
    uint32_t *words; /* [ins_word_table_count(tokens)]; classify with words */
} ins_task_input;

/* row: [labels]; softmax or, for multi-label models, sigmoid of each logit.
 * INS_INTERNAL when a result is not finite. */
ins_status ins_task_classify(const ins_task_input *input, float *row,
                             ins_error *error);
/* What a head reads instead of the first token.  row: [hidden]; pooled, then
 * normalised when the recipe says so.  A vector of length 0 stays 0. */
ins_status ins_task_pool(const ins_task_input *input, float *row,
                         ins_error *error);
/* row: [ins_pack_embedding_size]; what ins_task_pool gives, with the lexical
 * part behind it where the recipe has one, then of length 1 as a whole. */
ins_status ins_task_embed(const ins_task_input *input, float *row,
                          ins_error *error);
/* The lexical part alone, lexical.c.  row: [lexical], of the length that the
 * recipe wants, or 0 for a text without a piece that has a weight.  Polls.
 * Errors: CANCELLED. */
ins_status ins_task_lexical(const ins_task_input *input, float *row,
                            ins_error *error);

#endif
