/*
 * sqlite_values.c - SQL values to the core's.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include "base/status.h"

ins_status
text_argument(sqlite3_value *value, const char *what, ins_text *text,
              bool *is_null, ins_error *error)
{
    int type = sqlite3_value_type(value);
    const unsigned char *data;

    text->data = "";
    text->size = 0;
    *is_null = type == SQLITE_NULL;
    if (*is_null)
        return INS_OK;
    /* Before SQLite makes a gigabyte out of a zeroblob. */
    if (type == SQLITE_BLOB) {
        ins_fail(error, INS_INVALID_ARGUMENT, "%s must be text, not a BLOB",
                 what);
        ins_fail_hint(error, "Write CAST(value AS TEXT).");
        return INS_INVALID_ARGUMENT;
    }
    data = sqlite3_value_text(value);
    if (data == NULL)
        return ins_fail_no_memory(error, 0);
    text->data = (const char *) data;
    /* After the conversion; the text may contain NUL. */
    text->size = (size_t) sqlite3_value_bytes(value);
    return INS_OK;
}

ins_status
input_argument(sqlite3_value *value, const char *what, ins_text *text,
               bool *is_null, ins_error *error)
{
    ins_status status = text_argument(value, what, text, is_null, error);

    if (status == INS_OK)
        status = check_input_bytes(text->size, what, error);
    return status;
}

ins_status
check_input_bytes(size_t size, const char *what, ins_error *error)
{
    if (size <= MAX_INPUT_BYTES)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "%s has %zu bytes, more than the limit of %d", what, size,
             MAX_INPUT_BYTES);
    ins_fail_hint(error, "Pass a part of it, such as substr(input, 1, 20000).");
    return INS_LIMIT_EXCEEDED;
}

ins_status
name_argument(sqlite3_value *value, const char *what, ins_text *text,
              bool *is_null, ins_error *error)
{
    INS_TRY(text_argument(value, what, text, is_null, error));
    INS_CHECK(*is_null || sqlite3_value_type(value) == SQLITE_TEXT, error,
              INS_INVALID_ARGUMENT, "%s must be text, not a number", what);
    return INS_OK;
}

sqlite3_int64
count_characters(const char *text, size_t from, size_t to)
{
    sqlite3_int64 count = 0;

    while (from < to) {
        unsigned char first = (unsigned char) text[from++];

        if (first >= 0xC0)
            while (from < to && ((unsigned char) text[from] & 0xC0) == 0x80)
                from++;
        count++;
    }
    return count;
}
