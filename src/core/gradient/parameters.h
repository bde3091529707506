/*
 * parameters.h - all weights of a model as floats that can be changed.
 *
 * The tensors are those that the recipe demands, in the pack's order, each
 * [rows][columns], one after the other in one block: an optimiser may walk over
 * values as one long vector.  A gradient is an ins_parameters of its own.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PARAMETERS_H
#define INS_PARAMETERS_H

#include "base/memory.h"
#include "pack/pack_reader.h"

typedef struct ins_parameter {
    uint32_t role;
    uint32_t layer;
    uint32_t rows;
    uint32_t columns;
    float *values; /* [rows][columns], inside the block */
} ins_parameter;

typedef struct ins_parameters {
    ins_pack_recipe recipe;
    ins_parameter *tensors; /* [tensor_count] */
    uint32_t tensor_count;
    float *values;  /* the block */
    uint64_t count; /* floats in it */
    ins_host host;
} ins_parameters;

/* Zeros.  recipe: sound.  Errors: NO_MEMORY. */
ins_status ins_parameters_open(ins_parameters **parameters,
                               const ins_pack_recipe *recipe,
                               const ins_host *host, ins_error *error);
void ins_parameters_close(ins_parameters *parameters); /* accepts NULL */
/* The tensor, or NULL when the recipe has none. */
const ins_parameter *ins_parameters_find(const ins_parameters *parameters,
                                         uint32_t role, uint32_t layer);
/*
 * Takes every tensor that view has in the same shape, whatever its number type
 * (int8 and bf16 become the floats they stand for); others keep their values.
 * Polls.  Errors: CANCELLED.
 */
ins_status ins_parameters_read(ins_parameters *parameters,
                               const ins_pack_view *view, ins_error *error);
/* Puts all tensors into a pack that ins_pack_write made for the same recipe,
 * in the number type of its recipe.  Polls.  Errors: CANCELLED; INTERNAL when a
 * weight is not finite or the pack has no place for a tensor. */
ins_status ins_parameters_write(const ins_parameters *parameters,
                                const ins_pack_view *view, uint8_t *pack,
                                ins_error *error);

#endif
