/*
 * test_explain_html.c - the HTML of an explanation: escaping, figures, whatever
 * the text is.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "explain/explain.h"
#include "tiny_model.h"

#define TEXT_BYTES 400
#define MAX_WORDS  64

static char *
write_page(const ins_html_page *page, size_t *size)
{
    tiny_host host;
    ins_error error;
    char *html;
    char *copy;

    tiny_host_open(&host);
    assert_int_equal(ins_html_write(page, &host.host, &html, size, &error),
                     INS_OK);
    assert_null(memchr(html, '\0', *size));
    copy = malloc(*size + 1);
    memcpy(copy, html, *size);
    copy[*size] = '\0';
    host.host.release(&host, html);
    assert_int_equal(host.live_blocks, 0);
    return copy;
}

/* One word, the whole text. */
static char *
write_word(const char *text, size_t size, float value, const char *label)
{
    ins_contribution word = {0, (uint32_t) size, value};
    ins_explanation explanation = {.words = &word, .count = 1};
    ins_html_page page = {
        &explanation, {text, size}, {label, strlen(label)}, 16};
    size_t length;

    explanation.score = 0.75f;
    explanation.baseline = 0.25f;
    return write_page(&page, &length);
}

static void
test_text_and_label_are_escaped(void **state)
{
    static const char text[] = "<script>x('a' & \"b\")</script>-->\0\x01\r";
    char *html = write_word(text, sizeof(text) - 1, 0.5f, "</b>&\"'");

    (void) state;
    assert_non_null(
        strstr(html, ">&lt;script&gt;x(&#39;a&#39; &amp; &quot;b&quot;)&lt;"
                     "/script&gt;--&gt;&#xFFFD;&#xFFFD;&#13;</span>"));
    assert_non_null(strstr(html, "<bdi>&lt;/b&gt;&amp;&quot;&#39;</bdi>"));
    assert_null(strstr(html, "script>"));
    free(html);
}

static void
check_figure(float value, const char *figure)
{
    char wanted[64];
    char *html = write_word("x", 1, value, "label");

    strcpy(wanted, "title=\"");
    strcat(wanted, figure);
    strcat(wanted, "\">x</span>");
    assert_non_null(strstr(html, wanted));
    /* The text and the two of the legend. */
    assert_true((strstr(html, "<span title=") == NULL) ==
                (strcmp(figure, "0.000") != 0));
    free(html);
}

static void
test_figures(void **state)
{
    (void) state;
    check_figure(0.5f, "+0.500");
    check_figure(-0.0126f, "-0.013");
    check_figure(1.0f, "+1.000");
    check_figure(-12.5f, "-12.500");
    check_figure(0.0f, "0.000");
    check_figure(-0.0001f, "0.000");
    check_figure(1e30f, "+1000000.000");
}

static void
test_head_and_legend(void **state)
{
    char *html = write_word("x", 1, 0.5f, "billing");

    (void) state;
    assert_non_null(strstr(html, "<bdi>billing</bdi></b> 0.750</div>"));
    assert_non_null(strstr(html, "together +0.500, without words 0.250"));
    assert_null(strstr(html, "opacity"));
    assert_null(strstr(html, "pale"));
    free(html);
}

static void
test_what_was_not_read_is_pale(void **state)
{
    ins_contribution word = {0, 3, 0.1f};
    ins_explanation explanation = {
        .words = &word, .count = 1, .truncated = true};
    ins_html_page page = {&explanation, {"one two", 7}, {"a", 1}, 16};
    size_t size;
    char *html = write_page(&page, &size);

    (void) state;
    assert_non_null(
        strstr(html, ">one</span><span style=\"opacity:.6\"> two</span>"));
    assert_non_null(strstr(html, "pale: behind the 16 tokens"));
    free(html);
}

/* Words that are not of this text, or not in order, do not reach beyond it. */
static void
test_words_of_another_text(void **state)
{
    ins_contribution words[] = {
        {2, 3, 0.1f}, {1, 2, 0.1f}, {3, 2, 0.1f}, {3, 99, 0.1f}};
    ins_explanation explanation = {.words = words, .count = 4};
    ins_html_page page = {&explanation, {"abcde", 5}, {"a", 1}, 16};
    size_t size;
    char *html = write_page(&page, &size);

    (void) state;
    assert_non_null(strstr(html, ">ab<span "));
    assert_non_null(strstr(html, ">c</span>de</div>"));
    free(html);
}

/* ---- random texts -------------------------------------------------------- */

/* What a browser would show of the page's text: references read, tags gone. */
static size_t
read_text(const char *html, char *out)
{
    static const struct {
        const char *reference;
        const char *character;
    } references[] = {{"&amp;", "&"},
                      {"&lt;", "<"},
                      {"&gt;", ">"},
                      {"&quot;", "\""},
                      {"&#39;", "'"},
                      {"&#13;", "\r"},
                      {"&#xFFFD;", "\xEF\xBF\xBD"}};
    const char *at = strstr(html, "margin:.5em 0\">") + 15;
    size_t size = 0;

    while (strncmp(at, "</div>", 6) != 0) {
        size_t known = 0;

        if (*at == '<') {
            assert_true(strncmp(at, "<span ", 6) == 0 ||
                        strncmp(at, "</span>", 7) == 0);
            at = strchr(at, '>') + 1;
            continue;
        }
        assert_true(*at != '>' && *at != '"' && *at != '\'' && *at != '\0');
        if (*at != '&') {
            out[size++] = *at++;
            continue;
        }
        while (strncmp(at, references[known].reference,
                       strlen(references[known].reference)) != 0)
            known++;
        assert_true(known < sizeof(references) / sizeof(references[0]));
        strcpy(out + size, references[known].character);
        size += strlen(references[known].character);
        at += strlen(references[known].reference);
    }
    return size;
}

