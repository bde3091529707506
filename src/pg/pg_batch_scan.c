/*
 * pg_batch_scan.c - a plan node that computes results ahead, many at a time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/detoast.h"
#include "access/parallel.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "pg_batch_counts.h"
#include "pg_batch_scan.h"
#include "pg_datum.h"
#include "pg_session.h"
#include "pg_settings.h"

/* Rows read before the first results: LIMIT 1 must stay cheap. */
#define FIRST_ROWS 4
/* Of the rows that wait; one row may be as large as any. */
#define MAX_WAITING_BYTES (16 << 20)
/* Longer texts gain nothing from company, and the memo does not keep them. */
#define MAX_TEXT_BYTES 8192

#define MAX_ARGUMENTS 3

/* ---- functions ----------------------------------------------------------- */

extern Datum insitu_classify(PG_FUNCTION_ARGS);
extern Datum insitu_classify_score(PG_FUNCTION_ARGS);
extern Datum insitu_embed(PG_FUNCTION_ARGS);
extern Datum insitu_embed_query(PG_FUNCTION_ARGS);

static const struct batch_function {
    const char *symbol;
    PGFunction address;
    ins_task task;
    default_model fallback;
    int model_argument; /* its number in the overload that has one */
} batch_functions[] = {
    {"insitu_classify", insitu_classify, INS_TASK_CLASSIFY, DEFAULT_CLASSIFIER,
     1},
    {"insitu_classify_score", insitu_classify_score, INS_TASK_CLASSIFY,
     DEFAULT_CLASSIFIER, 2},
    {"insitu_embed", insitu_embed, INS_TASK_EMBED, DEFAULT_EMBEDDER, 1},
    {"insitu_embed_query", insitu_embed_query, INS_TASK_EMBED_QUERY,
     DEFAULT_EMBEDDER, 1},
};

static const struct batch_function *
find_symbol(const char *symbol)
{
    for (size_t i = 0; i < lengthof(batch_functions); i++)
        if (strcmp(batch_functions[i].symbol, symbol) == 0)
            return &batch_functions[i];
    return NULL;
}

/* By the address: another library may have a function of the same name. */
static const struct batch_function *
find_batch_function(Oid function)
{
    const struct batch_function *found = NULL;
    HeapTuple tuple;
    FmgrInfo info;

    if (function < FirstNormalObjectId)
        return NULL;
    tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return NULL;
    if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId) {
        bool is_null;
        Datum source =
            SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);

        if (!is_null)
            found = find_symbol(TextDatumGetCString(source));
    }
    ReleaseSysCache(tuple);
    if (found == NULL)
        return NULL;
    fmgr_info(function, &info);
    return info.fn_addr == found->address ? found : NULL;
}

bool
is_batch_function(Oid function)
{
    return find_batch_function(function) != NULL;
}

/* ---- state --------------------------------------------------------------- */

/* One of the calls whose results are computed ahead. */
typedef struct batch_call {
    const struct batch_function *function;
    FmgrInfo info;
    ExprState *arguments[MAX_ARGUMENTS];
    int argument_count;
} batch_call;

typedef struct batch_state {
    CustomScanState custom; /* must come first */
    List *calls;            /* of batch_call */
    TupleTableSlot *row;    /* a waiting row, as the child gave it */
    MinimalTuple *waiting;  /* [capacity] */
    int capacity;
    int count;
    int next;
    int wanted; /* rows to read next time */
    bool is_exhausted;
    MemoryContext rows_context;  /* the rows that wait */
    MemoryContext texts_context; /* what one pass needs */
    batch_tally tally;
} batch_state;

static batch_call *
init_call(batch_state *state, FuncExpr *expression)
{
    batch_call *call = palloc0(sizeof(batch_call));
    ListCell *cell;

    call->function = find_batch_function(expression->funcid);
    if (call->function == NULL || list_length(expression->args) > MAX_ARGUMENTS)
        elog(ERROR, "function %u cannot be computed in batches",
             expression->funcid);
    fmgr_info(expression->funcid, &call->info);
    fmgr_info_set_expr((Node *) expression, &call->info);
    foreach (cell, expression->args)
        call->arguments[call->argument_count++] =
            ExecInitExpr((Expr *) lfirst(cell), &state->custom.ss.ps);
    return call;
}

