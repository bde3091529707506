/*
 * tabular_matrix.c - the rows of a table as standardised features.
 *
 * The string of a key is one feature per different string: 1 for the one that
 * the row has, 0 for the others, and all of them missing where the row has
 * none.  Sorting by bytes puts the strings of a key side by side, because keys
 * have no "=".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/table.h"

#include <math.h>
#include <string.h>

#define VALUES_PER_POLL  ((uint64_t) 1 << 21)
#define MAX_NUMBER_BYTES 12
/* A deviation that rounding alone may make, by the mean. */
#define ROUNDING 1e-12

/* What is counted of the features and keys. */
struct statistics {
    ins_table_matrix *matrix;
    const ins_tabular *tabular;
    const ins_host *host;
    ins_error *error;
    double *sums;          /* [columns] */
    uint64_t *counts;      /* [columns]: rows with a value */
    uint64_t *key_counts;  /* [keys]: rows with a string */
    uint32_t *key_columns; /* [keys]: the first column of its strings */
    uint64_t work;         /* since the last poll */
    ins_arena arena;
};

static void
reserve_statistics(ins_arena *arena, const ins_tabular *tabular)
{
    ins_arena_reserve(arena, tabular->feature_count, sizeof(double));
    ins_arena_reserve(arena, tabular->feature_count, sizeof(uint64_t));
    ins_arena_reserve(arena, tabular->key_names.count, sizeof(uint64_t));
    ins_arena_reserve(arena, tabular->key_names.count, sizeof(uint32_t));
}

uint64_t
ins_table_matrix_bytes(const ins_tabular *tabular, uint64_t rows)
{
    uint64_t features = tabular->feature_count;
    ins_arena arena = {0};

    reserve_statistics(&arena, tabular);
    return arena.reserved + 64 + rows * features * sizeof(float) +
           features *
               (3 * sizeof(float) + 3 * sizeof(uint32_t) + MAX_NUMBER_BYTES) +
           ins_label_table_text_bytes(&tabular->names);
}

static ins_status
poll_sometimes(struct statistics *statistics, uint64_t work)
{
    statistics->work += work;
    if (statistics->work < VALUES_PER_POLL)
        return INS_OK;
    statistics->work = 0;
    return ins_poll(statistics->host, statistics->error);
}

/* ---- names --------------------------------------------------------------- */

static double
mean_of(const ins_table_matrix *matrix, uint32_t column)
{
    return (double) matrix->means[column] + (double) matrix->rests[column];
}

static uint32_t
put_number(char *out, uint32_t number)
{
    return (uint32_t) ins_format(out, MAX_NUMBER_BYTES, "%u", number);
}

/* "1", "2", ... */
static ins_status
number_columns(ins_sorted_labels *names, uint32_t columns, const ins_host *host,
               ins_error *error)
{
    uint32_t at = 0;
    uint32_t *ends;
    char *bytes;
    void *memory;

    INS_TRY(ins_alloc(host, columns, sizeof(uint32_t), &memory, error));
    names->table.ends = ends = memory;
    INS_TRY(ins_alloc(host, columns, MAX_NUMBER_BYTES, &memory, error));
    names->table.bytes = bytes = memory;
    INS_TRY(ins_alloc(host, columns, sizeof(uint32_t), &memory, error));
    names->places = memory;
    for (uint32_t i = 0; i < columns; i++) {
        at += put_number(bytes + at, i + 1);
        ends[i] = at;
        names->places[i] = i;
    }
    names->table.count = columns;
    return INS_OK;
}

static ins_status
name_columns(const struct statistics *statistics)
{
    const ins_tabular *tabular = statistics->tabular;
    ins_sorted_labels *names = &statistics->matrix->names;

    if (tabular->form == INS_TABLE_NUMBERS)
        return number_columns(names, tabular->feature_count, statistics->host,
                              statistics->error);
    return ins_sorted_labels_open(names, &tabular->names, statistics->host,
                                  statistics->error);
}

/* ---- statistics ---------------------------------------------------------- */

