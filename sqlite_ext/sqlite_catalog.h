/*
 * sqlite_catalog.h - what the files of the catalog share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_CATALOG_H
#define SQLITE_CATALOG_H

#include "sqlite_insitu.h"

/* ---- sqlite_statement.c: SQLite's statements with our statuses ---------- */

ins_status prepare_statement(connection *conn, const char *sql,
                             sqlite3_stmt **statement, ins_error *error);
/* Borrowed until the statement is finalized. */
void bind_text(sqlite3_stmt *statement, int parameter, ins_text text);
void bind_digest(sqlite3_stmt *statement, int parameter, const uint8_t *digest);
/* *row: there is a row to read. */
ins_status step_statement(connection *conn, sqlite3_stmt *statement, bool *row,
                          ins_error *error);
/* Runs a statement to its end and finalizes it. */
ins_status finish_statement(connection *conn, sqlite3_stmt *statement,
                            ins_error *error);
ins_status run_sql(connection *conn, const char *sql, ins_error *error);
ins_text column_text(sqlite3_stmt *statement, int column);

/* ---- sqlite_catalog.c --------------------------------------------------- */

#define TABLE_COUNT 3

/* name(columns), as SQLite keeps it in sqlite_master. */
extern const char *const catalog_definitions[TABLE_COUNT];

struct model_row {
    bool found;
    bool dropped;
    uint8_t digest[INS_DIGEST_BYTES];
    uint64_t bytes;
};

bool is_bundled_name(ins_text name);
/* *present: the tables exist and are ours. */
ins_status check_definitions(connection *conn, bool *present, ins_error *error);
/* The tables exist; name is a model name. */
ins_status read_model_row(connection *conn, ins_text name,
                          struct model_row *found, ins_error *error);
/* *found: it is an alias; target gets its model's name. */
ins_status read_alias(connection *conn, ins_text alias, bool *found,
                      char target[MAX_NAME_BYTES], ins_error *error);
ins_status fail_not_found(ins_text name, ins_error *error);
uint64_t chunk_count(uint64_t bytes);

#endif
