/*
 * trained_pack.h - a base model with a new head, as a pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TRAINED_PACK_H
#define INS_TRAINED_PACK_H

#include "pack/pack_reader.h"
#include "train/head.h"

typedef struct ins_trained_pack {
    const ins_pack_view *base;
    const ins_string_table *labels;
    uint32_t flags;      /* of the head; those of the embedding are base's */
    uint32_t max_tokens; /* 0 = the base's */
} ins_trained_pack;

/*
 * *pack: allocated from host, owned by the caller: every tensor of the base
 * that is not of its head, byte for byte, and the head, over [hidden] columns,
 * with as many units as that or none.
 * Errors: NO_MEMORY, LIMIT_EXCEEDED, CANCELLED, INTERNAL when a weight is not
 * finite.
 */
ins_status ins_trained_pack_write(const ins_trained_pack *trained,
                                  const ins_head *head, const ins_host *host,
                                  void **pack, size_t *pack_bytes,
                                  ins_error *error);

#endif
