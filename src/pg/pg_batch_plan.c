/*
 * pg_batch_plan.c - puts batch scans into finished plans.
 *
 * When the planner is done, a node P whose target list or condition calls
 * classify or embed becomes a batch scan over P: P keeps reading, joining or
 * grouping and hands on the columns that the expressions need; the expressions
 * themselves move up, unchanged but for where their columns are.  Of a
 * condition the part from the first such call on moves, so that what the
 * planner wanted to be tested earlier still is.
 *
 * Only what is listed in can_be_wrapped is touched, and calls that a row may
 * not reach (CASE, COALESCE, AND, OR) are left alone.  Plans of cursors stay as
 * they are: a cursor may be told to go back, and WHERE CURRENT OF must find the
 * scan.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/parallel.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"

#include "pg_batch_plan.h"
#include "pg_batch_scan.h"
#include "pg_settings.h"

static planner_hook_type previous_planner;
static ExecutorStart_hook_type previous_start;

/*
 * The query whose planning loaded this library was planned without the hook:
 * its plan is seen to when it starts.
 */
static bool is_first_query = true;

/* ---- calls --------------------------------------------------------------- */

static bool
is_constant(Node *node)
{
    return IsA(node, Const) || IsA(node, Param);
}

static bool
contains_call_or_subplan(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, SubPlan) ||
        (IsA(node, FuncExpr) && is_batch_function(((FuncExpr *) node)->funcid)))
        return true;
    return expression_tree_walker(node, contains_call_or_subplan, context);
}

/* A call that may be computed ahead: of a text that any row can give. */
static bool
is_batch_call(Node *node)
{
    FuncExpr *call = (FuncExpr *) node;
    Node *text;

    if (!IsA(node, FuncExpr) || call->funcretset ||
        !is_batch_function(call->funcid))
        return false;
    text = linitial(call->args);
    for (int i = 1; i < list_length(call->args); i++)
        if (!is_constant(list_nth(call->args, i)))
            return false;
    return !is_constant(text) && !contain_volatile_functions(text) &&
           !expression_returns_set(text) &&
           !contains_call_or_subplan(text, NULL);
}

/* Does a row get to the arguments of this node without fail? */
static bool
is_conditional(Node *node)
{
    switch (nodeTag(node)) {
    case T_CaseExpr:
    case T_CoalesceExpr:
    case T_BoolExpr:
    case T_MinMaxExpr:
    case T_Aggref:
    case T_WindowFunc:
    case T_GroupingFunc:
    case T_SubPlan:
        return true;
    default:
        return false;
    }
}

static bool
collect_calls(Node *node, List **calls)
{
    if (node == NULL || is_conditional(node))
        return false;
    if (is_batch_call(node)) {
        if (!list_member(*calls, node))
            *calls = lappend(*calls, node);
        return false;
    }
    return expression_tree_walker(node, collect_calls, calls);
}

static List *
calls_of(Node *node)
{
    List *calls = NIL;

    collect_calls(node, &calls);
    return calls;
}

/* ---- columns ------------------------------------------------------------- */

static bool
is_column(Node *node)
{
    return IsA(node, Var) || IsA(node, Aggref) || IsA(node, WindowFunc) ||
           IsA(node, GroupingFunc);
}

/* Replaces each column by one of the lower node, whose targets grow. */
static Node *
refer_to_columns(Node *node, List **targets)
{
    TargetEntry *found = NULL;
    ListCell *cell;

    if (node == NULL)
        return NULL;
    if (!is_column(node))
        return expression_tree_mutator(node, refer_to_columns, targets);
    foreach (cell, *targets)
        if (equal(((TargetEntry *) lfirst(cell))->expr, node))
            found = lfirst(cell);
    if (found == NULL) {
        found = makeTargetEntry(copyObject((Expr *) node),
                                (AttrNumber) (list_length(*targets) + 1), NULL,
                                false);
        *targets = lappend(*targets, found);
    }
    return (Node *) makeVar(INDEX_VAR, found->resno, exprType(node),
                            exprTypmod(node), exprCollation(node), 0);
}

/* ---- nodes --------------------------------------------------------------- */

static bool
has_multiple_assignment(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, SubPlan) &&
        ((SubPlan *) node)->subLinkType == MULTIEXPR_SUBLINK)
        return true;
    return expression_tree_walker(node, has_multiple_assignment, context);
}

