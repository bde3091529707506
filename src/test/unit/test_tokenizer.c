/*
 * test_tokenizer.c - odd texts and properties of the tokenizer; a slow
 * reference here splits the same texts in the plainest way.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

#include "pack/piece_index.h"
#include "tiny_model.h"
#include "tokenizer/tokenizer.h"
#include "unicode/classes.h"

#define MEGABYTE   1000000
#define MAX_TOKENS 4096
#define MAX_TEXT   2048
#define MAX_ADDED  4096
#define CASES      20000
#define FLAGS                                      \
    (INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE | \
     INS_TOKENIZER_STRIP_ACCENTS | INS_TOKENIZER_LOWERCASE)

enum { PAD, UNK, CLS, SEP, MASK };

static const char *const pieces[] = {
    "[PAD]",      "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "wor",  "##ld",
    "##ing",      "##s",   "a",     "b",     "c",      "i",     "n",    "g",
    "x",          "##a",   "##b",   "##c",   "##x",    "0",     "##0",  "!",
    "#",          "<",     ">",     "[",     "]",      "/",     "^",    "_",
    "e",          "##e",   "中",    "か",    "ᄀ",     "##ᅡ",  "##ᆨ", "क",
    "##ा",        "##ष",   "ก",     "##า",   "▁",      "##▁",   "ġ",    "g",
    "##g",        "s",     "ß",     "##ß",   "°",      "σ",     "##σ",  "##°",
    "helloworldx"};
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

struct fixture {
    tiny_host host;
    ins_error error;
    ins_pack_view view;
    ins_pack_tokenizer settings;
    uint32_t ends[PIECES];
    char bytes[PIECES * 16];
    ins_pack_added_token added[MAX_ADDED];
    char added_bytes[MAX_ADDED * 8];
    uint32_t added_size;
    uint32_t *slots;
    ins_tokenizer *tokenizer;
    ins_token tokens[MAX_TOKENS];
    size_t count;
    bool truncated;
};

static struct fixture fixture;

static void
add_token(struct fixture *f, const char *text, uint32_t id, uint32_t flags)
{
    uint32_t size = (uint32_t) strlen(text);

    memcpy(f->added_bytes + f->added_size, text, size);
    f->added[f->settings.added_tokens++] =
        (ins_pack_added_token){id, flags, f->added_size, size};
    f->added_size += size;
}

static void
prepare(struct fixture *f)
{
    uint32_t size = 0;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    for (size_t i = 0; i < PIECES; i++) {
        memcpy(f->bytes + size, pieces[i], strlen(pieces[i]));
        size += (uint32_t) strlen(pieces[i]);
        f->ends[i] = size;
    }
    f->settings = (ins_pack_tokenizer){.flags = FLAGS,
                                       .pieces = PIECES,
                                       .cls_id = CLS,
                                       .sep_id = SEP,
                                       .unk_id = UNK,
                                       .max_word_chars = 100,
                                       .prefix_bytes = 2,
                                       .prefix = "##"};
    f->view.pieces = (ins_string_table){f->ends, f->bytes, PIECES};
    assert_int_equal(ins_piece_index_build(&f->view.pieces, &f->host.host,
                                           &f->slots, &f->settings.index_slots,
                                           &f->settings.index_seed, &f->error),
                     INS_OK);
    f->view.piece_index = f->slots;
    f->view.tokenizer = &f->settings;
    f->view.added_tokens = f->added;
    f->view.added_bytes = f->added_bytes;
}

static void
start(struct fixture *f)
{
    assert_int_equal(
        ins_tokenizer_open(&f->tokenizer, &f->view, &f->host.host, &f->error),
        INS_OK);
}

static struct fixture *
open_fixture(void)
{
    struct fixture *f = &fixture;

    prepare(f);
    for (uint32_t id = PAD; id <= MASK; id++)
        add_token(f, pieces[id], id, INS_ADDED_SPECIAL);
    start(f);
    return f;
}

static void
close_fixture(struct fixture *f)
{
    ins_tokenizer_close(f->tokenizer);
    f->host.host.release(f->host.host.user, f->slots);
    assert_int_equal(f->host.live_blocks, 0);
}

static void
run_limited(struct fixture *f, const char *text, size_t size, size_t limit)
{
    assert_int_equal(ins_tokenizer_run(f->tokenizer, (ins_text){"", 0},
                                       (ins_text){text, size}, limit, f->tokens,
                                       MAX_TOKENS, &f->count, &f->truncated,
                                       &f->error),
                     INS_OK);
}

static void
run(struct fixture *f, const char *text, size_t size)
{
    run_limited(f, text, size, 0);
    assert_int_equal(f->tokens[0].id, CLS);
    if (f->count <= MAX_TOKENS)
        assert_int_equal(f->tokens[f->count - 1].id, SEP);
    assert_false(f->truncated);
}

/* expected: spellings between the special ones, with spaces between. */
static void
assert_tokens(struct fixture *f, const char *text, size_t size,
              const char *expected)
{
    char found[MAX_TEXT] = "";

    run(f, text, size);
    for (size_t i = 1; i + 1 < f->count; i++) {
        if (i > 1)
            strcat(found, " ");
        strcat(found, pieces[f->tokens[i].id]);
    }
    assert_string_equal(found, expected);
}

