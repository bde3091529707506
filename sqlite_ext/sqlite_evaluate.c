/*
 * sqlite_evaluate.c - the aggregates eval_accuracy, eval_report,
 * eval_confusion, eval_html and eval_calibration.
 *
 * SQLite keeps a pointer per group; what it points to is freed by the final
 * function, which is called also when a query ends early.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "insitu_evaluate.h"

/* ---- states -------------------------------------------------------------- */

/* *state: made when there is none. */
static ins_status
find_evaluation(sqlite3_context *context, ins_evaluation **state,
                ins_error *error)
{
    ins_host host = connection_host(sqlite3_user_data(context));
    ins_evaluation **slot = sqlite3_aggregate_context(context, sizeof(*slot));

    *state = NULL;
    if (slot == NULL)
        return ins_fail_no_memory(error, sizeof(*slot));
    if (*slot == NULL)
        INS_TRY(ins_evaluation_open(slot, &host, error));
    *state = *slot;
    return INS_OK;
}

static ins_status
add_row(sqlite3_context *context, sqlite3_value **argv, ins_error *error)
{
    ins_evaluation *evaluation;
    ins_text predicted;
    ins_text actual;
    bool is_null[2];

    INS_TRY(find_evaluation(context, &evaluation, error));
    INS_TRY(
        text_argument(argv[0], "predicted", &predicted, &is_null[0], error));
    INS_TRY(text_argument(argv[1], "actual", &actual, &is_null[1], error));
    return ins_evaluation_add(evaluation, is_null[0] ? NULL : &predicted,
                              is_null[1] ? NULL : &actual, error);
}

static void
step_pair(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    ins_error error;

    (void) argc;
    if (add_row(context, argv, &error) != INS_OK)
        result_failure(context, &error);
}

/* ---- results of pairs ---------------------------------------------------- */

/* NULL: there was no row, or the step for the first one failed. */
static ins_evaluation *
known_evaluation(sqlite3_context *context)
{
    ins_evaluation **slot = sqlite3_aggregate_context(context, 0);

    return slot != NULL ? *slot : NULL;
}

static void
give_accuracy(sqlite3_context *context)
{
    ins_evaluation *evaluation = known_evaluation(context);
    double accuracy;

    if (evaluation == NULL)
        return;
    accuracy = ins_evaluation_accuracy(evaluation);
    if (!isnan(accuracy))
        sqlite3_result_double(context, accuracy);
    ins_evaluation_close(evaluation);
}

typedef ins_status (*evaluation_text)(const ins_evaluation *evaluation,
                                      char **text, size_t *size,
                                      ins_error *error);

static void
result_made_text(sqlite3_context *context, char *made, size_t size,
                 bool is_json)
{
    sqlite3_result_text64(context, made, size, sqlite3_free, SQLITE_UTF8);
    if (is_json)
        sqlite3_result_subtype(context, JSON_SUBTYPE);
}

static void
give_text(sqlite3_context *context, evaluation_text write, bool is_json)
{
    ins_evaluation *evaluation = known_evaluation(context);
    ins_host host = connection_host(sqlite3_user_data(context));
    ins_error error;
    ins_status status = INS_OK;
    char *made;
    size_t size;

    /* Of no rows. */
    if (evaluation == NULL)
        status = ins_evaluation_open(&evaluation, &host, &error);
    if (status == INS_OK)
        status = write(evaluation, &made, &size, &error);
    if (status == INS_OK)
        result_made_text(context, made, size, is_json);
    else
        result_failure(context, &error);
    ins_evaluation_close(evaluation);
}

static void
give_report(sqlite3_context *context)
{
    give_text(context, ins_evaluation_report, true);
}

static void
give_confusion(sqlite3_context *context)
{
    give_text(context, ins_evaluation_confusion, true);
}

static void
give_page(sqlite3_context *context)
{
    give_text(context, ins_evaluation_html, false);
}

/* ---- calibration --------------------------------------------------------- */

static ins_status
check_number(sqlite3_value *value, const char *what, ins_error *error)
{
    int type = sqlite3_value_type(value);

    return type == SQLITE_INTEGER || type == SQLITE_FLOAT || type == SQLITE_NULL
               ? INS_OK
               : ins_fail(error, INS_INVALID_ARGUMENT, "%s must be a number",
                          what);
}

static ins_status
add_score(sqlite3_context *context, sqlite3_value **argv, ins_error *error)
{
    /* Zeroed by SQLite. */
    ins_calibration *calibration =
        sqlite3_aggregate_context(context, sizeof(*calibration));

    if (calibration == NULL)
        return ins_fail_no_memory(error, sizeof(*calibration));
    INS_TRY(check_number(argv[0], "score", error));
    INS_TRY(check_number(argv[1], "hit", error));
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
        sqlite3_value_type(argv[1]) == SQLITE_NULL) {
        calibration->nulls++;
        return INS_OK;
    }
    return ins_calibration_add(calibration, sqlite3_value_double(argv[0]),
                               sqlite3_value_double(argv[1]) != 0, error);
}

static void
step_score(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    ins_error error;

    (void) argc;
    if (add_score(context, argv, &error) != INS_OK)
        result_failure(context, &error);
}

static void
give_calibration(sqlite3_context *context)
{
    static const ins_calibration nothing;
    const ins_calibration *calibration = sqlite3_aggregate_context(context, 0);
    ins_host host = connection_host(sqlite3_user_data(context));
    ins_error error;
    char *made;
    size_t size;

    if (calibration == NULL)
        calibration = &nothing;
    if (ins_calibration_report(calibration, &host, &made, &size, &error) ==
        INS_OK)
        result_made_text(context, made, size, true);
    else
        result_failure(context, &error);
}

/* ---- registering --------------------------------------------------------- */

static const struct {
    const char *name;
    int flags;
    sql_function *step;
    void (*give)(sqlite3_context *context);
} aggregate_table[] = {
    {"eval_accuracy", STEADY, step_pair, give_accuracy},
    {"eval_calibration", STEADY | WITH_SUBTYPE, step_score, give_calibration},
    {"eval_confusion", STEADY | WITH_SUBTYPE, step_pair, give_confusion},
    {"eval_html", STEADY, step_pair, give_page},
    {"eval_report", STEADY | WITH_SUBTYPE, step_pair, give_report},
};
#define AGGREGATE_COUNT (sizeof(aggregate_table) / sizeof(aggregate_table[0]))

int
register_aggregates(connection *conn, const char *prefix)
{
    for (size_t i = 0; i < AGGREGATE_COUNT; i++) {
        char name[64];
        int code;

        sqlite3_snprintf((int) sizeof(name), name, "%s%s", prefix,
                         aggregate_table[i].name);
        retain_connection(conn);
        /* Releases the connection also when it fails. */
        code = sqlite3_create_function_v2(
            conn->db, name, 2, aggregate_table[i].flags, conn, NULL,
            aggregate_table[i].step, aggregate_table[i].give,
            release_connection);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}
