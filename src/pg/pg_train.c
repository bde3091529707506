/*
 * pg_train.c - train_classifier, fine_tune_classifier and train_tabular:
 * aggregates from labelled rows to a pack.
 *
 * The state of an aggregate is a memory context with all that its training
 * allocates; whatever ends the query deletes it, and with it the training's
 * place in train_progress() and its hold on the base model.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "insitu_train.h"
#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"
#include "pg_progress.h"
#include "pg_session.h"
#include "pg_settings.h"

/* Of an array of labels or features. */
#define MAX_ARRAY_BYTES (16 << 20)

/* The arguments of a row beside the transition state; 0: it has none. */
typedef struct row_shape {
    ins_training_method method;
    bool multi_label;
    int input;
    int label;
    int base;
    int options;
} row_shape;

typedef struct train_state {
    MemoryContext context; /* this object lies in it */
    MemoryContextCallback end;
    guard guard;
    ins_training_method method;
    ins_training *training; /* NULL once it has run */
    model_call base;
    bool is_holding; /* the base model, and a place in train_progress() */
    struct varlena *base_name; /* of the first row, and so of all; NULL: none */
    struct varlena *options;
    TimestampTz started;
    TimestampTz running; /* 0: rows are collected */
    bytea *result;       /* NULL: it has not run */
} train_state;

/* ---- progress ----------------------------------------------------------- */

static void
send_notice(void *argument)
{
    const ins_training_progress *progress = argument;

    if (isnan(progress->accuracy))
        ereport(NOTICE, (errmsg("epoch %u of %u: loss %.4f", progress->epoch,
                                progress->epochs, progress->loss)));
    else
        ereport(NOTICE, (errmsg("epoch %u of %u: loss %.4f, accuracy %.3f",
                                progress->epoch, progress->epochs,
                                progress->loss, progress->accuracy)));
}

/* Called by the core.  A message may fail, or find the query cancelled; then
 * the core is told at its next poll. */
static void
note_progress(void *user, const ins_training_progress *progress)
{
    train_state *state = user;

    report_progress(state->method, state->started, state->running, progress);
    if (progress->epoch_ended)
        call_guarded(&state->guard, send_notice, (void *) progress);
}

static void
note_row(train_state *state)
{
    ins_training_progress progress = {
        .phase = "collect",
        .loss = NAN,
        .accuracy = NAN,
        .rows = ins_training_rows(state->training),
        .skipped = ins_training_skipped(state->training),
    };

    report_progress(state->method, state->started, 0, &progress);
}

/* ---- the state ---------------------------------------------------------- */

/* Raises no ERROR. */
static void
let_go(train_state *state)
{
    if (!state->is_holding)
        return;
    state->is_holding = false;
    close_progress();
    if (state->base.loaded != NULL)
        release_loaded(state->base.loaded);
}

static void
end_state(void *argument)
{
    let_go(argument);
}

static train_state *
make_state(MemoryContext parent, ins_training_method method)
{
    MemoryContext context = AllocSetContextCreate(parent, "insitu training",
                                                  ALLOCSET_DEFAULT_SIZES);
    train_state *state = MemoryContextAllocZero(context, sizeof(*state));

    state->context = context;
    state->guard.context = context;
    state->method = method;
    state->started = GetCurrentTimestamp();
    state->end.func = end_state;
    state->end.arg = state;
    MemoryContextRegisterResetCallback(context, &state->end);
    return state;
}

/* The base model, which training reads to its end; NULL for numbers. */
static const ins_model *
hold_base(train_state *state, const ins_training_options *options)
{
    const ins_model *model = NULL;

    if (state->method == INS_TRAIN_CLASSIFIER)
        open_named_call(&state->base, options->encoder[0] != '\0'
                                          ? options->encoder
                                          : setting_default_embedder);
    else if (state->method == INS_TRAIN_FINE_TUNE) {
        open_named_call(&state->base,
                        text_to_cstring((text *) state->base_name));
        check_reads_texts(&state->base);
    }
    if (state->base.loaded != NULL) {
        if (state->method == INS_TRAIN_CLASSIFIER)
            check_task(&state->base, INS_TASK_EMBED);
        model = model_of(&state->base);
        hold_loaded(state->base.loaded);
    }
    open_progress();
    state->is_holding = true;
    return model;
}

