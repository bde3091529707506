/*
 * window.c - added tokens in the normalised text: the leftmost, then the
 * longest, as the reference's automaton finds them.
 *
 * Characters wait only while they begin some pattern.  Offsets of a token with
 * lstrip include the spaces before it; those after one with rstrip are
 * swallowed, but its end stays its own.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tokenizer/parts.h"

#include <string.h>

#include "base/utf8.h"
#include "unicode/classes.h"

/* NFD gives at most three characters for two bytes. */
#define CHARACTERS_PER_BYTE 2

/* How the waiting characters stand to the patterns. */
struct match {
    const ins_pattern *longest; /* complete, or NULL */
    bool may_grow;              /* a longer one could still come */
};

/* ---- patterns ------------------------------------------------------------ */

struct pattern_sink {
    ins_window *window;
    uint32_t used; /* characters of window->text */
};

static void
take_pattern_character(void *data, ins_character character)
{
    struct pattern_sink *sink = data;

    sink->window->text[sink->used++] = character.code_point;
}

static void
normalize_pattern(const ins_tokenizer *tokenizer, ins_text text,
                  ins_normalizer *normalizer)
{
    size_t at = 0;

    normalizer->flags = tokenizer->view->tokenizer->flags;
    while (at < text.size) {
        ins_character character = {0, 0, 0};

        at += ins_utf8_decode(text.data + at, text.size - at,
                              &character.code_point);
        if (character.code_point == INS_UTF8_INVALID)
            character.code_point = 0xFFFD;
        ins_normalizer_add(normalizer, character);
    }
    ins_normalizer_flush(normalizer);
}

static void
add_patterns(ins_tokenizer *tokenizer)
{
    const ins_pack_view *view = tokenizer->view;
    ins_window *window = &tokenizer->window;
    struct pattern_sink sink = {window, 0};
    ins_normalizer *normalizer = &tokenizer->normalizer;
    ins_character_sink sink_before = normalizer->sink;
    void *data_before = normalizer->sink_data;

    normalizer->sink = take_pattern_character;
    normalizer->sink_data = &sink;
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *added = &view->added_tokens[i];
        ins_text text = {view->added_bytes + added->start, added->bytes};
        ins_pattern *pattern = &window->patterns[window->pattern_count];

        if ((added->flags & INS_ADDED_NORMALIZED) == 0)
            continue;
        *pattern = (ins_pattern){added->id, added->flags, sink.used, 0};
        normalize_pattern(tokenizer, text, normalizer);
        pattern->count = sink.used - pattern->start;
        /* One that normalises to nothing matches nowhere. */
        if (pattern->count > 0)
            window->pattern_count++;
    }
    normalizer->sink = sink_before;
    normalizer->sink_data = data_before;
}

ins_status
ins_window_open(ins_tokenizer *tokenizer, ins_error *error)
{
    const ins_pack_view *view = tokenizer->view;
    ins_window *window = &tokenizer->window;
    uint64_t bytes = 0;
    uint32_t count = 0;
    uint64_t characters;
    void *memory;

    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++)
        if (view->added_tokens[i].flags & INS_ADDED_NORMALIZED) {
            bytes += view->added_tokens[i].bytes;
            count++;
        }
    if (count == 0)
        return INS_OK;
    INS_TRY(ins_alloc(&tokenizer->host, count, sizeof(ins_pattern), &memory,
                      error));
    window->patterns = memory;
    characters = bytes * CHARACTERS_PER_BYTE + count * 3;
    INS_TRY(ins_alloc(&tokenizer->host, characters, sizeof(uint32_t), &memory,
                      error));
    window->text = memory;
    window->bytes =
        count * sizeof(ins_pattern) + (size_t) characters * sizeof(uint32_t);
    add_patterns(tokenizer);
    return INS_OK;
}

void
ins_window_close(ins_tokenizer *tokenizer)
{
    ins_release(&tokenizer->host, tokenizer->window.patterns);
    ins_release(&tokenizer->host, tokenizer->window.text);
}

size_t
ins_window_bytes(const ins_tokenizer *tokenizer)
{
    return tokenizer->window.bytes;
}

/* ---- matching ------------------------------------------------------------ */

/* Characters that pattern and window share from their beginnings. */
static uint32_t
count_equal(const ins_window *window, const ins_pattern *pattern)
{
    uint32_t waiting = window->tail - window->head;
    uint32_t limit = pattern->count < waiting ? pattern->count : waiting;
    uint32_t same = 0;

    while (same < limit && window->waiting[window->head + same].code_point ==
                               window->text[pattern->start + same])
        same++;
    return same;
}

