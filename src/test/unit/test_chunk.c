/*
 * test_chunk.c - how waiting texts are sorted and cut into batches.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "batching/chunk.h"
#include "tiny_model.h"

#define BATCH_TOKENS 64
#define MAX_TOKENS   40
#define MAX_TEXTS    (BATCH_TOKENS * INS_CHUNK_BATCHES / 2)

struct fixture {
    tiny_host host;
    ins_arena arena;
    ins_chunk chunk;
};

static void
open_fixture(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    ins_chunk_reserve(&f->chunk, &f->arena, BATCH_TOKENS, MAX_TOKENS);
    assert_int_equal(ins_arena_open(&f->arena, &f->host.host, NULL), INS_OK);
    ins_chunk_take(&f->chunk, &f->arena);
    assert_int_equal(f->arena.taken, f->arena.reserved);
}

static void
close_fixture(struct fixture *f)
{
    ins_arena_close(&f->arena, &f->host.host);
    assert_int_equal(f->host.live_blocks, 0);
}

/* Every token of text number n is n. */
static void
add_text(struct fixture *f, size_t number, uint32_t count)
{
    ins_token tokens[MAX_TOKENS];
    uint32_t index = f->chunk.text_count;

    for (uint32_t i = 0; i < count; i++)
        tokens[i] = (ins_token){(int32_t) number, 0, 0};
    assert_true(ins_chunk_has_room(&f->chunk, count));
    assert_int_equal(ins_chunk_add(&f->chunk, number, tokens, count), index);
}

/* Each text comes once, whole, no shorter than those before it. */
static void
check_batches(struct fixture *f, uint32_t *batches, uint32_t *smallest)
{
    bool seen[MAX_TEXTS + 1] = {false};
    const ins_batch *batch = &f->chunk.batch;
    uint32_t longest = 0;
    uint32_t texts = 0;
    uint32_t first;

    *batches = 0;
    *smallest = BATCH_TOKENS;
    ins_chunk_sort(&f->chunk);
    while (ins_chunk_next_batch(&f->chunk, &first)) {
        assert_int_equal(first, texts);
        assert_true(batch->token_count <= BATCH_TOKENS);
        assert_int_equal(batch->starts[batch->sequence_count],
                         batch->token_count);
        for (uint32_t i = 0; i < batch->sequence_count; i++) {
            const ins_waiting_text *text =
                &f->chunk.texts[f->chunk.order[first + i]];

            assert_int_equal(batch->starts[i + 1] - batch->starts[i],
                             text->tokens);
            assert_true(text->tokens >= longest);
            longest = text->tokens;
            assert_false(seen[text->number]);
            seen[text->number] = true;
            for (uint32_t t = batch->starts[i]; t < batch->starts[i + 1]; t++)
                assert_int_equal(batch->ids[t], text->number);
        }
        texts += batch->sequence_count;
        ++*batches;
        if (batch->token_count < *smallest)
            *smallest = batch->token_count;
    }
    assert_int_equal(texts, f->chunk.text_count);
}

static void
test_nothing_gives_no_batch(void **state)
{
    struct fixture f;
    uint32_t batches;
    uint32_t smallest;

    (void) state;
    open_fixture(&f);
    check_batches(&f, &batches, &smallest);
    assert_int_equal(batches, 0);
    close_fixture(&f);
}

static void
test_texts_come_sorted_and_whole(void **state)
{
    struct fixture f;
    uint32_t batches;
    uint32_t smallest;

    (void) state;
    open_fixture(&f);
    srand(1);
    for (int round = 0; round < 200; round++) {
        uint32_t wished = (uint32_t) rand() % 60;

        ins_chunk_clear(&f.chunk);
        for (uint32_t i = 0; i < wished; i++) {
            uint32_t count = 2 + (uint32_t) rand() % (MAX_TOKENS - 1);

            if (ins_chunk_has_room(&f.chunk, count))
                add_text(&f, i, count);
        }
        check_batches(&f, &batches, &smallest);
    }
    close_fixture(&f);
}

/* 13 texts of 5 tokens: 35 and 30, not 60 and 5. */
static void
test_batches_have_about_one_size(void **state)
{
    struct fixture f;
    uint32_t batches;
    uint32_t smallest;

    (void) state;
    open_fixture(&f);
    for (uint32_t i = 0; i < 13; i++)
        add_text(&f, i, 5);
    check_batches(&f, &batches, &smallest);
    assert_int_equal(batches, 2);
    assert_int_equal(smallest, 30);
    close_fixture(&f);
}

/* The cuts do not depend on the order in which texts came. */
static void
test_order_of_input_does_not_move_the_cuts(void **state)
{
    uint32_t sizes[2][16];
    struct fixture f;
    uint32_t first;

    (void) state;
    memset(sizes, 0, sizeof(sizes));
    open_fixture(&f);
    for (int round = 0; round < 2; round++) {
        uint32_t batches = 0;

        ins_chunk_clear(&f.chunk);
        for (uint32_t i = 0; i < 20; i++)
            add_text(&f, i, 2 + (round == 0 ? i : 19 - i));
        ins_chunk_sort(&f.chunk);
        while (ins_chunk_next_batch(&f.chunk, &first))
            sizes[round][batches++] = f.chunk.batch.token_count;
        assert_true(batches > 3);
    }
    assert_memory_equal(sizes[0], sizes[1], sizeof(sizes[0]));
    close_fixture(&f);
}

static void
test_equal_lengths_keep_their_order(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f);
    for (uint32_t i = 0; i < 30; i++)
        add_text(&f, i, 2 + i % 3);
    ins_chunk_sort(&f.chunk);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(f.chunk.order[i], i % 10 * 3 + i / 10);
    close_fixture(&f);
}

static void
test_room_is_counted_in_tokens(void **state)
{
    struct fixture f;
    uint32_t batches;
    uint32_t smallest;

    (void) state;
    open_fixture(&f);
    while (ins_chunk_has_room(&f.chunk, 2))
        add_text(&f, f.chunk.text_count, 2);
    assert_int_equal(f.chunk.text_count, MAX_TEXTS);
    check_batches(&f, &batches, &smallest);
    assert_int_equal(batches, INS_CHUNK_BATCHES);
    ins_chunk_clear(&f.chunk);
    while (ins_chunk_has_room(&f.chunk, MAX_TOKENS))
        add_text(&f, f.chunk.text_count, MAX_TOKENS);
    assert_int_equal(f.chunk.text_count,
                     BATCH_TOKENS * INS_CHUNK_BATCHES / MAX_TOKENS);
    check_batches(&f, &batches, &smallest);
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_gives_no_batch),
        cmocka_unit_test(test_texts_come_sorted_and_whole),
        cmocka_unit_test(test_batches_have_about_one_size),
        cmocka_unit_test(test_order_of_input_does_not_move_the_cuts),
        cmocka_unit_test(test_equal_lengths_keep_their_order),
        cmocka_unit_test(test_room_is_counted_in_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
