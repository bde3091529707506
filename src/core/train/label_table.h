/*
 * label_table.h - the different labels of the rows, found by their bytes.
 *
 * Labels get numbers in the order in which they come; a run sorts them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LABEL_TABLE_H
#define INS_LABEL_TABLE_H

#include "base/memory.h"
#include "pack/pack_reader.h"

/* Start with zeros.  Owned; at most INS_MAX_LABELS labels. */
typedef struct ins_label_table {
    uint32_t count;
    uint32_t *ends;  /* [end_capacity]: as in ins_string_table */
    char *bytes;     /* [byte_capacity] */
    uint32_t *slots; /* [slot_count]: number + 1, or 0; open addressing */
    uint32_t end_capacity;
    uint32_t byte_capacity;
    uint32_t slot_count; /* a power of two, or 0 */
    uint32_t work;       /* since the last poll */
} ins_label_table;

/* The labels in the order of their bytes.  Owned. */
typedef struct ins_sorted_labels {
    ins_string_table table;
    uint32_t *places; /* [count]: of each number of the label table */
} ins_sorted_labels;

void ins_label_table_close(ins_label_table *table, const ins_host *host);
/* All memory of it. */
uint64_t ins_label_table_bytes(const ins_label_table *table);
/* Of the labels alone. */
uint64_t ins_label_table_text_bytes(const ins_label_table *table);

/* UTF-8 of 1 to INS_MAX_LABEL_BYTES bytes without NUL?  INVALID_ARGUMENT. */
ins_status ins_label_check(ins_text label, ins_error *error);
/*
 * *number: of the label, which is added when it is new.  Polls: whoever writes
 * the labels can make them fall into one slot.
 * Errors: those of ins_label_check, LIMIT_EXCEEDED, NO_MEMORY, CANCELLED.
 */
ins_status ins_label_table_add(ins_label_table *table, ins_text label,
                               const ins_host *host, uint32_t *number,
                               ins_error *error);

/* Polls.  Close also after a failure. */
ins_status ins_sorted_labels_open(ins_sorted_labels *sorted,
                                  const ins_label_table *table,
                                  const ins_host *host, ins_error *error);
void ins_sorted_labels_close(ins_sorted_labels *sorted, const ins_host *host);

#endif
