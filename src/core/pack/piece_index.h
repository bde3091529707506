/*
 * piece_index.h - from a piece's spelling to its id: an open-addressed table
 * inside the pack, built by the importer, searched by the tokenizer.
 *
 * Slot of a piece: ins_hash of its bytes with the seed, masked by slots - 1,
 * then the next slots in turn.  A slot holds id + 1; 0 is empty.  The builder
 * tries seeds and doubles the table until no run of full slots is longer than
 * INS_MAX_INDEX_PROBES, so that a hostile vocabulary cannot make lookups slow.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PIECE_INDEX_H
#define INS_PIECE_INDEX_H

#include "pack/pack_reader.h"

/*
 * *slots: owned by the caller (ins_release), [*slot_count].  Where a spelling
 * occurs twice the higher id wins, as in Python's {token: index}.
 * Errors: NO_MEMORY, CANCELLED, LIMIT_EXCEEDED (no seed found).
 */
ins_status ins_piece_index_build(const ins_string_table *pieces,
                                 const ins_host *host, uint32_t **slots,
                                 uint32_t *slot_count, uint32_t *seed,
                                 ins_error *error);

/* Id of the piece spelled prefix + text, or -1. */
int32_t ins_piece_index_find(const ins_pack_view *view, ins_text prefix,
                             ins_text text);

#endif
