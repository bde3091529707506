/*
 * piece_index.c - the open-addressed table from spellings to piece ids.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/piece_index.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

#define SEEDS_PER_SIZE   4
#define MAX_DOUBLINGS    4
#define PIECES_PER_POLL  65536
#define GOLDEN_INCREMENT 0x9E3779B9u

/* The table under construction. */
struct table {
    uint32_t *slots; /* [count] */
    uint32_t count;  /* power of two */
    uint32_t seed;
};

static bool
equals(ins_text a, ins_text b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Puts one piece in; false when its run of full slots is too long. */
static bool
insert_piece(struct table *table, const ins_string_table *pieces, uint32_t id)
{
    ins_text piece = ins_string_at(pieces, id);
    uint32_t mask = table->count - 1;
    uint32_t state =
        ins_hash_add(ins_hash_start(table->seed), piece.data, piece.size);
    uint32_t slot = ins_hash_finish(state) & mask;

    for (uint32_t probe = 0; probe < INS_MAX_INDEX_PROBES; probe++) {
        uint32_t *entry = &table->slots[(slot + probe) & mask];

        if (*entry == 0 || equals(ins_string_at(pieces, *entry - 1), piece)) {
            *entry = id + 1;
            return true;
        }
    }
    return false;
}

/* *fits: whether every piece found a place. */
static ins_status
fill_table(struct table *table, const ins_string_table *pieces,
           const ins_host *host, bool *fits, ins_error *error)
{
    memset(table->slots, 0, (size_t) table->count * sizeof(uint32_t));
    *fits = true;
    for (uint32_t id = 0; id < pieces->count && *fits; id++) {
        if (id % PIECES_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        *fits = insert_piece(table, pieces, id);
    }
    return INS_OK;
}

static ins_status
try_size(struct table *table, const ins_string_table *pieces,
         const ins_host *host, bool *fits, ins_error *error)
{
    void *memory;
    ins_status status = INS_OK;

    INS_TRY(ins_alloc(host, table->count, sizeof(uint32_t), &memory, error));
    table->slots = memory;
    *fits = false;
    for (int i = 0; i < SEEDS_PER_SIZE && status == INS_OK && !*fits; i++) {
        table->seed += GOLDEN_INCREMENT;
        status = fill_table(table, pieces, host, fits, error);
    }
    if (status != INS_OK || !*fits) {
        ins_release(host, memory);
        table->slots = NULL;
    }
    return status;
}

ins_status
ins_piece_index_build(const ins_string_table *pieces, const ins_host *host,
                      uint32_t **slots, uint32_t *slot_count, uint32_t *seed,
                      ins_error *error)
{
    struct table table = {NULL, 16, 0};

    *slots = NULL;
    INS_CHECK(pieces->count <= INS_MAX_VOCABULARY, error, INS_LIMIT_EXCEEDED,
              "vocabulary has %u pieces; the limit is %u", pieces->count,
              INS_MAX_VOCABULARY);
    while (table.count < 2 * pieces->count)
        table.count *= 2;
    for (int i = 0; i <= MAX_DOUBLINGS; i++) {
        bool fits;

        INS_TRY(try_size(&table, pieces, host, &fits, error));
        if (fits) {
            *slots = table.slots;
            *slot_count = table.count;
            *seed = table.seed;
            return INS_OK;
        }
        table.count *= 2;
    }
    return ins_fail(error, INS_LIMIT_EXCEEDED,
                    "vocabulary cannot be indexed: too many pieces collide");
}

/* Does the piece read prefix + text? */
static bool
is_spelled(ins_text piece, ins_text prefix, ins_text text)
{
    return piece.size == prefix.size + text.size &&
           memcmp(piece.data, prefix.data, prefix.size) == 0 &&
           memcmp(piece.data + prefix.size, text.data, text.size) == 0;
}

int32_t
ins_piece_index_find(const ins_pack_view *view, ins_text prefix, ins_text text)
{
    uint32_t mask = view->tokenizer->index_slots - 1;
    uint32_t state = ins_hash_start(view->tokenizer->index_seed);
    uint32_t slot;

    state = ins_hash_add(state, prefix.data, prefix.size);
    slot = ins_hash_finish(ins_hash_add(state, text.data, text.size)) & mask;
    if (view->tokenizer->index_slots == 0)
        return -1;
    for (uint32_t probe = 0; probe < INS_MAX_INDEX_PROBES; probe++) {
        uint32_t entry = view->piece_index[(slot + probe) & mask];

        if (entry == 0)
            return -1;
        if (is_spelled(ins_string_at(&view->pieces, entry - 1), prefix, text))
            return (int32_t) (entry - 1);
    }
    return -1;
}
