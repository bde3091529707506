/*
 * sqlite_connection.c - what one connection keeps: settings and the models it
 * has open, each with a session.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"

connection *
open_connection(sqlite3 *db)
{
    connection *conn = sqlite3_malloc64(sizeof(*conn));

    if (conn == NULL)
        return NULL;
    memset(conn, 0, sizeof(*conn));
    conn->db = db;
    conn->references = 1;
    default_settings(&conn->settings);
    return conn;
}

void
retain_connection(connection *conn)
{
    conn->references++;
}

static void
free_open_model(open_model *model)
{
    ins_session_close(model->session);
    sqlite3_free(model->scores);
    release_model(model->shared);
    sqlite3_free(model);
}

void
release_connection(void *user)
{
    connection *conn = user;

    if (--conn->references > 0)
        return;
    while (conn->models != NULL) {
        open_model *model = conn->models;

        conn->models = model->next;
        free_open_model(model);
    }
    ins_memo_close(conn->memo);
    free_settings(&conn->settings);
    sqlite3_free(conn);
}

/* ---- sessions ----------------------------------------------------------- */

static ins_status
open_memo(connection *conn, ins_error *error)
{
    ins_host host = connection_host(conn);

    if (conn->memo != NULL || conn->settings.memo_size == 0)
        return INS_OK;
    return ins_memo_open(&conn->memo, (size_t) conn->settings.memo_size * 1024,
                         &host, error);
}

static ins_status
open_session(connection *conn, open_model *model, ins_error *error)
{
    ins_options options = {
        .error_on_long_input = conn->settings.error_on_long_input,
        .kernels = conn->settings.kernels,
        .memo_identity = model->identity.digest,
    };
    ins_host host = connection_host(conn);
    const ins_model *opened = model_of(model->shared);
    const ins_model_info *info = ins_model_describe(opened);
    void *scores;

    if (model->scores == NULL) {
        INS_TRY(ins_alloc(&host, (uint64_t) info->label_count + 1,
                          sizeof(float), &scores, error));
        model->scores = scores;
    }
    INS_TRY(open_memo(conn, error));
    options.memo = conn->memo;
    return ins_session_open(&model->session, opened, &options, &host, error);
}

void
close_sessions(connection *conn)
{
    for (open_model *model = conn->models; model != NULL; model = model->next) {
        if (model->busy)
            continue;
        ins_session_close(model->session);
        model->session = NULL;
    }
}

ins_status
close_memo(connection *conn, ins_error *error)
{
    for (open_model *model = conn->models; model != NULL; model = model->next)
        INS_CHECK(!model->busy, error, INS_BUSY,
                  "model \"%s\" is in use by a call of this connection",
                  model->identity.name);
    close_sessions(conn);
    ins_memo_close(conn->memo);
    conn->memo = NULL;
    return INS_OK;
}

static open_model *
find_open_model(connection *conn, const uint8_t digest[INS_DIGEST_BYTES])
{
    open_model *model = conn->models;

    while (model != NULL &&
           memcmp(model->identity.digest, digest, INS_DIGEST_BYTES) != 0)
        model = model->next;
    return model;
}

size_t
session_bytes_of(connection *conn, const uint8_t digest[INS_DIGEST_BYTES])
{
    const open_model *model = find_open_model(conn, digest);

    if (model == NULL || model->session == NULL)
        return 0;
    return ins_session_bytes(model->session);
}

static void
unlink_and_free(connection *conn, open_model *unwanted)
{
    open_model **link = &conn->models;

    while (*link != unwanted)
        link = &(*link)->next;
    *link = unwanted->next;
    free_open_model(unwanted);
}

bool
close_open_model(connection *conn, const uint8_t digest[INS_DIGEST_BYTES])
{
    open_model *model = find_open_model(conn, digest);

    if (model == NULL || model->busy)
        return false;
    unlink_and_free(conn, model);
    return true;
}

/* The model to give up first, or NULL. */
static open_model *
find_oldest(connection *conn)
{
    open_model *oldest = NULL;

    for (open_model *model = conn->models; model != NULL; model = model->next)
        if (!model->busy && !model->pinned && !model->identity.bundled &&
            (oldest == NULL || model->last_use < oldest->last_use))
            oldest = model;
    return oldest;
}

static uint64_t
loaded_bytes(const connection *conn)
{
    uint64_t bytes = 0;

    for (const open_model *model = conn->models; model != NULL;
         model = model->next)
        if (!model->identity.bundled)
            bytes += model->identity.bytes;
    return bytes;
}

static ins_status
make_room(connection *conn, const model_identity *identity, ins_error *error)
{
    uint64_t limit = conn->settings.max_loaded_bytes;
    open_model *oldest;

    if (identity->bundled)
        return INS_OK;
    while (identity->bytes <= limit &&
           loaded_bytes(conn) > limit - identity->bytes &&
           (oldest = find_oldest(conn)) != NULL)
        unlink_and_free(conn, oldest);
    if (identity->bytes <= limit &&
        loaded_bytes(conn) <= limit - identity->bytes)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "model \"%s\" does not fit into max_loaded_bytes", identity->name);
    ins_fail_detail(error,
                    "It has %llu bytes, %llu are in use and the limit is "
                    "%llu.",
                    (unsigned long long) identity->bytes,
                    (unsigned long long) loaded_bytes(conn),
                    (unsigned long long) limit);
    return INS_LIMIT_EXCEEDED;
}

