/*
 * session.h - what the public handle ins_session points to; for api_*.c only.
 *
 * A session owns every byte of scratch memory that a run needs, so that a run
 * allocates nothing.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SESSION_H
#define INS_SESSION_H

#include "batching/chunk.h"
#include "batching/repeats.h"
#include "memo/memo.h"
#include "model.h"
#include "tokenizer/tokenizer.h"

/* A text with the bytes of an earlier one in the chunk. */
typedef struct ins_repeated_text {
    size_t number;
    size_t first; /* whose row it gets */
} ins_repeated_text;

struct ins_session {
    ins_host host;
    const ins_model *model;
    const struct ins_kernels *kernels;
    uint32_t batch_tokens;
    uint32_t max_tokens;
    bool error_on_long_input;
    ins_memo *memo;       /* borrowed, or NULL */
    ins_memo_scope scope; /* of the keys in the memo */
    ins_tokenizer *tokenizer;
    ins_encoder *encoder;
    ins_usage usage;
    ins_arena arena;   /* holds everything below */
    ins_token *tokens; /* [max_tokens]: of the text at hand */
    float *scratch;    /* [2][hidden] */
    uint32_t *order;   /* [max_tokens] with a lexical part: scratch */
    uint32_t *words;   /* of max_tokens where the head reads them */
    ins_repeats seen;
    ins_chunk chunk;
    ins_repeated_text *repeated; /* [chunk.text_capacity] */
    uint32_t repeated_count;
    /* With a memo, [chunk.text_capacity]: the keys of the chunk's texts, and
     * which of them are for the memo. */
    uint8_t (*keys)[INS_MEMO_KEY_BYTES];
    bool *has_key;
};

#endif
