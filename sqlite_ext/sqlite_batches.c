/*
 * sqlite_batches.c - classify_batch and embed_batch: a JSON array of texts,
 * batch_size of them in one pass, and never more than the caller asks for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"

/* Texts of one pass in all; one text may be as long as any. */
#define MAX_PASS_BYTES ((size_t) 16 << 20)

struct batch {
    connection *conn;
    bool embed;
    bool source_done;  /* the array has no more elements */
    size_t capacity;   /* texts of one pass */
    size_t row_values; /* floats of a result */
    size_t held;       /* elements read, NULL ones too */
    size_t position;   /* of the current row among them */
    ins_text *texts;   /* [capacity], those that are not NULL */
    size_t text_count;
    int32_t *text_of; /* [capacity]: index of an element's text, -1 = NULL */
    char *bytes;      /* the texts' bytes */
    size_t bytes_size;
    float *results; /* [capacity][row_values] */
};

void
free_batch(struct batch *batch)
{
    if (batch == NULL)
        return;
    sqlite3_free(batch->texts);
    sqlite3_free(batch->text_of);
    sqlite3_free(batch->bytes);
    sqlite3_free(batch->results);
    sqlite3_free(batch);
}

/* ---- the array ---------------------------------------------------------- */

static ins_status
fail_json(table_cursor *cursor, int code, ins_error *error)
{
    if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT)
        return fail_sqlite(cursor->conn, code, error);
    ins_fail(error, INS_INVALID_ARGUMENT, "inputs must be a JSON array");
    ins_fail_hint(error, "Make it with json_array or json_group_array.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
prepare_json(table_cursor *cursor, const char *sql, sqlite3_stmt **statement,
             ins_error *error)
{
    int code = sqlite3_prepare_v2(cursor->conn->db, sql, -1, statement, NULL);

    if (code != SQLITE_OK)
        return fail_sqlite(cursor->conn, code, error);
    sqlite3_bind_value(*statement, 1, cursor->arguments[0]);
    return INS_OK;
}

static ins_status
check_array(table_cursor *cursor, ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status = INS_OK;
    int code;

    INS_CHECK(sqlite3_value_type(cursor->arguments[0]) == SQLITE_TEXT, error,
              INS_INVALID_ARGUMENT, "inputs must be a JSON array");
    INS_TRY(prepare_json(cursor,
                         "SELECT json_type(?1) = 'array', "
                         "json_array_length(?1)",
                         &statement, error));
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW || sqlite3_column_int(statement, 0) != 1)
        status = fail_json(cursor, code, error);
    else if (sqlite3_column_int64(statement, 1) > MAX_BATCH_TEXTS)
        status = ins_fail(error, INS_LIMIT_EXCEEDED,
                          "inputs has %lld texts, more than the limit of %d",
                          (long long) sqlite3_column_int64(statement, 1),
                          MAX_BATCH_TEXTS);
    sqlite3_finalize(statement);
    return status;
}

static ins_status
grow_bytes(struct batch *batch, size_t needed, ins_error *error)
{
    size_t size = batch->bytes_size;
    char *bytes;

    if (needed <= size)
        return INS_OK;
    while (size < needed)
        size = size * 2 + 4096;
    bytes = sqlite3_realloc64(batch->bytes, size);
    if (bytes == NULL)
        return ins_fail_no_memory(error, size);
    batch->bytes = bytes;
    batch->bytes_size = size;
    return INS_OK;
}

/*
 * Copies an element, since SQLite's text lives until the next row.  Until the
 * pass is complete, texts[].data is NULL: bytes may move.
 */
static ins_status
take_element(struct batch *batch, sqlite3_stmt *statement, size_t *used,
             ins_error *error)
{
    const char *type = (const char *) sqlite3_column_text(statement, 0);
    const unsigned char *data;
    size_t size;

    if (type != NULL && strcmp(type, "null") == 0) {
        batch->text_of[batch->held++] = -1;
        return INS_OK;
    }
    INS_CHECK(type != NULL &&
                  (strcmp(type, "text") == 0 || strcmp(type, "integer") == 0 ||
                   strcmp(type, "real") == 0),
              error, INS_INVALID_ARGUMENT,
              "elements of inputs must be texts or null, not %s",
              type != NULL ? type : "unknown");
    data = sqlite3_column_text(statement, 1);
    if (data == NULL)
        return ins_fail_no_memory(error, 0);
    size = (size_t) sqlite3_column_bytes(statement, 1);
    INS_TRY(check_input_bytes(size, "an element of inputs", error));
    INS_TRY(grow_bytes(batch, *used + size + 1, error));
    memcpy(batch->bytes + *used, data, size);
    *used += size;
    batch->text_of[batch->held++] = (int32_t) batch->text_count;
    batch->texts[batch->text_count++].size = size;
    return INS_OK;
}

