/*
 * sqlite_module.c - the entry points and the table of functions.
 *
 *     .load ./insitu
 *     .load ./insitu sqlite3_insituprefixed_init     (insitu_classify, ...)
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT1

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static const struct {
    const char *name;
    int arguments;
    int flags;
    sql_function *function;
} function_table[] = {
    {"classify", 1, PLAIN, sql_classify},
    {"classify", 2, STEADY, sql_classify},
    {"classify_score", 2, PLAIN, sql_classify_score},
    {"classify_score", 3, STEADY, sql_classify_score},
    {"cosine_distance", 2, STEADY, sql_cosine_distance},
    {"embed", 1, PLAIN, sql_embed},
    {"embed", 2, STEADY, sql_embed},
    {"embed_query", 1, PLAIN, sql_embed_query},
    {"embed_query", 2, STEADY, sql_embed_query},
    {"explain_html", 1, PLAIN, sql_explain_html},
    {"explain_html", 2, PLAIN, sql_explain_html},
    {"insitu_setting", 1, PLAIN, insitu_setting_get},
    {"insitu_setting", 2, GUARDED, insitu_setting_set},
    {"model_alias", 2, GUARDED, sql_model_alias},
    {"model_drop", 1, GUARDED, sql_model_drop},
    {"model_drop", 2, GUARDED, sql_model_drop},
    {"model_drop", 3, GUARDED, sql_model_drop},
    {"model_export", 1, GUARDED, sql_model_export},
    {"model_info", 1, GUARDED | WITH_SUBTYPE, sql_model_info},
    {"model_load", 1, GUARDED, sql_model_load},
    {"model_register", 2, GUARDED, sql_model_register},
    {"model_register", 3, GUARDED, sql_model_register},
    {"model_unload", 1, GUARDED, sql_model_unload},
    {"model_verify", 1, GUARDED, sql_model_verify},
    {"predict", -1, STEADY, sql_predict},
    {"predict_label", -1, STEADY, sql_predict_label},
    {"predict_row", 2, STEADY, sql_predict_row},
    {"token_count", 1, PLAIN, sql_token_count},
    {"token_count", 2, STEADY, sql_token_count},
    {"token_ids", 1, PLAIN | WITH_SUBTYPE, sql_token_ids},
    {"token_ids", 2, STEADY | WITH_SUBTYPE, sql_token_ids},
};
#define FUNCTION_COUNT (sizeof(function_table) / sizeof(function_table[0]))

/* Training takes minutes and memory: a view or a trigger of somebody else's
 * database must not begin one. */
static const struct {
    const char *name;
    int arguments;
    int flags;
    sql_function *step;
    sql_end *end;
} aggregate_table[] = {
    {"eval_accuracy", 2, STEADY, step_evaluation, end_accuracy},
    {"eval_calibration", 2, STEADY | WITH_SUBTYPE, step_calibration,
     end_calibration},
    {"eval_confusion", 2, STEADY | WITH_SUBTYPE, step_evaluation,
     end_confusion},
    {"eval_html", 2, STEADY, step_evaluation, end_evaluation_page},
    {"eval_report", 2, STEADY | WITH_SUBTYPE, step_evaluation, end_report},
    {"fine_tune_classifier", 3, GUARDED, step_fine_tune, end_training},
    {"fine_tune_classifier", 4, GUARDED, step_fine_tune, end_training},
    {"train_classifier", 2, GUARDED, step_train_classifier, end_training},
    {"train_classifier", 3, GUARDED, step_train_classifier, end_training},
    {"train_tabular", -1, GUARDED, step_train_tabular, end_training},
};
#define AGGREGATE_COUNT (sizeof(aggregate_table) / sizeof(aggregate_table[0]))

static int
register_functions(connection *conn, const char *prefix)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        const char *plain = function_table[i].name;
        bool has_prefix = strncmp(plain, "insitu_", 7) == 0;
        char name[64];
        int code;

        if (has_prefix && conn->has_setting)
            continue;
        sqlite3_snprintf((int) sizeof(name), name, "%s%s",
                         has_prefix ? "" : prefix, plain);
        retain_connection(conn);
        /* Releases the connection also when it fails. */
        code = sqlite3_create_function_v2(
            conn->db, name, function_table[i].arguments,
            function_table[i].flags, conn, function_table[i].function, NULL,
            NULL, release_connection);
        if (code != SQLITE_OK)
            return code;
    }
    conn->has_setting = true;
    return SQLITE_OK;
}

