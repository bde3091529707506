/*
 * pg_module.c - the library's entry point: settings and callbacks.
 *
 * _PG_init does nothing that can fail: it runs in the postmaster when the
 * library is preloaded, in pg_upgrade's server and in any backend.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <limits.h>

#include "pg_batch_plan.h"
#include "pg_catalog.h"
#include "pg_memo.h"
#include "pg_model_map.h"
#include "pg_progress.h"
#include "pg_session.h"
#include "pg_settings.h"
#include "pg_stats.h"

PG_MODULE_MAGIC;

void _PG_init(void);

char *setting_default_classifier;
char *setting_default_embedder;
int setting_on_long_input;
int setting_batch_size;
bool setting_batch_plans;
char *setting_kernels;
int setting_memo_size;
char *setting_model_path;
int setting_max_loaded_bytes;
int setting_max_input_bytes;
int setting_train_max_memory;
int setting_debug_load_delay;
char *setting_cache_directory;

static const struct config_enum_entry long_input_options[] = {
    {"truncate", LONG_INPUT_TRUNCATE, false},
    {"error", LONG_INPUT_ERROR, false},
    {NULL, 0, false}};

static bool
check_default_model(char **value, void **extra, GucSource source)
{
    (void) extra;
    (void) source;
    if (is_model_name(*value))
        return true;
    GUC_check_errdetail("A model's name has up to 63 of a-z, 0-9, \"_\", "
                        "\".\" and \"-\" and begins with a letter or digit.");
    return false;
}

static bool
check_directory(char **value, void **extra, GucSource source)
{
    (void) extra;
    (void) source;
    if (**value == '\0' || **value == '/')
        return true;
    GUC_check_errdetail("The path must be absolute, or empty.");
    return false;
}

static bool
check_kernels(char **value, void **extra, GucSource source)
{
    const char *level;

    (void) extra;
    (void) source;
    if (strcmp(*value, "auto") == 0)
        return true;
    for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++)
        if (strcmp(*value, level) == 0)
            return true;
    GUC_check_errdetail("It is \"auto\" or a level that this machine runs.");
    GUC_check_errhint("The best level here is \"%s\".", ins_kernel_level(0));
    return false;
}

static void
define_user_settings(void)
{
    DefineCustomStringVariable("insitu.default_classifier",
                               "Model or alias that classify(input) uses.",
                               NULL, &setting_default_classifier, BUNDLED_MODEL,
                               PGC_USERSET, GUC_REPORT, check_default_model,
                               NULL, NULL);
    DefineCustomStringVariable(
        "insitu.default_embedder", "Model or alias that embed(input) uses.",
        NULL, &setting_default_embedder, BUNDLED_MODEL, PGC_USERSET, GUC_REPORT,
        check_default_model, NULL, NULL);
    DefineCustomEnumVariable(
        "insitu.on_long_input",
        "What happens to a text with more tokens than the model reads.", NULL,
        &setting_on_long_input, LONG_INPUT_TRUNCATE, long_input_options,
        PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable("insitu.batch_size",
                            "Texts per pass of batch functions and plans.",
                            NULL, &setting_batch_size, 32, 1, 1024, PGC_USERSET,
                            0, NULL, NULL, NULL);
    DefineCustomBoolVariable(
        "insitu.batch_plans",
        "Lets plans compute the results of many rows in one pass.", NULL,
        &setting_batch_plans, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
    DefineCustomStringVariable(
        "insitu.kernels",
        "Instruction set that computes: a level, or auto for the best.",
        "All levels give the same results.", &setting_kernels, "auto",
        PGC_USERSET, 0, check_kernels, NULL, NULL);
    DefineCustomIntVariable(
        "insitu.memo_size", "Memory of a backend for recent results.",
        "0 means none.", &setting_memo_size, 1024, 0, 1 << 20, PGC_USERSET,
        GUC_UNIT_KB, NULL, NULL, NULL);
}

static void
define_administrator_settings(void)
{
    DefineCustomStringVariable(
        "insitu.model_path",
        "Directory that model_register may read for roles that are not "
        "members of pg_read_server_files.",
        "Empty means none.", &setting_model_path, "", PGC_SUSET,
        GUC_SUPERUSER_ONLY, check_directory, NULL, NULL);
    DefineCustomIntVariable(
        "insitu.max_loaded_bytes",
        "Models that one backend keeps mapped between transactions.",
        "0 means no limit.", &setting_max_loaded_bytes, 1 << 30, 0, INT_MAX,
        PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
    DefineCustomIntVariable("insitu.max_input_bytes",
                            "Size of the longest text that is accepted.", NULL,
                            &setting_max_input_bytes, 1 << 20, 1024, 64 << 20,
                            PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
    DefineCustomIntVariable(
        "insitu.train_max_memory",
        "Memory of one training, with the rows it learns from.", NULL,
        &setting_train_max_memory, 1 << 20, 1 << 10, MAX_KILOBYTES, PGC_SUSET,
        GUC_UNIT_KB, NULL, NULL, NULL);
    DefineCustomStringVariable(
        "insitu.cache_directory",
        "Directory of the files through which backends share weights.",
        "Empty means pg_stat_tmp/insitu in the data directory.",
        &setting_cache_directory, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
        check_directory, NULL, NULL);
    DefineCustomIntVariable(
        "insitu.debug_load_delay",
        "Waits for each chunk of a model that is loaded.", "For tests.",
        &setting_debug_load_delay, 0, 0, 10000, PGC_SUSET,
        GUC_UNIT_MS | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, NULL, NULL, NULL);
}

void
_PG_init(void)
{
    define_user_settings();
    define_administrator_settings();
    MarkGUCPrefixReserved("insitu");
    request_statistics_memory();
    request_progress_memory();
    watch_catalog();
    watch_transactions();
    watch_discard();
    watch_plans();
}
