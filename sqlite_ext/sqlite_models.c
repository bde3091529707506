/*
 * sqlite_models.c - the functions that manage models.
 *
 * They are DIRECTONLY: a view or trigger of somebody else's database file
 * cannot make the user's process read files or change models.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"
#include "sqlite_weights.h"
#include "store/source_directory.h"

static connection *
connection_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

/* The first argument, a model's name, which must not be NULL. */
static ins_status
read_name(sqlite3_value *value, ins_text *name, ins_error *error)
{
    bool is_null;

    INS_TRY(name_argument(value, "name of a model", name, &is_null, error));
    INS_CHECK(!is_null, error, INS_INVALID_ARGUMENT,
              "name of a model must not be NULL");
    return INS_OK;
}

/* ---- register ----------------------------------------------------------- */

struct registration {
    connection *conn;
    ins_host host;
    ins_text name;
    ins_import_options options;
    bool has_options;
    void *pack; /* owned by host */
    size_t pack_bytes;
    uint8_t digest[INS_DIGEST_BYTES];
};

static ins_status
read_options(struct registration *registration, sqlite3_value *value,
             ins_error *error)
{
    ins_text json;
    bool is_null;

    INS_TRY(text_argument(value, "options", &json, &is_null, error));
    INS_CHECK(!is_null, error, INS_INVALID_ARGUMENT,
              "options must not be NULL");
    registration->has_options = true;
    INS_TRY(ins_import_options_parse(&registration->options, json, error));
    INS_CHECK(!registration->options.restricted, error, INS_UNSUPPORTED,
              "a model cannot be restricted in SQLite, which has no users");
    return INS_OK;
}

static ins_status
pack_from_blob(struct registration *registration, sqlite3_value *value,
               ins_error *error)
{
    size_t size = (size_t) sqlite3_value_bytes(value);
    const void *data;

    INS_CHECK(!registration->has_options, error, INS_INVALID_ARGUMENT,
              "options apply to a directory, not to a pack");
    INS_CHECK(size > 0 && size <= MAX_MODEL_BYTES, error, INS_CORRUPT_PACK,
              "a pack cannot have %zu bytes", size);
    data = sqlite3_value_blob(value);
    if (data == NULL)
        return ins_fail_no_memory(error, size);
    /* A copy: the value need not be aligned as a pack must be. */
    INS_TRY(
        ins_alloc(&registration->host, size, 1, &registration->pack, error));
    memcpy(registration->pack, data, size);
    registration->pack_bytes = size;
    return ins_pack_check(registration->pack, size, &registration->host, error);
}

static ins_status
pack_from_path(struct registration *registration, sqlite3_value *value,
               ins_error *error)
{
    const char *beneath = registration->conn->settings.model_path;
    ins_text path;
    bool is_null;
    ins_source *source;
    ins_status status;

    INS_TRY(name_argument(value, "path of a model", &path, &is_null, error));
    INS_CHECK(memchr(path.data, '\0', path.size) == NULL, error,
              INS_INVALID_ARGUMENT,
              "path of a model must not contain a NUL character");
    if (beneath != NULL && beneath[0] == '\0')
        beneath = NULL;
    INS_TRY(ins_source_open(&source, path.data, beneath, MAX_MODEL_BYTES,
                            &registration->host, error));
    status =
        ins_source_pack(source, &registration->options, &registration->host,
                        &registration->pack, &registration->pack_bytes, error);
    ins_source_close(source);
    return status;
}

/* Opens the pack once, for the description that the list shows. */
static ins_status
store_pack(struct registration *registration, ins_error *error)
{
    ins_model *model;
    char *json = NULL;
    size_t size = 0;
    ins_status status;

    INS_TRY(ins_model_open(&model, registration->pack, registration->pack_bytes,
                           &registration->host, error));
    status =
        ins_model_info_json(model, &registration->host, &json, &size, error);
    ins_model_close(model);
    if (status != INS_OK)
        return status;
    status = store_model(registration->conn, registration->name,
                         registration->pack, registration->pack_bytes,
                         (ins_text){json, size}, registration->digest, error);
    ins_release(&registration->host, json);
    return status;
}

