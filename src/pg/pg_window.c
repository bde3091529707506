/*
 * pg_window.c - classify_window, classify_score_window and embed_window: the
 * names of the SQLite extension, with the same meaning.
 *
 * The result is that of the first row of the frame.  A run takes the texts at
 * the beginning of the frame, up to insitu.batch_size of them, and keeps their
 * results in order.  The window does not say where its frame begins, so the
 * next row finds its result by its text: what is equal has the same result.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "utils/memutils.h"
#include "windowapi.h"

#include "pg_datum.h"
#include "pg_session.h"
#include "pg_settings.h"

/* Texts of one run in all; one text may be as long as any. */
#define MAX_RUN_BYTES (16 << 20)

/* In the memory of a partition. */
typedef struct window_state {
    MemoryContext context; /* of the run at hand; NULL before the first */
    ins_text *texts;       /* [count] */
    float *results;        /* [count][values] */
    int count;
    int next; /* texts before it have left the frame */
    int values;
    bool is_filled;
    model_identity identity; /* whose results they are */
} window_state;

/* One call. */
typedef struct window_call {
    FunctionCallInfo fcinfo;
    WindowObject window;
    model_call *model;
    ins_task task;
    window_state *state;
} window_call;

/* ---- arguments ---------------------------------------------------------- */

/* An argument of the frame's row number row, from 0.  False: no such row. */
static bool
frame_argument(const window_call *call, int argument, int row, Datum *value,
               bool *is_null)
{
    bool is_out;

    /* Rows before the frame's first one are not asked for again. */
    *value = WinGetFuncArgInFrame(call->window, argument, row, WINDOW_SEEK_HEAD,
                                  row == 0, is_null, &is_out);
    return !is_out;
}

/*
 * Puts the model's name, which must be the same for all rows, where open_call
 * looks for it.  False: it is NULL.
 */
static bool
take_model_name(FunctionCallInfo fcinfo, int argument)
{
    bool is_null;

    if (PG_NARGS() <= argument)
        return true;
    if (!get_fn_expr_arg_stable(fcinfo->flinfo, argument))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the rows of a window must name the same "
                               "model")));
    fcinfo->args[argument].value =
        WinGetFuncArgCurrent(PG_WINDOW_OBJECT(), argument, &is_null);
    fcinfo->args[argument].isnull = is_null;
    return !is_null;
}

static bool
begin_call(FunctionCallInfo fcinfo, int texts, default_model fallback,
           window_call *call)
{
    const ins_model_info *info;

    if (!take_model_name(fcinfo, texts))
        return false;
    call->fcinfo = fcinfo;
    call->window = PG_WINDOW_OBJECT();
    call->model = open_call(fcinfo, texts, fallback);
    call->task =
        fallback == DEFAULT_CLASSIFIER ? INS_TASK_CLASSIFY : INS_TASK_EMBED;
    check_task(call->model, call->task);
    call->state =
        WinGetPartitionLocalMemory(call->window, sizeof(window_state));
    info = ins_model_describe(model_of(call->model));
    call->state->values =
        (int) (call->task == INS_TASK_CLASSIFY ? info->label_count
                                               : info->embedding_size);
    return true;
}

/* ---- running ------------------------------------------------------------ */

static void
begin_run(window_state *state)
{
    state->count = state->next = 0;
    if (state->context != NULL)
        MemoryContextReset(state->context);
    else
        state->context =
            AllocSetContextCreate(GetMemoryChunkContext(state), "insitu window",
                                  ALLOCSET_DEFAULT_SIZES);
}

/* Copies: the arguments of a row live until the next one is asked for. */
static void
keep_text(window_state *state, ins_text text)
{
    char *copy = MemoryContextAlloc(state->context, text.size + 1);

    memcpy(copy, text.data, text.size);
    state->texts[state->count++] = (ins_text){copy, text.size};
}

