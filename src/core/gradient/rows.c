/*
 * rows.c - kernels over all rows of a batch, cut so that the host is polled.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

ins_norm
ins_pass_norm(const ins_network *network, const float *weights, float *normal,
              float *factors)
{
    return (ins_norm){
        .rows = network->tokens,
        .columns = network->recipe->hidden,
        .norm = weights,
        .epsilon = network->recipe->norm_epsilon,
        .normal = normal,
        .factors = factors,
    };
}

/* The rows of a norm from row first on, as many as go between two polls. */
static ins_norm
take_rows(const ins_norm *norm, size_t first)
{
    size_t most = INS_PASS_POLL_VALUES / norm->columns + 1;
    size_t left = norm->rows - first;
    ins_norm part = *norm;

    part.rows = left < most ? left : most;
    part.normal += first * norm->columns;
    part.factors += first;
    return part;
}

ins_status
ins_pass_norm_forward(const ins_network *network, const ins_norm *norm,
                      const ins_norm_rows *rows, ins_error *error)
{
    for (size_t row = 0; row < norm->rows;) {
        ins_norm part = take_rows(norm, row);
        size_t place = row * norm->columns;

        INS_TRY(ins_poll(&network->host, error));
        network->kernels->norm_forward(
            &part, rows->x + place,
            rows->add != NULL ? rows->add + place : NULL, rows->out + place);
        row += part.rows;
    }
    return INS_OK;
}

ins_status
ins_pass_norm_backward(const ins_network *network, const ins_norm *norm,
                       float *gradient, ins_error *error)
{
    for (size_t row = 0; row < norm->rows;) {
        ins_norm part = take_rows(norm, row);

        INS_TRY(ins_poll(&network->host, error));
        network->kernels->norm_backward(&part, gradient + row * norm->columns,
                                        ins_pass_gradient(network, norm->norm));
        row += part.rows;
    }
    return INS_OK;
}

static size_t
values_from(size_t first, size_t count)
{
    size_t left = count - first;

    return left < INS_PASS_POLL_VALUES ? left : INS_PASS_POLL_VALUES;
}

ins_status
ins_pass_activate(const ins_network *network, const float *x, float *out,
                  size_t count, ins_error *error)
{
    enum ins_activation activation =
        (enum ins_activation) network->recipe->activation;

    for (size_t i = 0; i < count; i += INS_PASS_POLL_VALUES) {
        size_t values = values_from(i, count);

        INS_TRY(ins_poll(&network->host, error));
        memcpy(out + i, x + i, values * sizeof(float));
        network->kernels->activate(activation, out + i, values);
    }
    return INS_OK;
}

ins_status
ins_pass_activate_backward(const ins_network *network, float *x,
                           float *gradient, size_t count, ins_error *error)
{
    enum ins_activation activation =
        (enum ins_activation) network->recipe->activation;

    for (size_t i = 0; i < count; i += INS_PASS_POLL_VALUES) {
        INS_TRY(ins_poll(&network->host, error));
        network->kernels->activate_backward(activation, x + i, gradient + i,
                                            values_from(i, count));
    }
    return INS_OK;
}