static void
begin_batch_scan(CustomScanState *node, EState *estate, int flags)
{
    batch_state *state = (batch_state *) node;
    CustomScan *plan = (CustomScan *) node->ss.ps.plan;
    ListCell *cell;

    outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, flags);
    state->row = ExecInitExtraTupleSlot(
        estate, ExecGetResultType(outerPlanState(node)), &TTSOpsMinimalTuple);
    foreach (cell, plan->custom_exprs)
        state->calls = lappend(state->calls,
                               init_call(state, lfirst_node(FuncExpr, cell)));
    state->capacity = setting_batch_size;
    state->waiting = palloc(sizeof(MinimalTuple) * (Size) state->capacity);
    state->wanted = Min(FIRST_ROWS, state->capacity);
    state->rows_context = AllocSetContextCreate(
        estate->es_query_cxt, "insitu batch rows", ALLOCSET_DEFAULT_SIZES);
    state->texts_context = AllocSetContextCreate(
        estate->es_query_cxt, "insitu batch texts", ALLOCSET_DEFAULT_SIZES);
}

/* ---- computing ahead ----------------------------------------------------- */

/* Makes a waiting row the one that expressions read.  They were compiled for a
 * virtual slot, the only kind that a custom scan could have before 16. */
static void
show_row(batch_state *state, int i)
{
    TupleTableSlot *slot = state->custom.ss.ss_ScanTupleSlot;
    int columns = slot->tts_tupleDescriptor->natts;

    ExecForceStoreMinimalTuple(state->waiting[i], state->row, false);
    slot_getallattrs(state->row);
    ExecClearTuple(slot);
    memcpy(slot->tts_values, state->row->tts_values,
           sizeof(Datum) * (Size) columns);
    memcpy(slot->tts_isnull, state->row->tts_isnull,
           sizeof(bool) * (Size) columns);
    ExecStoreVirtualTuple(slot);
    state->custom.ss.ps.ps_ExprContext->ecxt_scantuple = slot;
}

/* The argument of a waiting row; false when the call is to see to it itself. */
static bool
take_text(batch_state *state, batch_call *call, int i, Datum *text)
{
    ExprContext *context = state->custom.ss.ps.ps_ExprContext;
    Size most = (Size) Min(MAX_TEXT_BYTES, setting_max_input_bytes);
    bool is_null;

    show_row(state, i);
    *text = ExecEvalExpr(call->arguments[0], context, &is_null);
    return !is_null && toast_raw_datum_size(*text) - VARHDRSZ <= most;
}

/* The arguments behind the text, which are the same in all rows; false when
 * one is NULL, so that the result is. */
static bool
take_constants(batch_state *state, batch_call *call, FunctionCallInfo fcinfo)
{
    ExprContext *context = state->custom.ss.ps.ps_ExprContext;

    for (int i = 1; i < call->argument_count; i++) {
        fcinfo->args[i].value =
            ExecEvalExpr(call->arguments[i], context, &fcinfo->args[i].isnull);
        if (fcinfo->args[i].isnull)
            return false;
    }
    return true;
}

static void
compute_call(batch_state *state, batch_call *call)
{
    LOCAL_FCINFO(fcinfo, MAX_ARGUMENTS);
    const struct batch_function *function = call->function;
    ins_text *texts = palloc(sizeof(ins_text) * (Size) state->count);
    model_call *model;
    uint64 tokens;
    int count = 0;

    InitFunctionCallInfoData(*fcinfo, &call->info, (short) call->argument_count,
                             InvalidOid, NULL, NULL);
    for (int i = 0; i < state->count; i++) {
        Datum text;

        if (take_text(state, call, i, &text))
            texts[count++] = input_text(text);
    }
    if (count < 2 || !take_constants(state, call, fcinfo))
        return;
    model = open_call(fcinfo, function->model_argument, function->fallback);
    check_task(model, function->task);
    count = Min(count,
                rows_kept(model, function->task) / list_length(state->calls));
    if (count < 2)
        return;
    tokens = compute_ahead(model, function->task, texts, (size_t) count);
    count_batch(&state->tally, (uint32) count, tokens);
}

