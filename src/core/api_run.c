/*
 * api_run.c - ins_run: texts in, rows out.
 *
 * For each text, in input order:
 *   equal to an earlier one?     its row is copied, now or with the chunk
 *   row in the memo?             it is copied from there
 *   otherwise                    it is tokenised into the chunk
 * A chunk that is full goes through the encoder: its texts sorted by length,
 * cut into batches, each sequence of a batch through the task into the row of
 * its text.  Rows and texts belong to the caller and stay where they are, so
 * that a row which is finished serves every later text with the same bytes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session.h"

#include <string.h>

#include "tasks/task.h"

/* Bytes hashed and compared between two polls, about 5 ms; looking at a text
 * at all counts as some bytes. */
#define WORK_PER_POLL 1000000
#define WORK_PER_TEXT 200

struct run {
    ins_session *session;
    ins_task task;
    const ins_text *texts;
    size_t count;
    float *rows;
    size_t row_stride;
    uint32_t row_values;
    size_t chunk_first; /* the rows of the texts before it are finished */
    uint64_t work;      /* since the last poll */
    ins_error *error;
};

static uint32_t
count_values(const ins_model_info *info, ins_task task)
{
    switch (task) {
    case INS_TASK_CLASSIFY:
        return info->label_count;
    case INS_TASK_FEATURES:
        return info->hidden_size;
    default:
        return info->embedding_size;
    }
}

static ins_status
check_task(struct run *run)
{
    const ins_model *model = run->session->model;
    bool classify = run->task == INS_TASK_CLASSIFY;
    bool embed = run->task == INS_TASK_EMBED ||
                 run->task == INS_TASK_EMBED_QUERY ||
                 run->task == INS_TASK_FEATURES;

    INS_CHECK(classify || embed, run->error, INS_INVALID_ARGUMENT,
              "task number %d is unknown", (int) run->task);
    if ((classify && !model->info.can_classify) ||
        (embed && !model->info.can_embed))
        return ins_fail(
            run->error, INS_WRONG_TASK, "the model cannot %s: its task is %s",
            classify ? "classify" : "embed", ins_model_tasks(model));
    run->row_values = count_values(&model->info, run->task);
    INS_CHECK(run->row_stride >= run->row_values, run->error,
              INS_INVALID_ARGUMENT, "a row needs %u values, not %zu",
              run->row_values, run->row_stride);
    return INS_OK;
}

static float *
row_of(const struct run *run, size_t number)
{
    return run->rows + number * run->row_stride;
}

/* ---- a full chunk -------------------------------------------------------- */

static void
keep_row(struct run *run, uint32_t index)
{
    ins_session *session = run->session;

    if (session->memo != NULL && session->has_key[index])
        ins_memo_put(session->memo, session->keys[index],
                     row_of(run, session->chunk.texts[index].number),
                     run->row_values);
}

/* One sequence of the batch that the encoder has just had. */
static ins_status
finish_sequence(struct run *run, uint32_t sequence, const float *hidden,
                float *row)
{
    ins_session *session = run->session;
    const ins_batch *batch = &session->chunk.batch;
    size_t hidden_size = session->model->view.recipe->hidden;
    uint32_t start = batch->starts[sequence];
    ins_task_input input = {
        .view = &session->model->view,
        .linear = ins_encoder_context(session->encoder),
        .host = &session->host,
        .ids = batch->ids + start,
        .hidden = hidden + start * hidden_size,
        .tokens = batch->starts[sequence + 1] - start,
        .is_query = run->task == INS_TASK_EMBED_QUERY,
        .scratch = session->scratch,
        .order = session->order,
        .words = session->words,
    };

    switch (run->task) {
    case INS_TASK_CLASSIFY:
        return ins_task_classify(&input, row, run->error);
    case INS_TASK_FEATURES:
        return ins_task_pool(&input, row, run->error);
    default:
        return ins_task_embed(&input, row, run->error);
    }
}

/* first: place of the batch's first sequence in chunk->order. */
static ins_status
run_batch(struct run *run, uint32_t first)
{
    ins_session *session = run->session;
    const ins_chunk *chunk = &session->chunk;
    const ins_batch *batch = &chunk->batch;
    const float *hidden;

    INS_TRY(ins_encoder_forward(session->encoder, batch, &hidden, run->error));
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        uint32_t index = chunk->order[first + i];

        INS_TRY(finish_sequence(run, i, hidden,
                                row_of(run, chunk->texts[index].number)));
        keep_row(run, index);
    }
    session->usage.texts += batch->sequence_count;
    session->usage.computed += batch->sequence_count;
    session->usage.tokens += batch->token_count;
    session->usage.batches++;
    return INS_OK;
}

static void
copy_row(struct run *run, size_t number, size_t first)
{
    memcpy(row_of(run, number), row_of(run, first),
           run->row_values * sizeof(float));
    run->session->usage.texts++;
}

static void
clear_chunk(ins_session *session)
{
    ins_chunk_clear(&session->chunk);
    session->repeated_count = 0;
}

