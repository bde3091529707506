/*
 * sqlite_settings.c - insitu_setting(name[, value]).
 *
 * Settings belong to the connection.  Each row of the table below knows how to
 * show and how to set one.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_insitu.h"

SQLITE_EXTENSION_INIT3

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"

#define DEFAULT_BATCH_SIZE       32
#define MAX_BATCH_SIZE           1024
#define DEFAULT_MEMO_KILOBYTES   1024
#define MAX_MEMO_KILOBYTES       (1 << 20)
#define DEFAULT_MAX_LOADED_BYTES ((uint64_t) 1 << 30)
#define DEFAULT_TRAIN_KILOBYTES  (1 << 20)
#define MIN_TRAIN_KILOBYTES      1024
#define MAX_TRAIN_KILOBYTES      INT32_MAX

void
default_settings(connection_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    strcpy(settings->default_classifier, BUNDLED_MODEL_NAME);
    strcpy(settings->default_embedder, BUNDLED_MODEL_NAME);
    settings->batch_size = DEFAULT_BATCH_SIZE;
    settings->max_loaded_bytes = DEFAULT_MAX_LOADED_BYTES;
    settings->memo_size = DEFAULT_MEMO_KILOBYTES;
    settings->train_max_memory = DEFAULT_TRAIN_KILOBYTES;
}

void
free_settings(connection_settings *settings)
{
    sqlite3_free(settings->cache_directory);
    sqlite3_free(settings->model_path);
}

/* ---- the cache directory ------------------------------------------------ */