/* The text with U+FFFD for what is invalid or a control character. */
static size_t
replace_invalid(const char *text, size_t size, char *out)
{
    size_t length = 0;

    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        size_t step = ins_utf8_decode(text + at, size - at, &code_point);
        bool is_control =
            (code_point < 0x20 &&
             (code_point < '\t' || code_point == 0x0B || code_point > '\r')) ||
            (code_point >= 0x7F && code_point < 0xA0);

        if (code_point == INS_UTF8_INVALID || is_control) {
            memcpy(out + length, "\xEF\xBF\xBD", 3);
            length += 3;
        } else {
            memcpy(out + length, text + at, step);
            length += step;
        }
        at += step;
    }
    return length;
}

static size_t
make_text(char *text, ins_contribution *words, size_t *count)
{
    static const char *const parts[] = {
        "<",
        ">",
        "&",
        "\"",
        "'",
        " ",
        "\n",
        "\t",
        "\r",
        "\f",
        "\x01",
        "\xFF",
        "\xC3",
        "\xE2\x82",
        "\xE2\x80\xAE", /* right-to-left override */
        "\xD7\xA9",
        "\xF0\x9F\x98\x80",
        "</div>",
        "<!--",
        "-->",
        "a",
        "word"};
    size_t size = 0;

    *count = 0;
    while (size < TEXT_BYTES - 20) {
        const char *part =
            parts[(size_t) rand() % (sizeof(parts) / sizeof(parts[0]))];
        size_t length = strlen(part);

        memcpy(text + size, part, length);
        if (*count < MAX_WORDS && rand() % 3 == 0)
            words[(*count)++] =
                (ins_contribution){(uint32_t) size, (uint32_t) (size + length),
                                   (float) (rand() % 201 - 100) / 100.0f};
        size += length;
        if (rand() % 20 == 0)
            text[size++] = '\0';
    }
    return size;
}

/*
 * Words are cut at characters, as the tokenizer cuts them: a part here may
 * become a character together with what follows, so that it is made valid
 * first in the comparison too.
 */
static size_t
replace_parts(const char *text, size_t size, const ins_contribution *words,
              size_t count, char *out)
{
    size_t length = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        length += replace_invalid(text + at, words[i].start - at, out + length);
        length += replace_invalid(text + words[i].start,
                                  (size_t) words[i].end - words[i].start,
                                  out + length);
        at = words[i].end;
    }
    return length + replace_invalid(text + at, size - at, out + length);
}

static void
test_random_texts_come_back(void **state)
{
    (void) state;
    srand(11);
    for (int round = 0; round < 2000; round++) {
        char text[TEXT_BYTES];
        char shown[TEXT_BYTES * 4];
        char expected[TEXT_BYTES * 4];
        ins_contribution words[MAX_WORDS];
        ins_explanation explanation = {.words = words};
        ins_html_page page = {&explanation, {text, 0}, {"a", 1}, 16};
        size_t size;
        size_t length;
        char *html;

        page.text.size = make_text(text, words, &explanation.count);
        html = write_page(&page, &size);
        length = replace_parts(text, page.text.size, words, explanation.count,
                               expected);
        assert_int_equal(read_text(html, shown), length);
        assert_memory_equal(shown, expected, length);
        free(html);
    }
}

/* ---- failures ------------------------------------------------------------ */

static void
test_long_texts_can_be_cancelled(void **state)
{
    size_t size = 3000000;
    char *text = malloc(size);
    ins_explanation explanation = {0};
    ins_html_page page = {&explanation, {text, size}, {"a", 1}, 16};
    tiny_host host;
    ins_error error;
    char *html;
    size_t length;

    (void) state;
    memset(text, '"', size);
    for (size_t poll = 1; poll <= 6; poll++) {
        tiny_host_open(&host);
        host.cancel_at = poll;
        assert_int_equal(
            ins_html_write(&page, &host.host, &html, &length, &error),
            INS_CANCELLED);
        assert_null(html);
        assert_int_equal(host.live_blocks, 0);
    }
    free(text);
}

static void
test_out_of_memory(void **state)
{
    ins_explanation explanation = {0};
    ins_html_page page = {&explanation, {"x", 1}, {"a", 1}, 16};
    tiny_host host;
    ins_error error;
    char *html;
    size_t length;

    (void) state;
    tiny_host_open(&host);
    host.fail_at = 1;
    assert_int_equal(ins_html_write(&page, &host.host, &html, &length, &error),
                     INS_NO_MEMORY);
    assert_null(html);
    assert_int_equal(host.live_blocks, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_label_are_escaped),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_head_and_legend),
        cmocka_unit_test(test_what_was_not_read_is_pale),
        cmocka_unit_test(test_words_of_another_text),
        cmocka_unit_test(test_random_texts_come_back),
        cmocka_unit_test(test_long_texts_can_be_cancelled),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
