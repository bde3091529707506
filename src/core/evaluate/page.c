/*
 * page.c - an evaluation as an HTML page.
 *
 * Labels come in the order of their support, so that what is frequent is seen
 * first, in all tables alike.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/order.h"
#include "base/page.h"
#include "evaluate/evaluation.h"

#define SHOWN_LABELS 500 /* in the table */
#define MATRIX_SIDE  50
#define DENSE_SIDE   16 /* from more labels on, cells are small */
#define SHOWN_PAIRS  20
/* Characters of a label: in tables, beside the matrix, in a tip. */
#define LABEL_CHARACTERS 200
#define SIDE_CHARACTERS  48
#define TIP_CHARACTERS   60
/* From this share on, text is read better in the colour of the page. */
#define STRONG_SHARE 0.78

typedef struct report_page {
    ins_writer *writer;
    const ins_summary *summary;
    uint32_t *order;  /* [label_count]: places in summary->labels */
    uint32_t *ranks;  /* [label_count]: of the labels in order */
    uint64_t *matrix; /* [side][side], by rank: actual, predicted */
    uint32_t side;
} report_page;

static const char page_style[] =
    ".tiles{display:flex;flex-wrap:wrap;gap:.75rem}\n"
    ".tiles div{background:var(--soft);border:1px solid var(--line);"
    "border-radius:8px;padding:.7rem 1rem;min-width:6.2rem}\n"
    ".tiles b{display:block;font-size:1.55rem;line-height:1.25;"
    "font-weight:600;font-variant-numeric:tabular-nums}\n"
    ".tiles span{color:var(--muted);font-size:.85rem}\n"
    ".figures{width:100%}\n"
    ".figures th:first-child{min-width:9rem;max-width:24rem}\n"
    ".figures td.b{width:19%;min-width:7.5rem}\n"
    ".b div{display:flex;align-items:center;gap:.6rem}\n"
    ".b u{flex:1;height:.6rem;border-radius:3px;background:var(--soft);"
    "text-decoration:none;overflow:hidden;"
    "box-shadow:inset 0 0 0 1px var(--line)}\n"
    ".b i{display:block;height:100%;background:rgba(var(--good),.8)}\n"
    ".b.e i{background:rgba(var(--bad),.8)}\n"
    ".b span{min-width:2.9em;text-align:right}\n"
    "tfoot th,tfoot td{border-bottom:0;color:var(--muted);font-weight:400}\n"
    "tfoot tr:first-child>*{border-top:2px solid var(--line)}\n"
    ".matrix{font-size:.85rem;border-collapse:separate;border-spacing:2px}\n"
    ".matrix th,.matrix td{border:0;padding:.2rem .35rem}\n"
    ".matrix td{text-align:center;min-width:1.4rem;border-radius:3px;"
    "background:rgba(var(--bad),var(--a))}\n"
    ".matrix td.h{background:rgba(var(--good),var(--a))}\n"
    ".matrix td.z{background:var(--soft)}\n"
    ".matrix td.s{color:var(--page)}\n"
    ".matrix tbody th{position:sticky;left:0;background:var(--page);"
    "text-align:right;max-width:13rem;overflow:hidden;"
    "text-overflow:ellipsis;white-space:nowrap}\n"
    ".matrix thead th{vertical-align:bottom;padding:.2rem}\n"
    ".matrix thead div{writing-mode:vertical-rl;transform:rotate(180deg);"
    "max-height:10rem;overflow:hidden;text-overflow:ellipsis;"
    "white-space:nowrap;margin:0 auto}\n"
    ".matrix bdi{white-space:pre}\n"
    ".dense{font-size:.72rem;border-spacing:1px}\n"
    ".dense th,.dense td{padding:.1rem .2rem}\n"
    ".dense td{min-width:1.2rem}\n"
    ".empty{font-style:italic;color:var(--muted)}\n";

/* ---- pieces -------------------------------------------------------------- */

/* 1,234,567 */
static void
write_count(ins_writer *writer, uint64_t count)
{
    if (count >= 1000) {
        char rest[5];

        write_count(writer, count / 1000);
        ins_format(rest, sizeof(rest), ",%u%u%u", (unsigned) (count / 100 % 10),
                   (unsigned) (count / 10 % 10), (unsigned) (count % 10));
        ins_write(writer, rest);
        return;
    }
    ins_write_u64(writer, count);
}

static void
write_label(ins_writer *writer, ins_text label, size_t max_characters)
{
    if (label.size == 0) {
        ins_write(writer, "<span class=\"empty\">empty</span>");
        return;
    }
    ins_write(writer, "<bdi>");
    ins_write_html_text(writer, label, max_characters);
    ins_write(writer, "</bdi>");
}