/* Adds what the core knows nothing of. */
static void
fail_training(const train_state *state, ins_error *error)
{
    bool is_about_rows = error->status == INS_INVALID_ARGUMENT ||
                         error->status == INS_LIMIT_EXCEEDED;

    if (state->base.loaded != NULL && !is_about_rows &&
        error->detail[0] == '\0')
        snprintf(error->detail, sizeof(error->detail),
                 "The base model is \"%s\".", state->base.identity.name);
    if (error->status == INS_LIMIT_EXCEEDED &&
        strstr(error->hint, "memory") != NULL)
        strlcpy(error->hint,
                "Train on fewer rows, or have a superuser raise "
                "insitu.train_max_memory.",
                sizeof(error->hint));
    raise_failure(error);
}

static void
read_options(const train_state *state, ins_training_options *options)
{
    Jsonb *jsonb = (Jsonb *) state->options;
    ins_error error;

    if (jsonb != NULL)
        check_status(ins_training_options_parse(options, state->method,
                                                json_text(jsonb), &error),
                     &error);
}

/* ---- arguments that are the same for all rows --------------------------- */

static struct varlena *
fixed_argument(FunctionCallInfo fcinfo, int argument, const char *what)
{
    if (argument == 0)
        return NULL;
    if (PG_ARGISNULL(argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                        errmsg("the %s of a training must not be NULL", what)));
    return PG_DETOAST_DATUM(PG_GETARG_DATUM(argument));
}

static struct varlena *
keep_argument(train_state *state, struct varlena *value)
{
    struct varlena *copy;

    if (value == NULL)
        return NULL;
    copy = MemoryContextAlloc(state->context, VARSIZE(value));
    memcpy(copy, value, VARSIZE(value));
    return copy;
}

static void
check_argument(const struct varlena *kept, const struct varlena *value,
               const char *what)
{
    if (kept != NULL && (VARSIZE(kept) != VARSIZE(value) ||
                         memcmp(kept, value, VARSIZE(kept)) != 0))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("all rows of a training must have the same %s", what)));
}

static train_state *
begin_training(FunctionCallInfo fcinfo, MemoryContext parent,
               const row_shape *shape)
{
    train_state *state = make_state(parent, shape->method);
    ins_training_options options = ins_training_defaults;
    ins_host host = guarded_host(&state->guard);
    const ins_model *base;
    ins_error error;

    state->options =
        keep_argument(state, fixed_argument(fcinfo, shape->options, "options"));
    state->base_name =
        keep_argument(state, fixed_argument(fcinfo, shape->base, "base model"));
    read_options(state, &options);
    options.multi_label = shape->multi_label;
    options.max_bytes = (uint64_t) setting_train_max_memory * 1024;
    options.progress = note_progress;
    options.progress_user = state;
    prepare_runtime();
    base = hold_base(state, &options);
    if (ins_training_open(&state->training, shape->method, &options, base,
                          &host, &error) != INS_OK)
        fail_training(state, &error);
    return state;
}

/* The state of the aggregate that calls the running function. */
static train_state *
open_state(FunctionCallInfo fcinfo, const row_shape *shape)
{
    MemoryContext parent;
    train_state *state;

    if (!AggCheckCallContext(fcinfo, &parent))
        elog(ERROR, "a step of an aggregate was called outside of one");
    if (PG_ARGISNULL(0))
        return begin_training(fcinfo, parent, shape);
    state = (train_state *) PG_GETARG_POINTER(0);
    check_argument(state->options,
                   fixed_argument(fcinfo, shape->options, "options"),
                   "options");
    check_argument(state->base_name,
                   fixed_argument(fcinfo, shape->base, "base model"),
                   "base model");
    return state;
}

