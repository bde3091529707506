/*
 * pg_session.h - models that this backend has loaded, and calls of them.
 *
 * Lifetimes: a loaded_model lives in the backend until it is unloaded or, over
 * insitu.max_loaded_bytes, until the end of a transaction; a model_call lives
 * with the FmgrInfo of one call site and is checked against
 * catalog_generation() at each call.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_SESSION_H
#define PG_SESSION_H

#include "fmgr.h"
#include "pg_catalog.h"
#include "pg_stats.h"

typedef struct loaded_model loaded_model;

/* What one call site has resolved. */
typedef struct model_call {
    uint64_t generation; /* 0 = nothing resolved yet */
    Oid user;            /* whose rights were checked */
    bool allow_alias;
    char asked[MODEL_NAME_BYTES]; /* the name that was given */
    model_identity identity;
    loaded_model *loaded;
} model_call;

typedef enum default_model {
    DEFAULT_CLASSIFIER,
    DEFAULT_EMBEDDER
} default_model;

/* Registers the end-of-transaction callback. */
void watch_transactions(void);

/*
 * The model of the running function: its argument number argument when the
 * overload has one, otherwise the default.  Checked: rights; loaded.
 */
model_call *open_call(FunctionCallInfo fcinfo, int argument,
                      default_model fallback);
/* The same for a STABLE function, which may be given an alias. */
model_call *open_stable_call(FunctionCallInfo fcinfo, int argument,
                             default_model fallback);
/* The same by name, for functions that manage models; call is overwritten. */
void open_named_call(model_call *call, const char *name);

/* Scratch memory of this backend's session, 0 when it has none. */
size_t session_bytes_of(const model_counters *counters);

const ins_model *model_of(const model_call *call);
/* ERROR 42809 unless the model can do the task. */
void check_task(const model_call *call, ins_task task);
/* The same for a model over numbers. */
void check_reads_texts(const model_call *call);

/* pg_functions.c: palloc'ed scores of all labels of a text. */
float *score_input(model_call *call, ins_text input);
/* pg_functions.c: the number of a label; ERROR 22023 names those there are. */
uint32_t find_label(const model_call *call, text *label);

/* pg_tables.c: the rows (label, score) of the running function, best first. */
void put_scores(FunctionCallInfo fcinfo, const model_call *call,
                const float *scores);

/* ins_run, counted and interruptible; ERROR on failure. */
void run_call(model_call *call, ins_task task, const ins_text *texts,
              size_t count, float *rows, size_t row_stride);
/*
 * The same for texts whose calls are still to come and will find the results
 * in the memo: no row is counted yet.  Returns the tokens that were computed.
 */
uint64_t compute_ahead(model_call *call, ins_task task, const ins_text *texts,
                       size_t count);
/* How many results of a task the memo holds for certain, 0 without one. */
int rows_kept(model_call *call, ins_task task);
/* ins_tokenize, whole.  Returns palloc'ed tokens. */
ins_token *tokenize_call(model_call *call, ins_text input, size_t *count);

/* Before the first work of the core in this backend; ERROR without memory. */
void prepare_runtime(void);
/* Adds the model's name to an error that says nothing about it. */
void name_model(const model_call *call, ins_error *error);
/* For count_call; NULL when there is no room. */
model_counters *counters_of(const model_call *call);

/* A held model stays mapped, whatever happens to it, until each hold has been
 * given up. */
void hold_loaded(loaded_model *loaded);
void release_loaded(loaded_model *loaded);
/* model_load and model_unload.  ERROR when it is held. */
void pin_loaded(model_call *call);
bool unload_model(const model_identity *identity);
/* The mapped pack of a loaded model. */
ins_text mapped_pack(const model_call *call);

#endif
