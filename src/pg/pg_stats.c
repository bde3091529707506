/*
 * pg_stats.c - counters in shared memory, and model_stats().
 *
 * A slot is taken once, under the lock, and never given back before a restart;
 * after that its counters are atomics that need no lock.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg_rows.h"
#include "pg_session.h"
#include "pg_shared.h"
#include "pg_stats.h"

#define MAX_COUNTED_MODELS 128
#define SEGMENT_NAME       "insitu"

struct model_counters {
    Oid database; /* InvalidOid: the slot is free */
    bool bundled;
    char name[MODEL_NAME_BYTES]; /* under which it was first used */
    uint8_t digest[INS_DIGEST_BYTES];
    pg_atomic_uint64 loads;
    pg_atomic_uint64 calls;
    pg_atomic_uint64 rows;
    pg_atomic_uint64 tokens;
    pg_atomic_uint64 microseconds;
    pg_atomic_uint64 errors;
    pg_atomic_uint64 memo_hits;
};

typedef struct shared_statistics {
    LWLock lock; /* for taking slots */
    model_counters slots[MAX_COUNTED_MODELS];
} shared_statistics;

static shared_statistics *statistics;

static void
initialize_statistics(void *memory)
{
    shared_statistics *shared = memory;

    memset(shared, 0, sizeof(*shared));
    LWLockInitialize(&shared->lock, LWLockNewTrancheId());
    for (int i = 0; i < MAX_COUNTED_MODELS; i++) {
        model_counters *slot = &shared->slots[i];

        pg_atomic_init_u64(&slot->loads, 0);
        pg_atomic_init_u64(&slot->calls, 0);
        pg_atomic_init_u64(&slot->rows, 0);
        pg_atomic_init_u64(&slot->tokens, 0);
        pg_atomic_init_u64(&slot->microseconds, 0);
        pg_atomic_init_u64(&slot->errors, 0);
        pg_atomic_init_u64(&slot->memo_hits, 0);
    }
}

void
request_statistics_memory(void)
{
    request_shared_memory(sizeof(shared_statistics));
}

static bool
attach_statistics(void)
{
    static shared_piece piece = {.name = SEGMENT_NAME,
                                 .bytes = sizeof(shared_statistics),
                                 .initialize = initialize_statistics};

    if (statistics != NULL)
        return true;
    statistics = attach_piece(&piece);
    if (statistics != NULL)
        LWLockRegisterTranche(statistics->lock.tranche, SEGMENT_NAME);
    return statistics != NULL;
}

/* ---- counting ----------------------------------------------------------- */

static bool
is_slot_of(const model_counters *slot, const model_identity *identity)
{
    if (slot->database != MyDatabaseId || slot->bundled != identity->bundled)
        return false;
    if (identity->bundled)
        return strcmp(slot->name, identity->name) == 0;
    return memcmp(slot->digest, identity->digest, INS_DIGEST_BYTES) == 0;
}

model_counters *
find_counters(const model_identity *identity)
{
    model_counters *found = NULL;

    if (!attach_statistics())
        return NULL;
    LWLockAcquire(&statistics->lock, LW_EXCLUSIVE);
    for (int i = 0; found == NULL && i < MAX_COUNTED_MODELS; i++) {
        model_counters *slot = &statistics->slots[i];

        if (!OidIsValid(slot->database)) {
            slot->bundled = identity->bundled;
            strlcpy(slot->name, identity->name, MODEL_NAME_BYTES);
            memcpy(slot->digest, identity->digest, INS_DIGEST_BYTES);
            slot->database = MyDatabaseId;
        }
        if (is_slot_of(slot, identity))
            found = slot;
    }
    LWLockRelease(&statistics->lock);
    return found;
}

void
count_load(model_counters *counters)
{
    if (counters != NULL)
        pg_atomic_fetch_add_u64(&counters->loads, 1);
}

void
count_call(model_counters *counters, const counted_call *call)
{
    if (counters == NULL)
        return;
    pg_atomic_fetch_add_u64(&counters->calls, 1);
    pg_atomic_fetch_add_u64(&counters->rows, (int64) call->rows);
    pg_atomic_fetch_add_u64(&counters->tokens, (int64) call->tokens);
    pg_atomic_fetch_add_u64(&counters->microseconds,
                            (int64) call->microseconds);
    pg_atomic_fetch_add_u64(&counters->memo_hits, (int64) call->memo_hits);
    if (call->failed)
        pg_atomic_fetch_add_u64(&counters->errors, 1);
}

/* ---- model_stats() ------------------------------------------------------ */

static Datum
read_counter(pg_atomic_uint64 *counter)
{
    return Int64GetDatum((int64) pg_atomic_read_u64(counter));
}

static void
put_counters(row_sink *sink, model_counters *counters)
{
    uint8_t digest[INS_DIGEST_BYTES];
    char text[INS_DIGEST_CHARS];
    Datum values[10];
    bool nulls[10] = {false};

    memcpy(digest, counters->digest, INS_DIGEST_BYTES);
    if (counters->bundled)
        bundled_digest(counters->name, digest);
    ins_digest_text(text, digest);
    values[0] = CStringGetTextDatum(counters->name);
    values[1] = CStringGetTextDatum(text);
    values[2] = read_counter(&counters->loads);
    values[3] = read_counter(&counters->calls);
    values[4] = read_counter(&counters->rows);
    values[5] = read_counter(&counters->tokens);
    values[6] = Float8GetDatum(
        (double) pg_atomic_read_u64(&counters->microseconds) / 1000.0);
    values[7] = read_counter(&counters->errors);
    values[8] = read_counter(&counters->memo_hits);
    values[9] = Int64GetDatum((int64) session_bytes_of(counters));
    put_row(sink, values, nulls);
}

PG_FUNCTION_INFO_V1(insitu_model_stats);

Datum
insitu_model_stats(PG_FUNCTION_ARGS)
{
    row_sink sink;

    begin_rows(fcinfo, &sink);
    if (attach_statistics())
        for (int i = 0; i < MAX_COUNTED_MODELS; i++)
            if (statistics->slots[i].database == MyDatabaseId)
                put_counters(&sink, &statistics->slots[i]);
    PG_RETURN_NULL();
}
