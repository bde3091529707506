/*
 * sqlite_tables.c - the table-valued functions: what they have in common.
 *
 * All are eponymous virtual tables without state of their own.  Arguments are
 * hidden columns behind the visible ones; xBestIndex turns "hidden = value"
 * into arguments of xFilter, in order.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/status.h"

struct table {
    sqlite3_vtab base;
    connection *conn;
    const table_kind *kind;
};

static const table_kind kind_table[] = {
    {"classify_scores",
     "CREATE TABLE x(label TEXT, score REAL, input HIDDEN, model HIDDEN)", 2, 2,
     1, false, 10, open_scores, next_kept_row, scores_column},
    {"tokens",
     "CREATE TABLE x(i INTEGER, token TEXT, token_id INTEGER, "
     "start_pos INTEGER, end_pos INTEGER, input HIDDEN, model HIDDEN)",
     5, 2, 1, false, 50, open_tokens, next_kept_row, tokens_column},
    {"classify_batch",
     "CREATE TABLE x(i INTEGER, label TEXT, score REAL, inputs HIDDEN, "
     "model HIDDEN)",
     3, 2, 1, false, 100, open_classify_batch, next_batch_row,
     classify_batch_column},
    {"embed_batch",
     "CREATE TABLE x(i INTEGER, embedding BLOB, inputs HIDDEN, model HIDDEN)",
     2, 2, 1, false, 100, open_embed_batch, next_batch_row, embed_batch_column},
    {"predict_scores",
     "CREATE TABLE x(label TEXT, score REAL, model HIDDEN, features HIDDEN)", 2,
     2, 2, false, 10, open_predicted_scores, next_kept_row, scores_column},
    {"explain_classify",
     "CREATE TABLE x(token TEXT, start_pos INTEGER, end_pos INTEGER, "
     "contribution REAL, input HIDDEN, model HIDDEN, label HIDDEN)",
     4, 3, 1, false, 20, open_explanation, next_kept_row, explanation_column},
    {"model_list",
     "CREATE TABLE x(name TEXT, kind TEXT, target TEXT, tasks TEXT, "
     "digest TEXT, bytes INTEGER)",
     6, 0, 0, true, 10, open_model_list, next_listed_model, model_list_column},
    {"model_stats",
     "CREATE TABLE x(name TEXT, digest TEXT, loads INTEGER, calls INTEGER, "
     "rows INTEGER, tokens INTEGER, milliseconds REAL, errors INTEGER, "
     "connections INTEGER, place TEXT, memo_hits INTEGER, "
     "session_bytes INTEGER)",
     12, 0, 0, true, 10, open_model_stats, next_statistics, model_stats_column},
};
#define KIND_COUNT (sizeof(kind_table) / sizeof(kind_table[0]))

/* What a module is registered with. */
struct table_module {
    connection *conn;
    const table_kind *kind;
};

static int
connect_table(sqlite3 *db, void *user, int argc, const char *const *argv,
              sqlite3_vtab **made, char **message)
{
    const struct table_module *module = user;
    struct table *table;
    int code = sqlite3_declare_vtab(db, module->kind->schema);

    (void) argc;
    (void) argv;
    (void) message;
    if (code != SQLITE_OK)
        return code;
    if (module->kind->direct_only)
        (void) sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    table = sqlite3_malloc64(sizeof(*table));
    if (table == NULL)
        return SQLITE_NOMEM;
    memset(table, 0, sizeof(*table));
    table->conn = module->conn;
    table->kind = module->kind;
    *made = &table->base;
    return SQLITE_OK;
}

static int
disconnect_table(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

/* ---- planning ----------------------------------------------------------- */

/*
 * Chooses for each argument the constraint that carries it.  False: a plan in
 * which an argument is not known yet, which another order of the joined tables
 * may cure.
 */
static bool
choose_arguments(const table_kind *kind, sqlite3_index_info *info,
                 int chosen[MAX_TABLE_ARGUMENTS])
{
    for (int i = 0; i < MAX_TABLE_ARGUMENTS; i++)
        chosen[i] = -1;
    for (int i = 0; i < info->nConstraint; i++) {
        int argument = info->aConstraint[i].iColumn - kind->visible_columns;

        if (argument < 0 || argument >= kind->arguments ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable)
            return false;
        if (chosen[argument] < 0)
            chosen[argument] = i;
    }
    return true;
}

static int
plan_scan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const table_kind *kind = ((struct table *) base)->kind;
    int chosen[MAX_TABLE_ARGUMENTS];
    int count = 0;

    if (!choose_arguments(kind, info, chosen))
        return SQLITE_CONSTRAINT;
    info->idxNum = 0;
    for (int i = 0; i < kind->arguments; i++) {
        if (chosen[i] < 0 && i < kind->required) {
            sqlite3_free(base->zErrMsg);
            base->zErrMsg =
                sqlite3_mprintf("%s needs an argument: SELECT * FROM %s(...)",
                                kind->name, kind->name);
            return SQLITE_ERROR;
        }
        if (chosen[i] < 0)
            continue;
        info->aConstraintUsage[chosen[i]].argvIndex = ++count;
        info->aConstraintUsage[chosen[i]].omit = 1;
        info->idxNum |= 1 << i;
    }
    /* A model's run is dear: nobody should repeat it for nothing. */
    info->estimatedCost = kind->arguments > 0 ? 10000 : 10;
    info->estimatedRows = (sqlite3_int64) kind->estimated_rows;
    return SQLITE_OK;
}

/* ---- scanning ----------------------------------------------------------- */

