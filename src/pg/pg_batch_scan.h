/*
 * pg_batch_scan.h - a plan node that computes results ahead, many at a time.
 *
 * The node reads some rows of its child, lets the model answer the calls of
 * all of them in one pass, and then hands the rows on, one by one.  The answers
 * go to the backend's memo (pg_memo.h), where the calls find them when the
 * expressions of the row are evaluated, as they would without the node: it can
 * change when a result is computed, never which.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_BATCH_SCAN_H
#define PG_BATCH_SCAN_H

#include "nodes/extensible.h"
#include "nodes/primnodes.h"

extern const CustomScanMethods batch_scan_methods;

/* In _PG_init. */
void register_batch_scan(void);

/* Is this one of the functions that answer for one text? */
bool is_batch_function(Oid function);

/*
 * A node over child, with custom_exprs = calls (FuncExprs).  targets, quals
 * and calls refer to child's columns by INDEX_VAR.  The caller sets
 * plan_node_id and moves initPlans.
 */
CustomScan *make_batch_scan(Plan *child, List *targets, List *quals,
                            List *calls);

#endif
