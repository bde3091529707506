/*
 * words.c - what tokens contribute, summed per word.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "explain/explain.h"

#include <string.h>

/* An added token may look like a continuing piece and is none. */
static bool
is_added(const ins_pack_view *view, int32_t id)
{
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++)
        if (view->added_tokens[i].id == (uint32_t) id)
            return true;
    return false;
}

static bool
is_continuing(const ins_pack_view *view, int32_t id)
{
    const ins_pack_tokenizer *tokenizer = view->tokenizer;
    ins_text piece;

    if ((uint32_t) id >= view->pieces.count || tokenizer->prefix_bytes == 0)
        return false;
    piece = ins_string_at(&view->pieces, (uint32_t) id);
    return piece.size > tokenizer->prefix_bytes &&
           memcmp(piece.data, tokenizer->prefix, tokenizer->prefix_bytes) ==
               0 &&
           !is_added(view, id);
}

size_t
ins_words_sum(const ins_pack_view *view, const ins_token *tokens,
              const float *values, uint32_t count, ins_contribution *words)
{
    size_t found = 0;

    /* The first and the last token are nowhere in the text. */
    for (uint32_t i = 1; i + 1 < count; i++) {
        const ins_token *token = &tokens[i];
        ins_contribution *last = found > 0 ? &words[found - 1] : NULL;

        if (last != NULL &&
            (is_continuing(view, token->id) || token->start < last->end)) {
            last->start =
                token->start < last->start ? token->start : last->start;
            last->end = token->end > last->end ? token->end : last->end;
            last->value += values[i];
        } else {
            words[found++] =
                (ins_contribution){token->start, token->end, values[i]};
        }
    }
    return found;
}
