/*
 * pg_tables.c - rows for one text: classify_scores and tokens.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "utils/builtins.h"

#include "pg_datum.h"
#include "pg_rows.h"
#include "pg_session.h"

/* ---- classify_scores ---------------------------------------------------- */

typedef struct label_score {
    uint32_t label;
    float score;
} label_score;

/* Best first; equal scores in the order of the labels. */
static int
compare_scores(const void *a, const void *b)
{
    const label_score *x = a;
    const label_score *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

void
put_scores(FunctionCallInfo fcinfo, const model_call *call, const float *scores)
{
    uint32_t count = ins_model_describe(model_of(call))->label_count;
    label_score *sorted = palloc(count * sizeof(*sorted));
    row_sink sink;

    begin_rows(fcinfo, &sink);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = (label_score){i, scores[i]};
    qsort(sorted, count, sizeof(*sorted), compare_scores);
    for (uint32_t i = 0; i < count; i++) {
        text *label =
            server_text(ins_model_label(model_of(call), sorted[i].label));
        Datum values[] = {PointerGetDatum(label),
                          Float4GetDatum(sorted[i].score)};
        bool nulls[] = {false, false};

        put_row(&sink, values, nulls);
        pfree(label);
    }
}

PG_FUNCTION_INFO_V1(insitu_classify_scores);

Datum
insitu_classify_scores(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_CLASSIFIER);

    check_task(call, INS_TASK_CLASSIFY);
    put_scores(fcinfo, call, score_input(call, input_text(PG_GETARG_DATUM(0))));
    PG_RETURN_NULL();
}

/* ---- tokens ------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_tokens);

Datum
insitu_tokens(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    ins_text input = input_text(PG_GETARG_DATUM(0));
    character_position position = {.text = input};
    size_t count;
    ins_token *tokens = tokenize_call(call, input, &count);
    row_sink sink;

    begin_rows(fcinfo, &sink);
    for (size_t i = 0; i < count; i++) {
        const ins_token *token = &tokens[i];
        text *piece =
            server_text(ins_model_token_text(model_of(call), token->id));
        /* [CLS] and [SEP] are nowhere in the text. */
        bool nowhere = token->start >= token->end || token->end > input.size;
        bool nulls[] = {false, false, false, nowhere, nowhere};
        Datum values[5] = {0};

        values[0] = Int32GetDatum((int32) i + 1);
        values[1] = PointerGetDatum(piece);
        values[2] = Int32GetDatum(token->id);
        if (!nowhere) {
            values[3] =
                Int32GetDatum(count_characters(&position, token->start) + 1);
            values[4] = Int32GetDatum(count_characters(&position, token->end));
        }
        put_row(&sink, values, nulls);
        pfree(piece);
    }
    PG_RETURN_NULL();
}
