/*
 * test_memo.c - rows that were kept come back, the oldest ones go first, and
 * the memory stays what it was.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "memo/memo.h"
#include "tiny_model.h"

#define MAX_VALUES 500
#define NUMBERS    4000

static const uint8_t model_a[INS_MEMO_IDENTITY_BYTES] = {1};
static const uint8_t model_b[INS_MEMO_IDENTITY_BYTES] = {2};

struct fixture {
    tiny_host host;
    ins_memo *memo;
    ins_memo_scope scope;
};

static void
open_fixture(struct fixture *f, size_t bytes)
{
    ins_memo_settings settings = {model_a, "scalar", 128, false};

    tiny_host_open(&f->host);
    assert_int_equal(ins_memo_open(&f->memo, bytes, &f->host.host, NULL),
                     INS_OK);
    assert_true(f->host.live_bytes <= bytes);
    assert_true(f->host.live_bytes >= bytes - 200);
    ins_memo_scope_open(&f->scope, &settings);
}

static void
close_fixture(struct fixture *f)
{
    ins_memo_close(f->memo);
    assert_int_equal(f->host.live_blocks, 0);
}

static void
make_key(const struct fixture *f, int number, uint8_t *key)
{
    ins_text text = {(const char *) &number, sizeof(number)};

    ins_memo_key(&f->scope, INS_TASK_CLASSIFY, text, key);
}

static uint32_t
values_of(int number)
{
    return 1 + (uint32_t) number * 7 % 23;
}

static void
put(struct fixture *f, int number)
{
    uint8_t key[INS_MEMO_KEY_BYTES];
    float row[MAX_VALUES];

    make_key(f, number, key);
    for (uint32_t i = 0; i < MAX_VALUES; i++)
        row[i] = (float) number + (float) i / 1000;
    ins_memo_put(f->memo, key, row, values_of(number));
}

/* Checks the row when there is one. */
static bool
find(struct fixture *f, int number)
{
    uint8_t key[INS_MEMO_KEY_BYTES];
    float row[MAX_VALUES];

    make_key(f, number, key);
    if (!ins_memo_find(f->memo, key, row, values_of(number)))
        return false;
    for (uint32_t i = 0; i < values_of(number); i++)
        assert_true(row[i] == (float) number + (float) i / 1000);
    return true;
}

static void
test_rows_come_back_until_they_are_cleared(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, 1 << 16);
    assert_false(find(&f, 1));
    put(&f, 1);
    put(&f, 2);
    put(&f, 2);
    assert_true(find(&f, 1));
    assert_true(find(&f, 2));
    assert_false(find(&f, 3));
    assert_int_equal(ins_memo_counters(f.memo).hits, 2);
    assert_int_equal(ins_memo_counters(f.memo).misses, 2);
    assert_int_equal(ins_memo_counters(f.memo).rows, 2);
    ins_memo_clear(f.memo);
    assert_false(find(&f, 1));
    assert_int_equal(ins_memo_counters(f.memo).rows, 0);
    put(&f, 1);
    assert_true(find(&f, 1));
    close_fixture(&f);
}

static void
test_oldest_rows_go_first(void **state)
{
    struct fixture f;
    uint64_t rows;

    (void) state;
    open_fixture(&f, 1 << 14);
    for (int i = 0; i < NUMBERS; i++)
        put(&f, i);
    rows = ins_memo_counters(f.memo).rows;
    assert_true(rows > 50 && rows < 200);
    /* From the newest backwards: finding moves only old rows. */
    for (int i = 0; i < (int) rows / 2; i++)
        assert_true(find(&f, NUMBERS - 1 - i));
    assert_false(find(&f, NUMBERS - 1 - (int) rows));
    assert_false(find(&f, 0));
    close_fixture(&f);
}

/* A row that is asked for again and again outlives any number of others. */
static void
test_rows_in_use_stay(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, 1 << 14);
    put(&f, 0);
    for (int i = 1; i < NUMBERS; i++) {
        put(&f, i);
        if (i % 20 == 0)
            assert_true(find(&f, 0));
    }
    close_fixture(&f);
}

/* Against a simple model of it: what is found was put and not dropped. */
static void
test_many_sizes_and_places(void **state)
{
    static const size_t sizes[] = {INS_MEMO_MIN_BYTES, 1400, 2048, 5000, 40000};

    (void) state;
    srand(7);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        static bool was_put[NUMBERS];
        struct fixture f;
        size_t found = 0;

        memset(was_put, 0, sizeof(was_put));
        open_fixture(&f, sizes[s]);
        for (int i = 0; i < 20000; i++) {
            int number = rand() % 40 == 0 ? rand() % NUMBERS : rand() % 60;
            bool hit = find(&f, number);

            assert_true(!hit || was_put[number]);
            found += hit;
            if (!hit)
                put(&f, number);
            was_put[number] = true;
            if (i % 5000 == 4999) {
                ins_memo_clear(f.memo);
                memset(was_put, 0, sizeof(was_put));
            }
        }
        assert_true(found > 500);
        assert_int_equal(f.host.calls, 2);
        close_fixture(&f);
    }
}

