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
#include <unistd.h>

#define SECONDS_BETWEEN_LINES 2.0

static double
now_seconds(void)
{
    return (double) now_nanoseconds() * 1e-9;
}

/* sqlite3_str: the core's formatting knows no fractions. */
static void
append_figures(sqlite3_str *line, const ins_training_progress *progress)
{
    if (progress->epochs > 0 && progress->epoch > 0)
        sqlite3_str_appendf(line, " epoch %u of %u", progress->epoch,
                            progress->epochs);
    if (progress->steps > 0)
        sqlite3_str_appendf(line, ", step %llu of %llu",
                            (unsigned long long) progress->step,
                            (unsigned long long) progress->steps);
    if (isfinite(progress->loss))
        sqlite3_str_appendf(line, ", loss %.4f", progress->loss);
    if (isfinite(progress->accuracy))
        sqlite3_str_appendf(line, ", accuracy %.4f", progress->accuracy);
}

static void
write_line(sqlite3_str *line)
{
    int length = sqlite3_str_length(line);
    char *text = sqlite3_str_finish(line);

    /* Who cannot read it any more misses nothing, nor who has no memory. */
    if (text != NULL) {
        ssize_t ignored = write(STDERR_FILENO, text, (size_t) length);

        (void) ignored;
    }
    sqlite3_free(text);
}

static void
tell_progress(void *user, const ins_training_progress *progress)
{
    training_clock *clock = user;
    double now = now_seconds();
    double elapsed = now - clock->started;
    sqlite3_str *line;

    if (!progress->epoch_ended && now - clock->told < SECONDS_BETWEEN_LINES)
        return;
    clock->told = now;
    line = sqlite3_str_new(NULL);
    sqlite3_str_appendf(line, "insitu: %s", progress->phase);
    append_figures(line, progress);
    sqlite3_str_appendf(line, ", %llu rows, %.0f s",
                        (unsigned long long) progress->rows, elapsed);
    if (progress->fraction > 0.01)
        sqlite3_str_appendf(line, ", about %.0f s left",
                            elapsed / progress->fraction - elapsed);
    sqlite3_str_append(line, "\n", 1);
    write_line(line);
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
    sqlite3_str *line;

    if (!clock->is_on)
        return;
    line = sqlite3_str_new(NULL);
    sqlite3_str_appendf(line, "insitu: done in %.1f s\n",
                        now_seconds() - clock->started);
    write_line(line);
}
