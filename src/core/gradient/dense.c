/*
 * dense.c - dense layers: products with weights, and their gradients.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

#include "kernels/blas.h"

/* Each row of out becomes the bias, to which the product is added. */
static ins_status
put_bias(const ins_network *network, const ins_dense *dense, size_t rows,
         float *out, ins_error *error)
{
    size_t per_poll = INS_PASS_POLL_VALUES / dense->outputs + 1;

    for (size_t row = 0; row < rows; row++) {
        if (row % per_poll == 0)
            INS_TRY(ins_poll(&network->host, error));
        memcpy(out + row * dense->outputs, dense->bias,
               dense->outputs * sizeof(float));
    }
    return INS_OK;
}

ins_status
ins_dense_forward(const ins_network *network, const ins_dense *dense,
                  const ins_matrix *in, float *out, ins_error *error)
{
    const ins_product product = {
        .a = in->values,
        .a_stride = dense->inputs,
        .b = dense->weights,
        .b_stride = dense->inputs,
        .b_transposed = true,
        .c = out,
        .c_stride = dense->outputs,
        .rows = in->rows,
        .columns = dense->outputs,
        .depth = dense->inputs,
        .alpha = 1,
        .beta = 1,
    };

    INS_TRY(put_bias(network, dense, in->rows, out, error));
    return ins_blas_product(&network->host, &product, error);
}

static ins_status
add_bias_gradient(const ins_network *network, const ins_dense *dense,
                  size_t rows, const float *out_gradient, ins_error *error)
{
    float *sum = ins_pass_gradient(network, dense->bias);
    size_t per_poll = INS_PASS_POLL_VALUES / dense->outputs + 1;

    for (size_t row = 0; row < rows; row += per_poll) {
        size_t left = rows - row;

        INS_TRY(ins_poll(&network->host, error));
        network->kernels->add_rows(sum, out_gradient + row * dense->outputs,
                                   left < per_poll ? left : per_poll,
                                   dense->outputs);
    }
    return INS_OK;
}

ins_status
ins_dense_add_gradient(const ins_network *network, const ins_dense *dense,
                       const ins_matrix *in, const float *out_gradient,
                       ins_error *error)
{
    const ins_product product = {
        .a = out_gradient,
        .a_stride = dense->outputs,
        .a_transposed = true,
        .b = in->values,
        .b_stride = dense->inputs,
        .c = ins_pass_gradient(network, dense->weights),
        .c_stride = dense->inputs,
        .rows = dense->outputs,
        .columns = dense->inputs,
        .depth = in->rows,
        .alpha = 1,
        .beta = 1,
    };

    if (product.c == NULL)
        return INS_OK;
    INS_TRY(add_bias_gradient(network, dense, in->rows, out_gradient, error));
    return ins_blas_product(&network->host, &product, error);
}

ins_status
ins_dense_backward(const ins_network *network, const ins_dense *dense,
                   const ins_dense_step *step, ins_error *error)
{
    const ins_product product = {
        .a = step->from,
        .a_stride = dense->outputs,
        .b = dense->weights,
        .b_stride = dense->inputs,
        .c = step->to,
        .c_stride = dense->inputs,
        .rows = step->rows,
        .columns = dense->inputs,
        .depth = dense->outputs,
        .alpha = 1,
        .beta = step->beta,
    };

    return ins_blas_product(&network->host, &product, error);
}
