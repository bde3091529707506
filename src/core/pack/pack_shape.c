/*
 * pack_shape.c - which tensors a recipe demands, in which order and shape.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/pack_shape.h"

#include <math.h>
#include <string.h>

/* Of HEAD_WORDS: 16 MB. */
#define MOST_WORD_VALUES (4u << 20)

static bool
is_layer_role(uint32_t role)
{
    return role >= INS_ROLE_QKV && role <= INS_ROLE_FFN_NORM;
}

static bool
is_present(const ins_pack_recipe *recipe, uint32_t layer, uint32_t role)
{
    if (layer > 0)
        return is_layer_role(role);
    if (ins_pack_is_tabular(recipe) && role < INS_ROLE_HEAD_DENSE)
        return false;
    switch (role) {
    case INS_ROLE_TYPES:
        return recipe->token_types > 0;
    case INS_ROLE_HEAD_DENSE:
    case INS_ROLE_HEAD_DENSE_BIAS:
        return (recipe->flags & INS_RECIPE_HEAD_DENSE) != 0;
    case INS_ROLE_HEAD_OUT:
    case INS_ROLE_HEAD_OUT_BIAS:
        return (recipe->flags & (INS_RECIPE_CLASSIFY | INS_RECIPE_TABULAR)) !=
               0;
    case INS_ROLE_FEATURES:
        return ins_pack_is_tabular(recipe);
    case INS_ROLE_LEXICAL:
        return recipe->lexical > 0;
    case INS_ROLE_HEAD_WORDS:
        return recipe->head_words > 0;
    default:
        return true;
    }
}

bool
ins_pack_next_step(const ins_pack_recipe *recipe, ins_pack_step *step)
{
    /* What belongs to no layer is there without any. */
    const uint32_t layers = recipe->layers > 0 ? recipe->layers : 1;

    for (;;) {
        step->role++;
        if (step->role > INS_ROLE_LAST) {
            step->role = INS_ROLE_WORDS;
            step->layer++;
        }
        if (step->layer >= layers)
            return false;
        if (is_present(recipe, step->layer, step->role))
            return true;
    }
}

uint32_t
ins_pack_step_count(const ins_pack_recipe *recipe)
{
    ins_pack_step step = {0, 0};
    uint32_t count = 0;

    while (ins_pack_next_step(recipe, &step))
        count++;
    return count;
}

bool
ins_pack_is_matrix(uint32_t role)
{
    switch (role) {
    case INS_ROLE_WORDS:
    case INS_ROLE_POSITIONS:
    case INS_ROLE_TYPES:
    case INS_ROLE_QKV:
    case INS_ROLE_ATTENTION_OUT:
    case INS_ROLE_FFN_UP:
    case INS_ROLE_FFN_DOWN:
    case INS_ROLE_HEAD_DENSE:
    case INS_ROLE_HEAD_OUT:
    case INS_ROLE_HEAD_WORDS:
        return true;
    default:
        return false;
    }
}

bool
ins_pack_word_rows_are_sound(uint32_t labels, uint32_t rows)
{
    return rows >= INS_LEAST_WORD_ROWS && rows <= INS_MOST_WORD_ROWS &&
           (rows & (rows - 1)) == 0 &&
           (rows == INS_LEAST_WORD_ROWS ||
            (uint64_t) rows * labels <= MOST_WORD_VALUES);
}

uint32_t
ins_pack_word_rows(uint32_t labels, uint64_t words)
{
    uint32_t rows = INS_LEAST_WORD_ROWS;

    while (rows / 2 < words && ins_pack_word_rows_are_sound(labels, 2 * rows))
        rows *= 2;
    return rows;
}

