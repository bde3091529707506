/*
 * sqlite_error.c - a status of the core as a result code and a message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include "base/status.h"

/*
 * Only codes that leave the transaction and the connection alone.  SQLite rolls
 * back a whole transaction after SQLITE_IOERR or SQLITE_FULL, and after
 * SQLITE_CORRUPT it lets the connection write no more (and some applications
 * delete the file): right for its own pages, wrong for a full cache directory
 * or a damaged model.
 */
static const int result_codes[] = {
    [INS_OK] = SQLITE_OK,
    [INS_NO_MEMORY] = SQLITE_NOMEM,
    [INS_CANCELLED] = SQLITE_INTERRUPT,
    [INS_INVALID_ARGUMENT] = SQLITE_ERROR,
    [INS_WRONG_TASK] = SQLITE_ERROR,
    [INS_INPUT_TOO_LONG] = SQLITE_TOOBIG,
    [INS_LIMIT_EXCEEDED] = SQLITE_TOOBIG,
    [INS_UNSUPPORTED] = SQLITE_ERROR,
    [INS_BAD_SOURCE] = SQLITE_ERROR,
    [INS_CORRUPT_PACK] = SQLITE_ERROR,
    [INS_NOT_FOUND] = SQLITE_ERROR,
    [INS_IO_ERROR] = SQLITE_ERROR,
    [INS_DISK_FULL] = SQLITE_ERROR,
    [INS_BUSY] = SQLITE_BUSY,
    [INS_PERMISSION] = SQLITE_PERM,
    [INS_INTERNAL] = SQLITE_INTERNAL,
};
_Static_assert(sizeof(result_codes) / sizeof(result_codes[0]) ==
                   INS_STATUS_COUNT,
               "every status needs a result code");

/* SQLite has one string where the core has three; sqlite3_free it. */
static char *
join_message(const ins_error *error)
{
    /* Applications compare with SQLite's own word. */
    if (error->status == INS_CANCELLED)
        return sqlite3_mprintf("interrupted");
    return sqlite3_mprintf(
        "%s%s%s%s%s", error->message, error->detail[0] != '\0' ? ". " : "",
        error->detail,
        error->hint[0] == '\0'
            ? ""
            : (error->detail[0] != '\0' ? " Hint: " : ". Hint: "),
        error->hint);
}

void
result_failure(sqlite3_context *context, const ins_error *error)
{
    char *message = join_message(error);

    if (message == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_error(context, message, -1);
    /* After the message, which sets the code to SQLITE_ERROR. */
    sqlite3_result_error_code(context, result_codes[error->status]);
    sqlite3_free(message);
}

int
table_failure(sqlite3_vtab *table, const ins_error *error)
{
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = join_message(error);
    return result_codes[error->status];
}

static ins_status
status_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return INS_NO_MEMORY;
    case SQLITE_INTERRUPT:
        return INS_CANCELLED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return INS_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return INS_CORRUPT_PACK;
    case SQLITE_FULL:
        return INS_DISK_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return INS_PERMISSION;
    case SQLITE_TOOBIG:
        return INS_LIMIT_EXCEEDED;
    default:
        return INS_IO_ERROR;
    }
}

ins_status
fail_sqlite(connection *conn, int code, ins_error *error)
{
    /* Escapes what a damaged schema may bring in. */
    return ins_fail(error, status_of(code),
                    "could not use the model tables of the database: %s",
                    sqlite3_errmsg(conn->db));
}
