/*
 * json.c - limits in front of the parser, and typed reading of fields.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "formats/json.h"

#include <string.h>

#define SHOWN_TEXT_BYTES 48 /* of a string, in messages */

/* ---- opening ------------------------------------------------------------ */

/* Line and column, from 1, of a byte; for messages only. */
static void
locate(ins_text text, size_t offset, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        ++*column;
        if (text.data[i] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

static ins_status
fail_parse(const ins_json *json, ins_text text, const ins_json_failure *failure,
           ins_error *error)
{
    size_t line;
    size_t column;

    if (failure->status == INS_NO_MEMORY)
        return ins_fail_no_memory(error, 0);
    if (failure->status == INS_CANCELLED)
        return ins_fail_cancelled(error);
    if (failure->status == INS_LIMIT_EXCEEDED) {
        return ins_fail(error, INS_LIMIT_EXCEEDED, "%s has too many values",
                        json->file);
    }
    locate(text, failure->offset, &line, &column);
    ins_fail(error, json->status, "%s is not valid JSON", json->file);
    ins_fail_detail(error, "Line %zu, column %zu: %s.", line, column,
                    failure->problem);
    return json->status;
}

ins_status
ins_json_open(ins_json *json, ins_text text, const ins_json_limits *limits,
              const ins_host *host, ins_error *error)
{
    ins_json_failure failure;

    json->value = NULL;
    INS_CHECK(text.size <= limits->bytes, error, INS_LIMIT_EXCEEDED,
              "%s has %zu bytes; the limit is %llu", json->file, text.size,
              (unsigned long long) limits->bytes);
    json->value = ins_json_parse(text, limits->values, limits->large_as_reals,
                                 host, &failure);
    if (json->value == NULL)
        return fail_parse(json, text, &failure, error);
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
    const char *text = json_string_value(value);
    size_t size;

    if (value == NULL || json_is_object(value) || json_is_array(value)) {
        /* Containers may be huge. */
        text = value == NULL           ? "missing"
               : json_is_object(value) ? "an object"
                                       : "an array";
        ins_format(shown, INS_JSON_SHOWN_BYTES, "%s", text);
    } else if (text != NULL) {
        bool is_long = strlen(text) > SHOWN_TEXT_BYTES;

        ins_format(shown, INS_JSON_SHOWN_BYTES, "\"%.*s%s\"",
                   is_long ? SHOWN_TEXT_BYTES : (int) strlen(text), text,
                   is_long ? "..." : "");
    } else {
        size = json_dumpb(value, shown, INS_JSON_SHOWN_BYTES - 1,
                          JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        shown[size < INS_JSON_SHOWN_BYTES ? size : 0] = '\0';
    }
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

ins_status
ins_json_u64(const ins_json *json, const char *key, uint64_t *value,
             ins_error *error)
{
    const json_t *field = find_field(json, key);

    if (field == NULL)
        return INS_OK;
    if (!json_is_integer(field) || json_integer_value(field) < 0)
        return ins_json_fail(json, key, "an integer that is not negative",
                             error);
    *value = (uint64_t) json_integer_value(field);
    return INS_OK;
}

bool
ins_json_is_within(const ins_json_interval *interval, double number)
{
    /* Written so that a NaN fails. */
    return number >= interval->low && number <= interval->high &&
           !(interval->low_excluded && number == interval->low) &&
           !(interval->high_excluded && number == interval->high);
}

ins_status
ins_json_number(const ins_json *json, const char *key,
                const ins_json_interval *interval, double *value,
                ins_error *error)
{
    const json_t *field = find_field(json, key);
    double number;

    if (field == NULL)
        return INS_OK;
    number = json_number_value(field);
    if (!json_is_number(field) || !ins_json_is_within(interval, number))
        return ins_json_fail(json, key, interval->text, error);
    *value = number;
    return INS_OK;
}

/* ---- options ------------------------------------------------------------- */

#define LIST_BYTES 192

/* Appends to a list for people: a, b or c. */
static size_t
add_to_list(char list[LIST_BYTES], size_t at, size_t left, const char *quote,
            const char *text)
{
    return at + ins_format(list + at, LIST_BYTES - at, "%s%s%s%s", quote, text,
                           quote,
                           left > 2    ? ", "
                           : left == 2 ? " or "
                                       : "");
}

ins_status
ins_json_choice(const ins_json *json, const char *key,
                const ins_json_word *words, size_t word_count, int *value,
                ins_error *error)
{
    char list[LIST_BYTES] = "";
    const char *text = NULL;
    size_t at = 0;

    INS_TRY(ins_json_text(json, key, &text, error));
    if (text == NULL)
        return INS_OK;
    for (size_t i = 0; i < word_count; i++) {
        if (strcmp(words[i].text, text) == 0) {
            *value = words[i].value;
            return INS_OK;
        }
        at = add_to_list(list, at, word_count - i, "\"", words[i].text);
    }
    return ins_json_fail(json, key, list, error);
}

static ins_status
fail_unknown_key(const char *key, const ins_json_keys *keys, ins_status status,
                 ins_error *error)
{
    char list[LIST_BYTES] = "";
    size_t at = 0;

    for (size_t i = 0; i < keys->count; i++)
        at += ins_format(list + at, LIST_BYTES - at, "%s%s", i > 0 ? ", " : "",
                         keys->names[i]);
    ins_fail(error, status, "unknown option \"%.*s\"%s", 64, key, keys->of);
    ins_fail_hint(error, "Options%s: %s.", keys->of, list);
    return status;
}

ins_status
ins_json_check_options(const ins_json *json, const ins_json_keys *keys,
                       ins_error *error)
{
    const char *key;
    json_t *value;

    INS_CHECK(json_is_object(json->value), error, json->status,
              "%s must be a JSON object", json->file);
    json_object_foreach((json_t *) json->value, key, value)
    {
        size_t i = 0;

        while (i < keys->count && strcmp(keys->names[i], key) != 0)
            i++;
        if (i == keys->count)
            return fail_unknown_key(key, keys, json->status, error);
        if (json_is_null(value))
            return ins_json_fail(json, key, "set to a value", error);
    }
    return INS_OK;
}
