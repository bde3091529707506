/*
 * calibration.c - scores against how often they were right.
 *
 * Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural
 * networks" (2017): bins (from, to] of equal width, the first one with 0; the
 * expected and the maximum calibration error.  Brier (1950): the mean of
 * (score - hit)^2.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>

#include "base/memory.h"
#include "base/writer.h"
#include "insitu_evaluate.h"

/* 2^64 */
#define ONE 18446744073709551616.0

/* ---- sums that no order changes ------------------------------------------ */

/* fraction: 0 to 1; what lies below 2^-64 is dropped. */
static void
add_fraction(ins_fraction_sum *sum, double fraction)
{
    uint64_t part;

    if (fraction >= 1) {
        sum->whole++;
        return;
    }
    part = (uint64_t) (fraction * ONE);
    sum->part += part;
    sum->whole += sum->part < part;
}

static void
add_sum(ins_fraction_sum *into, const ins_fraction_sum *from)
{
    into->part += from->part;
    into->whole += from->whole + (into->part < from->part);
}

static double
mean_of(const ins_fraction_sum *sum, uint64_t count)
{
    if (count == 0)
        return (double) NAN;
    return ((double) sum->whole + (double) sum->part / ONE) / (double) count;
}

/* ---- adding -------------------------------------------------------------- */

static double
end_of(int bin)
{
    return (bin + 1) / (double) INS_CALIBRATION_BINS;
}

ins_status
ins_calibration_add(ins_calibration *calibration, double score, bool hit,
                    ins_error *error)
{
    double distance = hit ? 1 - score : score;
    int bin = 0;

    if (!(score >= 0 && score <= 1)) {
        ins_fail(error, INS_INVALID_ARGUMENT, "a score is not within 0 and 1");
        ins_fail_hint(error, "Pass a probability, such as what "
                             "classify_score() gives.");
        return INS_INVALID_ARGUMENT;
    }
    while (score > end_of(bin))
        bin++;
    calibration->rows++;
    calibration->counts[bin]++;
    calibration->hits[bin] += hit;
    add_fraction(&calibration->scores[bin], score);
    add_fraction(&calibration->squares, distance * distance);
    return INS_OK;
}

void
ins_calibration_merge(ins_calibration *into, const ins_calibration *from)
{
    into->rows += from->rows;
    into->nulls += from->nulls;
    for (int bin = 0; bin < INS_CALIBRATION_BINS; bin++) {
        into->counts[bin] += from->counts[bin];
        into->hits[bin] += from->hits[bin];
        add_sum(&into->scores[bin], &from->scores[bin]);
    }
    add_sum(&into->squares, &from->squares);
}

/* ---- the report ---------------------------------------------------------- */

static double
hit_rate(const ins_calibration *calibration, int bin)
{
    return calibration->counts[bin] > 0 ? (double) calibration->hits[bin] /
                                              (double) calibration->counts[bin]
                                        : (double) NAN;
}

typedef struct calibration_errors {
    uint64_t hits;
    ins_fraction_sum scores;
    double expected;
    double largest;
} calibration_errors;

static calibration_errors
find_errors(const ins_calibration *calibration)
{
    calibration_errors errors = {0};

    for (int bin = 0; bin < INS_CALIBRATION_BINS; bin++) {
        uint64_t count = calibration->counts[bin];
        double gap;

        if (count == 0)
            continue;
        gap = mean_of(&calibration->scores[bin], count) -
              hit_rate(calibration, bin);
        gap = gap < 0 ? -gap : gap;
        errors.hits += calibration->hits[bin];
        add_sum(&errors.scores, &calibration->scores[bin]);
        errors.expected += gap * (double) count;
        errors.largest = gap > errors.largest ? gap : errors.largest;
    }
    if (calibration->rows == 0)
        errors.largest = (double) NAN;
    /* 0 / 0 without rows. */
    errors.expected /= (double) calibration->rows;
    return errors;
}

static void
write_field(ins_writer *writer, const char *name, double value)
{
    ins_write(writer, ",\"");
    ins_write(writer, name);
    ins_write(writer, "\":");
    ins_write_double(writer, value);
}

static void
write_bin(ins_writer *writer, const ins_calibration *calibration, int bin)
{
    ins_write(writer, bin > 0 ? ",{\"from\":" : "{\"from\":");
    ins_write_double(writer, bin > 0 ? end_of(bin - 1) : 0);
    write_field(writer, "to", end_of(bin));
    ins_write(writer, ",\"rows\":");
    ins_write_u64(writer, calibration->counts[bin]);
    write_field(writer, "mean_score",
                mean_of(&calibration->scores[bin], calibration->counts[bin]));
    write_field(writer, "accuracy", hit_rate(calibration, bin));
    ins_write(writer, "}");
}

ins_status
ins_calibration_report(const ins_calibration *calibration, const ins_host *host,
                       char **json, size_t *size, ins_error *error)
{
    calibration_errors errors = find_errors(calibration);
    ins_writer writer;

    ins_writer_open(&writer, host, error);
    ins_write(&writer, "{\"rows\":");
    ins_write_u64(&writer, calibration->rows);
    ins_write(&writer, ",\"nulls\":");
    ins_write_u64(&writer, calibration->nulls);
    write_field(&writer, "accuracy",
                (double) errors.hits / (double) calibration->rows);
    write_field(&writer, "mean_score",
                mean_of(&errors.scores, calibration->rows));
    write_field(&writer, "ece", errors.expected);
    write_field(&writer, "mce", errors.largest);
    write_field(&writer, "brier",
                mean_of(&calibration->squares, calibration->rows));
    ins_write(&writer, ",\"bins\":[");
    for (int bin = 0; bin < INS_CALIBRATION_BINS; bin++)
        write_bin(&writer, calibration, bin);
    ins_write(&writer, "]}");
    return ins_writer_finish(&writer, json, size);
}
