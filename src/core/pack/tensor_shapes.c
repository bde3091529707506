/*
 * tensor_shapes.c - the shape of every role, as pack_format.h lists them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/tensor_shapes.h"

static bool
set_shape(ins_tensor_shape *shape, const char *name, uint32_t rows,
          uint32_t columns)
{
    shape->name = name;
    shape->rows = rows;
    shape->columns = columns;
    return rows > 0;
}

static bool
layer_shape(const ins_pack_recipe *r, uint32_t role, ins_tensor_shape *shape)
{
    switch (role) {
    case INS_ROLE_QKV:
        return set_shape(shape, "qkv", 3 * r->hidden, r->hidden);
    case INS_ROLE_QKV_BIAS:
        return set_shape(shape, "qkv bias", 1, 3 * r->hidden);
    case INS_ROLE_ATTENTION_OUT:
        return set_shape(shape, "attention output", r->hidden, r->hidden);
    case INS_ROLE_ATTENTION_BIAS:
        return set_shape(shape, "attention output bias", 1, r->hidden);
    case INS_ROLE_ATTENTION_NORM:
        return set_shape(shape, "attention norm", 2, r->hidden);
    case INS_ROLE_FFN_UP:
        return set_shape(shape, "ffn up", r->intermediate, r->hidden);
    case INS_ROLE_FFN_UP_BIAS:
        return set_shape(shape, "ffn up bias", 1, r->intermediate);
    case INS_ROLE_FFN_DOWN:
        return set_shape(shape, "ffn down", r->hidden, r->intermediate);
    case INS_ROLE_FFN_DOWN_BIAS:
        return set_shape(shape, "ffn down bias", 1, r->hidden);
    case INS_ROLE_FFN_NORM:
        return set_shape(shape, "ffn norm", 2, r->hidden);
    default:
        return false;
    }
}

static bool
head_shape(const ins_pack_recipe *r, uint32_t role, ins_tensor_shape *shape)
{
    uint32_t dense = (r->flags & INS_RECIPE_HEAD_DENSE) != 0;

    switch (role) {
    case INS_ROLE_HEAD_DENSE:
        return set_shape(shape, "head dense", dense * r->hidden, r->hidden);
    case INS_ROLE_HEAD_DENSE_BIAS:
        return set_shape(shape, "head dense bias", dense, r->hidden);
    case INS_ROLE_HEAD_OUT:
        return set_shape(shape, "head output", r->labels, r->hidden);
    case INS_ROLE_HEAD_OUT_BIAS:
        return set_shape(shape, "head output bias", r->labels != 0, r->labels);
    default:
        return false;
    }
}

bool
ins_tensor_shape_of(const ins_pack_recipe *recipe, uint32_t role,
                    uint32_t layer, ins_tensor_shape *shape)
{
    if (layer >= recipe->layers)
        return false;
    if (layer_shape(recipe, role, shape))
        return true;
    if (layer > 0)
        return false;
    switch (role) {
    case INS_ROLE_WORDS:
        return set_shape(shape, "word embeddings", recipe->vocabulary,
                         recipe->hidden);
    case INS_ROLE_POSITIONS:
        return set_shape(shape, "position embeddings", recipe->positions,
                         recipe->hidden);
    case INS_ROLE_TYPES:
        return set_shape(shape, "type embeddings", recipe->token_types,
                         recipe->hidden);
    case INS_ROLE_INPUT_NORM:
        return set_shape(shape, "input norm", 2, recipe->hidden);
    default:
        return head_shape(recipe, role, shape);
    }
}