static void
compute_results(batch_state *state)
{
    MemoryContext caller = MemoryContextSwitchTo(state->texts_context);
    ListCell *cell;

    foreach (cell, state->calls)
        compute_call(state, lfirst(cell));
    MemoryContextSwitchTo(caller);
    MemoryContextReset(state->texts_context);
    ResetExprContext(state->custom.ss.ps.ps_ExprContext);
}

/* How many rows to read before the first of them goes on. */
static int
rows_ahead(const batch_state *state)
{
    if (!setting_batch_plans || setting_memo_size == 0)
        return 1;
    /* The call itself must refuse a long text, when its row's turn comes. */
    if (setting_on_long_input == LONG_INPUT_ERROR)
        return 1;
    /* Converting a text may fail, and a row behind a LIMIT must not. */
    if (GetDatabaseEncoding() != PG_UTF8 &&
        GetDatabaseEncoding() != PG_SQL_ASCII)
        return 1;
    return state->wanted;
}

/* Reads the next rows; false when there are none. */
static bool
read_rows(batch_state *state)
{
    int wanted = rows_ahead(state);
    Size bytes = 0;

    MemoryContextReset(state->rows_context);
    state->count = state->next = 0;
    while (!state->is_exhausted && state->count < wanted &&
           bytes < MAX_WAITING_BYTES) {
        TupleTableSlot *slot = ExecProcNode(outerPlanState(state));
        MemoryContext caller;

        if (TupIsNull(slot)) {
            state->is_exhausted = true;
            break;
        }
        caller = MemoryContextSwitchTo(state->rows_context);
        state->waiting[state->count] = ExecCopySlotMinimalTuple(slot);
        MemoryContextSwitchTo(caller);
        bytes += state->waiting[state->count++]->t_len;
    }
    state->wanted = Min(state->wanted * 2, state->capacity);
    if (state->count > 1)
        compute_results(state);
    return state->count > 0;
}

static TupleTableSlot *
exec_batch_scan(CustomScanState *node)
{
    batch_state *state = (batch_state *) node;
    ExprContext *context = node->ss.ps.ps_ExprContext;

    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (state->next >= state->count && !read_rows(state))
            return NULL;
        ResetExprContext(context);
        show_row(state, state->next++);
        if (node->ss.ps.qual != NULL && !ExecQual(node->ss.ps.qual, context)) {
            InstrCountFiltered1(node, 1);
            continue;
        }
        if (node->ss.ps.ps_ProjInfo != NULL)
            return ExecProject(node->ss.ps.ps_ProjInfo);
        return node->ss.ss_ScanTupleSlot;
    }
}

static void
end_batch_scan(CustomScanState *node)
{
    ExecEndNode(outerPlanState(node));
}

static void
rescan_batch_scan(CustomScanState *node)
{
    batch_state *state = (batch_state *) node;

    state->count = state->next = 0;
    state->is_exhausted = false;
    state->wanted = Min(FIRST_ROWS, state->capacity);
    MemoryContextReset(state->rows_context);
    if (outerPlanState(node)->chgParam == NULL)
        ExecReScan(outerPlanState(node));
}

/* ---- EXPLAIN ------------------------------------------------------------- */