static struct match
find_match(ins_tokenizer *tokenizer)
{
    const ins_window *window = &tokenizer->window;
    struct match match = {NULL, false};
    uint32_t waiting = window->tail - window->head;

    for (uint32_t i = 0; i < window->pattern_count; i++) {
        const ins_pattern *pattern = &window->patterns[i];
        uint32_t same = count_equal(window, pattern);

        tokenizer->work += same + 4;

        if (same == pattern->count) {
            if (match.longest == NULL || pattern->count > match.longest->count)
                match.longest = pattern;
        } else if (same == waiting) {
            match.may_grow = true;
        }
    }
    return match;
}

/* ---- letting go ---------------------------------------------------------- */

static void
let_go(ins_tokenizer *tokenizer, uint32_t count)
{
    ins_window *window = &tokenizer->window;

    for (uint32_t i = 0; i < count; i++) {
        ins_character character = window->waiting[window->head++];

        if (!ins_is_whitespace(character.code_point))
            window->skip_spaces = false;
        else if (!ins_is_whitespace(window->previous))
            window->space_start = character.start;
        window->previous = character.code_point;
        if (!window->skip_spaces)
            ins_word_add(tokenizer, character);
    }
}

static void
take_token(ins_tokenizer *tokenizer, const ins_pattern *pattern)
{
    ins_window *window = &tokenizer->window;
    const ins_character *first = &window->waiting[window->head];
    const ins_character *last = first + pattern->count - 1;
    bool spaces_before = ins_is_whitespace(window->previous) &&
                         window->space_start < first->start;
    uint32_t start = pattern->flags & INS_ADDED_LSTRIP && spaces_before
                         ? window->space_start
                         : first->start;

    ins_word_end(tokenizer);
    ins_token_output_add(&tokenizer->output, (int32_t) pattern->id, start,
                         last->end);
    window->previous = last->code_point;
    window->space_start = last->end;
    window->skip_spaces = (pattern->flags & INS_ADDED_RSTRIP) != 0;
    window->head += pattern->count;
}

/* Is the match between characters that belong to no word? */
static bool
is_single_word(const ins_window *window, const ins_pattern *pattern)
{
    uint32_t next = window->head + pattern->count;

    return !ins_is_word_character(window->previous) &&
           (next == window->tail ||
            !ins_is_word_character(window->waiting[next].code_point));
}

/* final: no more characters come.  False: the window must wait for one. */
static bool
advance(ins_tokenizer *tokenizer, bool final)
{
    ins_window *window = &tokenizer->window;
    struct match match = find_match(tokenizer);
    const ins_pattern *pattern = match.longest;

    if (match.may_grow && !final)
        return false;
    if (pattern == NULL) {
        let_go(tokenizer, 1);
        return true;
    }
    if (pattern->flags & INS_ADDED_SINGLE_WORD) {
        if (!final && window->head + pattern->count == window->tail)
            return false;
        if (!is_single_word(window, pattern)) {
            let_go(tokenizer, pattern->count);
            return true;
        }
    }
    take_token(tokenizer, pattern);
    return true;
}

static void
make_room(ins_window *window)
{
    uint32_t waiting = window->tail - window->head;

    memmove(window->waiting, window->waiting + window->head,
            waiting * sizeof(ins_character));
    window->head = 0;
    window->tail = waiting;
}

void
ins_window_add(ins_tokenizer *tokenizer, ins_character character)
{
    ins_window *window = &tokenizer->window;
    uint32_t capacity = sizeof(window->waiting) / sizeof(window->waiting[0]);

    if (window->pattern_count == 0) {
        ins_word_add(tokenizer, character);
        return;
    }
    if (window->tail == capacity)
        make_room(window);
    /* No pattern is as long as that; but the window must never overflow. */
    if (window->tail == capacity)
        let_go(tokenizer, 1);
    if (window->tail == capacity)
        make_room(window);
    window->waiting[window->tail++] = character;
    while (window->head < window->tail && advance(tokenizer, false))
        continue;
}

void
ins_window_end(ins_tokenizer *tokenizer)
{
    ins_window *window = &tokenizer->window;

    while (window->head < window->tail)
        (void) advance(tokenizer, true);
    window->head = 0;
    window->tail = 0;
    window->previous = ' ';
    window->skip_spaces = false;
}
