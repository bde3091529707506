/*
 * feedforward.c - the two-layer network behind each attention.
 *
 * The wide values behind the activation are not kept: the backward pass takes
 * them anew from those before it, together with the slope.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

ins_status
ins_pass_feed_forward(ins_network *network, uint32_t layer, float *out,
                      ins_error *error)
{
    const ins_layer_weights *weights = &network->weights[layer];
    const ins_kept_layer *kept = ins_pass_kept(network, layer);
    const size_t tokens = network->tokens;
    const size_t values = tokens * network->recipe->intermediate;
    ins_norm norm = ins_pass_norm(network, weights->ffn_norm, kept->ffn_normal,
                                  kept->ffn_factors);
    ins_matrix middle = {kept->middle, tokens, network->recipe->hidden};
    ins_matrix inner = {network->wide, tokens, network->recipe->intermediate};
    ins_norm_rows rows = {kept->middle, network->added, out};

    INS_TRY(ins_dense_forward(network, &weights->ffn_up, &middle, kept->inner,
                              error));
    INS_TRY(
        ins_pass_activate(network, kept->inner, network->wide, values, error));
    INS_TRY(ins_dense_forward(network, &weights->ffn_down, &inner,
                              network->added, error));
    INS_TRY(ins_pass_drop_hidden(network, layer, INS_DROPOUT_FFN,
                                 network->added, error));
    return ins_pass_norm_forward(network, &norm, &rows, error);
}

ins_status
ins_pass_feed_forward_backward(ins_network *network, uint32_t layer,
                               ins_error *error)
{
    const ins_layer_weights *weights = &network->weights[layer];
    const ins_kept_layer *kept = ins_pass_kept(network, layer);
    const size_t tokens = network->tokens;
    const size_t values = tokens * network->recipe->intermediate;
    ins_norm norm = ins_pass_norm(network, weights->ffn_norm, kept->ffn_normal,
                                  kept->ffn_factors);
    ins_matrix middle = {kept->middle, tokens, network->recipe->hidden};
    ins_matrix inner = {kept->inner, tokens, network->recipe->intermediate};
    ins_dense_step down = {.rows = tokens, .to = network->wide};
    ins_dense_step up = {network->wide, tokens, network->gradient, 1};

    INS_TRY(ins_pass_norm_backward(network, &norm, network->gradient, error));
    INS_TRY(ins_pass_drop_gradient(network, layer, INS_DROPOUT_FFN, &down.from,
                                   error));
    INS_TRY(ins_dense_backward(network, &weights->ffn_down, &down, error));
    INS_TRY(ins_pass_activate_backward(network, kept->inner, network->wide,
                                       values, error));
    INS_TRY(ins_dense_add_gradient(network, &weights->ffn_down, &inner,
                                   down.from, error));
    INS_TRY(ins_dense_add_gradient(network, &weights->ffn_up, &middle,
                                   network->wide, error));
    /* To what goes round the sublayer comes what went through it. */
    return ins_dense_backward(network, &weights->ffn_up, &up, error);
}
