/*
 * json.c - limits in front of jansson, and typed reading of fields.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "formats/json.h"

#include <string.h>

/* ---- limits ------------------------------------------------------------- */

/* What a scan over the bytes finds, before anything is allocated. */
struct scan {
    uint64_t values;
    size_t depth;
    size_t max_depth;
};

static void
scan_byte(struct scan *scan, char byte)
{
    switch (byte) {
    case '{':
    case '[':
        scan->values++;
        scan->depth++;
        if (scan->depth > scan->max_depth)
            scan->max_depth = scan->depth;
        break;
    case '}':
    case ']':
        if (scan->depth > 0)
            scan->depth--;
        break;
    case ',':
    case ':':
        scan->values++;
        break;
    default:
        break;
    }
}

/* Stops early once a limit is passed. */
static struct scan
scan_text(ins_text text, uint64_t max_values)
{
    struct scan scan = {1, 0, 0};
    bool in_string = false;

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (in_string && byte == '\\')
            i++;
        else if (byte == '"')
            in_string = !in_string;
        else if (!in_string)
            scan_byte(&scan, byte);
        if (scan.values > max_values || scan.max_depth > INS_JSON_MAX_DEPTH)
            break;
    }
    return scan;
}

static ins_status
check_limits(const ins_json *json, ins_text text, const ins_json_limits *limits,
             ins_error *error)
{
    struct scan scan;

    INS_CHECK(text.size <= limits->bytes, error, INS_LIMIT_EXCEEDED,
              "%s has %zu bytes; the limit is %llu", json->file, text.size,
              (unsigned long long) limits->bytes);
    scan = scan_text(text, limits->values);
    INS_CHECK(scan.max_depth <= INS_JSON_MAX_DEPTH, error, json->status,
              "%s is nested deeper than %d levels", json->file,
              INS_JSON_MAX_DEPTH);
    INS_CHECK(scan.values <= limits->values, error, INS_LIMIT_EXCEEDED,
              "%s has more than %llu values", json->file,
              (unsigned long long) limits->values);
    return INS_OK;
}

/* ---- opening ------------------------------------------------------------ */

static ins_status
fail_parse(const ins_json *json, const json_error_t *failure, ins_error *error)
{
    /* jansson reports most failed allocations without a word. */
    if (json_error_code(failure) == json_error_out_of_memory ||
        failure->text[0] == '\0')
        return ins_fail_no_memory(error, 0);
    ins_fail(error, json->status, "%s is not valid JSON", json->file);
    ins_fail_detail(error, "Line %d, column %d: %s.", failure->line,
                    failure->column, failure->text);
    return json->status;
}

ins_status
ins_json_open(ins_json *json, ins_text text, const ins_json_limits *limits,
              ins_error *error)
{
    size_t flags = JSON_REJECT_DUPLICATES;
    json_error_t failure;

    json->value = NULL;
    INS_TRY(check_limits(json, text, limits, error));
    if (limits->integers_as_reals)
        flags |= JSON_DECODE_INT_AS_REAL;
    json->value = json_loadb(text.data, text.size, flags, &failure);
    if (json->value == NULL)
        return fail_parse(json, &failure, error);
    return INS_OK;
}

void
ins_json_close(ins_json *json)
{
    json_decref((json_t *) json->value);
    json->value = NULL;
}

/* ---- failures ----------------------------------------------------------- */

void
ins_json_show(const json_t *value, char shown[INS_JSON_SHOWN_BYTES])
{
    static const char dots[] = "...";
    const size_t room = INS_JSON_SHOWN_BYTES - sizeof(dots);
    size_t size;

    /* Containers may be huge, and dumping them allocates. */
    if (value == NULL || json_is_object(value) || json_is_array(value)) {
        const char *text = value == NULL           ? "missing"
                           : json_is_object(value) ? "an object"
                                                   : "an array";

        ins_format(shown, INS_JSON_SHOWN_BYTES, "%s", text);
        return;
    }
    size = json_dumpb(value, shown, room,
                      JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (size > room)
        memcpy(shown + room, dots, sizeof(dots));
    else
        shown[size] = '\0';
}

ins_status
ins_json_fail(const ins_json *json, const char *key, const char *expected,
              ins_error *error)
{
    char shown[INS_JSON_SHOWN_BYTES];

    ins_json_show(json_object_get(json->value, key), shown);
    return ins_fail(error, json->status, "%s: \"%s%s\" must be %s, not %s",
                    json->file, json->path, key, expected, shown);
}

ins_status
ins_json_fail_missing(const ins_json *json, const char *key, ins_error *error)
{
    return ins_fail(error, json->status, "%s: \"%s%s\" is missing", json->file,
                    json->path, key);
}

ins_status
ins_json_fail_unsupported(const ins_json *json, const char *key,
                          const char *detail, ins_error *error)
{
    char shown[INS_JSON_SHOWN_BYTES];

    ins_json_show(json_object_get(json->value, key), shown);
    ins_fail(error, INS_UNSUPPORTED, "%s: \"%s%s\" = %s is not supported",
             json->file, json->path, key, shown);
    if (detail != NULL)
        ins_fail_detail(error, "%s", detail);
    return INS_UNSUPPORTED;
}

/* ---- fields ------------------------------------------------------------- */

/* The field, or NULL when it is missing or null. */
static const json_t *
find_field(const ins_json *json, const char *key)
{
    const json_t *field = json_object_get(json->value, key);

    return json_is_null(field) ? NULL : field;
}

bool
ins_json_has(const ins_json *json, const char *key)
{
    return find_field(json, key) != NULL;
}

ins_status
ins_json_u32(const ins_json *json, const char *key, ins_json_range range,
             uint32_t *value, ins_error *error)
{
    const json_t *field = find_field(json, key);
    json_int_t number;

    if (field == NULL)
        return INS_OK;
    number = json_integer_value(field);
    if (!json_is_integer(field) || number < (json_int_t) range.low ||
        number > (json_int_t) range.high) {
        char expected[64];

        ins_format(expected, sizeof(expected), "an integer from %u to %u",
                   range.low, range.high);
        return ins_json_fail(json, key, expected, error);
    }
    *value = (uint32_t) number;
    return INS_OK;
}

ins_status
ins_json_bool(const ins_json *json, const char *key, bool *value,
              ins_error *error)
{
    const json_t *field = find_field(json, key);

    if (field == NULL)
        return INS_OK;
    if (!json_is_boolean(field))
        return ins_json_fail(json, key, "true or false", error);
    *value = json_is_true(field);
    return INS_OK;
}

ins_status
ins_json_text(const ins_json *json, const char *key, const char **value,
              ins_error *error)
{
    const json_t *field = find_field(json, key);

    if (field == NULL)
        return INS_OK;
    if (!json_is_string(field))
        return ins_json_fail(json, key, "a string", error);
    *value = json_string_value(field);
    return INS_OK;
}

ins_status
ins_json_object(const ins_json *json, const char *key, const char *path,
                ins_json *child, ins_error *error)
{
    const json_t *field = find_field(json, key);

    *child = (ins_json){json->file, path, json->status, field};
    if (field != NULL && !json_is_object(field))
        return ins_json_fail(json, key, "an object", error);
    return INS_OK;
}

ins_status
ins_json_array(const ins_json *json, const char *key, const json_t **value,
               ins_error *error)
{
    const json_t *field = find_field(json, key);

    if (field == NULL)
        return INS_OK;
    if (!json_is_array(field))
        return ins_json_fail(json, key, "an array", error);
    *value = field;
    return INS_OK;
}
