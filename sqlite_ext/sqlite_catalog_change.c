/*
 * sqlite_catalog_change.c - registering, dropping and naming models.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_catalog.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"

static ins_status
check_word(ins_text name, const char *what, ins_error *error)
{
    if (is_model_name(name))
        return INS_OK;
    ins_fail(error, INS_INVALID_ARGUMENT, "%s \"%.*s\" is not allowed", what,
             name.size < MAX_NAME_BYTES ? (int) name.size : MAX_NAME_BYTES,
             name.data);
    ins_fail_hint(error, "Use up to 63 of a-z, 0-9, \"_\", \".\" and \"-\", "
                         "beginning with a letter or digit.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
run_with_name(connection *conn, const char *sql, ins_text name,
              ins_error *error)
{
    sqlite3_stmt *statement;

    INS_TRY(prepare_statement(conn, sql, &statement, error));
    bind_text(statement, 1, name);
    return finish_statement(conn, statement, error);
}

static ins_status
run_with_digest(connection *conn, const char *sql, const uint8_t *digest,
                ins_error *error)
{
    sqlite3_stmt *statement;

    INS_TRY(prepare_statement(conn, sql, &statement, error));
    bind_digest(statement, 1, digest);
    return finish_statement(conn, statement, error);
}

static ins_status
create_tables(connection *conn, ins_error *error)
{
    bool present;

    INS_TRY(check_definitions(conn, &present, error));
    for (size_t i = 0; !present && i < TABLE_COUNT; i++) {
        char sql[320];

        sqlite3_snprintf((int) sizeof(sql), sql, "CREATE TABLE main.%s",
                         catalog_definitions[i]);
        INS_TRY(run_sql(conn, sql, error));
    }
    return INS_OK;
}

/* ---- chunks ------------------------------------------------------------- */

static ins_status
insert_chunk(connection *conn, sqlite3_stmt *statement, uint64_t i,
             const void *data, size_t size, ins_error *error)
{
    bool row;

    sqlite3_bind_int64(statement, 2, (sqlite3_int64) i);
    sqlite3_bind_blob64(statement, 3, data, size, SQLITE_STATIC);
    INS_TRY(step_statement(conn, statement, &row, error));
    sqlite3_reset(statement);
    return INS_OK;
}

static ins_status
insert_chunks(connection *conn, const uint8_t *digest, const void *pack,
              size_t pack_bytes, ins_error *error)
{
    ins_host host = connection_host(conn);
    const char *data = pack;
    sqlite3_stmt *statement;
    ins_status status;

    INS_TRY(prepare_statement(conn,
                              "INSERT INTO main.insitu_chunk(digest, i, data) "
                              "VALUES (?1, ?2, ?3)",
                              &statement, error));
    bind_digest(statement, 1, digest);
    status = INS_OK;
    for (uint64_t i = 0; status == INS_OK && i < chunk_count(pack_bytes); i++) {
        size_t start = (size_t) i * CHUNK_BYTES;
        size_t left = pack_bytes - start;

        status = ins_poll(&host, error);
        if (status == INS_OK)
            status =
                insert_chunk(conn, statement, i, data + start,
                             left < CHUNK_BYTES ? left : CHUNK_BYTES, error);
    }
    sqlite3_finalize(statement);
    return status;
}

/* Does a model that is not dropped use these chunks? */
static ins_status
is_digest_used(connection *conn, const uint8_t *digest, bool *used,
               ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;

    INS_TRY(prepare_statement(
        conn,
        "SELECT 1 FROM main.insitu_model WHERE digest = ?1 AND "
        "dropped = 0",
        &statement, error));
    bind_digest(statement, 1, digest);
    status = step_statement(conn, statement, used, error);
    sqlite3_finalize(statement);
    return status;
}

static ins_status
delete_unused_chunks(connection *conn, const uint8_t *digest, ins_error *error)
{
    bool used;

    INS_TRY(is_digest_used(conn, digest, &used, error));
    if (used)
        return INS_OK;
    return run_with_digest(
        conn, "DELETE FROM main.insitu_chunk WHERE digest = ?1", digest, error);
}

/* ---- changing ----------------------------------------------------------- */

typedef ins_status change(connection *conn, void *arguments, ins_error *error);

