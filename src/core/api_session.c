/*
 * api_session.c - the session half of insitu.h: texts in, rows out.
 *
 * A session owns every byte of scratch memory that a run needs, so that a run
 * allocates nothing.  Texts are tokenised one after the other into one packed
 * batch; when the next text does not fit, the batch goes through the encoder
 * and each of its sequences through the task.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "model.h"

#include "encoder/encoder.h"
#include "tasks/task.h"
#include "tokenizer/tokenizer.h"

#define DEFAULT_BATCH_TOKENS 512
#define MAX_BATCH_TOKENS     65536

/* Every sequence has at least [CLS] and [SEP]. */
#define MIN_SEQUENCE_TOKENS 2

struct ins_session {
    ins_host host;
    const ins_model *model;
    const struct ins_kernels *kernels;
    uint32_t batch_tokens;
    uint32_t max_tokens;
    bool error_on_long_input;
    ins_tokenizer *tokenizer;
    ins_encoder *encoder;
    ins_usage usage;
    ins_arena arena;   /* holds the arrays below */
    ins_token *tokens; /* [max_tokens]: of the text at hand */
    int32_t *ids;      /* [batch_tokens]: of the batch */
    uint32_t *starts;  /* [batch_tokens / 2 + 1] */
    float *scratch;    /* [2][hidden] */
    ins_batch batch;   /* points to ids and starts */
};

/* Where the rows of one run go. */
struct run {
    ins_session *session;
    ins_task task;
    float *rows; /* of the next sequence to finish */
    size_t row_stride;
    ins_error *error;
};

static uint32_t
smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static ins_status
apply_options(ins_session *session, const ins_options *options,
              ins_error *error)
{
    ins_options defaults = {0};
    uint32_t model_max = session->model->info.max_tokens;

    if (options == NULL)
        options = &defaults;
    INS_CHECK(options->max_tokens != 1, error, INS_INVALID_ARGUMENT,
              "max_tokens must be at least %d", MIN_SEQUENCE_TOKENS);
    INS_CHECK(options->batch_tokens <= MAX_BATCH_TOKENS, error,
              INS_INVALID_ARGUMENT, "batch_tokens must be at most %d",
              MAX_BATCH_TOKENS);
    session->max_tokens = model_max;
    if (options->max_tokens != 0)
        session->max_tokens = smaller(options->max_tokens, model_max);
    session->batch_tokens = options->batch_tokens != 0 ? options->batch_tokens
                                                       : DEFAULT_BATCH_TOKENS;
    if (session->batch_tokens < session->max_tokens)
        session->batch_tokens = session->max_tokens;
    session->error_on_long_input = options->error_on_long_input;
    return ins_kernels_select(options->kernels, &session->kernels, error);
}

static ins_status
open_scratch(ins_session *session, ins_error *error)
{
    ins_arena *arena = &session->arena;
    uint32_t hidden = session->model->view.recipe->hidden;
    uint32_t start_count = session->batch_tokens / MIN_SEQUENCE_TOKENS + 1;

    ins_arena_reserve(arena, session->max_tokens, sizeof(ins_token));
    ins_arena_reserve(arena, session->batch_tokens, sizeof(int32_t));
    ins_arena_reserve(arena, start_count, sizeof(uint32_t));
    ins_arena_reserve(arena, 2 * (uint64_t) hidden, sizeof(float));
    INS_TRY(ins_arena_open(arena, &session->host, error));
    session->tokens =
        ins_arena_take(arena, session->max_tokens, sizeof(ins_token));
    session->ids =
        ins_arena_take(arena, session->batch_tokens, sizeof(int32_t));
    session->starts = ins_arena_take(arena, start_count, sizeof(uint32_t));
    session->scratch =
        ins_arena_take(arena, 2 * (uint64_t) hidden, sizeof(float));
    session->starts[0] = 0;
    session->batch.ids = session->ids;
    session->batch.starts = session->starts;
    return INS_OK;
}

static ins_status
open_parts(ins_session *session, const ins_options *options, ins_error *error)
{
    const ins_pack_view *view = &session->model->view;
    const ins_host *host = &session->host;

    INS_TRY(apply_options(session, options, error));
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
    void *memory;
    ins_status status;

    *session = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_session), &memory, error));
    *session = memory;
    (*session)->host = *host;
    (*session)->model = model;
    status = open_parts(*session, options, error);
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
           ins_encoder_bytes(session->encoder);
}

/* ---- run ----------------------------------------------------------------- */