static ins_status
add_open_model(connection *conn, const model_identity *identity,
               open_model **added, ins_error *error)
{
    ins_host host = connection_host(conn);
    open_model *model;
    void *memory;
    ins_status status;

    INS_TRY(make_room(conn, identity, error));
    INS_TRY(ins_alloc_zeroed(&host, 1, sizeof(open_model), &memory, error));
    model = memory;
    model->identity = *identity;
    status = acquire_model(conn, identity, &model->shared, error);
    if (status != INS_OK) {
        sqlite3_free(model);
        return status;
    }
    /* Loading may have called the application, and that us. */
    if (find_open_model(conn, identity->digest) != NULL) {
        free_open_model(model);
        *added = find_open_model(conn, identity->digest);
        return INS_OK;
    }
    model->next = conn->models;
    conn->models = model;
    *added = model;
    return INS_OK;
}

ins_status
open_named_model(connection *conn, ins_text name, bool explicit_name,
                 open_model **model, ins_error *error)
{
    model_identity identity;

    INS_TRY(find_model(conn, name, !explicit_name, &identity, error));
    return open_found_model(conn, &identity, model, error);
}

ins_status
open_weights(connection *conn, const model_identity *identity,
             open_model **model, ins_error *error)
{
    *model = find_open_model(conn, identity->digest);
    if (*model == NULL)
        INS_TRY(add_open_model(conn, identity, model, error));
    /* Two names may have one pack: messages say the one that was asked for. */
    (*model)->identity = *identity;
    (*model)->last_use = ++conn->uses;
    return INS_OK;
}

ins_status
open_found_model(connection *conn, const model_identity *identity,
                 open_model **model, ins_error *error)
{
    INS_TRY(open_weights(conn, identity, model, error));
    INS_CHECK(!(*model)->busy, error, INS_BUSY,
              "model \"%s\" is in use by a call of this connection",
              identity->name);
    if ((*model)->session == NULL)
        INS_TRY(open_session(conn, *model, error));
    return INS_OK;
}

/* ---- running ------------------------------------------------------------ */

/* The core does not know the model's name. */
static ins_status
check_task(const open_model *model, ins_task task, ins_error *error)
{
    const ins_model *opened = model_of(model->shared);
    const ins_model_info *info = ins_model_describe(opened);
    bool classify = task == INS_TASK_CLASSIFY;

    if (classify ? info->can_classify : info->can_embed)
        return INS_OK;
    ins_fail(error, INS_WRONG_TASK, "model \"%s\" cannot %s: its task is %s",
             model->identity.name, classify ? "classify" : "embed",
             ins_model_tasks(opened));
    ins_fail_hint(error, classify ? "Name a model with a classification head."
                                  : "Name a model made for embeddings.");
    return INS_WRONG_TASK;
}

ins_status
run_model(open_model *model, ins_task task, const ins_text *texts, size_t count,
          float *rows, size_t row_stride, ins_error *error)
{
    uint64_t start = now_nanoseconds();
    ins_usage before = ins_session_usage(model->session);
    ins_usage after;
    model_counters added = {.calls = 1};
    ins_status status = check_task(model, task, error);

    if (status == INS_OK) {
        model->busy = true;
        status = ins_run(model->session, task, texts, count, rows, row_stride,
                         error);
        model->busy = false;
    }
    added.rows = status == INS_OK ? count : 0;
    added.errors = status == INS_OK ? 0 : 1;
    after = ins_session_usage(model->session);
    added.tokens = after.tokens - before.tokens;
    added.memo_hits = after.memo_hits - before.memo_hits;
    added.milliseconds = (double) (now_nanoseconds() - start) * 1e-6;
    count_usage(model->shared, &added);
    return status;
}

ins_status
tokenize_all(connection *conn, open_model *model, ins_text text,
             ins_token **tokens, size_t *count, ins_error *error)
{
    /* A token has at least one byte, but added tokens may have none. */
    size_t capacity = text.size + 16;
    ins_host host = connection_host(conn);
    ins_status status = INS_OK;

    *tokens = NULL;
    for (int round = 0; round < 2 && status == INS_OK; round++) {
        void *memory;

        status = ins_alloc(&host, capacity, sizeof(ins_token), &memory, error);
        if (status != INS_OK)
            break;
        *tokens = memory;
        model->busy = true;
        status =
            ins_tokenize(model->session, text, *tokens, capacity, count, error);
        model->busy = false;
        if (status != INS_OK || *count <= capacity)
            break;
        sqlite3_free(*tokens);
        *tokens = NULL;
        capacity = *count;
    }
    if (status != INS_OK) {
        sqlite3_free(*tokens);
        *tokens = NULL;
    }
    return status;
}
