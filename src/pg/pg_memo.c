/*
 * pg_memo.c - the backend's memo of recent results.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/memutils.h"

#include "pg_error.h"
#include "pg_host.h"
#include "pg_memo.h"
#include "pg_settings.h"

static ins_memo *memo;
static int memo_kilobytes; /* the setting when it was made */
static Oid memo_user;      /* whose rows it has */
static MemoryContext memo_context;
static ProcessUtility_hook_type previous_utility_hook;

bool
is_memo_outdated(void)
{
    return memo_kilobytes != setting_memo_size;
}

void
replace_memo(void)
{
    ins_error error;
    ins_host host;

    ins_memo_close(memo);
    memo = NULL;
    memo_kilobytes = 0;
    if (setting_memo_size == 0)
        return;
    if (memo_context == NULL)
        memo_context = AllocSetContextCreate(TopMemoryContext, "insitu memo",
                                             ALLOCSET_SMALL_SIZES);
    host = host_in(memo_context);
    check_status(
        ins_memo_open(&memo, (size_t) setting_memo_size * 1024, &host, &error),
        &error);
    memo_kilobytes = setting_memo_size;
}

ins_memo *
memo_of_user(void)
{
    if (memo_user != GetUserId())
        ins_memo_clear(memo);
    memo_user = GetUserId();
    return memo;
}

/*
 * DISCARD ALL hands a pooled connection to somebody else.  Its parts leave no
 * trace that an extension is told of, but the command itself comes by here.
 */
static void
clear_on_discard(UTILITY_HOOK_PARAMETERS)
{
    const DiscardStmt *discard = (const DiscardStmt *) statement->utilityStmt;

    if (IsA(discard, DiscardStmt) && discard->target == DISCARD_ALL)
        ins_memo_clear(memo);
    if (previous_utility_hook != NULL)
        previous_utility_hook(UTILITY_HOOK_ARGUMENTS);
    else
        standard_ProcessUtility(UTILITY_HOOK_ARGUMENTS);
}

void
watch_discard(void)
{
    previous_utility_hook = ProcessUtility_hook;
    ProcessUtility_hook = clear_on_discard;
}
