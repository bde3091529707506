/*
 * system_error.h - failures of system calls as statuses, worded once.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SYSTEM_ERROR_H
#define INS_SYSTEM_ERROR_H

#include "base/status.h"

/* What fits into a message beside its other words. */
#define INS_SHOWN_PATH_BYTES 150

/*
 * The path as messages show it: its last INS_SHOWN_PATH_BYTES bytes, because
 * the end says more than the beginning.  Borrowed from path.
 */
const char *ins_shown_path(const char *path);

/*
 * Fails with "could not VERB "PATH": reason", code being an errno value.
 * Status: NOT_FOUND, PERMISSION, DISK_FULL, NO_MEMORY, BAD_SOURCE (a loop of
 * links, a file where a directory should be) or IO_ERROR.
 */
ins_status ins_fail_system(ins_error *error, int code, const char *verb,
                           const char *path);

#endif