/* Whoever can write there could shorten a mapped file: SIGBUS. */
static bool
is_private_directory(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

/* $XDG_CACHE_HOME or ~/.cache; false: neither is known. */
static bool
cache_home(char *buffer, size_t size)
{
    const char *base = secure_getenv("XDG_CACHE_HOME");
    const char *home = secure_getenv("HOME");
    size_t length;

    if (base != NULL && base[0] == '/')
        length = ins_format(buffer, size, "%s", base);
    else if (home != NULL && home[0] == '/')
        length = ins_format(buffer, size, "%s/.cache", home);
    else
        return false;
    /* Room for the name of our directory. */
    return length < size - 16;
}

static bool
default_cache_directory(char *buffer, size_t size)
{
    size_t length;

    if (!cache_home(buffer, size))
        return false;
    length = strlen(buffer);
    ins_format(buffer + length, size - length, "/insitu");
    return true;
}

static bool
make_private_directory(const char *path)
{
    return (mkdir(path, 0700) == 0 || errno == EEXIST) &&
           is_private_directory(path);
}

const char *
usable_cache_directory(const connection *conn, char *buffer, size_t size)
{
    const char *path = conn->settings.cache_directory;

    if (path != NULL)
        return path[0] != '\0' && make_private_directory(path) ? path : NULL;
    if (!cache_home(buffer, size))
        return NULL;
    (void) mkdir(buffer, 0700);
    if (!default_cache_directory(buffer, size))
        return NULL;
    return make_private_directory(buffer) ? buffer : NULL;
}

/* ---- the table ---------------------------------------------------------- */

struct setting {
    const char *name;
    bool is_security; /* cannot be changed once locked */
    void (*show)(const connection_settings *settings, sqlite3_context *context);
    ins_status (*set)(connection *conn, sqlite3_value *value, ins_error *error);
};

static bool
equals(ins_text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static ins_status
read_text(sqlite3_value *value, ins_text *text, ins_error *error)
{
    bool is_null;

    INS_TRY(text_argument(value, "value of a setting", text, &is_null, error));
    INS_CHECK(!is_null, error, INS_INVALID_ARGUMENT,
              "value of a setting must not be NULL");
    INS_CHECK(memchr(text->data, '\0', text->size) == NULL, error,
              INS_INVALID_ARGUMENT,
              "value of a setting must not contain a NUL character");
    return INS_OK;
}

static ins_status
read_number(sqlite3_value *value, uint64_t minimum, uint64_t maximum,
            uint64_t *number, ins_error *error)
{
    /* Turns '64' into a number and leaves '64 kB' a text. */
    int type = sqlite3_value_numeric_type(value);
    sqlite3_int64 integer = sqlite3_value_int64(value);

    INS_CHECK(type == SQLITE_INTEGER && integer >= 0 &&
                  (uint64_t) integer >= minimum &&
                  (uint64_t) integer <= maximum,
              error, INS_INVALID_ARGUMENT,
              "value must be a whole number from %llu to %llu",
              (unsigned long long) minimum, (unsigned long long) maximum);
    *number = (uint64_t) integer;
    return INS_OK;
}

/* The model need not exist yet. */
static ins_status
set_name(char name[MAX_NAME_BYTES], sqlite3_value *value, ins_error *error)
{
    ins_text text;

    INS_TRY(read_text(value, &text, error));
    INS_CHECK(is_model_name(text), error, INS_INVALID_ARGUMENT,
              "value must be the name of a model or an alias");
    ins_format(name, MAX_NAME_BYTES, "%.*s", (int) text.size, text.data);
    return INS_OK;
}

/* *slot: owned copy. */
static ins_status
set_path(char **slot, sqlite3_value *value, ins_error *error)
{
    ins_text text;
    char *copy;

    INS_TRY(read_text(value, &text, error));
    INS_CHECK(text.size == 0 || (text.data[0] == '/' && text.size < 4000),
              error, INS_INVALID_ARGUMENT,
              "value must be an absolute path or empty");
    copy = sqlite3_mprintf("%.*s", (int) text.size, text.data);
    if (copy == NULL)
        return ins_fail_no_memory(error, text.size);
    sqlite3_free(*slot);
    *slot = copy;
    return INS_OK;
}

static void
show_classifier(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_text(context, settings->default_classifier, -1,
                        SQLITE_TRANSIENT);
}

static ins_status
set_classifier(connection *conn, sqlite3_value *value, ins_error *error)
{
    return set_name(conn->settings.default_classifier, value, error);
}

static void
show_embedder(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_text(context, settings->default_embedder, -1,
                        SQLITE_TRANSIENT);
}

static ins_status
set_embedder(connection *conn, sqlite3_value *value, ins_error *error)
{
    return set_name(conn->settings.default_embedder, value, error);
}

static void
show_long_input(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_text(context,
                        settings->error_on_long_input ? "error" : "truncate",
                        -1, SQLITE_STATIC);
}

static ins_status
set_long_input(connection *conn, sqlite3_value *value, ins_error *error)
{
    ins_text text;

    INS_TRY(read_text(value, &text, error));
    INS_CHECK(equals(text, "truncate") || equals(text, "error"), error,
              INS_INVALID_ARGUMENT, "value must be truncate or error");
    conn->settings.error_on_long_input = equals(text, "error");
    close_sessions(conn);
    return INS_OK;
}

static void
show_kernels(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_text(context,
                        settings->kernels != NULL ? settings->kernels : "auto",
                        -1, SQLITE_STATIC);
}

static ins_status
set_kernels(connection *conn, sqlite3_value *value, ins_error *error)
{
    const char *level = NULL;
    ins_text text;

    INS_TRY(read_text(value, &text, error));
    if (!equals(text, "auto")) {
        for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++)
            if (equals(text, level))
                break;
        if (level == NULL) {
            ins_fail(error, INS_INVALID_ARGUMENT,
                     "value must be auto or a level that this machine runs");
            ins_fail_hint(error, "The best level here is %s.",
                          ins_kernel_level(0));
            return INS_INVALID_ARGUMENT;
        }
    }
    conn->settings.kernels = level;
    close_sessions(conn);
    return INS_OK;
}

static void
show_batch_size(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_int64(context, settings->batch_size);
}

static ins_status
set_batch_size(connection *conn, sqlite3_value *value, ins_error *error)
{
    uint64_t number;

    INS_TRY(read_number(value, 1, MAX_BATCH_SIZE, &number, error));
    conn->settings.batch_size = (uint32_t) number;
    return INS_OK;
}

static void
show_loaded_bytes(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_int64(context, (sqlite3_int64) settings->max_loaded_bytes);
}

static ins_status
set_loaded_bytes(connection *conn, sqlite3_value *value, ins_error *error)
{
    return read_number(value, 0, INT64_MAX, &conn->settings.max_loaded_bytes,
                       error);
}

static void
show_memo_size(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_int64(context, settings->memo_size);
}

static ins_status
set_memo_size(connection *conn, sqlite3_value *value, ins_error *error)
{
    uint64_t number;

    INS_TRY(read_number(value, 0, MAX_MEMO_KILOBYTES, &number, error));
    INS_TRY(close_memo(conn, error));
    conn->settings.memo_size = (uint32_t) number;
    return INS_OK;
}

static void
show_cache_directory(const connection_settings *settings,
                     sqlite3_context *context)
{
    char buffer[4096];

    if (settings->cache_directory != NULL)
        sqlite3_result_text(context, settings->cache_directory, -1,
                            SQLITE_TRANSIENT);
    else if (default_cache_directory(buffer, sizeof(buffer)))
        sqlite3_result_text(context, buffer, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_text(context, "", 0, SQLITE_STATIC);
}

static ins_status
set_cache_directory(connection *conn, sqlite3_value *value, ins_error *error)
{
    char *path = NULL;
    ins_status status = set_path(&path, value, error);

    if (status != INS_OK)
        return status;
    if (path[0] != '\0' && ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
                            !is_private_directory(path))) {
        ins_fail(error, INS_PERMISSION, "\"%s\" cannot hold cache files", path);
        ins_fail_hint(error, "Name a directory that belongs to this user "
                             "and has mode 0700, or one that can be made.");
        sqlite3_free(path);
        return INS_PERMISSION;
    }
    sqlite3_free(conn->settings.cache_directory);
    conn->settings.cache_directory = path;
    return INS_OK;
}

static void
show_model_path(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_text(
        context, settings->model_path != NULL ? settings->model_path : "", -1,
        SQLITE_TRANSIENT);
}

static ins_status
set_model_path(connection *conn, sqlite3_value *value, ins_error *error)
{
    return set_path(&conn->settings.model_path, value, error);
}

static void
show_train_memory(const connection_settings *settings, sqlite3_context *context)
{
    sqlite3_result_int64(context, settings->train_max_memory);
}

static ins_status
set_train_memory(connection *conn, sqlite3_value *value, ins_error *error)
{
    uint64_t number;

    INS_TRY(read_number(value, MIN_TRAIN_KILOBYTES, MAX_TRAIN_KILOBYTES,
                        &number, error));
    conn->settings.train_max_memory = (uint32_t) number;
    return INS_OK;
}

static void
show_flag(sqlite3_context *context, bool flag)
{
    sqlite3_result_text(context, flag ? "on" : "off", -1, SQLITE_STATIC);
}

static ins_status
set_flag(bool *flag, sqlite3_value *value, ins_error *error)
{
    ins_text text;

    INS_TRY(read_text(value, &text, error));
    INS_CHECK(equals(text, "on") || equals(text, "off"), error,
              INS_INVALID_ARGUMENT, "value must be on or off");
    *flag = equals(text, "on");
    return INS_OK;
}

static void
show_progress(const connection_settings *settings, sqlite3_context *context)
{
    show_flag(context, settings->train_progress);
}

static ins_status
set_progress(connection *conn, sqlite3_value *value, ins_error *error)
{
    return set_flag(&conn->settings.train_progress, value, error);
}

static void
show_locked(const connection_settings *settings, sqlite3_context *context)
{
    show_flag(context, settings->locked);
}

static ins_status
set_locked(connection *conn, sqlite3_value *value, ins_error *error)
{
    return set_flag(&conn->settings.locked, value, error);
}

static const struct setting setting_table[] = {
    {"batch_size", false, show_batch_size, set_batch_size},
    {"cache_directory", true, show_cache_directory, set_cache_directory},
    {"default_classifier", false, show_classifier, set_classifier},
    {"default_embedder", false, show_embedder, set_embedder},
    {"kernels", false, show_kernels, set_kernels},
    {"locked", true, show_locked, set_locked},
    {"max_loaded_bytes", true, show_loaded_bytes, set_loaded_bytes},
    {"memo_size", true, show_memo_size, set_memo_size},
    {"model_path", true, show_model_path, set_model_path},
    {"on_long_input", false, show_long_input, set_long_input},
    {"train_max_memory", true, show_train_memory, set_train_memory},
    {"train_progress", false, show_progress, set_progress},
};
#define SETTING_COUNT (sizeof(setting_table) / sizeof(setting_table[0]))

/* ---- the functions ------------------------------------------------------ */

static ins_status
find_setting(sqlite3_value *value, const struct setting **setting,
             ins_error *error)
{
    ins_text name;
    bool is_null;

    *setting = NULL;
    INS_TRY(name_argument(value, "name of a setting", &name, &is_null, error));
    for (size_t i = 0; i < SETTING_COUNT && !is_null; i++)
        if (equals(name, setting_table[i].name))
            *setting = &setting_table[i];
    if (*setting != NULL || is_null)
        return INS_OK;
    ins_fail(error, INS_NOT_FOUND, "setting \"%.*s\" does not exist",
             name.size < MAX_NAME_BYTES ? (int) name.size : MAX_NAME_BYTES,
             name.data);
    ins_fail_hint(error,
                  "There are batch_size, cache_directory, default_classifier, "
                  "default_embedder, kernels, locked, max_loaded_bytes, "
                  "memo_size, model_path, on_long_input, train_max_memory and "
                  "train_progress.");
    return INS_NOT_FOUND;
}

void
insitu_setting_get(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    connection *conn = sqlite3_user_data(context);
    connection **asked = sqlite3_value_pointer(argv[0], CONNECTION_POINTER);
    const struct setting *setting;
    ins_error error;

    (void) argc;
    if (asked != NULL)
        *asked = conn;
    else if (find_setting(argv[0], &setting, &error) != INS_OK)
        result_failure(context, &error);
    else if (setting != NULL)
        setting->show(&conn->settings, context);
}

void
insitu_setting_set(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    connection *conn = sqlite3_user_data(context);
    const struct setting *setting;
    ins_error error;
    ins_status status = find_setting(argv[0], &setting, &error);

    (void) argc;
    if (status == INS_OK && setting == NULL)
        return;
    if (status == INS_OK && setting->is_security && conn->settings.locked)
        status = ins_fail(&error, INS_PERMISSION,
                          "setting \"%s\" is locked for this connection",
                          setting->name);
    if (status == INS_OK)
        status = setting->set(conn, argv[1], &error);
    if (status != INS_OK)
        result_failure(context, &error);
    else
        setting->show(&conn->settings, context);
}
