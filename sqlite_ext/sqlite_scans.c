/*
 * sqlite_scans.c - classify_scores and tokens: rows for one text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static ins_status
open_input(table_cursor *cursor, bool embed, ins_text *input,
           open_model **model, ins_error *error)
{
    bool is_null;

    INS_TRY(
        input_argument(cursor->arguments[0], "input", input, &is_null, error));
    return open_scan_model(cursor, embed, model, error);
}

/* ---- classify_scores ---------------------------------------------------- */

struct label_score {
    uint32_t label;
    float score;
};

/* Best first; equal scores in the order of the labels. */
static int
compare_scores(const void *a, const void *b)
{
    const struct label_score *x = a;
    const struct label_score *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

ins_status
keep_scores(table_cursor *cursor, const float *scores, uint32_t count,
            ins_error *error)
{
    ins_host host = connection_host(cursor->conn);
    struct label_score *rows;

    INS_TRY(ins_alloc(&host, count, sizeof(*rows), &cursor->rows, error));
    rows = cursor->rows;
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct label_score){i, scores[i]};
    qsort(rows, count, sizeof(*rows), compare_scores);
    cursor->row_count = count;
    cursor->at_end = count == 0;
    return INS_OK;
}

ins_status
open_scores(table_cursor *cursor, ins_error *error)
{
    open_model *model;
    ins_text input;
    uint32_t count;

    INS_TRY(open_input(cursor, false, &input, &model, error));
    count = ins_model_describe(model_of(model->shared))->label_count;
    INS_TRY(run_model(model, INS_TASK_CLASSIFY, &input, 1, model->scores, count,
                      error));
    return keep_scores(cursor, model->scores, count, error);
}

ins_status
next_kept_row(table_cursor *cursor, ins_error *error)
{
    (void) error;
    cursor->at_end = cursor->row > (sqlite3_int64) cursor->row_count;
    return INS_OK;
}

void
scores_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    const struct label_score *row =
        (const struct label_score *) cursor->rows + (cursor->row - 1);
    ins_text label;

    if (column == 1) {
        sqlite3_result_double(context, (double) row->score);
        return;
    }
    label = ins_model_label(model_of(cursor->shared), row->label);
    sqlite3_result_text64(context, label.data, label.size, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

/* ---- tokens ------------------------------------------------------------- */

struct token_row {
    int32_t id;
    sqlite3_int64 start; /* 1-based character, 0 = none */
    sqlite3_int64 end;   /* the last character, as substr counts */
};

/* Tokens come in the order of the text, so that one pass counts all. */
static void
place_tokens(const ins_token *tokens, size_t count, ins_text input,
             struct token_row *rows)
{
    size_t position = 0;
    sqlite3_int64 characters = 0;

    for (size_t i = 0; i < count; i++) {
        const ins_token *token = &tokens[i];
        struct token_row *row = &rows[i];

        row->id = token->id;
        row->start = row->end = 0;
        if (token->start >= token->end || token->end > input.size)
            continue;
        if (token->start < position) {
            position = 0;
            characters = 0;
        }
        characters += count_characters(input.data, position, token->start);
        position = token->start;
        row->start = characters + 1;
        row->end =
            characters + count_characters(input.data, token->start, token->end);
    }
}

ins_status
open_tokens(table_cursor *cursor, ins_error *error)
{
    ins_host host = connection_host(cursor->conn);
    ins_token *tokens;
    open_model *model;
    ins_text input;
    size_t count;
    ins_status status;

    INS_TRY(open_input(cursor, false, &input, &model, error));
    INS_TRY(tokenize_all(cursor->conn, model, input, &tokens, &count, error));
    status =
        ins_alloc(&host, count, sizeof(struct token_row), &cursor->rows, error);
    if (status == INS_OK)
        place_tokens(tokens, count, input, cursor->rows);
    sqlite3_free(tokens);
    cursor->row_count = count;
    cursor->at_end = count == 0;
    return status;
}

void
tokens_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    const struct token_row *row =
        (const struct token_row *) cursor->rows + (cursor->row - 1);
    ins_text token;

    switch (column) {
    case 0:
        sqlite3_result_int64(context, cursor->row);
        break;
    case 1:
        token = ins_model_token_text(model_of(cursor->shared), row->id);
        sqlite3_result_text64(context, token.data, token.size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
        break;
    case 2:
        sqlite3_result_int(context, row->id);
        break;
    default:
        /* [CLS] and [SEP] are nowhere in the text. */
        if (row->start > 0)
            sqlite3_result_int64(context, column == 3 ? row->start : row->end);
        break;
    }
}
