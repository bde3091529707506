/*
 * sqlite_lists.c - model_list and model_stats.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"
#include "sqlite_weights.h"

/* ---- model_list --------------------------------------------------------- */

enum { LIST_NAME, LIST_KIND, LIST_TARGET, LIST_TASKS, LIST_DIGEST, LIST_BYTES };

/* The first row is the model in the library; row_count 1 says it is there. */
ins_status
open_model_list(table_cursor *cursor, ins_error *error)
{
    model_identity identity;

    INS_TRY(list_catalog(cursor->conn, &cursor->statement, error));
    cursor->row_count = bundled_identity(&identity) ? 1 : 0;
    if (cursor->row_count == 0)
        return next_listed_model(cursor, error);
    return INS_OK;
}

ins_status
next_listed_model(table_cursor *cursor, ins_error *error)
{
    int code = SQLITE_DONE;

    if (cursor->statement != NULL)
        code = sqlite3_step(cursor->statement);
    cursor->at_end = code != SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return INS_OK;
    return fail_sqlite(cursor->conn, code, error);
}

/* "classify, embed", from the description: {"tasks":["classify","embed"]}. */
static void
result_tasks(sqlite3_context *context, ins_text info)
{
    static const char *const tasks[] = {"classify", "embed", "predict"};
    const char *start =
        memmem(info.data, info.size, "\"tasks\":[", strlen("\"tasks\":["));
    const char *end =
        start == NULL
            ? NULL
            : memchr(start, ']', info.size - (size_t) (start - info.data));
    char text[32] = "";
    size_t length = 0;

    for (size_t i = 0; end != NULL && i < 3; i++)
        if (memmem(start, (size_t) (end - start), tasks[i], strlen(tasks[i])) !=
            NULL)
            length += ins_format(text + length, sizeof(text) - length, "%s%s",
                                 length > 0 ? ", " : "", tasks[i]);
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void
result_bundled_tasks(table_cursor *cursor, sqlite3_context *context)
{
    model_identity identity;
    shared_model *shared;
    ins_error error;

    if (!bundled_identity(&identity) ||
        acquire_model(cursor->conn, &identity, &shared, &error) != INS_OK)
        return;
    sqlite3_result_text(context, ins_model_tasks(model_of(shared)), -1,
                        SQLITE_TRANSIENT);
    release_model(shared);
}

static void
bundled_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    char digest[INS_DIGEST_CHARS];
    model_identity identity;

    if (!bundled_identity(&identity))
        return;
    switch (column) {
    case LIST_NAME:
        sqlite3_result_text(context, identity.name, -1, SQLITE_TRANSIENT);
        break;
    case LIST_KIND:
        sqlite3_result_text(context, "bundled", -1, SQLITE_STATIC);
        break;
    case LIST_TASKS:
        result_bundled_tasks(cursor, context);
        break;
    case LIST_DIGEST:
        ins_digest_text(digest, identity.digest);
        sqlite3_result_text(context, digest, -1, SQLITE_TRANSIENT);
        break;
    case LIST_BYTES:
        sqlite3_result_int64(context, (sqlite3_int64) identity.bytes);
        break;
    default:
        break;
    }
}

void
model_list_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    /* Of the statement: name, kind, target, digest, bytes, info. */
    static const int sources[] = {0, 1, 2, 5, 3, 4};
    sqlite3_stmt *statement = cursor->statement;
    int source = sources[column];

    if (cursor->row == 1 && cursor->row_count == 1) {
        bundled_column(cursor, context, column);
    } else if (column == LIST_TASKS) {
        const unsigned char *info = sqlite3_column_text(statement, source);

        if (info != NULL)
            result_tasks(context, (ins_text){(const char *) info,
                                             (size_t) sqlite3_column_bytes(
                                                 statement, source)});
    } else {
        sqlite3_result_value(context, sqlite3_column_value(statement, source));
    }
}

/* ---- model_stats -------------------------------------------------------- */

enum {
    STATS_NAME,
    STATS_DIGEST,
    STATS_LOADS,
    STATS_CALLS,
    STATS_ROWS,
    STATS_TOKENS,
    STATS_MILLISECONDS,
    STATS_ERRORS,
    STATS_CONNECTIONS,
    STATS_PLACE,
    STATS_MEMO_HITS,
    STATS_SESSION_BYTES
};

ins_status
open_model_stats(table_cursor *cursor, ins_error *error)
{
    model_statistics *rows;

    INS_TRY(list_statistics(&rows, &cursor->row_count, error));
    cursor->rows = rows;
    cursor->at_end = cursor->row_count == 0;
    return INS_OK;
}

ins_status
next_statistics(table_cursor *cursor, ins_error *error)
{
    (void) error;
    cursor->at_end = cursor->row > (sqlite3_int64) cursor->row_count;
    return INS_OK;
}

static uint64_t
statistic_number(table_cursor *cursor, const model_statistics *row, int column)
{
    const model_counters *counters = &row->counters;

    switch (column) {
    case STATS_LOADS:
        return counters->loads;
    case STATS_CALLS:
        return counters->calls;
    case STATS_ROWS:
        return counters->rows;
    case STATS_TOKENS:
        return counters->tokens;
    case STATS_ERRORS:
        return counters->errors;
    case STATS_CONNECTIONS:
        return row->connections;
    case STATS_MEMO_HITS:
        return counters->memo_hits;
    default:
        return session_bytes_of(cursor->conn, row->digest_bytes);
    }
}

void
model_stats_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    static const char *const places[] = {NULL, "library", "cache file",
                                         "private"};
    const model_statistics *row =
        (const model_statistics *) cursor->rows + (cursor->row - 1);

    switch (column) {
    case STATS_NAME:
        sqlite3_result_text(context, row->name, -1, SQLITE_TRANSIENT);
        break;
    case STATS_DIGEST:
        sqlite3_result_text(context, row->digest, -1, SQLITE_TRANSIENT);
        break;
    case STATS_MILLISECONDS:
        sqlite3_result_double(context, row->counters.milliseconds);
        break;
    case STATS_PLACE:
        sqlite3_result_text(context, places[row->place], -1, SQLITE_STATIC);
        break;
    default:
        sqlite3_result_int64(
            context, (sqlite3_int64) statistic_number(cursor, row, column));
        break;
    }
}
