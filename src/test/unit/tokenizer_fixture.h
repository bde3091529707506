/*
 * tokenizer_fixture.h - a tokenizer over a small vocabulary, for the tests of
 * texts, added tokens and properties.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOKENIZER_FIXTURE_H
#define TOKENIZER_FIXTURE_H

#include "tokenizer/tokenizer.h"
#include "unit/tiny_model.h"

#define MEGABYTE       1000000
#define MAX_TOKENS     4096
#define MAX_TEXT       2048
#define MAX_ADDED      4096
#define FIXTURE_PIECES 57

enum { PAD, UNK, CLS, SEP, MASK };

extern const char *const fixture_pieces[FIXTURE_PIECES];

struct fixture {
    tiny_host host;
    ins_error error;
    ins_pack_view view;
    ins_pack_tokenizer settings;
    uint32_t ends[FIXTURE_PIECES];
    char bytes[FIXTURE_PIECES * 16];
    ins_pack_added_token added[MAX_ADDED];
    char added_bytes[MAX_ADDED * 8];
    uint32_t added_size;
    uint32_t *slots;
    ins_tokenizer *tokenizer;
    ins_token tokens[MAX_TOKENS];
    size_t count;
    bool truncated;
};

/* The only one; big. */
extern struct fixture fixture;

/* Without added tokens; then add_token as wished, then start_fixture. */
void prepare_fixture(struct fixture *f);
/* flags: enum ins_added_token_flags */
void add_token(struct fixture *f, const char *text, uint32_t id,
               uint32_t flags);
void start_fixture(struct fixture *f);
/* All of it, with [PAD], [UNK], [CLS], [SEP] and [MASK] added. */
struct fixture *open_fixture(void);
void close_fixture(struct fixture *f);

void run_limited(struct fixture *f, const char *text, size_t size,
                 size_t limit);
/* Without a limit. */
void run_text(struct fixture *f, const char *text, size_t size);

/* expected: spellings between the special ones, with spaces between. */
void assert_tokens(struct fixture *f, const char *text, size_t size,
                   const char *expected);
#define ASSERT_TOKENS(f, text, expected) \
    assert_tokens(f, text, sizeof(text) - 1, expected)

/* Seconds of a run. */
double time_run(struct fixture *f, const char *text, size_t size);

/* Random numbers, from the variable SEED or always the same. */
void start_random(void);
size_t draw(size_t below);

#endif
