/*
 * pg_session.c - models that this backend has loaded, and calls of them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <limits.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg_error.h"
#include "pg_host.h"
#include "pg_memo.h"
#include "pg_model_map.h"
#include "pg_session.h"
#include "pg_settings.h"
#include "pg_stats.h"

#define KEY_BYTES     INS_CACHE_KEY_BYTES
#define KERNELS_BYTES 32

struct loaded_model {
    char key[KEY_BYTES]; /* digest, or "bundled " and the name */
    ins_mapping mapping;
    ins_model *model; /* NULL: the entry is being made, or failed */
    ins_session *session;
    bool session_refuses_long_input;
    char session_kernels[KERNELS_BYTES];
    uint8_t memo_identity[INS_MEMO_IDENTITY_BYTES];
    bool pinned;   /* by model_load */
    uint32_t held; /* by calls that need it to the end */
    bool bundled;
    uint64_t changes; /* of the catalog when it was last looked up */
    uint64_t last_use;
    model_counters *counters;
};

static HTAB *loaded_models;
static MemoryContext model_context;
static uint64_t use_clock;
static bool runtime_ready;

/* ---- loading and unloading ---------------------------------------------- */

static void
make_key(char key[KEY_BYTES], const model_identity *identity)
{
    memset(key, 0, KEY_BYTES);
    if (identity->bundled)
        snprintf(key, KEY_BYTES, "bundled %s", identity->name);
    else
        ins_cache_key(key, identity->digest);
}

