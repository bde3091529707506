/*
 * test_training_rows.c - the rows of a training: what goes in comes out, in
 * little memory; labels are found, checked, counted and sorted.
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

#include "tiny_collide.h"
#include "tiny_model.h"
#include "train/label_table.h"
#include "train/rows.h"
#include "train/targets.h"

#define ROWS       1000000
#define LONG_BYTES 3000000

static ins_text
text_of(const char *string)
{
    return (ins_text){string, strlen(string)};
}

/* ---- rows ---------------------------------------------------------------- */

static void
test_rows_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 127, 128, 16384, 5000, LONG_BYTES, 0};
    const size_t count = sizeof(sizes) / sizeof(sizes[0]);
    uint32_t labels[200];
    char *bytes = malloc(LONG_BYTES + 16);
    ins_row_store store = {.first = NULL};
    ins_row_cursor cursor = {.store = &store};
    ins_row row;
    tiny_host host;

    (void) state;
    assert_non_null(bytes);
    for (size_t i = 0; i < LONG_BYTES + 16; i++)
        bytes[i] = (char) (i * 7 % 251);
    for (uint32_t i = 0; i < 200; i++)
        labels[i] = i * i * 1000;
    tiny_host_open(&host);
    assert_false(ins_row_cursor_next(&cursor, &row));
    for (size_t i = 0; i < count; i++) {
        uint64_t expected = ins_row_store_bytes_with(&store, sizes[i], i * 25);

        assert_int_equal(ins_row_store_add(&store,
                                           (ins_text){bytes + i, sizes[i]},
                                           labels, i * 25, &host.host, NULL),
                         INS_OK);
        assert_int_equal(store.bytes, expected);
        assert_int_equal(store.bytes, host.live_bytes);
    }
    cursor = (ins_row_cursor){.store = &store};
    for (size_t i = 0; i < count; i++) {
        assert_true(ins_row_cursor_next(&cursor, &row));
        assert_int_equal(row.text.size, sizes[i]);
        assert_memory_equal(row.text.data, bytes + i, row.text.size);
        assert_int_equal(row.label_count, i * 25);
        for (size_t k = 0; k < i * 25; k++)
            assert_int_equal(ins_row_next_label(&row), labels[k]);
    }
    assert_false(ins_row_cursor_next(&cursor, &row));
    assert_false(ins_row_cursor_next(&cursor, &row));
    ins_row_store_close(&store, &host.host);
    assert_int_equal(host.live_blocks, 0);
    free(bytes);
}

static void
test_million_rows_are_compact(void **state)
{
    static const char text[] = "a text of fifteen words would be longer";
    const size_t size = sizeof(text) - 1;
    ins_row_store store = {.first = NULL};
    ins_row_cursor cursor = {.store = &store};
    ins_row row;
    tiny_host host;
    uint32_t seen = 0;

    (void) state;
    tiny_host_open(&host);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t label = i % 70;

        assert_int_equal(ins_row_store_add(&store, (ins_text){text, size},
                                           &label, 1, &host.host, NULL),
                         INS_OK);
    }
    while (ins_row_cursor_next(&cursor, &row))
        assert_int_equal(ins_row_next_label(&row), seen++ % 70);
    assert_int_equal(seen, ROWS);
    assert_true(store.bytes < (uint64_t) ROWS * (size + 4));
    ins_row_store_close(&store, &host.host);
}

/* ---- labels -------------------------------------------------------------- */

static void
test_label_checks(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *words; /* NULL: good */
    } labels[] = {
        {"a", 1, NULL},
        {"\xC3\xA9 \xF0\x9F\x98\x80", 7, NULL},
        {"", 0, "empty"},
        {"a\0b", 3, "not UTF-8"},
        {"\xFF", 1, "not UTF-8"},
        {"\xC3", 1, "not UTF-8"},
        {"\xED\xA0\x80", 3, "not UTF-8"},
    };
    char *large = malloc(10240);
    ins_error error;

    (void) state;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        ins_text label = {labels[i].text, labels[i].size};
        ins_status status = ins_label_check(label, &error);

        if (labels[i].words == NULL) {
            assert_int_equal(status, INS_OK);
            continue;
        }
        assert_int_equal(status, INS_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, labels[i].words));
    }
    memset(large, 'x', 10240);
    assert_int_equal(ins_label_check((ins_text){large, 1024}, &error), INS_OK);
    assert_int_equal(ins_label_check((ins_text){large, 10240}, &error),
                     INS_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "a label has 10240 bytes; the limit is 1024");
    free(large);
}

