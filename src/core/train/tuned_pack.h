/*
 * tuned_pack.h - trained weights to a pack, with the tokenizer of the base.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TUNED_PACK_H
#define INS_TUNED_PACK_H

#include "gradient/parameters.h"
#include "insitu_import.h"

/* The number type of the weights, enum ins_weight_type; DEFAULT: as base's. */
uint32_t ins_tuned_weights(const ins_pack_recipe *base,
                           ins_weights_choice choice);

/* All borrowed. */
typedef struct ins_tuned_model {
    const ins_parameters *parameters;
    /* What the head reads of words, [word_rows][labels], where the parameters
     * have none; or NULL. */
    const float *words;
    uint32_t word_rows;
    const ins_pack_view *base;      /* its tokenizer */
    const ins_string_table *labels; /* as many as the recipe says */
} ins_tuned_model;

/*
 * *pack: allocated from the parameters' host, owned by the caller; of their
 * recipe, and what everybody checks of a pack holds for it.
 * Errors: LIMIT_EXCEEDED when the pack would be larger than max_bytes,
 * CANCELLED, NO_MEMORY, INTERNAL when a weight is not finite.
 */
ins_status ins_tuned_pack(const ins_tuned_model *tuned, uint64_t max_bytes,
                          void **pack, size_t *pack_bytes, ins_error *error);

#endif
