/*
 * sqlite_window.c - classify_window, classify_score_window and embed_window:
 * the scalar functions as window functions, so that a SELECT runs its rows in
 * batches.
 *
 *     SELECT id, classify_window(body) OVER
 *         (ORDER BY id ROWS BETWEEN CURRENT ROW AND 31 FOLLOWING) FROM tickets
 *
 * The result is that of the first row of the frame.  SQLite adds rows at the
 * end of the frame (step), takes them away at its beginning (inverse) and asks
 * for the result (value); the rows in between are a queue, and the first
 * result that is not there yet makes all of them run in one go.
 *
 * They have names of their own because SQLite keeps one function per name and
 * number of arguments: a window function classify(input) would replace the
 * scalar one.  (And a window function without OVER is an aggregate.)
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/memory.h"

/* Texts that wait for one run. */
#define MAX_WAITING_BYTES ((size_t) 16 << 20)
/* Rows and results of one frame. */
#define MAX_FRAME_BYTES ((size_t) 64 << 20)

typedef enum window_kind {
    WINDOW_CLASSIFY,
    WINDOW_SCORE,
    WINDOW_EMBED
} window_kind;

/* Bytes in window_queue.bytes. */
struct span {
    uint32_t start;
    uint32_t size;
};

struct window_row {
    bool is_null;
    bool is_done;
    int32_t label;     /* its best one, or the one that was asked for */
    float score;       /* of WINDOW_SCORE */
    float *vector;     /* of WINDOW_EMBED, owned */
    struct span input; /* until it is done */
    struct span label_text;
};

/* The frame of one partition. */
struct window_queue {
    connection *conn;
    window_kind kind;
    bool has_failed;
    bool gave_value; /* then the final result is not used */
    bool has_name;
    bool explicit_name;
    char name[MAX_NAME_BYTES]; /* of the model, when explicit */
    shared_model *shared;      /* a reference, NULL before the first run */
    uint32_t row_values;
    struct window_row *rows; /* [capacity]; the frame is [head, tail) */
    size_t capacity;
    size_t head;
    size_t tail;
    size_t next;    /* the first row that was not run yet, head to tail */
    size_t waiting; /* texts among [next, tail) */
    char *bytes;    /* of these texts */
    size_t bytes_used;
    size_t bytes_size;
    size_t batch;    /* texts of one run */
    ins_text *texts; /* [batch] */
    float *results;  /* [batch][row_values] */
};

/* ---- memory ------------------------------------------------------------- */

static void
clear_row(struct window_row *row)
{
    sqlite3_free(row->vector);
    row->vector = NULL;
}

static void
free_queue(struct window_queue *queue)
{
    while (queue->head < queue->tail)
        clear_row(&queue->rows[queue->head++]);
    sqlite3_free(queue->rows);
    sqlite3_free(queue->bytes);
    sqlite3_free(queue->texts);
    sqlite3_free(queue->results);
    release_model(queue->shared);
    sqlite3_free(queue);
}

static struct window_queue *
make_queue(connection *conn, window_kind kind)
{
    struct window_queue *queue = sqlite3_malloc64(sizeof(*queue));

    if (queue == NULL)
        return NULL;
    memset(queue, 0, sizeof(*queue));
    queue->conn = conn;
    queue->kind = kind;
    queue->batch = conn->settings.batch_size;
    return queue;
}

static ins_status
check_frame(const struct window_queue *queue, ins_error *error)
{
    size_t row_bytes = sizeof(struct window_row);

    if (queue->kind == WINDOW_EMBED)
        row_bytes += queue->row_values * sizeof(float);
    if (queue->tail - queue->head < MAX_FRAME_BYTES / row_bytes)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED, "a frame has at most %zu rows",
             MAX_FRAME_BYTES / row_bytes);
    ins_fail_hint(error, "Use a frame such as ROWS BETWEEN CURRENT ROW AND 31 "
                         "FOLLOWING.");
    return INS_LIMIT_EXCEEDED;
}

