/*
 * test_tokenizer_properties.c - what holds for every text; a slow reference
 * here splits the same texts in the plainest way.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "unicode/classes.h"
#include "unit/tokenizer_fixture.h"

#define CASES 20000

/* ---- the slow reference -------------------------------------------------- */

struct reference {
    utf8proc_int32_t word[MAX_TEXT];
    size_t length;
    int32_t ids[MAX_TOKENS];
    size_t count;
};

/* The piece spelled so, by looking at each, or -1. */
static int32_t
find_piece(const struct reference *r, size_t from, size_t to)
{
    char spelling[MAX_TEXT * 4 + 3] = "";
    size_t size = 0;

    if (from > 0) {
        memcpy(spelling, "##", 2);
        size = 2;
    }
    for (size_t i = from; i < to; i++)
        size += (size_t) utf8proc_encode_char(
            r->word[i], (utf8proc_uint8_t *) spelling + size);
    spelling[size] = '\0';
    for (size_t i = FIXTURE_PIECES; i-- > 0;)
        if (strcmp(fixture_pieces[i], spelling) == 0)
            return (int32_t) i;
    return -1;
}

static void
end_word(struct reference *r)
{
    size_t count_before = r->count;
    size_t from = 0;

    while (from < r->length && r->length <= 100) {
        size_t to = r->length;
        int32_t id = find_piece(r, from, to);

        while (id < 0 && to > from + 1)
            id = find_piece(r, from, --to);
        if (id < 0)
            break;
        r->ids[r->count++] = id;
        from = to;
    }
    if (from < r->length) {
        r->count = count_before;
        r->ids[r->count++] = UNK;
    }
    r->length = 0;
}

static bool
is_dropped(utf8proc_int32_t c)
{
    return c == 0xFFFD || ins_is_control((uint32_t) c);
}

static bool
is_ideograph(utf8proc_int32_t c)
{
    return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0x2F800 && c <= 0x2FA1F);
}

/* The classes themselves: parity/test_tokenizer_code_points.c. */
static void
add_character(struct reference *r, utf8proc_int32_t c)
{
    const char *category = utf8proc_category_string(c);

    if (category[0] == 'Z' || (c >= 9 && c <= 13)) {
        end_word(r);
    } else if (ins_is_punctuation((uint32_t) c)) {
        end_word(r);
        r->word[r->length++] = c;
        end_word(r);
    } else if (!ins_is_nonspacing_mark((uint32_t) c)) {
        r->word[r->length++] = utf8proc_tolower(c);
    }
}

/* text: valid UTF-8 in NFD order, without added tokens. */
static void
tokenize_slowly(struct reference *r, const char *text, size_t size)
{
    size_t at = 0;

    r->count = 0;
    r->length = 0;
    while (at < size) {
        utf8proc_int32_t c;
        utf8proc_int32_t parts[8];
        int boundary = 0;
        utf8proc_ssize_t count;

        at += (size_t) utf8proc_iterate((const utf8proc_uint8_t *) text + at,
                                        (utf8proc_ssize_t) (size - at), &c);
        if (is_dropped(c))
            continue;
        if (is_ideograph(c))
            end_word(r);
        count =
            utf8proc_decompose_char(c, parts, 8, UTF8PROC_DECOMPOSE, &boundary);
        for (utf8proc_ssize_t i = 0; i < count; i++)
            add_character(r, parts[i]);
        if (is_ideograph(c))
            end_word(r);
    }
    end_word(r);
}

static void
assert_equals_reference(struct fixture *f, const char *text, size_t size)
{
    static struct reference reference;

    tokenize_slowly(&reference, text, size);
    run_text(f, text, size);
    if (f->count != reference.count + 2)
        fail_msg("%zu tokens, not %zu: %.*s", f->count - 2, reference.count,
                 (int) size, text);
    for (size_t i = 0; i < reference.count; i++)
        if (f->tokens[i + 1].id != reference.ids[i])
            fail_msg("token %zu: %.*s", i, (int) size, text);
}