/* ---- rows --------------------------------------------------------------- */

/* Checked before it is decompressed, which happens once. */
static ArrayType *
open_array(Datum datum, const char *what)
{
    ArrayType *array;

    if (toast_raw_datum_size(datum) > MAX_ARRAY_BYTES)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("the %s of a row have at most %d bytes", what,
                               MAX_ARRAY_BYTES)));
    array = DatumGetArrayTypeP(datum);
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the %s of a row must be a one-dimensional "
                               "array",
                               what)));
    return array;
}

static ins_text *
read_labels(Datum datum, int *count)
{
    Datum *elements;
    bool *nulls;
    ins_text *labels;

    deconstruct_array(open_array(datum, "labels"), TEXTOID, -1, false,
                      TYPALIGN_INT, &elements, &nulls, count);
    labels = palloc((*count + 1) * sizeof(*labels));
    for (int i = 0; i < *count; i++) {
        if (nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("the labels of a row must not have NULLs")));
        labels[i] = input_text(elements[i]);
    }
    return labels;
}

static ins_status
add_text(FunctionCallInfo fcinfo, train_state *state, const row_shape *shape,
         ins_error *error)
{
    Datum label = PG_GETARG_DATUM(shape->label);
    ins_text input = input_text(PG_GETARG_DATUM(shape->input));
    ins_text *labels;
    ins_text one;
    int count = 1;

    if (shape->multi_label) {
        labels = read_labels(label, &count);
    } else {
        one = input_text(label);
        labels = &one;
    }
    return ins_training_add_text(state->training, input, labels, (size_t) count,
                                 error);
}

typedef ins_status add_row(FunctionCallInfo fcinfo, train_state *state,
                           const row_shape *shape, ins_error *error);

/* One row of any of the aggregates. */
static Datum
take_row(FunctionCallInfo fcinfo, const row_shape *shape, add_row *add)
{
    train_state *state = open_state(fcinfo, shape);
    ins_error error;

    if (PG_ARGISNULL(shape->input) || PG_ARGISNULL(shape->label))
        ins_training_skip(state->training);
    else if (add(fcinfo, state, shape, &error) != INS_OK) {
        raise_guarded(&state->guard);
        fail_training(state, &error);
    }
    note_row(state);
    PG_RETURN_POINTER(state);
}

/* (state, input, label [, options]) */
static Datum
take_classifier_row(FunctionCallInfo fcinfo, bool multi_label)
{
    row_shape shape = {
        .method = INS_TRAIN_CLASSIFIER,
        .multi_label = multi_label,
        .input = 1,
        .label = 2,
        .options = PG_NARGS() > 3 ? 3 : 0,
    };

    return take_row(fcinfo, &shape, add_text);
}

/* (state, input, label, base [, options]) */
static Datum
take_fine_tune_row(FunctionCallInfo fcinfo, bool multi_label)
{
    row_shape shape = {
        .method = INS_TRAIN_FINE_TUNE,
        .multi_label = multi_label,
        .input = 1,
        .label = 2,
        .base = 3,
        .options = PG_NARGS() > 4 ? 4 : 0,
    };

    return take_row(fcinfo, &shape, add_text);
}

PG_FUNCTION_INFO_V1(insitu_train_classifier_row);

Datum
insitu_train_classifier_row(PG_FUNCTION_ARGS)
{
    return take_classifier_row(fcinfo, false);
}

PG_FUNCTION_INFO_V1(insitu_train_classifier_labels_row);

Datum
insitu_train_classifier_labels_row(PG_FUNCTION_ARGS)
{
    return take_classifier_row(fcinfo, true);
}