/* Moves the frame to the beginning, or doubles the room. */
static ins_status
make_room(struct window_queue *queue, ins_error *error)
{
    size_t count = queue->tail - queue->head;
    size_t capacity = queue->capacity > 0 ? 2 * queue->capacity : 64;
    struct window_row *rows;

    INS_TRY(check_frame(queue, error));
    if (queue->tail < queue->capacity)
        return INS_OK;
    if (queue->head > queue->capacity / 2) {
        memmove(queue->rows, queue->rows + queue->head,
                count * sizeof(queue->rows[0]));
        queue->next -= queue->head;
        queue->head = 0;
        queue->tail = count;
        return INS_OK;
    }
    rows = sqlite3_realloc64(queue->rows, capacity * sizeof(rows[0]));
    if (rows == NULL)
        return ins_fail_no_memory(error, capacity * sizeof(rows[0]));
    queue->rows = rows;
    queue->capacity = capacity;
    return INS_OK;
}

static ins_status
keep_bytes(struct window_queue *queue, ins_text text, struct span *span,
           ins_error *error)
{
    size_t needed = queue->bytes_used + text.size;

    if (needed > queue->bytes_size) {
        size_t size = 2 * needed + 4096;
        char *bytes = sqlite3_realloc64(queue->bytes, size);

        if (bytes == NULL)
            return ins_fail_no_memory(error, size);
        queue->bytes = bytes;
        queue->bytes_size = size;
    }
    if (text.size > 0)
        memcpy(queue->bytes + queue->bytes_used, text.data, text.size);
    *span = (struct span){(uint32_t) queue->bytes_used, (uint32_t) text.size};
    queue->bytes_used = needed;
    return INS_OK;
}

static ins_text
text_at(const struct window_queue *queue, struct span span)
{
    return (ins_text){queue->bytes + span.start, span.size};
}

/* ---- running ------------------------------------------------------------ */

static ins_status
allocate_run(struct window_queue *queue, ins_error *error)
{
    ins_host host = connection_host(queue->conn);
    void *memory;

    if (queue->results != NULL)
        return INS_OK;
    INS_TRY(ins_alloc(&host, queue->batch, sizeof(ins_text), &memory, error));
    sqlite3_free(queue->texts);
    queue->texts = memory;
    INS_TRY(ins_alloc(&host, queue->batch * (uint64_t) queue->row_values,
                      sizeof(float), &memory, error));
    queue->results = memory;
    return INS_OK;
}

static ins_status
open_window_model(struct window_queue *queue, open_model **model,
                  ins_error *error)
{
    const connection_settings *settings = &queue->conn->settings;
    const char *preset = queue->kind == WINDOW_EMBED
                             ? settings->default_embedder
                             : settings->default_classifier;
    const char *name = queue->explicit_name ? queue->name : preset;
    const ins_model_info *info;

    INS_TRY(open_named_model(queue->conn, (ins_text){name, strlen(name)},
                             queue->explicit_name, model, error));
    INS_CHECK(queue->shared == NULL || queue->shared == (*model)->shared, error,
              INS_BUSY, "the default model changed during the query");
    /* The frame may outlive the connection's interest in the model. */
    if (queue->shared == NULL)
        retain_model((*model)->shared);
    queue->shared = (*model)->shared;
    info = ins_model_describe(model_of(queue->shared));
    queue->row_values =
        queue->kind == WINDOW_EMBED ? info->embedding_size : info->label_count;
    return allocate_run(queue, error);
}

/* Collects the texts of [next, end). */
static ins_status
collect_texts(struct window_queue *queue, size_t end, const open_model *model,
              size_t *count, ins_error *error)
{
    *count = 0;
    for (size_t i = queue->next; i < end; i++) {
        struct window_row *row = &queue->rows[i];

        if (row->is_null)
            continue;
        if (queue->kind == WINDOW_SCORE) {
            ins_text label = text_at(queue, row->label_text);

            row->label = ins_model_find_label(model_of(model->shared), label);
            if (row->label < 0)
                return fail_label(model, label, error);
        }
        queue->texts[(*count)++] = text_at(queue, row->input);
    }
    return INS_OK;
}

static ins_status
finish_row(struct window_queue *queue, struct window_row *row,
           const float *result, ins_error *error)
{
    if (queue->kind == WINDOW_EMBED) {
        size_t bytes = queue->row_values * sizeof(float);

        row->vector = sqlite3_malloc64(bytes + 1);
        if (row->vector == NULL)
            return ins_fail_no_memory(error, bytes);
        memcpy(row->vector, result, bytes);
    } else if (queue->kind == WINDOW_SCORE) {
        row->score = result[row->label];
    } else {
        row->label = (int32_t) ins_best_label(result, queue->row_values);
    }
    row->is_done = true;
    return INS_OK;
}