static void
test_t27_every_code_point(void **state)
{
    struct fixture *f = open_fixture();

    (void) state;
    for (utf8proc_int32_t c = 0; c <= 0x10FFFF; c++) {
        char text[8] = "a";
        size_t size;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        size = (size_t) utf8proc_encode_char(c, (utf8proc_uint8_t *) text + 1);
        assert_equals_reference(f, text + 1, size);
        text[size + 1] = 'b';
        assert_equals_reference(f, text, size + 2);
    }
    close_fixture(f);
}

/* ---- properties over random texts ---------------------------------------- */

/* valid: without malformed bytes. */
static size_t
make_text(char *text, bool valid)
{
    static const char *const parts[] = {
        "hello",    "world",    " ",   "a",      "b",          "!",
        "中",       "é",        "İ",   "ß",      "\u0301",     "각",
        "\u200B",   "\u3000",   "[",   "]",      "#",          "MASK",
        "[MASK]",   "[CLS]",    "σ",   "Σ",      "°",          "0",
        "\n",       "क",        "ा",   "\uFFFD", "\U0001F600", "\xFF",
        "\xE2\x82", "\xF0\x9F", "\xC0"};
    size_t kinds = sizeof(parts) / sizeof(parts[0]) - (valid ? 4 : 0);
    size_t size = 0;

    for (size_t count = draw(30); count > 0; count--) {
        const char *part = parts[draw(kinds)];

        memcpy(text + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

static bool
is_boundary(const char *text, size_t size, size_t at)
{
    return at == size || !ins_utf8_continues(text[at]);
}

static void
test_p01_p03_ids_and_offsets(void **state)
{
    struct fixture *f = open_fixture();
    char text[MAX_TEXT];

    (void) state;
    start_random();
    for (int n = 0; n < CASES; n++) {
        size_t size = make_text(text, true);
        uint32_t last = 0;

        run_text(f, text, size);
        for (size_t i = 1; i + 1 < f->count; i++) {
            ins_token token = f->tokens[i];

            assert_in_range(token.id, 0, FIXTURE_PIECES - 1);
            assert_true(token.start >= last && token.end > token.start);
            assert_true(token.end <= size);
            assert_true(is_boundary(text, size, token.start));
            assert_true(is_boundary(text, size, token.end));
            last = token.start;
        }
    }
    close_fixture(f);
}

static void
assert_cut_equals_limit(struct fixture *f, const char *text, size_t size)
{
    static ins_token full[MAX_TOKENS];
    size_t full_count;

    run_text(f, text, size);
    full_count = f->count;
    memcpy(full, f->tokens, full_count * sizeof(*full));
    for (size_t limit = 2; limit <= full_count + 1; limit++) {
        bool cut = full_count > limit;

        run_limited(f, text, size, limit);
        assert_int_equal(f->count, cut ? limit : full_count);
        assert_int_equal(f->truncated, cut);
        assert_memory_equal(f->tokens, full, (f->count - 1) * sizeof(*full));
        assert_int_equal(f->tokens[f->count - 1].id, SEP);
    }
}

static void
test_p02_p07_p12_a_limit_cuts_the_full_result(void **state)
{
    struct fixture *f = open_fixture();
    char text[MAX_TEXT];

    (void) state;
    start_random();
    for (int n = 0; n < CASES / 10; n++)
        assert_cut_equals_limit(f, text, make_text(text, false));
    close_fixture(f);
}

static void
test_t30_the_limit_falls_on_changed_text(void **state)
{
    static const char text[] = "hello e\u0301a\u0301中中 İİ 각각 \u200B "
                               "[MASK]\u0301 a\u0301\u0323";
    struct fixture *f = open_fixture();

    (void) state;
    assert_cut_equals_limit(f, text, sizeof(text) - 1);
    close_fixture(f);
}

static void
test_p06_a_space_separates(void **state)
{
    static ins_token both[MAX_TOKENS];
    struct fixture *f = open_fixture();
    char text[MAX_TEXT];

    (void) state;
    start_random();
    for (int n = 0; n < CASES; n++) {
        size_t first = make_text(text, true);
        size_t size = first + 1 + make_text(text + first + 1, true);
        size_t count;
        size_t at;

        text[first] = ' ';
        run_text(f, text, size);
        count = f->count;
        memcpy(both, f->tokens, count * sizeof(*both));
        run_text(f, text, first);
        at = f->count - 1;
        for (size_t i = 0; i < at; i++)
            assert_int_equal(both[i].id, f->tokens[i].id);
        run_text(f, text + first + 1, size - first - 1);
        assert_int_equal(at + f->count - 1, count);
        for (size_t i = 1; i < f->count; i++)
            assert_int_equal(both[at + i - 1].id, f->tokens[i].id);
    }
    close_fixture(f);
}

/* U+FFFD for each malformed byte; how many does not matter, as they are
 * dropped. */
static size_t
replace_malformed(char *out, const char *text, size_t size)
{
    size_t written = 0;
    size_t at = 0;

    while (at < size) {
        utf8proc_int32_t c;
        utf8proc_ssize_t length =
            utf8proc_iterate((const utf8proc_uint8_t *) text + at,
                             (utf8proc_ssize_t) (size - at), &c);

        if (length < 1) {
            length = 1;
            c = 0xFFFD;
        }
        written += (size_t) utf8proc_encode_char(c, (utf8proc_uint8_t *) out +
                                                        written);
        at += (size_t) length;
    }
    return written;
}

static void
test_p10_malformed_bytes_are_u_fffd(void **state)
{
    static ins_token before[MAX_TOKENS];
    struct fixture *f = open_fixture();
    char text[MAX_TEXT];
    char replaced[3 * MAX_TEXT];

    (void) state;
    start_random();
    for (int n = 0; n < CASES; n++) {
        size_t size = make_text(text, false);
        size_t count;

        run_text(f, text, size);
        count = f->count;
        memcpy(before, f->tokens, count * sizeof(*before));
        run_text(f, replaced, replace_malformed(replaced, text, size));
        assert_int_equal(f->count, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(f->tokens[i].id, before[i].id);
    }
    close_fixture(f);
}

/* A block of exactly the size, for AddressSanitizer, and one that goes on. */
static void
test_p11_following_bytes_do_not_matter(void **state)
{
    static ins_token before[MAX_TOKENS];
    struct fixture *f = open_fixture();
    char text[MAX_TEXT];

    (void) state;
    start_random();
    for (int n = 0; n < CASES; n++) {
        size_t whole = make_text(text, false);
        size_t size = whole > 0 ? draw(whole) : 0;
        char *exact = malloc(size > 0 ? size : 1);
        size_t count;

        assert_non_null(exact);
        memcpy(exact, text, size);
        run_text(f, exact, size);
        count = f->count;
        memcpy(before, f->tokens, count * sizeof(*before));
        run_text(f, text, size);
        assert_int_equal(f->count, count);
        assert_memory_equal(f->tokens, before, count * sizeof(*before));
        free(exact);
    }
    close_fixture(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t27_every_code_point),
        cmocka_unit_test(test_p01_p03_ids_and_offsets),
        cmocka_unit_test(test_p02_p07_p12_a_limit_cuts_the_full_result),
        cmocka_unit_test(test_t30_the_limit_falls_on_changed_text),
        cmocka_unit_test(test_p06_a_space_separates),
        cmocka_unit_test(test_p10_malformed_bytes_are_u_fffd),
        cmocka_unit_test(test_p11_following_bytes_do_not_matter),
    };

    return cmocka_run_group_tests_name("tokenizer properties", tests, NULL,
                                       NULL);
}
