/*
 * watch.c - a host that tells how far a training is.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/watch.h"

#include <math.h>

static void *
pass_alloc(void *user, size_t size)
{
    const ins_watch *watch = user;

    return watch->outer.alloc(watch->outer.user, size);
}

static void
pass_release(void *user, void *memory)
{
    const ins_watch *watch = user;

    watch->outer.release(watch->outer.user, memory);
}

static bool
report_and_ask(void *user)
{
    ins_watch *watch = user;

    ins_watch_report(watch);
    return watch->outer.cancelled != NULL &&
           watch->outer.cancelled(watch->outer.user);
}

static void
pass_lock(void *user)
{
    const ins_watch *watch = user;

    watch->outer.blas_lock(watch->outer.user);
}

static void
pass_unlock(void *user)
{
    const ins_watch *watch = user;

    watch->outer.blas_unlock(watch->outer.user);
}

void
ins_watch_open(ins_watch *watch, const ins_training_options *options,
               const ins_host *outer)
{
    *watch = (ins_watch){
        .host = {.user = watch,
                 .alloc = pass_alloc,
                 .release = pass_release,
                 .cancelled = report_and_ask,
                 .blas_lock = outer->blas_lock != NULL ? pass_lock : NULL,
                 .blas_unlock =
                     outer->blas_unlock != NULL ? pass_unlock : NULL},
        .outer = *outer,
        .progress = {.phase = "train",
                     .epochs = options->epochs,
                     .loss = NAN,
                     .accuracy = NAN},
        .report = options->progress,
        .report_user = options->progress_user,
    };
}

void
ins_watch_phase(ins_watch *watch, const char *phase, uint64_t steps)
{
    watch->progress.phase = phase;
    watch->progress.step = 0;
    watch->progress.steps = steps;
    ins_watch_report(watch);
}

void
ins_watch_report(ins_watch *watch)
{
    if (watch->report != NULL)
        watch->report(watch->report_user, &watch->progress);
}
