/*
 * pg_progress.c - slots of shared memory for trainings, and train_progress().
 *
 * A slot has a spinlock that is held while it is copied, and the process that
 * owns it.  It is given back when the backend's last training ends, however it
 * ends, at the latest when the backend does; a crash empties all shared memory.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <math.h>

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg_progress.h"
#include "pg_rows.h"
#include "pg_shared.h"

#define MAX_SHOWN_TRAININGS 64
#define SEGMENT_NAME        "insitu trainings"
#define PHASE_BYTES         16

typedef struct training_state {
    int pid; /* 0: the slot is free */
    Oid database;
    Oid user; /* of the session */
    ins_training_method method;
    TimestampTz started;
    double expected; /* seconds from started; NaN: unknown */
    char phase[PHASE_BYTES];
    ins_training_progress progress; /* without its pointer */
} training_state;

typedef struct training_slot {
    slock_t lock;
    training_state state;
} training_slot;

typedef struct shared_trainings {
    training_slot slots[MAX_SHOWN_TRAININGS];
} shared_trainings;

static training_slot *own_slot; /* NULL: none */
static int own_trainings;

static void
initialize_trainings(void *memory)
{
    shared_trainings *shared = memory;

    memset(shared, 0, sizeof(*shared));
    for (int i = 0; i < MAX_SHOWN_TRAININGS; i++)
        SpinLockInit(&shared->slots[i].lock);
}

void
request_progress_memory(void)
{
    request_shared_memory(sizeof(shared_trainings));
}

static shared_trainings *
attach_trainings(void)
{
    static shared_piece piece = {.name = SEGMENT_NAME,
                                 .bytes = sizeof(shared_trainings),
                                 .initialize = initialize_trainings};

    return attach_piece(&piece);
}

/* ---- the slot of this backend ------------------------------------------- */

static void
free_slot(void)
{
    if (own_slot == NULL)
        return;
    SpinLockAcquire(&own_slot->lock);
    own_slot->state.pid = 0;
    SpinLockRelease(&own_slot->lock);
    own_slot = NULL;
}

static void
free_slot_at_exit(int code, Datum argument)
{
    (void) code;
    (void) argument;
    free_slot();
}

static training_slot *
take_slot(shared_trainings *shared)
{
    training_state empty = {
        .pid = MyProcPid,
        .database = MyDatabaseId,
        .user = GetSessionUserId(),
        .started = GetCurrentTimestamp(),
        .expected = NAN,
        .phase = "collect",
        .progress = {.loss = NAN, .accuracy = NAN},
    };

    for (int i = 0; i < MAX_SHOWN_TRAININGS; i++) {
        training_slot *slot = &shared->slots[i];
        bool is_taken = false;

        SpinLockAcquire(&slot->lock);
        if (slot->state.pid == 0) {
            slot->state = empty;
            is_taken = true;
        }
        SpinLockRelease(&slot->lock);
        if (is_taken)
            return slot;
    }
    return NULL;
}

void
open_progress(void)
{
    static bool watches_exit;
    shared_trainings *shared = attach_trainings();

    own_trainings++;
    if (shared == NULL || own_slot != NULL)
        return;
    /* Before shared memory of later kinds is detached. */
    if (!watches_exit)
        before_shmem_exit(free_slot_at_exit, (Datum) 0);
    watches_exit = true;
    own_slot = take_slot(shared);
}

void
close_progress(void)
{
    if (own_trainings > 0 && --own_trainings == 0)
        free_slot();
}

/* The rows have been collected; the rest takes as long as it did so far. */
static double
expected_seconds(TimestampTz started, TimestampTz running, double fraction)
{
    double past;

    if (running == 0 || !(fraction > 0))
        return NAN;
    past = (double) (GetCurrentTimestamp() - running);
    return ((double) (running - started) + past / Min(fraction, 1.0)) /
           USECS_PER_SEC;
}

void
report_progress(ins_training_method method, TimestampTz started,
                TimestampTz running, const ins_training_progress *progress)
{
    double expected = expected_seconds(started, running, progress->fraction);
    training_state *state;

    if (own_slot == NULL)
        return;
    state = &own_slot->state;
    SpinLockAcquire(&own_slot->lock);
    state->method = method;
    state->started = started;
    state->expected = expected;
    state->progress = *progress;
    strlcpy(state->phase, progress->phase, PHASE_BYTES);
    SpinLockRelease(&own_slot->lock);
}

/* ---- train_progress() --------------------------------------------------- */

