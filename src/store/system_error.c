/*
 * system_error.c - failures of system calls as statuses, worded once.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store/system_error.h"

#include <errno.h>
#include <string.h>

const char *
ins_shown_path(const char *path)
{
    size_t length = strlen(path);

    if (length <= INS_SHOWN_PATH_BYTES)
        return path;
    path += length - INS_SHOWN_PATH_BYTES;
    /* Not into the middle of a character. */
    while (((unsigned char) *path & 0xC0) == 0x80)
        path++;
    return path;
}

static ins_status
status_of(int code)
{
    switch (code) {
    case ENOENT:
        return INS_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return INS_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return INS_DISK_FULL;
    case ENOMEM:
        return INS_NO_MEMORY;
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case ENXIO:
    case ENAMETOOLONG:
        return INS_BAD_SOURCE;
    default:
        return INS_IO_ERROR;
    }
}

ins_status
ins_fail_system(ins_error *error, int code, const char *verb, const char *path)
{
    char buffer[80] = "";
    /* The GNU variant: thread-safe, returns the text, may ignore buffer. */
    const char *reason = strerror_r(code, buffer, sizeof(buffer));

    return ins_fail(error, status_of(code), "could not %s \"%s\": %s", verb,
                    ins_shown_path(path), reason);
}
