/*
 * classifier.h - a head over the embeddings of a frozen encoder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CLASSIFIER_H
#define INS_CLASSIFIER_H

#include "train/text_job.h"

/* Memory that a run over so many rows needs beside them. */
uint64_t ins_classifier_bytes(const ins_text_job *job, uint64_t rows);
/* As ins_training_run. */
ins_status ins_classifier_train(const ins_text_job *job, void **pack,
                                size_t *pack_bytes, ins_error *error);

#endif
