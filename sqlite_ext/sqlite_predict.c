/*
 * sqlite_predict.c - predict, predict_row, predict_label and predict_scores:
 * models over numbers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_tables.h"

SQLITE_EXTENSION_INIT3

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* A model over numbers, with the scores of its labels. */
struct prediction {
    connection *conn;
    sqlite3_context *context; /* of a function call, or NULL */
    const ins_model *model;
    shared_model *shared; /* borrowed from the connection */
    float *scores;        /* [label_count], owned */
};

static ins_status
read_feature(sqlite3_value *value, double *feature, ins_error *error)
{
    int type = sqlite3_value_type(value);

    *feature = NAN;
    if (type == SQLITE_NULL)
        return INS_OK;
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        *feature = sqlite3_value_double(value);
        return INS_OK;
    }
    ins_fail(error, INS_INVALID_ARGUMENT, "features must be numbers or NULL");
    ins_fail_hint(error, "Features that are texts are passed by name: "
                         "json_object('sex', sex, 'age', age).");
    return INS_INVALID_ARGUMENT;
}

ins_status
read_features(sqlite3_value **values, int count, double **features,
              ins_error *error)
{
    ins_status status = INS_OK;

    *features = sqlite3_malloc64(((uint64_t) count + 1) * sizeof(double));
    if (*features == NULL)
        return ins_fail_no_memory(error, (size_t) count * sizeof(double));
    for (int i = 0; i < count && status == INS_OK; i++)
        status = read_feature(values[i], &(*features)[i], error);
    if (status != INS_OK) {
        sqlite3_free(*features);
        *features = NULL;
    }
    return status;
}

static ins_status
find_named(struct prediction *prediction, sqlite3_value *name,
           model_identity *identity, ins_error *error)
{
    ins_text text;
    bool is_null;

    INS_TRY(name_argument(name, "model", &text, &is_null, error));
    if (prediction->context != NULL)
        return find_model_once(prediction->context, 0, text, false, identity,
                               error);
    return find_model(prediction->conn, text, false, identity, error);
}

static ins_status
begin_prediction(struct prediction *prediction, sqlite3_value *name,
                 ins_error *error)
{
    ins_host host = connection_host(prediction->conn);
    const ins_model_info *info;
    model_identity identity;
    open_model *opened;
    void *memory;

    INS_TRY(find_named(prediction, name, &identity, error));
    INS_TRY(open_weights(prediction->conn, &identity, &opened, error));
    prediction->shared = opened->shared;
    prediction->model = model_of(prediction->shared);
    info = ins_model_describe(prediction->model);
    if (!info->can_predict) {
        ins_fail(error, INS_WRONG_TASK,
                 "model \"%s\" cannot predict: its task is %s", identity.name,
                 ins_model_tasks(prediction->model));
        ins_fail_hint(error, "Name a model that train_tabular made.");
        return INS_WRONG_TASK;
    }
    INS_TRY(ins_alloc(&host, info->label_count, sizeof(float), &memory, error));
    prediction->scores = memory;
    return INS_OK;
}

static ins_status
predict_numbers(struct prediction *prediction, sqlite3_value **values,
                int count, ins_error *error)
{
    double *features;
    ins_status status;

    INS_TRY(read_features(values, count, &features, error));
    status = ins_predict(prediction->model, features, (size_t) count,
                         prediction->scores, error);
    sqlite3_free(features);
    return status;
}

static ins_status
predict_object(struct prediction *prediction, sqlite3_value *value,
               ins_error *error)
{
    ins_host host = connection_host(prediction->conn);
    uint32_t count = ins_model_describe(prediction->model)->feature_count;
    double *features;
    ins_text json;
    bool is_null;
    void *memory;
    ins_status status;

    INS_TRY(input_argument(value, "features", &json, &is_null, error));
    INS_TRY(ins_alloc(&host, count, sizeof(double), &memory, error));
    features = memory;
    status = ins_predict_read_object(prediction->model, json, features, &host,
                                     error);
    if (status == INS_OK)
        status = ins_predict(prediction->model, features, count,
                             prediction->scores, error);
    sqlite3_free(memory);
    return status;
}

/* Can NULL alone be the features of a row?  Then it is a missing number;
 * otherwise it is an object. */
static bool
reads_one_number(const ins_model *model)
{
    ins_text name = ins_model_feature(model, 0);

    return ins_model_describe(model)->feature_count == 1 && name.size == 1 &&
           name.data[0] == '1';
}

/* (model, object) or (model, number, ...).  scores: NULL afterwards when the
 * object is NULL. */
static ins_status
predict_arguments(struct prediction *prediction, int argc, sqlite3_value **argv,
                  ins_error *error)
{
    int type = argc == 2 ? sqlite3_value_type(argv[1]) : SQLITE_FLOAT;

    INS_CHECK(argc >= 2, error, INS_INVALID_ARGUMENT,
              "a prediction needs a model and features");
    INS_TRY(begin_prediction(prediction, argv[0], error));
    if (type == SQLITE_NULL && !reads_one_number(prediction->model)) {
        sqlite3_free(prediction->scores);
        prediction->scores = NULL;
        return INS_OK;
    }
    if (type == SQLITE_TEXT)
        return predict_object(prediction, argv[1], error);
    return predict_numbers(prediction, argv + 1, argc - 1, error);
}

static bool
is_null_call(int argc, sqlite3_value **argv, bool object)
{
    return (argc > 0 && sqlite3_value_type(argv[0]) == SQLITE_NULL) ||
           (object && sqlite3_value_type(argv[1]) == SQLITE_NULL);
}

static void
score_into_result(sqlite3_context *context, int argc, sqlite3_value **argv,
                  bool want_label)
{
    struct prediction prediction = {.conn = sqlite3_user_data(context),
                                    .context = context};
    ins_error error;

    if (predict_arguments(&prediction, argc, argv, &error) != INS_OK) {
        result_failure(context, &error);
    } else if (prediction.scores == NULL) {
        sqlite3_result_null(context);
    } else if (want_label) {
        uint32_t count = ins_model_describe(prediction.model)->label_count;
        ins_text label = ins_model_label(
            prediction.model, ins_best_label(prediction.scores, count));

        sqlite3_result_text64(context, label.data, label.size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    } else {
        uint32_t positive = ins_model_positive_label(prediction.model);

        sqlite3_result_double(context, (double) prediction.scores[positive]);
    }
    sqlite3_free(prediction.scores);
}

void
sql_predict(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (!is_null_call(argc, argv, false))
        score_into_result(context, argc, argv, false);
}

void
sql_predict_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (!is_null_call(argc, argv, true))
        score_into_result(context, argc, argv, false);
}

void
sql_predict_label(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (!is_null_call(argc, argv, false))
        score_into_result(context, argc, argv, true);
}

/* ---- predict_scores ------------------------------------------------------ */

ins_status
open_predicted_scores(table_cursor *cursor, ins_error *error)
{
    struct prediction prediction = {.conn = cursor->conn};
    ins_status status =
        predict_arguments(&prediction, 2, cursor->arguments, error);

    if (status == INS_OK) {
        /* The scan may outlive the connection's interest in the model. */
        retain_model(prediction.shared);
        cursor->shared = prediction.shared;
        status = keep_scores(cursor, prediction.scores,
                             ins_model_describe(prediction.model)->label_count,
                             error);
    }
    sqlite3_free(prediction.scores);
    return status;
}
