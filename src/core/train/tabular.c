/*
 * tabular.c - takes the rows of a tabular training.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tabular.h"

#include <math.h>
#include <string.h>

#include "formats/json.h"
#include "train/table.h"

#define FIRST_CAPACITY 16
#define SHOWN_BYTES    64 /* of a key, in messages */

ins_status
ins_tabular_open(ins_tabular **tabular, const ins_training_options *options,
                 const ins_host *host, ins_error *error)
{
    void *memory;

    *tabular = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_tabular), &memory, error));
    *tabular = memory;
    (*tabular)->host = *host;
    (*tabular)->options = options;
    return INS_OK;
}

void
ins_tabular_close(ins_tabular *tabular)
{
    ins_host host;

    if (tabular == NULL)
        return;
    host = tabular->host;
    ins_row_store_close(&tabular->rows, &host);
    ins_label_table_close(&tabular->labels, &host);
    ins_label_table_close(&tabular->names, &host);
    ins_label_table_close(&tabular->key_names, &host);
    ins_release(&host, tabular->features);
    ins_release(&host, tabular->keys);
    ins_release(&host, tabular->row);
    ins_release(&host, tabular);
}

uint64_t
ins_tabular_rows(const ins_tabular *tabular)
{
    return tabular->rows.count;
}

/* Without the rows. */
static uint64_t
fixed_bytes(const ins_tabular *tabular)
{
    return sizeof(*tabular) + ins_label_table_bytes(&tabular->labels) +
           ins_label_table_bytes(&tabular->names) +
           ins_label_table_bytes(&tabular->key_names) +
           tabular->feature_capacity * sizeof(ins_table_feature) +
           tabular->key_capacity * sizeof(ins_table_key) +
           tabular->row_capacity;
}

uint64_t
ins_tabular_bytes(const ins_tabular *tabular)
{
    return fixed_bytes(tabular) + tabular->rows.bytes;
}

/* Makes room for count entries; what is there is kept. */
static ins_status
make_room(const ins_tabular *tabular, void **array, uint32_t *capacity,
          uint32_t count, size_t size, ins_error *error)
{
    uint32_t larger = *capacity > 0 ? *capacity : FIRST_CAPACITY;
    void *memory;

    if (count <= *capacity)
        return INS_OK;
    while (larger < count)
        larger *= 2;
    INS_TRY(ins_alloc(&tabular->host, larger, size, &memory, error));
    if (*capacity > 0)
        memcpy(memory, *array, *capacity * size);
    ins_release(&tabular->host, *array);
    *array = memory;
    *capacity = larger;
    return INS_OK;
}

/* ---- a row --------------------------------------------------------------- */

static ins_status
check_form(ins_tabular *tabular, enum ins_table_form form, ins_error *error)
{
    INS_CHECK(
        tabular->form == form || tabular->form == INS_TABLE_EMPTY, error,
        INS_INVALID_ARGUMENT,
        "the rows are arrays of numbers and objects; give one of the two");
    tabular->form = form;
    return INS_OK;
}

static ins_status
open_row(ins_tabular *tabular, uint64_t bytes, ins_error *error)
{
    void *memory;

    if (bytes <= tabular->row_capacity)
        return INS_OK;
    INS_TRY(ins_alloc(&tabular->host, bytes, 1, &memory, error));
    ins_release(&tabular->host, tabular->row);
    tabular->row = memory;
    tabular->row_capacity = bytes;
    return INS_OK;
}

static ins_status
check_memory(const ins_tabular *tabular, size_t row_bytes, ins_error *error)
{
    uint64_t rows = tabular->rows.count + 1;
    uint64_t limit = tabular->options->max_bytes;
    uint64_t held = fixed_bytes(tabular) +
                    ins_row_store_bytes_with(&tabular->rows, row_bytes, 1);
    uint64_t needed = ins_table_run_bytes(tabular, rows);

    if (held <= limit && needed <= limit - held)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "the rows need more than the limit of memory for training");
    ins_fail_detail(error,
                    "Row %llu with %u features would make it %llu bytes for "
                    "the rows and %llu for the run; the limit is %llu bytes.",
                    (unsigned long long) rows, tabular->feature_count,
                    (unsigned long long) held, (unsigned long long) needed,
                    (unsigned long long) limit);
    ins_fail_hint(error, "Train on fewer rows or features, or raise the limit "
                         "of memory for training.");
    return INS_LIMIT_EXCEEDED;
}

