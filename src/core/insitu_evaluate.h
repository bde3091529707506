/*
 * insitu_evaluate.h - how good predictions are: counts of (predicted, actual).
 *
 *     ins_evaluation *evaluation;
 *
 *     ins_evaluation_open(&evaluation, &host, &error);
 *     ins_evaluation_add(evaluation, &predicted, &actual, &error);   per row
 *     ins_evaluation_report(evaluation, &json, &size, &error);
 *     ins_evaluation_close(evaluation);
 *     ...
 *     host.release(host.user, json);
 *
 * Definitions are those of scikit-learn's classification_report with
 * zero_division=0: precision, recall and F1 are 0 where they would be 0 / 0.
 * Labels are the union of both columns, sorted by their bytes; rows in which
 * either value is NULL count as "nulls" and nowhere else.  Evaluations of parts
 * of the rows can be merged; the order of rows and parts does not matter: equal
 * counts give equal texts, also on another host.
 *
 * Numbers in JSON are the shortest decimals that read back as the same double.
 * Texts that are handed out have a NUL behind their size bytes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_EVALUATE_H
#define INSITU_EVALUATE_H

#include "insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ins_evaluation ins_evaluation;

ins_status ins_evaluation_open(ins_evaluation **evaluation,
                               const ins_host *host, ins_error *error);
void ins_evaluation_close(ins_evaluation *evaluation); /* accepts NULL */
/*
 * predicted, actual: NULL for an SQL NULL; UTF-8, copied.
 * Errors: INVALID_ARGUMENT for a label that is not UTF-8; LIMIT_EXCEEDED beyond
 * 65,536 labels, 16 MB of them in all, 1,000,000 different pairs or labels of
 * 10,240 bytes; NO_MEMORY, CANCELLED.  The row is not counted then.
 */
ins_status ins_evaluation_add(ins_evaluation *evaluation,
                              const ins_text *predicted, const ins_text *actual,
                              ins_error *error);
/* into += from.  Errors: as ins_evaluation_add, CANCELLED; into is then good
 * for nothing but closing. */
ins_status ins_evaluation_merge(ins_evaluation *into,
                                const ins_evaluation *from, ins_error *error);
/* A state that another process of this machine can read; owned by the
 * caller. */
ins_status ins_evaluation_save(const ins_evaluation *evaluation, void **state,
                               size_t *size, ins_error *error);
/* Adds a saved state, not aligned; every size in it is checked before anything
 * changes.  Errors: INVALID_ARGUMENT, and those of ins_evaluation_merge. */
ins_status ins_evaluation_load(ins_evaluation *evaluation, const void *state,
                               size_t size, ins_error *error);

/* NaN without rows. */
double ins_evaluation_accuracy(const ins_evaluation *evaluation);
/*
 * {"rows", "nulls", "accuracy", "macro": {"precision", "recall", "f1"},
 *  "micro": {...}, "weighted": {...},
 *  "labels": {label: {"precision", "recall", "f1", "support"}, ...},
 *  "confusion": as below}
 * The averages are null without rows.  Text owned by the caller.
 * Errors: NO_MEMORY, CANCELLED; the evaluation stays as it was.
 */
ins_status ins_evaluation_report(const ins_evaluation *evaluation, char **json,
                                 size_t *size, ins_error *error);
/* {"labels": [...], "matrix": [[row = actual, column = predicted], ...]};
 * beyond 200 labels "pairs": [[actual, predicted, count], ...] instead of
 * "matrix", with places in "labels" from 0. */
ins_status ins_evaluation_confusion(const ins_evaluation *evaluation,
                                    char **json, size_t *size,
                                    ins_error *error);
/* A self-contained page: figures, bars per label, confusion matrix.  No script,
 * nothing loaded from elsewhere; labels are escaped. */
ins_status ins_evaluation_html(const ins_evaluation *evaluation, char **html,
                               size_t *size, ins_error *error);

/* ---- calibration: do scores say how often they are right? --------------- */

#define INS_CALIBRATION_BINS 10

/* A sum of numbers from 0 to 1, exact to 2^-64 each, that no order changes:
 * whole + part / 2^64. */
typedef struct ins_fraction_sum {
    uint64_t whole;
    uint64_t part;
} ins_fraction_sum;

/* Ten bins of equal width over 0..1 (Guo et al. 2017), each with its upper end;
 * plain data, so that hosts can keep, send and add it.  nulls: counted by the
 * host. */
typedef struct ins_calibration {
    uint64_t rows;
    uint64_t nulls;
    uint64_t counts[INS_CALIBRATION_BINS];
    uint64_t hits[INS_CALIBRATION_BINS];
    ins_fraction_sum scores[INS_CALIBRATION_BINS];
    ins_fraction_sum squares; /* of score - hit: the Brier score times rows */
} ins_calibration;

/* Errors: INVALID_ARGUMENT when score is not within 0..1. */
ins_status ins_calibration_add(ins_calibration *calibration, double score,
                               bool hit, ins_error *error);
void ins_calibration_merge(ins_calibration *into, const ins_calibration *from);
/* {"rows", "nulls", "accuracy", "mean_score", "ece", "mce", "brier",
 *  "bins": [{"from", "to", "rows", "mean_score", "accuracy"}, ...]};
 * null where there are no rows. */
ins_status ins_calibration_report(const ins_calibration *calibration,
                                  const ins_host *host, char **json,
                                  size_t *size, ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
