/*
 * tokenizer.c - walks over the text: added tokens first, the rest character by
 * character into the normaliser.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tokenizer/tokenizer.h"

#include <string.h>

#include "base/utf8.h"
#include "tokenizer/parts.h"
#include "unicode/classes.h"

#define BYTES_PER_POLL 65536
#define WORK_PER_POLL  8000000 /* about 10 ms */
#define REPLACEMENT    0xFFFD
#define MAX_TEXT_BYTES ((size_t) UINT32_MAX / 2)
/* A text of so many bytes is joined to a prompt without an allocation. */
#define JOINED_TEXT_BYTES 65536

/* One walk over a text. */
struct walk {
    ins_tokenizer *tokenizer;
    ins_text text;
    size_t at;
    size_t last_end; /* of the last added token */
    size_t blocked;  /* added tokens may not begin before this */
    size_t next_poll;
};

static void
take_character(void *sink, ins_character character)
{
    ins_window_add(sink, character);
}

static uint32_t
find_longest_piece(const ins_pack_view *view)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i < view->pieces.count; i++) {
        uint32_t size = (uint32_t) ins_string_at(&view->pieces, i).size;

        longest = size > longest ? size : longest;
    }
    return longest;
}

/* The added tokens that are matched in the text as it is. */
static ins_status
open_raw(ins_tokenizer *tokenizer, ins_error *error)
{
    const ins_pack_view *view = tokenizer->view;
    ins_phrases *raw = &tokenizer->raw;
    void *memory;

    if (view->tokenizer->added_tokens == 0)
        return INS_OK;
    INS_TRY(ins_alloc(&tokenizer->host, view->tokenizer->added_tokens,
                      sizeof(ins_phrase), &memory, error));
    raw->rows = memory;
    raw->bytes = view->added_bytes;
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *added = &view->added_tokens[i];

        if (added->flags & INS_ADDED_NORMALIZED)
            continue;
        raw->rows[raw->count++] = (ins_phrase){i, added->start, added->bytes};
        tokenizer->raw_starts[(uint8_t) view->added_bytes[added->start]] = true;
    }
    return ins_phrases_sort(raw, &tokenizer->host, error);
}

/* For the few models that have prompts. */
static ins_status
open_joined(ins_tokenizer *tokenizer, ins_error *error)
{
    const ins_pack_tokenizer *settings = tokenizer->view->tokenizer;
    uint64_t longest = settings->document_prompt_bytes;
    void *memory;

    if (settings->query_prompt_bytes > longest)
        longest = settings->query_prompt_bytes;
    if (longest == 0)
        return INS_OK;
    tokenizer->joined_capacity = (size_t) longest + JOINED_TEXT_BYTES;
    INS_TRY(ins_alloc(&tokenizer->host, tokenizer->joined_capacity, 1, &memory,
                      error));
    tokenizer->joined = memory;
    return INS_OK;
}

ins_status
ins_tokenizer_open(ins_tokenizer **tokenizer, const ins_pack_view *view,
                   const ins_host *host, ins_error *error)
{
    ins_tokenizer *self;
    void *memory;
    ins_status status;

    *tokenizer = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_tokenizer), &memory, error));
    self = memory;
    self->host = *host;
    self->view = view;
    self->longest_piece = find_longest_piece(view);
    self->normalizer.flags = view->tokenizer->flags;
    self->normalizer.sink = take_character;
    self->normalizer.sink_data = self;
    status = open_raw(self, error);
    if (status == INS_OK)
        status = ins_window_open(self, error);
    if (status == INS_OK)
        status = open_joined(self, error);
    if (status != INS_OK) {
        ins_tokenizer_close(self);
        return status;
    }
    *tokenizer = self;
    return INS_OK;
}

void
ins_tokenizer_close(ins_tokenizer *tokenizer)
{
    ins_host host;

    if (tokenizer == NULL)
        return;
    host = tokenizer->host;
    ins_window_close(tokenizer);
    ins_release(&host, tokenizer->raw.rows);
    ins_release(&host, tokenizer->joined);
    ins_release(&host, tokenizer);
}

