/*
 * sqlite_registry.c - one copy of each model's weights for all connections and
 * threads of the process.
 *
 * Entries are keyed by digest, so that they can not be stale and no file can
 * pass its bytes off as another's: what enters has been hashed.  Connections
 * hold references; the last one to let go unmaps the weights, while the entry
 * with its counters stays for model_stats.
 *
 * The mutex guards the list and the fields of entries and is never held while
 * a model is loaded.  A loading entry belongs to one thread; others wait.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "sqlite_weights.h"

/* A loader that is stopped must not hold up others for ever. */
#define WAIT_NANOSECONDS 20000000
#define MAX_WAITS        3000 /* one minute */

typedef enum load_state { STATE_EMPTY, STATE_LOADING, STATE_READY } load_state;

struct shared_model {
    shared_model *next;
    model_identity identity; /* by which it was loaded first */
    load_state state;
    unsigned references;
    weights weights;
    ins_model *model;
    model_counters counters;
};

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t registry_changed = PTHREAD_COND_INITIALIZER;
static shared_model *registry = NULL;

/* The mutex is held. */
static ins_status
find_entry(const model_identity *identity, shared_model **entry,
           ins_error *error)
{
    void *memory;

    for (*entry = registry; *entry != NULL; *entry = (*entry)->next)
        if (memcmp((*entry)->identity.digest, identity->digest,
                   INS_DIGEST_BYTES) == 0)
            return INS_OK;
    INS_TRY(ins_alloc_zeroed(&process_host, 1, sizeof(shared_model), &memory,
                             error));
    *entry = memory;
    (*entry)->identity = *identity;
    (*entry)->next = registry;
    registry = *entry;
    return INS_OK;
}

static ins_status
load_entry(connection *conn, const model_identity *identity, weights *found,
           ins_model **model, ins_error *error)
{
    ins_status status;

    INS_TRY(prepare_runtime(error));
    INS_TRY(load_weights(conn, identity, found, error));
    status =
        ins_model_open(model, found->data, found->size, &process_host, error);
    if (status != INS_OK)
        unload_weights(found);
    return status;
}

/* The entry is LOADING and ours. */
static ins_status
fill_entry(connection *conn, const model_identity *identity,
           shared_model *entry, ins_error *error)
{
    weights found = {0};
    ins_model *model = NULL;
    ins_status status = load_entry(conn, identity, &found, &model, error);

    pthread_mutex_lock(&registry_mutex);
    if (status == INS_OK) {
        entry->weights = found;
        entry->model = model;
        entry->state = STATE_READY;
        entry->references = 1;
        entry->counters.loads++;
    } else {
        entry->state = STATE_EMPTY;
        entry->counters.errors++;
    }
    pthread_cond_broadcast(&registry_changed);
    pthread_mutex_unlock(&registry_mutex);
    return status;
}

/* The mutex is held, and released while waiting. */
static void
wait_for_change(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&registry_changed, &registry_mutex, &until);
}

/*
 * Takes a reference to a ready entry, or makes the caller its loader (*ours),
 * or waits a moment (neither).
 */
static ins_status
take_entry(const model_identity *identity, shared_model **entry, bool *ours,
           bool *ready, ins_error *error)
{
    ins_status status;

    *ours = *ready = false;
    pthread_mutex_lock(&registry_mutex);
    status = find_entry(identity, entry, error);
    if (status == INS_OK) {
        if ((*entry)->state == STATE_LOADING)
            wait_for_change();
        *ready = (*entry)->state == STATE_READY;
        *ours = (*entry)->state == STATE_EMPTY;
        if (*ready)
            (*entry)->references++;
        if (*ours)
            (*entry)->state = STATE_LOADING;
    }
    pthread_mutex_unlock(&registry_mutex);
    return status;
}

ins_status
acquire_model(connection *conn, const model_identity *identity,
              shared_model **shared, ins_error *error)
{
    ins_host host = connection_host(conn);

    for (int i = 0; i < MAX_WAITS; i++) {
        bool ours;
        bool ready;

        INS_TRY(take_entry(identity, shared, &ours, &ready, error));
        if (ready)
            return INS_OK;
        if (ours)
            return fill_entry(conn, identity, *shared, error);
        /* Not under the mutex: SQLite may call the application from here. */
        INS_TRY(ins_poll(&host, error));
    }
    return ins_fail(error, INS_BUSY,
                    "another thread is still loading model \"%s\"",
                    identity->name);
}

void
retain_model(shared_model *shared)
{
    pthread_mutex_lock(&registry_mutex);
    shared->references++;
    pthread_mutex_unlock(&registry_mutex);
}

void
release_model(shared_model *shared)
{
    ins_model *model = NULL;
    weights unused = {0};

    if (shared == NULL)
        return;
    pthread_mutex_lock(&registry_mutex);
    if (--shared->references == 0) {
        model = shared->model;
        unused = shared->weights;
        shared->model = NULL;
        memset(&shared->weights, 0, sizeof(shared->weights));
        shared->state = STATE_EMPTY;
    }
    pthread_mutex_unlock(&registry_mutex);
    ins_model_close(model);
    unload_weights(&unused);
}

const ins_model *
model_of(const shared_model *shared)
{
    return shared->model;
}

void
count_usage(shared_model *shared, const model_counters *added)
{
    model_counters *counters = &shared->counters;

    pthread_mutex_lock(&registry_mutex);
    counters->calls += added->calls;
    counters->rows += added->rows;
    counters->tokens += added->tokens;
    counters->memo_hits += added->memo_hits;
    counters->errors += added->errors;
    counters->milliseconds += added->milliseconds;
    pthread_mutex_unlock(&registry_mutex);
}

/* The mutex is held. */
static ins_status
copy_statistics(model_statistics **rows, size_t *count, ins_error *error)
{
    size_t entries = 0;
    size_t i = 0;

    for (shared_model *entry = registry; entry != NULL; entry = entry->next)
        entries++;
    *rows = sqlite3_malloc64((entries + 1) * sizeof(model_statistics));
    if (*rows == NULL)
        return ins_fail_no_memory(error, entries);
    for (shared_model *entry = registry; entry != NULL; entry = entry->next) {
        model_statistics *row = &(*rows)[i++];

        memcpy(row->name, entry->identity.name, sizeof(row->name));
        ins_digest_text(row->digest, entry->identity.digest);
        memcpy(row->digest_bytes, entry->identity.digest, INS_DIGEST_BYTES);
        row->place =
            entry->state == STATE_READY ? entry->weights.place : PLACE_NONE;
        row->connections = entry->references;
        row->counters = entry->counters;
    }
    *count = entries;
    return INS_OK;
}

ins_status
list_statistics(model_statistics **rows, size_t *count, ins_error *error)
{
    ins_status status;

    pthread_mutex_lock(&registry_mutex);
    status = copy_statistics(rows, count, error);
    pthread_mutex_unlock(&registry_mutex);
    return status;
}
