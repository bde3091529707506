/*
 * api_session.c - opening and closing the sessions of insitu.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session.h"

#include "base/checked.h"
#include "pack/word_table.h"

#define DEFAULT_BATCH_TOKENS 512
#define MAX_BATCH_TOKENS     65536

static ins_status
apply_options(ins_session *session, const ins_options *options,
              ins_error *error)
{
    uint32_t model_max = session->model->info.max_tokens;

    INS_CHECK(options->max_tokens != 1, error, INS_INVALID_ARGUMENT,
              "max_tokens must be at least %d", INS_MIN_SEQUENCE_TOKENS);
    INS_CHECK(options->batch_tokens <= MAX_BATCH_TOKENS, error,
              INS_INVALID_ARGUMENT, "batch_tokens must be at most %d",
              MAX_BATCH_TOKENS);
    INS_CHECK(options->memo == NULL || options->memo_identity != NULL, error,
              INS_INVALID_ARGUMENT, "a memo needs an identity of the model");
    session->max_tokens = model_max;
    if (options->max_tokens != 0)
        session->max_tokens =
            (uint32_t) ins_smaller(options->max_tokens, model_max);
    session->batch_tokens = options->batch_tokens != 0 ? options->batch_tokens
                                                       : DEFAULT_BATCH_TOKENS;
    if (session->batch_tokens < session->max_tokens)
        session->batch_tokens = session->max_tokens;
    session->error_on_long_input = options->error_on_long_input;
    return ins_kernels_select(options->kernels, &session->kernels, error);
}

static void
attach_memo(ins_session *session, const ins_options *options)
{
    ins_memo_settings settings = {
        .identity = options->memo_identity,
        .kernels = session->kernels->level,
        .max_tokens = session->max_tokens,
        .error_on_long_input = session->error_on_long_input,
    };

    session->memo = options->memo;
    if (session->memo != NULL)
        ins_memo_scope_open(&session->scope, &settings);
}

/* Runs over the same list twice: to reserve, then to take. */
static ins_status
open_scratch(ins_session *session, ins_error *error)
{
    ins_arena *arena = &session->arena;
    uint64_t hidden = session->model->view.recipe->hidden;
    ins_chunk *chunk = &session->chunk;
    uint64_t ordered =
        session->model->info.lexical_size > 0 ? session->max_tokens : 0;
    const bool reads_words = session->model->view.recipe->head_words > 0;
    uint64_t words =
        reads_words ? ins_word_table_count(session->max_tokens) : 0;
    uint64_t keys;

    ins_arena_reserve(arena, session->max_tokens, sizeof(ins_token));
    ins_arena_reserve(arena, 2 * hidden, sizeof(float));
    ins_arena_reserve(arena, ordered, sizeof(uint32_t));
    ins_arena_reserve(arena, words, sizeof(uint32_t));
    ins_repeats_reserve(arena);
    ins_chunk_reserve(chunk, arena, session->batch_tokens, session->max_tokens);
    keys = session->memo != NULL ? chunk->text_capacity : 0;
    ins_arena_reserve(arena, chunk->text_capacity, sizeof(ins_repeated_text));
    ins_arena_reserve(arena, keys, INS_MEMO_KEY_BYTES);
    ins_arena_reserve(arena, keys, sizeof(bool));
    INS_TRY(ins_arena_open(arena, &session->host, error));
    session->tokens =
        ins_arena_take(arena, session->max_tokens, sizeof(ins_token));
    session->scratch = ins_arena_take(arena, 2 * hidden, sizeof(float));
    session->order = ins_arena_take(arena, ordered, sizeof(uint32_t));
    session->words = ins_arena_take(arena, words, sizeof(uint32_t));
    ins_repeats_take(&session->seen, arena);
    ins_chunk_take(chunk, arena);
    session->repeated =
        ins_arena_take(arena, chunk->text_capacity, sizeof(ins_repeated_text));
    session->keys = ins_arena_take(arena, keys, INS_MEMO_KEY_BYTES);
    session->has_key = ins_arena_take(arena, keys, sizeof(bool));
    return INS_OK;
}

static ins_status
open_parts(ins_session *session, const ins_options *options, ins_error *error)
{
    const ins_pack_view *view = &session->model->view;
    const ins_host *host = &session->host;

    INS_TRY(apply_options(session, options, error));
    attach_memo(session, options);
    INS_TRY(open_scratch(session, error));
    INS_TRY(ins_tokenizer_open(&session->tokenizer, view, host, error));
    return ins_encoder_open(&session->encoder, view, session->batch_tokens,
                            session->kernels, host, error);
}

ins_status
ins_session_open(ins_session **session, const ins_model *model,
                 const ins_options *options, const ins_host *host,
                 ins_error *error)
{
    static const ins_options defaults = {0};
    void *memory;
    ins_status status;

    *session = NULL;
    if (model->info.can_predict) {
        ins_fail(error, INS_WRONG_TASK,
                 "the model reads numbers, not texts: its task is predict");
        ins_fail_hint(error, "Use predict with this model.");
        return INS_WRONG_TASK;
    }
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_session), &memory, error));
    *session = memory;
    (*session)->host = *host;
    (*session)->model = model;
    status = open_parts(*session, options != NULL ? options : &defaults, error);
    if (status != INS_OK) {
        ins_session_close(*session);
        *session = NULL;
    }
    return status;
}

void
ins_session_close(ins_session *session)
{
    ins_host host;

    if (session == NULL)
        return;
    host = session->host;
    ins_encoder_close(session->encoder);
    ins_tokenizer_close(session->tokenizer);
    ins_arena_close(&session->arena, &host);
    ins_release(&host, session);
}

ins_usage
ins_session_usage(const ins_session *session)
{
    return session->usage;
}

size_t
ins_session_bytes(const ins_session *session)
{
    return sizeof(*session) + (size_t) session->arena.reserved +
           ins_tokenizer_bytes(session->tokenizer) +
           ins_encoder_bytes(session->encoder);
}

ins_status
ins_tokenize(ins_session *session, ins_text text, ins_token *tokens,
             size_t capacity, size_t *count, ins_error *error)
{
    bool truncated;

    return ins_tokenizer_run(session->tokenizer, (ins_text){"", 0}, text, 0,
                             tokens, capacity, count, &truncated, error);
}