static ins_text
label_at(const report_page *page, uint32_t rank)
{
    return page->summary->labels[page->order[rank]].label;
}

static double
share_of(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double) part / (double) whole : 0;
}

static void
write_percent(ins_writer *writer, double share)
{
    ins_write_fixed(writer, share * 100, 1);
    ins_write(writer, "%");
}

/* A cell with a bar and its figure. */
static void
write_bar(ins_writer *writer, const char *classes, double share, bool percent)
{
    ins_write(writer, "<td class=\"");
    ins_write(writer, classes);
    ins_write(writer, "\"><div><u><i style=\"width:");
    write_percent(writer, share);
    ins_write(writer, "\"></i></u><span>");
    if (percent)
        write_percent(writer, share);
    else
        ins_write_fixed(writer, share, 3);
    ins_write(writer, "</span></div></td>");
}

/* ---- headline ------------------------------------------------------------ */

static void
open_tile(ins_writer *writer)
{
    ins_write(writer, "<div><b>");
}

static void
close_tile(ins_writer *writer, const char *name)
{
    ins_write(writer, "</b><span>");
    ins_write(writer, name);
    ins_write(writer, "</span></div>\n");
}

static void
write_share_tile(const report_page *page, const char *name, double share,
                 bool percent)
{
    open_tile(page->writer);
    if (page->summary->rows == 0)
        ins_write(page->writer, "&ndash;");
    else if (percent)
        write_percent(page->writer, share);
    else
        ins_write_fixed(page->writer, share, 3);
    close_tile(page->writer, name);
}

static void
write_count_tile(const report_page *page, const char *name, uint64_t count)
{
    open_tile(page->writer);
    write_count(page->writer, count);
    close_tile(page->writer, name);
}

static void
write_headline(const report_page *page)
{
    const ins_summary *summary = page->summary;

    ins_write(page->writer, "<h1>Evaluation</h1>\n<div class=\"tiles\">\n");
    write_share_tile(page, "accuracy", summary->accuracy, true);
    write_share_tile(page, "macro F1", summary->macro.f1, false);
    write_share_tile(page, "weighted F1", summary->weighted.f1, false);
    write_count_tile(page, "rows", summary->rows);
    write_count_tile(page, "right", summary->hits);
    write_count_tile(page, "labels", summary->label_count);
    if (summary->nulls > 0)
        write_count_tile(page, "rows with NULL", summary->nulls);
    ins_write(page->writer, "</div>\n");
}

/* ---- figures per label --------------------------------------------------- */

static void
write_figures(ins_writer *writer, const ins_average *figures)
{
    write_bar(writer, "b", figures->precision, false);
    write_bar(writer, "b", figures->recall, false);
    write_bar(writer, "b", figures->f1, false);
}

static void
write_label_row(const report_page *page, uint32_t rank)
{
    const ins_label_figures *label = &page->summary->labels[page->order[rank]];
    ins_average figures = {label->precision, label->recall, label->f1};

    ins_write(page->writer, "<tr><th scope=\"row\">");
    write_label(page->writer, label->label, LABEL_CHARACTERS);
    ins_write(page->writer, "</th>");
    write_figures(page->writer, &figures);
    ins_write(page->writer, "<td class=\"n\">");
    write_count(page->writer, label->support);
    ins_write(page->writer, "</td></tr>\n");
}

static void
write_average_row(const report_page *page, const char *name,
                  const ins_average *figures)
{
    ins_write(page->writer, "<tr><th scope=\"row\">");
    ins_write(page->writer, name);
    ins_write(page->writer, "</th>");
    write_figures(page->writer, figures);
    ins_write(page->writer, "<td class=\"n\">");
    write_count(page->writer, page->summary->rows);
    ins_write(page->writer, "</td></tr>\n");
}

static void
write_label_table(const report_page *page)
{
    uint32_t count = page->summary->label_count;
    uint32_t shown = count < SHOWN_LABELS ? count : SHOWN_LABELS;

    ins_write(page->writer,
              "<h2>Labels</h2>\n<p>Precision: how many of the rows with this "
              "prediction are right. Recall: how many of the rows with this "
              "label were found. Support: the rows with this label.");
    if (shown < count) {
        ins_write(page->writer, " The ");
        ins_write_u64(page->writer, shown);
        ins_write(page->writer, " most frequent of ");
        write_count(page->writer, count);
        ins_write(page->writer, " labels are shown.");
    }
    ins_write(page->writer,
              "</p>\n<div class=\"scroll\"><table class=\"figures\">\n<thead>"
              "<tr><th scope=\"col\">label</th><th scope=\"col\">precision</th>"
              "<th scope=\"col\">recall</th><th scope=\"col\">F1</th>"
              "<th scope=\"col\" class=\"n\">support</th></tr></thead>\n"
              "<tbody>\n");
    for (uint32_t rank = 0; rank < shown; rank++)
        write_label_row(page, rank);
    ins_write(page->writer, "</tbody>\n<tfoot>\n");
    write_average_row(page, "macro average", &page->summary->macro);
    write_average_row(page, "micro average", &page->summary->micro);
    write_average_row(page, "weighted average", &page->summary->weighted);
    ins_write(page->writer, "</tfoot>\n</table></div>\n");
}

