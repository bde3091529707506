/*
 * chunk.c - collects tokenised texts and cuts them into batches.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "batching/chunk.h"

#include <string.h>

/* What a batch of so many tokens has at most. */
static uint32_t
max_sequences(uint32_t tokens)
{
    return tokens / INS_MIN_SEQUENCE_TOKENS;
}

void
ins_chunk_reserve(ins_chunk *chunk, ins_arena *arena, uint32_t batch_tokens,
                  uint32_t max_tokens)
{
    chunk->batch_tokens = batch_tokens;
    chunk->max_tokens = max_tokens;
    chunk->token_capacity = batch_tokens * INS_CHUNK_BATCHES;
    chunk->text_capacity = max_sequences(chunk->token_capacity);
    ins_arena_reserve(arena, chunk->token_capacity, sizeof(int32_t));
    ins_arena_reserve(arena, chunk->text_capacity, sizeof(ins_waiting_text));
    ins_arena_reserve(arena, chunk->text_capacity, sizeof(uint32_t));
    ins_arena_reserve(arena, (uint64_t) max_tokens + 1, sizeof(uint32_t));
    ins_arena_reserve(arena, batch_tokens, sizeof(int32_t));
    ins_arena_reserve(arena, (uint64_t) max_sequences(batch_tokens) + 1,
                      sizeof(uint32_t));
}

void
ins_chunk_take(ins_chunk *chunk, ins_arena *arena)
{
    chunk->ids = ins_arena_take(arena, chunk->token_capacity, sizeof(int32_t));
    chunk->texts =
        ins_arena_take(arena, chunk->text_capacity, sizeof(ins_waiting_text));
    chunk->order =
        ins_arena_take(arena, chunk->text_capacity, sizeof(uint32_t));
    chunk->places = ins_arena_take(arena, (uint64_t) chunk->max_tokens + 1,
                                   sizeof(uint32_t));
    chunk->batch_ids =
        ins_arena_take(arena, chunk->batch_tokens, sizeof(int32_t));
    chunk->batch_starts =
        ins_arena_take(arena, (uint64_t) max_sequences(chunk->batch_tokens) + 1,
                       sizeof(uint32_t));
    chunk->batch.ids = chunk->batch_ids;
    chunk->batch.starts = chunk->batch_starts;
    ins_chunk_clear(chunk);
}

void
ins_chunk_clear(ins_chunk *chunk)
{
    chunk->token_count = 0;
    chunk->text_count = 0;
    chunk->next = 0;
}

bool
ins_chunk_has_room(const ins_chunk *chunk, uint32_t tokens)
{
    return chunk->text_count < chunk->text_capacity &&
           tokens <= chunk->token_capacity - chunk->token_count;
}

uint32_t
ins_chunk_add(ins_chunk *chunk, size_t number, const ins_token *tokens,
              uint32_t count)
{
    int32_t *ids = chunk->ids + chunk->token_count;

    chunk->texts[chunk->text_count] =
        (ins_waiting_text){number, chunk->token_count, count};
    for (uint32_t i = 0; i < count; i++)
        ids[i] = tokens[i].id;
    chunk->token_count += count;
    return chunk->text_count++;
}

/* Batches as few as can be, all of about the same size: a full batch followed
 * by a small one takes longer than two halves. */
static uint32_t
even_share(const ins_chunk *chunk)
{
    uint32_t batches =
        (chunk->token_count + chunk->batch_tokens - 1) / chunk->batch_tokens;

    return batches > 0 ? (chunk->token_count + batches - 1) / batches : 0;
}

/* Counting sort: a text has 2 to max_tokens tokens. */
void
ins_chunk_sort(ins_chunk *chunk)
{
    uint32_t *places = chunk->places;
    uint32_t sum = 0;

    memset(places, 0, ((size_t) chunk->max_tokens + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < chunk->text_count; i++)
        places[chunk->texts[i].tokens]++;
    for (uint32_t length = 0; length <= chunk->max_tokens; length++) {
        uint32_t count = places[length];

        places[length] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < chunk->text_count; i++)
        chunk->order[places[chunk->texts[i].tokens]++] = i;
    chunk->next = 0;
    chunk->goal = even_share(chunk);
}

static void
append_to_batch(ins_chunk *chunk, const ins_waiting_text *text)
{
    ins_batch *batch = &chunk->batch;

    memcpy(chunk->batch_ids + batch->token_count, chunk->ids + text->start,
           text->tokens * sizeof(int32_t));
    batch->token_count += text->tokens;
    batch->sequence_count++;
    chunk->batch_starts[batch->sequence_count] = batch->token_count;
}

bool
ins_chunk_next_batch(ins_chunk *chunk, uint32_t *first)
{
    ins_batch *batch = &chunk->batch;

    *first = chunk->next;
    batch->sequence_count = 0;
    batch->token_count = 0;
    chunk->batch_starts[0] = 0;
    while (chunk->next < chunk->text_count &&
           batch->token_count < chunk->goal) {
        const ins_waiting_text *text = &chunk->texts[chunk->order[chunk->next]];

        if (text->tokens > chunk->batch_tokens - batch->token_count)
            break;
        append_to_batch(chunk, text);
        chunk->next++;
    }
    return batch->sequence_count > 0;
}