static void
run_frame(window_call *call)
{
    window_state *state = call->state;
    Size batch = (Size) setting_batch_size;
    size_t bytes = 0;
    Datum value;
    bool is_null;

    begin_run(state);
    state->texts = MemoryContextAlloc(state->context, batch * sizeof(ins_text));
    state->results = MemoryContextAllocHuge(
        state->context, batch * (Size) state->values * sizeof(float));
    for (int row = 0; row < setting_batch_size && bytes < MAX_RUN_BYTES &&
                      frame_argument(call, 0, row, &value, &is_null);
         row++)
        if (!is_null) {
            ins_text text = input_text(value);

            keep_text(state, text);
            bytes += text.size;
        }
    state->is_filled = false;
    run_call(call->model, call->task, state->texts, (size_t) state->count,
             state->results, (size_t) state->values);
    state->identity = call->model->identity;
    state->is_filled = true;
}

/* The default may be another one than it was for the row before. */
static bool
is_same_model(const model_identity *a, const model_identity *b)
{
    return a->bundled == b->bundled && strcmp(a->name, b->name) == 0 &&
           memcmp(a->digest, b->digest, INS_DIGEST_BYTES) == 0;
}

/* Moves on to the text in what the last run computed. */
static bool
find_text(window_call *call, ins_text text)
{
    window_state *state = call->state;

    if (!state->is_filled ||
        !is_same_model(&state->identity, &call->model->identity))
        return false;
    for (; state->next < state->count; state->next++)
        if (state->texts[state->next].size == text.size &&
            memcmp(state->texts[state->next].data, text.data, text.size) == 0)
            return true;
    return false;
}

/* The values of the frame's first row; NULL when it is NULL or not there. */
static const float *
first_result(window_call *call)
{
    window_state *state = call->state;
    Datum value;
    bool is_null;

    if (!frame_argument(call, 0, 0, &value, &is_null) || is_null)
        return NULL;
    if (!find_text(call, input_text(value)))
        run_frame(call);
    return state->results + (Size) state->next * (Size) state->values;
}

/* ---- the functions ------------------------------------------------------ */

PG_FUNCTION_INFO_V1(insitu_classify_window);

Datum
insitu_classify_window(PG_FUNCTION_ARGS)
{
    window_call call;
    const float *scores;
    uint32_t best;

    if (!begin_call(fcinfo, 1, DEFAULT_CLASSIFIER, &call))
        PG_RETURN_NULL();
    scores = first_result(&call);
    if (scores == NULL)
        PG_RETURN_NULL();
    best = ins_best_label(scores, (uint32_t) call.state->values);
    PG_RETURN_TEXT_P(server_text(ins_model_label(model_of(call.model), best)));
}

PG_FUNCTION_INFO_V1(insitu_classify_score_window);

Datum
insitu_classify_score_window(PG_FUNCTION_ARGS)
{
    window_call call;
    const float *scores;
    Datum label;
    bool is_null;

    if (!begin_call(fcinfo, 2, DEFAULT_CLASSIFIER, &call) ||
        !frame_argument(&call, 1, 0, &label, &is_null) || is_null)
        PG_RETURN_NULL();
    /* It lives until the argument of another row is asked for. */
    label = PointerGetDatum(DatumGetTextPCopy(label));
    scores = first_result(&call);
    if (scores == NULL)
        PG_RETURN_NULL();
    PG_RETURN_FLOAT4(scores[find_label(call.model, DatumGetTextPP(label))]);
}

PG_FUNCTION_INFO_V1(insitu_embed_window);

Datum
insitu_embed_window(PG_FUNCTION_ARGS)
{
    window_call call;
    const float *result;
    ArrayType *array;
    float *values;

    if (!begin_call(fcinfo, 1, DEFAULT_EMBEDDER, &call))
        PG_RETURN_NULL();
    result = first_result(&call);
    if (result == NULL)
        PG_RETURN_NULL();
    array = make_real_array((uint32_t) call.state->values, &values);
    memcpy(values, result, (Size) call.state->values * sizeof(float));
    PG_RETURN_ARRAYTYPE_P(array);
}
