/*
 * window.c - added tokens in the normalised text: the leftmost, then the
 * longest, as the reference's automaton finds them.
 *
 * Characters wait only while they begin some phrase.  Offsets of a token with
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

/* ---- phrases ------------------------------------------------------------- */

struct phrase_sink {
    uint32_t *code_points;
    uint32_t used;
};

static void
take_phrase_character(void *data, ins_character character)
{
    struct phrase_sink *sink = data;

    sink->code_points[sink->used++] = character.code_point;
}

static void
normalize_phrase(const ins_tokenizer *tokenizer, ins_text text,
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
add_phrases(ins_tokenizer *tokenizer)
{
    const ins_pack_view *view = tokenizer->view;
    ins_phrases *phrases = &tokenizer->window.phrases;
    struct phrase_sink sink = {phrases->code_points, 0};
    ins_normalizer *normalizer = &tokenizer->normalizer;
    ins_character_sink sink_before = normalizer->sink;
    void *data_before = normalizer->sink_data;

    normalizer->sink = take_phrase_character;
    normalizer->sink_data = &sink;
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *added = &view->added_tokens[i];
        ins_text text = {view->added_bytes + added->start, added->bytes};
        ins_phrase *phrase = &phrases->rows[phrases->count];

        if ((added->flags & INS_ADDED_NORMALIZED) == 0)
            continue;
        *phrase = (ins_phrase){i, sink.used, 0};
        normalize_phrase(tokenizer, text, normalizer);
        phrase->count = sink.used - phrase->start;
        /* One that normalises to nothing matches nowhere. */
        if (phrase->count > 0)
            phrases->count++;
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
    INS_TRY(
        ins_alloc(&tokenizer->host, count, sizeof(ins_phrase), &memory, error));
    window->phrases.rows = memory;
    characters = bytes * CHARACTERS_PER_BYTE + count * 3;
    INS_TRY(ins_alloc(&tokenizer->host, characters, sizeof(uint32_t), &memory,
                      error));
    window->phrases.code_points = memory;
    window->bytes =
        count * sizeof(ins_phrase) + (size_t) characters * sizeof(uint32_t);
    add_phrases(tokenizer);
    return ins_phrases_sort(&window->phrases, &tokenizer->host, error);
}

void
ins_window_close(ins_tokenizer *tokenizer)
{
    ins_release(&tokenizer->host, tokenizer->window.phrases.rows);
    ins_release(&tokenizer->host, tokenizer->window.phrases.code_points);
}

size_t
ins_window_bytes(const ins_tokenizer *tokenizer)
{
    return tokenizer->window.bytes;
}

/* ---- matching ------------------------------------------------------------ */

/* What waits begins elsewhere now. */
static void
restart(ins_window *window)
{
    window->range = ins_phrases_all(&window->phrases);
    window->longest = NULL;
}

/* Goes on where the last call ended.  True: all that waits is the beginning of
 * some phrase, so that a longer one could still come. */
static bool
match_further(ins_tokenizer *tokenizer)
{
    ins_window *window = &tokenizer->window;
    ins_phrase_range *range = &window->range;
    uint32_t waiting = window->tail - window->head;
    bool may_grow = ins_phrases_may_grow(&window->phrases, range);

    while (may_grow && range->depth < waiting) {
        const ins_phrase *complete = ins_phrases_narrow(
            &window->phrases, range,
            window->waiting[window->head + range->depth].code_point);

        if (complete != NULL)
            window->longest = complete;
        tokenizer->work += INS_NARROWING_WORK;
        may_grow = ins_phrases_may_grow(&window->phrases, range);
    }
    return may_grow;
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
    restart(window);
}

static void
take_token(ins_tokenizer *tokenizer, const ins_phrase *phrase)
{
    const ins_pack_added_token *added =
        &tokenizer->view->added_tokens[phrase->added];
    ins_window *window = &tokenizer->window;
    const ins_character *first = &window->waiting[window->head];
    const ins_character *last = first + phrase->count - 1;
    bool spaces_before = ins_is_whitespace(window->previous) &&
                         window->space_start < first->start;
    uint32_t start = added->flags & INS_ADDED_LSTRIP && spaces_before
                         ? window->space_start
                         : first->start;

    ins_word_end(tokenizer);
    ins_token_output_add(&tokenizer->output, (int32_t) added->id, start,
                         last->end);
    window->previous = last->code_point;
    window->space_start = last->end;
    window->skip_spaces = (added->flags & INS_ADDED_RSTRIP) != 0;
    window->head += phrase->count;
    restart(window);
}

/* Is the match between characters that belong to no word? */
static bool
is_single_word(const ins_window *window, const ins_phrase *phrase)
{
    uint32_t next = window->head + phrase->count;

    return !ins_is_word_character(window->previous) &&
           (next == window->tail ||
            !ins_is_word_character(window->waiting[next].code_point));
}

/* final: no more characters come.  False: the window must wait for one. */
static bool
advance(ins_tokenizer *tokenizer, bool final)
{
    ins_window *window = &tokenizer->window;
    bool may_grow = match_further(tokenizer);
    const ins_phrase *phrase = window->longest;

    if (may_grow && !final)
        return false;
    if (phrase == NULL) {
        let_go(tokenizer, 1);
        return true;
    }
    if (tokenizer->view->added_tokens[phrase->added].flags &
        INS_ADDED_SINGLE_WORD) {
        if (!final && window->head + phrase->count == window->tail)
            return false;
        if (!is_single_word(window, phrase)) {
            let_go(tokenizer, phrase->count);
            return true;
        }
    }
    take_token(tokenizer, phrase);
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
ins_window_start(ins_tokenizer *tokenizer)
{
    ins_window *window = &tokenizer->window;

    window->head = 0;
    window->tail = 0;
    window->previous = ' ';
    window->skip_spaces = false;
    restart(window);
}

void
ins_window_add(ins_tokenizer *tokenizer, ins_character character)
{
    ins_window *window = &tokenizer->window;
    uint32_t capacity = sizeof(window->waiting) / sizeof(window->waiting[0]);

    if (window->phrases.count == 0) {
        ins_word_add(tokenizer, character);
        return;
    }
    if (window->tail == capacity)
        make_room(window);
    /* No phrase is as long as that; but the window must never overflow. */
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
    ins_window_start(tokenizer);
}
