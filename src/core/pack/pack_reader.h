/*
 * pack_reader.h - validates a pack and gives typed views into it.
 *
 * After ins_pack_read has returned INS_OK nothing in the view can point
 * outside the pack, every required tensor is there with the shape that the
 * recipe demands, every piece id in the index is in range, and the encoder and
 * the tokenizer need no further checks.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_READER_H
#define INS_PACK_READER_H

#include "base/status.h"
#include "pack/pack_format.h"

/* Strings lying one after the other; ends[i] is where string i ends. */
typedef struct ins_string_table {
    const uint32_t *ends;
    const char *bytes;
    uint32_t count;
} ins_string_table;

static inline ins_text
ins_string_at(const ins_string_table *table, uint32_t i)
{
    uint32_t start = i > 0 ? table->ends[i - 1] : 0;

    return (ins_text){table->bytes + start, table->ends[i] - start};
}

typedef struct ins_pack_view {
    const uint8_t *bytes; /* the pack */
    uint64_t size;
    const ins_pack_recipe *recipe;
    const ins_pack_tokenizer *tokenizer;
    ins_string_table pieces;
    const uint32_t *piece_index; /* [tokenizer->index_slots] */
    const ins_pack_added_token *added_tokens;
    const char *added_bytes;
    ins_string_table labels;
    const ins_pack_tensor *tensors;
    uint32_t tensor_count;
} ins_pack_view;

/* pack: borrowed.  Errors: CORRUPT_PACK, UNSUPPORTED; INVALID_ARGUMENT when
 * pack is not aligned to 8 bytes. */
ins_status ins_pack_read(ins_pack_view *view, const void *pack, size_t size,
                         ins_error *error);

/* The tensor, or NULL when the pack has none with this role and layer. */
const ins_pack_tensor *ins_pack_find_tensor(const ins_pack_view *view,
                                            uint32_t role, uint32_t layer);
/* Its values; the tensor is an F32 one. */
const float *ins_pack_f32(const ins_pack_view *view, uint32_t role,
                          uint32_t layer);

#endif
