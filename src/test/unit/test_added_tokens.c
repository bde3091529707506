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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t26_overlapping_added_tokens),
        cmocka_unit_test(test_t26_as_many_added_tokens_as_allowed),
    };

    return cmocka_run_group_tests_name("added tokens", tests, NULL, NULL);
}
