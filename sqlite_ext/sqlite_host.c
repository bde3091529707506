/*
 * sqlite_host.c - what the core borrows: memory, the interrupt flag, the lock
 * around OpenBLAS.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Time between two looks at the interrupt flag. */
#define INTERRUPT_NANOSECONDS 5000000

/*
 * Debian's serial OpenBLAS gives wrong numbers when two threads compute at the
 * same time, so that all connections of the process take turns.
 */
static pthread_mutex_t blas_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
lock_blas(void *user)
{
    (void) user;
    pthread_mutex_lock(&blas_mutex);
}

static void
unlock_blas(void *user)
{
    (void) user;
    pthread_mutex_unlock(&blas_mutex);
}

/* ---- the process -------------------------------------------------------- */

static void *
allocate_shared(void *user, size_t size)
{
    (void) user;
    return malloc(size);
}

static void
release_shared(void *user, void *memory)
{
    (void) user;
    free(memory);
}

/*
 * Memory that outlives a connection comes from malloc: SQLite's allocator may
 * be shut down or replaced between two connections.
 */
const ins_host process_host = {
    .alloc = allocate_shared,
    .release = release_shared,
    .blas_lock = lock_blas,
    .blas_unlock = unlock_blas,
};

ins_status
prepare_runtime(ins_error *error)
{
    static bool prepared = false; /* guarded by blas_mutex */
    ins_status status = INS_OK;

    pthread_mutex_lock(&blas_mutex);
    if (!prepared)
        status = ins_runtime_prepare(error);
    prepared = prepared || status == INS_OK;
    pthread_mutex_unlock(&blas_mutex);
    return status;
}

/* ---- a connection ------------------------------------------------------- */

static void *
allocate(void *user, size_t size)
{
    (void) user;
    return sqlite3_malloc64(size);
}

static void
release(void *user, void *memory)
{
    (void) user;
    sqlite3_free(memory);
}

/*
 * SQLite tells about an interrupt from 3.41 on.  Before that, a statement that
 * does nothing notices it: it is stopped itself.  It is not kept, because an
 * application could not close its connection while it exists.
 */
static bool
is_interrupted(connection *conn)
{
    sqlite3_stmt *nothing;
    int code;

#if SQLITE_VERSION_NUMBER >= 3041000
    if (sqlite3_libversion_number() >= 3041000)
        return sqlite3_is_interrupted(conn->db) != 0;
#endif
    code = sqlite3_prepare_v2(conn->db, "SELECT 1", -1, &nothing, NULL);
    if (code != SQLITE_OK)
        return code == SQLITE_INTERRUPT;
    code = sqlite3_step(nothing);
    sqlite3_finalize(nothing);
    return code == SQLITE_INTERRUPT;
}

uint64_t
now_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static bool
cancelled(void *user)
{
    connection *conn = user;
    uint64_t now = now_nanoseconds();

    if (now - conn->interrupt_tested < INTERRUPT_NANOSECONDS)
        return false;
    conn->interrupt_tested = now;
    return is_interrupted(conn);
}

ins_host
connection_host(connection *conn)
{
    return (ins_host){
        .user = conn,
        .alloc = allocate,
        .release = release,
        .cancelled = cancelled,
        .blas_lock = lock_blas,
        .blas_unlock = unlock_blas,
    };
}
