/*
 * html.c - an explanation as a snippet of HTML.
 *
 * The page is written twice: once to count its bytes, once into memory.  Its
 * colours are those of Okabe and Ito (2008) that differ for every kind of
 * colour blindness, half transparent, so that text in the colour of the page
 * around it stays readable on light and on dark; the line under a word says
 * the same without colour.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

#define BYTES_PER_POLL 1000000
#define MAX_FIGURE     1e6
#define MAX_SHADE      55.0 /* percent of the colour */
#define LEAST_FIGURE   0.0005

#define FOR     "0,114,178"
#define AGAINST "230,159,0"

struct page {
    char *out; /* NULL: only count */
    size_t size;
    size_t unpolled;
    const ins_host *host;
    ins_error *error;
};

static void
put_bytes(struct page *page, const char *bytes, size_t size)
{
    if (page->out != NULL)
        memcpy(page->out + page->size, bytes, size);
    page->size += size;
}

static void
put(struct page *page, const char *string)
{
    put_bytes(page, string, strlen(string));
}

/* ---- escaping ------------------------------------------------------------ */

/* NULL: the character stands for itself. */
static const char *
reference_of(uint32_t code_point)
{
    switch (code_point) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r': /* a parser would make it a line feed */
        return "&#13;";
    case '\t':
    case '\n':
    case '\f':
        return NULL;
    default:
        break;
    }
    /* HTML allows no other control characters. */
    if (code_point == INS_UTF8_INVALID || code_point < 0x20 ||
        (code_point >= 0x7F && code_point < 0xA0))
        return "&#xFFFD;";
    return NULL;
}

static ins_status
put_escaped(struct page *page, const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint32_t code_point;
        size_t length = ins_utf8_decode(text + at, size - at, &code_point);
        const char *reference = reference_of(code_point);

        if (reference != NULL)
            put(page, reference);
        else
            put_bytes(page, text + at, length);
        at += length;
        if (++page->unpolled < BYTES_PER_POLL)
            continue;
        page->unpolled = 0;
        INS_TRY(ins_poll(page->host, page->error));
    }
    return INS_OK;
}

/* ---- figures ------------------------------------------------------------- */

/* With three decimals. */
static void
put_figure(struct page *page, float value, bool with_sign)
{
    double size = fabs((double) value);
    uint32_t thousandths;
    char figure[32];

    if (!(size < MAX_FIGURE))
        size = MAX_FIGURE;
    thousandths = (uint32_t) (size * 1000 + 0.5);
    if (thousandths > 0 && value < 0)
        put(page, "-");
    else if (thousandths > 0 && with_sign)
        put(page, "+");
    ins_format(figure, sizeof(figure), "%u.%u%u%u", thousandths / 1000,
               thousandths / 100 % 10, thousandths / 10 % 10, thousandths % 10);
    put(page, figure);
}

/* shade: 0 to 1. */
static void
put_style(struct page *page, bool is_for, double shade)
{
    uint32_t percent = (uint32_t) (shade * MAX_SHADE + 0.5);
    char style[160];

    ins_format(style, sizeof(style),
               "style=\"background:rgba(%s,0.%u%u);border-bottom:2px %s "
               "rgb(%s)\"",
               is_for ? FOR : AGAINST, percent / 10, percent % 10,
               is_for ? "solid" : "dashed", is_for ? FOR : AGAINST);
    put(page, style);
}

/* ---- the page ------------------------------------------------------------ */

static ins_status
put_head(struct page *page, const ins_html_page *source)
{
    const ins_explanation *explanation = source->explanation;

    put(page, "<div style=\"font-family:sans-serif;line-height:1.7\">\n"
              "<div><b><bdi>");
    INS_TRY(put_escaped(page, source->label.data, source->label.size));
    put(page, "</bdi></b> ");
    put_figure(page, explanation->score, false);
    put(page, "</div>\n");
    return INS_OK;
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

static ins_status
put_word(struct page *page, const ins_contribution *word, ins_text text,
         double largest)
{
    double size = fabs((double) word->value);

    put(page, "<span ");
    if (size >= LEAST_FIGURE) {
        put_style(page, word->value > 0, size / largest);
        put(page, " ");
    }
    put(page, "title=\"");
    put_figure(page, word->value, true);
    put(page, "\">");
    INS_TRY(put_escaped(page, text.data + word->start,
                        (size_t) word->end - word->start));
    put(page, "</span>");
    return INS_OK;
}

/* What the model has not read is paler. */
static ins_status
put_rest(struct page *page, const ins_html_page *source, size_t at)
{
    bool is_pale = source->explanation->truncated && at < source->text.size;

    if (is_pale)
        put(page, "<span style=\"opacity:.6\">");
    INS_TRY(put_escaped(page, source->text.data + at, source->text.size - at));
    if (is_pale)
        put(page, "</span>");
    return INS_OK;
}

static ins_status
put_text(struct page *page, const ins_html_page *source)
{
    const ins_explanation *explanation = source->explanation;
    double largest = largest_value(explanation);
    size_t at = 0;

    /* A line feed behind the tag is only dropped after <pre>. */
    put(page, "<div dir=\"auto\" style=\"white-space:pre-wrap;"
              "overflow-wrap:anywhere;margin:.5em 0\">");
    for (size_t i = 0; i < explanation->count; i++) {
        const ins_contribution *word = &explanation->words[i];

        /* Those of another text would be no words. */
        if (word->start < at || word->end < word->start ||
            word->end > source->text.size)
            continue;
        INS_TRY(put_escaped(page, source->text.data + at, word->start - at));
        INS_TRY(put_word(page, word, source->text, largest));
        at = word->end;
    }
    INS_TRY(put_rest(page, source, at));
    put(page, "</div>\n");
    return INS_OK;
}

static void
put_legend(struct page *page, const ins_html_page *source)
{
    const ins_explanation *explanation = source->explanation;
    char limit[96];

    put(page, "<div style=\"font-size:.85em\"><span ");
    put_style(page, true, 1);
    put(page, ">for</span> <span ");
    put_style(page, false, 1);
    put(page, ">against</span> the label; all words together ");
    put_figure(page, explanation->score - explanation->baseline, true);
    put(page, ", without words ");
    put_figure(page, explanation->baseline, false);
    if (explanation->truncated) {
        ins_format(limit, sizeof(limit),
                   "; pale: behind the %u tokens that the model reads",
                   source->max_tokens);
        put(page, limit);
    }
    put(page, "</div>\n</div>\n");
}

static ins_status
put_page(struct page *page, const ins_html_page *source)
{
    INS_TRY(put_head(page, source));
    INS_TRY(put_text(page, source));
    put_legend(page, source);
    return INS_OK;
}

ins_status
ins_html_write(const ins_html_page *source, const ins_host *host, char **html,
               size_t *size, ins_error *error)
{
    struct page page = {.host = host, .error = error};
    ins_status status;
    void *memory;

    *html = NULL;
    *size = 0;
    INS_TRY(put_page(&page, source));
    INS_TRY(ins_alloc(host, page.size, 1, &memory, error));
    page.out = memory;
    page.size = 0;
    status = put_page(&page, source);
    if (status != INS_OK) {
        ins_release(host, memory);
        return status;
    }
    *html = memory;
    *size = page.size;
    return INS_OK;
}