void
ins_pack_role_shape(const ins_pack_recipe *recipe, uint32_t role,
                    uint32_t *rows, uint32_t *columns)
{
    const uint32_t hidden = recipe->hidden;
    const uint32_t inner = recipe->intermediate;
    const uint32_t dense = ins_pack_is_tabular(recipe) ? inner : hidden;
    const uint32_t read = dense > 0 ? dense : hidden; /* by the labels */
    const struct {
        uint32_t rows;
        uint32_t columns;
    } shapes[INS_ROLE_LAST + 1] = {
        [INS_ROLE_WORDS] = {recipe->vocabulary, hidden},
        [INS_ROLE_POSITIONS] = {recipe->positions, hidden},
        [INS_ROLE_TYPES] = {recipe->token_types, hidden},
        [INS_ROLE_INPUT_NORM] = {2, hidden},
        [INS_ROLE_QKV] = {3 * hidden, hidden},
        [INS_ROLE_QKV_BIAS] = {1, 3 * hidden},
        [INS_ROLE_ATTENTION_OUT] = {hidden, hidden},
        [INS_ROLE_ATTENTION_BIAS] = {1, hidden},
        [INS_ROLE_ATTENTION_NORM] = {2, hidden},
        [INS_ROLE_FFN_UP] = {inner, hidden},
        [INS_ROLE_FFN_UP_BIAS] = {1, inner},
        [INS_ROLE_FFN_DOWN] = {hidden, inner},
        [INS_ROLE_FFN_DOWN_BIAS] = {1, hidden},
        [INS_ROLE_FFN_NORM] = {2, hidden},
        [INS_ROLE_HEAD_DENSE] = {dense, hidden},
        [INS_ROLE_HEAD_DENSE_BIAS] = {1, dense},
        [INS_ROLE_HEAD_OUT] = {recipe->labels, read},
        [INS_ROLE_HEAD_OUT_BIAS] = {1, recipe->labels},
        [INS_ROLE_FEATURES] = {3, hidden},
        [INS_ROLE_LEXICAL] = {1, recipe->vocabulary},
        [INS_ROLE_HEAD_WORDS] = {recipe->head_words, recipe->labels},
    };

    *rows = shapes[role].rows;
    *columns = shapes[role].columns;
}

static uint32_t
matrix_type(const ins_pack_recipe *recipe)
{
    switch (recipe->weights) {
    case INS_WEIGHTS_INT8:
        return INS_TENSOR_INT8_PANELS;
    case INS_WEIGHTS_BF16:
        return INS_TENSOR_BF16_PANELS;
    default:
        return INS_TENSOR_F32_PANELS;
    }
}

static uint32_t
words_type(const ins_pack_recipe *recipe)
{
    switch (recipe->weights) {
    case INS_WEIGHTS_INT8:
        return INS_TENSOR_INT8_ROWS;
    case INS_WEIGHTS_BF16:
        return INS_TENSOR_BF16_ROWS;
    default:
        return INS_TENSOR_F32_ROWS;
    }
}

/* The head stays in f32: it is small, and the last step before a label. */
uint32_t
ins_pack_role_type(const ins_pack_recipe *recipe, uint32_t role)
{
    switch (role) {
    case INS_ROLE_WORDS:
        return words_type(recipe);
    case INS_ROLE_QKV:
    case INS_ROLE_ATTENTION_OUT:
    case INS_ROLE_FFN_UP:
    case INS_ROLE_FFN_DOWN:
        return matrix_type(recipe);
    case INS_ROLE_HEAD_DENSE:
    case INS_ROLE_HEAD_OUT:
        return INS_TENSOR_F32_PANELS;
    default:
        return INS_TENSOR_F32_ROWS;
    }
}

uint64_t
ins_pack_factors_offset(uint32_t type, uint32_t rows, uint32_t columns)
{
    uint64_t bytes = (uint64_t) rows * columns;

    if (type == INS_TENSOR_INT8_PANELS)
        return ins_panel_count(rows) * ins_panel_bytes(type, columns);
    return (bytes + INS_PACK_ALIGNMENT - 1) / INS_PACK_ALIGNMENT *
           INS_PACK_ALIGNMENT;
}

