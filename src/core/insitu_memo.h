/*
 * insitu_memo.h - recent results, kept for sessions that are asked again.
 *
 * A row is found by the SHA-256 of all that decides about it: the model, the
 * task, the session's settings and the text.  Neither texts nor their tokens
 * are kept.  What a memo holds can be told from how long a call takes: the
 * host clears it when the user changes.
 *
 * A memo serves one caller at a time, any number of sessions and models.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_MEMO_H
#define INSITU_MEMO_H

#include "insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

#define INS_MEMO_MIN_BYTES      1024
#define INS_MEMO_MAX_BYTES      ((size_t) 1 << 30)
#define INS_MEMO_IDENTITY_BYTES 32

/* ins_memo, declared in insitu.h: give it to ins_session_open. */

typedef struct ins_memo_usage {
    uint64_t hits;
    uint64_t misses;
    uint64_t rows; /* held now */
} ins_memo_usage;

/*
 * bytes: all memory that it will ever use, INS_MEMO_MIN_BYTES to
 * INS_MEMO_MAX_BYTES, allocated here.  The rows that were not asked for the
 * longest go first.  host: copied.  Errors: INVALID_ARGUMENT, NO_MEMORY.
 */
ins_status ins_memo_open(ins_memo **memo, size_t bytes, const ins_host *host,
                         ins_error *error);
/* After the sessions that use it.  Accepts NULL. */
void ins_memo_close(ins_memo *memo);
/* Forgets all rows; the counters stay.  Accepts NULL. */
void ins_memo_clear(ins_memo *memo);
/* Rows of so many values that stay for certain when they are the last that
 * were put or found; 0 for NULL. */
size_t ins_memo_capacity(const ins_memo *memo, uint32_t values);
ins_memo_usage ins_memo_counters(const ins_memo *memo);

#ifdef __cplusplus
}
#endif
#endif
