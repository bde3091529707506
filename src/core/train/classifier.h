/*
 * classifier.h - a head over the embeddings of a frozen encoder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CLASSIFIER_H
#define INS_CLASSIFIER_H

#include "pack/pack_reader.h"
#include "train/label_table.h"
#include "train/progress.h"
#include "train/rows.h"

/* What a run works on; all borrowed. */
typedef struct ins_classifier_job {
    const ins_training_options *options;
    const ins_model *base;
    const ins_pack_view *view; /* of base */
    const ins_row_store *rows;
    const ins_label_table *labels;
    ins_progress *progress;
} ins_classifier_job;

/* Memory that a run with so many rows and labels needs beside them. */
uint64_t ins_classifier_bytes(const ins_pack_view *view,
                              const ins_training_options *options,
                              uint64_t rows, uint32_t labels);
/* As ins_training_run. */
ins_status ins_classifier_train(const ins_classifier_job *job, void **pack,
                                size_t *pack_bytes, ins_error *error);

#endif