/* ---- the matrix ---------------------------------------------------------- */

/* The marks isolate it, as <bdi> does: nothing in it turns the rest around. */
static void
write_tip_label(const report_page *page, uint32_t rank)
{
    ins_write(page->writer, "&#x2068;");
    ins_write_html_text(page->writer, label_at(page, rank), TIP_CHARACTERS);
    ins_write(page->writer, "&#x2069;");
}

static void
write_tip(const report_page *page, uint32_t actual, uint32_t predicted,
          uint64_t support)
{
    uint64_t count = page->matrix[actual * page->side + predicted];

    ins_write(page->writer, " title=\"actual ");
    write_tip_label(page, actual);
    ins_write(page->writer, ", predicted ");
    write_tip_label(page, predicted);
    ins_write(page->writer, ": ");
    write_count(page->writer, count);
    ins_write(page->writer, " of ");
    write_count(page->writer, support);
    ins_write(page->writer, "\"");
}

static void
write_cell(const report_page *page, uint32_t actual, uint32_t predicted)
{
    uint64_t count = page->matrix[actual * page->side + predicted];
    uint64_t support = page->summary->labels[page->order[actual]].support;
    double share = share_of(count, support);

    if (count == 0) {
        ins_write(page->writer, "<td class=\"z\"></td>");
        return;
    }
    ins_write(page->writer, "<td class=\"");
    ins_write(page->writer, actual == predicted ? "h" : "m");
    ins_write(page->writer, share >= STRONG_SHARE ? " s" : "");
    ins_write(page->writer, "\" style=\"--a:");
    /* The least share is still to be seen. */
    ins_write_fixed(page->writer, 0.08 + 0.92 * share, 3);
    ins_write(page->writer, "\"");
    write_tip(page, actual, predicted, support);
    ins_write(page->writer, ">");
    ins_write_u64(page->writer, count);
    ins_write(page->writer, "</td>");
}

static void
write_matrix_head(const report_page *page)
{
    ins_write(page->writer,
              "<thead><tr><th>actual &#8595; &nbsp; predicted &#8594;</th>");
    for (uint32_t rank = 0; rank < page->side; rank++) {
        ins_write(page->writer, "<th scope=\"col\"><div>");
        write_label(page->writer, label_at(page, rank), SIDE_CHARACTERS);
        ins_write(page->writer, "</div></th>");
    }
    ins_write(page->writer, "</tr></thead>\n");
}

static void
write_matrix(const report_page *page)
{
    uint32_t count = page->summary->label_count;

    ins_write(page->writer,
              "<h2>Confusion matrix</h2>\n<p>Rows are actual labels, columns "
              "predicted ones. The stronger the colour of a cell, the larger "
              "its share of its row; right predictions lie on the diagonal.");
    if (page->side < count) {
        ins_write(page->writer, " The ");
        ins_write_u64(page->writer, page->side);
        ins_write(page->writer, " most frequent of ");
        write_count(page->writer, count);
        ins_write(page->writer, " labels are shown.");
    }
    ins_write(page->writer,
              "</p>\n<div class=\"scroll\"><table class=\"matrix");
    ins_write(page->writer, page->side > DENSE_SIDE ? " dense\">\n" : "\">\n");
    write_matrix_head(page);
    ins_write(page->writer, "<tbody>\n");
    for (uint32_t actual = 0; actual < page->side; actual++) {
        ins_write(page->writer, "<tr><th scope=\"row\">");
        write_label(page->writer, label_at(page, actual), SIDE_CHARACTERS);
        ins_write(page->writer, "</th>");
        for (uint32_t predicted = 0; predicted < page->side; predicted++)
            write_cell(page, actual, predicted);
        ins_write(page->writer, "</tr>\n");
    }
    ins_write(page->writer, "</tbody>\n</table></div>\n");
}

/* ---- confused pairs ------------------------------------------------------ */

/* Keeps the most frequent errors, the first of equal ones; returns how many. */
static uint32_t
find_errors(const ins_summary *summary,
            const ins_counted_pair *found[SHOWN_PAIRS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < summary->pair_count; i++) {
        const ins_counted_pair *pair = &summary->pairs[i];
        uint32_t at = count;

        if (pair->actual == pair->predicted)
            continue;
        while (at > 0 && found[at - 1]->count < pair->count)
            at--;
        if (at == SHOWN_PAIRS)
            continue;
        count += count < SHOWN_PAIRS;
        memmove(found + at + 1, found + at,
                (count - 1 - at) * sizeof(found[0]));
        found[at] = pair;
    }
    return count;
}