static void
make_hash(void)
{
    HASHCTL control = {
        .keysize = KEY_BYTES,
        .entrysize = sizeof(loaded_model),
    };

    if (loaded_models != NULL)
        return;
    if (model_context == NULL)
        model_context = AllocSetContextCreate(TopMemoryContext, "insitu models",
                                              ALLOCSET_DEFAULT_SIZES);
    control.hcxt = model_context;
    loaded_models = hash_create("insitu models", 16, &control,
                                HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

static void
close_loaded(loaded_model *loaded)
{
    ins_session_close(loaded->session);
    ins_model_close(loaded->model);
    ins_mapping_close(&loaded->mapping);
    loaded->session = NULL;
    loaded->model = NULL;
}

/* Pointers of model_calls become invalid with the generation. */
static void
remove_loaded(loaded_model *loaded)
{
    close_loaded(loaded);
    (void) hash_search(loaded_models, loaded->key, HASH_REMOVE, NULL);
    advance_generation();
}

static loaded_model *
find_entry(const model_identity *identity)
{
    char key[KEY_BYTES];
    loaded_model *entry;
    bool found;

    make_hash();
    make_key(key, identity);
    entry = hash_search(loaded_models, key, HASH_ENTER, &found);
    if (!found)
        memset((char *) entry + KEY_BYTES, 0, sizeof(*entry) - KEY_BYTES);
    return entry;
}

/* *filled: the weights have just come from the tables. */
static ins_status
map_and_open(loaded_model *entry, const model_identity *identity, bool *filled,
             ins_error *error)
{
    /* It is also that of predictions, which take microseconds. */
    ins_host host = host_to_the_end_in(model_context);
    ins_mapping mapping;
    ins_status status;

    map_model(identity, &mapping, filled);
    if (*filled)
        count_load(entry->counters);
    /* Nothing below can raise an ERROR before the entry owns the mapping. */
    entry->mapping = mapping;
    status =
        ins_model_open(&entry->model, mapping.data, mapping.size, &host, error);
    if (status != INS_OK)
        close_loaded(entry);
    return status;
}

/* A bundled model's file may be another one when it is loaded again. */
static void
identify_to_memo(loaded_model *entry, const model_identity *identity)
{
    static uint64_t loads;

    StaticAssertStmt(INS_DIGEST_BYTES == INS_MEMO_IDENTITY_BYTES,
                     "a digest is an identity");
    memset(entry->memo_identity, 0, INS_MEMO_IDENTITY_BYTES);
    loads++;
    if (identity->bundled)
        memcpy(entry->memo_identity, &loads, sizeof(loads));
    else
        memcpy(entry->memo_identity, identity->digest, INS_DIGEST_BYTES);
}

static loaded_model *
load(const model_identity *identity)
{
    loaded_model *entry = find_entry(identity);
    ins_error error;
    ins_status status;
    bool filled;

    if (entry->model != NULL)
        return entry;
    entry->bundled = identity->bundled;
    identify_to_memo(entry, identity);
    entry->counters = find_counters(identity);
    status = map_and_open(entry, identity, &filled, &error);
    if (status == INS_CORRUPT_PACK && !filled && !identity->bundled) {
        /* The file was damaged; the tables have the truth. */
        discard_file(identity);
        status = map_and_open(entry, identity, &filled, &error);
    }
    check_status(status, &error);
    return entry;
}

bool
unload_model(const model_identity *identity)
{
    char key[KEY_BYTES];
    loaded_model *entry;

    if (loaded_models == NULL)
        return false;
    make_key(key, identity);
    entry = hash_search(loaded_models, key, HASH_FIND, NULL);
    if (entry == NULL || entry->model == NULL)
        return false;
    if (entry->held > 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                        errmsg("model \"%s\" is in use by a training of this "
                               "session",
                               identity->name)));
    remove_loaded(entry);
    return true;
}

void
hold_loaded(loaded_model *loaded)
{
    loaded->held++;
}

void
release_loaded(loaded_model *loaded)
{
    loaded->held--;
}

size_t
session_bytes_of(const model_counters *counters)
{
    size_t bytes = 0;
    HASH_SEQ_STATUS scan;
    loaded_model *entry;

    if (loaded_models == NULL)
        return 0;
    hash_seq_init(&scan, loaded_models);
    while ((entry = hash_seq_search(&scan)) != NULL)
        if (entry->counters == counters && entry->session != NULL)
            bytes += ins_session_bytes(entry->session);
    return bytes;
}

/* ---- end of transaction ------------------------------------------------- */

static loaded_model *
find_oldest(uint64_t *mapped_bytes)
{
    loaded_model *oldest = NULL;
    HASH_SEQ_STATUS scan;
    loaded_model *entry;

    *mapped_bytes = 0;
    hash_seq_init(&scan, loaded_models);
    while ((entry = hash_seq_search(&scan)) != NULL) {
        if (entry->model == NULL)
            continue;
        *mapped_bytes += entry->mapping.size;
        if (!entry->pinned && entry->held == 0 &&
            (oldest == NULL || entry->last_use < oldest->last_use))
            oldest = entry;
    }
    return oldest;
}

/* What may have been dropped is mapped again when it is asked for: that costs
 * a millisecond, keeping it would keep its file's space. */
static void
remove_outdated(void)
{
    HASH_SEQ_STATUS scan;
    loaded_model *entry;

    hash_seq_init(&scan, loaded_models);
    while ((entry = hash_seq_search(&scan)) != NULL)
        if (entry->model != NULL && entry->held == 0 && !entry->bundled &&
            entry->changes != catalog_changes())
            remove_loaded(entry);
}

/* Raises no ERROR. */
static void
shrink_to_limit(void)
{
    uint64_t mapped;
    loaded_model *oldest;

    if (loaded_models == NULL)
        return;
    remove_outdated();
    while (setting_max_loaded_bytes > 0 &&
           (oldest = find_oldest(&mapped)) != NULL &&
           mapped > (uint64_t) setting_max_loaded_bytes)
        remove_loaded(oldest);
}

static void
end_transaction(XactEvent event, void *argument)
{
    (void) argument;
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        prepare_file_removal();
        break;
    case XACT_EVENT_COMMIT:
        finish_file_removal(true);
        shrink_to_limit();
        break;
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
        finish_file_removal(false);
        shrink_to_limit();
        break;
    default:
        break;
    }
}

void
watch_transactions(void)
{
    RegisterXactCallback(end_transaction, NULL);
}

/* ---- resolving ---------------------------------------------------------- */

static void
resolve(model_call *call)
{
    /* What changes while we read and load makes the next call look again. */
    uint64_t seen = catalog_generation();

    call->generation = 0;
    find_model(call->asked, call->allow_alias, &call->identity);
    check_use_right(&call->identity);
    call->loaded = load(&call->identity);
    call->user = GetUserId();
    call->generation = seen;
}

static model_call *
get_call(FunctionCallInfo fcinfo)
{
    FmgrInfo *info = fcinfo->flinfo;

    if (info->fn_extra == NULL)
        info->fn_extra =
            MemoryContextAllocZero(info->fn_mcxt, sizeof(model_call));
    return info->fn_extra;
}

/* A name that is too long is no name; it is cut for the message. */
static void
take_name(char target[MODEL_NAME_BYTES], const char *data, size_t size)
{
    if (size >= MODEL_NAME_BYTES || memchr(data, '\0', size) != NULL)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("the name of a model has at most %d bytes",
                               MODEL_NAME_BYTES - 1)));
    memcpy(target, data, size);
    target[size] = '\0';
}

