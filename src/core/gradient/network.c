/*
 * network.c - opens a network, and drives passes through its parts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

/* ---- open and close ------------------------------------------------------ */

uint64_t
ins_network_bytes(const ins_pack_recipe *recipe,
                  const ins_network_options *options)
{
    ins_network network = {.recipe = recipe, .options = *options};
    uint64_t bytes;

    ins_pass_place(&network);
    bytes = network.arena.reserved + sizeof(network) + INS_PACK_ALIGNMENT;
    if (network.arena.overflowed || bytes < network.arena.reserved)
        return UINT64_MAX;
    return bytes;
}

static ins_status
check_options(const ins_pack_recipe *recipe, const ins_network_options *options,
              ins_error *error)
{
    INS_CHECK((recipe->flags & INS_RECIPE_CLASSIFY) != 0, error, INS_WRONG_TASK,
              "the model has no head to train");
    INS_CHECK(options->batch_tokens > 0 && options->batch_texts > 0, error,
              INS_INVALID_ARGUMENT, "a batch must have room for a text");
    INS_CHECK(options->max_tokens > 0 &&
                  options->max_tokens <=
                      recipe->positions - recipe->position_offset,
              error, INS_INVALID_ARGUMENT, "max_tokens must be 1 to %u",
              recipe->positions - recipe->position_offset);
    /* Written so that a NaN fails. */
    INS_CHECK(options->dropout >= 0 && options->dropout < 1, error,
              INS_INVALID_ARGUMENT, "dropout must be at least 0 and below 1");
    INS_CHECK(options->first_layer <= recipe->layers, error,
              INS_INVALID_ARGUMENT, "first_layer must be 0 to %u",
              recipe->layers);
    INS_CHECK(!options->input_gradient || options->first_layer == 0, error,
              INS_INVALID_ARGUMENT, "a gradient of the input needs all layers");
    return INS_OK;
}

static const float *
find_values(const ins_network *network, uint32_t role, uint32_t layer)
{
    const ins_parameter *found =
        ins_parameters_find(network->parameters, role, layer);

    return found != NULL ? found->values : NULL;
}

static ins_dense
find_dense(const ins_network *network, uint32_t role, uint32_t bias_role,
           uint32_t layer)
{
    const ins_parameter *found =
        ins_parameters_find(network->parameters, role, layer);

    if (found == NULL)
        return (ins_dense){0};
    return (ins_dense){
        .weights = found->values,
        .bias = find_values(network, bias_role, layer),
        .inputs = found->columns,
        .outputs = found->rows,
    };
}

static void
find_layer(const ins_network *network, uint32_t i, ins_layer_weights *layer)
{
    layer->qkv = find_dense(network, INS_ROLE_QKV, INS_ROLE_QKV_BIAS, i);
    layer->attention_out =
        find_dense(network, INS_ROLE_ATTENTION_OUT, INS_ROLE_ATTENTION_BIAS, i);
    layer->attention_norm = find_values(network, INS_ROLE_ATTENTION_NORM, i);
    layer->ffn_up =
        find_dense(network, INS_ROLE_FFN_UP, INS_ROLE_FFN_UP_BIAS, i);
    layer->ffn_down =
        find_dense(network, INS_ROLE_FFN_DOWN, INS_ROLE_FFN_DOWN_BIAS, i);
    layer->ffn_norm = find_values(network, INS_ROLE_FFN_NORM, i);
}

static void
find_weights(ins_network *network)
{
    network->words = find_values(network, INS_ROLE_WORDS, 0);
    network->positions = find_values(network, INS_ROLE_POSITIONS, 0);
    network->types = find_values(network, INS_ROLE_TYPES, 0);
    network->input_norm = find_values(network, INS_ROLE_INPUT_NORM, 0);
    network->head_dense =
        find_dense(network, INS_ROLE_HEAD_DENSE, INS_ROLE_HEAD_DENSE_BIAS, 0);
    network->head_out =
        find_dense(network, INS_ROLE_HEAD_OUT, INS_ROLE_HEAD_OUT_BIAS, 0);
    for (uint32_t i = 0; i < network->recipe->layers; i++)
        find_layer(network, i, &network->weights[i]);
}

ins_status
ins_network_open(ins_network **network, const ins_parameters *parameters,
                 const ins_network_options *options, const ins_host *host,
                 ins_error *error)
{
    ins_network *self;
    void *memory;
    ins_status status;

    *network = NULL;
    INS_TRY(check_options(&parameters->recipe, options, error));
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_network), &memory, error));
    self = memory;
    self->host = *host;
    self->parameters = parameters;
    self->recipe = &parameters->recipe;
    self->options = *options;
    ins_pass_place(self);
    status = ins_kernels_select(NULL, &self->kernels, error);
    if (status == INS_OK)
        status = ins_arena_open(&self->arena, host, error);
    if (status != INS_OK) {
        ins_network_close(self);
        return status;
    }
    ins_pass_place(self);
    find_weights(self);
    *network = self;
    return INS_OK;
}

