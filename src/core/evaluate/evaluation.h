/*
 * evaluation.h - counts of pairs of labels, and what follows from them.
 *
 * Labels are numbered in the order in which they came; pairs are numbers of
 * two labels with a count.  Both are found through tables of open addressing.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_EVALUATION_H
#define INS_EVALUATION_H

#include "base/memory.h"
#include "base/writer.h"
#include "insitu_evaluate.h"

#define INS_EVALUATION_LABELS      65536
#define INS_EVALUATION_PAIRS       1000000
#define INS_EVALUATION_LABEL_BYTES 10240
/* Of all labels, so that a report stays below what a database can hold. */
#define INS_EVALUATION_BYTES ((size_t) 16 << 20)

typedef struct ins_counted_label {
    uint32_t start; /* in ins_evaluation.bytes */
    uint32_t size;
    uint32_t hash;
} ins_counted_label;

typedef struct ins_counted_pair {
    uint32_t predicted; /* numbers of labels */
    uint32_t actual;
    uint64_t count; /* > 0 */
} ins_counted_pair;

struct ins_evaluation {
    ins_host host;
    uint64_t rows; /* the sum of the pairs' counts */
    uint64_t nulls;
    char *bytes; /* of the labels, one behind the other */
    size_t bytes_size;
    size_t bytes_capacity;
    ins_counted_label *labels; /* [label_capacity] */
    uint32_t *label_slots;     /* [2 * label_capacity]: number + 1, 0 = free */
    uint32_t label_count;
    uint32_t label_capacity; /* 0 or a power of two */
    ins_counted_pair *pairs; /* [pair_capacity] */
    uint32_t *pair_slots;    /* [2 * pair_capacity]: number + 1, 0 = free */
    uint32_t pair_count;
    uint32_t pair_capacity; /* 0 or a power of two */
    uint32_t work;          /* slots looked at since the last poll */
};

/* ---- counts.c ------------------------------------------------------------ */

ins_text ins_evaluation_label(const ins_evaluation *evaluation,
                              uint32_t number);
/* Gives the number of a label, which is added when it is new.
 * Errors: as ins_evaluation_add; nothing has changed then. */
ins_status ins_evaluation_intern(ins_evaluation *evaluation, ins_text label,
                                 uint32_t *number, ins_error *error);
/* Adds to a pair and to rows. */
ins_status ins_evaluation_count(ins_evaluation *evaluation,
                                const ins_counted_pair *pair, ins_error *error);

/* ---- summary.c ----------------------------------------------------------- */

typedef struct ins_label_figures {
    ins_text label;
    uint64_t support;   /* rows whose actual label it is */
    uint64_t predicted; /* rows whose predicted label it is */
    uint64_t hits;      /* rows where both are */
    double precision;   /* hits / predicted, or 0 */
    double recall;      /* hits / support, or 0 */
    double f1;          /* 2 hits / (predicted + support) */
} ins_label_figures;

typedef struct ins_average {
    double precision;
    double recall;
    double f1;
} ins_average;

/* All averages are NaN without rows. */
typedef struct ins_summary {
    uint64_t rows;
    uint64_t nulls;
    uint64_t hits;
    double accuracy;
    ins_average macro;    /* labels count alike */
    ins_average micro;    /* rows count alike */
    ins_average weighted; /* labels count by their support */
    uint32_t label_count;
    uint32_t pair_count;
    ins_label_figures *labels; /* [label_count], sorted by their bytes */
    /* [pair_count], sorted by actual, then predicted: places in labels. */
    ins_counted_pair *pairs;
} ins_summary;

/* Its texts are borrowed from the evaluation.  Errors: NO_MEMORY, CANCELLED. */
ins_status ins_summary_open(ins_summary *summary,
                            const ins_evaluation *evaluation, ins_error *error);
void ins_summary_close(ins_summary *summary, const ins_host *host);

/* ---- report.c ------------------------------------------------------------ */

#define INS_MATRIX_LABELS 200

/* As ins_evaluation_confusion. */
void ins_write_confusion(ins_writer *writer, const ins_summary *summary);

#endif
