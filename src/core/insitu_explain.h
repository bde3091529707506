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
    float score;    /* of the text */
    float baseline; /* of the text of [PAD]; words add up to the difference,
                       within 5 % or 0.001 */
    bool truncated; /* words behind the model's limit have no value */
} ins_explanation;

/*
 * label: an index, or -1 for the best one.  Close the explanation also after a
 * failure.  Errors: WRONG_TASK, INVALID_ARGUMENT, CANCELLED, NO_MEMORY.
 */
ins_status ins_explain(ins_explanation *explanation, const ins_model *model,
                       ins_text text, int32_t label, const ins_host *host,
                       ins_error *error);
void ins_explanation_close(ins_explanation *explanation, const ins_host *host);

/*
 * A self-contained HTML snippet: the text with its words shaded by what they
 * contributed (for: one colour, against: another), label and score above it.
 * Every character of text and label that HTML could read is escaped; invalid
 * UTF-8 becomes U+FFFD.  No script.  *html: owned by the caller.
 */
ins_status ins_explanation_html(const ins_explanation *explanation,
                                const ins_model *model, ins_text text,
                                const ins_host *host, char **html, size_t *size,
                                ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
