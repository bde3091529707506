/*
 * watch.h - a host that tells how far a training is whenever it is asked
 * whether to go on, which is every 60 ms at least.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WATCH_H
#define INS_WATCH_H

#include "base/memory.h"
#include "insitu_train.h"

typedef struct ins_watch {
    ins_host host;  /* to be handed on; calls that of the caller */
    ins_host outer; /* the caller's */
    ins_training_progress progress; /* kept up to date by who works */
    void (*report)(void *user, const ins_training_progress *progress);
    void *report_user;
} ins_watch;

/* watch must not move while its host is used.  Without a report the host only
 * passes calls on. */
void ins_watch_open(ins_watch *watch, const ins_training_options *options,
                    const ins_host *outer);
/* A new phase: step 0 of steps. */
void ins_watch_phase(ins_watch *watch, const char *phase, uint64_t steps);
/* Tells now. */
void ins_watch_report(ins_watch *watch);

#endif
