/*
 * pg_shared.c - small pieces of shared memory.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "miscadmin.h"
#include "storage/lwlock.h"

#include "pg_shared.h"

#if PG_HAS_NAMED_SEGMENTS

void
request_shared_memory(size_t bytes)
{
    (void) bytes;
}

static void *
open_piece(const shared_piece *piece)
{
    bool found;

    return GetNamedDSMSegment(piece->name, piece->bytes, piece->initialize,
                              &found);
}

/* The registry's own locks, of which one has no name.  What calls functions
 * holds none. */
static void
release_init_lock(void)
{
    LWLockReleaseAll();
}

#else

#if PG_HAS_SHMEM_REQUEST_HOOK
static shmem_request_hook_type previous_request_hook;
static size_t requested;

static void
request_memory(void)
{
    if (previous_request_hook != NULL)
        previous_request_hook();
    RequestAddinShmemSpace(requested);
}
#endif

void
request_shared_memory(size_t bytes)
{
    if (!process_shared_preload_libraries_in_progress)
        return;
#if PG_HAS_SHMEM_REQUEST_HOOK
    if (requested == 0) {
        previous_request_hook = shmem_request_hook;
        shmem_request_hook = request_memory;
    }
    requested += MAXALIGN(bytes);
#else
    RequestAddinShmemSpace(bytes);
#endif
}

static void *
open_piece(const shared_piece *piece)
{
    void *memory;
    bool found;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    memory = ShmemInitStruct(piece->name, piece->bytes, &found);
    if (!found)
        piece->initialize(memory);
    LWLockRelease(AddinShmemInitLock);
    return memory;
}

/* An ERROR gives up the interrupt holds of the locks it leaves behind. */
static void
release_init_lock(void)
{
    if (!LWLockHeldByMe(AddinShmemInitLock))
        return;
    HOLD_INTERRUPTS();
    LWLockRelease(AddinShmemInitLock);
}

#endif

void *
attach_piece(shared_piece *piece)
{
    MemoryContext caller = CurrentMemoryContext;

    if (piece->memory != NULL || piece->unavailable)
        return piece->memory;
    PG_TRY();
    {
        piece->memory = open_piece(piece);
    }
    PG_CATCH();
    {
        /* Shared memory is full, or another version of the library made
         * the piece. */
        MemoryContextSwitchTo(caller);
        FlushErrorState();
        release_init_lock();
        piece->unavailable = true;
    }
    PG_END_TRY();
    return piece->memory;
}
