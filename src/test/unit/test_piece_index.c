/*
 * test_piece_index.c - the table from spellings to ids.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pack/piece_index.h"
#include "tiny_model.h"

#define MANY       100000
#define MANY_BYTES (MANY * 8)

static const ins_text nothing = {"", 0};

struct fixture {
    tiny_host host;
    ins_error error;
    ins_pack_tokenizer settings;
    ins_pack_view view;
    uint32_t *slots;
};

static ins_status
build(struct fixture *f, const uint32_t *ends, const char *bytes,
      uint32_t count)
{
    ins_status status;

    memset(&f->settings, 0, sizeof(f->settings));
    memset(&f->view, 0, sizeof(f->view));
    f->view.pieces = (ins_string_table){ends, bytes, count};
    status = ins_piece_index_build(&f->view.pieces, &f->host.host, &f->slots,
                                   &f->settings.index_slots,
                                   &f->settings.index_seed, &f->error);
    f->view.tokenizer = &f->settings;
    f->view.piece_index = f->slots;
    return status;
}

static int32_t
find(const struct fixture *f, const char *prefix, const char *text)
{
    return ins_piece_index_find(&f->view, (ins_text){prefix, strlen(prefix)},
                                (ins_text){text, strlen(text)});
}

static void
close_fixture(struct fixture *f)
{
    f->host.host.release(f->host.host.user, f->slots);
    assert_int_equal(f->host.live_blocks, 0);
}

static void
test_empty_vocabulary(void **state)
{
    struct fixture f;

    (void) state;
    tiny_host_open(&f.host);
    assert_int_equal(build(&f, NULL, NULL, 0), INS_OK);
    assert_int_equal(find(&f, "", "a"), -1);
    assert_int_equal(find(&f, "##", ""), -1);
    close_fixture(&f);
}

static void
test_prefix_and_text_are_one_spelling(void **state)
{
    static const uint32_t ends[] = {3, 8, 10, 10};
    struct fixture f;

    (void) state;
    tiny_host_open(&f.host);
    assert_int_equal(build(&f, ends, "ing##ing##", 4), INS_OK);
    assert_int_equal(find(&f, "", "ing"), 0);
    assert_int_equal(find(&f, "##", "ing"), 1);
    assert_int_equal(find(&f, "", "##ing"), 1);
    assert_int_equal(find(&f, "##in", "g"), 1);
    assert_int_equal(find(&f, "##", ""), 2);
    assert_int_equal(find(&f, "", ""), 3);
    assert_int_equal(find(&f, "", "in"), -1);
    assert_int_equal(find(&f, "##", "ings"), -1);
    close_fixture(&f);
}

static void
test_of_equal_spellings_the_higher_id_wins(void **state)
{
    static const uint32_t ends[] = {1, 2, 3, 4, 5};
    struct fixture f;

    (void) state;
    tiny_host_open(&f.host);
    assert_int_equal(build(&f, ends, "abaca", 5), INS_OK);
    assert_int_equal(find(&f, "", "a"), 4);
    assert_int_equal(find(&f, "", "b"), 1);
    assert_int_equal(find(&f, "", "c"), 3);
    close_fixture(&f);
}

/* Half full at the most, so that thousands of them share a slot. */
static uint32_t
make_many(uint32_t ends[MANY], char bytes[MANY_BYTES])
{
    uint32_t size = 0;

    for (int i = 0; i < MANY; i++) {
        size += (uint32_t) snprintf(bytes + size, 8, "%x", i);
        ends[i] = size;
    }
    return size;
}

static void
test_collisions_lose_no_piece(void **state)
{
    static uint32_t ends[MANY];
    static char bytes[MANY_BYTES + 8];
    struct fixture f;

    (void) state;
    make_many(ends, bytes);
    tiny_host_open(&f.host);
    assert_int_equal(build(&f, ends, bytes, MANY), INS_OK);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(ins_piece_index_find(&f.view, nothing,
                                              ins_string_at(&f.view.pieces, i)),
                         i);
    for (int i = MANY; i < 2 * MANY; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%x", i);
        assert_int_equal(find(&f, "", text), -1);
    }
    close_fixture(&f);
}

/* Long enough a vocabulary to poll more than once. */
static void
test_cancel_and_no_memory_leave_nothing(void **state)
{
    static uint32_t ends[MANY];
    static char bytes[MANY_BYTES + 8];
    struct fixture f;

    (void) state;
    make_many(ends, bytes);
    for (size_t at = 1; at <= 2; at++) {
        tiny_host_open(&f.host);
        f.host.cancel_at = at;
        assert_int_equal(build(&f, ends, bytes, MANY), INS_CANCELLED);
        assert_null(f.slots);
        close_fixture(&f);
    }
    tiny_host_open(&f.host);
    f.host.fail_at = 1;
    assert_int_equal(build(&f, ends, bytes, MANY), INS_NO_MEMORY);
    assert_null(f.slots);
    close_fixture(&f);
}

static void
test_too_many_pieces_are_refused(void **state)
{
    struct fixture f;

    (void) state;
    tiny_host_open(&f.host);
    assert_int_equal(build(&f, NULL, NULL, INS_MAX_VOCABULARY + 1),
                     INS_LIMIT_EXCEEDED);
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_vocabulary),
        cmocka_unit_test(test_prefix_and_text_are_one_spelling),
        cmocka_unit_test(test_of_equal_spellings_the_higher_id_wins),
        cmocka_unit_test(test_collisions_lose_no_piece),
        cmocka_unit_test(test_cancel_and_no_memory_leave_nothing),
        cmocka_unit_test(test_too_many_pieces_are_refused),
    };

    return cmocka_run_group_tests_name("piece_index", tests, NULL, NULL);
}
