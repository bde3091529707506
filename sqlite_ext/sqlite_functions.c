/*
 * sqlite_functions.c - the scalar functions that run a model: value in, result
 * out.  NULL in any argument gives NULL.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <math.h>
#include <string.h>

#include "base/status.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "embeddings are stored as little-endian floats"
#endif

/* A call with an optional model behind its texts. */
struct call {
    connection *conn;
    bool is_null; /* an argument is NULL: so is the result */
    ins_text input;
    ins_text label; /* of classify_score */
    ins_text name;  /* of the model */
    bool explicit_name;
    bool takes_alias;  /* set by the caller: an alias may be named */
    open_model *model; /* opened unless is_null */
};

static ins_status
open_named_once(sqlite3_context *context, int argument, struct call *call,
                ins_error *error)
{
    model_identity identity;

    INS_TRY(find_model_once(context, argument, call->name, call->takes_alias,
                            &identity, error));
    return open_found_model(call->conn, &identity, &call->model, error);
}

/* texts: arguments before the model, 1 or 2.  call: zeros, or takes_alias. */
static ins_status
begin_call(sqlite3_context *context, int argc, sqlite3_value **argv, int texts,
           bool embed, struct call *call, ins_error *error)
{
    const connection_settings *settings;
    const char *preset;

    call->conn = sqlite3_user_data(context);
    settings = &call->conn->settings;
    INS_TRY(
        input_argument(argv[0], "input", &call->input, &call->is_null, error));
    if (texts == 2 && !call->is_null)
        INS_TRY(name_argument(argv[1], "label", &call->label, &call->is_null,
                              error));
    if (argc > texts && !call->is_null) {
        call->explicit_name = true;
        INS_TRY(name_argument(argv[texts], "model", &call->name, &call->is_null,
                              error));
    }
    if (call->is_null)
        return INS_OK;
    if (call->explicit_name)
        return open_named_once(context, texts, call, error);
    preset = embed ? settings->default_embedder : settings->default_classifier;
    call->name = (ins_text){preset, strlen(preset)};
    return open_named_model(call->conn, call->name, false, &call->model, error);
}

static ins_status
score_labels(struct call *call, ins_error *error)
{
    const ins_model_info *info =
        ins_model_describe(model_of(call->model->shared));

    return run_model(call->model, INS_TASK_CLASSIFY, &call->input, 1,
                     call->model->scores, info->label_count, error);
}