static ins_status
close_row(ins_tabular *tabular, size_t bytes, ins_text label, ins_error *error)
{
    const ins_text row = {tabular->row, bytes};
    uint32_t number;

    INS_TRY(ins_label_table_add(&tabular->labels, label, &tabular->host,
                                &number, error));
    INS_TRY(check_memory(tabular, bytes, error));
    return ins_row_store_add(&tabular->rows, row, &number, 1, &tabular->host,
                             error);
}

/* ---- features ------------------------------------------------------------ */

static ins_status
add_feature(ins_tabular *tabular, uint32_t key, ins_error *error)
{
    void *features = tabular->features;

    if (tabular->feature_count == INS_MAX_FEATURES) {
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "the rows have more than %d features", INS_MAX_FEATURES);
        ins_fail_hint(error, "Each number is a feature, and each different "
                             "string of a key; leave out keys that identify "
                             "rows.");
        return INS_LIMIT_EXCEEDED;
    }
    INS_TRY(make_room(tabular, &features, &tabular->feature_capacity,
                      tabular->feature_count + 1, sizeof(ins_table_feature),
                      error));
    tabular->features = features;
    tabular->features[tabular->feature_count++] =
        (ins_table_feature){.key = key};
    return INS_OK;
}

/* *stored: the distance from the feature's first value; NaN stays. */
static ins_status
store_number(ins_tabular *tabular, uint32_t number, double value, float *stored,
             ins_error *error)
{
    ins_table_feature *feature = &tabular->features[number];

    *stored = NAN;
    if (isnan(value))
        return INS_OK;
    INS_CHECK(fabs(value) <= INS_LARGEST_FEATURE, error, INS_INVALID_ARGUMENT,
              "a feature is infinite or too large for a 32-bit float");
    if (!feature->has_origin) {
        feature->has_origin = true;
        feature->origin = value;
    }
    *stored = (float) (value - feature->origin);
    return INS_OK;
}

ins_status
ins_tabular_add_numbers(ins_tabular *tabular, const double *features,
                        size_t count, ins_text label, ins_error *error)
{
    size_t bytes = count * sizeof(float);
    float *row;

    INS_TRY(check_form(tabular, INS_TABLE_NUMBERS, error));
    INS_CHECK(count > 0, error, INS_INVALID_ARGUMENT, "a row has no features");
    INS_CHECK(count <= INS_MAX_FEATURES, error, INS_LIMIT_EXCEEDED,
              "a row has %zu features; the limit is %d", count,
              INS_MAX_FEATURES);
    while (tabular->rows.count == 0 && tabular->feature_count < count)
        INS_TRY(add_feature(tabular, INS_KEY_NUMBERS, error));
    INS_CHECK(count == tabular->feature_count, error, INS_INVALID_ARGUMENT,
              "a row has %zu features, the first one has %u", count,
              tabular->feature_count);
    INS_TRY(open_row(tabular, bytes, error));
    row = tabular->row;
    for (uint32_t i = 0; i < count; i++)
        INS_TRY(store_number(tabular, i, features[i], &row[i], error));
    return close_row(tabular, bytes, label, error);
}

/* ---- objects ------------------------------------------------------------- */

static ins_status
fail_key(const char *key, const char *problem, ins_error *error)
{
    return ins_fail(error, INS_INVALID_ARGUMENT, "the key \"%.*s\" %s",
                    SHOWN_BYTES, key, problem);
}

static ins_status
check_key(const char *key, ins_error *error)
{
    size_t size = strlen(key);

    if (size == 0)
        return fail_key(key, "is empty", error);
    if (size > INS_MAX_PIECE_BYTES - 1)
        return fail_key(key, "has more than 1,023 bytes", error);
    if (memchr(key, '=', size) != NULL)
        return fail_key(key, "has a \"=\", which parts keys from strings",
                        error);
    return INS_OK;
}

/* *number: of the key, which is new with this value's type or has it. */
static ins_status
find_key(ins_tabular *tabular, const char *name, bool has_strings,
         uint32_t *number, ins_error *error)
{
    uint32_t before = tabular->key_names.count;
    void *keys = tabular->keys;
    ins_table_key *key;

    INS_TRY(check_key(name, error));
    INS_TRY(make_room(tabular, &keys, &tabular->key_capacity, before + 1,
                      sizeof(ins_table_key), error));
    tabular->keys = keys;
    INS_TRY(ins_label_table_add(&tabular->key_names,
                                (ins_text){name, strlen(name)}, &tabular->host,
                                number, error));
    key = &tabular->keys[*number];
    if (tabular->key_names.count > before)
        *key = (ins_table_key){.has_strings = has_strings};
    if (key->has_strings != has_strings)
        return fail_key(name,
                        has_strings ? "has numbers, and in this row a string"
                                    : "has strings, and in this row a number",
                        error);
    return INS_OK;
}

