/*
 * report.c - figures and the confusion matrix as JSON.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "evaluate/evaluation.h"

static void
write_figures(ins_writer *writer, const ins_average *average)
{
    ins_write(writer, "{\"precision\":");
    ins_write_double(writer, average->precision);
    ins_write(writer, ",\"recall\":");
    ins_write_double(writer, average->recall);
    ins_write(writer, ",\"f1\":");
    ins_write_double(writer, average->f1);
}

static void
write_average(ins_writer *writer, const char *name, const ins_average *average)
{
    ins_write(writer, ",\"");
    ins_write(writer, name);
    ins_write(writer, "\":");
    write_figures(writer, average);
    ins_write(writer, "}");
}

static void
write_labels(ins_writer *writer, const ins_summary *summary)
{
    ins_write(writer, ",\"labels\":{");
    for (uint32_t i = 0; i < summary->label_count; i++) {
        const ins_label_figures *label = &summary->labels[i];
        ins_average figures = {label->precision, label->recall, label->f1};

        if (i > 0)
            ins_write(writer, ",");
        ins_write_json_text(writer, label->label);
        ins_write(writer, ":");
        write_figures(writer, &figures);
        ins_write(writer, ",\"support\":");
        ins_write_u64(writer, label->support);
        ins_write(writer, "}");
    }
    ins_write(writer, "}");
}

/* ---- confusion ----------------------------------------------------------- */

static void
write_matrix(ins_writer *writer, const ins_summary *summary)
{
    const ins_counted_pair *pair = summary->pairs;
    const ins_counted_pair *end = pair + summary->pair_count;

    ins_write(writer, ",\"matrix\":[");
    for (uint32_t actual = 0; actual < summary->label_count; actual++) {
        ins_write(writer, actual > 0 ? ",[" : "[");
        for (uint32_t column = 0; column < summary->label_count; column++) {
            uint64_t count = 0;

            if (pair < end && pair->actual == actual &&
                pair->predicted == column)
                count = (pair++)->count;
            if (column > 0)
                ins_write(writer, ",");
            ins_write_u64(writer, count);
        }
        ins_write(writer, "]");
    }
    ins_write(writer, "]");
}

static void
write_pairs(ins_writer *writer, const ins_summary *summary)
{
    ins_write(writer, ",\"pairs\":[");
    for (uint32_t i = 0; i < summary->pair_count; i++) {
        ins_write(writer, i > 0 ? ",[" : "[");
        ins_write_u64(writer, summary->pairs[i].actual);
        ins_write(writer, ",");
        ins_write_u64(writer, summary->pairs[i].predicted);
        ins_write(writer, ",");
        ins_write_u64(writer, summary->pairs[i].count);
        ins_write(writer, "]");
    }
    ins_write(writer, "]");
}

void
ins_write_confusion(ins_writer *writer, const ins_summary *summary)
{
    ins_write(writer, "{\"labels\":[");
    for (uint32_t i = 0; i < summary->label_count; i++) {
        if (i > 0)
            ins_write(writer, ",");
        ins_write_json_text(writer, summary->labels[i].label);
    }
    ins_write(writer, "]");
    if (summary->label_count <= INS_MATRIX_LABELS)
        write_matrix(writer, summary);
    else
        write_pairs(writer, summary);
    ins_write(writer, "}");
}

/* ---- the public calls ---------------------------------------------------- */

ins_status
ins_evaluation_report(const ins_evaluation *evaluation, char **json,
                      size_t *size, ins_error *error)
{
    ins_summary summary;
    ins_writer writer;

    *json = NULL;
    *size = 0;
    INS_TRY(ins_summary_open(&summary, evaluation, error));
    ins_writer_open(&writer, &evaluation->host, error);
    ins_write(&writer, "{\"rows\":");
    ins_write_u64(&writer, summary.rows);
    ins_write(&writer, ",\"nulls\":");
    ins_write_u64(&writer, summary.nulls);
    ins_write(&writer, ",\"accuracy\":");
    ins_write_double(&writer, summary.accuracy);
    write_average(&writer, "macro", &summary.macro);
    write_average(&writer, "micro", &summary.micro);
    write_average(&writer, "weighted", &summary.weighted);
    write_labels(&writer, &summary);
    ins_write(&writer, ",\"confusion\":");
    ins_write_confusion(&writer, &summary);
    ins_write(&writer, "}");
    ins_summary_close(&summary, &evaluation->host);
    return ins_writer_finish(&writer, json, size);
}

ins_status
ins_evaluation_confusion(const ins_evaluation *evaluation, char **json,
                         size_t *size, ins_error *error)
{
    ins_summary summary;
    ins_writer writer;

    *json = NULL;
    *size = 0;
    INS_TRY(ins_summary_open(&summary, evaluation, error));
    ins_writer_open(&writer, &evaluation->host, error);
    ins_write_confusion(&writer, &summary);
    ins_summary_close(&summary, &evaluation->host);
    return ins_writer_finish(&writer, json, size);
}
