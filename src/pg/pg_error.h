/*
 * pg_error.h - the core's failures as PostgreSQL errors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_ERROR_H
#define PG_ERROR_H

#include "insitu.h"

/* SQLSTATE of a status, in ereport's form. */
int sqlstate_of(ins_status status);

/*
 * Raises ERROR with the failure's message, detail, hint and SQLSTATE.  A
 * cancelled call becomes the error that PostgreSQL words for the reason
 * (statement timeout, user request, shutdown).
 */
void raise_failure(const ins_error *error) __attribute__((noreturn));
void check_status(ins_status status, const ins_error *error);

#endif