static ins_status
open_statistics(struct statistics *statistics)
{
    const ins_tabular *tabular = statistics->tabular;
    uint32_t features = tabular->feature_count;
    uint32_t keys = tabular->key_names.count;
    ins_arena *arena = &statistics->arena;

    reserve_statistics(arena, tabular);
    INS_TRY(ins_arena_open(arena, statistics->host, statistics->error));
    statistics->sums = ins_arena_take(arena, features, sizeof(double));
    statistics->counts = ins_arena_take(arena, features, sizeof(uint64_t));
    statistics->key_counts = ins_arena_take(arena, keys, sizeof(uint64_t));
    statistics->key_columns = ins_arena_take(arena, keys, sizeof(uint32_t));
    memset(statistics->counts, 0, features * sizeof(uint64_t));
    memset(statistics->key_counts, 0, keys * sizeof(uint64_t));
    memset(statistics->key_columns, 0xFF, keys * sizeof(uint32_t));
    for (uint32_t i = 0; i < features; i++) {
        uint32_t key = tabular->features[i].key;
        uint32_t column = statistics->matrix->names.places[i];

        if (key != INS_KEY_NUMBERS && column < statistics->key_columns[key])
            statistics->key_columns[key] = column;
    }
    return INS_OK;
}

/* Entry number i of a row; false when it is missing. */
static bool
get_entry(const ins_tabular *tabular, const ins_row *row, uint32_t i,
          ins_table_entry *entry)
{
    if (tabular->form == INS_TABLE_NUMBERS) {
        entry->feature = i;
        memcpy(&entry->value, row->text.data + i * sizeof(float),
               sizeof(float));
        return !isnan(entry->value);
    }
    memcpy(entry, row->text.data + i * sizeof(*entry), sizeof(*entry));
    return true;
}

static uint32_t
entry_count(const ins_tabular *tabular, const ins_row *row)
{
    return (uint32_t) (row->text.size / (tabular->form == INS_TABLE_NUMBERS
                                             ? sizeof(float)
                                             : sizeof(ins_table_entry)));
}

/* The value as it came. */
static double
value_of(const ins_tabular *tabular, const ins_table_entry *entry)
{
    const ins_table_feature *feature = &tabular->features[entry->feature];

    return feature->key != INS_KEY_NUMBERS
               ? 1
               : (double) entry->value + feature->origin;
}

/* Sums the values, or with is_deviation their squared distances from the
 * means; counts them the first time. */
static ins_status
sum_columns(struct statistics *statistics, bool is_deviation)
{
    const ins_tabular *tabular = statistics->tabular;
    const ins_table_matrix *matrix = statistics->matrix;
    ins_row_cursor cursor = {.store = &tabular->rows};
    ins_row row;

    memset(statistics->sums, 0, matrix->columns * sizeof(double));
    while (ins_row_cursor_next(&cursor, &row)) {
        uint32_t count = entry_count(tabular, &row);
        ins_table_entry entry;

        INS_TRY(poll_sometimes(statistics, 4 * (uint64_t) count + 16));
        for (uint32_t i = 0; i < count; i++) {
            uint32_t column;
            double value;

            if (!get_entry(tabular, &row, i, &entry))
                continue;
            column = matrix->names.places[entry.feature];
            value = value_of(tabular, &entry);
            if (is_deviation) {
                value -= mean_of(matrix, column);
                statistics->sums[column] += value * value;
                continue;
            }
            statistics->sums[column] += value;
            statistics->counts[column]++;
            if (tabular->features[entry.feature].key != INS_KEY_NUMBERS)
                statistics->key_counts[tabular->features[entry.feature].key]++;
        }
    }
    return INS_OK;
}

/* Rows in which the feature is not missing. */
static double
known_rows(const struct statistics *statistics, uint32_t feature)
{
    uint32_t key = statistics->tabular->features[feature].key;
    uint32_t column = statistics->matrix->names.places[feature];

    return (double) (key != INS_KEY_NUMBERS ? statistics->key_counts[key]
                                            : statistics->counts[column]);
}

static float
factor_of(double mean, double variance)
{
    double deviation = sqrt(variance);
    float factor = (float) (1 / deviation);

    return deviation > ROUNDING * fabs(mean) && isfinite(factor) ? factor : 0;
}