/* Few rows and many are cleared in different ways. */
static void
test_clearing_leaves_nothing(void **state)
{
    struct fixture f;

    (void) state;
    open_fixture(&f, 1 << 16);
    for (int count = 1; count <= 400; count += 7) {
        for (int i = 0; i < count; i++)
            put(&f, i);
        /* Moves some, which leaves dead ones. */
        for (int i = 0; i < count; i += 3)
            find(&f, i);
        ins_memo_clear(f.memo);
        assert_int_equal(ins_memo_counters(f.memo).rows, 0);
        for (int i = 0; i < count; i++)
            assert_false(find(&f, i));
    }
    close_fixture(&f);
}

static void
test_keys_tell_everything_apart(void **state)
{
    ins_memo_settings settings[] = {
        {model_a, "scalar", 128, false}, {model_b, "scalar", 128, false},
        {model_a, "avx2", 128, false},   {model_a, "scalar", 127, false},
        {model_a, "scalar", 128, true},
    };
    const ins_text texts[] = {
        {"", 0}, {"a", 1}, {"a\1", 2}, {"a\2", 2}, {"b", 1}};
    uint8_t keys[5 * 5 * 3][INS_MEMO_KEY_BYTES];
    size_t count = 0;

    (void) state;
    for (size_t s = 0; s < 5; s++)
        for (size_t t = 0; t < 5; t++)
            for (int task = 1; task <= 3; task++) {
                ins_memo_scope scope;

                ins_memo_scope_open(&scope, &settings[s]);
                ins_memo_key(&scope, (ins_task) task, texts[t], keys[count]);
                for (size_t i = 0; i < count; i++)
                    assert_memory_not_equal(keys[i], keys[count],
                                            INS_MEMO_KEY_BYTES);
                count++;
            }
}

/* The same as hashing it in one piece, by an independent path. */
static void
test_key_is_the_hash_of_all_parts(void **state)
{
    struct fixture f;
    uint8_t message[64 + 5 + 1] = {1};
    uint8_t expected[INS_DIGEST_BYTES];
    uint8_t key[INS_MEMO_KEY_BYTES];
    uint32_t max_tokens = 128;

    (void) state;
    open_fixture(&f, 4096);
    memcpy(message + 32, &max_tokens, 4);
    memcpy(message + 40, "scalar", 6);
    memcpy(message + 64, "hello", 5);
    message[69] = INS_TASK_EMBED;
    assert_int_equal(
        ins_digest_of(message, sizeof(message), &f.host.host, expected, NULL),
        INS_OK);
    ins_memo_key(&f.scope, INS_TASK_EMBED, (ins_text){"hello", 5}, key);
    assert_memory_equal(key, expected, INS_DIGEST_BYTES);
    close_fixture(&f);
}

static void
test_long_rows_are_not_kept(void **state)
{
    struct fixture f;
    uint8_t key[INS_MEMO_KEY_BYTES];
    float row[MAX_VALUES] = {0};

    (void) state;
    open_fixture(&f, INS_MEMO_MIN_BYTES);
    make_key(&f, 1, key);
    ins_memo_put(f.memo, key, row, MAX_VALUES);
    assert_false(ins_memo_find(f.memo, key, row, MAX_VALUES));
    ins_memo_put(f.memo, key, row, 10);
    assert_true(ins_memo_find(f.memo, key, row, 10));
    /* Of another length it would not be the row that was asked for. */
    assert_false(ins_memo_find(f.memo, key, row, 9));
    close_fixture(&f);
}

static void
test_bounds_of_size(void **state)
{
    tiny_host host;
    ins_memo *memo;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(
        ins_memo_open(&memo, INS_MEMO_MIN_BYTES - 1, &host.host, &error),
        INS_INVALID_ARGUMENT);
    assert_null(memo);
    assert_int_equal(
        ins_memo_open(&memo, INS_MEMO_MAX_BYTES + 1, &host.host, &error),
        INS_INVALID_ARGUMENT);
    host.calls = 0;
    for (size_t n = 1; n <= 2; n++) {
        host.calls = 0;
        host.fail_at = n;
        assert_int_equal(ins_memo_open(&memo, 4096, &host.host, &error),
                         INS_NO_MEMORY);
        assert_null(memo);
        assert_int_equal(host.live_blocks, 0);
    }
    ins_memo_clear(NULL);
    ins_memo_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_back_until_they_are_cleared),
        cmocka_unit_test(test_oldest_rows_go_first),
        cmocka_unit_test(test_rows_in_use_stay),
        cmocka_unit_test(test_many_sizes_and_places),
        cmocka_unit_test(test_clearing_leaves_nothing),
        cmocka_unit_test(test_keys_tell_everything_apart),
        cmocka_unit_test(test_key_is_the_hash_of_all_parts),
        cmocka_unit_test(test_long_rows_are_not_kept),
        cmocka_unit_test(test_bounds_of_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