#define ASSERT_TOKENS(f, text, expected) \
    assert_tokens(f, text, sizeof(text) - 1, expected)

/* ---- rows of odd texts --------------------------------------------------- */

static void
test_t01_to_t05_nothing_spaces_controls_nul(void **state)
{
    struct fixture *f = open_fixture();

    (void) state;
    run(f, NULL, 0);
    assert_int_equal(f->count, 2);
    ASSERT_TOKENS(f, "", "");
    ASSERT_TOKENS(f, " \t\n\r\u00A0\u3000\u2028\uFEFF\u200B", "");
    for (int c = 1; c < 0x20; c++)
        assert_tokens(f, (const char[]){(char) c}, 1, "");
    for (int c = 0x7F; c <= 0x9F; c++) {
        char bytes[4];

        assert_tokens(
            f, bytes,
            (size_t) utf8proc_encode_char(c, (utf8proc_uint8_t *) bytes), "");
    }
    ASSERT_TOKENS(f, "a\0b", "a ##b");
    ASSERT_TOKENS(f, "a \0 b\0", "a b");
    close_fixture(f);
}

static void
test_t14_scripts_without_spaces(void **state)
{
    struct fixture *f = open_fixture();

    (void) state;
    ASSERT_TOKENS(f, "각", "ᄀ ##ᅡ ##ᆨ");
    ASSERT_TOKENS(f, "\u1100\u1161\u11A8", "ᄀ ##ᅡ ##ᆨ");
    ASSERT_TOKENS(f, "क्षा", "क ##ष ##ा");
    ASSERT_TOKENS(f, "กา", "ก ##า");
    ASSERT_TOKENS(f, "a中b", "a 中 b");
    ASSERT_TOKENS(f, "かか", "[UNK]");
    close_fixture(f);
}

static void
test_t20_limits(void **state)
{
    static char text[2 * 100000];
    struct fixture *f = open_fixture();
    size_t limit = 40;

    (void) state;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "a ", 2);
    for (size_t words = limit - 5; words <= 10 * limit; words++) {
        size_t full = words + 2;

        run_limited(f, text, 2 * words, limit);
        assert_int_equal(f->count, full < limit ? full : limit);
        assert_int_equal(f->truncated, full > limit);
        assert_int_equal(f->tokens[f->count - 1].id, SEP);
    }
    run(f, text, sizeof(text));
    assert_int_equal(f->count, 100002);
    run_limited(f, text, sizeof(text), 2);
    assert_int_equal(f->count, 2);
    assert_true(f->truncated);
    close_fixture(f);
}