/* Finishes the rows of all texts before next. */
static ins_status
run_chunk(struct run *run, size_t next)
{
    ins_session *session = run->session;
    uint32_t first;

    ins_chunk_sort(&session->chunk);
    while (ins_chunk_next_batch(&session->chunk, &first))
        INS_TRY(run_batch(run, first));
    for (uint32_t i = 0; i < session->repeated_count; i++)
        copy_row(run, session->repeated[i].number, session->repeated[i].first);
    clear_chunk(session);
    run->chunk_first = next;
    return INS_OK;
}

/* ---- one text ------------------------------------------------------------ */

static ins_status
repeat_text(struct run *run, size_t number, size_t first)
{
    ins_session *session = run->session;

    if (first >= run->chunk_first &&
        session->repeated_count == session->chunk.text_capacity)
        INS_TRY(run_chunk(run, number));
    if (first < run->chunk_first)
        copy_row(run, number, first);
    else
        session->repeated[session->repeated_count++] =
            (ins_repeated_text){number, first};
    return INS_OK;
}

/* A head that reads the embedding was trained on documents. */
static ins_text
prompt_of(const ins_session *session, ins_task task)
{
    const ins_pack_view *view = &session->model->view;
    const ins_pack_tokenizer *tokenizer = view->tokenizer;

    if (task == INS_TASK_CLASSIFY &&
        (view->recipe->flags & INS_RECIPE_HEAD_POOLED) != 0)
        task = INS_TASK_FEATURES;
    switch (task) {
    case INS_TASK_FEATURES:
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
tokenize_text(struct run *run, ins_text text, uint32_t *count)
{
    ins_session *session = run->session;
    size_t found;
    bool truncated;

    INS_TRY(ins_tokenizer_run(session->tokenizer, prompt_of(session, run->task),
                              text, session->max_tokens, session->tokens,
                              session->max_tokens, &found, &truncated,
                              run->error));
    *count = (uint32_t) found;
    if (!truncated || !session->error_on_long_input)
        return INS_OK;
    ins_fail(run->error, INS_INPUT_TOO_LONG,
             "input is longer than the model's %u tokens", session->max_tokens);
    ins_fail_hint(run->error,
                  "Set insitu.on_long_input to truncate, or split the input.");
    return INS_INPUT_TOO_LONG;
}

/* key: NULL when the text is not for the memo. */
static ins_status
compute_text(struct run *run, size_t number, const uint8_t *key)
{
    ins_session *session = run->session;
    ins_chunk *chunk = &session->chunk;
    uint32_t count;
    uint32_t index;

    INS_TRY(tokenize_text(run, run->texts[number], &count));
    if (!ins_chunk_has_room(chunk, count))
        INS_TRY(run_chunk(run, number));
    index = ins_chunk_add(chunk, number, session->tokens, count);
    if (session->memo != NULL) {
        session->has_key[index] = key != NULL;
        if (key != NULL)
            memcpy(session->keys[index], key, INS_MEMO_KEY_BYTES);
    }
    return INS_OK;
}

static ins_status
recall_or_compute(struct run *run, size_t number)
{
    ins_session *session = run->session;
    ins_text text = run->texts[number];
    uint8_t key[INS_MEMO_KEY_BYTES];

    if (session->memo == NULL || text.size > INS_MEMO_TEXT_BYTES)
        return compute_text(run, number, NULL);
    ins_memo_key(&session->scope, run->task, text, key);
    if (!ins_memo_find(session->memo, key, row_of(run, number),
                       run->row_values))
        return compute_text(run, number, key);
    session->usage.texts++;
    session->usage.memo_hits++;
    return INS_OK;
}

/* Texts that need no tokeniser and no encoder would never poll. */
static ins_status
count_work(struct run *run, ins_text text)
{
    run->work += text.size + WORK_PER_TEXT;
    if (run->work < WORK_PER_POLL)
        return INS_OK;
    run->work = 0;
    return ins_poll(&run->session->host, run->error);
}

static ins_status
take_text(struct run *run, size_t number)
{
    INS_TRY(count_work(run, run->texts[number]));
    if (run->count > 1) {
        size_t first =
            ins_repeats_find(&run->session->seen, run->texts, number);

        if (first != number)
            return repeat_text(run, number, first);
    }
    return recall_or_compute(run, number);
}

ins_status
ins_run(ins_session *session, ins_task task, const ins_text *texts,
        size_t count, float *rows, size_t row_stride, ins_error *error)
{
    struct run run = {
        .session = session,
        .task = task,
        .texts = texts,
        .count = count,
        .rows = rows,
        .row_stride = row_stride,
        .error = error,
    };

    INS_TRY(check_task(&run));
    /* A run that failed may have left half a chunk behind. */
    clear_chunk(session);
    if (count > 1)
        ins_repeats_clear(&session->seen);
    for (size_t i = 0; i < count; i++)
        INS_TRY(take_text(&run, i));
    return run_chunk(&run, count);
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