/* Runs the rows [next, end). */
static ins_status
run_rows(struct window_queue *queue, size_t end, ins_error *error)
{
    ins_task task =
        queue->kind == WINDOW_EMBED ? INS_TASK_EMBED : INS_TASK_CLASSIFY;
    open_model *model;
    size_t count;
    size_t done = 0;

    INS_TRY(open_window_model(queue, &model, error));
    INS_TRY(collect_texts(queue, end, model, &count, error));
    INS_TRY(run_model(model, task, queue->texts, count, queue->results,
                      queue->row_values, error));
    for (; queue->next < end; queue->next++) {
        struct window_row *row = &queue->rows[queue->next];

        if (!row->is_null)
            INS_TRY(finish_row(queue, row,
                               queue->results + done++ * queue->row_values,
                               error));
    }
    queue->waiting -= count;
    if (queue->next == queue->tail)
        queue->bytes_used = 0;
    return INS_OK;
}

/* ---- the callbacks ------------------------------------------------------ */

/* *queue: made when there is none and kind is given. */
static ins_status
find_queue(sqlite3_context *context, window_kind kind,
           struct window_queue **queue, ins_error *error)
{
    struct window_queue **slot =
        sqlite3_aggregate_context(context, sizeof(*slot));

    if (slot == NULL)
        return ins_fail_no_memory(error, sizeof(*slot));
    if (*slot == NULL)
        *slot = make_queue(sqlite3_user_data(context), kind);
    if (*slot == NULL)
        return ins_fail_no_memory(error, sizeof(**slot));
    *queue = *slot;
    return INS_OK;
}

static struct window_queue *
known_queue(sqlite3_context *context)
{
    struct window_queue **slot = sqlite3_aggregate_context(context, 0);

    return slot != NULL ? *slot : NULL;
}

static ins_status
keep_name(struct window_queue *queue, ins_text name, ins_error *error)
{
    if (queue->has_name) {
        INS_CHECK(strlen(queue->name) == name.size &&
                      memcmp(queue->name, name.data, name.size) == 0,
                  error, INS_INVALID_ARGUMENT,
                  "the rows of a window must name the same model");
        return INS_OK;
    }
    INS_CHECK(is_model_name(name), error, INS_NOT_FOUND,
              "model must be the name of a model");
    memcpy(queue->name, name.data, name.size);
    queue->name[name.size] = '\0';
    queue->has_name = queue->explicit_name = true;
    return INS_OK;
}

/* The arguments of a row: input, label of WINDOW_SCORE, model if given. */
static ins_status
read_row(struct window_queue *queue, int argc, sqlite3_value **argv,
         struct window_row *row, ins_error *error)
{
    int texts = queue->kind == WINDOW_SCORE ? 2 : 1;
    ins_text input;
    ins_text label = {"", 0};
    ins_text name = {"", 0};

    INS_TRY(input_argument(argv[0], "input", &input, &row->is_null, error));
    if (texts == 2 && !row->is_null)
        INS_TRY(name_argument(argv[1], "label", &label, &row->is_null, error));
    if (argc > texts && !row->is_null)
        INS_TRY(
            name_argument(argv[texts], "model", &name, &row->is_null, error));
    if (row->is_null)
        return INS_OK;
    INS_TRY(check_input_bytes(label.size, "label", error));
    if (argc > texts)
        INS_TRY(keep_name(queue, name, error));
    INS_TRY(keep_bytes(queue, input, &row->input, error));
    return keep_bytes(queue, label, &row->label_text, error);
}

static ins_status
add_row(struct window_queue *queue, int argc, sqlite3_value **argv,
        ins_error *error)
{
    struct window_row row = {0};

    /* A long frame runs before all of it is there. */
    if (queue->waiting == queue->batch ||
        queue->bytes_used >= MAX_WAITING_BYTES)
        INS_TRY(run_rows(queue, queue->tail, error));
    INS_TRY(make_room(queue, error));
    INS_TRY(read_row(queue, argc, argv, &row, error));
    queue->rows[queue->tail++] = row;
    queue->waiting += !row.is_null;
    return INS_OK;
}

