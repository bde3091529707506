/*
 * sqlite_registry.h - one copy of each model's weights per process.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_REGISTRY_H
#define SQLITE_REGISTRY_H

#include "sqlite_host.h"

typedef struct model_counters {
    uint64_t loads;
    uint64_t calls;
    uint64_t rows;
    uint64_t tokens; /* that went through the encoder */
    uint64_t memo_hits;
    uint64_t errors;
    double milliseconds;
} model_counters;

/* Where the bytes of a loaded model lie. */
typedef enum weight_place {
    PLACE_NONE,    /* not loaded */
    PLACE_LIBRARY, /* in this shared library */
    PLACE_CACHE,   /* in a mapped cache file */
    PLACE_PRIVATE  /* in memory of this process */
} weight_place;

typedef struct shared_model shared_model;

/* What a catalog knows about a model before it is loaded. */
typedef struct model_identity {
    char name[MAX_NAME_BYTES];
    uint8_t digest[INS_DIGEST_BYTES];
    uint64_t bytes;
    bool bundled;
} model_identity;

/*
 * Gives the process's copy of a model, loading it first if nobody has; waits
 * while another thread or process loads it.  Pair with release_model.
 */
ins_status acquire_model(connection *conn, const model_identity *identity,
                         shared_model **shared, ins_error *error);
/* One more reference to a model that the caller holds already. */
void retain_model(shared_model *shared);
void release_model(shared_model *shared); /* accepts NULL */
const ins_model *model_of(const shared_model *shared);
void count_usage(shared_model *shared, const model_counters *added);

/* One row of model_stats. */
typedef struct model_statistics {
    char name[MAX_NAME_BYTES];
    char digest[INS_DIGEST_CHARS];
    uint8_t digest_bytes[INS_DIGEST_BYTES];
    weight_place place;
    uint32_t connections; /* references */
    model_counters counters;
} model_statistics;

/* *rows: from sqlite3_malloc64. */
ins_status list_statistics(model_statistics **rows, size_t *count,
                           ins_error *error);

#endif
