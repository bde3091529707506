/*
 * pg_memo.h - the backend's memo of recent results, bounded by
 * insitu.memo_size.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_MEMO_H
#define PG_MEMO_H

#include "insitu_memo.h"

/* In _PG_init: DISCARD ALL clears the memo. */
void watch_discard(void);

/* Whether the setting was changed since replace_memo. */
bool is_memo_outdated(void);
/* Makes the memo that the setting asks for, in the place of the one before,
 * which no session may use any more.  ERROR when there is no memory. */
void replace_memo(void);
/*
 * For the current user: what another one left is forgotten, because the time
 * of a call would tell what that one asked for.  NULL: there is none.
 */
ins_memo *memo_of_user(void);

#endif