/* Nodes that compute their target lists from rows of their own. */
static bool
can_be_wrapped(const Plan *plan)
{
    switch (nodeTag(plan)) {
    case T_SeqScan:
    case T_SampleScan:
    case T_IndexScan:
    case T_IndexOnlyScan:
    case T_BitmapHeapScan:
    case T_TidScan:
    case T_SubqueryScan:
    case T_FunctionScan:
    case T_ValuesScan:
    case T_CteScan:
    case T_NestLoop:
    case T_HashJoin:
    case T_MergeJoin:
    case T_Agg:
        break;
    case T_WindowAgg:
        /* Its conditions end a window early. */
        if (plan->qual != NIL)
            return false;
        break;
    case T_Result:
        if (plan->lefttree == NULL)
            return false;
        break;
    default:
        return false;
    }
    return !expression_returns_set((Node *) plan->targetlist) &&
           !has_multiple_assignment((Node *) plan->targetlist, NULL);
}

/* A walk through a plan. */
typedef struct plan_visit {
    int next_id;        /* the next free plan_node_id */
    bool is_in_workers; /* below a Gather */
} plan_visit;

static void
place_scan(plan_visit *visit, CustomScan *node, Plan *child)
{
    node->scan.plan.plan_node_id = visit->next_id++;
    node->scan.plan.initPlan = child->initPlan;
    child->initPlan = NIL;
    /* Not that it hands out rows: only such a node gets shared memory, where
     * workers count for EXPLAIN. */
    node->scan.plan.parallel_aware = visit->is_in_workers;
}

/* Puts a batch scan over plan, whose expressions are targets and quals; calls
 * are to be found in them. */
static Plan *
wrap_plan(Plan *plan, List *targets, List *quals, List *calls,
          plan_visit *visit)
{
    List *columns = NIL;
    CustomScan *node;

    targets = (List *) refer_to_columns((Node *) targets, &columns);
    quals = (List *) refer_to_columns((Node *) quals, &columns);
    calls = (List *) refer_to_columns((Node *) calls, &columns);
    plan->targetlist = columns;
    node = make_batch_scan(plan, targets, quals, calls);
    place_scan(visit, node, plan);
    FORBID_ASYNC(plan);
    return &node->scan.plan;
}

/* The list from its first condition with a call on; *before: the others. */
static List *
split_quals(List *quals, List **before)
{
    List *after = NIL;
    ListCell *cell;

    *before = NIL;
    foreach (cell, quals) {
        if (after != NIL || calls_of(lfirst(cell)) != NIL)
            after = lappend(after, lfirst(cell));
        else
            *before = lappend(*before, lfirst(cell));
    }
    return after;
}

/* A filter below; above it calls for the rows that pass. */
static Plan *
wrap_in_two(Plan *plan, List *quals, List *calls, plan_visit *visit)
{
    List *targets = plan->targetlist;
    List *columns = NIL;
    CustomScan *node;
    Plan *filter;

    targets = (List *) refer_to_columns((Node *) targets, &columns);
    calls = (List *) refer_to_columns((Node *) calls, &columns);
    filter = wrap_plan(plan, columns, quals, calls_of(linitial(quals)), visit);
    node = make_batch_scan(filter, targets, NIL, calls);
    place_scan(visit, node, filter);
    return &node->scan.plan;
}

static Plan *
add_batch_scans(Plan *plan, plan_visit *visit, bool must_go_back)
{
    List *before;
    List *quals;
    List *target_calls;

    check_stack_depth();
    if (must_go_back || !can_be_wrapped(plan))
        return plan;
    target_calls = calls_of((Node *) plan->targetlist);
    quals = split_quals(plan->qual, &before);
    if (quals != NIL) {
        List *calls = calls_of(linitial(quals));
        List *others = list_difference(target_calls, calls);

        plan->qual = before;
        if (others != NIL)
            return wrap_in_two(plan, quals, others, visit);
        return wrap_plan(plan, plan->targetlist, quals, calls, visit);
    }
    if (target_calls != NIL)
        return wrap_plan(plan, plan->targetlist, NIL, target_calls, visit);
    return plan;
}

static Plan *visit_plan(Plan *plan, plan_visit *visit, bool must_go_back);

static void
visit_list(List *plans, plan_visit *visit)
{
    ListCell *cell;

    foreach (cell, plans)
        if (lfirst(cell) != NULL)
            lfirst(cell) = visit_plan(lfirst(cell), visit, false);
}

