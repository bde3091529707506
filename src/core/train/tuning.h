/*
 * tuning.h - rows to an encoder that is trained with its head.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TUNING_H
#define INS_TUNING_H

#include "train/text_job.h"

/* Memory that a run over the rows and one more of text_size bytes needs beside
 * them; about, because the number of tokens is not known before the run. */
uint64_t ins_tuning_bytes(const ins_text_job *job, size_t text_size);
/* As ins_training_run; held: memory of the rows. */
ins_status ins_tuning_train(const ins_text_job *job, uint64_t held, void **pack,
                            size_t *pack_bytes, ins_error *error);

#endif