static void
ask_for(model_call *call, const char *data, size_t size, bool allow_alias)
{
    if (call->generation == catalog_generation() && call->user == GetUserId() &&
        call->allow_alias == allow_alias && strlen(call->asked) == size &&
        memcmp(call->asked, data, size) == 0)
        return;
    call->generation = 0;
    take_name(call->asked, data, size);
    call->allow_alias = allow_alias;
    resolve(call);
}

static void
touch(loaded_model *loaded)
{
    loaded->last_use = ++use_clock;
    loaded->changes = catalog_changes();
}

static model_call *
open_site(FunctionCallInfo fcinfo, int argument, default_model fallback,
          bool allow_alias)
{
    model_call *call = get_call(fcinfo);

    if (PG_NARGS() > argument) {
        text *name = PG_GETARG_TEXT_PP(argument);

        ask_for(call, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), allow_alias);
    } else {
        const char *name = fallback == DEFAULT_CLASSIFIER
                               ? setting_default_classifier
                               : setting_default_embedder;

        ask_for(call, name, strlen(name), true);
    }
    touch(call->loaded);
    return call;
}

model_call *
open_call(FunctionCallInfo fcinfo, int argument, default_model fallback)
{
    return open_site(fcinfo, argument, fallback, false);
}

model_call *
open_stable_call(FunctionCallInfo fcinfo, int argument, default_model fallback)
{
    return open_site(fcinfo, argument, fallback, true);
}

void
open_named_call(model_call *call, const char *name)
{
    memset(call, 0, sizeof(*call));
    ask_for(call, name, strlen(name), true);
    touch(call->loaded);
}

const ins_model *
model_of(const model_call *call)
{
    return call->loaded->model;
}

model_counters *
counters_of(const model_call *call)
{
    return call->loaded->counters;
}

ins_text
mapped_pack(const model_call *call)
{
    return (ins_text){call->loaded->mapping.data, call->loaded->mapping.size};
}

void
pin_loaded(model_call *call)
{
    call->loaded->pinned = true;
}

void
check_task(const model_call *call, ins_task task)
{
    const ins_model_info *info = ins_model_describe(model_of(call));
    bool classify = task == INS_TASK_CLASSIFY;

    if (classify ? info->can_classify : info->can_embed)
        return;
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE),
             errmsg("model \"%s\" cannot %s", call->identity.name,
                    classify ? "classify" : "embed"),
             errdetail("It was made to: %s.", ins_model_tasks(model_of(call))),
             errhint("Name another model, or set insitu.default_%s.",
                     classify ? "classifier" : "embedder")));
}

void
check_reads_texts(const model_call *call)
{
    if (ins_model_describe(model_of(call))->can_predict)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("model \"%s\" reads numbers, not texts",
                               call->identity.name),
                        errdetail("It was made to: %s.",
                                  ins_model_tasks(model_of(call))),
                        errhint("Name another model.")));
}

/* ---- running ------------------------------------------------------------ */

static void
close_sessions(void)
{
    HASH_SEQ_STATUS scan;
    loaded_model *entry;

    hash_seq_init(&scan, loaded_models);
    while ((entry = hash_seq_search(&scan)) != NULL) {
        ins_session_close(entry->session);
        entry->session = NULL;
    }
}

static ins_memo *
prepare_memo(void)
{
    if (is_memo_outdated()) {
        close_sessions();
        replace_memo();
    }
    return memo_of_user();
}

void
prepare_runtime(void)
{
    ins_error error;

    if (runtime_ready)
        return;
    check_status(ins_runtime_prepare(&error), &error);
    runtime_ready = true;
}

static ins_session *
open_session(loaded_model *loaded)
{
    bool refuse = setting_on_long_input == LONG_INPUT_ERROR;
    ins_options options = {
        .error_on_long_input = refuse,
        .memo = prepare_memo(),
        .memo_identity = loaded->memo_identity,
        .kernels = setting_kernels,
    };
    ins_host host = host_in(model_context);
    ins_error error;
    ins_status status;

    prepare_runtime();
    if (loaded->session != NULL &&
        loaded->session_refuses_long_input == refuse &&
        strcmp(loaded->session_kernels, setting_kernels) == 0)
        return loaded->session;
    ins_session_close(loaded->session);
    loaded->session = NULL;
    while ((status = ins_session_open(&loaded->session, loaded->model, &options,
                                      &host, &error)) == INS_CANCELLED)
        CHECK_FOR_INTERRUPTS();
    check_status(status, &error);
    loaded->session_refuses_long_input = refuse;
    strlcpy(loaded->session_kernels, setting_kernels, KERNELS_BYTES);
    return loaded->session;
}

