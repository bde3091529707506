/*
 * pg_evaluate.c - the aggregates eval_accuracy, eval_report, eval_confusion,
 * eval_html and eval_calibration.
 *
 * A state lives in the memory context of its aggregate and goes with it, also
 * after an error.  The final functions read it only, so that aggregates over
 * the same arguments share it and windows may ask for it again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "insitu_evaluate.h"
#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"

/* ---- states -------------------------------------------------------------- */

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
    MemoryContext context;

    if (!AggCheckCallContext(fcinfo, &context))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("this function is a part of an aggregate and cannot "
                        "be called by itself")));
    return context;
}

static ins_evaluation *
open_evaluation(MemoryContext context)
{
    ins_host host = host_to_the_end_in(context);
    ins_evaluation *evaluation;
    ins_error error;

    check_status(ins_evaluation_open(&evaluation, &host, &error), &error);
    return evaluation;
}

/* The state in the first argument, or a new one. */
static ins_evaluation *
evaluation_argument(FunctionCallInfo fcinfo, MemoryContext context)
{
    if (PG_ARGISNULL(0))
        return open_evaluation(context);
    return (ins_evaluation *) PG_GETARG_POINTER(0);
}

static bytea *
make_bytes(const void *data, size_t size)
{
    bytea *bytes;

    if (size > MaxAllocSize - VARHDRSZ)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("a state of %zu bytes is too large", size)));
    bytes = palloc(VARHDRSZ + size);
    SET_VARSIZE(bytes, VARHDRSZ + size);
    memcpy(VARDATA(bytes), data, size);
    return bytes;
}

static Datum
make_jsonb(char *json, size_t size)
{
    Datum result = jsonb_datum((ins_text){json, size});

    pfree(json);
    return result;
}

/* ---- pairs of labels ----------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_evaluation_add);

Datum
insitu_evaluation_add(PG_FUNCTION_ARGS)
{
    ins_evaluation *evaluation =
        evaluation_argument(fcinfo, aggregate_context(fcinfo));
    bool is_null = PG_ARGISNULL(1) || PG_ARGISNULL(2);
    ins_text texts[2];
    ins_error error;

    if (!is_null) {
        texts[0] = input_text(PG_GETARG_DATUM(1));
        texts[1] = input_text(PG_GETARG_DATUM(2));
    }
    check_status(ins_evaluation_add(evaluation, is_null ? NULL : &texts[0],
                                    is_null ? NULL : &texts[1], &error),
                 &error);
    PG_RETURN_POINTER(evaluation);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_merge);

Datum
insitu_evaluation_merge(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    ins_evaluation *into;
    ins_error error;

    /* The second one's memory is not the aggregate's. */
    if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
        PG_RETURN_NULL();
    into = evaluation_argument(fcinfo, context);
    if (!PG_ARGISNULL(1))
        check_status(ins_evaluation_merge(
                         into, (ins_evaluation *) PG_GETARG_POINTER(1), &error),
                     &error);
    PG_RETURN_POINTER(into);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_save);

Datum
insitu_evaluation_save(PG_FUNCTION_ARGS)
{
    void *state;
    size_t size;
    ins_error error;
    bytea *bytes;

    (void) aggregate_context(fcinfo);
    check_status(ins_evaluation_save((ins_evaluation *) PG_GETARG_POINTER(0),
                                     &state, &size, &error),
                 &error);
    bytes = make_bytes(state, size);
    pfree(state);
    PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_load);

Datum
insitu_evaluation_load(PG_FUNCTION_ARGS)
{
    bytea *state;
    ins_evaluation *evaluation;
    ins_error error;

    (void) aggregate_context(fcinfo);
    state = PG_GETARG_BYTEA_PP(0);
    evaluation = open_evaluation(CurrentMemoryContext);
    check_status(ins_evaluation_load(evaluation, VARDATA_ANY(state),
                                     VARSIZE_ANY_EXHDR(state), &error),
                 &error);
    PG_RETURN_POINTER(evaluation);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_accuracy);

Datum
insitu_evaluation_accuracy(PG_FUNCTION_ARGS)
{
    double accuracy;

    (void) aggregate_context(fcinfo);
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    accuracy = ins_evaluation_accuracy((ins_evaluation *) PG_GETARG_POINTER(0));
    if (isnan(accuracy))
        PG_RETURN_NULL();
    PG_RETURN_FLOAT8(accuracy);
}

