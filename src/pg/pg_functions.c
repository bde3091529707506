/*
 * pg_functions.c - one text in, one value out.
 *
 * Each C function serves both SQL overloads: with the model's name as the last
 * argument, or without.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "pg_datum.h"
#include "pg_session.h"

/* ---- classify ----------------------------------------------------------- */

float *
score_input(model_call *call, ins_text input)
{
    uint32_t count = ins_model_describe(model_of(call))->label_count;
    float *scores = palloc(count * sizeof(float));

    run_call(call, INS_TASK_CLASSIFY, &input, 1, scores, count);
    return scores;
}

PG_FUNCTION_INFO_V1(insitu_classify);

Datum
insitu_classify(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    float *scores;
    uint32_t best;

    check_task(call, INS_TASK_CLASSIFY);
    scores = score_input(call, input_text(PG_GETARG_DATUM(0)));
    best =
        ins_best_label(scores, ins_model_describe(model_of(call))->label_count);
    PG_RETURN_TEXT_P(server_text(ins_model_label(model_of(call), best)));
}

static void
fail_label(const model_call *call, text *label)
{
    const ins_model *model = model_of(call);
    uint32_t count = ins_model_describe(model)->label_count;
    StringInfoData list;
    uint32_t i;

    initStringInfo(&list);
    for (i = 0; i < count && list.len < 300; i++) {
        text *name = server_text(ins_model_label(model, i));

        appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
                         text_to_cstring(name));
    }
    if (i < count)
        appendStringInfoString(&list, ", and more");
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("model \"%s\" has no label \"%.*s\"", call->identity.name,
                    pg_mbcliplen(VARDATA_ANY(label),
                                 (int) VARSIZE_ANY_EXHDR(label), 64),
                    VARDATA_ANY(label)),
             errdetail("Its %u labels are: %s.", count, list.data)));
}

uint32_t
find_label(const model_call *call, text *label)
{
    int32_t index = ins_model_find_label(
        model_of(call),
        utf8_text(VARDATA_ANY(label), (int) VARSIZE_ANY_EXHDR(label)));

    if (index < 0)
        fail_label(call, label);
    return (uint32_t) index;
}

PG_FUNCTION_INFO_V1(insitu_classify_score);

Datum
insitu_classify_score(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 2, DEFAULT_CLASSIFIER);
    uint32_t index;

    check_task(call, INS_TASK_CLASSIFY);
    index = find_label(call, PG_GETARG_TEXT_PP(1));
    PG_RETURN_FLOAT4(score_input(call, input_text(PG_GETARG_DATUM(0)))[index]);
}

/* ---- embed -------------------------------------------------------------- */

/* The core writes into the array that is returned. */
static Datum
embed_input(FunctionCallInfo fcinfo, ins_task task)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_EMBEDDER);
    ins_text input;
    uint32_t size;
    ArrayType *array;
    float *values;

    check_task(call, task);
    size = ins_model_describe(model_of(call))->embedding_size;
    input = input_text(PG_GETARG_DATUM(0));
    array = make_real_array(size, &values);
    run_call(call, task, &input, 1, values, size);
    PG_RETURN_ARRAYTYPE_P(array);
}

PG_FUNCTION_INFO_V1(insitu_embed);

Datum
insitu_embed(PG_FUNCTION_ARGS)
{
    return embed_input(fcinfo, INS_TASK_EMBED);
}

PG_FUNCTION_INFO_V1(insitu_embed_query);

Datum
insitu_embed_query(PG_FUNCTION_ARGS)
{
    return embed_input(fcinfo, INS_TASK_EMBED_QUERY);
}

/* ---- cosine_distance ---------------------------------------------------- */

static const float *
vector_argument(ArrayType *array, int *count)
{
    if (ARR_ELEMTYPE(array) != FLOAT4OID || ARR_NDIM(array) > 1 ||
        array_contains_nulls(array))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("an embedding must be a one-dimensional array "
                               "of real without NULLs")));
    *count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    return (const float *) ARR_DATA_PTR(array);
}

PG_FUNCTION_INFO_V1(insitu_cosine_distance);

Datum
insitu_cosine_distance(PG_FUNCTION_ARGS)
{
    int count_a;
    int count_b;
    const float *a = vector_argument(PG_GETARG_ARRAYTYPE_P(0), &count_a);
    const float *b = vector_argument(PG_GETARG_ARRAYTYPE_P(1), &count_b);
    double dot = 0;
    double norm_a = 0;
    double norm_b = 0;

    if (count_a != count_b)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("embeddings of %d and %d values cannot be "
                               "compared",
                               count_a, count_b)));
    for (int i = 0; i < count_a; i++) {
        dot += (double) a[i] * (double) b[i];
        norm_a += (double) a[i] * (double) a[i];
        norm_b += (double) b[i] * (double) b[i];
    }
    /* A vector of zeros has no direction. */
    if (norm_a == 0 || norm_b == 0)
        PG_RETURN_NULL();
    PG_RETURN_FLOAT8(1.0 - dot / (sqrt(norm_a) * sqrt(norm_b)));
}

/* ---- tokens ------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_token_count);

Datum
insitu_token_count(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    size_t count;

    (void) tokenize_call(call, input_text(PG_GETARG_DATUM(0)), &count);
    PG_RETURN_INT32((int32) count);
}

PG_FUNCTION_INFO_V1(insitu_token_ids);

Datum
insitu_token_ids(PG_FUNCTION_ARGS)
{
    model_call *call = open_call(fcinfo, 1, DEFAULT_CLASSIFIER);
    size_t count;
    ins_token *tokens =
        tokenize_call(call, input_text(PG_GETARG_DATUM(0)), &count);
    int32_t *ids;
    ArrayType *array = make_integer_array((uint32_t) count, &ids);

    for (size_t i = 0; i < count; i++)
        ids[i] = tokens[i].id;
    PG_RETURN_ARRAYTYPE_P(array);
}
