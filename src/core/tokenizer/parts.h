/*
 * parts.h - the parts of a tokenizer; private to this folder.
 *
 *   text -> added tokens -> normaliser -> added tokens -> words -> WordPiece
 *
 * Added tokens are matched where their flag "normalized" says: in the text as
 * it is, or in what the normaliser makes of it.
 *
 * Each arrow hands over one character or one token at a time, so that memory
 * is fixed and reading can stop when enough tokens are known.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TOKENIZER_PARTS_H
#define INS_TOKENIZER_PARTS_H

#include "tokenizer/tokenizer.h"
#include "unicode/normalize.h"

#define INS_WORD_BYTES (INS_MAX_WORD_CHARS * 4)

/* Where tokens go. */
typedef struct ins_token_output {
    ins_token *tokens; /* [capacity] */
    size_t capacity;
    size_t limit; /* 0 = none; counts [CLS] and [SEP] */
    size_t count; /* tokens found so far, [CLS] included */
    bool full;    /* the limit is exceeded: stop reading */
} ins_token_output;

/* The word being collected. */
typedef struct ins_word {
    uint32_t count; /* characters; beyond max_word_chars only counted */
    uint32_t first; /* start of its first character in the text */
    uint32_t last;  /* end of its last character */
    uint32_t byte_count;
    char bytes[INS_WORD_BYTES];
    uint32_t offsets[INS_MAX_WORD_CHARS + 1]; /* of characters in bytes */
    uint32_t starts[INS_MAX_WORD_CHARS];      /* of characters in the text */
    uint32_t ends[INS_MAX_WORD_CHARS];
    ins_token pieces[INS_MAX_WORD_CHARS]; /* scratch of one word */
} ins_word;

/* An added token as it is matched. */
typedef struct ins_phrase {
    uint32_t added; /* its place among the added tokens of the pack */
    uint32_t start; /* of its symbols */
    uint32_t count; /* of symbols, >= 1 */
} ins_phrase;

/*
 * Phrases in the order of their symbols: those with the same beginning lie side
 * by side, the shortest first.  Symbols are the bytes of raw text or the code
 * points of normalised text; one of the two pointers is set.
 */
typedef struct ins_phrases {
    ins_phrase *rows; /* [count], owned */
    uint32_t count;
    const char *bytes;     /* borrowed from the pack */
    uint32_t *code_points; /* owned */
} ins_phrases;

/* Those that begin with depth symbols of a text. */
typedef struct ins_phrase_range {
    uint32_t from;
    uint32_t to;
    uint32_t depth;
} ins_phrase_range;

/*
 * Normalised characters that may still become an added token; without such
 * tokens they pass straight through.
 */
typedef struct ins_window {
    ins_phrases phrases;
    size_t bytes;  /* of their memory */
    uint32_t head; /* waiting characters are [head, tail) */
    uint32_t tail;
    ins_phrase_range range;    /* that begin as the waiting characters do */
    const ins_phrase *longest; /* of those, complete; or NULL */
    uint32_t previous;         /* the last character let go, ' ' at the start */
    uint32_t space_start;      /* where the spaces before head begin */
    bool skip_spaces;          /* behind a token with rstrip */
    ins_character waiting[2 * INS_MAX_PIECE_BYTES];
} ins_window;

struct ins_tokenizer {
    ins_host host;
    const ins_pack_view *view;
    ins_phrases raw;        /* added tokens matched in raw text */
    bool raw_starts[256];   /* their first bytes */
    uint32_t longest_piece; /* bytes of the longest piece */
    /* Bytes compared or hashed since the last poll: hostile models can make
     * single characters dear. */
    uint64_t work;
    ins_error *error;  /* of the run at hand */
    ins_status status; /* why it has to stop, otherwise INS_OK */
    ins_window window;
    ins_normalizer normalizer;
    ins_word word;
    ins_token_output output;
    char *joined; /* [joined_capacity]: prompt and text; owned, or NULL */
    size_t joined_capacity;
};

/* About what narrowing costs, in units of work. */
#define INS_NARROWING_WORK 16

/* CANCELLED is its only error. */
ins_status ins_phrases_sort(ins_phrases *phrases, const ins_host *host,
                            ins_error *error);
ins_phrase_range ins_phrases_all(const ins_phrases *phrases);
/* Keeps those that go on with symbol.  The first phrase that is complete with
 * it, or NULL. */
const ins_phrase *ins_phrases_narrow(const ins_phrases *phrases,
                                     ins_phrase_range *range, uint32_t symbol);
/* Could a phrase of the range go on? */
bool ins_phrases_may_grow(const ins_phrases *phrases,
                          const ins_phrase_range *range);

/* Polls when enough work was done since the last time.  False: the run has to
 * stop. */
bool ins_tokenizer_poll(ins_tokenizer *tokenizer);

/* Stores one token, or notes that the limit is exceeded. */
void ins_token_output_add(ins_token_output *output, int32_t id, uint32_t start,
                          uint32_t end);
/* Takes normalised characters: splits at spaces and punctuation. */
void ins_word_add(ins_tokenizer *tokenizer, ins_character character);
/* Ends the word at hand and turns it into tokens. */
void ins_word_end(ins_tokenizer *tokenizer);

/* Prepares the phrases of the added tokens with the flag "normalized". */
ins_status ins_window_open(ins_tokenizer *tokenizer, ins_error *error);
void ins_window_close(ins_tokenizer *tokenizer);
size_t ins_window_bytes(const ins_tokenizer *tokenizer);
/* Forgets what waits, before a new text. */
void ins_window_start(ins_tokenizer *tokenizer);
/* Takes a character of the normaliser. */
void ins_window_add(ins_tokenizer *tokenizer, ins_character character);
/* Ends a stretch of text: nothing can follow what waits. */
void ins_window_end(ins_tokenizer *tokenizer);

#endif
