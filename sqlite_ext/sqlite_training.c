/*
 * sqlite_training.c - train_classifier, fine_tune_classifier and
 * train_tabular: aggregates from labelled rows to a model's pack.
 *
 * Rows go to the core as they come; the pack is made when SQLite asks for the
 * result.  An aggregate whose statement failed is asked too, and then only
 * frees what it has.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <string.h>

#include "base/status.h"
#include "sqlite_progress.h"

#define MAX_OPTIONS_BYTES 65536
/* Of the labels of a row: each is copied before the core bounds the memory. */
#define MAX_ARRAY_BYTES (16 << 20)

/* One aggregate. */
struct trainee {
    connection *conn;
    ins_training_method method;
    ins_training *training; /* NULL before the first row with values */
    shared_model *base;     /* a reference, or NULL */
    sqlite3_value *options; /* owned: of the first row; NULL = none given */
    sqlite3_value *name;    /* owned: of the base, as given; NULL = none */
    bool multi_label;       /* labels are JSON arrays */
    bool has_failed;
    uint64_t skipped; /* before there was a training */
    training_clock clock;
};

/* The arguments of a row; NULL: the form has none. */
struct training_row {
    sqlite3_value *input; /* a text, or an object of features */
    sqlite3_value *label;
    sqlite3_value *name;
    sqlite3_value *options;
    sqlite3_value **numbers; /* [number_count], features one by one */
    int number_count;
};

static void
free_trainee(struct trainee *trainee)
{
    ins_training_close(trainee->training);
    release_model(trainee->base);
    sqlite3_value_free(trainee->options);
    sqlite3_value_free(trainee->name);
    sqlite3_free(trainee);
}

/* ---- what all rows must agree on ---------------------------------------- */

static bool
is_same_text(sqlite3_value *a, sqlite3_value *b)
{
    const unsigned char *first = sqlite3_value_text(a);
    const unsigned char *second = sqlite3_value_text(b);
    int size = sqlite3_value_bytes(a);

    /* NULL: out of memory, which SQLite reports itself. */
    return first != NULL && second != NULL && size == sqlite3_value_bytes(b) &&
           memcmp(first, second, (size_t) size) == 0;
}

/* kept: set by the first row. */
static ins_status
keep_constant(sqlite3_value **kept, sqlite3_value *value, const char *what,
              ins_error *error)
{
    if (value == NULL)
        return INS_OK;
    INS_CHECK(sqlite3_value_type(value) == SQLITE_TEXT, error,
              INS_INVALID_ARGUMENT, "%s must be text, and not NULL", what);
    if (*kept != NULL) {
        INS_CHECK(is_same_text(*kept, value), error, INS_INVALID_ARGUMENT,
                  "%s must be the same for all rows", what);
        return INS_OK;
    }
    *kept = sqlite3_value_dup(value);
    return *kept != NULL ? INS_OK : ins_fail_no_memory(error, 0);
}

static ins_status
read_options(struct trainee *trainee, ins_training_options *options,
             ins_error *error)
{
    ins_text json;
    bool is_null;

    *options = ins_training_defaults;
    if (trainee->options != NULL) {
        INS_TRY(
            text_argument(trainee->options, "options", &json, &is_null, error));
        INS_CHECK(json.size <= MAX_OPTIONS_BYTES, error, INS_LIMIT_EXCEEDED,
                  "options has more than %d bytes", MAX_OPTIONS_BYTES);
        INS_TRY(
            ins_training_options_parse(options, trainee->method, json, error));
    }
    options->multi_label = trainee->multi_label;
    options->max_bytes =
        (uint64_t) trainee->conn->settings.train_max_memory * 1024;
    begin_progress(&trainee->clock, trainee->conn, options);
    return INS_OK;
}

/* ---- the first row ------------------------------------------------------- */