static void
test_label_limit(void **state)
{
    ins_label_table table = {.count = 0};
    ins_error error;
    tiny_host host;
    char name[32];
    uint32_t number;

    (void) state;
    tiny_host_open(&host);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 65536; i++) {
            snprintf(name, sizeof(name), "label %u", i);
            assert_int_equal(ins_label_table_add(&table, text_of(name),
                                                 &host.host, &number, &error),
                             INS_OK);
            assert_int_equal(number, i);
        }
        assert_int_equal(ins_label_table_bytes(&table), host.live_bytes);
    }
    assert_int_equal(ins_label_table_add(&table, text_of("one more"),
                                         &host.host, &number, &error),
                     INS_LIMIT_EXCEEDED);
    assert_non_null(strstr(error.message, "more than 65536"));
    ins_label_table_close(&table, &host.host);
    assert_int_equal(host.live_blocks, 0);
}

/* Labels of one hash: whoever writes them can make the table look at all. */
static void
test_labels_of_one_hash(void **state)
{
    ins_label_table table = {.count = 0};
    tiny_colliding names;
    tiny_host host;
    uint32_t number;
    ins_status status = INS_OK;

    (void) state;
    tiny_host_open(&host);
    tiny_collide(&names);
    for (uint32_t i = 0; i < 4096; i++) {
        ins_text name = tiny_colliding_text(&names, i);

        assert_int_equal(
            ins_label_table_add(&table, name, &host.host, &number, NULL),
            INS_OK);
        assert_int_equal(number, i);
    }
    /* 8 million comparisons by rows, and half as many by growing. */
    assert_true(host.polls > 100);
    host.cancel_at = host.polls + 1;
    for (uint32_t i = 4096; i < 4096 + 20 && status == INS_OK; i++)
        status = ins_label_table_add(&table, tiny_colliding_text(&names, i),
                                     &host.host, &number, NULL);
    assert_int_equal(status, INS_CANCELLED);
    /* What was there is still found. */
    host.cancel_at = 0;
    assert_int_equal(ins_label_table_add(&table,
                                         tiny_colliding_text(&names, 4000),
                                         &host.host, &number, NULL),
                     INS_OK);
    assert_int_equal(number, 4000);
    ins_label_table_close(&table, &host.host);
    assert_int_equal(host.live_blocks, 0);
}

