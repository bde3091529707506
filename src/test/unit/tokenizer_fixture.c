/*
 * tokenizer_fixture.c - a tokenizer over a small vocabulary.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tokenizer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pack/piece_index.h"

#define FLAGS                                      \
    (INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE | \
     INS_TOKENIZER_STRIP_ACCENTS | INS_TOKENIZER_LOWERCASE)

const char *const fixture_pieces[FIXTURE_PIECES] = {
    "[PAD]",      "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "wor",  "##ld",
    "##ing",      "##s",   "a",     "b",     "c",      "i",     "n",    "g",
    "x",          "##a",   "##b",   "##c",   "##x",    "0",     "##0",  "!",
    "#",          "<",     ">",     "[",     "]",      "/",     "^",    "_",
    "e",          "##e",   "中",    "か",    "ᄀ",     "##ᅡ",  "##ᆨ", "क",
    "##ा",        "##ष",   "ก",     "##า",   "▁",      "##▁",   "ġ",    "g",
    "##g",        "s",     "ß",     "##ß",   "°",      "σ",     "##σ",  "##°",
    "helloworldx"};

struct fixture fixture;

void
add_token(struct fixture *f, const char *text, uint32_t id, uint32_t flags)
{
    uint32_t size = (uint32_t) strlen(text);

    memcpy(f->added_bytes + f->added_size, text, size);
    f->added[f->settings.added_tokens++] =
        (ins_pack_added_token){id, flags, f->added_size, size};
    f->added_size += size;
}

void
prepare_fixture(struct fixture *f)
{
    uint32_t size = 0;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    for (size_t i = 0; i < FIXTURE_PIECES; i++) {
        memcpy(f->bytes + size, fixture_pieces[i], strlen(fixture_pieces[i]));
        size += (uint32_t) strlen(fixture_pieces[i]);
        f->ends[i] = size;
    }
    f->settings = (ins_pack_tokenizer){.flags = FLAGS,
                                       .pieces = FIXTURE_PIECES,
                                       .cls_id = CLS,
                                       .sep_id = SEP,
                                       .unk_id = UNK,
                                       .max_word_chars = 100,
                                       .prefix_bytes = 2,
                                       .prefix = "##"};
    f->view.pieces = (ins_string_table){f->ends, f->bytes, FIXTURE_PIECES};
    assert_int_equal(ins_piece_index_build(&f->view.pieces, &f->host.host,
                                           &f->slots, &f->settings.index_slots,
                                           &f->settings.index_seed, &f->error),
                     INS_OK);
    f->view.piece_index = f->slots;
    f->view.tokenizer = &f->settings;
    f->view.added_tokens = f->added;
    f->view.added_bytes = f->added_bytes;
}

void
start_fixture(struct fixture *f)
{
    assert_int_equal(
        ins_tokenizer_open(&f->tokenizer, &f->view, &f->host.host, &f->error),
        INS_OK);
}

struct fixture *
open_fixture(void)
{
    struct fixture *f = &fixture;

    prepare_fixture(f);
    for (uint32_t id = PAD; id <= MASK; id++)
        add_token(f, fixture_pieces[id], id, INS_ADDED_SPECIAL);
    start_fixture(f);
    return f;
}

void
close_fixture(struct fixture *f)
{
    ins_tokenizer_close(f->tokenizer);
    f->host.host.release(f->host.host.user, f->slots);
    assert_int_equal(f->host.live_blocks, 0);
}

void
run_limited(struct fixture *f, const char *text, size_t size, size_t limit)
{
    assert_int_equal(ins_tokenizer_run(f->tokenizer, (ins_text){"", 0},
                                       (ins_text){text, size}, limit, f->tokens,
                                       MAX_TOKENS, &f->count, &f->truncated,
                                       &f->error),
                     INS_OK);
}

void
run_text(struct fixture *f, const char *text, size_t size)
{
    run_limited(f, text, size, 0);
    assert_int_equal(f->tokens[0].id, CLS);
    if (f->count <= MAX_TOKENS)
        assert_int_equal(f->tokens[f->count - 1].id, SEP);
    assert_false(f->truncated);
}

void
assert_tokens(struct fixture *f, const char *text, size_t size,
              const char *expected)
{
    char found[MAX_TEXT] = "";

    run_text(f, text, size);
    for (size_t i = 1; i + 1 < f->count; i++) {
        if (i > 1)
            strcat(found, " ");
        strcat(found, fixture_pieces[f->tokens[i].id]);
    }
    assert_string_equal(found, expected);
}

double
time_run(struct fixture *f, const char *text, size_t size)
{
    clock_t before = clock();

    run_text(f, text, size);
    return (double) (clock() - before) / CLOCKS_PER_SEC;
}

static uint64_t random_state;

size_t
draw(size_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t) (random_state >> 33) % below;
}

void
start_random(void)
{
    const char *seed = getenv("SEED");

    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20250301;
    print_message("SEED=%llu\n", (unsigned long long) random_state);
}