static int
open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
    struct table *table = (struct table *) base;
    table_cursor *cursor = sqlite3_malloc64(sizeof(*cursor));

    if (cursor == NULL)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof(*cursor));
    cursor->conn = table->conn;
    cursor->kind = table->kind;
    *made = &cursor->base;
    return SQLITE_OK;
}

static void
close_scan(table_cursor *cursor)
{
    for (int i = 0; i < MAX_TABLE_ARGUMENTS; i++) {
        sqlite3_value_free(cursor->arguments[i]);
        cursor->arguments[i] = NULL;
    }
    sqlite3_finalize(cursor->statement);
    cursor->statement = NULL;
    free_batch(cursor->batch);
    cursor->batch = NULL;
    sqlite3_free(cursor->rows);
    cursor->rows = NULL;
    release_model(cursor->shared);
    cursor->shared = NULL;
}

static int
close_cursor(sqlite3_vtab_cursor *base)
{
    close_scan((table_cursor *) base);
    sqlite3_free(base);
    return SQLITE_OK;
}

/* *is_null: an argument is NULL, so that there are no rows. */
static int
keep_arguments(table_cursor *cursor, int given, sqlite3_value **argv,
               bool *is_null)
{
    *is_null = false;
    for (int i = 0; i < cursor->kind->arguments; i++) {
        if ((given & 1 << i) == 0)
            continue;
        cursor->arguments[i] = sqlite3_value_dup(*argv++);
        if (cursor->arguments[i] == NULL)
            return SQLITE_NOMEM;
        if (sqlite3_value_type(cursor->arguments[i]) == SQLITE_NULL)
            *is_null = true;
    }
    return SQLITE_OK;
}

static int
begin_scan(sqlite3_vtab_cursor *base, int given, const char *unused, int argc,
           sqlite3_value **argv)
{
    table_cursor *cursor = (table_cursor *) base;
    ins_error error;
    ins_status status;
    bool is_null;
    int code;

    (void) unused;
    (void) argc;
    close_scan(cursor);
    cursor->row = 1;
    cursor->at_end = false;
    code = keep_arguments(cursor, given, argv, &is_null);
    if (code != SQLITE_OK)
        return code;
    cursor->at_end = is_null;
    if (is_null)
        return SQLITE_OK;
    status = cursor->kind->open(cursor, &error);
    if (status == INS_OK)
        return SQLITE_OK;
    cursor->at_end = true;
    return table_failure(base->pVtab, &error);
}

static int
next_row(sqlite3_vtab_cursor *base)
{
    table_cursor *cursor = (table_cursor *) base;
    ins_error error;
    ins_status status;

    cursor->row++;
    status = cursor->kind->next(cursor, &error);
    if (status == INS_OK)
        return SQLITE_OK;
    cursor->at_end = true;
    return table_failure(base->pVtab, &error);
}

static int
is_at_end(sqlite3_vtab_cursor *base)
{
    return ((table_cursor *) base)->at_end;
}

static int
read_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    table_cursor *cursor = (table_cursor *) base;
    int argument = column - cursor->kind->visible_columns;

    if (argument < 0)
        cursor->kind->column(cursor, context, column);
    else if (cursor->arguments[argument] != NULL)
        sqlite3_result_value(context, cursor->arguments[argument]);
    return SQLITE_OK;
}

static int
read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
    *rowid = ((table_cursor *) base)->row;
    return SQLITE_OK;
}

static ins_status
open_named_scan(table_cursor *cursor, bool embed, bool allow_alias,
                open_model **model, ins_error *error)
{
    const connection_settings *settings = &cursor->conn->settings;
    const char *preset =
        embed ? settings->default_embedder : settings->default_classifier;
    ins_text name = {preset, strlen(preset)};
    bool is_explicit = cursor->arguments[1] != NULL;
    bool is_null;

    if (is_explicit)
        INS_TRY(name_argument(cursor->arguments[1], "model", &name, &is_null,
                              error));
    INS_TRY(open_named_model(cursor->conn, name, is_explicit && !allow_alias,
                             model, error));
    /* Its rows have the shape of the model that it began with. */
    INS_CHECK(cursor->shared == NULL || cursor->shared == (*model)->shared,
              error, INS_BUSY, "the default model changed during the query");
    /* The scan may outlive the connection's interest in the model. */
    if (cursor->shared == NULL)
        retain_model((*model)->shared);
    cursor->shared = (*model)->shared;
    return INS_OK;
}

ins_status
open_scan_model(table_cursor *cursor, bool embed, open_model **model,
                ins_error *error)
{
    return open_named_scan(cursor, embed, false, model, error);
}

ins_status
open_scan_alias(table_cursor *cursor, open_model **model, ins_error *error)
{
    return open_named_scan(cursor, false, true, model, error);
}

/* ---- registering -------------------------------------------------------- */

/* Without xCreate a table is eponymous only: nobody can make another. */
static const sqlite3_module module_methods = {
    .iVersion = 1,
    .xConnect = connect_table,
    .xBestIndex = plan_scan,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = begin_scan,
    .xNext = next_row,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

static void
release_module(void *user)
{
    struct table_module *module = user;

    release_connection(module->conn);
    sqlite3_free(module);
}

int
register_tables(connection *conn, const char *prefix)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct table_module *module = sqlite3_malloc64(sizeof(*module));
        char name[64];
        int code;

        if (module == NULL)
            return SQLITE_NOMEM;
        module->conn = conn;
        module->kind = &kind_table[i];
        retain_connection(conn);
        sqlite3_snprintf((int) sizeof(name), name, "%s%s", prefix,
                         kind_table[i].name);
        /* Releases the module also when it fails. */
        code = sqlite3_create_module_v2(conn->db, name, &module_methods, module,
                                        release_module);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}