static int
register_aggregates(connection *conn, const char *prefix)
{
    for (size_t i = 0; i < AGGREGATE_COUNT; i++) {
        char name[64];
        int code;

        sqlite3_snprintf((int) sizeof(name), name, "%s%s", prefix,
                         aggregate_table[i].name);
        retain_connection(conn);
        /* Releases the connection also when it fails. */
        code = sqlite3_create_function_v2(
            conn->db, name, aggregate_table[i].arguments,
            aggregate_table[i].flags, conn, NULL, aggregate_table[i].step,
            aggregate_table[i].end, release_connection);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/*
 * What an earlier load left on this connection, or NULL.  Both entry points
 * share one state, and insitu_setting hands it to whoever can make a pointer
 * value, which SQL cannot.
 */
static connection *
find_connection(sqlite3 *db)
{
    connection *found = NULL;
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, "SELECT insitu_setting(?1)", -1, &statement,
                           NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_pointer(statement, 1, &found, CONNECTION_POINTER, NULL);
    (void) sqlite3_step(statement);
    sqlite3_finalize(statement);
    return found;
}

static int
register_names(connection *conn, const char *prefix, bool *registered)
{
    int code;

    /* Anew would fail while a statement runs, such as load_extension(). */
    if (*registered)
        return SQLITE_OK;
    code = register_functions(conn, prefix);
    if (code == SQLITE_OK)
        code = register_aggregates(conn, prefix);
    if (code == SQLITE_OK)
        code = register_windows(conn, prefix);
    if (code == SQLITE_OK)
        code = register_tables(conn, prefix);
    *registered = code == SQLITE_OK;
    return code;
}

static int
register_all(sqlite3 *db, const char *prefix, char **message)
{
    connection *conn;
    int code;

    if (sqlite3_libversion_number() < 3031000) {
        *message = sqlite3_mprintf("insitu needs SQLite 3.31 or later");
        return SQLITE_ERROR;
    }
    conn = find_connection(db);
    if (conn != NULL)
        retain_connection(conn);
    else
        conn = open_connection(db);
    if (conn == NULL)
        return SQLITE_NOMEM;
    code = register_names(conn, prefix,
                          prefix[0] != '\0' ? &conn->has_prefixed_names
                                            : &conn->has_plain_names);
    if (code == SQLITE_BUSY)
        *message = sqlite3_mprintf("a function by one of insitu's names is in "
                                   "use on this connection");
    release_connection(conn);
    return code;
}

/*
 * Remembers SQLite's functions.  A process may hold two copies of SQLite (an
 * interpreter's and a linked one); the second must not change what the first
 * one's connections call.
 */
static bool
accept_sqlite(const sqlite3_api_routines *api, char **message)
{
#ifndef SQLITE_CORE
    const sqlite3_api_routines *known =
        __atomic_load_n(&sqlite3_api, __ATOMIC_ACQUIRE);

    if (known == NULL &&
        __atomic_compare_exchange_n(&sqlite3_api, &known, api, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    if (known != api) {
        *message = api->mprintf("insitu serves another copy of SQLite in this "
                                "process already");
        return false;
    }
#else
    (void) api;
    (void) message;
#endif
    return true;
}

EXPORT int sqlite3_insitu_init(sqlite3 *db, char **message,
                               const sqlite3_api_routines *api);
EXPORT int sqlite3_insituprefixed_init(sqlite3 *db, char **message,
                                       const sqlite3_api_routines *api);

int
sqlite3_insitu_init(sqlite3 *db, char **message,
                    const sqlite3_api_routines *api)
{
    if (!accept_sqlite(api, message))
        return SQLITE_ERROR;
    return register_all(db, "", message);
}

int
sqlite3_insituprefixed_init(sqlite3 *db, char **message,
                            const sqlite3_api_routines *api)
{
    if (!accept_sqlite(api, message))
        return SQLITE_ERROR;
    return register_all(db, "insitu_", message);
}