size_t
ins_tokenizer_bytes(const ins_tokenizer *tokenizer)
{
    size_t raw_bytes =
        tokenizer->view->tokenizer->added_tokens * sizeof(ins_phrase);

    return sizeof(*tokenizer) + raw_bytes + ins_window_bytes(tokenizer) +
           tokenizer->joined_capacity;
}

/* ---- added tokens -------------------------------------------------------- */

/* The longest added token that begins at the walk's place, or NULL. */
static const ins_pack_added_token *
match_added(const struct walk *walk)
{
    ins_tokenizer *tokenizer = walk->tokenizer;
    ins_phrase_range range = ins_phrases_all(&tokenizer->raw);
    const ins_phrase *best = NULL;

    for (size_t at = walk->at;
         at < walk->text.size && ins_phrases_may_grow(&tokenizer->raw, &range);
         at++) {
        const ins_phrase *complete = ins_phrases_narrow(
            &tokenizer->raw, &range, (uint8_t) walk->text.data[at]);

        if (complete != NULL)
            best = complete;
    }
    tokenizer->work += range.depth * (uint64_t) INS_NARROWING_WORK;
    return best == NULL ? NULL : &tokenizer->view->added_tokens[best->added];
}

/* Start of the character that ends before at. */
static size_t
step_back(ins_text text, size_t at, uint32_t *code_point)
{
    size_t start = at - 1;

    for (size_t i = 1; i <= INS_UTF8_MAX_BYTES && i <= at; i++)
        if (ins_utf8_decode(text.data + at - i, i, code_point) == i &&
            *code_point != INS_UTF8_INVALID)
            return at - i;
    *code_point = REPLACEMENT;
    return start;
}

static bool
is_between_words(const struct walk *walk, size_t end)
{
    uint32_t before = ' ';
    uint32_t after = ' ';

    if (walk->at > 0)
        step_back(walk->text, walk->at, &before);
    if (end < walk->text.size)
        ins_utf8_decode(walk->text.data + end, walk->text.size - end, &after);
    return !ins_is_word_character(before) && !ins_is_word_character(after);
}

static size_t
skip_spaces_back(const struct walk *walk)
{
    size_t start = walk->at;

    while (start > walk->last_end) {
        uint32_t code_point;
        size_t previous = step_back(walk->text, start, &code_point);

        if (!ins_is_whitespace(code_point))
            break;
        start = previous;
    }
    return start;
}

static size_t
skip_spaces(const struct walk *walk, size_t end)
{
    while (end < walk->text.size) {
        uint32_t code_point;
        size_t length = ins_utf8_decode(walk->text.data + end,
                                        walk->text.size - end, &code_point);

        if (!ins_is_whitespace(code_point))
            break;
        end += length;
    }
    return end;
}

/* What comes next has nothing to do with what came before. */
static void
end_stretch(ins_tokenizer *tokenizer)
{
    ins_normalizer_flush(&tokenizer->normalizer);
    ins_window_end(tokenizer);
    ins_word_end(tokenizer);
}

/* True when an added token was taken and the walk has moved past it. */
static bool
take_added(struct walk *walk)
{
    ins_tokenizer *tokenizer = walk->tokenizer;
    const ins_pack_added_token *added;
    size_t start = walk->at;
    size_t end;

    if (walk->at < walk->blocked ||
        !tokenizer->raw_starts[(uint8_t) walk->text.data[walk->at]])
        return false;
    added = match_added(walk);
    if (added == NULL)
        return false;
    end = walk->at + added->bytes;
    if (added->flags & INS_ADDED_SINGLE_WORD && !is_between_words(walk, end)) {
        walk->blocked = end;
        return false;
    }
    if (added->flags & INS_ADDED_LSTRIP)
        start = skip_spaces_back(walk);
    if (added->flags & INS_ADDED_RSTRIP)
        end = skip_spaces(walk, end);
    end_stretch(tokenizer);
    ins_token_output_add(&tokenizer->output, (int32_t) added->id,
                         (uint32_t) start, (uint32_t) end);
    walk->at = end;
    walk->last_end = end;
    return true;
}

/* ---- polling ------------------------------------------------------------- */

static void
poll_now(ins_tokenizer *tokenizer)
{
    tokenizer->work = 0;
    if (tokenizer->status == INS_OK)
        tokenizer->status = ins_poll(&tokenizer->host, tokenizer->error);
    /* Nobody looks at the tokens then: the walk ends as at a limit. */
    if (tokenizer->status != INS_OK)
        tokenizer->output.full = true;
}

