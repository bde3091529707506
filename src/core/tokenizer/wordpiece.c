/*
 * wordpiece.c - characters to words, words to pieces: the longest piece first.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tokenizer/parts.h"

#include <string.h>

#include "base/utf8.h"
#include "pack/piece_index.h"
#include "unicode/classes.h"

void
ins_token_output_add(ins_token_output *output, int32_t id, uint32_t start,
                     uint32_t end)
{
    /* One place is kept for [SEP]. */
    if (output->full ||
        (output->limit > 0 && output->count >= output->limit - 1)) {
        output->full = true;
        return;
    }
    if (output->count < output->capacity)
        output->tokens[output->count] = (ins_token){id, start, end};
    output->count++;
}

/* The longest piece that begins at character from; *to is where it ends. */
static int32_t
find_longest(ins_tokenizer *tokenizer, uint32_t from, uint32_t *to)
{
    const ins_pack_view *view = tokenizer->view;
    const ins_word *word = &tokenizer->word;
    ins_text prefix = {view->tokenizer->prefix, view->tokenizer->prefix_bytes};

    if (from == 0)
        prefix.size = 0;
    for (*to = word->count; *to > from; --*to) {
        ins_text text = {word->bytes + word->offsets[from],
                         word->offsets[*to] - word->offsets[from]};
        int32_t id;

        /* Words of 1000 characters must not be searched to the end. */
        if (text.size > tokenizer->longest_piece)
            continue;
        tokenizer->work += text.size;
        id = ins_piece_index_find(view, prefix, text);
        if (id >= 0)
            return id;
    }
    return -1;
}

/* Canonical order can put a mark before one that precedes it in the text, so
 * the first character is not always the leftmost. */
static void
set_offsets(const ins_word *word, uint32_t from, uint32_t to, ins_token *token)
{
    token->start = word->starts[from];
    token->end = word->ends[from];
    for (uint32_t i = from + 1; i < to; i++) {
        if (word->starts[i] < token->start)
            token->start = word->starts[i];
        if (word->ends[i] > token->end)
            token->end = word->ends[i];
    }
}

/* False when some part of the word is no piece, or when the run has to stop: a
 * long word of short pieces is as much work as a long text. */
static bool
split_word(ins_tokenizer *tokenizer, uint32_t *piece_count)
{
    ins_word *word = &tokenizer->word;
    uint32_t from = 0;

    *piece_count = 0;
    if (word->count > tokenizer->view->tokenizer->max_word_chars)
        return false;
    while (from < word->count && ins_tokenizer_poll(tokenizer)) {
        uint32_t to;
        int32_t id = find_longest(tokenizer, from, &to);

        if (id < 0)
            return false;
        word->pieces[*piece_count] = (ins_token){id, 0, 0};
        set_offsets(word, from, to, &word->pieces[*piece_count]);
        ++*piece_count;
        from = to;
    }
    return from == word->count;
}

void
ins_word_end(ins_tokenizer *tokenizer)
{
    ins_word *word = &tokenizer->word;
    ins_token_output *output = &tokenizer->output;
    uint32_t count;

    if (word->count == 0)
        return;
    if (split_word(tokenizer, &count)) {
        for (uint32_t i = 0; i < count; i++)
            ins_token_output_add(output, word->pieces[i].id,
                                 word->pieces[i].start, word->pieces[i].end);
    } else {
        ins_token_output_add(output,
                             (int32_t) tokenizer->view->tokenizer->unk_id,
                             word->first, word->last);
    }
    word->count = 0;
    word->byte_count = 0;
}

static void
append(ins_word *word, ins_character character, uint32_t max_chars)
{
    if (word->count == 0 || character.start < word->first)
        word->first = character.start;
    if (word->count == 0 || character.end > word->last)
        word->last = character.end;
    if (word->count < max_chars) {
        word->starts[word->count] = character.start;
        word->ends[word->count] = character.end;
        word->offsets[word->count] = word->byte_count;
        word->byte_count += (uint32_t) ins_utf8_encode(
            character.code_point, word->bytes + word->byte_count);
        word->offsets[word->count + 1] = word->byte_count;
    }
    /* A longer word needs no more than that it is too long. */
    if (word->count <= max_chars)
        word->count++;
}

void
ins_word_add(ins_tokenizer *tokenizer, ins_character character)
{
    uint32_t max_chars = tokenizer->view->tokenizer->max_word_chars;

    if (ins_is_whitespace(character.code_point)) {
        ins_word_end(tokenizer);
    } else if (ins_is_punctuation(character.code_point)) {
        ins_word_end(tokenizer);
        append(&tokenizer->word, character, max_chars);
        ins_word_end(tokenizer);
    } else {
        append(&tokenizer->word, character, max_chars);
    }
}
