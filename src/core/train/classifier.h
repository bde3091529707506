/*
 * classifier.h - a head over the embeddings of a frozen encoder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CLASSIFIER_H
#define INS_CLASSIFIER_H

#include "train/text_job.h"

/* Memory that a run needs beside its rows, with one more of text_size bytes. */
uint64_t ins_classifier_bytes(const ins_text_job *job, size_t text_size);
/* As ins_training_run.  held: bytes of the rows. */
ins_status ins_classifier_train(const ins_text_job *job, uint64_t held,
                                void **pack, size_t *pack_bytes,
                                ins_error *error);

#endif
