/*
 * pg_rows.h - set-returning functions: rows into a tuplestore.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_ROWS_H
#define PG_ROWS_H

#include "fmgr.h"
#include "utils/tuplestore.h"

typedef struct row_sink {
    Tuplestorestate *store;
    TupleDesc row;
} row_sink;

/* Begins the result of the running function, which then puts its rows and
 * returns NULL.  ERROR when the caller cannot take a set. */
void begin_rows(FunctionCallInfo fcinfo, row_sink *sink);
void put_row(row_sink *sink, Datum *values, bool *nulls);

#endif
