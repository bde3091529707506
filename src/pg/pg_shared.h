/*
 * pg_shared.h - small pieces of shared memory.
 *
 * The first backend that needs a piece makes it, so that no preloading is
 * needed; it stays until the server stops.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_SHARED_H
#define PG_SHARED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct shared_piece {
    const char *name;
    size_t bytes;
    void (*initialize)(void *memory);
    void *memory;     /* NULL: not attached yet */
    bool unavailable; /* tried in this backend, no room */
} shared_piece;

/* In _PG_init, for preloaded libraries. */
void request_shared_memory(size_t bytes);
/* The memory, NULL when there is no room. */
void *attach_piece(shared_piece *piece);

#endif
