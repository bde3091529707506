/*
 * explain.h - the parts of an explanation; for api_explain.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_EXPLAIN_PARTS_H
#define INS_EXPLAIN_PARTS_H

#include "gradient/parameters.h"
#include "insitu_explain.h"

/* ---- path.c: what each token adds to the score --------------------------- */

typedef struct ins_path {
    const ins_parameters *parameters;
    const ins_token *tokens; /* [count]; the first and the last stay */
    uint32_t count;          /* 2 to recipe.max_tokens */
    uint32_t pad_id;         /* what the others are at the beginning */
    uint32_t label;
    float *values; /* [count], filled; the first and the last are 0 */
    float score;   /* filled: at the end of the line */
    float baseline;
} ins_path;

/* Errors: CANCELLED, NO_MEMORY, INTERNAL. */
ins_status ins_path_run(ins_path *path, const ins_host *host, ins_error *error);

/* ---- words.c: tokens to words -------------------------------------------- */

/*
 * Sums what belongs together: a piece that begins with the prefix of
 * continuing pieces, or a token that shares bytes with the one before it (one
 * character may be normalised to several).  words: room for count; returns
 * their number.
 */
size_t ins_words_sum(const ins_pack_view *view, const ins_token *tokens,
                     const float *values, uint32_t count,
                     ins_contribution *words);

/* ---- html.c -------------------------------------------------------------- */

typedef struct ins_html_page {
    const ins_explanation *explanation;
    ins_text text;
    ins_text label;
    uint32_t max_tokens; /* of the model */
} ins_html_page;

/* See ins_explanation_html. */
ins_status ins_html_write(const ins_html_page *page, const ins_host *host,
                          char **html, size_t *size, ins_error *error);

#endif
