/*
 * table.h - the rows of a tabular training, for tabular*.c only.
 *
 * A row is kept as what its text would be in ins_row_store.  Of numbers:
 * float[features], NaN = missing.  Of an object: ins_table_entry[], one per key
 * with a value.  Numbers are kept as floats of their distance from the
 * feature's first value, so that dates and other large numbers keep their last
 * digits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TABLE_H
#define INS_TABLE_H

#include "train/label_table.h"
#include "train/rows.h"
#include "train/tabular.h"

#define INS_MAX_FEATURES INS_MAX_HIDDEN
#define INS_KEY_NUMBERS  UINT32_MAX

typedef struct ins_table_entry {
    uint32_t feature;
    float value; /* distance from the origin; 1 for a string */
} ins_table_entry;

typedef struct ins_table_feature {
    double origin;
    uint32_t key; /* of a string's feature, or INS_KEY_NUMBERS */
    bool has_origin;
} ins_table_feature;

typedef struct ins_table_key {
    bool has_strings; /* otherwise numbers and truth values */
    uint32_t strings; /* different ones */
} ins_table_key;

enum ins_table_form {
    INS_TABLE_EMPTY = 0, /* the first row settles it */
    INS_TABLE_NUMBERS,
    INS_TABLE_OBJECTS
};

struct ins_tabular {
    ins_host host;
    const ins_training_options *options;
    enum ins_table_form form;
    ins_row_store rows;
    ins_label_table labels;
    ins_table_feature *features; /* [feature_count], room for capacity */
    uint32_t feature_count;
    uint32_t feature_capacity;
    ins_label_table names;     /* of the features of objects, by number */
    ins_label_table key_names; /* of their keys, by number */
    ins_table_key *keys;
    uint32_t key_capacity;
    void *row; /* the one at hand */
    uint64_t row_capacity;
};

/* The features of all rows, standardised; a missing value is 0, the mean.
 * Owned. */
typedef struct ins_table_matrix {
    ins_sorted_labels names; /* of the columns, and the features' columns */
    uint32_t columns;
    float *means;   /* [3][columns]: rounded to floats, then ... */
    float *rests;   /* ... what rounding took from them, then ... */
    float *factors; /* ... 1 / deviation, 0 of a constant */
    float *values;  /* [rows][columns] */
} ins_table_matrix;

/* Memory of it while it is made, in bytes. */
uint64_t ins_table_matrix_bytes(const ins_tabular *tabular, uint64_t rows);
/* Polls.  Close also after a failure. */
ins_status ins_table_matrix_open(ins_table_matrix *matrix,
                                 const ins_tabular *tabular,
                                 const ins_host *host, ins_error *error);
void ins_table_matrix_close(ins_table_matrix *matrix, const ins_host *host);

/* Memory that a run needs beside the rows; in tabular_run.c. */
uint64_t ins_table_run_bytes(const ins_tabular *tabular, uint64_t rows);

#endif
