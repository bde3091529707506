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

static bool
is_interrupt_due(void)
{
    return InterruptPending && InterruptHoldoffCount == 0 &&
           QueryCancelHoldoffCount == 0 && CritSectionCount == 0;
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
    return is_interrupt_due();
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

/* ---- guarded ------------------------------------------------------------ */

static void *
allocate_guarded(void *user, size_t size)
{
    return allocate(((guard *) user)->context, size);
}

void
call_guarded(guard *guard, void (*action)(void *), void *argument)
{
    MemoryContext caller = CurrentMemoryContext;

    if (guard->error != NULL)
        return;
    PG_TRY();
    {
        action(argument);
    }
    PG_CATCH();
    {
        /* A FATAL does not come here: the process ends inside of it. */
        MemoryContextSwitchTo(guard->context);
        guard->error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(caller);
}

static void
serve_interrupts(void *argument)
{
    (void) argument;
    CHECK_FOR_INTERRUPTS();
}

static bool
is_stopped(void *user)
{
    guard *guard = user;

    if (is_interrupt_due())
        call_guarded(guard, serve_interrupts, NULL);
    return guard->error != NULL;
}

ins_host
guarded_host(guard *guard)
{
    ins_host host = {
        .user = guard,
        .alloc = allocate_guarded,
        .release = release,
        .cancelled = is_stopped,
    };

    return host;
}

void
raise_guarded(guard *guard)
{
    if (guard->error != NULL)
        ReThrowError(guard->error);
}
