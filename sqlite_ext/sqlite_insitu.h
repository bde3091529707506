/*
 * sqlite_insitu.h - what the files of the SQLite extension share.
 *
 * Three lifetimes, from long to short:
 *   process     shared_model: one copy of a model's weights per digest, behind
 *               one mutex, referenced by connections          sqlite_registry.c
 *   connection  connection: settings and open_models, each with a session;
 *               freed when SQLite drops the last function  sqlite_connection.c
 *   call        one SQL function call, begun and ended in the glue
 *
 * Nothing of the process knows a sqlite3*; nothing here is kept in SQLite's
 * prepared statements beyond a call, because an application's sqlite3_close
 * would fail.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_INSITU_H
#define SQLITE_INSITU_H

#include "insitu_explain.h"
#include "insitu_memo.h"
#include "insitu_train.h"
#include "sqlite_registry.h"

/* ---- sqlite_catalog.c: the tables in the database file ------------------ */

bool is_model_name(ins_text name);

/*
 * Finds a model by name.  allow_alias: follow an alias; otherwise an alias is
 * refused, because the explicit form must never change its meaning.
 */
ins_status find_model(connection *conn, ins_text name, bool allow_alias,
                      model_identity *identity, ins_error *error);

/*
 * The same for a call's argument, and looked up once: a name takes three
 * statements.  SQLite keeps what was found while a statement runs,
 * as long as the argument is a constant.
 */
ins_status find_model_once(sqlite3_context *context, int argument,
                           ins_text name, bool allow_alias,
                           model_identity *identity, ins_error *error);

/* Receives the chunks of a model in order. */
typedef ins_status (*chunk_sink)(void *user, const void *data, size_t size,
                                 ins_error *error);
ins_status read_chunks(connection *conn, const model_identity *identity,
                       chunk_sink sink, void *user, ins_error *error);

/* Whether a model may be registered by this name. */
ins_status check_new_name(ins_text name, ins_error *error);
/* name: checked.  info: JSON for the list.  Fills digest. */
ins_status store_model(connection *conn, ins_text name, const void *pack,
                       size_t pack_bytes, ins_text info,
                       uint8_t digest[INS_DIGEST_BYTES], ins_error *error);
ins_status drop_model(connection *conn, ins_text name, bool missing_ok,
                      bool forget, bool *dropped, ins_error *error);
ins_status set_alias(connection *conn, ins_text alias, ins_text name,
                     ins_error *error);
/* A statement giving name, kind, target, digest, bytes, info of everything
 * in the catalog; *statement NULL when the database has none. */
ins_status list_catalog(connection *conn, sqlite3_stmt **statement,
                        ins_error *error);

/* ---- sqlite_connection.c ------------------------------------------------ */

typedef struct connection_settings {
    char default_classifier[MAX_NAME_BYTES];
    char default_embedder[MAX_NAME_BYTES];
    bool error_on_long_input;
    bool locked;         /* the security settings can no longer be changed */
    bool train_progress; /* lines on standard error */
    uint32_t batch_size;
    uint32_t memo_size;        /* kB; 0 = no memo */
    uint32_t train_max_memory; /* kB, of one training */
    uint64_t max_loaded_bytes;
    char *cache_directory; /* owned; NULL = the default, "" = none */
    char *model_path;      /* owned; NULL = anywhere */
    const char *kernels;   /* level, a constant; NULL = the best */
} connection_settings;

/* A model as one connection uses it. */
typedef struct open_model {
    struct open_model *next;
    shared_model *shared;
    model_identity identity;
    ins_session *session;
    float *scores; /* [label_count] */
    bool busy;     /* inside ins_run: must not be entered again */
    bool pinned;   /* by model_load */
    uint64_t last_use;
} open_model;

struct connection {
    sqlite3 *db;
    unsigned references; /* functions and modules registered */
    connection_settings settings;
    open_model *models;
    ins_memo *memo;       /* used by their sessions; NULL until there is one */
    uint64_t uses;        /* clock for last_use */
    bool has_plain_names; /* registered by which entry point */
    bool has_prefixed_names;
    bool has_setting;          /* insitu_setting is there under both */
    uint64_t interrupt_tested; /* nanoseconds of the monotonic clock */
};

connection *open_connection(sqlite3 *db);
void retain_connection(connection *conn);
/* SQLite calls it for each function and module that goes away. */
void release_connection(void *conn);

/* Opens the session that a call needs.  *model: borrowed until the next. */
ins_status open_named_model(connection *conn, ins_text name, bool explicit_name,
                            open_model **model, ins_error *error);
/* The same for a model that was looked up before, by the running statement. */
ins_status open_found_model(connection *conn, const model_identity *identity,
                            open_model **model, ins_error *error);
/* The same without a session, which models over numbers do not have. */
ins_status open_weights(connection *conn, const model_identity *identity,
                        open_model **model, ins_error *error);
/* True when it was open. */
bool close_open_model(connection *conn, const uint8_t digest[INS_DIGEST_BYTES]);
/* After a setting changed that sessions depend on. */
void close_sessions(connection *conn);
/* Forgets recent results; the next session has a memo of the size that is set
 * then.  Errors: BUSY, inside a call. */