static uint64_t
elapsed_microseconds(instr_time start)
{
    instr_time end;

    INSTR_TIME_SET_CURRENT(end);
    INSTR_TIME_SUBTRACT(end, start);
    return INSTR_TIME_GET_MICROSEC(end);
}

void
name_model(const model_call *call, ins_error *error)
{
    if (error->detail[0] == '\0' && error->status != INS_CANCELLED)
        snprintf(error->detail, sizeof(error->detail), "The model is \"%s\".",
                 call->identity.name);
}

/* ins_run, until it is not cancelled for nothing; returns what it used. */
static ins_usage
run_session(model_call *call, ins_task task, const ins_text *texts,
            size_t count, float *rows, size_t row_stride, bool is_counted)
{
    ins_session *session = open_session(call->loaded);
    ins_usage before = ins_session_usage(session);
    ins_usage after;
    counted_call counted;
    instr_time start;
    ins_error error;
    ins_status status;

    CHECK_FOR_INTERRUPTS();
    INSTR_TIME_SET_CURRENT(start);
    while ((status = ins_run(session, task, texts, count, rows, row_stride,
                             &error)) == INS_CANCELLED) {
        counted = (counted_call){.failed = true};
        if (QueryCancelPending || ProcDiePending)
            count_call(call->loaded->counters, &counted);
        /* Returns when the interrupt was not about this query: begin again. */
        CHECK_FOR_INTERRUPTS();
    }
    after = ins_session_usage(session);
    after.tokens -= before.tokens;
    after.memo_hits -= before.memo_hits;
    counted = (counted_call){
        .rows = status == INS_OK && is_counted ? count : 0,
        .tokens = after.tokens,
        .memo_hits = is_counted ? after.memo_hits : 0,
        .microseconds = elapsed_microseconds(start),
        .failed = status != INS_OK,
    };
    count_call(call->loaded->counters, &counted);
    if (status != INS_OK) {
        name_model(call, &error);
        raise_failure(&error);
    }
    return after;
}

void
run_call(model_call *call, ins_task task, const ins_text *texts, size_t count,
         float *rows, size_t row_stride)
{
    (void) run_session(call, task, texts, count, rows, row_stride, true);
}

static uint32_t
row_values(const model_call *call, ins_task task)
{
    const ins_model_info *info = ins_model_describe(model_of(call));

    return task == INS_TASK_CLASSIFY ? info->label_count : info->embedding_size;
}

uint64_t
compute_ahead(model_call *call, ins_task task, const ins_text *texts,
              size_t count)
{
    uint32_t values = row_values(call, task);
    float *rows = MemoryContextAllocHuge(CurrentMemoryContext,
                                         sizeof(float) * count * values);
    ins_usage usage =
        run_session(call, task, texts, count, rows, values, false);

    pfree(rows);
    return usage.tokens;
}

int
rows_kept(model_call *call, ins_task task)
{
    /* The memo is that of the session. */
    (void) open_session(call->loaded);
    return (int) Min(ins_memo_capacity(memo_of_user(), row_values(call, task)),
                     INT_MAX);
}

/* A text has at most a token per byte, and two special ones. */
ins_token *
tokenize_call(model_call *call, ins_text input, size_t *count)
{
    size_t capacity = input.size + 2;
    ins_session *session;
    ins_token *tokens;
    ins_error error;
    ins_status status;

    check_reads_texts(call);
    session = open_session(call->loaded);

    /* Most texts have a token per three bytes or so; the second pass is for
     * the others. */
    if (capacity > 4096)
        capacity = capacity / 3;
    for (;;) {
        tokens = MemoryContextAllocHuge(CurrentMemoryContext,
                                        capacity * sizeof(*tokens));
        CHECK_FOR_INTERRUPTS();
        status = ins_tokenize(session, input, tokens, capacity, count, &error);
        if (status != INS_CANCELLED && status != INS_OK)
            raise_failure(&error);
        if (status == INS_OK && *count <= capacity)
            return tokens;
        if (status == INS_OK)
            capacity = *count;
        pfree(tokens);
    }
}
