/*
 * test_tokenizer_code_points.c - every code point becomes what the reference
 * makes of it, under each option of its normaliser.
 *
 * fixtures/tokenizer_code_points/sums.txt holds a sum per 1024 code points
 * (make_tokenizer_classes.mjs made it); a difference is found by comparing what
 * the two programs add up.  Runs from the repository's root.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "pack/pack_format.h"
#include "unicode/classes.h"
#include "unicode/normalize.h"

#define SUMS  "src/test/parity/fixtures/tokenizer_code_points/sums.txt"
#define BLOCK 1024u
#define ALL                                        \
    (INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE | \
     INS_TOKENIZER_STRIP_ACCENTS | INS_TOKENIZER_LOWERCASE)

struct line {
    char text[512];
    size_t size;
};

static void
take(void *sink, ins_character character)
{
    struct line *line = sink;
    bool first = line->text[line->size - 1] == '|';

    line->size += (size_t) snprintf(line->text + line->size,
                                    sizeof(line->text) - line->size, "%s%x",
                                    first ? "" : " ", character.code_point);
}

static void
add_normalized(struct line *line, uint32_t flags, uint32_t code_point)
{
    static ins_normalizer normalizer;

    line->text[line->size++] = '|';
    normalizer.flags = flags;
    normalizer.sink = take;
    normalizer.sink_data = line;
    ins_normalizer_add(&normalizer, (ins_character){code_point, 0, 1});
    ins_normalizer_flush(&normalizer);
}

/* Parts of the text a, code point, b. */
static int
count_parts(uint32_t code_point)
{
    if (ins_is_whitespace(code_point))
        return 2;
    return ins_is_punctuation(code_point) ? 3 : 1;
}

static uint32_t
add_to_sum(uint32_t sum, uint32_t code_point)
{
    static const uint32_t flags[] = {INS_TOKENIZER_CLEAN, INS_TOKENIZER_CHINESE,
                                     INS_TOKENIZER_STRIP_ACCENTS,
                                     INS_TOKENIZER_LOWERCASE, ALL};
    struct line line;

    line.size =
        (size_t) snprintf(line.text, sizeof(line.text), "%x", code_point);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        add_normalized(&line, flags[i], code_point);
    line.size += (size_t) snprintf(line.text + line.size, 8, "|%d\n",
                                   count_parts(code_point));
    for (size_t i = 0; i < line.size; i++)
        sum = (sum ^ (uint8_t) line.text[i]) * 16777619u;
    return sum;
}

static uint32_t
sum_block(uint32_t start)
{
    uint32_t sum = 2166136261u;

    for (uint32_t c = start; c < start + BLOCK; c++)
        if (c < 0xD800 || c > 0xDFFF)
            sum = add_to_sum(sum, c);
    return sum;
}

static void
test_every_code_point(void **state)
{
    FILE *file = fopen(SUMS, "r");
    uint32_t blocks = 0;
    uint32_t different = 0;
    unsigned start, sum;

    (void) state;
    assert_non_null(file);
    while (fscanf(file, "%x %x", &start, &sum) == 2) {
        assert_int_equal(start, blocks * BLOCK);
        blocks++;
        if (sum_block(start) == sum)
            continue;
        different++;
        print_message("differs in U+%04X to U+%04X\n", start,
                      start + BLOCK - 1);
    }
    fclose(file);
    assert_int_equal(blocks, 0x110000 / BLOCK);
    assert_int_equal(different, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
    };

    return cmocka_run_group_tests_name("tokenizer_code_points", tests, NULL,
                                       NULL);
}
