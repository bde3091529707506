/*
 * memory.c - allocation through the host, and arenas on top of it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/memory.h"

#include <string.h>

#include "base/checked.h"

#define ARENA_ALIGNMENT 64

ins_status
ins_alloc(const ins_host *host, uint64_t count, size_t size, void **memory,
          ins_error *error)
{
    uint64_t bytes;
    size_t request;

    *memory = NULL;
    if (!ins_mul_u64(count, size, &bytes) || !ins_to_size(bytes, &request) ||
        request > PTRDIFF_MAX)
        return ins_fail_no_memory(error, SIZE_MAX);
    *memory = host->alloc(host->user, request > 0 ? request : 1);
    if (*memory == NULL)
        return ins_fail_no_memory(error, request);
    return INS_OK;
}

ins_status
ins_alloc_zeroed(const ins_host *host, uint64_t count, size_t size,
                 void **memory, ins_error *error)
{
    INS_TRY(ins_alloc(host, count, size, memory, error));
    memset(*memory, 0, (size_t) count * size);
    return INS_OK;
}

void
ins_release(const ins_host *host, void *memory)
{
    if (memory != NULL)
        host->release(host->user, memory);
}

ins_status
ins_poll(const ins_host *host, ins_error *error)
{
    if (host->cancelled != NULL && host->cancelled(host->user))
        return ins_fail_cancelled(error);
    return INS_OK;
}

/* Bytes of a piece including its padding. */
static bool
piece_bytes(uint64_t count, size_t size, uint64_t *bytes)
{
    return ins_mul_u64(count, size, bytes) &&
           ins_align_u64(*bytes, ARENA_ALIGNMENT, bytes);
}

void
ins_arena_reserve(ins_arena *arena, uint64_t count, size_t size)
{
    uint64_t bytes;

    if (!piece_bytes(count, size, &bytes) ||
        !ins_add_u64(arena->reserved, bytes, &arena->reserved))
        arena->overflowed = true;
}

ins_status
ins_arena_open(ins_arena *arena, const ins_host *host, ins_error *error)
{
    uint64_t bytes;
    void *block;

    if (arena->overflowed ||
        !ins_add_u64(arena->reserved, ARENA_ALIGNMENT, &bytes))
        return ins_fail_no_memory(error, SIZE_MAX);
    INS_TRY(ins_alloc(host, bytes, 1, &block, error));
    arena->block = block;
    arena->base = (uint8_t *) (((uintptr_t) block + ARENA_ALIGNMENT - 1) &
                               ~(uintptr_t) (ARENA_ALIGNMENT - 1));
    return INS_OK;
}

void *
ins_arena_take(ins_arena *arena, uint64_t count, size_t size)
{
    uint64_t bytes;
    void *piece;

    if (arena->block == NULL || !piece_bytes(count, size, &bytes) ||
        bytes > arena->reserved - arena->taken)
        return NULL;
    piece = arena->base + arena->taken;
    arena->taken += bytes;
    return piece;
}

void
ins_arena_close(ins_arena *arena, const ins_host *host)
{
    ins_release(host, arena->block);
    *arena = (ins_arena){0};
}
