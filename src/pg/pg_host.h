/*
 * pg_host.h - what a backend lends to the core: memory and the cancel flag.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_HOST_H
#define PG_HOST_H

#include "insitu.h"
#include "utils/elog.h"
#include "utils/palloc.h"

/* Memory comes from context, which must outlive everything allocated. */
ins_host host_in(MemoryContext context);
/* The same for work that cannot begin again: only what ends the query stops
 * it, and other interrupts wait. */
ins_host host_to_the_end_in(MemoryContext context);

/*
 * For work that cannot begin again after an interrupt that was about something
 * else, or is too long to: interrupts are served where they come, inside the
 * core, and an ERROR is kept until the core has returned.
 */
typedef struct guard {
    MemoryContext context; /* of the memory, and of a kept error */
    ErrorData *error;      /* NULL: none */
} guard;

/* As host_in; cancelled after the first error.  guard must outlive the host. */
ins_host guarded_host(guard *guard);
/* Calls action and keeps its ERROR; does nothing when one is kept already. */
void call_guarded(guard *guard, void (*action)(void *), void *argument);
/* Raises what was kept. */
void raise_guarded(guard *guard);

#endif