void
ins_network_close(ins_network *network)
{
    ins_host host;

    if (network == NULL)
        return;
    host = network->host;
    ins_arena_close(&network->arena, &host);
    ins_release(&host, network);
}

/* ---- forward ------------------------------------------------------------- */

static ins_status
check_batch(const ins_network *network, const ins_batch *batch,
            ins_error *error)
{
    const ins_network_options *options = &network->options;

    INS_CHECK(batch->sequence_count > 0 &&
                  batch->sequence_count <= options->batch_texts &&
                  batch->token_count <= options->batch_tokens &&
                  batch->starts[0] == 0 &&
                  batch->starts[batch->sequence_count] == batch->token_count,
              error, INS_INVALID_ARGUMENT,
              "a batch has more texts or tokens than the network has room for");
    for (uint32_t i = 0; i < batch->sequence_count; i++)
        INS_CHECK(
            batch->starts[i] < batch->starts[i + 1] &&
                batch->starts[i + 1] - batch->starts[i] <= options->max_tokens,
            error, INS_INVALID_ARGUMENT,
            "a text of a batch must have 1 to %u tokens", options->max_tokens);
    for (uint32_t i = 0; i < batch->token_count; i++)
        INS_CHECK(batch->ids[i] >= 0 &&
                      (uint32_t) batch->ids[i] < network->recipe->vocabulary,
                  error, INS_INVALID_ARGUMENT,
                  "a batch has a token that the vocabulary has not");
    return INS_OK;
}

static void
take_batch(ins_network *network, const ins_batch *batch)
{
    network->texts = batch->sequence_count;
    network->tokens = batch->token_count;
    memcpy(network->ids, batch->ids,
           batch->token_count * sizeof(batch->ids[0]));
    memcpy(network->starts, batch->starts,
           ((size_t) batch->sequence_count + 1) * sizeof(batch->starts[0]));
}

static ins_status
run_layers(ins_network *network, ins_error *error)
{
    uint32_t layers = network->recipe->layers;

    for (uint32_t i = 0; i < layers; i++) {
        float *out = i + 1 < layers ? ins_pass_kept(network, i + 1)->in
                                    : network->hidden;

        INS_TRY(ins_pass_attend(network, i, error));
        INS_TRY(ins_pass_feed_forward(network, i, out, error));
    }
    return INS_OK;
}

ins_status
ins_network_forward(ins_network *network, const ins_batch *batch,
                    const float *words, bool training, const float **logits,
                    ins_error *error)
{
    network->is_kept = false;
    INS_TRY(check_batch(network, batch, error));
    take_batch(network, batch);
    network->has_words = words != NULL;
    network->is_training = training;
    if (training)
        network->step++;
    INS_TRY(ins_pass_embed(network, words, error));
    INS_TRY(run_layers(network, error));
    INS_TRY(ins_pass_pool(network, error));
    INS_TRY(ins_pass_head(network, error));
    network->is_kept = true;
    *logits = network->logits;
    return INS_OK;
}

/* ---- backward ------------------------------------------------------------ */

static ins_status
run_layers_backward(ins_network *network, ins_error *error)
{
    INS_TRY(ins_pass_pool_backward(network, error));
    for (uint32_t i = network->recipe->layers; i > network->options.first_layer;
         i--) {
        INS_TRY(ins_pass_feed_forward_backward(network, i - 1, error));
        INS_TRY(ins_pass_attend_backward(network, i - 1, error));
    }
    if (network->options.first_layer > 0)
        return INS_OK;
    return ins_pass_embed_backward(network, error);
}

ins_status
ins_network_backward(ins_network *network, const float *logit_gradient,
                     ins_parameters *gradient, const float **input_gradient,
                     ins_error *error)
{
    INS_CHECK(network->is_kept, error, INS_INVALID_ARGUMENT,
              "a backward pass needs a forward pass before it");
    INS_CHECK(gradient == NULL || gradient->count == network->parameters->count,
              error, INS_INVALID_ARGUMENT,
              "the gradient is of another recipe than the weights");
    network->is_kept = false;
    network->sums = gradient != NULL ? gradient->values : NULL;
    INS_TRY(ins_pass_head_backward(network, logit_gradient, error));
    if (network->options.first_layer < network->recipe->layers)
        INS_TRY(run_layers_backward(network, error));
    if (network->options.input_gradient && input_gradient != NULL)
        *input_gradient = network->gradient;
    return INS_OK;
}