void
sql_classify(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct call call = {0};
    ins_error error;
    ins_status status =
        begin_call(context, argc, argv, 1, false, &call, &error);

    if (status == INS_OK && !call.is_null)
        status = score_labels(&call, &error);
    if (status != INS_OK) {
        result_failure(context, &error);
    } else if (!call.is_null) {
        const ins_model *model = model_of(call.model->shared);
        uint32_t best = ins_best_label(call.model->scores,
                                       ins_model_describe(model)->label_count);
        ins_text label = ins_model_label(model, best);

        sqlite3_result_text64(context, label.data, label.size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    }
}

/* Names the labels there are, as many as fit. */
ins_status
fail_label(const open_model *model, ins_text unknown, ins_error *error)
{
    const ins_model *opened = model_of(model->shared);
    uint32_t count = ins_model_describe(opened)->label_count;
    char list[300] = "";
    size_t length = 0;

    for (uint32_t i = 0; i < count && length < sizeof(list) - 80; i++) {
        ins_text label = ins_model_label(opened, i);

        length += ins_format(
            list + length, sizeof(list) - length, "%s%.*s", i > 0 ? ", " : "",
            label.size < 64 ? (int) label.size : 64, label.data);
    }
    ins_fail(error, INS_INVALID_ARGUMENT, "model \"%s\" has no label \"%.*s\"",
             model->identity.name, unknown.size < 64 ? (int) unknown.size : 64,
             unknown.data);
    ins_fail_detail(error, "Its %u labels are: %s%s", count, list,
                    length < sizeof(list) - 80 ? "." : ", and more.");
    return INS_INVALID_ARGUMENT;
}

void
sql_classify_score(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct call call = {0};
    ins_error error;
    int32_t label = 0;
    ins_status status =
        begin_call(context, argc, argv, 2, false, &call, &error);

    if (status == INS_OK && !call.is_null)
        status = score_labels(&call, &error);
    if (status == INS_OK && !call.is_null) {
        label = ins_model_find_label(model_of(call.model->shared), call.label);
        if (label < 0)
            status = fail_label(call.model, call.label, &error);
    }
    if (status != INS_OK)
        result_failure(context, &error);
    else if (!call.is_null)
        sqlite3_result_double(context, (double) call.model->scores[label]);
}

static void
embed_into_result(sqlite3_context *context, struct call *call, ins_task task)
{
    const ins_model_info *info =
        ins_model_describe(model_of(call->model->shared));
    uint64_t bytes = ((uint64_t) info->embedding_size + 1) * sizeof(float);
    float *row = sqlite3_malloc64(bytes);
    ins_error error;
    ins_status status;

    if (row == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    status = run_model(call->model, task, &call->input, 1, row,
                       info->embedding_size, &error);
    if (status == INS_OK) {
        sqlite3_result_blob64(
            context, row, info->embedding_size * sizeof(float), sqlite3_free);
        return;
    }
    sqlite3_free(row);
    result_failure(context, &error);
}

static void
embed_argument(sqlite3_context *context, int argc, sqlite3_value **argv,
               ins_task task)
{
    struct call call = {0};
    ins_error error;

    if (begin_call(context, argc, argv, 1, true, &call, &error) != INS_OK)
        result_failure(context, &error);
    else if (!call.is_null)
        embed_into_result(context, &call, task);
}

void
sql_embed(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    embed_argument(context, argc, argv, INS_TASK_EMBED);
}

void
sql_embed_query(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    embed_argument(context, argc, argv, INS_TASK_EMBED_QUERY);
}

/* ---- tokens ------------------------------------------------------------- */

static ins_status
tokenize_argument(sqlite3_context *context, int argc, sqlite3_value **argv,
                  struct call *call, ins_token **tokens, size_t *count,
                  ins_error *error)
{
    *tokens = NULL;
    *count = 0;
    INS_TRY(begin_call(context, argc, argv, 1, false, call, error));
    if (call->is_null)
        return INS_OK;
    return tokenize_all(call->conn, call->model, call->input, tokens, count,
                        error);
}

void
sql_token_count(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct call call = {0};
    ins_token *tokens;
    size_t count;
    ins_error error;

    if (tokenize_argument(context, argc, argv, &call, &tokens, &count,
                          &error) != INS_OK)
        result_failure(context, &error);
    else if (!call.is_null)
        sqlite3_result_int64(context, (sqlite3_int64) count);
    sqlite3_free(tokens);
}

static void
result_id_array(sqlite3_context *context, const ins_token *tokens, size_t count)
{
    sqlite3_str *json = sqlite3_str_new(sqlite3_context_db_handle(context));
    char *text;

    sqlite3_str_appendchar(json, 1, '[');
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(json, i > 0 ? ",%d" : "%d", tokens[i].id);
    sqlite3_str_appendchar(json, 1, ']');
    text = sqlite3_str_finish(json);
    if (text == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_text(context, text, -1, sqlite3_free);
    sqlite3_result_subtype(context, JSON_SUBTYPE);
}

void
sql_token_ids(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct call call = {0};
    ins_token *tokens;
    size_t count;
    ins_error error;

    if (tokenize_argument(context, argc, argv, &call, &tokens, &count,
                          &error) != INS_OK)
        result_failure(context, &error);
    else if (!call.is_null)
        result_id_array(context, tokens, count);
    sqlite3_free(tokens);
}

/* ---- explanation -------------------------------------------------------- */

static ins_status
write_explanation(struct call *call, char **html, size_t *size,
                  ins_error *error)
{
    ins_host host = connection_host(call->conn);
    ins_explanation explanation;
    ins_status status = explain_input(call->conn, call->model, call->input,
                                      NULL, &explanation, error);

    if (status == INS_OK)
        status =
            ins_explanation_html(&explanation, model_of(call->model->shared),
                                 call->input, &host, html, size, error);
    ins_explanation_close(&explanation, &host);
    return status;
}

void
sql_explain_html(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    /* Nothing is promised beyond the statement. */
    struct call call = {.takes_alias = true};
    ins_error error;
    char *html = NULL;
    size_t size = 0;
    ins_status status =
        begin_call(context, argc, argv, 1, false, &call, &error);

    if (status == INS_OK && !call.is_null)
        status = write_explanation(&call, &html, &size, &error);
    if (status != INS_OK)
        result_failure(context, &error);
    else if (!call.is_null)
        sqlite3_result_text64(context, html, size, sqlite3_free, SQLITE_UTF8);
}

/* ---- distance ----------------------------------------------------------- */

static ins_status
vector_argument(sqlite3_value *value, size_t *bytes, ins_error *error)
{
    INS_CHECK(sqlite3_value_type(value) == SQLITE_BLOB, error,
              INS_INVALID_ARGUMENT,
              "an embedding must be a BLOB of 4-byte floats");
    *bytes = (size_t) sqlite3_value_bytes(value);
    INS_CHECK(*bytes > 0 && *bytes % sizeof(float) == 0, error,
              INS_INVALID_ARGUMENT,
              "an embedding must be a BLOB of 4-byte floats");
    return INS_OK;
}

/* In double: the distance of near neighbours is a small difference. */
static double
cosine_distance(const unsigned char *a, const unsigned char *b, size_t count)
{
    double dot = 0;
    double norm_a = 0;
    double norm_b = 0;

    for (size_t i = 0; i < count; i++) {
        float x; /* blobs need not be aligned */
        float y;

        memcpy(&x, a + i * sizeof(float), sizeof(float));
        memcpy(&y, b + i * sizeof(float), sizeof(float));
        dot += (double) x * (double) y;
        norm_a += (double) x * (double) x;
        norm_b += (double) y * (double) y;
    }
    return 1.0 - dot / (sqrt(norm_a) * sqrt(norm_b));
}

void
sql_cosine_distance(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    size_t bytes_a;
    size_t bytes_b = 0;
    ins_error error;
    ins_status status;

    (void) argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
        sqlite3_value_type(argv[1]) == SQLITE_NULL)
        return;
    status = vector_argument(argv[0], &bytes_a, &error);
    if (status == INS_OK)
        status = vector_argument(argv[1], &bytes_b, &error);
    if (status == INS_OK && bytes_a != bytes_b)
        status = ins_fail(&error, INS_INVALID_ARGUMENT,
                          "embeddings of %zu and %zu values cannot be compared",
                          bytes_a / sizeof(float), bytes_b / sizeof(float));
    if (status != INS_OK) {
        result_failure(context, &error);
        return;
    }
    /* A vector of zeros gives NaN, which SQLite turns into NULL. */
    sqlite3_result_double(context, cosine_distance(sqlite3_value_blob(argv[0]),
                                                   sqlite3_value_blob(argv[1]),
                                                   bytes_a / sizeof(float)));
}