static void
take_row(sqlite3_context *context, int argc, sqlite3_value **argv,
         window_kind kind)
{
    struct window_queue *queue = NULL;
    ins_error error;
    ins_status status = find_queue(context, kind, &queue, &error);

    if (status == INS_OK && queue->has_failed)
        return;
    if (status == INS_OK)
        status = add_row(queue, argc, argv, &error);
    if (status == INS_OK)
        return;
    if (queue != NULL)
        queue->has_failed = true;
    result_failure(context, &error);
}

static void
step_classify(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    take_row(context, argc, argv, WINDOW_CLASSIFY);
}

static void
step_score(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    take_row(context, argc, argv, WINDOW_SCORE);
}

static void
step_embed(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    take_row(context, argc, argv, WINDOW_EMBED);
}

static void
leave_frame(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct window_queue *queue = known_queue(context);
    struct window_row *row;

    (void) argc;
    (void) argv;
    if (queue == NULL || queue->head == queue->tail)
        return;
    row = &queue->rows[queue->head];
    /* A frame that begins behind the current row drops rows unseen. */
    if (queue->next == queue->head) {
        queue->next++;
        queue->waiting -= !row->is_null;
        if (queue->next == queue->tail)
            queue->bytes_used = 0;
    }
    clear_row(row);
    queue->head++;
}

static void
put_result(sqlite3_context *context, const struct window_queue *queue)
{
    const struct window_row *row = &queue->rows[queue->head];

    if (queue->kind == WINDOW_EMBED) {
        sqlite3_result_blob64(context, row->vector,
                              queue->row_values * sizeof(float),
                              SQLITE_TRANSIENT);
    } else if (queue->kind == WINDOW_SCORE) {
        sqlite3_result_double(context, (double) row->score);
    } else {
        ins_text label =
            ins_model_label(model_of(queue->shared), (uint32_t) row->label);

        sqlite3_result_text64(context, label.data, label.size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    }
}

/* The result of the first row; whole: of the others too. */
static void
find_result(sqlite3_context *context, struct window_queue *queue, bool whole)
{
    ins_error error;
    ins_status status = INS_OK;

    if (queue->has_failed || queue->head == queue->tail ||
        queue->rows[queue->head].is_null)
        return;
    if (!queue->rows[queue->head].is_done)
        status = run_rows(queue, whole ? queue->tail : queue->head + 1, &error);
    if (status == INS_OK) {
        put_result(context, queue);
        return;
    }
    queue->has_failed = true;
    result_failure(context, &error);
}

static void
give_result(sqlite3_context *context)
{
    struct window_queue *queue = known_queue(context);

    if (queue == NULL)
        return;
    queue->gave_value = true;
    find_result(context, queue, true);
}

/* The result of an aggregate and of a frame with EXCLUDE; at the end of a
 * partition it is called as well, and the result not used. */
static void
end_frame(sqlite3_context *context)
{
    struct window_queue *queue = known_queue(context);

    if (queue == NULL)
        return;
    if (!queue->gave_value)
        find_result(context, queue, false);
    free_queue(queue);
}

/* ---- registering -------------------------------------------------------- */

static const struct {
    const char *name;
    int arguments;
    sql_function *step;
} window_table[] = {
    {"classify_window", 1, step_classify},
    {"classify_window", 2, step_classify},
    {"classify_score_window", 2, step_score},
    {"classify_score_window", 3, step_score},
    {"embed_window", 1, step_embed},
    {"embed_window", 2, step_embed},
};
#define WINDOW_COUNT (sizeof(window_table) / sizeof(window_table[0]))

int
register_windows(connection *conn, const char *prefix)
{
#ifndef SQLITE_CORE
    /* SQLite can be built without. */
    if (sqlite3_api->create_window_function == NULL)
        return SQLITE_OK;
#endif
    for (size_t i = 0; i < WINDOW_COUNT; i++) {
        char name[64];
        int code;

        sqlite3_snprintf((int) sizeof(name), name, "%s%s", prefix,
                         window_table[i].name);
        retain_connection(conn);
        /* Releases the connection also when it fails. */
        code = sqlite3_create_window_function(
            conn->db, name, window_table[i].arguments, SQLITE_UTF8, conn,
            window_table[i].step, end_frame, give_result, leave_frame,
            release_connection);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}
