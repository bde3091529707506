/*
 * json_parse.h - JSON text to a tree of jansson values.
 *
 * Why not jansson's own parser: when an allocation fails while it collects a
 * token it drops a byte and goes on (2.14), so that a label could lose a
 * letter; and it recurses, and reads numbers by the process's locale.  This
 * one calls only jansson's constructors, each of which says when it fails.
 *
 * Accepts what RFC 8259 describes, except: duplicate keys, NUL in strings and
 * unpaired surrogates are errors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_JSON_PARSE_H
#define INS_JSON_PARSE_H

#include <jansson.h>

#include "base/memory.h"

#define INS_JSON_MAX_DEPTH 32

typedef struct ins_json_failure {
    const char *problem; /* static; NULL: out of memory, cancelled */
    ins_status status;   /* NO_MEMORY, CANCELLED, BAD_SOURCE, LIMIT_EXCEEDED */
    size_t offset;       /* in bytes */
} ins_json_failure;

/*
 * The root, owned by the caller, or NULL with *failure set.  max_values: of
 * values and keys; large_as_reals: integers beyond 64 bits do not fail;
 * host: asked whether to stop, or NULL.
 */
json_t *ins_json_parse(ins_text text, uint64_t max_values, bool large_as_reals,
                       const ins_host *host, ins_json_failure *failure);

#endif
