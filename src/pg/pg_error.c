/*
 * pg_error.c - the core's failures as PostgreSQL errors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pg_error.h"

int
sqlstate_of(ins_status status)
{
    static const int codes[INS_STATUS_COUNT] = {
        [INS_OK] = ERRCODE_SUCCESSFUL_COMPLETION,
        [INS_NO_MEMORY] = ERRCODE_OUT_OF_MEMORY,
        [INS_CANCELLED] = ERRCODE_QUERY_CANCELED,
        [INS_INVALID_ARGUMENT] = ERRCODE_INVALID_PARAMETER_VALUE,
        [INS_WRONG_TASK] = ERRCODE_WRONG_OBJECT_TYPE,
        [INS_INPUT_TOO_LONG] = ERRCODE_STRING_DATA_RIGHT_TRUNCATION,
        [INS_LIMIT_EXCEEDED] = ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        [INS_UNSUPPORTED] = ERRCODE_FEATURE_NOT_SUPPORTED,
        [INS_BAD_SOURCE] = ERRCODE_BAD_COPY_FILE_FORMAT,
        [INS_CORRUPT_PACK] = ERRCODE_DATA_CORRUPTED,
        [INS_NOT_FOUND] = ERRCODE_UNDEFINED_OBJECT,
        [INS_IO_ERROR] = ERRCODE_IO_ERROR,
        [INS_DISK_FULL] = ERRCODE_DISK_FULL,
        [INS_BUSY] = ERRCODE_OBJECT_IN_USE,
        [INS_PERMISSION] = ERRCODE_INSUFFICIENT_PRIVILEGE,
        [INS_INTERNAL] = ERRCODE_INTERNAL_ERROR,
    };

    if ((int) status < 0 || status >= INS_STATUS_COUNT)
        return ERRCODE_INTERNAL_ERROR;
    return codes[status];
}

/* A conversion could fail in the middle of an error, so nothing is converted:
 * other server encodings see "?" for what is not ASCII. */
static char *
to_server(const char *text)
{
    char *copy = pstrdup(text);

    if (GetDatabaseEncoding() != PG_UTF8)
        for (char *c = copy; *c != '\0'; c++)
            if (IS_HIGHBIT_SET(*c))
                *c = '?';
    return copy;
}

void
raise_failure(const ins_error *error)
{
    if (error->status == INS_CANCELLED)
        CHECK_FOR_INTERRUPTS();
    ereport(ERROR,
            (errcode(sqlstate_of(error->status)),
             errmsg_internal("%s", to_server(error->message)),
             error->detail[0]
                 ? errdetail_internal("%s", to_server(error->detail))
                 : 0,
             error->hint[0] ? errhint("%s", to_server(error->hint)) : 0));
    pg_unreachable();
}

void
check_status(ins_status status, const ins_error *error)
{
    if (status != INS_OK)
        raise_failure(error);
}
