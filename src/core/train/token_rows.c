/*
 * token_rows.c - the texts of a training as tokens.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/token_rows.h"

#include "tokenizer/tokenizer.h"

#define ROWS_PER_POLL 1024 /* short texts do not poll by themselves */

struct walk {
    const ins_row_store *rows;
    const ins_pack_view *view;
    const ins_token_limits *limits;
    ins_progress *progress;
    ins_tokenizer *tokenizer;
    ins_token *tokens; /* [limits->max_tokens]: of the text at hand */
};

uint64_t
ins_token_rows_token_bytes(uint64_t tokens)
{
    return tokens * sizeof(int32_t);
}

uint64_t
ins_token_rows_bytes(uint64_t texts, uint32_t max_tokens)
{
    return (texts + 1) * sizeof(uint64_t) +
           (uint64_t) max_tokens * sizeof(ins_token);
}

uint64_t
ins_token_rows_fitting(uint64_t limit, uint64_t others, uint64_t token_bytes)
{
    return others < limit ? (limit - others) / token_bytes : 0;
}

static ins_status
tokenize(const struct walk *walk, ins_text text, size_t *count,
         ins_error *error)
{
    const ins_pack_tokenizer *tokenizer = walk->view->tokenizer;
    uint32_t limit = walk->limits->max_tokens;
    ins_text prompt = {"", 0};
    bool truncated;

    if (walk->limits->document)
        prompt = (ins_text){tokenizer->document_prompt,
                            tokenizer->document_prompt_bytes};
    if (++walk->progress->now.step % ROWS_PER_POLL == 0)
        INS_TRY(ins_poll(&walk->progress->host, error));
    return ins_tokenizer_run(walk->tokenizer, prompt, text, limit, walk->tokens,
                             limit, count, &truncated, error);
}

static ins_status
count_tokens(const struct walk *walk, ins_token_rows *tokens, ins_error *error)
{
    ins_row_cursor cursor = {.store = walk->rows};
    uint64_t at = 0;
    ins_row row;

    for (uint64_t i = 0; ins_row_cursor_next(&cursor, &row); i++) {
        size_t count;

        INS_TRY(tokenize(walk, row.text, &count, error));
        tokens->starts[i] = at;
        at += count;
        if (count > tokens->longest)
            tokens->longest = (uint32_t) count;
    }
    tokens->starts[walk->rows->count] = at;
    return INS_OK;
}

static ins_status
fill_tokens(const struct walk *walk, int32_t *ids, ins_error *error)
{
    ins_row_cursor cursor = {.store = walk->rows};
    ins_row row;

    while (ins_row_cursor_next(&cursor, &row)) {
        size_t count;

        INS_TRY(tokenize(walk, row.text, &count, error));
        for (size_t i = 0; i < count; i++)
            *ids++ = walk->tokens[i].id;
    }
    return INS_OK;
}

static ins_status
check_count(const struct walk *walk, uint64_t tokens, ins_error *error)
{
    if (tokens <= walk->limits->max_count)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "the rows need more than the limit of memory for training");
    ins_fail_detail(error, "Their texts have %llu tokens.",
                    (unsigned long long) tokens);
    ins_fail_hint(error, "Train on fewer rows, or raise the limit of memory "
                         "for training.");
    return INS_LIMIT_EXCEEDED;
}

static ins_status
fill(const struct walk *walk, ins_token_rows *tokens, ins_error *error)
{
    const ins_host *host = &walk->progress->host;
    uint64_t count = walk->rows->count;
    void *memory;

    INS_TRY(ins_alloc(host, count + 1, sizeof(uint64_t), &memory, error));
    tokens->starts = memory;
    ins_progress_begin(walk->progress, "tokenize", 2 * count);
    INS_TRY(count_tokens(walk, tokens, error));
    INS_TRY(check_count(walk, tokens->starts[count], error));
    INS_TRY(ins_alloc(host, tokens->starts[count], sizeof(int32_t), &memory,
                      error));
    tokens->ids = memory;
    return fill_tokens(walk, tokens->ids, error);
}

ins_status
ins_token_rows_open(ins_token_rows *tokens, const ins_row_store *rows,
                    const ins_pack_view *view, const ins_token_limits *limits,
                    ins_progress *progress, ins_error *error)
{
    const ins_host *host = &progress->host;
    struct walk walk = {rows, view, limits, progress, NULL, NULL};
    void *memory;
    ins_status status;

    *tokens = (ins_token_rows){.ids = NULL};
    INS_TRY(
        ins_alloc(host, limits->max_tokens, sizeof(ins_token), &memory, error));
    walk.tokens = memory;
    status = ins_tokenizer_open(&walk.tokenizer, view, host, error);
    if (status == INS_OK)
        status = fill(&walk, tokens, error);
    ins_tokenizer_close(walk.tokenizer);
    ins_release(host, memory);
    return status;
}

void
ins_token_rows_close(ins_token_rows *tokens, const ins_host *host)
{
    ins_release(host, tokens->ids);
    ins_release(host, tokens->starts);
    *tokens = (ins_token_rows){.ids = NULL};
}
