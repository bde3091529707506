/*
 * sqlite_catalog.c - the models in the database file.
 *
 * Three tables in main: insitu_model (a row per name, also of dropped ones:
 * a name never changes its bytes), insitu_alias, and insitu_chunk with the
 * packs in pieces of 1 MB, by digest.  They are ordinary tables, made by the
 * first registration, so that a copy of the file carries its models and a
 * rollback undoes a registration.
 *
 * The file may come from anybody.  Before reading, the three definitions are
 * compared with ours (a view by the same name would run its author's SQL), and
 * every value is checked; the bytes are checked by whoever loads them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_catalog.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"
#include "sqlite_weights.h"

const char *const catalog_definitions[TABLE_COUNT] = {
    "insitu_model(name TEXT NOT NULL PRIMARY KEY, digest BLOB NOT NULL, "
    "bytes INTEGER NOT NULL, dropped INTEGER NOT NULL, info TEXT NOT NULL)",
    "insitu_alias(alias TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
    "insitu_chunk(digest BLOB NOT NULL, i INTEGER NOT NULL, "
    "data BLOB NOT NULL, PRIMARY KEY (digest, i))",
};

bool
is_model_name(ins_text name)
{
    if (name.size == 0 || name.size >= MAX_NAME_BYTES)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!word && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return true;
}

bool
is_bundled_name(ins_text name)
{
    return name.size == sizeof(BUNDLED_MODEL_NAME) - 1 &&
           memcmp(name.data, BUNDLED_MODEL_NAME, name.size) == 0;
}

/* ---- the definitions ---------------------------------------------------- */

static bool
is_definition(ins_text sql)
{
    static const char start[] = "CREATE TABLE ";

    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const char *definition = catalog_definitions[i];
        size_t length = strlen(definition);

        if (sql.size == sizeof(start) - 1 + length &&
            memcmp(sql.data, start, sizeof(start) - 1) == 0 &&
            memcmp(sql.data + sizeof(start) - 1, definition, length) == 0)
            return true;
    }
    return false;
}

ins_status
check_definitions(connection *conn, bool *present, ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;
    size_t count = 0;
    bool row = true;

    INS_TRY(
        prepare_statement(conn,
                          "SELECT sql FROM main.sqlite_master WHERE type IN "
                          "('table', 'view') AND name COLLATE NOCASE IN "
                          "('insitu_model', 'insitu_alias', 'insitu_chunk')",
                          &statement, error));
    while ((status = step_statement(conn, statement, &row, error)) == INS_OK &&
           row) {
        if (!is_definition(column_text(statement, 0))) {
            status = INS_CORRUPT_PACK;
            break;
        }
        count++;
    }
    sqlite3_finalize(statement);
    *present = count == TABLE_COUNT;
    if (status == INS_CORRUPT_PACK ||
        (status == INS_OK && count != 0 && count != TABLE_COUNT))
        return ins_fail(error, INS_CORRUPT_PACK,
                        "the model tables of the database were changed");
    return status;
}

/* ---- finding ------------------------------------------------------------ */

static ins_status
take_model_row(sqlite3_stmt *statement, ins_text name, struct model_row *found,
               ins_error *error)
{
    sqlite3_int64 bytes = sqlite3_column_int64(statement, 1);

    INS_CHECK(sqlite3_column_type(statement, 0) == SQLITE_BLOB &&
                  sqlite3_column_bytes(statement, 0) == INS_DIGEST_BYTES &&
                  sqlite3_column_type(statement, 1) == SQLITE_INTEGER &&
                  bytes > 0 && (uint64_t) bytes <= MAX_MODEL_BYTES,
              error, INS_CORRUPT_PACK,
              "the row of model \"%.*s\" in insitu_model is damaged",
              (int) name.size, name.data);
    memcpy(found->digest, sqlite3_column_blob(statement, 0), INS_DIGEST_BYTES);
    found->bytes = (uint64_t) bytes;
    found->dropped = sqlite3_column_int(statement, 2) != 0;
    found->found = true;
    return INS_OK;
}