static ins_status
measure_columns(struct statistics *statistics)
{
    const ins_tabular *tabular = statistics->tabular;
    ins_table_matrix *matrix = statistics->matrix;

    INS_TRY(sum_columns(statistics, false));
    for (uint32_t i = 0; i < matrix->columns; i++) {
        uint32_t column = matrix->names.places[i];
        double rows = known_rows(statistics, i);

        double mean = rows > 0 ? statistics->sums[column] / rows : 0;

        matrix->means[column] = (float) mean;
        matrix->rests[column] = (float) (mean - (double) matrix->means[column]);
    }
    INS_TRY(sum_columns(statistics, true));
    for (uint32_t i = 0; i < matrix->columns; i++) {
        uint32_t column = matrix->names.places[i];
        double rows = known_rows(statistics, i);
        double mean = mean_of(matrix, column);
        double variance = tabular->features[i].key != INS_KEY_NUMBERS
                              ? mean * (1 - mean)
                              : statistics->sums[column] / rows;

        matrix->factors[column] = rows > 0 ? factor_of(mean, variance) : 0;
    }
    return INS_OK;
}

/* ---- values -------------------------------------------------------------- */

static float
standardise(const ins_table_matrix *matrix, uint32_t column, double value)
{
    return (float) ((value - mean_of(matrix, column)) *
                    (double) matrix->factors[column]);
}

/* The strings of a key that the row does not have. */
static void
put_others(const struct statistics *statistics, uint32_t key, float *out)
{
    const ins_table_matrix *matrix = statistics->matrix;
    uint32_t first = statistics->key_columns[key];
    uint32_t end = first + statistics->tabular->keys[key].strings;

    for (uint32_t i = first; i < end && i < matrix->columns; i++)
        out[i] = standardise(matrix, i, 0);
}

static ins_status
put_rows(struct statistics *statistics)
{
    const ins_tabular *tabular = statistics->tabular;
    const ins_table_matrix *matrix = statistics->matrix;
    ins_row_cursor cursor = {.store = &tabular->rows};
    float *out = matrix->values;
    ins_row row;

    for (; ins_row_cursor_next(&cursor, &row); out += matrix->columns) {
        uint32_t count = entry_count(tabular, &row);

        INS_TRY(poll_sometimes(statistics, 2 * (uint64_t) matrix->columns));
        memset(out, 0, matrix->columns * sizeof(float));
        for (uint32_t i = 0; i < count; i++) {
            ins_table_entry entry;
            uint32_t column;
            uint32_t key;

            if (!get_entry(tabular, &row, i, &entry))
                continue;
            key = tabular->features[entry.feature].key;
            column = matrix->names.places[entry.feature];
            if (key != INS_KEY_NUMBERS)
                put_others(statistics, key, out);
            out[column] =
                standardise(matrix, column, value_of(tabular, &entry));
        }
    }
    return INS_OK;
}

static ins_status
open_floats(const struct statistics *statistics, uint64_t count, float **values)
{
    void *memory;

    INS_TRY(ins_alloc(statistics->host, count, sizeof(float), &memory,
                      statistics->error));
    *values = memory;
    return INS_OK;
}

static ins_status
open_matrix(struct statistics *statistics)
{
    const ins_tabular *tabular = statistics->tabular;
    ins_table_matrix *matrix = statistics->matrix;
    uint64_t columns = tabular->feature_count;

    INS_TRY(name_columns(statistics));
    matrix->columns = tabular->feature_count;
    INS_TRY(open_floats(statistics, 3 * columns, &matrix->means));
    matrix->rests = matrix->means + columns;
    matrix->factors = matrix->rests + columns;
    INS_TRY(open_floats(statistics, tabular->rows.count * columns,
                        &matrix->values));
    INS_TRY(open_statistics(statistics));
    INS_TRY(measure_columns(statistics));
    return put_rows(statistics);
}

ins_status
ins_table_matrix_open(ins_table_matrix *matrix, const ins_tabular *tabular,
                      const ins_host *host, ins_error *error)
{
    struct statistics statistics = {
        .matrix = matrix, .tabular = tabular, .host = host, .error = error};
    ins_status status;

    *matrix = (ins_table_matrix){.columns = 0};
    status = open_matrix(&statistics);
    ins_arena_close(&statistics.arena, host);
    return status;
}

void
ins_table_matrix_close(ins_table_matrix *matrix, const ins_host *host)
{
    ins_sorted_labels_close(&matrix->names, host);
    ins_release(host, matrix->means);
    ins_release(host, matrix->values);
    *matrix = (ins_table_matrix){.columns = 0};
}