static ins_status
open_base(struct trainee *trainee, const ins_training_options *options,
          ins_error *error)
{
    const char *preset = trainee->conn->settings.default_embedder;
    ins_text name = {preset, strlen(preset)};
    model_identity identity;
    bool is_null;
    open_model *model;

    if (trainee->method == INS_TRAIN_TABULAR)
        return INS_OK;
    if (trainee->name != NULL)
        INS_TRY(name_argument(trainee->name, "base", &name, &is_null, error));
    else if (options->encoder[0] != '\0')
        name = (ins_text){options->encoder, strlen(options->encoder)};
    /* What is trained does not change when an alias moves: any name will do. */
    INS_TRY(find_model(trainee->conn, name, true, &identity, error));
    INS_TRY(open_weights(trainee->conn, &identity, &model, error));
    retain_model(model->shared);
    trainee->base = model->shared;
    return INS_OK;
}

static ins_status
open_training(struct trainee *trainee, ins_error *error)
{
    ins_host host = connection_host(trainee->conn);
    ins_training_options options;
    const ins_model *base = NULL;

    INS_TRY(prepare_runtime(error));
    INS_TRY(read_options(trainee, &options, error));
    INS_TRY(open_base(trainee, &options, error));
    if (trainee->base != NULL)
        base = model_of(trainee->base);
    INS_TRY(ins_training_open(&trainee->training, trainee->method, &options,
                              base, &host, error));
    for (; trainee->skipped > 0; trainee->skipped--)
        ins_training_skip(trainee->training);
    return INS_OK;
}

/* ---- labels -------------------------------------------------------------- */

static bool
is_json_array(sqlite3_value *label)
{
    const unsigned char *text;

    if (sqlite3_value_type(label) != SQLITE_TEXT)
        return false;
    if (sqlite3_value_subtype(label) == 'J')
        return true;
    text = sqlite3_value_text(label);
    return text != NULL && text[0] == '[';
}

/* The labels of an array, as JSON lets SQLite read them. */
struct label_list {
    ins_text *labels;
    size_t count;
    size_t capacity;
};

static void
free_labels(struct label_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        sqlite3_free((void *) list->labels[i].data);
    sqlite3_free(list->labels);
}

static ins_status
add_label(struct label_list *list, sqlite3_stmt *statement, ins_error *error)
{
    /* An array inside the array is a text as well, by its value. */
    const char *type = (const char *) sqlite3_column_text(statement, 1);
    const void *text = sqlite3_column_text(statement, 0);
    size_t size = (size_t) sqlite3_column_bytes(statement, 0);
    char *copy;

    INS_CHECK(type != NULL && strcmp(type, "text") == 0, error,
              INS_INVALID_ARGUMENT,
              "the labels of a row must be a JSON array of texts");
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 8;
        ins_text *labels =
            sqlite3_realloc64(list->labels, capacity * sizeof(labels[0]));

        if (labels == NULL)
            return ins_fail_no_memory(error, capacity * sizeof(labels[0]));
        list->labels = labels;
        list->capacity = capacity;
    }
    copy = sqlite3_malloc64(size + 1);
    if (copy == NULL || text == NULL) {
        sqlite3_free(copy);
        return ins_fail_no_memory(error, size);
    }
    memcpy(copy, text, size);
    list->labels[list->count++] = (ins_text){copy, size};
    return INS_OK;
}