bool
ins_tokenizer_poll(ins_tokenizer *tokenizer)
{
    if (tokenizer->work >= WORK_PER_POLL)
        poll_now(tokenizer);
    return tokenizer->status == INS_OK;
}

/* ---- the walk ------------------------------------------------------------ */

static void
take_next(struct walk *walk)
{
    ins_character character;
    size_t length;

    if (take_added(walk))
        return;
    length = ins_utf8_decode(walk->text.data + walk->at,
                             walk->text.size - walk->at, &character.code_point);
    if (character.code_point == INS_UTF8_INVALID)
        character.code_point = REPLACEMENT;
    character.start = (uint32_t) walk->at;
    walk->at += length;
    character.end = (uint32_t) walk->at;
    ins_normalizer_add(&walk->tokenizer->normalizer, character);
}

static ins_status
walk_text(ins_tokenizer *tokenizer, ins_text text, ins_error *error)
{
    struct walk walk = {tokenizer, text, 0, 0, 0, 0};

    tokenizer->error = error;
    tokenizer->status = INS_OK;
    tokenizer->normalizer.waiting_count = 0;
    tokenizer->normalizer.too_many = false;
    tokenizer->word.count = 0;
    tokenizer->word.byte_count = 0;
    ins_window_start(tokenizer);
    while (walk.at < text.size && !tokenizer->output.full) {
        if (walk.at >= walk.next_poll) {
            poll_now(tokenizer);
            walk.next_poll = walk.at + BYTES_PER_POLL;
        }
        if (ins_tokenizer_poll(tokenizer))
            take_next(&walk);
    }
    end_stretch(tokenizer);
    return tokenizer->status;
}

/* Prompt and text as one string. */
static ins_status
walk_joined(ins_tokenizer *tokenizer, ins_text prompt, ins_text text,
            ins_error *error)
{
    const ins_host *host = &tokenizer->host;
    size_t size = prompt.size + text.size;
    char *joined = tokenizer->joined;
    void *memory = NULL;
    ins_status status;

    if (size > tokenizer->joined_capacity) {
        INS_TRY(ins_alloc(host, size, 1, &memory, error));
        joined = memory;
    }
    memcpy(joined, prompt.data, prompt.size);
    if (text.size > 0)
        memcpy(joined + prompt.size, text.data, text.size);
    status = walk_text(tokenizer, (ins_text){joined, size}, error);
    ins_release(host, memory);
    return status;
}

/* Offsets count from the text: those of the prompt become 0. */
static void
subtract_prompt(ins_token_output *output, size_t prompt_bytes)
{
    uint32_t shift = (uint32_t) prompt_bytes;

    for (size_t i = 0; i < output->count && i < output->capacity; i++) {
        ins_token *token = &output->tokens[i];

        token->start = token->start > shift ? token->start - shift : 0;
        token->end = token->end > shift ? token->end - shift : 0;
    }
}

ins_status
ins_tokenizer_run(ins_tokenizer *tokenizer, ins_text prompt, ins_text text,
                  size_t limit, ins_token *tokens, size_t capacity,
                  size_t *count, bool *truncated, ins_error *error)
{
    const ins_pack_tokenizer *settings = tokenizer->view->tokenizer;
    ins_token_output *output = &tokenizer->output;

    INS_CHECK(text.size < MAX_TEXT_BYTES, error, INS_LIMIT_EXCEEDED,
              "text has %zu bytes; the limit is %zu", text.size,
              MAX_TEXT_BYTES);
    *output = (ins_token_output){tokens, capacity, limit, 0, false};
    ins_token_output_add(output, (int32_t) settings->cls_id, 0, 0);
    if (prompt.size > 0)
        INS_TRY(walk_joined(tokenizer, prompt, text, error));
    else
        INS_TRY(walk_text(tokenizer, text, error));
    *truncated = output->full;
    /* The place that the limit kept. */
    output->full = false;
    output->limit = 0;
    ins_token_output_add(output, (int32_t) settings->sep_id, 0, 0);
    if (prompt.size > 0)
        subtract_prompt(output, prompt.size);
    *count = output->count;
    return INS_OK;
}
