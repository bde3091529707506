/*
 * chunk.h - tokenised texts that wait for the encoder, and how they are cut
 * into batches.
 *
 * A chunk takes texts until its tokens are used up, so that its memory depends
 * on the size of a batch and not on how many texts a caller has.  Batches are
 * cut from the texts in the order of their length: texts of one length come
 * together, batches of one chunk have about the same number of tokens, and
 * where the cuts are does not depend on the order of the input.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CHUNK_H
#define INS_CHUNK_H

#include "base/memory.h"
#include "encoder/encoder.h"

/* Batches that the tokens of a chunk fill. */
#define INS_CHUNK_BATCHES 8

/* Every sequence has at least [CLS] and [SEP]. */
#define INS_MIN_SEQUENCE_TOKENS 2

/* A text in a chunk. */
typedef struct ins_waiting_text {
    size_t number;  /* of the text in its run */
    uint32_t start; /* of its tokens in ids */
    uint32_t tokens;
} ins_waiting_text;

typedef struct ins_chunk {
    uint32_t batch_tokens;
    uint32_t max_tokens; /* of one text, <= batch_tokens */
    uint32_t token_capacity;
    uint32_t text_capacity;
    uint32_t token_count;
    uint32_t text_count;
    int32_t *ids;            /* [token_capacity], text after text */
    ins_waiting_text *texts; /* [text_capacity], as they were added */
    uint32_t *order;         /* [text_capacity]: indexes of texts, by length */
    uint32_t *places;        /* [max_tokens + 1]: scratch of sorting */
    uint32_t next;           /* in order: the first text not yet in a batch */
    uint32_t goal;           /* tokens of a batch after which it is cut */
    ins_batch batch;         /* points to the two below */
    int32_t *batch_ids;      /* [batch_tokens] */
    uint32_t *batch_starts;  /* [batch_tokens / 2 + 1] */
} ins_chunk;

/* Reserves the arrays in an arena that is not open yet, and after it was
 * opened takes them from it. */
void ins_chunk_reserve(ins_chunk *chunk, ins_arena *arena,
                       uint32_t batch_tokens, uint32_t max_tokens);
void ins_chunk_take(ins_chunk *chunk, ins_arena *arena);

void ins_chunk_clear(ins_chunk *chunk);
bool ins_chunk_has_room(const ins_chunk *chunk, uint32_t tokens);
/* Adds a text, for which there is room: 2 <= count <= max_tokens.  Returns its
 * index in texts. */
uint32_t ins_chunk_add(ins_chunk *chunk, size_t number, const ins_token *tokens,
                       uint32_t count);

/* Sorts the texts, stably, and begins with the batches. */
void ins_chunk_sort(ins_chunk *chunk);
/*
 * Fills chunk->batch; sequence i of it is
 * chunk->texts[chunk->order[*first + i]].  False when no text is left.
 */
bool ins_chunk_next_batch(ins_chunk *chunk, uint32_t *first);

#endif
