/*
 * pack_writer.h - lays out a pack and fills everything but the weights.
 *
 * The weights are the bulk of a pack, so they are not gathered first: the
 * importer converts each tensor straight into its place.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_WRITER_H
#define INS_PACK_WRITER_H

#include "base/memory.h"
#include "pack/pack_reader.h"

/* What a pack holds, besides weights; all borrowed. */
typedef struct ins_pack_contents {
    ins_pack_recipe recipe;
    ins_pack_tokenizer tokenizer;
    ins_string_table pieces;
    const uint32_t *piece_index;              /* [tokenizer.index_slots] */
    const ins_pack_added_token *added_tokens; /* [tokenizer.added_tokens] */
    const char *added_bytes;
    uint64_t added_bytes_size;
    ins_string_table labels;
} ins_pack_contents;

/* What view holds, borrowed from it: to be changed and written again. */
ins_pack_contents ins_pack_contents_of(const ins_pack_view *view);
/*
 * *pack: allocated from host, owned by the caller; weights are zero.  Equal
 * contents give equal bytes on every machine.
 * Errors: LIMIT_EXCEEDED when the pack would be larger than max_bytes,
 * NO_MEMORY, INTERNAL.
 */
ins_status ins_pack_write(const ins_pack_contents *contents, uint64_t max_bytes,
                          const ins_host *host, void **pack, size_t *pack_bytes,
                          ins_error *error);

#endif
