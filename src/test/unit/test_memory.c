/*
 * test_memory.c - allocation through the host, arenas, failing hosts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "tiny_model.h"

#define ALIGNMENT 64

static void
test_overflow_is_no_memory(void **state)
{
    tiny_host host;
    ins_error error;
    void *memory = &host;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(ins_alloc(&host.host, UINT64_MAX / 2, 4, &memory, &error),
                     INS_NO_MEMORY);
    assert_null(memory);
    assert_int_equal(
        ins_alloc_zeroed(&host.host, UINT64_MAX, 1, &memory, &error),
        INS_NO_MEMORY);
    assert_null(memory);
    assert_int_equal(host.calls, 0);
}

static void
test_nothing_is_still_a_block(void **state)
{
    tiny_host host;
    ins_error error;
    void *memory;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(ins_alloc(&host.host, 0, 8, &memory, &error), INS_OK);
    assert_non_null(memory);
    ins_release(&host.host, memory);
    ins_release(&host.host, NULL);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_zeroed_is_zero(void **state)
{
    tiny_host host;
    ins_error error;
    void *memory;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(ins_alloc_zeroed(&host.host, 100, 3, &memory, &error),
                     INS_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(((char *) memory)[i], 0);
    ins_release(&host.host, memory);
}

static void
test_failing_host(void **state)
{
    ins_arena arena = {0};
    tiny_host host;
    ins_error error;
    void *memory;

    (void) state;
    tiny_host_open(&host);
    host.fail_at = 1;
    host.persistent = true;
    assert_int_equal(ins_alloc(&host.host, 100, 3, &memory, &error),
                     INS_NO_MEMORY);
    assert_null(memory);
    assert_string_equal(error.message, "out of memory");
    assert_non_null(strstr(error.detail, "300"));
    ins_arena_reserve(&arena, 10, 4);
    assert_int_equal(ins_arena_open(&arena, &host.host, &error), INS_NO_MEMORY);
    assert_null(ins_arena_take(&arena, 10, 4));
    ins_arena_close(&arena, &host.host);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_poll(void **state)
{
    tiny_host host;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    host.cancel_at = 2;
    assert_int_equal(ins_poll(&host.host, &error), INS_OK);
    assert_int_equal(ins_poll(&host.host, &error), INS_CANCELLED);
    host.host.cancelled = NULL;
    assert_int_equal(ins_poll(&host.host, &error), INS_OK);
}

static void
test_arena_pieces_are_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {1, 63, 64, 65, 0, 1000};
    ins_arena arena = {0};
    tiny_host host;
    ins_error error;
    uint8_t *end = NULL;

    (void) state;
    tiny_host_open(&host);
    for (size_t i = 0; i < 6; i++)
        ins_arena_reserve(&arena, sizes[i], 1);
    assert_int_equal(ins_arena_open(&arena, &host.host, &error), INS_OK);
    for (size_t i = 0; i < 6; i++) {
        uint8_t *piece = ins_arena_take(&arena, sizes[i], 1);

        assert_non_null(piece);
        assert_int_equal((uintptr_t) piece % ALIGNMENT, 0);
        assert_true(piece >= end);
        memset(piece, 0xAA, sizes[i]);
        end = piece + sizes[i];
    }
    assert_null(ins_arena_take(&arena, 1, 1));
    assert_null(ins_arena_take(&arena, UINT64_MAX, 8));
    ins_arena_close(&arena, &host.host);
    assert_null(arena.block);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_arena_overflow_fails_at_open(void **state)
{
    static const uint64_t counts[] = {UINT64_MAX, UINT64_MAX / 8, 1u << 31};
    tiny_host host;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    for (size_t i = 0; i < 3; i++) {
        ins_arena arena = {0};

        ins_arena_reserve(&arena, 1, 64);
        ins_arena_reserve(&arena, counts[i], (size_t) 1 << 40);
        ins_arena_reserve(&arena, 1, 64);
        assert_int_equal(ins_arena_open(&arena, &host.host, &error),
                         INS_NO_MEMORY);
        ins_arena_close(&arena, &host.host);
    }
    assert_int_equal(host.calls, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow_is_no_memory),
        cmocka_unit_test(test_nothing_is_still_a_block),
        cmocka_unit_test(test_zeroed_is_zero),
        cmocka_unit_test(test_failing_host),
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_arena_pieces_are_aligned_and_apart),
        cmocka_unit_test(test_arena_overflow_fails_at_open),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