ins_status
read_model_row(connection *conn, ins_text name, struct model_row *found,
               ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;
    bool row;

    memset(found, 0, sizeof(*found));
    INS_TRY(prepare_statement(
        conn,
        "SELECT digest, bytes, dropped FROM main.insitu_model "
        "WHERE name = ?1",
        &statement, error));
    bind_text(statement, 1, name);
    status = step_statement(conn, statement, &row, error);
    if (status == INS_OK && row)
        status = take_model_row(statement, name, found, error);
    sqlite3_finalize(statement);
    return status;
}

ins_status
read_alias(connection *conn, ins_text alias, bool *found,
           char target[MAX_NAME_BYTES], ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;

    INS_TRY(prepare_statement(
        conn, "SELECT name FROM main.insitu_alias WHERE alias = ?1", &statement,
        error));
    bind_text(statement, 1, alias);
    status = step_statement(conn, statement, found, error);
    if (status == INS_OK && *found) {
        ins_text name = column_text(statement, 0);

        if (is_model_name(name))
            ins_format(target, MAX_NAME_BYTES, "%.*s", (int) name.size,
                       name.data);
        else
            status = ins_fail(error, INS_CORRUPT_PACK,
                              "the row of alias \"%.*s\" is damaged",
                              (int) alias.size, alias.data);
    }
    sqlite3_finalize(statement);
    return status;
}

ins_status
fail_not_found(ins_text name, ins_error *error)
{
    ins_fail(error, INS_NOT_FOUND, "model \"%.*s\" does not exist",
             name.size < MAX_NAME_BYTES ? (int) name.size : MAX_NAME_BYTES,
             name.data);
    ins_fail_hint(error, "Register it with model_register(name, path); "
                         "SELECT name FROM model_list shows those there are.");
    return INS_NOT_FOUND;
}

static ins_status
find_stored(connection *conn, ins_text name, model_identity *identity,
            ins_error *error)
{
    struct model_row row;

    INS_TRY(read_model_row(conn, name, &row, error));
    if (!row.found || row.dropped)
        return fail_not_found(name, error);
    memset(identity, 0, sizeof(*identity));
    memcpy(identity->name, name.data, name.size);
    memcpy(identity->digest, row.digest, INS_DIGEST_BYTES);
    identity->bytes = row.bytes;
    return INS_OK;
}

static ins_status
refuse_alias(ins_text alias, const char *target, ins_error *error)
{
    ins_fail(error, INS_INVALID_ARGUMENT,
             "\"%.*s\" is an alias, which cannot be named in a call",
             (int) alias.size, alias.data);
    ins_fail_hint(error,
                  "Name the model \"%s\", or set default_classifier or "
                  "default_embedder to the alias and leave the model out.",
                  target);
    return INS_INVALID_ARGUMENT;
}

ins_status
find_model(connection *conn, ins_text name, bool allow_alias,
           model_identity *identity, ins_error *error)
{
    char target[MAX_NAME_BYTES] = "";
    bool present;
    bool is_alias;

    if (is_bundled_name(name) && bundled_identity(identity))
        return INS_OK;
    if (!is_model_name(name))
        return fail_not_found(name, error);
    INS_TRY(check_definitions(conn, &present, error));
    if (!present)
        return fail_not_found(name, error);
    INS_TRY(read_alias(conn, name, &is_alias, target, error));
    if (!is_alias)
        return find_stored(conn, name, identity, error);
    if (!allow_alias)
        return refuse_alias(name, target, error);
    name = (ins_text){target, strlen(target)};
    if (is_bundled_name(name) && bundled_identity(identity))
        return INS_OK;
    return find_stored(conn, name, identity, error);
}

ins_status
find_model_once(sqlite3_context *context, int argument, ins_text name,
                bool allow_alias, model_identity *identity, ins_error *error)
{
    const model_identity *known = sqlite3_get_auxdata(context, argument);
    model_identity *found;

    if (known != NULL) {
        *identity = *known;
        return INS_OK;
    }
    INS_TRY(find_model(sqlite3_user_data(context), name, allow_alias, identity,
                       error));
    found = sqlite3_malloc64(sizeof(*found));
    if (found == NULL)
        return INS_OK;
    *found = *identity;
    sqlite3_set_auxdata(context, argument, found, sqlite3_free);
    return INS_OK;
}

