/*
 * sqlite_progress.h - tells how far a training is, where the setting
 * train_progress asks for it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SQLITE_PROGRESS_H
#define SQLITE_PROGRESS_H

#include "sqlite_insitu.h"

/* Lives as long as the training. */
typedef struct training_clock {
    double started; /* seconds of the monotonic clock */
    double told;    /* when the last line was written */
    bool is_on;
} training_clock;

/* Puts the callback into options when the connection's setting says so. */
void begin_progress(training_clock *clock, const connection *conn,
                    ins_training_options *options);
/* Writes the last line. */
void end_progress(training_clock *clock);

#endif
