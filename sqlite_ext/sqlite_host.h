/*
 * sqlite_host.h - what the core borrows from us, limits, and errors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_HOST_H
#define SQLITE_HOST_H

#include <sqlite3ext.h>

#include "insitu_import.h"
#include "store/cache_file.h"
#include "store/digest_text.h"

#define BUNDLED_MODEL_NAME "insitu-mini-en"

#define MAX_NAME_BYTES  64        /* with the NUL */
#define MAX_INPUT_BYTES (1 << 20) /* of one text */
#define MAX_BATCH_TEXTS 100000    /* of one array */
#define MAX_MODEL_BYTES ((uint64_t) 2 << 30)
#define CHUNK_BYTES     ((size_t) 1 << 20)

/* ---- sqlite_host.c: what the core borrows from us ----------------------- */

/* Memory without a connection, for what the process shares. */
extern const ins_host process_host;

typedef struct connection connection;

/* Of the monotonic clock. */
uint64_t now_nanoseconds(void);

/* A host whose cancelled() reads the interrupt flag of the connection. */
ins_host connection_host(connection *conn);
/* ins_runtime_prepare, once per process. */
ins_status prepare_runtime(ins_error *error);

/* ---- sqlite_error.c ----------------------------------------------------- */

/* Makes error the result of an SQL function. */
void result_failure(sqlite3_context *context, const ins_error *error);
/* Puts error into a virtual table's message; returns a result code. */
int table_failure(sqlite3_vtab *table, const ins_error *error);
/* A failure of SQLite itself, with its message; returns a status. */
ins_status fail_sqlite(connection *conn, int code, ins_error *error);

#endif
