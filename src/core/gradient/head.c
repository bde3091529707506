/*
 * head.c - features to logits, as tasks/classify.c does it, and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

static bool
has_dense(const ins_network *network)
{
    return network->head_dense.weights != NULL;
}

static enum ins_activation
activation_of(const ins_network *network)
{
    return (enum ins_activation) network->recipe->head_activation;
}

/* The rows of all texts: the dense layer's activation into activated. */
static ins_status
activate_rows(ins_network *network, ins_error *error)
{
    size_t columns = network->recipe->hidden;

    for (uint32_t i = 0; i < network->texts; i++) {
        float *row = network->activated + i * columns;

        INS_TRY(ins_poll(&network->host, error));
        memcpy(row, network->dense + i * columns, columns * sizeof(float));
        network->kernels->activate(activation_of(network), row, columns);
    }
    return INS_OK;
}

static ins_status
activate_rows_backward(ins_network *network, ins_error *error)
{
    size_t columns = network->recipe->hidden;

    for (uint32_t i = 0; i < network->texts; i++) {
        INS_TRY(ins_poll(&network->host, error));
        network->kernels->activate_backward(
            activation_of(network), network->dense + i * columns,
            network->head_gradient + i * columns, columns);
    }
    return INS_OK;
}

ins_status
ins_pass_head(ins_network *network, ins_error *error)
{
    ins_matrix in = {network->features, network->texts,
                     network->recipe->hidden};

    if (has_dense(network)) {
        INS_TRY(ins_dense_forward(network, &network->head_dense, &in,
                                  network->dense, error));
        INS_TRY(activate_rows(network, error));
        in.values = network->activated;
    }
    return ins_dense_forward(network, &network->head_out, &in, network->logits,
                             error);
}

ins_status
ins_pass_head_backward(ins_network *network, const float *logit_gradient,
                       ins_error *error)
{
    ins_matrix features = {network->features, network->texts,
                           network->recipe->hidden};
    ins_matrix activated = {network->activated, network->texts,
                            network->recipe->hidden};
    ins_dense_step out = {logit_gradient, network->texts,
                          network->head_gradient, 0};
    ins_dense_step dense = {network->head_gradient, network->texts,
                            network->activated, 0};

    INS_TRY(ins_dense_backward(network, &network->head_out, &out, error));
    INS_TRY(ins_dense_add_gradient(network, &network->head_out,
                                   has_dense(network) ? &activated : &features,
                                   logit_gradient, error));
    if (!has_dense(network))
        return INS_OK;
    INS_TRY(activate_rows_backward(network, error));
    INS_TRY(ins_dense_add_gradient(network, &network->head_dense, &features,
                                   network->head_gradient, error));
    /* What was activated is not needed any more. */
    INS_TRY(ins_dense_backward(network, &network->head_dense, &dense, error));
    memcpy(network->head_gradient, network->activated,
           network->texts * features.columns * sizeof(float));
    return INS_OK;
}
