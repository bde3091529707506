/*
 * status.h - how the core reports failure: fill an ins_error, return a status.
 *
 * Messages follow PostgreSQL's style guide: the message is lower case without
 * a period, detail and hint are sentences.  The formats are printf's, limited
 * to %s %c %d %u %zu %lld %llu and %.*s, so that the compiler checks them; the
 * formatter is ours because the core uses no stdio and no locale.  Control
 * characters and invalid UTF-8 in arguments come out as \xNN: a file's strings
 * cannot write to somebody's terminal through a log.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_STATUS_H
#define INS_STATUS_H

#include "insitu.h"

#define INS_PRINTF(format_index) \
    __attribute__((format(printf, format_index, (format_index) + 1)))

/* Sets status and message, clears detail and hint; returns status. error may
 * be NULL. */
ins_status ins_fail(ins_error *error, ins_status status, const char *format,
                    ...) INS_PRINTF(3);
/* Add to what ins_fail set. */
void ins_fail_detail(ins_error *error, const char *format, ...) INS_PRINTF(2);
void ins_fail_hint(ins_error *error, const char *format, ...) INS_PRINTF(2);

/* Formats into buffer (always NUL-terminated); returns the length stored. */
size_t ins_format(char *buffer, size_t size, const char *format, ...)
    INS_PRINTF(3);

/* Common failures, worded once. */
ins_status ins_fail_no_memory(ins_error *error, size_t size);
ins_status ins_fail_cancelled(ins_error *error);

/* Return the failing status of call to our caller. */
#define INS_TRY(call)                    \
    do {                                 \
        ins_status try_status_ = (call); \
        if (try_status_ != INS_OK)       \
            return try_status_;          \
    } while (0)

/* Return a failure unless condition holds. */
#define INS_CHECK(condition, error, status, ...)             \
    do {                                                     \
        if (!(condition))                                    \
            return ins_fail((error), (status), __VA_ARGS__); \
    } while (0)

#endif