static ins_status
read_labels(connection *conn, sqlite3_value *json, struct label_list *list,
            ins_error *error)
{
    sqlite3_stmt *statement;
    ins_status status = INS_OK;
    int code;

    INS_CHECK(sqlite3_value_bytes(json) <= MAX_ARRAY_BYTES, error,
              INS_LIMIT_EXCEEDED, "the labels of a row have more than %d bytes",
              MAX_ARRAY_BYTES);
    code = sqlite3_prepare_v2(conn->db, "SELECT value, type FROM json_each(?1)",
                              -1, &statement, NULL);
    if (code != SQLITE_OK)
        return fail_sqlite(conn, code, error);
    sqlite3_bind_value(statement, 1, json);
    while (status == INS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = add_label(list, statement, error);
    if (status == INS_OK && code != SQLITE_DONE) {
        if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT)
            status = fail_sqlite(conn, code, error);
        else
            status = ins_fail(error, INS_INVALID_ARGUMENT,
                              "the labels of a row must be a JSON array of "
                              "texts");
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- rows ---------------------------------------------------------------- */

static ins_status
add_text_row(struct trainee *trainee, const struct training_row *row,
             ins_error *error)
{
    struct label_list list = {NULL, 0, 0};
    ins_text input;
    ins_text label;
    bool is_null;
    ins_status status;

    INS_CHECK(is_json_array(row->label) == trainee->multi_label, error,
              INS_INVALID_ARGUMENT,
              "labels must be JSON arrays in all rows or in none");
    INS_TRY(input_argument(row->input, "input", &input, &is_null, error));
    if (!trainee->multi_label) {
        INS_TRY(text_argument(row->label, "label", &label, &is_null, error));
        return ins_training_add_text(trainee->training, input, &label, 1,
                                     error);
    }
    status = read_labels(trainee->conn, row->label, &list, error);
    if (status == INS_OK)
        status = ins_training_add_text(trainee->training, input, list.labels,
                                       list.count, error);
    free_labels(&list);
    return status;
}

static ins_status
add_object_row(struct trainee *trainee, const struct training_row *row,
               ins_error *error)
{
    ins_text object;
    ins_text label;
    bool is_null;

    INS_TRY(input_argument(row->input, "features", &object, &is_null, error));
    INS_TRY(text_argument(row->label, "label", &label, &is_null, error));
    return ins_training_add_object(trainee->training, object, label, error);
}

static ins_status
add_number_row(struct trainee *trainee, const struct training_row *row,
               ins_error *error)
{
    double *features;
    ins_text label;
    bool is_null;
    ins_status status;

    INS_TRY(text_argument(row->label, "label", &label, &is_null, error));
    INS_TRY(read_features(row->numbers, row->number_count, &features, error));
    status = ins_training_add_numbers(trainee->training, features,
                                      (size_t) row->number_count, label, error);
    sqlite3_free(features);
    return status;
}

static bool
is_incomplete(const struct training_row *row)
{
    return sqlite3_value_type(row->label) == SQLITE_NULL ||
           (row->input != NULL &&
            sqlite3_value_type(row->input) == SQLITE_NULL);
}

static ins_status
add_row(struct trainee *trainee, const struct training_row *row,
        ins_error *error)
{
    INS_TRY(keep_constant(&trainee->options, row->options, "options", error));
    INS_TRY(keep_constant(&trainee->name, row->name, "base", error));
    if (is_incomplete(row)) {
        if (trainee->training != NULL)
            ins_training_skip(trainee->training);
        else
            trainee->skipped++;
        return INS_OK;
    }
    if (trainee->training == NULL) {
        trainee->multi_label =
            trainee->method != INS_TRAIN_TABULAR && is_json_array(row->label);
        INS_TRY(open_training(trainee, error));
    }
    if (trainee->method != INS_TRAIN_TABULAR)
        return add_text_row(trainee, row, error);
    return row->input != NULL ? add_object_row(trainee, row, error)
                              : add_number_row(trainee, row, error);
}

/* The core does not know what the limit is called. */
static void
fail_training(sqlite3_context *context, ins_error *error)
{
    if (error->status == INS_LIMIT_EXCEEDED &&
        strstr(error->message, "limit of memory for training") != NULL)
        ins_fail_hint(error, "Train on fewer rows, or raise the limit: "
                             "insitu_setting('train_max_memory', kilobytes).");
    result_failure(context, error);
}

/* ---- the callbacks ------------------------------------------------------- */

static ins_status
find_trainee(sqlite3_context *context, ins_training_method method,
             struct trainee **found, ins_error *error)
{
    struct trainee **slot = sqlite3_aggregate_context(context, sizeof(*slot));

    *found = NULL;
    if (slot == NULL)
        return ins_fail_no_memory(error, sizeof(*slot));
    if (*slot == NULL) {
        struct trainee *trainee = sqlite3_malloc64(sizeof(*trainee));

        if (trainee == NULL)
            return ins_fail_no_memory(error, sizeof(*trainee));
        memset(trainee, 0, sizeof(*trainee));
        trainee->conn = sqlite3_user_data(context);
        trainee->method = method;
        *slot = trainee;
    }
    *found = *slot;
    return INS_OK;
}

static void
take_row(sqlite3_context *context, ins_training_method method,
         const struct training_row *row)
{
    struct trainee *trainee;
    ins_error error;
    ins_status status = find_trainee(context, method, &trainee, &error);

    if (status == INS_OK && trainee->has_failed)
        return;
    if (status == INS_OK)
        status = add_row(trainee, row, &error);
    if (status == INS_OK)
        return;
    if (trainee != NULL)
        trainee->has_failed = true;
    fail_training(context, &error);
}

void
step_train_classifier(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    take_row(context, INS_TRAIN_CLASSIFIER,
             &(struct training_row){.input = argv[0],
                                    .label = argv[1],
                                    .options = argc > 2 ? argv[2] : NULL});
}

void
step_fine_tune(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    take_row(context, INS_TRAIN_FINE_TUNE,
             &(struct training_row){.input = argv[0],
                                    .label = argv[1],
                                    .name = argv[2],
                                    .options = argc > 3 ? argv[3] : NULL});
}

/*
 * (label, object), (label, object, options) or (label, number, ...).  NULL
 * alone may be an object or a number; the row says nothing in either case.
 */
void
step_train_tabular(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct training_row row = {.label = argc > 0 ? argv[0] : NULL};
    bool has_object;

    if (argc < 2) {
        sqlite3_result_error(context,
                             "train_tabular needs a label and features", -1);
        return;
    }
    has_object = sqlite3_value_type(argv[1]) == SQLITE_TEXT ||
                 (argc == 2 && sqlite3_value_type(argv[1]) == SQLITE_NULL) ||
                 (argc == 3 && sqlite3_value_type(argv[2]) == SQLITE_TEXT);
    if (has_object && argc <= 3) {
        row.input = argv[1];
        row.options = argc > 2 ? argv[2] : NULL;
    } else {
        row.numbers = argv + 1;
        row.number_count = argc - 1;
    }
    take_row(context, INS_TRAIN_TABULAR, &row);
}

static ins_status
run_training(struct trainee *trainee, void **pack, size_t *bytes,
             ins_error *error)
{
    ins_status status;

    if (trainee == NULL || trainee->training == NULL) {
        ins_fail(error, INS_INVALID_ARGUMENT, "there are no rows to train on");
        if (trainee != NULL && trainee->skipped > 0)
            ins_fail_detail(error, "%llu rows had a NULL input or label.",
                            (unsigned long long) trainee->skipped);
        return INS_INVALID_ARGUMENT;
    }
    status = ins_training_run(trainee->training, pack, bytes, error);
    end_progress(&trainee->clock);
    return status;
}

void
end_training(sqlite3_context *context)
{
    struct trainee **slot = sqlite3_aggregate_context(context, 0);
    struct trainee *trainee = slot != NULL ? *slot : NULL;
    void *pack = NULL;
    size_t bytes = 0;
    ins_error error;

    if (trainee == NULL || !trainee->has_failed) {
        if (run_training(trainee, &pack, &bytes, &error) == INS_OK)
            /* From sqlite3_malloc64, as the connection's host gives. */
            sqlite3_result_blob64(context, pack, bytes, sqlite3_free);
        else
            fail_training(context, &error);
    }
    if (trainee != NULL)
        free_trainee(trainee);
}
