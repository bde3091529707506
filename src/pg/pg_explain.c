/*
 * pg_explain.c - explain_classify and explain_html: which words carried a
 * classification.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "insitu_explain.h"
#include "miscadmin.h"

#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"
#include "pg_rows.h"
#include "pg_session.h"

/* The label that classify gives; counted as one call of it. */
static uint32_t
best_label(model_call *call, ins_text input)
{
    float *scores = score_input(call, input);
    uint32_t best =
        ins_best_label(scores, ins_model_describe(model_of(call))->label_count);

    pfree(scores);
    return best;
}

/*
 * label: NULL for the one that classify gives.  What the core took for the
 * work has been released when this returns; what an ERROR leaves behind goes
 * with the context of the call.
 */
static void
explain_input(model_call *call, ins_text input, text *label,
              ins_explanation *explanation)
{
    guard guard = {.context = CurrentMemoryContext};
    ins_host host = guarded_host(&guard);
    uint32_t index;
    ins_error error;
    ins_status status;

    check_task(call, INS_TASK_CLASSIFY);
    /* Also for a given label: the text may be too long to be read. */
    index = best_label(call, input);
    if (label != NULL)
        index = find_label(call, label);
    CHECK_FOR_INTERRUPTS();
    status =
        ins_explain(explanation, model_of(call), input, index, &host, &error);
    raise_guarded(&guard);
    check_status(status, &error);
}

PG_FUNCTION_INFO_V1(insitu_explain_classify);

Datum
insitu_explain_classify(PG_FUNCTION_ARGS)
{
    model_call *call = open_stable_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    text *label = PG_NARGS() > 2 ? PG_GETARG_TEXT_PP(2) : NULL;
    ins_text input = input_text(PG_GETARG_DATUM(0));
    character_position position = {.text = input};
    ins_explanation explanation;
    row_sink sink;

    begin_rows(fcinfo, &sink);
    explain_input(call, input, label, &explanation);
    for (size_t i = 0; i < explanation.count; i++) {
        const ins_contribution *word = &explanation.words[i];
        text *token = server_text((ins_text){input.data + word->start,
                                             (size_t) word->end - word->start});
        bool nulls[4] = {false};
        Datum values[4];

        values[0] = PointerGetDatum(token);
        values[1] = Int32GetDatum(count_characters(&position, word->start) + 1);
        values[2] = Int32GetDatum(count_characters(&position, word->end));
        values[3] = Float4GetDatum(word->value);
        put_row(&sink, values, nulls);
        pfree(token);
    }
    PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(insitu_explain_html);

Datum
insitu_explain_html(PG_FUNCTION_ARGS)
{
    model_call *call = open_stable_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    ins_text input = input_text(PG_GETARG_DATUM(0));
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    ins_explanation explanation;
    ins_error error;
    size_t size;
    char *html;

    explain_input(call, input, NULL, &explanation);
    check_status(ins_explanation_html(&explanation, model_of(call), input,
                                      &host, &html, &size, &error),
                 &error);
    PG_RETURN_TEXT_P(server_text((ins_text){html, size}));
}
