/*
 * sqlite_statement.c - SQLite's statements with our statuses.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_catalog.h"

SQLITE_EXTENSION_INIT3

#include "base/status.h"

ins_status
prepare_statement(connection *conn, const char *sql, sqlite3_stmt **statement,
                  ins_error *error)
{
    int code = sqlite3_prepare_v2(conn->db, sql, -1, statement, NULL);

    return code == SQLITE_OK ? INS_OK : fail_sqlite(conn, code, error);
}

void
bind_text(sqlite3_stmt *statement, int parameter, ins_text text)
{
    sqlite3_bind_text64(statement, parameter, text.data, text.size,
                        SQLITE_STATIC, SQLITE_UTF8);
}

void
bind_digest(sqlite3_stmt *statement, int parameter, const uint8_t *digest)
{
    sqlite3_bind_blob(statement, parameter, digest, INS_DIGEST_BYTES,
                      SQLITE_STATIC);
}

ins_status
step_statement(connection *conn, sqlite3_stmt *statement, bool *row,
               ins_error *error)
{
    int code = sqlite3_step(statement);

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return INS_OK;
    return fail_sqlite(conn, code, error);
}

ins_status
finish_statement(connection *conn, sqlite3_stmt *statement, ins_error *error)
{
    bool row = true;
    ins_status status = INS_OK;

    while (status == INS_OK && row)
        status = step_statement(conn, statement, &row, error);
    sqlite3_finalize(statement);
    return status;
}

ins_status
run_sql(connection *conn, const char *sql, ins_error *error)
{
    sqlite3_stmt *statement;

    INS_TRY(prepare_statement(conn, sql, &statement, error));
    return finish_statement(conn, statement, error);
}

ins_text
column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *data = sqlite3_column_text(statement, column);

    if (data == NULL)
        return (ins_text){"", 0};
    return (ins_text){(const char *) data,
                      (size_t) sqlite3_column_bytes(statement, column)};
}
