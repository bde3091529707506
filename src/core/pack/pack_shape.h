/*
 * pack_shape.h - which tensors a recipe demands, in which order and shape.
 *
 * Shared by the writer's side (the importer plans by it) and the reader (which
 * accepts exactly this).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_SHAPE_H
#define INS_PACK_SHAPE_H

#include "base/status.h"
#include "pack/pack_format.h"

/*
 * Walks the tensors of a recipe in the pack's order, by layer and role.
 * Start with {0, 0}; each step moves to the next and returns false after the
 * last one.
 */
typedef struct ins_pack_step {
    uint32_t layer;
    uint32_t role;
} ins_pack_step;

bool ins_pack_next_step(const ins_pack_recipe *recipe, ins_pack_step *step);
uint32_t ins_pack_step_count(const ins_pack_recipe *recipe);

/* Has the pack an encoder and a tokenizer? */
static inline bool
ins_pack_is_tabular(const ins_pack_recipe *recipe)
{
    return (recipe->flags & INS_RECIPE_TABULAR) != 0;
}

/* Values of an embedding. */
static inline uint32_t
ins_pack_embedding_size(const ins_pack_recipe *recipe)
{
    return recipe->hidden + recipe->lexical;
}

/* Is it part of the head, which is trained anew? */
static inline bool
ins_pack_is_head(uint32_t role)
{
    return (role >= INS_ROLE_HEAD_DENSE && role <= INS_ROLE_HEAD_OUT_BIAS) ||
           role == INS_ROLE_HEAD_WORDS;
}

#define INS_LEAST_WORD_ROWS 64u
#define INS_MOST_WORD_ROWS  65536u
/* Rows of the tensor HEAD_WORDS for so many different words, of a model with so
 * many labels: a power of two that leaves every other row free, where the table
 * has not more than 16 MB by then. */
uint32_t ins_pack_word_rows(uint32_t labels, uint64_t words);
/* May a recipe with so many labels have so many rows? */
bool ins_pack_word_rows_are_sound(uint32_t labels, uint32_t rows);

/* Weights that products or look-ups read; biases and norms are none. */
bool ins_pack_is_matrix(uint32_t role);

/* Shape of a role's tensor; the recipe's values are within the limits. */
void ins_pack_role_shape(const ins_pack_recipe *recipe, uint32_t role,
                         uint32_t *rows, uint32_t *columns);

/* How a role's tensor lies in the pack: enum ins_tensor_type. */
uint32_t ins_pack_role_type(const ins_pack_recipe *recipe, uint32_t role);
/* Bytes of such a tensor; factors within the format's limits cannot
 * overflow. */
uint64_t ins_pack_tensor_bytes(uint32_t type, uint32_t rows, uint32_t columns);
/* Where the factors of an INT8 tensor begin, from its start. */
uint64_t ins_pack_factors_offset(uint32_t type, uint32_t rows,
                                 uint32_t columns);

/*
 * Is every value of the recipe within the limits and consistent?  problem:
 * for messages, a static string such as "heads".
 */
bool ins_pack_recipe_is_sound(const ins_pack_recipe *recipe,
                              const char **problem);

#endif