static ins_status
register_model(struct registration *registration, int argc,
               sqlite3_value **argv, ins_error *error)
{
    ins_status status;

    INS_TRY(read_name(argv[0], &registration->name, error));
    INS_TRY(check_new_name(registration->name, error));
    INS_CHECK(sqlite3_value_type(argv[1]) != SQLITE_NULL, error,
              INS_INVALID_ARGUMENT, "source of a model must not be NULL");
    if (argc > 2)
        INS_TRY(read_options(registration, argv[2], error));
    status = sqlite3_value_type(argv[1]) == SQLITE_BLOB
                 ? pack_from_blob(registration, argv[1], error)
                 : pack_from_path(registration, argv[1], error);
    if (status == INS_OK)
        status = store_pack(registration, error);
    ins_release(&registration->host, registration->pack);
    return status;
}

static void
result_digest(sqlite3_context *context, const uint8_t *digest)
{
    char text[INS_DIGEST_CHARS];

    ins_digest_text(text, digest);
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

void
sql_model_register(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    static const ins_import_options defaults = INS_IMPORT_DEFAULTS;
    connection *conn = connection_of(context);
    struct registration registration = {
        .conn = conn,
        .host = connection_host(conn),
        .options = defaults,
    };
    ins_error error;
    ins_status status = register_model(&registration, argc, argv, &error);

    if (status != INS_OK)
        result_failure(context, &error);
    else
        result_digest(context, registration.digest);
}

/* ---- drop and alias ----------------------------------------------------- */

static ins_status
read_flag(sqlite3_value *value, const char *what, bool *flag, ins_error *error)
{
    INS_CHECK(sqlite3_value_type(value) == SQLITE_INTEGER, error,
              INS_INVALID_ARGUMENT, "%s must be 0 or 1", what);
    *flag = sqlite3_value_int64(value) != 0;
    return INS_OK;
}

/* The file of a dropped model is of no use; who has it mapped keeps it. */
static void
forget_cache_file(connection *conn, const model_identity *identity)
{
    char buffer[4096];
    const char *directory =
        usable_cache_directory(conn, buffer, sizeof(buffer));
    char key[INS_CACHE_KEY_BYTES];
    ins_error ignored;

    ins_cache_key(key, identity->digest);
    if (directory != NULL)
        (void) ins_cache_remove(directory, key, &ignored);
}

static ins_status
drop_named(connection *conn, int argc, sqlite3_value **argv, bool *dropped,
           ins_error *error)
{
    bool missing_ok = false;
    bool forget = false;
    model_identity identity;
    ins_error unknown;
    ins_text name;
    bool known;

    INS_TRY(read_name(argv[0], &name, error));
    if (argc > 1)
        INS_TRY(read_flag(argv[1], "missing_ok", &missing_ok, error));
    if (argc > 2)
        INS_TRY(read_flag(argv[2], "forget", &forget, error));
    known = find_model(conn, name, false, &identity, &unknown) == INS_OK;
    INS_TRY(drop_model(conn, name, missing_ok, forget, dropped, error));
    if (known) {
        (void) close_open_model(conn, identity.digest);
        forget_cache_file(conn, &identity);
    }
    return INS_OK;
}

void
sql_model_drop(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    bool dropped;
    ins_error error;

    if (drop_named(connection_of(context), argc, argv, &dropped, &error) !=
        INS_OK)
        result_failure(context, &error);
    else
        sqlite3_result_int(context, dropped);
}

void
sql_model_alias(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    ins_text alias;
    ins_text name;
    ins_error error;
    ins_status status = read_name(argv[0], &alias, &error);

    (void) argc;
    if (status == INS_OK)
        status = read_name(argv[1], &name, &error);
    if (status == INS_OK)
        status = set_alias(connection_of(context), alias, name, &error);
    if (status != INS_OK)
        result_failure(context, &error);
    else
        sqlite3_result_value(context, argv[1]);
}

/* ---- export and verify -------------------------------------------------- */

struct export_copy {
    char *data;
    size_t filled;
};

/* read_chunks gives identity->bytes in all, never more. */
static ins_status
append_export(void *user, const void *data, size_t size, ins_error *error)
{
    struct export_copy *copy = user;

    (void) error;
    memcpy(copy->data + copy->filled, data, size);
    copy->filled += size;
    return INS_OK;
}

/* *pack: from sqlite3_malloc64. */
static ins_status
copy_pack(connection *conn, const model_identity *identity, void **pack,
          ins_error *error)
{
    ins_host host = connection_host(conn);
    struct export_copy copy = {NULL, 0};
    ins_status status = INS_OK;

    INS_TRY(ins_alloc(&host, identity->bytes, 1, pack, error));
    copy.data = *pack;
    if (identity->bundled)
        memcpy(*pack, bundled_pack().data, bundled_pack().size);
    else
        status = read_chunks(conn, identity, append_export, &copy, error);
    if (status != INS_OK) {
        sqlite3_free(*pack);
        *pack = NULL;
    }
    return status;
}

static ins_status
find_named(sqlite3_context *context, sqlite3_value *value,
           model_identity *identity, ins_error *error)
{
    ins_text name;

    INS_TRY(read_name(value, &name, error));
    return find_model(connection_of(context), name, true, identity, error);
}

void
sql_model_export(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    sqlite3 *db = sqlite3_context_db_handle(context);
    connection *conn = connection_of(context);
    model_identity identity;
    void *pack = NULL;
    ins_error error;
    ins_status status = find_named(context, argv[0], &identity, &error);

    (void) argc;
    if (status == INS_OK &&
        identity.bytes > (uint64_t) sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1))
        status = ins_fail(&error, INS_LIMIT_EXCEEDED,
                          "model \"%s\" is larger than a BLOB may be here",
                          identity.name);
    if (status == INS_OK)
        status = copy_pack(conn, &identity, &pack, &error);
    if (status != INS_OK)
        result_failure(context, &error);
    else
        sqlite3_result_blob64(context, pack, identity.bytes, sqlite3_free);
}

