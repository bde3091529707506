/*
 * pg_host.c - what a backend lends to the core: memory and the cancel flag.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg_host.h"

static void *
allocate(void *user, size_t size)
{
    if (!AllocHugeSizeIsValid(size))
        return NULL;
    return MemoryContextAllocExtended((MemoryContext) user, size,
                                      MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

static void
release(void *user, void *memory)
{
    (void) user;
    if (memory != NULL)
        pfree(memory);
}

/*
 * Any pending interrupt stops the core, which then lets the caller at its own
 * level run CHECK_FOR_INTERRUPTS() and, if that returns, begin again.  While
 * interrupts are held off that would never end, so they do not count.
 */
static bool
is_cancelled(void *user)
{
    (void) user;
    return InterruptPending && InterruptHoldoffCount == 0 &&
           QueryCancelHoldoffCount == 0 && CritSectionCount == 0;
}

static bool
is_query_ended(void *user)
{
    return is_cancelled(user) && (QueryCancelPending || ProcDiePending);
}

ins_host
host_in(MemoryContext context)
{
    ins_host host = {
        .user = context,
        .alloc = allocate,
        .release = release,
        .cancelled = is_cancelled,
    };

    return host;
}

ins_host
host_to_the_end_in(MemoryContext context)
{
    ins_host host = host_in(context);

    host.cancelled = is_query_ended;
    return host;
}
