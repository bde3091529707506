/*
 * sqlite_tables.h - one virtual table implementation for all table-valued
 * functions; each is a row of table_kind.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_TABLES_H
#define SQLITE_TABLES_H

#include "sqlite_insitu.h"

#define MAX_TABLE_ARGUMENTS 3

typedef struct table_cursor table_cursor;

typedef struct table_kind {
    const char *name;
    const char *schema;  /* visible columns, then the arguments HIDDEN */
    int visible_columns; /* the arguments' columns follow */
    int arguments;       /* those behind required are optional */
    int required;        /* of the arguments */
    bool direct_only;    /* lists state: not for views and triggers */
    double estimated_rows;
    /* Begins a scan; none of the arguments given is NULL. */
    ins_status (*open)(table_cursor *cursor, ins_error *error);
    /* Moves to the row after, or sets cursor->at_end. */
    ins_status (*next)(table_cursor *cursor, ins_error *error);
    void (*column)(table_cursor *cursor, sqlite3_context *context, int column);
} table_kind;

struct table_cursor {
    sqlite3_vtab_cursor base;
    connection *conn;
    const table_kind *kind;
    bool at_end;
    sqlite3_int64 row;                             /* from 1 */
    sqlite3_value *arguments[MAX_TABLE_ARGUMENTS]; /* owned or NULL */

    /* What the kinds use; all of it is freed by close_scan. */
    shared_model *shared;    /* a reference */
    sqlite3_stmt *statement; /* the source of rows */
    void *rows;              /* from sqlite3_malloc64 */
    size_t row_count;
    const char *text; /* of arguments[0] */
    size_t position;  /* in text: bytes and characters passed */
    sqlite3_int64 characters;
    struct batch *batch; /* sqlite_batches.c */
};

/* sqlite_tables.c: the model of a scan, from its second argument or setting. */
ins_status open_scan_model(table_cursor *cursor, bool embed, open_model **model,
                           ins_error *error);
/* The same for a classifier, which may be named by an alias. */
ins_status open_scan_alias(table_cursor *cursor, open_model **model,
                           ins_error *error);

/* sqlite_batches.c */
ins_status open_classify_batch(table_cursor *cursor, ins_error *error);
ins_status open_embed_batch(table_cursor *cursor, ins_error *error);
ins_status next_batch_row(table_cursor *cursor, ins_error *error);
void classify_batch_column(table_cursor *cursor, sqlite3_context *context,
                           int column);
void embed_batch_column(table_cursor *cursor, sqlite3_context *context,
                        int column);
void free_batch(struct batch *batch); /* accepts NULL */

/* sqlite_lists.c */
ins_status open_model_list(table_cursor *cursor, ins_error *error);
ins_status next_listed_model(table_cursor *cursor, ins_error *error);
void model_list_column(table_cursor *cursor, sqlite3_context *context,
                       int column);
ins_status open_model_stats(table_cursor *cursor, ins_error *error);
ins_status next_statistics(table_cursor *cursor, ins_error *error);
void model_stats_column(table_cursor *cursor, sqlite3_context *context,
                        int column);

/* sqlite_explain.c */
ins_status open_explanation(table_cursor *cursor, ins_error *error);
void explanation_column(table_cursor *cursor, sqlite3_context *context,
                        int column);

/* sqlite_scans.c */
ins_status open_scores(table_cursor *cursor, ins_error *error);
/* For kinds that have all rows when they are opened. */
ins_status next_kept_row(table_cursor *cursor, ins_error *error);
void scores_column(table_cursor *cursor, sqlite3_context *context, int column);
/* Rows for scores [count] of the cursor's model, best first. */
ins_status keep_scores(table_cursor *cursor, const float *scores,
                       uint32_t count, ins_error *error);
ins_status open_tokens(table_cursor *cursor, ins_error *error);
void tokens_column(table_cursor *cursor, sqlite3_context *context, int column);

/* sqlite_predict.c */
ins_status open_predicted_scores(table_cursor *cursor, ins_error *error);

#endif
