/*
 * test_normalize.c - the stream of normalised characters.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pack/pack_format.h"
#include "unicode/normalize.h"

#define ALL                                        \
    (INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE | \
     INS_TOKENIZER_STRIP_ACCENTS | INS_TOKENIZER_LOWERCASE)
#define CAPACITY 4096

struct output {
    ins_character list[CAPACITY];
    size_t count;
};

static void
take(void *sink, ins_character character)
{
    struct output *output = sink;

    assert_true(output->count < CAPACITY);
    output->list[output->count++] = character;
}

/* Character i of the input has the bytes [i, i + 1). */
static void
normalize(uint32_t flags, const uint32_t *input, size_t count,
          struct output *output)
{
    static ins_normalizer normalizer;

    normalizer.flags = flags;
    normalizer.sink = take;
    normalizer.sink_data = output;
    normalizer.waiting_count = 0;
    output->count = 0;
    for (uint32_t i = 0; i < count; i++)
        ins_normalizer_add(&normalizer, (ins_character){input[i], i, i + 1});
    ins_normalizer_flush(&normalizer);
}

struct example {
    uint32_t flags;
    uint32_t input[8]; /* ends with 0, as expected */
    uint32_t expected[8];
};

static void
assert_example(const struct example *example)
{
    static struct output output;
    size_t in = 0;
    size_t out = 0;

    while (example->input[in] != 0)
        in++;
    while (example->expected[out] != 0)
        out++;
    normalize(example->flags, example->input, in, &output);
    assert_int_equal(output.count, out);
    for (size_t i = 0; i < out; i++)
        assert_int_equal(output.list[i].code_point, example->expected[i]);
}

static void
test_examples(void **state)
{
    static const struct example examples[] = {
        {0, {'A', 0xC9, 7, 0x4E00}, {'A', 0xC9, 7, 0x4E00}},
        {ALL, {'A', 0xC9, 7, 0xFFFD, 0x200B, '\n'}, {'a', 'e', ' '}},
        {ALL, {0x4E00}, {' ', 0x4E00, ' '}},
        {INS_TOKENIZER_LOWERCASE, {0x130, 0xC9}, {'i', 0x307, 0xE9}},
        {ALL, {0x130}, {'i'}},
        {INS_TOKENIZER_STRIP_ACCENTS, {'e', 0x301, 'X'}, {'e', 'X'}},
        {INS_TOKENIZER_STRIP_ACCENTS, {0xAC01}, {0x1100, 0x1161, 0x11A8}},
        {INS_TOKENIZER_STRIP_ACCENTS, {0x1EC7}, {'e'}},
        {ALL, {0x1D15E}, {0x1D157, 0x1D165}},
        /* A sigma at the end of a word is no special case. */
        {INS_TOKENIZER_LOWERCASE, {0x3A3}, {0x3C3}},
        /* Younger than the reference's tables, so no mark to it. */
        {ALL, {'a', 0x898}, {'a', 0x898}},
        {ALL, {0x11938}, {0x11938}},
        {INS_TOKENIZER_LOWERCASE, {0x1C89, 0x10D51}, {0x1C8A, 0x10D71}},
        {INS_TOKENIZER_CLEAN, {0xA0, 0x3000, '\t'}, {' ', ' ', ' '}},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        assert_example(&examples[i]);
}

/* U+1D16D (class 226, Mc) comes after U+1D165 (216); both survive. */
static void
test_surviving_marks_are_put_in_order(void **state)
{
    static const struct example example = {
        INS_TOKENIZER_STRIP_ACCENTS,
        {0x1D157, 0x1D16D, 0x1D165, 0x1D166, 'a'},
        {0x1D157, 0x1D165, 0x1D166, 0x1D16D, 'a'}};

    (void) state;
    assert_example(&example);
}

/* U+FE0F (class 0) is stripped, but marks do not change places across it. */
static void
test_a_stripped_starter_bounds_the_order(void **state)
{
    static const struct example example = {
        INS_TOKENIZER_STRIP_ACCENTS,
        {0x1D157, 0x1D16D, 0xFE0F, 0x1D165, 'a'},
        {0x1D157, 0x1D16D, 0x1D165, 'a'}};

    (void) state;
    assert_example(&example);
}

static void
test_characters_keep_their_bytes(void **state)
{
    static const uint32_t input[] = {'A', 7, 0xC9, 0x4E00, 0xAC01};
    static const uint32_t starts[] = {0, 2, 3, 3, 3, 4, 4, 4};
    static struct output output;

    (void) state;
    normalize(ALL, input, 5, &output);
    assert_int_equal(output.count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(output.list[i].start, starts[i]);
        assert_int_equal(output.list[i].end, starts[i] + 1);
    }
}

static void
test_more_marks_than_can_wait(void **state)
{
    static uint32_t input[CAPACITY - 1];
    static struct output output;

    (void) state;
    for (size_t i = 0; i < CAPACITY - 1; i++)
        input[i] = i % 2 == 0 ? 0x1D16D : 0x1D165;
    normalize(ALL, input, CAPACITY - 1, &output);
    assert_int_equal(output.count, CAPACITY - 1);
}

/* P5 and the 18-fold bound: twice is once, and nothing grows much. */
static void
test_p05_twice_is_once(void **state)
{
    static struct output once;
    static struct output twice;

    (void) state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        uint32_t again[8];

        normalize(ALL & ~(uint32_t) INS_TOKENIZER_CHINESE, &c, 1, &once);
        assert_true(once.count <= 4);
        for (size_t i = 0; i < once.count; i++)
            again[i] = once.list[i].code_point;
        normalize(ALL & ~(uint32_t) INS_TOKENIZER_CHINESE, again, once.count,
                  &twice);
        if (twice.count != once.count)
            fail_msg("U+%04X", c);
        for (size_t i = 0; i < once.count; i++)
            if (twice.list[i].code_point != again[i])
                fail_msg("U+%04X", c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_surviving_marks_are_put_in_order),
        cmocka_unit_test(test_a_stripped_starter_bounds_the_order),
        cmocka_unit_test(test_characters_keep_their_bytes),
        cmocka_unit_test(test_more_marks_than_can_wait),
        cmocka_unit_test(test_p05_twice_is_once),
    };

    return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
