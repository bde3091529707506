/*
 * progress.h - how far a run is, told whenever the work polls.
 *
 * All work of a run gets a host of its own that passes everything on and tells
 * the progress at each poll, so that no loop has to think of it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PROGRESS_H
#define INS_PROGRESS_H

#include "insitu_train.h"

#define INS_MAX_PHASES 8

/* A part of the run and its share of the time, in any unit. */
typedef struct ins_phase {
    const char *name; /* static */
    double cost;
} ins_phase;

typedef struct ins_progress {
    ins_host host;        /* for the work; points to this object */
    const ins_host *real; /* borrowed */
    const ins_training_options *options;
    ins_training_progress now;
    double done;  /* fraction before the phase */
    double share; /* of the phase */
    ins_phase phases[INS_MAX_PHASES];
    size_t phase_count;
    size_t next_phase;
    /* Tells the step at hand; NULL: now.step is set by the work. */
    uint64_t (*step)(void *user);
    void *step_user;
} ins_progress;

/* The object must stay where it is. */
void ins_progress_open(ins_progress *progress, const ins_host *real,
                       const ins_training_options *options);
/* What is ahead, in this order. */
void ins_progress_plan(ins_progress *progress, const ins_phase *phases,
                       size_t count);
/* Goes on to the phase of that name; phases before it that did not happen are
 * done. */
void ins_progress_begin(ins_progress *progress, const char *name,
                        uint64_t steps);
/* For work that counts itself across the phases that it tells: share of it is
 * done, 0 to 1.  name: what the plan calls all of it; a plan without that name
 * is of nothing else. */
void ins_progress_reach(ins_progress *progress, const char *name, double share);
/* Tells what now says, with the fraction that belongs to it. */
void ins_progress_tell(ins_progress *progress);
/* ins_head_options.progress, for an ins_progress. */
void ins_progress_iteration(void *progress, uint32_t iteration, double loss);
/* ins_head_wish.progress, likewise. */
void ins_progress_step(void *progress, uint32_t step, uint32_t steps);
void ins_progress_end(ins_progress *progress);

#endif