/* INS_CORRUPT_PACK: the bytes are not what was registered. */
static ins_status
verify_pack(connection *conn, const model_identity *identity, ins_error *error)
{
    ins_host host = connection_host(conn);
    uint8_t digest[INS_DIGEST_BYTES];
    void *pack;
    ins_status status;

    INS_TRY(copy_pack(conn, identity, &pack, error));
    status =
        ins_digest_of(pack, (size_t) identity->bytes, &host, digest, error);
    if (status == INS_OK &&
        memcmp(digest, identity->digest, INS_DIGEST_BYTES) != 0)
        status = ins_fail(error, INS_CORRUPT_PACK, "digest differs");
    if (status == INS_OK)
        status = ins_pack_check(pack, (size_t) identity->bytes, &host, error);
    sqlite3_free(pack);
    return status;
}

void
sql_model_verify(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    connection *conn = connection_of(context);
    model_identity identity;
    ins_error error;
    bool found;
    ins_status status = find_named(context, argv[0], &identity, &error);

    (void) argc;
    found = status == INS_OK;
    if (found)
        status = verify_pack(conn, &identity, &error);
    if (status == INS_OK || (found && status == INS_CORRUPT_PACK))
        sqlite3_result_int(context, status == INS_OK);
    else
        result_failure(context, &error);
}

/* ---- load, unload, describe --------------------------------------------- */

static ins_status
open_argument(sqlite3_context *context, sqlite3_value *value,
              open_model **model, ins_error *error)
{
    model_identity identity;

    INS_TRY(find_named(context, value, &identity, error));
    return open_weights(connection_of(context), &identity, model, error);
}

void
sql_model_load(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    open_model *model;
    ins_error error;

    (void) argc;
    if (open_argument(context, argv[0], &model, &error) != INS_OK) {
        result_failure(context, &error);
        return;
    }
    model->pinned = true;
    result_digest(context, model->identity.digest);
}

void
sql_model_unload(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    model_identity identity;
    ins_error error;

    (void) argc;
    if (find_named(context, argv[0], &identity, &error) != INS_OK)
        result_failure(context, &error);
    else
        sqlite3_result_int(
            context, close_open_model(connection_of(context), identity.digest));
}

void
sql_model_info(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    ins_host host = connection_host(connection_of(context));
    char digest[INS_DIGEST_CHARS];
    open_model *model;
    char *json = NULL;
    size_t size = 0;
    ins_error error;
    ins_status status = open_argument(context, argv[0], &model, &error);

    (void) argc;
    if (status == INS_OK)
        status = ins_model_info_json(model_of(model->shared), &host, &json,
                                     &size, &error);
    if (status != INS_OK) {
        result_failure(context, &error);
        return;
    }
    ins_digest_text(digest, model->identity.digest);
    /* Its first byte opens the object. */
    sqlite3_result_text(
        context,
        sqlite3_mprintf("{\"name\":\"%s\",\"digest\":\"%s\",%.*s",
                        model->identity.name, digest, (int) size - 1, json + 1),
        -1, sqlite3_free);
    sqlite3_result_subtype(context, JSON_SUBTYPE);
    sqlite3_free(json);
}
