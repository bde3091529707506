/*
 * malloc_host.h - memory for an ins_host, straight from malloc.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef MALLOC_HOST_H
#define MALLOC_HOST_H

#include <stdlib.h>

static inline void *
malloc_host_alloc(void *user, size_t size)
{
    (void) user;
    return malloc(size);
}

static inline void
malloc_host_release(void *user, void *memory)
{
    (void) user;
    free(memory);
}

#endif
