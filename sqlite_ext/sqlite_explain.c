/*
 * sqlite_explain.c - explain_classify and what explain_html needs: which words
 * carried a classification.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"

struct word_row {
    ins_text token;      /* inside the argument */
    sqlite3_int64 start; /* 1-based character */
    sqlite3_int64 end;   /* the last character, as substr counts */
    float contribution;
};

/* label: NULL, or the one asked for. */
static ins_status
choose_label(open_model *model, ins_text input, const ins_text *label,
             uint32_t *index, ins_error *error)
{
    const ins_model *opened = model_of(model->shared);
    uint32_t count = ins_model_describe(opened)->label_count;
    int32_t found;

    /* Also for a given label: the text may be too long to be read. */
    INS_TRY(run_model(model, INS_TASK_CLASSIFY, &input, 1, model->scores, count,
                      error));
    *index = ins_best_label(model->scores, count);
    if (label == NULL)
        return INS_OK;
    found = ins_model_find_label(opened, *label);
    if (found < 0)
        return fail_label(model, *label, error);
    *index = (uint32_t) found;
    return INS_OK;
}

ins_status
explain_input(connection *conn, open_model *model, ins_text input,
              const ins_text *label, ins_explanation *explanation,
              ins_error *error)
{
    ins_host host = connection_host(conn);
    uint32_t index;
    ins_status status;

    memset(explanation, 0, sizeof(*explanation));
    INS_TRY(choose_label(model, input, label, &index, error));
    model->busy = true;
    status = ins_explain(explanation, model_of(model->shared), input, index,
                         &host, error);
    model->busy = false;
    return status;
}

/* ---- explain_classify ---------------------------------------------------- */

static void
place_words(const ins_explanation *explanation, ins_text input,
            struct word_row *rows)
{
    size_t position = 0;
    sqlite3_int64 characters = 0;

    for (size_t i = 0; i < explanation->count; i++) {
        const ins_contribution *word = &explanation->words[i];

        characters += count_characters(input.data, position, word->start);
        position = word->start;
        rows[i] = (struct word_row){
            .token = {input.data + word->start,
                      (size_t) word->end - word->start},
            .start = characters + 1,
            .end = characters +
                   count_characters(input.data, word->start, word->end),
            .contribution = word->value,
        };
    }
}

ins_status
open_explanation(table_cursor *cursor, ins_error *error)
{
    ins_host host = connection_host(cursor->conn);
    ins_explanation explanation;
    open_model *model;
    ins_text input;
    ins_text label;
    bool has_label = cursor->arguments[2] != NULL;
    bool is_null;
    ins_status status;

    INS_TRY(
        input_argument(cursor->arguments[0], "input", &input, &is_null, error));
    if (has_label)
        INS_TRY(name_argument(cursor->arguments[2], "label", &label, &is_null,
                              error));
    INS_TRY(open_scan_alias(cursor, &model, error));
    status = explain_input(cursor->conn, model, input,
                           has_label ? &label : NULL, &explanation, error);
    if (status == INS_OK)
        status = ins_alloc(&host, explanation.count, sizeof(struct word_row),
                           &cursor->rows, error);
    if (status == INS_OK)
        place_words(&explanation, input, cursor->rows);
    cursor->row_count = explanation.count;
    cursor->at_end = explanation.count == 0;
    ins_explanation_close(&explanation, &host);
    return status;
}

void
explanation_column(table_cursor *cursor, sqlite3_context *context, int column)
{
    const struct word_row *row =
        (const struct word_row *) cursor->rows + (cursor->row - 1);

    switch (column) {
    case 0:
        sqlite3_result_text64(context, row->token.data, row->token.size,
                              SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case 1:
        sqlite3_result_int64(context, row->start);
        break;
    case 2:
        sqlite3_result_int64(context, row->end);
        break;
    default:
        sqlite3_result_double(context, (double) row->contribution);
        break;
    }
}
