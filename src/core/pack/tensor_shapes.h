/*
 * tensor_shapes.h - which tensors a recipe asks for, and their shapes: the one
 * place that the reader and the importer share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TENSOR_SHAPES_H
#define INS_TENSOR_SHAPES_H

#include <stdbool.h>

#include "pack/pack_format.h"

typedef struct ins_tensor_shape {
    const char *name; /* of the role, for messages */
    uint32_t rows;
    uint32_t columns;
} ins_tensor_shape;

/* False when the recipe has no such tensor. */
bool ins_tensor_shape_of(const ins_pack_recipe *recipe, uint32_t role,
                         uint32_t layer, ins_tensor_shape *shape);

#endif