/*
 * All or nothing.  A savepoint can not be opened while a writing statement
 * runs (INSERT ... SELECT model_register(...)); then a failure makes that
 * statement fail, and chunks that were left behind are removed by the next
 * registration.
 */
static ins_status
run_change(connection *conn, change *make, void *arguments, ins_error *error)
{
    ins_error ignored;
    bool savepoint =
        run_sql(conn, "SAVEPOINT insitu_change", &ignored) == INS_OK;
    ins_status status = make(conn, arguments, error);

    if (!savepoint)
        return status;
    if (status != INS_OK)
        (void) run_sql(conn, "ROLLBACK TO insitu_change", &ignored);
    if (status == INS_OK)
        return run_sql(conn, "RELEASE insitu_change", error);
    (void) run_sql(conn, "RELEASE insitu_change", &ignored);
    return status;
}

struct new_model {
    ins_text name;
    const void *pack;
    size_t pack_bytes;
    ins_text info;
    uint8_t digest[INS_DIGEST_BYTES];
};

static ins_status
insert_model(connection *conn, const struct new_model *model, ins_error *error)
{
    sqlite3_stmt *statement;

    INS_TRY(prepare_statement(
        conn,
        "INSERT OR REPLACE INTO main.insitu_model(name, digest, "
        "bytes, dropped, info) VALUES (?1, ?2, ?3, 0, ?4)",
        &statement, error));
    bind_text(statement, 1, model->name);
    bind_digest(statement, 2, model->digest);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64) model->pack_bytes);
    bind_text(statement, 4, model->info);
    return finish_statement(conn, statement, error);
}