PG_FUNCTION_INFO_V1(insitu_fine_tune_classifier_row);

Datum
insitu_fine_tune_classifier_row(PG_FUNCTION_ARGS)
{
    return take_fine_tune_row(fcinfo, false);
}

PG_FUNCTION_INFO_V1(insitu_fine_tune_classifier_labels_row);

Datum
insitu_fine_tune_classifier_labels_row(PG_FUNCTION_ARGS)
{
    return take_fine_tune_row(fcinfo, true);
}

/* ---- rows of numbers ---------------------------------------------------- */

static ins_status
add_numbers(FunctionCallInfo fcinfo, train_state *state, const row_shape *shape,
            ins_error *error)
{
    ins_text label = input_text(PG_GETARG_DATUM(shape->label));
    const double *values;
    int count;

    values = read_numbers(open_array(PG_GETARG_DATUM(shape->input), "features"),
                          &count);
    return ins_training_add_numbers(state->training, values, (size_t) count,
                                    label, error);
}

static ins_status
add_object(FunctionCallInfo fcinfo, train_state *state, const row_shape *shape,
           ins_error *error)
{
    Jsonb *features = PG_GETARG_JSONB_P(shape->input);
    ins_text label = input_text(PG_GETARG_DATUM(shape->label));

    return ins_training_add_object(state->training, json_text(features), label,
                                   error);
}

/* (state, label, features [, options]) */
static Datum
take_tabular_row(FunctionCallInfo fcinfo, add_row *add)
{
    row_shape shape = {
        .method = INS_TRAIN_TABULAR,
        .input = 2,
        .label = 1,
        .options = PG_NARGS() > 3 ? 3 : 0,
    };

    return take_row(fcinfo, &shape, add);
}

PG_FUNCTION_INFO_V1(insitu_train_tabular_row);

Datum
insitu_train_tabular_row(PG_FUNCTION_ARGS)
{
    return take_tabular_row(fcinfo, add_numbers);
}

PG_FUNCTION_INFO_V1(insitu_train_tabular_object_row);

Datum
insitu_train_tabular_object_row(PG_FUNCTION_ARGS)
{
    return take_tabular_row(fcinfo, add_object);
}

/* ---- the result --------------------------------------------------------- */

/* Keeps a pack as bytea, and lets the pack go. */
static void
keep_result(train_state *state, void *pack, size_t size)
{
    if (size > MaxAllocSize - VARHDRSZ)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                 errmsg("the trained model of %zu bytes is larger than a bytea "
                        "may be",
                        size),
                 errhint("Choose smaller weights, as in {\"weights\": "
                         "\"int8\"}, or a smaller base model.")));
    state->result = MemoryContextAlloc(state->context, VARHDRSZ + size);
    SET_VARSIZE(state->result, VARHDRSZ + size);
    memcpy(VARDATA(state->result), pack, size);
    pfree(pack);
}

static void
run_training(train_state *state)
{
    ins_error error;
    ins_status status;
    size_t size;
    void *pack;

    CHECK_FOR_INTERRUPTS();
    state->running = GetCurrentTimestamp();
    status = ins_training_run(state->training, &pack, &size, &error);
    raise_guarded(&state->guard);
    if (status != INS_OK)
        fail_training(state, &error);
    ins_training_close(state->training);
    state->training = NULL;
    keep_result(state, pack, size);
    let_go(state);
}

PG_FUNCTION_INFO_V1(insitu_train_finish);

/* A plan that rescans a hash table asks for the result again. */
Datum
insitu_train_finish(PG_FUNCTION_ARGS)
{
    train_state *state;

    if (!AggCheckCallContext(fcinfo, NULL))
        elog(ERROR, "the end of an aggregate was called outside of one");
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there are no rows to train on")));
    state = (train_state *) PG_GETARG_POINTER(0);
    if (state->result == NULL)
        run_training(state);
    PG_RETURN_BYTEA_P(state->result);
}