static void
explain_batch_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
    batch_state *state = (batch_state *) node;
    CustomScan *plan = (CustomScan *) node->ss.ps.plan;
    List *context =
        set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
    bool with_table = EXPLAINED_TABLES(es) > 1 || es->verbose;
    List *calls = NIL;
    batch_counts counts;
    ListCell *cell;

    foreach (cell, plan->custom_exprs)
        calls = lappend(calls, deparse_expression(lfirst(cell), context,
                                                  with_table, false));
    ExplainPropertyList("Calls", calls, es);
    if (!es->analyze)
        return;
    counts = state->tally.counts;
    ExplainPropertyUInteger("Batches", NULL, counts.batches, es);
    ExplainPropertyUInteger("Texts", NULL, counts.texts, es);
    ExplainPropertyUInteger("Tokens", NULL, counts.tokens, es);
    ExplainPropertyUInteger("Largest Batch", NULL, counts.largest, es);
}

/* ---- parallel workers ---------------------------------------------------- */

static Size
estimate_counts(CustomScanState *node, ParallelContext *context)
{
    (void) node;
    return shared_counts_size(context->nworkers);
}

static void
init_counts(CustomScanState *node, ParallelContext *context, void *memory)
{
    share_counts(&((batch_state *) node)->tally, memory, context->nworkers);
}

/* The workers of a rescan go on counting where those before them ended. */
static void
reinit_counts(CustomScanState *node, ParallelContext *context, void *memory)
{
    (void) node;
    (void) context;
    (void) memory;
}

static void
init_worker_counts(CustomScanState *node, shm_toc *toc, void *memory)
{
    (void) toc;
    join_counts(&((batch_state *) node)->tally, memory, ParallelWorkerNumber);
}

static void
shut_down_batch_scan(CustomScanState *node)
{
    collect_counts(&((batch_state *) node)->tally);
}

/* ---- making one ---------------------------------------------------------- */

static const CustomExecMethods exec_methods = {
    .CustomName = "insitu batch",
    .BeginCustomScan = begin_batch_scan,
    .ExecCustomScan = exec_batch_scan,
    .EndCustomScan = end_batch_scan,
    .ReScanCustomScan = rescan_batch_scan,
    .EstimateDSMCustomScan = estimate_counts,
    .InitializeDSMCustomScan = init_counts,
    .ReInitializeDSMCustomScan = reinit_counts,
    .InitializeWorkerCustomScan = init_worker_counts,
    .ShutdownCustomScan = shut_down_batch_scan,
    .ExplainCustomScan = explain_batch_scan,
};

static Node *
create_batch_state(CustomScan *plan)
{
    batch_state *state = palloc0(sizeof(batch_state));

    (void) plan;
    NodeSetTag(state, T_CustomScanState);
    state->custom.methods = &exec_methods;
    return (Node *) state;
}

const CustomScanMethods batch_scan_methods = {
    .CustomName = "insitu batch",
    .CreateCustomScanState = create_batch_state,
};

void
register_batch_scan(void)
{
    RegisterCustomScanMethods(&batch_scan_methods);
}

CustomScan *
make_batch_scan(Plan *child, List *targets, List *quals, List *calls)
{
    CustomScan *node = makeNode(CustomScan);
    Plan *plan = &node->scan.plan;
    ListCell *cell;

    plan->startup_cost = child->startup_cost;
    plan->total_cost = child->total_cost;
    plan->plan_rows = child->plan_rows;
    plan->plan_width = child->plan_width;
    plan->parallel_safe = child->parallel_safe;
    plan->extParam = bms_copy(child->extParam);
    plan->allParam = bms_copy(child->allParam);
    plan->targetlist = targets;
    plan->qual = quals;
    plan->lefttree = child;
    node->methods = &batch_scan_methods;
    node->custom_exprs = calls;
    node->flags = CUSTOM_SCAN_PROJECTS;
    foreach (cell, child->targetlist) {
        TargetEntry *entry = lfirst(cell);
        Node *expression = (Node *) entry->expr;
        Var *var =
            makeVar(OUTER_VAR, entry->resno, exprType(expression),
                    exprTypmod(expression), exprCollation(expression), 0);

        node->custom_scan_tlist =
            lappend(node->custom_scan_tlist,
                    makeTargetEntry((Expr *) var, entry->resno, NULL, false));
    }
    return node;
}