static ins_status
read_elements(table_cursor *cursor, ins_error *error)
{
    struct batch *batch = cursor->batch;
    size_t used = 0;
    size_t start = 0;

    batch->held = batch->position = batch->text_count = 0;
    while (!batch->source_done && batch->held < batch->capacity &&
           used < MAX_PASS_BYTES) {
        int code = sqlite3_step(cursor->statement);

        batch->source_done = code != SQLITE_ROW;
        if (code == SQLITE_ROW)
            INS_TRY(take_element(batch, cursor->statement, &used, error));
        else if (code != SQLITE_DONE)
            return fail_json(cursor, code, error);
    }
    for (size_t i = 0; i < batch->text_count; i++) {
        batch->texts[i].data = batch->bytes + start;
        start += batch->texts[i].size;
    }
    return INS_OK;
}

/* ---- the passes --------------------------------------------------------- */

static ins_status
run_pass(table_cursor *cursor, ins_error *error)
{
    struct batch *batch = cursor->batch;
    open_model *model;

    INS_TRY(read_elements(cursor, error));
    cursor->at_end = batch->held == 0;
    if (batch->text_count == 0)
        return INS_OK;
    INS_TRY(open_scan_model(cursor, batch->embed, &model, error));
    return run_model(model, batch->embed ? INS_TASK_EMBED : INS_TASK_CLASSIFY,
                     batch->texts, batch->text_count, batch->results,
                     batch->row_values, error);
}

static ins_status
allocate_batch(table_cursor *cursor, const ins_model_info *info, bool embed,
               ins_error *error)
{
    ins_host host = connection_host(cursor->conn);
    size_t capacity = cursor->conn->settings.batch_size;
    struct batch *batch;
    void *memory;

    INS_TRY(ins_alloc_zeroed(&host, 1, sizeof(*batch), &memory, error));
    /* The cursor owns it from here on, and frees it after a failure. */
    batch = cursor->batch = memory;
    batch->conn = cursor->conn;
    batch->embed = embed;
    batch->capacity = capacity;
    batch->row_values = embed ? info->embedding_size : info->label_count;
    INS_TRY(ins_alloc(&host, capacity, sizeof(ins_text), &memory, error));
    batch->texts = memory;
    INS_TRY(ins_alloc(&host, capacity, sizeof(int32_t), &memory, error));
    batch->text_of = memory;
    INS_TRY(ins_alloc(&host, capacity * (uint64_t) batch->row_values,
                      sizeof(float), &memory, error));
    batch->results = memory;
    return INS_OK;
}

static ins_status
open_batch(table_cursor *cursor, bool embed, ins_error *error)
{
    open_model *model;

    INS_TRY(check_array(cursor, error));
    INS_TRY(open_scan_model(cursor, embed, &model, error));
    INS_TRY(allocate_batch(cursor, ins_model_describe(model_of(model->shared)),
                           embed, error));
    INS_TRY(prepare_json(cursor, "SELECT type, value FROM json_each(?1)",
                         &cursor->statement, error));
    return run_pass(cursor, error);
}

ins_status
open_classify_batch(table_cursor *cursor, ins_error *error)
{
    return open_batch(cursor, false, error);
}

ins_status
open_embed_batch(table_cursor *cursor, ins_error *error)
{
    return open_batch(cursor, true, error);
}

ins_status
next_batch_row(table_cursor *cursor, ins_error *error)
{
    struct batch *batch = cursor->batch;

    if (++batch->position < batch->held)
        return INS_OK;
    return run_pass(cursor, error);
}

/* NULL for a NULL element. */
static const float *
current_result(const struct batch *batch)
{
    int32_t text = batch->text_of[batch->position];

    if (text < 0)
        return NULL;
    return batch->results + (size_t) text * batch->row_values;
}

void
classify_batch_column(table_cursor *cursor, sqlite3_context *context,
                      int column)
{
    const float *scores = current_result(cursor->batch);
    uint32_t best;
    ins_text label;

    if (column == 0)
        sqlite3_result_int64(context, cursor->row);
    if (column == 0 || scores == NULL)
        return;
    best = ins_best_label(scores, (uint32_t) cursor->batch->row_values);
    if (column == 2) {
        sqlite3_result_double(context, (double) scores[best]);
        return;
    }
    label = ins_model_label(model_of(cursor->shared), best);
    sqlite3_result_text64(context, label.data, label.size, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

void
embed_batch_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    const float *row = current_result(cursor->batch);

    if (column == 0)
        sqlite3_result_int64(context, cursor->row);
    else if (row != NULL)
        sqlite3_result_blob64(context, row,
                              cursor->batch->row_values * sizeof(float),
                              SQLITE_TRANSIENT);
}
