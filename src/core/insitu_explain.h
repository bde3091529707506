/*
 * insitu_explain.h - which words of a text carried a classification.
 *
 * Source: integrated gradients (Sundararajan, Taly & Yan 2017): the gradient of
 * the label's score by the word embeddings, summed along the straight line from
 * a text of [PAD] (between the same [CLS] and [SEP]) to the text.  Computed in
 * floats, from the weights as the pack has them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_EXPLAIN_H
#define INSITU_EXPLAIN_H

#include "insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A word: pieces that continue one another belong together. */
typedef struct ins_contribution {
    uint32_t start; /* byte offset in the text */
    uint32_t end;   /* one past the last byte */
    float value;    /* what the word adds to the score */
} ins_contribution;

typedef struct ins_explanation {
    ins_contribution *words; /* [count], in the order of the text */
    size_t count;
    uint32_t label;
    float score;    /* of the text, in floats */
    float baseline; /* of the text of [PAD]; words add up to the difference,
                       within 1 % of it or 0.0005 */
    bool truncated; /* words behind the model's limit have no value */
} ins_explanation;

/*
 * label: an index, as ins_run and ins_best_label give it.  All memory but that
 * of the explanation is released before the return.  ins_runtime_prepare must
 * have been called.  Close the explanation also after a failure.
 * Errors: WRONG_TASK, INVALID_ARGUMENT, CANCELLED, NO_MEMORY; INTERNAL when a
 * score is not a number or the steps along the line do not add up.
 */
ins_status ins_explain(ins_explanation *explanation, const ins_model *model,
                       ins_text text, uint32_t label, const ins_host *host,
                       ins_error *error);
void ins_explanation_close(ins_explanation *explanation, const ins_host *host);

/*
 * A self-contained HTML snippet: one div, the text with its words shaded by
 * what they contributed (for: blue, against: orange), label and score above it.
 * Every character of text and label that HTML could read is escaped; invalid
 * UTF-8 and control characters become U+FFFD, as a reference.  No script.
 * text: the one that was explained.  *html: owned by the caller, with a NUL
 * behind it.
 * Errors: CANCELLED, NO_MEMORY.
 */
ins_status ins_explanation_html(const ins_explanation *explanation,
                                const ins_model *model, ins_text text,
                                const ins_host *host, char **html, size_t *size,
                                ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
