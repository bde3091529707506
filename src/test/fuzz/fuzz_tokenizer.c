/*
 * fuzz_tokenizer.c - any text through the tokenizer of a tiny model.
 *
 * First byte: flags of the normaliser (low four bits), an added token that is
 * matched in the normalised text (bit 4), a prompt (bit 5).  Second byte: the
 * limit less 2.  The rest is the text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "pack/pack_reader.h"
#include "tokenizer/tokenizer.h"
#include "unit/tiny_model.h"

#define MAX_TOKENS     4096
#define FLAG_BITS      15
#define NORMALIZED_BIT 16
#define PROMPT_BIT     32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    ins_token tokens[MAX_TOKENS];
    size_t count;
    bool truncated;
};

static void
demand(bool condition)
{
    if (!condition)
        abort();
}

static const ins_pack_view *
shared_view(void)
{
    static ins_pack_view view;
    static tiny_host host;
    tiny_model model;
    ins_error error;
    void *pack;
    size_t size;

    if (view.bytes != NULL)
        return &view;
    tiny_host_open(&host);
    tiny_open(&model, TINY_SENTENCE);
    demand(tiny_import(&model, &host.host, &pack, &size, &error) == INS_OK);
    tiny_close(&model);
    demand(ins_pack_read(&view, pack, size, &error) == INS_OK);
    return &view;
}

static void
run(ins_tokenizer *tokenizer, ins_text prompt, ins_text text, size_t limit,
    struct result *result)
{
    ins_error error;

    demand(ins_tokenizer_run(tokenizer, prompt, text, limit, result->tokens,
                             MAX_TOKENS, &result->count, &result->truncated,
                             &error) == INS_OK);
}

static void
check_tokens(const struct result *result, const ins_pack_view *view,
             ins_text text)
{
    for (size_t i = 0; i < result->count && i < MAX_TOKENS; i++) {
        ins_token token = result->tokens[i];

        demand(token.id >= 0 && (uint32_t) token.id < view->pieces.count);
        demand(token.start <= token.end && token.end <= text.size);
    }
}

/* Stopping early gives what cutting the whole result gives. */
static void
check_limit(const struct result *full, const struct result *limited,
            size_t limit)
{
    bool cut = full->count > limit;
    size_t kept = cut ? limit : full->count;

    demand(limited->truncated == cut && limited->count == kept);
    demand(memcmp(full->tokens, limited->tokens,
                  (kept - 1) * sizeof(ins_token)) == 0);
    demand(limited->tokens[kept - 1].id == full->tokens[0].id + 1);
}

static void
check_text(ins_tokenizer *tokenizer, const ins_pack_view *view, ins_text prompt,
           ins_text text, size_t limit)
{
    static struct result full;
    static struct result limited;
    static struct result again;

    run(tokenizer, prompt, text, 0, &full);
    check_tokens(&full, view, text);
    demand(!full.truncated && full.count >= 2);
    run(tokenizer, prompt, text, limit, &limited);
    check_limit(&full, &limited, limit);
    run(tokenizer, prompt, text, 0, &again);
    demand(again.count == full.count);
    demand(memcmp(again.tokens, full.tokens,
                  (full.count < MAX_TOKENS ? full.count : MAX_TOKENS) *
                      sizeof(ins_token)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ins_text prompts[] = {{"", 0}, {"query: ", 7}};
    static const char added_bytes[] = "[PAD][UNK][CLS][SEP][MASK]\xC3\xA9 a";
    static const ins_pack_added_token added[] = {
        {0, 0, 0, 5},
        {4, INS_ADDED_LSTRIP | INS_ADDED_RSTRIP, 20, 6},
        {5, INS_ADDED_NORMALIZED, 26, 4},
        {6, INS_ADDED_NORMALIZED | INS_ADDED_SINGLE_WORD, 29, 1}};
    ins_pack_tokenizer settings;
    ins_pack_view view;
    ins_tokenizer *tokenizer;
    tiny_host host;
    ins_error error;
    ins_text text;
    char *copy;

    if (size < 2)
        return 0;
    view = *shared_view();
    settings = *view.tokenizer;
    settings.flags = data[0] & FLAG_BITS;
    if (data[0] & NORMALIZED_BIT) {
        settings.added_tokens = 4;
        view.added_tokens = added;
        view.added_bytes = added_bytes;
    }
    view.tokenizer = &settings;
    /* Exactly as long as the text, so that reading on is seen. */
    copy = malloc(size > 2 ? size - 2 : 1);
    demand(copy != NULL);
    memcpy(copy, data + 2, size - 2);
    text = (ins_text){copy, size - 2};
    tiny_host_open(&host);
    demand(ins_tokenizer_open(&tokenizer, &view, &host.host, &error) == INS_OK);
    check_text(tokenizer, &view, prompts[(data[0] & PROMPT_BIT) != 0], text,
               (size_t) data[1] + 2);
    ins_tokenizer_close(tokenizer);
    demand(host.live_blocks == 0);
    free(copy);
    return 0;
}