ins_status close_memo(connection *conn, ins_error *error);
/* Scratch memory of this connection for a model, 0 when it has none. */
size_t session_bytes_of(connection *conn,
                        const uint8_t digest[INS_DIGEST_BYTES]);

/* ins_run with counting and protection against being entered again. */
ins_status run_model(open_model *model, ins_task task, const ins_text *texts,
                     size_t count, float *rows, size_t row_stride,
                     ins_error *error);
/* ins_tokenize, whole.  *tokens: from sqlite3_malloc64. */
ins_status tokenize_all(connection *conn, open_model *model, ins_text text,
                        ins_token **tokens, size_t *count, ins_error *error);

/* ---- sqlite_settings.c -------------------------------------------------- */

void default_settings(connection_settings *settings);
void free_settings(connection_settings *settings);
/* The directory for cache files, or NULL: none can be used. */
const char *usable_cache_directory(const connection *conn, char *buffer,
                                   size_t size);
/* Type of the pointer value that insitu_setting(pointer) fills. */
#define CONNECTION_POINTER "insitu connection *"
void insitu_setting_get(sqlite3_context *, int, sqlite3_value **);
void insitu_setting_set(sqlite3_context *, int, sqlite3_value **);

/* ---- sqlite_values.c: SQL values to the core's ------------------------- */

/*
 * Reads a text argument.  *is_null: SQL NULL, nothing else is set.  what: the
 * argument's name, for messages.  Numbers are read as SQLite prints them; a
 * BLOB is refused.
 */
ins_status text_argument(sqlite3_value *value, const char *what, ins_text *text,
                         bool *is_null, ins_error *error);
/* The same for a text that the model reads: limited to MAX_INPUT_BYTES. */
ins_status input_argument(sqlite3_value *value, const char *what,
                          ins_text *text, bool *is_null, ins_error *error);
ins_status check_input_bytes(size_t size, const char *what, ins_error *error);
/* The same for a name: numbers are refused. */
ins_status name_argument(sqlite3_value *value, const char *what, ins_text *text,
                         bool *is_null, ins_error *error);

/*
 * Characters as SQLite's substr() counts them, also in invalid UTF-8: a byte
 * from 0xC0 on takes the continuation bytes behind it.
 */
sqlite3_int64 count_characters(const char *text, size_t from, size_t to);

/* ---- sqlite_explain.c ---------------------------------------------------- */

/* label: NULL for the one that classify gives.  Close the explanation, with
 * connection_host(conn), also after a failure. */
ins_status explain_input(connection *conn, open_model *model, ins_text input,
                         const ins_text *label, ins_explanation *explanation,
                         ins_error *error);

/* ---- the SQL functions -------------------------------------------------- */

typedef void sql_function(sqlite3_context *, int, sqlite3_value **);
typedef void sql_end(sqlite3_context *); /* of an aggregate */

sql_function sql_classify, sql_classify_score, sql_embed, sql_embed_query,
    sql_token_count, sql_token_ids, sql_explain_html,
    sql_cosine_distance; /* .._functions.c */
sql_function sql_model_register, sql_model_drop, sql_model_alias,
    sql_model_export, sql_model_verify, sql_model_load, sql_model_unload,
    sql_model_info; /* sqlite_models.c */

/* sqlite_predict.c: models over numbers. */
sql_function sql_predict, sql_predict_row, sql_predict_label;
/* Numbers, NULL = NaN: missing.  *features: from sqlite3_malloc64. */
ins_status read_features(sqlite3_value **values, int count, double **features,
                         ins_error *error);

/* sqlite_training.c: the steps and the end of the aggregates. */
sql_function step_train_classifier, step_fine_tune, step_train_tabular;
sql_end end_training;

/* sqlite_evaluate.c: the steps and the ends of the aggregates. */
sql_function step_evaluation, step_calibration;
sql_end end_accuracy, end_calibration, end_confusion, end_evaluation_page,
    end_report;

/* sqlite_functions.c: names the labels there are. */
ins_status fail_label(const open_model *model, ins_text unknown,
                      ins_error *error);

/*
 * What the default model says may change with a setting, so only the forms
 * that name their model are DETERMINISTIC.  DIRECTONLY keeps what reads files
 * or changes anything out of views and triggers.  Nothing is INNOCUOUS: a
 * function that reads weights from the file it is called by is not.
 */
#define PLAIN   SQLITE_UTF8
#define STEADY  (SQLITE_UTF8 | SQLITE_DETERMINISTIC)
#define GUARDED (SQLITE_UTF8 | SQLITE_DIRECTONLY)

#ifdef SQLITE_RESULT_SUBTYPE
#define WITH_SUBTYPE SQLITE_RESULT_SUBTYPE
#else
#define WITH_SUBTYPE 0
#endif

#define JSON_SUBTYPE 'J' /* as SQLite's own JSON functions set it */

/* Registers the window functions; sqlite_window.c. */
int register_windows(connection *conn, const char *prefix);
/* Registers the table-valued functions; sqlite_tables.c. */
int register_tables(connection *conn, const char *prefix);

#endif
