/*
 * summary.c - figures per label and their averages.
 *
 * Source: the definitions of scikit-learn's precision_recall_fscore_support
 * with zero_division=0 over the union of both columns' labels.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <string.h>

#include "base/order.h"
#include "evaluate/evaluation.h"

static double
ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double) part / (double) whole : 0;
}

/* ---- order --------------------------------------------------------------- */

static bool
is_label_before(const void *what, uint32_t a, uint32_t b)
{
    return ins_text_compare(ins_evaluation_label(what, a),
                            ins_evaluation_label(what, b)) < 0;
}

static bool
is_pair_before(const void *what, uint32_t a, uint32_t b)
{
    const ins_counted_pair *pairs = what;

    if (pairs[a].actual != pairs[b].actual)
        return pairs[a].actual < pairs[b].actual;
    return pairs[a].predicted < pairs[b].predicted;
}

/* A label that came with a failed row only is in no pair. */
static void
mark_used(const ins_evaluation *evaluation, uint32_t *places)
{
    memset(places, 0, evaluation->label_count * sizeof(places[0]));
    for (uint32_t i = 0; i < evaluation->pair_count; i++) {
        places[evaluation->pairs[i].predicted] = 1;
        places[evaluation->pairs[i].actual] = 1;
    }
}

/* places: of the evaluation's labels in the summary. */
static ins_status
sort_labels(ins_summary *summary, const ins_evaluation *evaluation,
            uint32_t *places, ins_error *error)
{
    void *memory;
    uint32_t *order;
    ins_status status;

    INS_TRY(ins_alloc(&evaluation->host, evaluation->label_count,
                      sizeof(order[0]), &memory, error));
    order = memory;
    mark_used(evaluation, places);
    status = ins_order(order, evaluation->label_count, is_label_before,
                       evaluation, &evaluation->host, error);
    for (uint32_t i = 0; i < evaluation->label_count && status == INS_OK; i++)
        if (places[order[i]] != 0) {
            places[order[i]] = summary->label_count;
            summary->labels[summary->label_count++].label =
                ins_evaluation_label(evaluation, order[i]);
        }
    ins_release(&evaluation->host, memory);
    return status;
}

/* moved: the pairs with the places of their labels. */
static ins_status
sort_pairs(ins_summary *summary, const ins_counted_pair *moved,
           const ins_host *host, ins_error *error)
{
    void *memory;
    uint32_t *order;
    ins_status status;

    INS_TRY(
        ins_alloc(host, summary->pair_count, sizeof(order[0]), &memory, error));
    order = memory;
    status = ins_order(order, summary->pair_count, is_pair_before, moved, host,
                       error);
    for (uint32_t i = 0; i < summary->pair_count && status == INS_OK; i++)
        summary->pairs[i] = moved[order[i]];
    ins_release(host, memory);
    return status;
}

static ins_status
move_pairs(ins_summary *summary, const ins_evaluation *evaluation,
           const uint32_t *places, ins_error *error)
{
    void *memory;
    ins_counted_pair *moved;
    ins_status status;

    INS_TRY(ins_alloc(&evaluation->host, evaluation->pair_count,
                      sizeof(moved[0]), &memory, error));
    moved = memory;
    for (uint32_t i = 0; i < evaluation->pair_count; i++) {
        moved[i] = evaluation->pairs[i];
        moved[i].predicted = places[moved[i].predicted];
        moved[i].actual = places[moved[i].actual];
    }
    status = sort_pairs(summary, moved, &evaluation->host, error);
    ins_release(&evaluation->host, memory);
    return status;
}

static ins_status
sort_all(ins_summary *summary, const ins_evaluation *evaluation,
         ins_error *error)
{
    const ins_host *host = &evaluation->host;
    void *places;
    ins_status status;

    INS_TRY(ins_alloc(host, evaluation->label_count, sizeof(uint32_t), &places,
                      error));
    status = sort_labels(summary, evaluation, places, error);
    if (status == INS_OK)
        status = move_pairs(summary, evaluation, places, error);
    ins_release(host, places);
    return status;
}

