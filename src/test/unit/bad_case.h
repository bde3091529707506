/*
 * bad_case.h - one row of the catalogue of bad inputs is one named test: a tiny
 * model, one damage, the status and words of the message that must come.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BAD_CASE_H
#define BAD_CASE_H

#include "unit/tiny_model.h"

typedef struct bad_case {
    const char *name; /* begins with the row: "w10_..." */
    unsigned flags;   /* of the tiny model */
    const char *file; /* whose first from becomes to; in a safetensors file */
    const char *from; /* the header's; from NULL: to is the whole file */
    const char *to;   /* NULL: the file is removed */
    void (*damage)(tiny_model *model); /* instead, or NULL */
    ins_status status;                 /* INS_OK: must be accepted */
    const char *words; /* must occur in message, detail or hint */
} bad_case;

/* Runs all of them as one cmocka group; returns the number of failures. */
int run_bad_cases(const char *group, const bad_case *cases, size_t count);

#endif
