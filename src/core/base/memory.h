/*
 * memory.h - the core's one door to memory: what ins_host lends.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_MEMORY_H
#define INS_MEMORY_H

#include "base/status.h"

/* *memory: uninitialised, count * size bytes, owned by the caller; NULL on
 * failure.  A product that overflows is INS_NO_MEMORY. */
ins_status ins_alloc(const ins_host *host, uint64_t count, size_t size,
                     void **memory, ins_error *error);
/* The same, zeroed. */
ins_status ins_alloc_zeroed(const ins_host *host, uint64_t count, size_t size,
                            void **memory, ins_error *error);
void ins_release(const ins_host *host, void *memory);

/* INS_CANCELLED when the host asks to stop. */
ins_status ins_poll(const ins_host *host, ins_error *error);

/*
 * An arena: one block, cut into 64-byte aligned pieces.  Reserve every piece
 * first, open the arena, then take the pieces in the same order; taking more
 * than was reserved gives NULL.
 */
typedef struct ins_arena {
    uint8_t *block; /* owned; NULL until opened */
    uint8_t *base;  /* first 64-byte boundary in block */
    uint64_t reserved;
    uint64_t taken;
    bool overflowed;
} ins_arena;

void ins_arena_reserve(ins_arena *arena, uint64_t count, size_t size);
ins_status ins_arena_open(ins_arena *arena, const ins_host *host,
                          ins_error *error);
void *ins_arena_take(ins_arena *arena, uint64_t count, size_t size);
void ins_arena_close(ins_arena *arena, const ins_host *host);

#endif
