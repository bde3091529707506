/*
 * out_of_memory.c - every allocation through SQLite's allocator fails once,
 * for every scenario; then, each time, all from the n-th on fail.
 *
 *     out_of_memory MODULE.so CLASSIFIER_DIRECTORY EMBEDDER_DIRECTORY
 *
 * Prints TAP.  A scenario is right when each failure comes back as an error
 * (or was survived), memory returns to what it was, and the connection works
 * afterwards.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3_mem_methods real;
static long countdown = -1; /* -1 = nothing fails */
static bool persistent;
static bool failed;

static bool
fails_now(void)
{
    if (countdown < 0)
        return false;
    if (countdown > 0) {
        countdown--;
        return false;
    }
    failed = true;
    if (!persistent)
        countdown = -1;
    return true;
}

static void *
faulty_malloc(int size)
{
    return fails_now() ? NULL : real.xMalloc(size);
}

static void *
faulty_realloc(void *memory, int size)
{
    return fails_now() ? NULL : real.xRealloc(memory, size);
}

static const char *module;
static const char *classifier;
static const char *embedder;

/* Runs SQL with the two directories as ?1 and ?2; returns a result code. */
static int
run(sqlite3 *db, const char *sql)
{
    int code = SQLITE_OK;

    while (code == SQLITE_OK && *sql != '\0') {
        sqlite3_stmt *statement = NULL;

        code = sqlite3_prepare_v2(db, sql, -1, &statement, &sql);
        if (code == SQLITE_OK && statement != NULL) {
            sqlite3_bind_text(statement, 1, classifier, -1, SQLITE_STATIC);
            sqlite3_bind_text(statement, 2, embedder, -1, SQLITE_STATIC);
            do
                code = sqlite3_step(statement);
            while (code == SQLITE_ROW);
            if (code == SQLITE_DONE)
                code = SQLITE_OK;
        }
        sqlite3_finalize(statement);
    }
    return code;
}

