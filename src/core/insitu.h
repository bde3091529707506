/*
 * insitu.h - run an encoder model over texts.  The whole public core.
 *
 *     ins_error error;
 *     ins_model *model;
 *     ins_session *session;
 *     ins_text text = {"I was charged twice", 19};
 *     float scores[10];                      (one row of label_count values)
 *
 *     ins_runtime_prepare(&error);                      once per process
 *     ins_model_open(&model, pack, pack_bytes, &host, &error);
 *     ins_session_open(&session, model, NULL, &host, &error);
 *     ins_run(session, INS_TASK_CLASSIFY, &text, 1, scores, 10, &error);
 *     ...
 *     ins_session_close(session);
 *     ins_model_close(model);
 *
 * Every function that can fail returns an ins_status and fills the caller's
 * ins_error; nothing here prints, exits, unwinds the stack or keeps state
 * outside the objects below.  All memory comes from ins_host.
 *
 * Threads: an ins_model may be shared by any number of threads; an ins_session
 * serves one caller at a time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_H
#define INSITU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INSITU_VERSION "0.1.0"

/* What a call can end with; the rows are in base/status.def. */
typedef enum ins_status {
#define INS_STATUS(name, text) INS_##name,
#include "base/status.def"
#undef INS_STATUS
    INS_STATUS_COUNT
} ins_status;

/*
 * Filled by a failing call; all strings are NUL-terminated UTF-8 with control
 * characters escaped.  They never contain the text that was classified.
 */
typedef struct ins_error {
    ins_status status;
    char message[256]; /* what failed: lower case, no period */
    char detail[384];  /* full sentences, or empty */
    char hint[256];    /* the remedy in full sentences, or empty */
} ins_error;

/* UTF-8 bytes, borrowed, not NUL-terminated; NUL and invalid bytes allowed. */
typedef struct ins_text {
    const char *data;
    size_t size; /* bytes */
} ins_text;

/*
 * What the host lends.  No callback may unwind the stack (longjmp, throw).
 * alloc and release are required, the others may be NULL.
 */
typedef struct ins_host {
    void *user;
    void *(*alloc)(void *user, size_t size);   /* 8-byte aligned or NULL */
    void (*release)(void *user, void *memory); /* accepts NULL */
    /*
     * Polled at least every 60 ms of work; true makes the call return
     * INS_CANCELLED with nothing changed but the output rows.
     */
    bool (*cancelled)(void *user);
    /*
     * Held around every matrix product: Debian's serial OpenBLAS gives wrong
     * numbers when two threads enter it.  NULL in single-threaded hosts.
     */
    void (*blas_lock)(void *user);
    void (*blas_unlock)(void *user);
} ins_host;

/* One word per status, such as "out of memory"; never NULL. */
const char *ins_status_text(ins_status status);

/*
 * Readies OpenBLAS for this process: proves that its work area (160 MB of
 * address space) can be mapped, because OpenBLAS loops for ever when it can
 * not, then runs one product so that nothing is allocated later.  Call it
 * once per process before the first ins_run; calling again is harmless.
 * Errors: INS_NO_MEMORY.
 */
ins_status ins_runtime_prepare(ins_error *error);

/* ---- model: an immutable view of a pack -------------------------------- */

typedef struct ins_model ins_model;

typedef enum ins_task {
    INS_TASK_CLASSIFY = 1,    /* row: one score per label */
    INS_TASK_EMBED = 2,       /* row: one embedding of a document */
    INS_TASK_EMBED_QUERY = 3, /* row: one embedding of a search query */
    /* row: what heads over embeddings read, the embedding of a document
     * without its lexical part; hidden_size values */
    INS_TASK_FEATURES = 4
} ins_task;

typedef struct ins_model_info {
    const char *architecture; /* model_type of the source, "bert"; "tabular" */
    const char *pooling;      /* "mean", "cls", "max", or "" without embed */
    const char *weights;      /* number type: "int8", "bf16" or "f32" */
    bool can_classify;
    bool can_embed;
    bool can_predict; /* over numbers, insitu_train.h; and nothing else */
    bool multi_label; /* scores are independent (sigmoid), not a softmax */
    bool normalized;  /* embeddings have length 1 */
    uint32_t label_count;
    uint32_t feature_count;  /* numbers that predict takes */
    uint32_t embedding_size; /* values per embedding, of which ... */
    uint32_t lexical_size;   /* ... the last tell which words a text has */
    uint32_t max_tokens;     /* longest input incl. special tokens */
    uint32_t vocabulary_size;
    uint32_t layer_count;
    uint32_t hidden_size;
    uint32_t head_count;
    uint32_t intermediate_size;
    uint64_t parameter_count;
    uint64_t pack_bytes;
} ins_model_info;