ins_status
list_catalog(connection *conn, sqlite3_stmt **statement, ins_error *error)
{
    bool present;

    *statement = NULL;
    INS_TRY(check_definitions(conn, &present, error));
    if (!present)
        return INS_OK;
    return prepare_statement(
        conn,
        "SELECT name, 'stored', NULL, lower(hex(digest)), bytes, "
        "info FROM main.insitu_model WHERE dropped = 0 UNION ALL "
        "SELECT a.alias, 'alias', a.name, lower(hex(m.digest)), "
        "m.bytes, m.info FROM main.insitu_alias AS a LEFT JOIN "
        "main.insitu_model AS m ON m.name = a.name AND "
        "m.dropped = 0 ORDER BY 1",
        statement, error);
}

/* ---- chunks ------------------------------------------------------------- */

uint64_t
chunk_count(uint64_t bytes)
{
    return (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

static ins_status
check_chunk_totals(connection *conn, const model_identity *identity,
                   ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;
    bool row;

    /* length() reads no content. */
    INS_TRY(prepare_statement(conn,
                              "SELECT count(*), total(length(data)) FROM "
                              "main.insitu_chunk WHERE digest = ?1",
                              &statement, error));
    bind_digest(statement, 1, identity->digest);
    status = step_statement(conn, statement, &row, error);
    if (status == INS_OK &&
        ((uint64_t) sqlite3_column_int64(statement, 0) !=
             chunk_count(identity->bytes) ||
         sqlite3_column_double(statement, 1) != (double) identity->bytes)) {
        status = ins_fail(error, INS_CORRUPT_PACK,
                          "model \"%s\" is damaged: chunks are missing",
                          identity->name);
        ins_fail_detail(error, "The database has %lld of %llu chunks.",
                        (long long) sqlite3_column_int64(statement, 0),
                        (unsigned long long) chunk_count(identity->bytes));
    }
    sqlite3_finalize(statement);
    return status;
}

static ins_status
take_chunk(sqlite3_stmt *statement, const model_identity *identity, uint64_t i,
           chunk_sink sink, void *user, ins_error *error)
{
    uint64_t left = identity->bytes - i * CHUNK_BYTES;
    size_t size = left < CHUNK_BYTES ? (size_t) left : CHUNK_BYTES;
    const void *data;

    INS_CHECK(sqlite3_column_int64(statement, 0) == (sqlite3_int64) i, error,
              INS_CORRUPT_PACK,
              "model \"%s\" is damaged: chunk %llu of %llu is missing",
              identity->name, (unsigned long long) i,
              (unsigned long long) chunk_count(identity->bytes));
    data = sqlite3_column_blob(statement, 1);
    INS_CHECK(data != NULL && sqlite3_column_bytes(statement, 1) == (int) size,
              error, INS_CORRUPT_PACK,
              "model \"%s\" is damaged: chunk %llu has a wrong size",
              identity->name, (unsigned long long) i);
    return sink(user, data, size, error);
}

ins_status
read_chunks(connection *conn, const model_identity *identity, chunk_sink sink,
            void *user, ins_error *error)
{
    ins_host host = connection_host(conn);
    uint64_t count = chunk_count(identity->bytes);
    sqlite3_stmt *statement;
    ins_status status;
    bool row = true;

    INS_TRY(check_chunk_totals(conn, identity, error));
    INS_TRY(prepare_statement(conn,
                              "SELECT i, CASE WHEN typeof(data) = 'blob' AND "
                              "length(data) <= 1048576 THEN data END FROM "
                              "main.insitu_chunk WHERE digest = ?1 ORDER BY i",
                              &statement, error));
    bind_digest(statement, 1, identity->digest);
    status = INS_OK;
    for (uint64_t i = 0; status == INS_OK && i < count; i++) {
        status = ins_poll(&host, error);
        if (status == INS_OK)
            status = step_statement(conn, statement, &row, error);
        if (status == INS_OK && row)
            status = take_chunk(statement, identity, i, sink, user, error);
        else if (status == INS_OK)
            status = ins_fail(error, INS_CORRUPT_PACK,
                              "model \"%s\" is damaged: chunks are missing",
                              identity->name);
    }
    sqlite3_finalize(statement);
    return status;
}