uint64_t
ins_pack_tensor_bytes(uint32_t type, uint32_t rows, uint32_t columns)
{
    uint64_t panels = ins_panel_count(rows) * ins_panel_bytes(type, columns);

    switch (type) {
    case INS_TENSOR_BF16_ROWS:
        return (uint64_t) rows * columns * sizeof(uint16_t);
    case INS_TENSOR_INT8_ROWS:
        return ins_pack_factors_offset(type, rows, columns) +
               (uint64_t) rows * sizeof(float);
    case INS_TENSOR_F32_PANELS:
    case INS_TENSOR_BF16_PANELS:
        return panels;
    case INS_TENSOR_INT8_PANELS:
        return panels +
               ins_panel_count(rows) * INS_PANEL_OUTPUTS * 2 * sizeof(float);
    default:
        return (uint64_t) rows * columns * sizeof(float);
    }
}

static bool
is_within(uint32_t value, uint32_t low, uint32_t high)
{
    return value >= low && value <= high;
}

static bool
has_sound_activations(const ins_pack_recipe *recipe)
{
    uint32_t head = recipe->head_activation;

    if (!is_within(recipe->activation, INS_ACTIVATION_GELU,
                   INS_ACTIVATION_RELU))
        return false;
    if ((recipe->flags & INS_RECIPE_HEAD_DENSE) == 0)
        return head == INS_ACTIVATION_NONE;
    return head <= INS_ACTIVATION_TANH;
}

static bool
has_sound_flags(const ins_pack_recipe *recipe)
{
    const uint32_t known = INS_RECIPE_CLASSIFY | INS_RECIPE_EMBED |
                           INS_RECIPE_MULTI_LABEL | INS_RECIPE_NORMALIZE |
                           INS_RECIPE_HEAD_DENSE | INS_RECIPE_HEAD_POOLED;
    const uint32_t of_head =
        INS_RECIPE_MULTI_LABEL | INS_RECIPE_HEAD_DENSE | INS_RECIPE_HEAD_POOLED;
    const uint32_t of_embedding = INS_RECIPE_NORMALIZE | INS_RECIPE_HEAD_POOLED;
    bool can_classify = (recipe->flags & INS_RECIPE_CLASSIFY) != 0;
    bool can_embed = (recipe->flags & INS_RECIPE_EMBED) != 0;

    if ((recipe->flags & ~known) != 0 || (!can_classify && !can_embed))
        return false;
    if (!can_classify && (recipe->flags & of_head) != 0)
        return false;
    return can_embed || (recipe->flags & of_embedding) == 0;
}

static bool
has_sound_tasks(const ins_pack_recipe *recipe)
{
    bool can_classify = (recipe->flags & INS_RECIPE_CLASSIFY) != 0;
    bool can_embed = (recipe->flags & INS_RECIPE_EMBED) != 0;

    if (can_embed
            ? !is_within(recipe->pooling, INS_POOLING_MEAN, INS_POOLING_MAX)
            : recipe->pooling != INS_POOLING_NONE)
        return false;
    return can_classify ? is_within(recipe->labels, 1, INS_MAX_LABELS)
                        : recipe->labels == 0;
}

/* Zeros of all fields; minus zero is other bytes. */
static bool
has_no_lexical(const ins_pack_recipe *recipe)
{
    static const float zeros[3];
    const float values[3] = {recipe->lexical_saturation,
                             recipe->lexical_document, recipe->lexical_query};

    return recipe->lexical == 0 && memcmp(values, zeros, sizeof(zeros)) == 0;
}

static bool
has_sound_lexical(const ins_pack_recipe *recipe)
{
    const uint32_t needed = INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE;

    if (recipe->lexical == 0)
        return has_no_lexical(recipe);
    /* Written so that a NaN fails. */
    return recipe->lexical <= INS_MAX_LEXICAL &&
           (recipe->flags & needed) == needed &&
           recipe->lexical_saturation >= 0 &&
           recipe->lexical_saturation <= INS_MAX_LEXICAL_LENGTH &&
           recipe->lexical_document > 0 &&
           recipe->lexical_document <= INS_MAX_LEXICAL_LENGTH &&
           recipe->lexical_query > 0 &&
           recipe->lexical_query <= INS_MAX_LEXICAL_LENGTH;
}

static bool
has_sound_words(const ins_pack_recipe *recipe)
{
    return recipe->head_words == 0 ||
           ((recipe->flags & INS_RECIPE_CLASSIFY) != 0 &&
            ins_pack_word_rows_are_sound(recipe->labels, recipe->head_words));
}

