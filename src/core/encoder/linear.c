/*
 * linear.c - a layer of weights and a bias, over all tokens of a batch.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

ins_status
ins_encoder_linear(ins_encoder *encoder, const ins_matrix *in,
                   const float *weights, const float *bias, size_t outputs,
                   float *out, ins_error *error)
{
    ins_matrix matrix = {weights, outputs, in->columns, in->columns};

    INS_TRY(ins_product(&encoder->products, in, &matrix, out, outputs, error));
    encoder->kernels->add_bias(out, bias, in->rows, outputs);
    return INS_OK;
}
