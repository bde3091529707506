/*
 * pg_rows.c - set-returning functions: rows into a tuplestore.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/tupdesc.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"

#include "pg_rows.h"

void
begin_rows(FunctionCallInfo fcinfo, row_sink *sink)
{
    ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
    MemoryContext caller;
    TupleDesc row;

    if (info == NULL || !IsA(info, ReturnSetInfo) ||
        (info->allowedModes & SFRM_Materialize) == 0)
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("a function that returns rows was called where rows "
                        "cannot be returned"),
                 errhint("Call it in FROM.")));
    caller = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
    if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    sink->row = BlessTupleDesc(CreateTupleDescCopy(row));
    sink->store = tuplestore_begin_heap(
        (info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
    info->returnMode = SFRM_Materialize;
    info->setResult = sink->store;
    info->setDesc = sink->row;
    MemoryContextSwitchTo(caller);
}

void
put_row(row_sink *sink, Datum *values, bool *nulls)
{
    tuplestore_putvalues(sink->store, sink->row, values, nulls);
}