/* Of the feature of that name, which gets the key when it is new. */
static ins_status
find_feature(ins_tabular *tabular, ins_text name, uint32_t key,
             uint32_t *number, ins_error *error)
{
    INS_TRY(ins_label_table_add(&tabular->names, name, &tabular->host, number,
                                error));
    /* A failure in between may have left a name without a feature. */
    while (tabular->feature_count <= *number)
        INS_TRY(add_feature(tabular, key, error));
    return INS_OK;
}

static ins_status
add_number(ins_tabular *tabular, const char *name, double value,
           ins_table_entry *entry, ins_error *error)
{
    uint32_t key;

    INS_TRY(find_key(tabular, name, false, &key, error));
    INS_TRY(find_feature(tabular, (ins_text){name, strlen(name)},
                         INS_KEY_NUMBERS, &entry->feature, error));
    return store_number(tabular, entry->feature, value, &entry->value, error);
}

static ins_status
add_string(ins_tabular *tabular, const char *name, const json_t *value,
           ins_table_entry *entry, ins_error *error)
{
    char buffer[INS_MAX_PIECE_BYTES];
    size_t key_size = strlen(name);
    size_t size = json_string_length(value);
    uint32_t before = tabular->names.count;
    uint32_t key;

    INS_TRY(find_key(tabular, name, true, &key, error));
    if (size > sizeof(buffer) - key_size - 1) {
        fail_key(name, "has a string that is too long", error);
        ins_fail_hint(error, "Key and string may have 1,023 bytes. Train a "
                             "classifier on long texts.");
        return INS_INVALID_ARGUMENT;
    }
    memcpy(buffer, name, key_size);
    buffer[key_size] = '=';
    memcpy(buffer + key_size + 1, json_string_value(value), size);
    INS_TRY(find_feature(tabular, (ins_text){buffer, key_size + 1 + size}, key,
                         &entry->feature, error));
    entry->value = 1;
    if (tabular->names.count > before)
        tabular->keys[key].strings++;
    if (tabular->keys[key].strings <= INS_MAX_KEY_VALUES)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "the key \"%.*s\" has more than %d different strings", SHOWN_BYTES,
             name, INS_MAX_KEY_VALUES);
    ins_fail_hint(error, "Leave it out, or train a classifier on it as text.");
    return INS_LIMIT_EXCEEDED;
}

static ins_status
add_value(ins_tabular *tabular, const ins_json *json, const char *name,
          ins_table_entry *entry, ins_error *error)
{
    const json_t *value = json_object_get(json->value, name);

    if (json_is_string(value))
        return add_string(tabular, name, value, entry, error);
    if (json_is_boolean(value))
        return add_number(tabular, name, json_is_true(value) ? 1 : 0, entry,
                          error);
    if (json_is_number(value))
        return add_number(tabular, name, json_number_value(value), entry,
                          error);
    return ins_json_fail(json, name, "a number, a string or a truth value",
                         error);
}

static ins_status
add_values(ins_tabular *tabular, const ins_json *json, size_t *bytes,
           ins_error *error)
{
    json_t *object = (json_t *) json->value;
    void *at = json_object_iter(object);
    ins_table_entry *entries;
    size_t count = 0;

    INS_CHECK(json_is_object(object), error, INS_INVALID_ARGUMENT,
              "the features of a row must be a JSON object");
    INS_TRY(open_row(
        tabular, json_object_size(object) * sizeof(ins_table_entry), error));
    entries = tabular->row;
    for (; at != NULL; at = json_object_iter_next(object, at)) {
        INS_TRY(ins_poll(&tabular->host, error));
        if (json_is_null(json_object_iter_value(at)))
            continue;
        INS_TRY(add_value(tabular, json, json_object_iter_key(at),
                          &entries[count], error));
        count++;
    }
    *bytes = count * sizeof(ins_table_entry);
    return INS_OK;
}

ins_status
ins_tabular_add_object(ins_tabular *tabular, ins_text text, ins_text label,
                       ins_error *error)
{
    const ins_json_limits limits = {INS_FEATURES_BYTES, INS_FEATURES_VALUES,
                                    true};
    ins_json json = {"features", "", INS_INVALID_ARGUMENT, NULL};
    size_t bytes = 0;
    ins_status status;

    INS_TRY(check_form(tabular, INS_TABLE_OBJECTS, error));
    INS_TRY(ins_json_open(&json, text, &limits, &tabular->host, error));
    status = add_values(tabular, &json, &bytes, error);
    ins_json_close(&json);
    if (status == INS_OK)
        status = close_row(tabular, bytes, label, error);
    return status;
}
