/*
 * pg_progress.h - how far the trainings of all backends are.
 *
 * A backend that trains has one slot of shared memory, however many trainings
 * it has at once: the latest report counts.  Without a free slot a training
 * goes on unseen.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_PROGRESS_H
#define PG_PROGRESS_H

#include "datatype/timestamp.h"
#include "insitu_train.h"

/* In _PG_init, for preloaded libraries. */
void request_progress_memory(void);

/* One more, one less training of this backend.  Neither raises an ERROR. */
void open_progress(void);
void close_progress(void);

/* started: with the first row; running: with ins_training_run, 0 before it.
 * Raises no ERROR. */
void report_progress(ins_training_method method, TimestampTz started,
                     TimestampTz running,
                     const ins_training_progress *progress);

#endif