typedef ins_status (*evaluation_text)(const ins_evaluation *evaluation,
                                      char **text, size_t *size,
                                      ins_error *error);

/* The caller frees it: the aggregate's memory lives as long as the query. */
static char *
make_text(FunctionCallInfo fcinfo, evaluation_text write, size_t *size)
{
    ins_evaluation *evaluation =
        evaluation_argument(fcinfo, aggregate_context(fcinfo));
    char *made;
    ins_error error;

    check_status(write(evaluation, &made, size, &error), &error);
    if (PG_ARGISNULL(0))
        ins_evaluation_close(evaluation);
    return made;
}

PG_FUNCTION_INFO_V1(insitu_evaluation_report);

Datum
insitu_evaluation_report(PG_FUNCTION_ARGS)
{
    size_t size;
    char *json = make_text(fcinfo, ins_evaluation_report, &size);

    return make_jsonb(json, size);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_confusion);

Datum
insitu_evaluation_confusion(PG_FUNCTION_ARGS)
{
    size_t size;
    char *json = make_text(fcinfo, ins_evaluation_confusion, &size);

    return make_jsonb(json, size);
}

PG_FUNCTION_INFO_V1(insitu_evaluation_html);

Datum
insitu_evaluation_html(PG_FUNCTION_ARGS)
{
    size_t size;
    char *html = make_text(fcinfo, ins_evaluation_html, &size);
    text *result = server_text((ins_text){html, size});

    pfree(html);
    PG_RETURN_TEXT_P(result);
}

/* ---- calibration --------------------------------------------------------- */

static ins_calibration *
open_calibration(MemoryContext context)
{
    return MemoryContextAllocZero(context, sizeof(ins_calibration));
}

static ins_calibration *
calibration_argument(FunctionCallInfo fcinfo, MemoryContext context)
{
    if (PG_ARGISNULL(0))
        return open_calibration(context);
    return (ins_calibration *) PG_GETARG_POINTER(0);
}

PG_FUNCTION_INFO_V1(insitu_calibration_add);

Datum
insitu_calibration_add(PG_FUNCTION_ARGS)
{
    ins_calibration *calibration =
        calibration_argument(fcinfo, aggregate_context(fcinfo));
    ins_error error;

    if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
        calibration->nulls++;
    else
        check_status(ins_calibration_add(calibration, PG_GETARG_FLOAT8(1),
                                         PG_GETARG_BOOL(2), &error),
                     &error);
    PG_RETURN_POINTER(calibration);
}

PG_FUNCTION_INFO_V1(insitu_calibration_merge);

Datum
insitu_calibration_merge(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    ins_calibration *into;

    if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
        PG_RETURN_NULL();
    into = calibration_argument(fcinfo, context);
    if (!PG_ARGISNULL(1))
        ins_calibration_merge(into, (ins_calibration *) PG_GETARG_POINTER(1));
    PG_RETURN_POINTER(into);
}

PG_FUNCTION_INFO_V1(insitu_calibration_save);

Datum
insitu_calibration_save(PG_FUNCTION_ARGS)
{
    (void) aggregate_context(fcinfo);
    PG_RETURN_BYTEA_P(
        make_bytes(PG_GETARG_POINTER(0), sizeof(ins_calibration)));
}

PG_FUNCTION_INFO_V1(insitu_calibration_load);

Datum
insitu_calibration_load(PG_FUNCTION_ARGS)
{
    bytea *state;
    ins_calibration *calibration;

    (void) aggregate_context(fcinfo);
    state = PG_GETARG_BYTEA_PP(0);
    if (VARSIZE_ANY_EXHDR(state) != sizeof(ins_calibration))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the state of a calibration is damaged")));
    calibration = open_calibration(CurrentMemoryContext);
    memcpy(calibration, VARDATA_ANY(state), sizeof(ins_calibration));
    PG_RETURN_POINTER(calibration);
}

PG_FUNCTION_INFO_V1(insitu_calibration_report);

Datum
insitu_calibration_report(PG_FUNCTION_ARGS)
{
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    ins_calibration *calibration =
        calibration_argument(fcinfo, aggregate_context(fcinfo));
    char *json;
    size_t size;
    ins_error error;

    check_status(
        ins_calibration_report(calibration, &host, &json, &size, &error),
        &error);
    return make_jsonb(json, size);
}