static void
test_t21_t22_special_and_prefixed_spellings(void **state)
{
    struct fixture *f = open_fixture();

    (void) state;
    ASSERT_TOKENS(f, "[CLS]a[SEP]", "[CLS] a [SEP]");
    ASSERT_TOKENS(f, "x[MASK][PAD] [UNK]", "x [MASK] [PAD] [UNK]");
    ASSERT_TOKENS(f, "[cls] [MASK", "[ [UNK] ] [ [UNK]");
    ASSERT_TOKENS(f, "</s>", "< / s >");
    ASSERT_TOKENS(f, "##ing", "# # [UNK]");
    ASSERT_TOKENS(f, "##s helloworldxs", "# # s helloworldx ##s");
    ASSERT_TOKENS(f, "▁a Ġa", "▁ ##a g ##a");
    ASSERT_TOKENS(f, "<0x0>", "< 0 ##x ##0 >");
    close_fixture(f);
}

static void
test_t26_overlapping_added_tokens(void **state)
{
    struct fixture *f = &fixture;

    (void) state;
    prepare(f);
    add_token(f, "ab", 10, 0);
    add_token(f, "abc", 11, 0);
    add_token(f, "bc", 12, 0);
    add_token(f, "<l>", 13, INS_ADDED_LSTRIP);
    add_token(f, "<r>", 14, INS_ADDED_RSTRIP);
    add_token(f, "0", 15, INS_ADDED_SINGLE_WORD);
    start(f);
    ASSERT_TOKENS(f, "abcabbc", "b a c");
    run(f, "x  <l>  <r>  x", 14);
    assert_int_equal(f->count, 6);
    assert_int_equal(f->tokens[2].start, 1);
    assert_int_equal(f->tokens[2].end, 6);
    assert_int_equal(f->tokens[3].start, 8);
    assert_int_equal(f->tokens[3].end, 13);
    ASSERT_TOKENS(f, "x0 0 0x", "x ##0 g 0 ##x");
    close_fixture(f);
}

/* As many as a pack may have, each once in the text. */
static void
test_t26_as_many_added_tokens_as_allowed(void **state)
{
    static char text[MAX_ADDED * 7];
    struct fixture *f = &fixture;
    size_t size = 0;

    (void) state;
    prepare(f);
    for (uint32_t i = 0; i < MAX_ADDED; i++) {
        char name[16];

        snprintf(name, sizeof(name), "t%04ut", i);
        add_token(f, name, 10 + i % 8, 0);
        memcpy(text + size, name, 6);
        size += 6;
    }
    start(f);
    run(f, text, size);
    assert_int_equal(f->count, MAX_ADDED + 2);
    for (uint32_t i = 1; i < MAX_TOKENS; i++)
        assert_int_equal(f->tokens[i].id, 10 + (i - 1) % 8);
    close_fixture(f);
}

/* ---- time ---------------------------------------------------------------- */

static double
time_run(struct fixture *f, const char *text, size_t size)
{
    clock_t before = clock();

    run(f, text, size);
    return (double) (clock() - before) / CLOCKS_PER_SEC;
}

static size_t
repeat(char *text, size_t size, const char *unit)
{
    size_t length = strlen(unit);
    size_t at = 0;

    while (at + length <= size) {
        memcpy(text + at, unit, length);
        at += length;
    }
    return at;
}