struct rule {
    const char *name;
    bool holds;
};

/* The name of the first rule that does not hold, or NULL. */
static const char *
find_broken(const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rules[i].holds)
            return rules[i].name;
    return NULL;
}

static const char *
find_tabular_problem(const ins_pack_recipe *recipe)
{
    const uint32_t known = INS_RECIPE_TABULAR | INS_RECIPE_HEAD_DENSE;
    const bool has_dense = (recipe->flags & INS_RECIPE_HEAD_DENSE) != 0;
    const uint32_t head = recipe->head_activation;
    const struct rule rules[] = {
        {"flags", (recipe->flags & ~known) == 0},
        {"layers", recipe->layers == 0},
        {"hidden", is_within(recipe->hidden, 1, INS_MAX_HIDDEN)},
        {"heads", recipe->heads == 0},
        {"intermediate",
         has_dense ? is_within(recipe->intermediate, 1, INS_MAX_INTERMEDIATE)
                   : recipe->intermediate == 0},
        {"vocabulary", recipe->vocabulary == 0},
        {"positions", recipe->positions == 0},
        {"token_types", recipe->token_types == 0},
        {"activation", recipe->activation == INS_ACTIVATION_NONE},
        {"head_activation",
         head == (has_dense ? INS_ACTIVATION_TANH : INS_ACTIVATION_NONE)},
        {"pooling", recipe->pooling == INS_POOLING_NONE},
        {"labels", is_within(recipe->labels, 1, INS_MAX_LABELS)},
        {"position_offset", recipe->position_offset < recipe->labels},
        {"max_tokens", recipe->max_tokens == 0},
        {"lexical", has_no_lexical(recipe)},
        {"head_words", recipe->head_words == 0},
        {"weights", recipe->weights == INS_WEIGHTS_F32},
        /* Written so that a NaN fails; minus zero is other bytes. */
        {"norm_epsilon",
         recipe->norm_epsilon == 0.0f && !signbit(recipe->norm_epsilon)},
    };

    return find_broken(rules, sizeof(rules) / sizeof(rules[0]));
}

static const char *
find_encoder_problem(const ins_pack_recipe *recipe)
{
    const uint32_t positions = recipe->positions;
    const uint32_t offset = recipe->position_offset;
    const struct rule rules[] = {
        {"flags", has_sound_flags(recipe)},
        {"layers", is_within(recipe->layers, 1, INS_MAX_LAYERS)},
        {"hidden", is_within(recipe->hidden, 1, INS_MAX_HIDDEN)},
        {"heads", recipe->heads > 0 && recipe->hidden % recipe->heads == 0},
        {"intermediate",
         is_within(recipe->intermediate, 1, INS_MAX_INTERMEDIATE)},
        {"vocabulary", is_within(recipe->vocabulary, 1, INS_MAX_VOCABULARY)},
        {"positions", is_within(positions, 2, INS_MAX_POSITIONS)},
        {"position_offset", offset <= positions - 2},
        {"token_types", recipe->token_types <= INS_MAX_TOKEN_TYPES},
        {"activation", has_sound_activations(recipe)},
        {"pooling or labels", has_sound_tasks(recipe)},
        {"weights",
         is_within(recipe->weights, INS_WEIGHTS_F32, INS_WEIGHTS_LAST)},
        {"max_tokens", is_within(recipe->max_tokens, 2, positions - offset)},
        {"lexical", has_sound_lexical(recipe)},
        {"head_words", has_sound_words(recipe)},
        /* Written so that a NaN fails. */
        {"norm_epsilon",
         recipe->norm_epsilon > 0.0f && recipe->norm_epsilon < 1.0f},
    };

    return find_broken(rules, sizeof(rules) / sizeof(rules[0]));
}

bool
ins_pack_recipe_is_sound(const ins_pack_recipe *recipe, const char **problem)
{
    *problem = ins_pack_is_tabular(recipe) ? find_tabular_problem(recipe)
                                           : find_encoder_problem(recipe);
    return *problem == NULL;
}
