/*
 * memory.c - all that a pass writes to, as pieces of one arena.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

/* Reserves, or takes when the arena is open. */
static void *
place(ins_network *network, uint64_t count, size_t size)
{
    if (network->arena.block != NULL)
        return ins_arena_take(&network->arena, count, size);
    ins_arena_reserve(&network->arena, count, size);
    return NULL;
}

static float *
place_floats(ins_network *network, uint64_t rows, uint64_t columns)
{
    /* Both factors are below 2^32. */
    return place(network, rows * columns, sizeof(float));
}

static void
place_layer(ins_network *network, ins_kept_layer *layer)
{
    const ins_pack_recipe *recipe = network->recipe;
    uint64_t tokens = network->options.batch_tokens;

    layer->in = place_floats(network, tokens, recipe->hidden);
    layer->projection =
        place_floats(network, tokens, 3 * (uint64_t) recipe->hidden);
    layer->context = place_floats(network, tokens, recipe->hidden);
    layer->attention_normal = place_floats(network, tokens, recipe->hidden);
    layer->attention_factors = place_floats(network, tokens, 1);
    layer->middle = place_floats(network, tokens, recipe->hidden);
    layer->inner = place_floats(network, tokens, recipe->intermediate);
    layer->ffn_normal = place_floats(network, tokens, recipe->hidden);
    layer->ffn_factors = place_floats(network, tokens, 1);
}

static void
place_layers(ins_network *network)
{
    uint32_t layers = network->recipe->layers;
    uint32_t first = network->options.first_layer;
    uint32_t slots = first < layers ? layers - first : 1;

    network->weights = place(network, layers, sizeof(ins_layer_weights));
    network->kept = place(network, slots, sizeof(ins_kept_layer));
    for (uint32_t i = 0; i < slots; i++) {
        ins_kept_layer unplaced;

        place_layer(network,
                    network->kept != NULL ? &network->kept[i] : &unplaced);
    }
}

static void
place_head(ins_network *network)
{
    const ins_pack_recipe *recipe = network->recipe;
    const uint32_t normalized = INS_RECIPE_HEAD_POOLED | INS_RECIPE_NORMALIZE;
    uint64_t texts = network->options.batch_texts;

    network->features = place_floats(network, texts, recipe->hidden);
    if ((recipe->flags & INS_RECIPE_HEAD_POOLED) != 0 &&
        recipe->pooling == INS_POOLING_MAX)
        network->chosen =
            place(network, texts * recipe->hidden, sizeof(uint32_t));
    if ((recipe->flags & normalized) == normalized)
        network->lengths = place_floats(network, texts, 1);
    network->dense = place_floats(network, texts, recipe->hidden);
    network->activated = place_floats(network, texts, recipe->hidden);
    network->logits = place_floats(network, texts, recipe->labels);
    network->head_gradient = place_floats(network, texts, recipe->hidden);
}

static void
place_scratch(ins_network *network)
{
    const ins_pack_recipe *recipe = network->recipe;
    uint64_t tokens = network->options.batch_tokens;
    uint64_t wide = 3 * (uint64_t) recipe->hidden;

    if (wide < recipe->intermediate)
        wide = recipe->intermediate;
    network->wide = place_floats(network, tokens, wide);
    network->added = place_floats(network, tokens, recipe->hidden);
    network->gradient = place_floats(network, tokens, recipe->hidden);
    if (network->options.dropout > 0)
        network->dropped = place_floats(network, tokens, recipe->hidden);
    network->scores =
        place_floats(network, INS_PASS_QUERIES, network->options.max_tokens);
    network->shares =
        place_floats(network, INS_PASS_QUERIES, network->options.max_tokens);
}

void
ins_pass_place(ins_network *network)
{
    const ins_pack_recipe *recipe = network->recipe;
    const ins_network_options *options = &network->options;
    uint64_t tokens = options->batch_tokens;

    network->ids = place(network, tokens, sizeof(int32_t));
    network->starts =
        place(network, (uint64_t) options->batch_texts + 1, sizeof(uint32_t));
    place_layers(network);
    network->input_normal = place_floats(network, tokens, recipe->hidden);
    network->input_factors = place_floats(network, tokens, 1);
    network->hidden = place_floats(network, tokens, recipe->hidden);
    place_head(network);
    place_scratch(network);
}
