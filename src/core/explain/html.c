/*
 * html.c - an explanation as a snippet of HTML.
 *
 * Its colours are those of Okabe and Ito (2008) that differ for every kind of
 * colour blindness, half transparent, so that text in the colour of the page
 * around it stays readable on light and on dark; the line under a word says
 * the same without colour.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "explain/explain.h"

#include <math.h>

#include "base/writer.h"

#define MAX_FIGURE   1e6
#define MAX_SHADE    0.55 /* of the colour */
#define LEAST_FIGURE 0.0005

#define FOR     "0,114,178"
#define AGAINST "230,159,0"

/* ---- figures ------------------------------------------------------------- */

/* With three decimals. */
static void
write_figure(ins_writer *writer, float value, bool with_sign)
{
    double size = fabs((double) value);

    if (!(size < MAX_FIGURE))
        size = MAX_FIGURE;
    if (size >= LEAST_FIGURE && value < 0)
        ins_write(writer, "-");
    else if (size >= LEAST_FIGURE && with_sign)
        ins_write(writer, "+");
    ins_write_fixed(writer, size, 3);
}

/* shade: 0 to 1. */
static void
write_style(ins_writer *writer, bool is_for, double shade)
{
    ins_write(writer, "style=\"background:rgba(");
    ins_write(writer, is_for ? FOR : AGAINST);
    ins_write(writer, ",");
    ins_write_fixed(writer, shade * MAX_SHADE, 2);
    ins_write(writer, ");border-bottom:2px ");
    ins_write(writer,
              is_for ? "solid rgb(" FOR ")\"" : "dashed rgb(" AGAINST ")\"");
}

/* ---- the page ------------------------------------------------------------ */

static void
write_head(ins_writer *writer, const ins_html_page *source)
{
    ins_write(writer, "<div style=\"font-family:sans-serif;line-height:1.7\">\n"
                      "<div><b><bdi>");
    ins_write_html_kept(writer, source->label);
    ins_write(writer, "</bdi></b> ");
    write_figure(writer, source->explanation->score, false);
    ins_write(writer, "</div>\n");
}

static double
largest_value(const ins_explanation *explanation)
{
    double largest = 0;

    for (size_t i = 0; i < explanation->count; i++) {
        double size = fabs((double) explanation->words[i].value);

        largest = size > largest ? size : largest;
    }
    return largest;
}

static void
write_part(ins_writer *writer, ins_text text, size_t start, size_t end)
{
    ins_write_html_kept(writer, (ins_text){text.data + start, end - start});
}

static void
write_word(ins_writer *writer, const ins_contribution *word, ins_text text,
           double largest)
{
    double size = fabs((double) word->value);

    ins_write(writer, "<span ");
    if (size >= LEAST_FIGURE) {
        write_style(writer, word->value > 0, size / largest);
        ins_write(writer, " ");
    }
    ins_write(writer, "title=\"");
    write_figure(writer, word->value, true);
    ins_write(writer, "\">");
    write_part(writer, text, word->start, word->end);
    ins_write(writer, "</span>");
}

/* What the model has not read is paler. */
static void
write_rest(ins_writer *writer, const ins_html_page *source, size_t at)
{
    bool is_pale = source->explanation->truncated && at < source->text.size;

    if (is_pale)
        ins_write(writer, "<span style=\"opacity:.6\">");
    write_part(writer, source->text, at, source->text.size);
    if (is_pale)
        ins_write(writer, "</span>");
}

static void
write_text(ins_writer *writer, const ins_html_page *source)
{
    const ins_explanation *explanation = source->explanation;
    double largest = largest_value(explanation);
    size_t at = 0;

    ins_write(writer, "<div dir=\"auto\" style=\"white-space:pre-wrap;"
                      "overflow-wrap:anywhere;margin:.5em 0\">");
    for (size_t i = 0; i < explanation->count; i++) {
        const ins_contribution *word = &explanation->words[i];

        /* Those of another text would be no words. */
        if (word->start < at || word->end < word->start ||
            word->end > source->text.size)
            continue;
        write_part(writer, source->text, at, word->start);
        write_word(writer, word, source->text, largest);
        at = word->end;
    }
    write_rest(writer, source, at);
    ins_write(writer, "</div>\n");
}

static void
write_legend(ins_writer *writer, const ins_html_page *source)
{
    const ins_explanation *explanation = source->explanation;

    ins_write(writer, "<div style=\"font-size:.85em\"><span ");
    write_style(writer, true, 1);
    ins_write(writer, ">for</span> <span ");
    write_style(writer, false, 1);
    ins_write(writer, ">against</span> the label; all words together ");
    write_figure(writer, explanation->score - explanation->baseline, true);
    ins_write(writer, ", without words ");
    write_figure(writer, explanation->baseline, false);
    if (explanation->truncated) {
        ins_write(writer, "; pale: behind the ");
        ins_write_u64(writer, source->max_tokens);
        ins_write(writer, " tokens that the model reads");
    }
    ins_write(writer, "</div>\n</div>\n");
}

ins_status
ins_html_write(const ins_html_page *source, const ins_host *host, char **html,
               size_t *size, ins_error *error)
{
    ins_writer writer;

    ins_writer_open(&writer, host, error);
    write_head(&writer, source);
    write_text(&writer, source);
    write_legend(&writer, source);
    return ins_writer_finish(&writer, html, size);
}