/* 16 times the text in less than 64 times the time; square would be 256. */
static void
test_p08_t11_t17_time_is_linear(void **state)
{
    static const char *const units[] = {"^",
                                        "_",
                                        "A",
                                        " ",
                                        "\n",
                                        "\u0301",
                                        "中",
                                        "\u0301\u0323",
                                        "\U0001D165\U0001D16D",
                                        "hello ",
                                        "[CLS]",
                                        "[",
                                        "[MASK",
                                        "\xF0\x9F",
                                        "\xFF",
                                        "각"};
    char *text = malloc(MEGABYTE + 1);
    struct fixture *f = open_fixture();

    (void) state;
    assert_non_null(text);
    text[0] = 'a';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t size = repeat(text + 1, MEGABYTE, units[i]) + 1;
        double part = time_run(f, text, size / 16);
        double whole = time_run(f, text, size);

        if (whole > 64 * part + 0.02)
            fail_msg("unit %zu: %f s, then %f s", i, part, whole);
    }
    free(text);
    close_fixture(f);
}

static void
test_a_long_text_can_be_cancelled(void **state)
{
    char *text = malloc(MEGABYTE);
    struct fixture *f = open_fixture();

    (void) state;
    assert_non_null(text);
    memset(text, '^', MEGABYTE);
    f->host.cancel_at = 3;
    assert_int_equal(ins_tokenizer_run(f->tokenizer, (ins_text){"", 0},
                                       (ins_text){text, MEGABYTE}, 0, f->tokens,
                                       MAX_TOKENS, &f->count, &f->truncated,
                                       &f->error),
                     INS_CANCELLED);
    f->host.cancel_at = 0;
    ASSERT_TOKENS(f, "hello", "hello");
    free(text);
    close_fixture(f);
}

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
    for (size_t i = PIECES; i-- > 0;)
        if (strcmp(pieces[i], spelling) == 0)
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
    run(f, text, size);
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

static uint64_t random_state;

static size_t
draw(size_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t) (random_state >> 33) % below;
}

static void
start_random(void)
{
    const char *seed = getenv("SEED");

    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20250301;
    print_message("SEED=%llu\n", (unsigned long long) random_state);
}

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
    return at == size || ((unsigned char) text[at] & 0xC0) != 0x80;
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

        run(f, text, size);
        for (size_t i = 1; i + 1 < f->count; i++) {
            ins_token token = f->tokens[i];

            assert_in_range(token.id, 0, PIECES - 1);
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

    run(f, text, size);
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
        run(f, text, size);
        count = f->count;
        memcpy(both, f->tokens, count * sizeof(*both));
        run(f, text, first);
        at = f->count - 1;
        for (size_t i = 0; i < at; i++)
            assert_int_equal(both[i].id, f->tokens[i].id);
        run(f, text + first + 1, size - first - 1);
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

        run(f, text, size);
        count = f->count;
        memcpy(before, f->tokens, count * sizeof(*before));
        run(f, replaced, replace_malformed(replaced, text, size));
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
        run(f, exact, size);
        count = f->count;
        memcpy(before, f->tokens, count * sizeof(*before));
        run(f, text, size);
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
        cmocka_unit_test(test_t01_to_t05_nothing_spaces_controls_nul),
        cmocka_unit_test(test_t14_scripts_without_spaces),
        cmocka_unit_test(test_t20_limits),
        cmocka_unit_test(test_t21_t22_special_and_prefixed_spellings),
        cmocka_unit_test(test_t26_overlapping_added_tokens),
        cmocka_unit_test(test_t26_as_many_added_tokens_as_allowed),
        cmocka_unit_test(test_t27_every_code_point),
        cmocka_unit_test(test_t30_the_limit_falls_on_changed_text),
        cmocka_unit_test(test_p01_p03_ids_and_offsets),
        cmocka_unit_test(test_p02_p07_p12_a_limit_cuts_the_full_result),
        cmocka_unit_test(test_p06_a_space_separates),
        cmocka_unit_test(test_p08_t11_t17_time_is_linear),
        cmocka_unit_test(test_p10_malformed_bytes_are_u_fffd),
        cmocka_unit_test(test_p11_following_bytes_do_not_matter),
        cmocka_unit_test(test_a_long_text_can_be_cancelled),
    };

    return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
