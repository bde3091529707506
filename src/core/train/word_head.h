/*
 * word_head.h - a head that reads the words of a text and nothing else, for its
 * logits to be added to those of another model.
 *
 * Multinomial logistic regression over pack/word_table.h, the penalty that of
 * scikit-learn's LogisticRegression with C = 10.  Bags of words and of pairs of
 * words are a strong baseline (Wang & Manning 2012), and what they get wrong is
 * not what an encoder gets wrong.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WORD_HEAD_H
#define INS_WORD_HEAD_H

#include "train/head.h"
#include "train/progress.h"
#include "train/targets.h"
#include "train/token_rows.h"

/* How much of its logits: with all of them rows like those that were learnt are
 * told a little better still, and others worse; see README.md. */
#define INS_WORD_HEAD_SHARE 0.5f

typedef struct ins_word_head_size {
    uint64_t texts;
    uint64_t tokens; /* of all texts */
    uint32_t labels;
    bool multi_label;
} ins_word_head_size;

/*
 * head: without columns, with out_bias and words, the table of a pack, each
 * INS_WORD_HEAD_SHARE of what was fitted.  Is the phase "words".  Close also
 * after a failure.  Errors: CANCELLED, NO_MEMORY, INTERNAL.
 */
ins_status ins_word_head_fit(ins_head *head, const ins_token_rows *tokens,
                             const ins_targets *targets, ins_progress *progress,
                             ins_error *error);
/* Memory beside tokens and targets, the head included. */
uint64_t ins_word_head_bytes(const ins_word_head_size *size);

#endif
