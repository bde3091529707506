/*
 * rows.h - the texts of a training and their labels, kept compactly.
 *
 * A row is the numbers of its labels and its text, one behind the other in
 * chunks that grow with the rows, so that a row costs its text and 3 to 5
 * bytes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TRAIN_ROWS_H
#define INS_TRAIN_ROWS_H

#include "base/memory.h"

typedef struct ins_row_chunk ins_row_chunk;

/* Start with zeros.  Owned. */
typedef struct ins_row_store {
    ins_row_chunk *first;
    ins_row_chunk *last;
    uint64_t count;      /* rows */
    uint64_t text_bytes; /* of all texts */
    uint64_t longest;    /* bytes of a text */
    uint64_t bytes;      /* all memory held */
} ins_row_store;

/* One row, inside the store. */
typedef struct ins_row {
    ins_text text;
    uint32_t label_count;
    const uint8_t *labels; /* for ins_row_next_label */
} ins_row;

/* Walks over the rows in the order in which they came.  Start with zeros and
 * the store. */
typedef struct ins_row_cursor {
    const ins_row_store *store;
    const ins_row_chunk *chunk;
    size_t at;
} ins_row_cursor;

void ins_row_store_close(ins_row_store *store, const ins_host *host);
/* The memory that the store would hold with such a row. */
uint64_t ins_row_store_bytes_with(const ins_row_store *store, size_t text_size,
                                  size_t label_count);
/* labels: numbers.  Errors: NO_MEMORY, LIMIT_EXCEEDED with 2^32 - 1 rows. */
ins_status ins_row_store_add(ins_row_store *store, ins_text text,
                             const uint32_t *labels, size_t label_count,
                             const ins_host *host, ins_error *error);

/* false after the last row. */
bool ins_row_cursor_next(ins_row_cursor *cursor, ins_row *row);
/* The next of row->label_count labels. */
uint32_t ins_row_next_label(ins_row *row);

#endif