static ins_status
check_task(const ins_model *model, ins_task task, size_t row_stride,
           ins_error *error)
{
    bool classify = task == INS_TASK_CLASSIFY;
    bool embed = task == INS_TASK_EMBED || task == INS_TASK_EMBED_QUERY;
    uint32_t values;

    INS_CHECK(classify || embed, error, INS_INVALID_ARGUMENT,
              "task number %d is unknown", (int) task);
    if ((classify && !model->info.can_classify) ||
        (embed && !model->info.can_embed))
        return ins_fail(
            error, INS_WRONG_TASK, "the model cannot %s: its task is %s",
            classify ? "classify" : "embed", ins_model_tasks(model));
    values = classify ? model->info.label_count : model->info.embedding_size;
    INS_CHECK(row_stride >= values, error, INS_INVALID_ARGUMENT,
              "a row needs %u values, not %zu", values, row_stride);
    return INS_OK;
}

/* Encodes the batch and finishes each of its sequences. */
static ins_status
flush_batch(struct run *run)
{
    ins_session *session = run->session;
    ins_batch *batch = &session->batch;
    size_t hidden_size = session->model->view.recipe->hidden;
    const float *hidden;

    if (batch->sequence_count == 0)
        return INS_OK;
    INS_TRY(ins_encoder_forward(session->encoder, batch, &hidden, run->error));
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        ins_task_input input = {
            .view = &session->model->view,
            .linear = ins_encoder_context(session->encoder),
            .hidden = hidden + batch->starts[i] * hidden_size,
            .tokens = batch->starts[i + 1] - batch->starts[i],
            .scratch = session->scratch,
        };

        if (run->task == INS_TASK_CLASSIFY)
            INS_TRY(ins_task_classify(&input, run->rows, run->error));
        else
            INS_TRY(ins_task_embed(&input, run->rows, run->error));
        run->rows += run->row_stride;
    }
    session->usage.texts += batch->sequence_count;
    session->usage.tokens += batch->token_count;
    session->usage.batches++;
    batch->sequence_count = 0;
    batch->token_count = 0;
    return INS_OK;
}

static ins_text
prompt_of(const ins_session *session, ins_task task)
{
    const ins_pack_tokenizer *tokenizer = session->model->view.tokenizer;

    switch (task) {
    case INS_TASK_EMBED:
        return (ins_text){tokenizer->document_prompt,
                          tokenizer->document_prompt_bytes};
    case INS_TASK_EMBED_QUERY:
        return (ins_text){tokenizer->query_prompt,
                          tokenizer->query_prompt_bytes};
    default:
        return (ins_text){"", 0};
    }
}

static ins_status
add_text(struct run *run, ins_text text)
{
    ins_session *session = run->session;
    ins_batch *batch = &session->batch;
    size_t count;
    bool truncated;

    INS_TRY(ins_tokenizer_run(session->tokenizer, prompt_of(session, run->task),
                              text, session->max_tokens, session->tokens,
                              session->max_tokens, &count, &truncated,
                              run->error));
    if (truncated && session->error_on_long_input) {
        ins_fail(run->error, INS_INPUT_TOO_LONG,
                 "input is longer than the model's %u tokens",
                 session->max_tokens);
        ins_fail_hint(run->error,
                      "Set insitu.on_long_input to truncate, or split the "
                      "input.");
        return INS_INPUT_TOO_LONG;
    }
    if (count > session->batch_tokens - batch->token_count)
        INS_TRY(flush_batch(run));
    for (size_t i = 0; i < count; i++)
        session->ids[batch->token_count + i] = session->tokens[i].id;
    batch->token_count += (uint32_t) count;
    batch->sequence_count++;
    session->starts[batch->sequence_count] = batch->token_count;
    return INS_OK;
}

ins_status
ins_run(ins_session *session, ins_task task, const ins_text *texts,
        size_t count, float *rows, size_t row_stride, ins_error *error)
{
    struct run run = {session, task, rows, row_stride, error};

    INS_TRY(check_task(session->model, task, row_stride, error));
    /* A run that failed may have left half a batch behind. */
    session->batch.sequence_count = 0;
    session->batch.token_count = 0;
    for (size_t i = 0; i < count; i++)
        INS_TRY(add_text(&run, texts[i]));
    return flush_batch(&run);
}

uint32_t
ins_best_label(const float *scores, uint32_t label_count)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < label_count; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

ins_status
ins_tokenize(ins_session *session, ins_text text, ins_token *tokens,
             size_t capacity, size_t *count, ins_error *error)
{
    bool truncated;

    return ins_tokenizer_run(session->tokenizer, (ins_text){"", 0}, text, 0,
                             tokens, capacity, count, &truncated, error);
}