static int
compare(ins_text a, ins_text b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Bytes above 127, labels that begin as others do, and many. */
static void
test_sorted_labels(void **state)
{
    static const char *const names[] = {"b", "\xC3\xA9", "a", "ab", "z", "B"};
    ins_label_table table = {.count = 0};
    ins_sorted_labels sorted;
    tiny_host host;
    char name[32];
    uint32_t number;
    uint32_t state_ = 1;

    (void) state;
    tiny_host_open(&host);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(ins_label_table_add(&table, text_of(names[i]),
                                             &host.host, &number, NULL),
                         INS_OK);
    for (int i = 0; i < 10000; i++) {
        state_ = state_ * 1664525u + 1013904223u;
        snprintf(name, sizeof(name), "%x", state_ >> 8);
        assert_int_equal(ins_label_table_add(&table, text_of(name), &host.host,
                                             &number, NULL),
                         INS_OK);
    }
    assert_int_equal(ins_sorted_labels_open(&sorted, &table, &host.host, NULL),
                     INS_OK);
    assert_int_equal(sorted.table.count, table.count);
    for (uint32_t i = 1; i < sorted.table.count; i++)
        assert_true(compare(ins_string_at(&sorted.table, i - 1),
                            ins_string_at(&sorted.table, i)) < 0);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(compare(ins_string_at(&sorted.table, sorted.places[i]),
                                 text_of(names[i])),
                         0);
    ins_sorted_labels_close(&sorted, &host.host);
    host.polls = 0;
    host.cancel_at = 1;
    assert_int_equal(ins_sorted_labels_open(&sorted, &table, &host.host, NULL),
                     INS_CANCELLED);
    ins_sorted_labels_close(&sorted, &host.host);
    ins_label_table_close(&table, &host.host);
    assert_int_equal(host.live_blocks, 0);
}

/* ---- targets ------------------------------------------------------------- */

struct rows {
    tiny_host host;
    ins_label_table labels;
    ins_row_store store;
    ins_sorted_labels sorted;
    ins_targets targets;
};

static void
add_row(struct rows *rows, const char *const *labels)
{
    uint32_t numbers[4];
    size_t count = 0;

    for (; labels[count] != NULL; count++)
        assert_int_equal(
            ins_label_table_add(&rows->labels, text_of(labels[count]),
                                &rows->host.host, &numbers[count], NULL),
            INS_OK);
    assert_int_equal(ins_row_store_add(&rows->store, text_of("x"), numbers,
                                       count, &rows->host.host, NULL),
                     INS_OK);
}

static void
open_targets(struct rows *rows, bool multi_label, bool balanced)
{
    const ins_targets_options options = {multi_label, balanced};

    assert_int_equal(ins_sorted_labels_open(&rows->sorted, &rows->labels,
                                            &rows->host.host, NULL),
                     INS_OK);
    assert_int_equal(ins_targets_open(&rows->targets, &rows->store,
                                      &rows->sorted, &options, &rows->host.host,
                                      NULL),
                     INS_OK);
}

static void
close_rows(struct rows *rows)
{
    const ins_host *host = &rows->host.host;

    ins_targets_close(&rows->targets, host);
    ins_sorted_labels_close(&rows->sorted, host);
    ins_row_store_close(&rows->store, host);
    ins_label_table_close(&rows->labels, host);
    assert_int_equal(rows->host.live_blocks, 0);
}

static void
test_targets(void **state)
{
    static const char *const b[] = {"b", NULL};
    static const char *const a[] = {"a", NULL};
    struct rows rows = {.labels = {.count = 0}};

    (void) state;
    tiny_host_open(&rows.host);
    add_row(&rows, b);
    add_row(&rows, a);
    add_row(&rows, b);
    add_row(&rows, b);
    open_targets(&rows, false, true);
    for (int i = 0; i < 4; i++) {
        bool is_a = i == 1;

        assert_int_equal(rows.targets.numbers[i], !is_a);
        /* 4 / (2 * 1) and 4 / (2 * 3) */
        assert_float_equal(rows.targets.weights[i], is_a ? 2.0f : 2 / 3.0f,
                           1e-6);
    }
    close_rows(&rows);
}

static void
test_marks(void **state)
{
    static const char *const both[] = {"b", "a", "b", NULL};
    static const char *const a[] = {"a", NULL};
    static const char *const none[] = {NULL};
    static const uint8_t expected[] = {1, 1, 1, 0, 0, 0, 1, 0};
    struct rows rows = {.labels = {.count = 0}};
    /* a: 4 / (2 * 3), b: 4 / (2 * 1); their mean; 1 without a label. */
    const double weights[] = {4 / 3.0, 2 / 3.0, 1, 2 / 3.0};
    double mean = (weights[0] + weights[1] + weights[2] + weights[3]) / 4;

    (void) state;
    tiny_host_open(&rows.host);
    add_row(&rows, both);
    add_row(&rows, a);
    add_row(&rows, none);
    add_row(&rows, a);
    open_targets(&rows, true, true);
    assert_memory_equal(rows.targets.marks, expected, sizeof(expected));
    for (int i = 0; i < 4; i++)
        assert_float_equal(rows.targets.weights[i], (float) (weights[i] / mean),
                           1e-6);
    close_rows(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_back),
        cmocka_unit_test(test_million_rows_are_compact),
        cmocka_unit_test(test_label_checks),
        cmocka_unit_test(test_label_limit),
        cmocka_unit_test(test_labels_of_one_hash),
        cmocka_unit_test(test_sorted_labels),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
