/*
 * pg_host.h - what a backend lends to the core: memory and the cancel flag.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_HOST_H
#define PG_HOST_H

#include "insitu.h"
#include "utils/palloc.h"

/* Memory comes from context, which must outlive everything allocated. */
ins_host host_in(MemoryContext context);
/* The same for work that cannot begin again: only what ends the query stops
 * it, and other interrupts wait. */
ins_host host_to_the_end_in(MemoryContext context);

#endif