static void
write_error_row(const report_page *page, const ins_counted_pair *pair)
{
    const ins_label_figures *actual = &page->summary->labels[pair->actual];

    ins_write(page->writer, "<tr><th scope=\"row\">");
    write_label(page->writer, actual->label, LABEL_CHARACTERS);
    ins_write(page->writer, "</th><td>");
    write_label(page->writer, page->summary->labels[pair->predicted].label,
                LABEL_CHARACTERS);
    ins_write(page->writer, "</td><td class=\"n\">");
    write_count(page->writer, pair->count);
    ins_write(page->writer, "</td>");
    write_bar(page->writer, "b e", share_of(pair->count, actual->support),
              true);
    ins_write(page->writer, "</tr>\n");
}

static void
write_errors(const report_page *page)
{
    const ins_counted_pair *found[SHOWN_PAIRS];
    uint32_t count = find_errors(page->summary, found);

    if (count == 0)
        return;
    ins_write(page->writer,
              "<h2>Most confused pairs</h2>\n<p>Share: of the rows with the "
              "actual label.</p>\n<div class=\"scroll\"><table class="
              "\"figures errors\">\n<thead><tr><th scope=\"col\">actual</th>"
              "<th scope=\"col\">predicted</th><th scope=\"col\" class=\"n\">"
              "rows</th><th scope=\"col\">share</th></tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < count; i++)
        write_error_row(page, found[i]);
    ins_write(page->writer, "</tbody>\n</table></div>\n");
}

/* ---- the page ------------------------------------------------------------ */

static bool
is_more_frequent(const void *what, uint32_t a, uint32_t b)
{
    const ins_label_figures *labels = what;

    if (labels[a].support != labels[b].support)
        return labels[a].support > labels[b].support;
    if (labels[a].predicted != labels[b].predicted)
        return labels[a].predicted > labels[b].predicted;
    return a < b;
}

static void
fill_matrix(report_page *page)
{
    for (uint32_t i = 0; i < page->summary->pair_count; i++) {
        const ins_counted_pair *pair = &page->summary->pairs[i];
        uint32_t actual = page->ranks[pair->actual];
        uint32_t predicted = page->ranks[pair->predicted];

        if (actual < page->side && predicted < page->side)
            page->matrix[actual * page->side + predicted] = pair->count;
    }
}

static ins_status
prepare_page(report_page *page, const ins_host *host, ins_error *error)
{
    uint32_t count = page->summary->label_count;
    void *memory;

    INS_TRY(ins_alloc(host, (uint64_t) 2 * count, sizeof(uint32_t), &memory,
                      error));
    page->order = memory;
    page->ranks = page->order + count;
    page->side = count < MATRIX_SIDE ? count : MATRIX_SIDE;
    INS_TRY(ins_alloc_zeroed(host, (uint64_t) page->side * page->side,
                             sizeof(uint64_t), &memory, error));
    page->matrix = memory;
    INS_TRY(ins_order(page->order, count, is_more_frequent,
                      page->summary->labels, host, error));
    for (uint32_t rank = 0; rank < count; rank++)
        page->ranks[page->order[rank]] = rank;
    fill_matrix(page);
    return INS_OK;
}

static ins_status
write_page(report_page *page, const ins_host *host, ins_error *error)
{
    INS_TRY(prepare_page(page, host, error));
    ins_page_open(page->writer, "Evaluation", page_style);
    write_headline(page);
    if (page->summary->rows == 0) {
        ins_write(page->writer, "<p>There are no rows to evaluate.</p>\n");
    } else {
        write_label_table(page);
        write_matrix(page);
        write_errors(page);
    }
    ins_page_close(page->writer);
    return INS_OK;
}

ins_status
ins_evaluation_html(const ins_evaluation *evaluation, char **html, size_t *size,
                    ins_error *error)
{
    const ins_host *host = &evaluation->host;
    ins_summary summary;
    ins_writer writer;
    report_page page = {.writer = &writer, .summary = &summary};
    ins_status status;

    *html = NULL;
    *size = 0;
    INS_TRY(ins_summary_open(&summary, evaluation, error));
    ins_writer_open(&writer, host, error);
    status = write_page(&page, host, error);
    ins_release(host, page.order);
    ins_release(host, page.matrix);
    ins_summary_close(&summary, host);
    if (status == INS_OK)
        return ins_writer_finish(&writer, html, size);
    ins_writer_close(&writer);
    return status;
}
