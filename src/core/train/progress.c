/*
 * progress.c - how far a run is, told whenever the work polls.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/progress.h"

#include <math.h>
#include <string.h>

static void *
allocate(void *user, size_t size)
{
    const ins_host *real = ((ins_progress *) user)->real;

    return real->alloc(real->user, size);
}

static void
release(void *user, void *memory)
{
    const ins_host *real = ((ins_progress *) user)->real;

    real->release(real->user, memory);
}

static bool
is_cancelled(void *user)
{
    ins_progress *progress = user;
    const ins_host *real = progress->real;

    ins_progress_tell(progress);
    return real->cancelled != NULL && real->cancelled(real->user);
}

static void
lock_blas(void *user)
{
    const ins_host *real = ((ins_progress *) user)->real;

    real->blas_lock(real->user);
}

static void
unlock_blas(void *user)
{
    const ins_host *real = ((ins_progress *) user)->real;

    real->blas_unlock(real->user);
}

void
ins_progress_open(ins_progress *progress, const ins_host *real,
                  const ins_training_options *options)
{
    *progress = (ins_progress){
        .host = {.user = progress,
                 .alloc = allocate,
                 .release = release,
                 .cancelled = is_cancelled,
                 .blas_lock = real->blas_lock != NULL ? lock_blas : NULL,
                 .blas_unlock = real->blas_unlock != NULL ? unlock_blas : NULL},
        .real = real,
        .options = options,
        .now = {.phase = "collect", .loss = NAN, .accuracy = NAN},
    };
}

void
ins_progress_plan(ins_progress *progress, const ins_phase *phases, size_t count)
{
    memcpy(progress->phases, phases, count * sizeof(*phases));
    progress->phase_count = count;
    progress->next_phase = 0;
}

/* Sets done and share to those of the phase of that name, with everything in
 * front of it done; false when none such is ahead. */
static bool
enter_phase(ins_progress *progress, const char *name)
{
    double total = 0;
    double before = 0;
    size_t at = progress->next_phase;

    while (at < progress->phase_count &&
           strcmp(progress->phases[at].name, name) != 0)
        at++;
    if (at < progress->phase_count)
        progress->next_phase = at;
    for (size_t i = 0; i < progress->phase_count; i++) {
        before += i < progress->next_phase ? progress->phases[i].cost : 0;
        total += progress->phases[i].cost;
    }
    progress->done = total > 0 ? before / total : 0;
    progress->share = total > 0 && at < progress->phase_count
                          ? progress->phases[at].cost / total
                          : 0;
    return at < progress->phase_count;
}

static void
rise_to(ins_progress *progress, double fraction)
{
    if (fraction > progress->now.fraction)
        progress->now.fraction = fraction < 1 ? fraction : 1;
}

void
ins_progress_begin(ins_progress *progress, const char *name, uint64_t steps)
{
    enter_phase(progress, name);
    progress->now.phase = name;
    progress->now.step = 0;
    progress->now.steps = steps;
    progress->step = NULL;
    ins_progress_tell(progress);
}

void
ins_progress_reach(ins_progress *progress, const char *name, double share)
{
    if (enter_phase(progress, name))
        share = progress->done + progress->share * share;
    progress->share = 0;
    rise_to(progress, share);
}

void
ins_progress_tell(ins_progress *progress)
{
    ins_training_progress *now = &progress->now;
    double fraction = progress->done;

    if (progress->step != NULL)
        now->step = progress->step(progress->step_user);
    if (now->step > now->steps)
        now->step = now->steps;
    if (now->steps > 0)
        fraction += progress->share * (double) now->step / (double) now->steps;
    rise_to(progress, fraction);
    if (progress->options->progress != NULL)
        progress->options->progress(progress->options->progress_user, now);
}

void
ins_progress_iteration(void *user, uint32_t iteration, double loss)
{
    ins_progress *progress = user;

    progress->now.step = iteration;
    progress->now.loss = loss;
    ins_progress_tell(progress);
}

void
ins_progress_step(void *user, uint32_t step, uint32_t steps)
{
    ins_progress *progress = user;

    progress->now.step = step;
    progress->now.steps = steps;
    ins_progress_tell(progress);
}

void
ins_progress_end(ins_progress *progress)
{
    progress->step = NULL;
    progress->now.step = progress->now.steps;
    progress->now.fraction = 1;
    ins_progress_tell(progress);
}