/* ---- figures ------------------------------------------------------------- */

static void
count_labels(ins_summary *summary)
{
    for (uint32_t i = 0; i < summary->pair_count; i++) {
        const ins_counted_pair *pair = &summary->pairs[i];

        summary->labels[pair->predicted].predicted += pair->count;
        summary->labels[pair->actual].support += pair->count;
        if (pair->predicted == pair->actual) {
            summary->labels[pair->actual].hits = pair->count;
            summary->hits += pair->count;
        }
    }
    for (uint32_t i = 0; i < summary->label_count; i++) {
        ins_label_figures *label = &summary->labels[i];

        label->precision = ratio(label->hits, label->predicted);
        label->recall = ratio(label->hits, label->support);
        label->f1 = 2 * (double) label->hits /
                    ((double) label->predicted + (double) label->support);
    }
}

static void
add_weighted(ins_average *sum, const ins_label_figures *label, double weight)
{
    sum->precision += label->precision * weight;
    sum->recall += label->recall * weight;
    sum->f1 += label->f1 * weight;
}

static void
divide(ins_average *sum, double whole)
{
    sum->precision /= whole;
    sum->recall /= whole;
    sum->f1 /= whole;
}

static void
average_labels(ins_summary *summary)
{
    double accuracy = summary->rows > 0
                          ? (double) summary->hits / (double) summary->rows
                          : (double) NAN;

    summary->accuracy = accuracy;
    summary->micro = (ins_average){accuracy, accuracy, accuracy};
    if (summary->rows == 0) {
        summary->macro = summary->weighted = summary->micro;
        return;
    }
    for (uint32_t i = 0; i < summary->label_count; i++) {
        const ins_label_figures *label = &summary->labels[i];

        add_weighted(&summary->macro, label, 1);
        add_weighted(&summary->weighted, label, (double) label->support);
    }
    divide(&summary->macro, summary->label_count);
    divide(&summary->weighted, (double) summary->rows);
}

static ins_status
fill_summary(ins_summary *summary, const ins_evaluation *evaluation,
             ins_error *error)
{
    const ins_host *host = &evaluation->host;
    void *memory;

    INS_TRY(ins_alloc_zeroed(host, evaluation->label_count,
                             sizeof(summary->labels[0]), &memory, error));
    summary->labels = memory;
    INS_TRY(ins_alloc(host, evaluation->pair_count, sizeof(summary->pairs[0]),
                      &memory, error));
    summary->pairs = memory;
    INS_TRY(sort_all(summary, evaluation, error));
    count_labels(summary);
    average_labels(summary);
    return INS_OK;
}

ins_status
ins_summary_open(ins_summary *summary, const ins_evaluation *evaluation,
                 ins_error *error)
{
    ins_status status;

    memset(summary, 0, sizeof(*summary));
    summary->rows = evaluation->rows;
    summary->nulls = evaluation->nulls;
    summary->pair_count = evaluation->pair_count;
    status = fill_summary(summary, evaluation, error);
    if (status != INS_OK)
        ins_summary_close(summary, &evaluation->host);
    return status;
}

void
ins_summary_close(ins_summary *summary, const ins_host *host)
{
    ins_release(host, summary->labels);
    ins_release(host, summary->pairs);
    summary->labels = NULL;
    summary->pairs = NULL;
}

double
ins_evaluation_accuracy(const ins_evaluation *evaluation)
{
    uint64_t hits = 0;

    for (uint32_t i = 0; i < evaluation->pair_count; i++)
        if (evaluation->pairs[i].predicted == evaluation->pairs[i].actual)
            hits += evaluation->pairs[i].count;
    return evaluation->rows > 0 ? (double) hits / (double) evaluation->rows
                                : (double) NAN;
}
