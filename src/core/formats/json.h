/*
 * json.h - JSON from untrusted files: bounded before it is parsed, and read
 * with messages that name the file, the field and its value.
 *
 * The values are jansson's.  It takes its memory from malloc, not from
 * ins_host; what is parsed is therefore short-lived and bounded by
 * ins_json_limits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_JSON_H
#define INS_JSON_H

#include "formats/json_parse.h"

/* An object inside a file. */
typedef struct ins_json {
    const char *file;    /* name for messages: "config.json" */
    const char *path;    /* of this object: "" or "normalizer." */
    ins_status status;   /* of a violation: BAD_SOURCE, INVALID_ARGUMENT */
    const json_t *value; /* a JSON object or array; NULL when closed */
} ins_json;

typedef struct ins_json_limits {
    uint64_t bytes;
    uint64_t values; /* values and keys */
    /* Integers beyond 64 bits become doubles, as 1e30 in model_max_length,
     * and 1e300 in options, which PostgreSQL writes out. */
    bool large_as_reals;
} ins_json_limits;

typedef struct ins_json_range {
    uint32_t low;
    uint32_t high;
} ins_json_range;

/*
 * Parses text into json->value; file and status are what messages use.
 * Refused: too large, nested deeper than INS_JSON_MAX_DEPTH, duplicate keys,
 * invalid UTF-8, NUL, anything after the value.
 * host: asked whether to stop, or NULL.
 * Errors: status, LIMIT_EXCEEDED, NO_MEMORY, CANCELLED.
 */
ins_status ins_json_open(ins_json *json, ins_text text,
                         const ins_json_limits *limits, const ins_host *host,
                         ins_error *error);
void ins_json_close(ins_json *json);

/*
 * Read a field.  A field that is missing or null leaves *value as it was; a
 * field of another type or out of range is a failure that names it.  Texts
 * and objects are borrowed.
 */
ins_status ins_json_u32(const ins_json *json, const char *key,
                        ins_json_range range, uint32_t *value,
                        ins_error *error);
ins_status ins_json_bool(const ins_json *json, const char *key, bool *value,
                         ins_error *error);
ins_status ins_json_text(const ins_json *json, const char *key,
                         const char **value, ins_error *error);
/* child->value NULL when the field is missing; path names the child. */
ins_status ins_json_object(const ins_json *json, const char *key,
                           const char *path, ins_json *child, ins_error *error);
ins_status ins_json_array(const ins_json *json, const char *key,
                          const json_t **value, ins_error *error);

/* Any integer that is not negative. */
ins_status ins_json_u64(const ins_json *json, const char *key, uint64_t *value,
                        ins_error *error);
/* Integers count as numbers. */
typedef struct ins_json_interval {
    double low;
    double high;
    bool low_excluded;
    bool high_excluded;
    const char *text; /* for messages: "a number above 0" */
} ins_json_interval;
bool ins_json_is_within(const ins_json_interval *interval, double number);
ins_status ins_json_number(const ins_json *json, const char *key,
                           const ins_json_interval *interval, double *value,
                           ins_error *error);

/* A string out of a few; the messages name them in this order. */
typedef struct ins_json_word {
    const char *text;
    int value;
} ins_json_word;
ins_status ins_json_choice(const ins_json *json, const char *key,
                           const ins_json_word *words, size_t word_count,
                           int *value, ins_error *error);

/*
 * Options that users write: an object with no other keys than these, none of
 * them null.  of: " of classifier" or "", for messages.
 */
typedef struct ins_json_keys {
    const char *const *names;
    size_t count;
    const char *of;
} ins_json_keys;
ins_status ins_json_check_options(const ins_json *json,
                                  const ins_json_keys *keys, ins_error *error);

/* Is the field there, and not null? */
bool ins_json_has(const ins_json *json, const char *key);

/* Failures: "FILE: \"KEY\" must be EXPECTED, not VALUE", and so on. */
ins_status ins_json_fail(const ins_json *json, const char *key,
                         const char *expected, ins_error *error);
ins_status ins_json_fail_missing(const ins_json *json, const char *key,
                                 ins_error *error);
ins_status ins_json_fail_unsupported(const ins_json *json, const char *key,
                                     const char *detail, ins_error *error);

#define INS_JSON_SHOWN_BYTES 64
/* The value as JSON text, cut to fit; for messages. */
void ins_json_show(const json_t *value, char shown[INS_JSON_SHOWN_BYTES]);

#endif