static ins_status
refuse_other_bytes(const struct new_model *model, bool dropped,
                   ins_error *error)
{
    ins_fail(error, INS_INVALID_ARGUMENT,
             dropped ? "name \"%.*s\" belonged to another model"
                     : "model \"%.*s\" exists with other content",
             (int) model->name.size, model->name.data);
    ins_fail_hint(error,
                  "Choose a new name; an alias can move from one model to "
                  "another. model_drop(name, 1, 1) frees a name, and "
                  "indexes that used it must then be rebuilt.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
make_model(connection *conn, void *arguments, ins_error *error)
{
    struct new_model *model = arguments;
    char target[MAX_NAME_BYTES];
    struct model_row row;
    bool found;

    INS_TRY(create_tables(conn, error));
    INS_TRY(read_alias(conn, model->name, &found, target, error));
    INS_CHECK(!found, error, INS_INVALID_ARGUMENT,
              "\"%.*s\" is an alias of model \"%s\"", (int) model->name.size,
              model->name.data, target);
    INS_TRY(read_model_row(conn, model->name, &row, error));
    if (row.found && memcmp(row.digest, model->digest, INS_DIGEST_BYTES) != 0)
        return refuse_other_bytes(model, row.dropped, error);
    if (row.found && !row.dropped)
        return INS_OK;
    INS_TRY(is_digest_used(conn, model->digest, &found, error));
    if (!found) {
        INS_TRY(delete_unused_chunks(conn, model->digest, error));
        INS_TRY(insert_chunks(conn, model->digest, model->pack,
                              model->pack_bytes, error));
    }
    return insert_model(conn, model, error);
}

ins_status
check_new_name(ins_text name, ins_error *error)
{
    INS_TRY(check_word(name, "model name", error));
    INS_CHECK(!is_bundled_name(name), error, INS_PERMISSION,
              "\"%s\" is the model that ships with insitu", BUNDLED_MODEL_NAME);
    return INS_OK;
}

ins_status
store_model(connection *conn, ins_text name, const void *pack,
            size_t pack_bytes, ins_text info, uint8_t digest[INS_DIGEST_BYTES],
            ins_error *error)
{
    struct new_model model = {name, pack, pack_bytes, info, {0}};
    ins_host host = connection_host(conn);

    INS_TRY(ins_digest_of(pack, pack_bytes, &host, model.digest, error));
    INS_TRY(run_change(conn, make_model, &model, error));
    memcpy(digest, model.digest, INS_DIGEST_BYTES);
    return INS_OK;
}

struct old_model {
    ins_text name;
    bool missing_ok;
    bool forget;
    bool dropped;
};

/* An alias to nothing would be a trap. */
static ins_status
check_no_alias(connection *conn, ins_text name, ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status;
    bool found;

    INS_TRY(prepare_statement(
        conn, "SELECT alias FROM main.insitu_alias WHERE name = ?1", &statement,
        error));
    bind_text(statement, 1, name);
    status = step_statement(conn, statement, &found, error);
    if (status == INS_OK && found) {
        ins_text alias = column_text(statement, 0);

        status = ins_fail(error, INS_INVALID_ARGUMENT,
                          "model \"%.*s\" is the target of alias \"%.*s\"",
                          (int) name.size, name.data,
                          alias.size < MAX_NAME_BYTES ? (int) alias.size
                                                      : MAX_NAME_BYTES,
                          alias.data);
        ins_fail_hint(error, "Point the alias to another model with "
                             "model_alias, or drop it with model_drop.");
    }
    sqlite3_finalize(statement);
    return status;
}

static ins_status
unmake_model(connection *conn, void *arguments, ins_error *error)
{
    struct old_model *model = arguments;
    char target[MAX_NAME_BYTES];
    struct model_row row;
    bool is_alias;

    INS_TRY(read_alias(conn, model->name, &is_alias, target, error));
    model->dropped = true;
    if (is_alias)
        return run_with_name(conn,
                             "DELETE FROM main.insitu_alias WHERE alias = ?1",
                             model->name, error);
    INS_TRY(read_model_row(conn, model->name, &row, error));
    if (!row.found || (row.dropped && !model->forget)) {
        model->dropped = false;
        return model->missing_ok ? INS_OK : fail_not_found(model->name, error);
    }
    INS_TRY(check_no_alias(conn, model->name, error));
    INS_TRY(run_with_name(
        conn,
        model->forget
            ? "DELETE FROM main.insitu_model WHERE name = ?1"
            : "UPDATE main.insitu_model SET dropped = 1 WHERE name = ?1",
        model->name, error));
    return delete_unused_chunks(conn, row.digest, error);
}

ins_status
drop_model(connection *conn, ins_text name, bool missing_ok, bool forget,
           bool *dropped, ins_error *error)
{
    struct old_model model = {name, missing_ok, forget, false};
    bool present = false;

    INS_CHECK(!is_bundled_name(name), error, INS_PERMISSION,
              "\"%s\" ships with insitu and cannot be dropped",
              BUNDLED_MODEL_NAME);
    INS_TRY(check_definitions(conn, &present, error));
    *dropped = false;
    if (!present || !is_model_name(name))
        return missing_ok ? INS_OK : fail_not_found(name, error);
    INS_TRY(run_change(conn, unmake_model, &model, error));
    *dropped = model.dropped;
    return INS_OK;
}

struct new_alias {
    ins_text alias;
    ins_text name;
};

static ins_status
make_alias(connection *conn, void *arguments, ins_error *error)
{
    struct new_alias *alias = arguments;
    model_identity identity;
    struct model_row row;
    sqlite3_stmt *statement;

    INS_TRY(create_tables(conn, error));
    /* An alias of an alias is refused here. */
    INS_TRY(find_model(conn, alias->name, false, &identity, error));
    INS_TRY(read_model_row(conn, alias->alias, &row, error));
    INS_CHECK(!row.found, error, INS_INVALID_ARGUMENT,
              "\"%.*s\" is the name of a model", (int) alias->alias.size,
              alias->alias.data);
    INS_TRY(prepare_statement(
        conn,
        "INSERT OR REPLACE INTO main.insitu_alias(alias, name) "
        "VALUES (?1, ?2)",
        &statement, error));
    bind_text(statement, 1, alias->alias);
    bind_text(statement, 2, alias->name);
    return finish_statement(conn, statement, error);
}

ins_status
set_alias(connection *conn, ins_text alias, ins_text name, ins_error *error)
{
    struct new_alias arguments = {alias, name};

    INS_TRY(check_word(alias, "alias", error));
    INS_CHECK(!is_bundled_name(alias), error, INS_PERMISSION,
              "\"%s\" is the model that ships with insitu", BUNDLED_MODEL_NAME);
    return run_change(conn, make_alias, &arguments, error);
}
