/*
 * test_tokenizer.c - odd texts, limits, time.
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

#include "tokenizer/parts.h"
#include "unit/tokenizer_fixture.h"

/* ---- rows of odd texts --------------------------------------------------- */

static void
test_t01_to_t05_nothing_spaces_controls_nul(void **state)
{
    struct fixture *f = open_fixture();

    (void) state;
    run_text(f, NULL, 0);
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
    run_text(f, text, sizeof(text));
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

/* ---- time ---------------------------------------------------------------- */

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

/* One word of 1,000 one-character pieces, in a vocabulary that has a piece of
 * 1,000: the longest way to take it apart. */
static void
test_a_long_word_can_be_cancelled(void **state)
{
    struct fixture *f = open_fixture();
    char word[INS_MAX_WORD_CHARS];
    size_t polls;

    (void) state;
    memset(word, 'b', sizeof(word));
    f->settings.max_word_chars = INS_MAX_WORD_CHARS;
    f->tokenizer->longest_piece = INS_MAX_PIECE_BYTES;
    run_text(f, word, sizeof(word));
    assert_int_equal(f->count, INS_MAX_WORD_CHARS + 2);
    polls = f->host.polls;
    assert_in_range(polls, 15, 30);
    f->host.cancel_at = polls + polls / 2;
    assert_int_equal(ins_tokenizer_run(f->tokenizer, (ins_text){"", 0},
                                       (ins_text){word, sizeof(word)}, 0,
                                       f->tokens, MAX_TOKENS, &f->count,
                                       &f->truncated, &f->error),
                     INS_CANCELLED);
    assert_int_equal(f->host.polls, f->host.cancel_at);
    f->host.cancel_at = 0;
    ASSERT_TOKENS(f, "hello", "hello");
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
        cmocka_unit_test(test_p08_t11_t17_time_is_linear),
        cmocka_unit_test(test_a_long_text_can_be_cancelled),
        cmocka_unit_test(test_a_long_word_can_be_cancelled),
    };

    return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
