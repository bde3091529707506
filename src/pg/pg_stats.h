/*
 * pg_stats.h - counters per database and model, for all backends.
 *
 * They live in a small piece of shared memory that the first backend makes
 * when it needs it, so that no preloading is needed.  When there is no room,
 * everything works without them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_STATS_H
#define PG_STATS_H

#include "pg_catalog.h"

typedef struct model_counters model_counters;

/* One call of the core. */
typedef struct counted_call {
    uint64_t rows;
    uint64_t tokens; /* that went through the encoder */
    uint64_t memo_hits;
    uint64_t microseconds;
    bool failed;
} counted_call;

/* In _PG_init, for preloaded libraries. */
void request_statistics_memory(void);
/* The counters of a model in this database, NULL when there is no room. */
model_counters *find_counters(const model_identity *identity);
/* Both accept NULL. */
void count_load(model_counters *counters);
void count_call(model_counters *counters, const counted_call *call);

#endif
