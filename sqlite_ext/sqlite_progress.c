/*
 * sqlite_progress.c - lines about a running training on standard error.
 *
 * A library writes there only when it was asked to: the setting train_progress
 * is off at first.  Lines come at the end of each epoch and otherwise every two
 * seconds, written in one call so that those of several threads do not mix.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_progress.h"

SQLITE_EXTENSION_INIT3

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"

#define SECONDS_BETWEEN_LINES 2.0

static double
now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

static void
write_line(const char *line, size_t length)
{
    /* Who cannot read it any more misses nothing. */
    ssize_t ignored = write(STDERR_FILENO, line, length);

    (void) ignored;
}

static size_t
append_figures(char *line, size_t size, size_t length,
               const ins_training_progress *progress)
{
    if (progress->epochs > 0 && progress->epoch > 0)
        length += ins_format(line + length, size - length, " epoch %u of %u",
                             progress->epoch, progress->epochs);
    if (progress->steps > 0)
        length +=
            ins_format(line + length, size - length, ", step %llu of %llu",
                       (unsigned long long) progress->step,
                       (unsigned long long) progress->steps);
    if (isfinite(progress->loss))
        length += ins_format(line + length, size - length, ", loss %.4f",
                             progress->loss);
    if (isfinite(progress->accuracy))
        length += ins_format(line + length, size - length, ", accuracy %.4f",
                             progress->accuracy);
    return length;
}

static void
tell_progress(void *user, const ins_training_progress *progress)
{
    training_clock *clock = user;
    double now = now_seconds();
    double elapsed = now - clock->started;
    char line[256];
    size_t length;

    if (!progress->epoch_ended && now - clock->told < SECONDS_BETWEEN_LINES)
        return;
    clock->told = now;
    length = ins_format(line, sizeof(line), "insitu: %s", progress->phase);
    length = append_figures(line, sizeof(line), length, progress);
    length +=
        ins_format(line + length, sizeof(line) - length, ", %llu rows, %.0f s",
                   (unsigned long long) progress->rows, elapsed);
    if (progress->fraction > 0.01)
        length += ins_format(line + length, sizeof(line) - length,
                             ", about %.0f s left",
                             elapsed / progress->fraction - elapsed);
    length += ins_format(line + length, sizeof(line) - length, "\n");
    write_line(line, length);
}

void
begin_progress(training_clock *clock, const connection *conn,
               ins_training_options *options)
{
    clock->started = clock->told = now_seconds();
    clock->is_on = conn->settings.train_progress;
    if (!clock->is_on)
        return;
    options->progress = tell_progress;
    options->progress_user = clock;
}

void
end_progress(training_clock *clock)
{
    char line[64];
    size_t length;

    if (!clock->is_on)
        return;
    length = ins_format(line, sizeof(line), "insitu: done in %.1f s\n",
                        now_seconds() - clock->started);
    write_line(line, length);
}