/*
 * Validates the pack (once, completely) and makes a model that points into it.
 * pack: borrowed, 8-byte aligned (64 is faster), mapped until ins_model_close.
 * *model is NULL on failure.  Errors: CORRUPT_PACK, UNSUPPORTED, NO_MEMORY.
 */
ins_status ins_model_open(ins_model **model, const void *pack, size_t size,
                          const ins_host *host, ins_error *error);
void ins_model_close(ins_model *model); /* accepts NULL */

/* Borrowed from the model. */
const ins_model_info *ins_model_describe(const ins_model *model);
ins_text ins_model_label(const ins_model *model, uint32_t label);
/* Index of the label, or -1. */
int32_t ins_model_find_label(const ins_model *model, ins_text label);
/* The vocabulary's spelling ("##ing") of an id; size 0 when out of range. */
ins_text ins_model_token_text(const ins_model *model, int32_t token_id);
/* "classify, embed" or "predict": the tasks this model can do, for messages. */
const char *ins_model_tasks(const ins_model *model);
/*
 * The description as a JSON object, the same text on every host.  *json is
 * owned by the caller: host->release(host->user, *json).
 */
ins_status ins_model_info_json(const ins_model *model, const ins_host *host,
                               char **json, size_t *size, ins_error *error);

/* ---- session: scratch memory for one caller ---------------------------- */

typedef struct ins_session ins_session;
typedef struct ins_memo ins_memo; /* insitu_memo.h */

typedef struct ins_options {
    uint32_t batch_tokens;    /* tokens packed into one pass; 0 = 512 */
    uint32_t max_tokens;      /* lowers the model's limit; 0 = the model's */
    bool error_on_long_input; /* INS_INPUT_TOO_LONG instead of truncation */
    const char *kernels; /* "auto" or NULL, or a level from ins_kernel_level */
    ins_memo *memo;      /* NULL, or recent rows; outlives the session */
    /* With a memo: 32 bytes that no other model has, such as the digest. */
    const uint8_t *memo_identity;
} ins_options;

/* What a session has done since it was opened; the texts that are not in
 * computed or memo_hits had an equal one in their run. */
typedef struct ins_usage {
    uint64_t texts;     /* rows filled */
    uint64_t computed;  /* texts that went through the encoder */
    uint64_t memo_hits; /* rows found in the memo */
    uint64_t tokens;    /* computed, incl. special ones, after truncation */
    uint64_t batches;   /* passes through the encoder */
} ins_usage;

/*
 * Allocates all scratch memory that ins_run will need, whatever the number of
 * texts.  options: NULL = defaults; host: copied, must outlive the session.
 * Errors: WRONG_TASK for a model that predicts, INVALID_ARGUMENT, NO_MEMORY.
 */
ins_status ins_session_open(ins_session **session, const ins_model *model,
                            const ins_options *options, const ins_host *host,
                            ins_error *error);
void ins_session_close(ins_session *session); /* accepts NULL */
ins_usage ins_session_usage(const ins_session *session);
/* All memory of the session; it does not change while it is open. */
size_t ins_session_bytes(const ins_session *session);
/* The kernel levels this machine can run, best first; NULL past the end. */
const char *ins_kernel_level(size_t index);

/*
 * Runs one task over texts and fills rows: row i, for texts[i], begins at
 * rows + i * row_stride and has label_count (classify), embedding_size (embed)
 * or hidden_size (features) values.  Equal input gives equal bits, whatever
 * else is in the batch and at every kernel level but "openblas", which rounds
 * f32 models otherwise.
 * Equal texts of one call are computed once; texts go through the encoder
 * sorted by length, in batches of up to batch_tokens.
 * Errors: WRONG_TASK, INVALID_ARGUMENT, INPUT_TOO_LONG, CANCELLED.
 */
ins_status ins_run(ins_session *session, ins_task task, const ins_text *texts,
                   size_t count, float *rows, size_t row_stride,
                   ins_error *error);

/* Index of the highest score; a tie goes to the lowest index. */
uint32_t ins_best_label(const float *scores, uint32_t label_count);

/* ---- tokens ------------------------------------------------------------ */

typedef struct ins_token {
    int32_t id;
    uint32_t start; /* byte offset in the text, 0 for special tokens */
    uint32_t end;   /* one past the last byte; start == end for special ones */
} ins_token;

/*
 * The tokens the model reads, with [CLS] and [SEP], NOT truncated.  Stores at
 * most capacity of them and sets *count to the full number.
 */
ins_status ins_tokenize(ins_session *session, ins_text text, ins_token *tokens,
                        size_t capacity, size_t *count, ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