static sqlite3 *
open_database(void)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        return NULL;
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
    if (sqlite3_load_extension(db, module, "sqlite3_insitu_init", NULL) !=
        SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

/* A table of labelled texts and numbers. */
#define LABELLED                                                          \
    "CREATE TABLE t AS SELECT value AS x, key AS i, key % 2 AS y, "       \
    "json_array('l' || (key % 2), 'of all') AS many FROM "                \
    "json_each('[\"my card\",\"a\",\"card\",\"order\",null,\"my order\"," \
    "\"card order\",\"order my\"]');"

static const struct scenario {
    const char *name;
    const char *prepare;
    const char *sql;
} scenarios[] = {
    {"load the library", NULL, ""},
    {"register a model", "", "SELECT model_register('sort', ?1)"},
    {"classify", "SELECT model_register('sort', ?1)",
     "SELECT classify('my order is late', 'sort')"},
    {"all scores", "SELECT model_register('sort', ?1)",
     "SELECT * FROM classify_scores('my order is late', 'sort')"},
    {"explain", "SELECT model_register('sort', ?1)",
     "SELECT * FROM explain_classify('my order is late', 'sort', 'other');"
     "SELECT explain_html('my order is late', 'sort')"},
    {"embed", "SELECT model_register('near', ?2)",
     "SELECT embed('my order is late', 'near')"},
    {"tokens", "SELECT model_register('sort', ?1)",
     "SELECT * FROM tokens('my order is late', 'sort');"
     "SELECT token_ids('my order', 'sort')"},
    {"batch", "SELECT model_register('sort', ?1)",
     "SELECT * FROM classify_batch('[\"a\",null,\"my order\"]', 'sort')"},
    {"embedding batch", "SELECT model_register('near', ?2)",
     "SELECT * FROM embed_batch('[\"a\",null,\"my order\"]', 'near')"},
    {"window", "SELECT model_register('sort', ?1)",
     "SELECT classify_window(value, 'sort') OVER (ROWS BETWEEN CURRENT ROW AND "
     "1 FOLLOWING) FROM json_each('[\"a\",null,\"my order\",\"card\"]')"},
    {"embedding window", "SELECT model_register('near', ?2)",
     "SELECT embed_window(value, 'near') OVER (ROWS BETWEEN CURRENT ROW AND "
     "1 FOLLOWING) FROM json_each('[\"a\",null,\"my order\",\"card\"]')"},
    {"evaluation", "",
     "SELECT eval_report(value, id % 3), eval_html(value, id % 3),"
     "eval_confusion(value, 1), eval_accuracy(value, 1) FROM "
     "json_each('[\"a\",null,1,2,\"a\",0,1,7,8,9]');"
     "SELECT eval_calibration(0.5, 1)"},
    {"train a classifier", "SELECT model_register('near', ?2);" LABELLED,
     "SELECT train_classifier(x, y, substr('-{\"encoder\":\"near\","
     "\"folds\":2}', 2)),"
     "train_classifier(x, many, '{\"encoder\":\"near\",\"l2\":1,"
     "\"class_weights\":\"balanced\",\"head\":\"network\"}') FROM t;"
     "SELECT train_classifier(x, y, '{\"encoder\":\"near\",\"l2\":1,"
     "\"weights\":\"bf16\"}') FROM t GROUP BY i > 3"},
    {"fine-tune", "SELECT model_register('near', ?2);" LABELLED,
     "SELECT fine_tune_classifier(x, y, 'near', '{\"epochs\":1,"
     "\"batch_size\":4}') FROM t"},
    {"train on numbers", LABELLED,
     "SELECT train_tabular(y, i, i * i) FROM t;"
     "SELECT train_tabular(y, json_object('i', i, 'x', x), '{\"folds\":2,"
     "\"head\":\"auto\",\"units\":2}') FROM t"},
    {"predict",
     LABELLED "SELECT model_register('n', train_tabular(y, i, i * i)) FROM t;"
              "SELECT model_register('o', train_tabular(y, json_object('i', i,"
              "'x', x))) FROM t",
     "SELECT predict('n', i, 3), predict_label('n', 1, i) FROM t;"
     "SELECT predict_row('o', json_object('x', x)), predict_label('o', "
     "'{\"i\":2}') FROM t;"
     "SELECT * FROM predict_scores('o', '{\"x\":\"card\"}')"},
    {"describe", "SELECT model_register('sort', ?1)",
     "SELECT model_info('sort'); SELECT * FROM model_list;"
     "SELECT * FROM model_stats; SELECT model_verify('sort');"
     "SELECT length(model_export('sort'))"},
    {"alias, drop and settings", "SELECT model_register('sort', ?1)",
     "SELECT model_alias('current', 'sort');"
     "SELECT insitu_setting('default_classifier', 'current');"
     "SELECT insitu_setting('model_path', '/');"
     "SELECT insitu_setting('cache_directory', '');"
     "SELECT classify('a'); SELECT model_drop('current');"
     "SELECT model_drop('sort')"},
};

/* One attempt; returns a complaint or NULL.  *done: nothing failed. */
static const char *
attempt(const struct scenario *scenario, long n, bool *done)
{
    static char complaint[200];
    sqlite3_int64 before = sqlite3_memory_used();
    sqlite3 *db = NULL;
    int code;

    if (scenario->prepare != NULL) {
        db = open_database();
        if (db == NULL || run(db, scenario->prepare) != SQLITE_OK)
            return "could not prepare";
    }
    failed = false;
    countdown = n;
    if (scenario->prepare == NULL)
        db = open_database();
    code = db == NULL ? SQLITE_NOMEM : run(db, scenario->sql);
    countdown = -1;
    *done = !failed;
    if (!failed && code != SQLITE_OK)
        return "fails without a fault";
    if (db != NULL && code != SQLITE_OK && (code & 0xFF) != SQLITE_NOMEM &&
        (code & 0xFF) != SQLITE_ERROR) {
        snprintf(complaint, sizeof(complaint), "n = %ld: code %d, %s", n, code,
                 sqlite3_errmsg(db));
        sqlite3_close(db);
        return complaint;
    }
    if (db != NULL && run(db, "SELECT 1") != SQLITE_OK)
        return "the connection is dead afterwards";
    if (sqlite3_close(db) != SQLITE_OK)
        return "the connection cannot be closed";
    if (sqlite3_memory_used() != before) {
        snprintf(complaint, sizeof(complaint), "n = %ld: %lld bytes leaked", n,
                 (long long) (sqlite3_memory_used() - before));
        return complaint;
    }
    return NULL;
}

static const char *
run_scenario(const struct scenario *scenario, long *points)
{
    for (int mode = 0; mode < 2; mode++) {
        bool done = false;

        persistent = mode == 1;
        for (long n = 0; !done; n++) {
            const char *complaint = attempt(scenario, n, &done);

            if (complaint != NULL)
                return complaint;
            *points += 1;
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    size_t count = sizeof(scenarios) / sizeof(scenarios[0]);
    sqlite3_mem_methods faulty;
    int failures = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: out_of_memory MODULE CLASSIFIER EMBEDDER\n");
        return 2;
    }
    module = argv[1];
    classifier = argv[2];
    embedder = argv[3];
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    faulty = real;
    faulty.xMalloc = faulty_malloc;
    faulty.xRealloc = faulty_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
    /* Without it some memory would come from elsewhere. */
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    /* Loads what SQLite and the library keep for the life of the process. */
    sqlite3_close(open_database());
    for (size_t i = 0; i < count; i++) {
        long points = 0;
        const char *complaint = run_scenario(&scenarios[i], &points);

        failures += complaint != NULL;
        printf("%s %zu - sqlite out of memory: %s (%ld points)\n",
               complaint == NULL ? "ok" : "not ok", i + 1, scenarios[i].name,
               points);
        if (complaint != NULL)
            printf("# %s\n", complaint);
        fflush(stdout);
    }
    printf("1..%zu\n", count);
    return failures == 0 ? 0 : 1;
}
