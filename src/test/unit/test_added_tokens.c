/*
 * test_added_tokens.c - which added token is found, and how fast.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "unit/tokenizer_fixture.h"

static void
test_t26_overlapping_added_tokens(void **state)
{
    struct fixture *f = &fixture;

    (void) state;
    prepare_fixture(f);
    add_token(f, "ab", 10, 0);
    add_token(f, "abc", 11, 0);
    add_token(f, "bc", 12, 0);
    add_token(f, "<l>", 13, INS_ADDED_LSTRIP);
    add_token(f, "<r>", 14, INS_ADDED_RSTRIP);
    add_token(f, "0", 15, INS_ADDED_SINGLE_WORD);
    start_fixture(f);
    ASSERT_TOKENS(f, "abcabbc", "b a c");
    run_text(f, "x  <l>  <r>  x", 14);
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
    prepare_fixture(f);
    for (uint32_t i = 0; i < MAX_ADDED; i++) {
        char name[16];

        snprintf(name, sizeof(name), "t%04ut", i);
        add_token(f, name, 10 + i % 8, 0);
        memcpy(text + size, name, 6);
        size += 6;
    }
    start_fixture(f);
    run_text(f, text, size);
    assert_int_equal(f->count, MAX_ADDED + 2);
    for (uint32_t i = 1; i < MAX_TOKENS; i++)
        assert_int_equal(f->tokens[i].id, 10 + (i - 1) % 8);
    close_fixture(f);
}

/* ---- against the plain search ------------------------------------------- */

#define RANDOM_SETS  300
#define RANDOM_TEXTS 20
#define FIRST_ID     1000

/* The longest added token at a place, the first of equals; NULL: none. */
static const ins_pack_added_token *
find_plainly(const struct fixture *f, const char *text, size_t size,
             uint32_t normalized)
{
    const ins_pack_added_token *best = NULL;

    for (uint32_t i = 0; i < f->settings.added_tokens; i++) {
        const ins_pack_added_token *added = &f->added[i];

        if ((added->flags & INS_ADDED_NORMALIZED) == normalized &&
            added->bytes <= size &&
            (best == NULL || added->bytes > best->bytes) &&
            memcmp(f->added_bytes + added->start, text, added->bytes) == 0)
            best = added;
    }
    return best;
}

/* Added tokens in text[from..to): those of the kind, and between them those of
 * the normalised text. */
static size_t
search_plainly(const struct fixture *f, const char *text, size_t from,
               size_t to, uint32_t kind, ins_token *found)
{
    size_t count = 0;
    size_t stretch = from;
    size_t at = from;

    while (at <= to) {
        const ins_pack_added_token *added =
            at < to ? find_plainly(f, text + at, to - at, kind) : NULL;

        if (added == NULL && at < to) {
            at++;
            continue;
        }
        if (kind == 0)
            count += search_plainly(f, text, stretch, at, INS_ADDED_NORMALIZED,
                                    found + count);
        if (added == NULL)
            break;
        found[count++] = (ins_token){(int32_t) added->id, (uint32_t) at,
                                     (uint32_t) at + added->bytes};
        at += added->bytes;
        stretch = at;
    }
    return count;
}

static size_t
draw_text(char *text, size_t longest)
{
    size_t size = 1 + draw(longest);

    for (size_t i = 0; i < size; i++)
        text[i] = "aabc"[draw(4)];
    text[size] = '\0';
    return size;
}

static void
assert_found_plainly(struct fixture *f, const char *text, size_t size)
{
    ins_token expected[64];
    size_t count = search_plainly(f, text, 0, size, 0, expected);
    size_t seen = 0;

    run_text(f, text, size);
    for (size_t i = 0; i < f->count; i++) {
        if (f->tokens[i].id < FIRST_ID)
            continue;
        assert_true(seen < count);
        assert_int_equal(f->tokens[i].id, expected[seen].id);
        assert_int_equal(f->tokens[i].start, expected[seen].start);
        assert_int_equal(f->tokens[i].end, expected[seen].end);
        seen++;
    }
    assert_int_equal(seen, count);
}

/* Sets of 1 to 40 short tokens, so that many are equal, begin alike or lie in
 * one another. */
static void
test_search_equals_the_plain_one(void **state)
{
    char text[64];

    (void) state;
    start_random();
    for (int set = 0; set < RANDOM_SETS; set++) {
        struct fixture *f = &fixture;
        uint32_t count = 1 + (uint32_t) draw(40);

        prepare_fixture(f);
        for (uint32_t i = 0; i < count; i++) {
            draw_text(text, 6);
            add_token(f, text, FIRST_ID + i,
                      draw(2) ? INS_ADDED_NORMALIZED : 0);
        }
        start_fixture(f);
        for (int n = 0; n < RANDOM_TEXTS; n++)
            assert_found_plainly(f, text, draw_text(text, 40));
        close_fixture(f);
    }
}

/* ---- time ---------------------------------------------------------------- */

/* Many tokens that begin like every part of the text and are none of it. */
static double
time_tokens(uint32_t count, uint32_t flags)
{
    static char text[100000];
    struct fixture *f = &fixture;
    double seconds;

    prepare_fixture(f);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof(name), "ab%04xc", i * 16);
        add_token(f, name, 10, flags);
    }
    start_fixture(f);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "ab0"[i % 3];
    seconds = time_run(f, text, sizeof(text));
    close_fixture(f);
    return seconds;
}

static void
test_thousands_cost_little_more_than_a_few(void **state)
{
    static const uint32_t flags[] = {0, INS_ADDED_NORMALIZED};

    (void) state;
    for (int i = 0; i < 2; i++) {
        double few = time_tokens(4, flags[i]);
        double many = time_tokens(MAX_ADDED, flags[i]);

        if (many > 16 * few + 0.02)
            fail_msg("flags %u: %f s, then %f s", flags[i], few, many);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t26_overlapping_added_tokens),
        cmocka_unit_test(test_t26_as_many_added_tokens_as_allowed),
        cmocka_unit_test(test_search_equals_the_plain_one),
        cmocka_unit_test(test_thousands_cost_little_more_than_a_few),
    };

    return cmocka_run_group_tests_name("added tokens", tests, NULL, NULL);
}