enum {
    PROGRESS_PID,
    PROGRESS_DATABASE,
    PROGRESS_USERNAME,
    PROGRESS_METHOD,
    PROGRESS_PHASE,
    PROGRESS_EPOCH,
    PROGRESS_EPOCHS,
    PROGRESS_STEP,
    PROGRESS_STEPS,
    PROGRESS_LOSS,
    PROGRESS_ACCURACY,
    PROGRESS_ROWS,
    PROGRESS_SKIPPED,
    PROGRESS_ELAPSED,
    PROGRESS_EXPECTED,
    PROGRESS_COLUMNS
};

static const char *
method_name(ins_training_method method)
{
    switch (method) {
    case INS_TRAIN_CLASSIFIER:
        return "train_classifier";
    case INS_TRAIN_FINE_TUNE:
        return "fine_tune_classifier";
    case INS_TRAIN_TABULAR:
        return "train_tabular";
    }
    return "";
}

static void
set_text(Datum *value, bool *is_null, const char *text)
{
    *is_null = false;
    *value = CStringGetTextDatum(text);
}

static void
set_name(Datum *value, bool *is_null, const char *name)
{
    *is_null = name == NULL;
    if (name != NULL)
        *value = DirectFunctionCall1(namein, CStringGetDatum(name));
}

static void
set_count(Datum *value, bool *is_null, uint64_t count)
{
    *is_null = false;
    *value = Int64GetDatum((int64) count);
}

static void
set_number(Datum *value, bool *is_null, double number)
{
    *is_null = isnan(number);
    *value = Float8GetDatum(number);
}

/* What other roles do not see. */
static void
set_details(const training_state *state, Datum *values, bool *nulls)
{
    const ins_training_progress *progress = &state->progress;
    double elapsed =
        (double) (GetCurrentTimestamp() - state->started) / USECS_PER_SEC;

#define PLACE(column) &values[column], &nulls[column]
    set_text(PLACE(PROGRESS_METHOD), method_name(state->method));
    set_text(PLACE(PROGRESS_PHASE), state->phase);
    if (progress->epochs > 0) {
        values[PROGRESS_EPOCH] = Int32GetDatum((int32) progress->epoch);
        values[PROGRESS_EPOCHS] = Int32GetDatum((int32) progress->epochs);
        nulls[PROGRESS_EPOCH] = nulls[PROGRESS_EPOCHS] = false;
    }
    if (progress->steps > 0) {
        set_count(PLACE(PROGRESS_STEP), progress->step);
        set_count(PLACE(PROGRESS_STEPS), progress->steps);
    }
    set_number(PLACE(PROGRESS_LOSS), progress->loss);
    set_number(PLACE(PROGRESS_ACCURACY), progress->accuracy);
    set_count(PLACE(PROGRESS_ROWS), progress->rows);
    set_count(PLACE(PROGRESS_SKIPPED), progress->skipped);
    set_number(PLACE(PROGRESS_ELAPSED), elapsed);
    set_number(PLACE(PROGRESS_EXPECTED), state->expected);
}

static void
put_training(row_sink *sink, const training_state *state)
{
    Datum values[PROGRESS_COLUMNS] = {0};
    bool nulls[PROGRESS_COLUMNS];

    memset(nulls, true, sizeof(nulls));
    values[PROGRESS_PID] = Int32GetDatum(state->pid);
    nulls[PROGRESS_PID] = false;
    set_name(PLACE(PROGRESS_DATABASE), get_database_name(state->database));
    set_name(PLACE(PROGRESS_USERNAME), GetUserNameFromId(state->user, true));
    if (has_privs_of_role(GetUserId(), state->user) ||
        has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS))
        set_details(state, values, nulls);
    put_row(sink, values, nulls);
}
#undef PLACE

PG_FUNCTION_INFO_V1(insitu_train_progress);

Datum
insitu_train_progress(PG_FUNCTION_ARGS)
{
    shared_trainings *shared = attach_trainings();
    row_sink sink;

    begin_rows(fcinfo, &sink);
    for (int i = 0; shared != NULL && i < MAX_SHOWN_TRAININGS; i++) {
        training_slot *slot = &shared->slots[i];
        training_state state;

        SpinLockAcquire(&slot->lock);
        state = slot->state;
        SpinLockRelease(&slot->lock);
        if (state.pid != 0 && BackendPidGetProc(state.pid) != NULL)
            put_training(&sink, &state);
    }
    PG_RETURN_NULL();
}