static Plan *
visit_plan(Plan *plan, plan_visit *visit, bool must_go_back)
{
    if (plan == NULL)
        return NULL;
    check_stack_depth();
    switch (nodeTag(plan)) {
    case T_CustomScan:
        return plan;
    case T_Append:
        visit_list(((Append *) plan)->appendplans, visit);
        break;
    case T_MergeAppend:
        visit_list(((MergeAppend *) plan)->mergeplans, visit);
        break;
    case T_SubqueryScan:
        ((SubqueryScan *) plan)->subplan =
            visit_plan(((SubqueryScan *) plan)->subplan, visit, false);
        break;
    case T_BitmapHeapScan:
        /* Below it are no rows. */
        return add_batch_scans(plan, visit, must_go_back);
    case T_Gather:
    case T_GatherMerge:
        visit->is_in_workers = true;
        plan->lefttree = visit_plan(plan->lefttree, visit, false);
        visit->is_in_workers = false;
        break;
    default:
        plan->lefttree = visit_plan(plan->lefttree, visit, false);
        plan->righttree =
            visit_plan(plan->righttree, visit, IsA(plan, MergeJoin));
        break;
    }
    return add_batch_scans(plan, visit, must_go_back);
}

/* ---- statements ---------------------------------------------------------- */

static void find_last_id(const Plan *plan, int *last, bool *is_done);

static void
find_last_id_in(List *plans, int *last, bool *is_done)
{
    ListCell *cell;

    foreach (cell, plans)
        find_last_id(lfirst(cell), last, is_done);
}

/* The highest plan_node_id, and whether batch scans are in already. */
static void
find_last_id(const Plan *plan, int *last, bool *is_done)
{
    if (plan == NULL)
        return;
    check_stack_depth();
    *last = Max(*last, plan->plan_node_id);
    switch (nodeTag(plan)) {
    case T_CustomScan:
        if (((const CustomScan *) plan)->methods == &batch_scan_methods)
            *is_done = true;
        find_last_id_in(((const CustomScan *) plan)->custom_plans, last,
                        is_done);
        break;
    case T_Append:
        find_last_id_in(((const Append *) plan)->appendplans, last, is_done);
        break;
    case T_MergeAppend:
        find_last_id_in(((const MergeAppend *) plan)->mergeplans, last,
                        is_done);
        break;
    case T_SubqueryScan:
        find_last_id(((const SubqueryScan *) plan)->subplan, last, is_done);
        break;
    case T_BitmapAnd:
        find_last_id_in(((const BitmapAnd *) plan)->bitmapplans, last, is_done);
        break;
    case T_BitmapOr:
        find_last_id_in(((const BitmapOr *) plan)->bitmapplans, last, is_done);
        break;
    default:
        break;
    }
    find_last_id(plan->lefttree, last, is_done);
    find_last_id(plan->righttree, last, is_done);
}

static void
batch_statement(PlannedStmt *statement)
{
    plan_visit visit = {.is_in_workers = false};
    int last = 0;
    bool is_done = false;

    if (statement->planTree == NULL)
        return;
    find_last_id(statement->planTree, &last, &is_done);
    find_last_id_in(statement->subplans, &last, &is_done);
    if (is_done)
        return;
    visit.next_id = last + 1;
    statement->planTree = visit_plan(statement->planTree, &visit, false);
    visit_list(statement->subplans, &visit);
}

static bool
is_cursor(int options)
{
    return (options & (CURSOR_OPT_SCROLL | CURSOR_OPT_FAST_PLAN)) != 0;
}

static PlannedStmt *
plan_in_batches(Query *query, const char *source, int options,
                ParamListInfo parameters)
{
    PlannedStmt *statement;

    is_first_query = false;
    statement = previous_planner != NULL
                    ? previous_planner(query, source, options, parameters)
                    : standard_planner(query, source, options, parameters);
    if (setting_batch_plans && !is_cursor(options))
        batch_statement(statement);
    return statement;
}

static void
start_in_batches(QueryDesc *query, int flags)
{
    if (is_first_query && setting_batch_plans && !IsParallelWorker() &&
        (flags & (EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) == 0 &&
        !(ActivePortal != NULL && is_cursor(ActivePortal->cursorOptions))) {
        /* The plan may be kept by others. */
        query->plannedstmt = copyObject(query->plannedstmt);
        batch_statement(query->plannedstmt);
    }
    is_first_query = false;
    if (previous_start != NULL)
        previous_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

void
watch_plans(void)
{
    register_batch_scan();
    previous_planner = planner_hook;
    planner_hook = plan_in_batches;
    previous_start = ExecutorStart_hook;
    ExecutorStart_hook = start_in_batches;
}

/* The functions' planner support: planning a call loads this library, and
 * with it the hooks. */
PG_FUNCTION_INFO_V1(insitu_batch_support);

Datum
insitu_batch_support(PG_FUNCTION_ARGS)
{
    (void) fcinfo;
    PG_RETURN_POINTER(NULL);
}
