/*
 * feedforward.c - the two-layer network behind each attention.
 *
 * Block by block of rows, so that the wide inner rows never leave the cache.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

ins_status
ins_encoder_feed_forward(ins_encoder *encoder, const ins_layer *layer,
                         uint32_t tokens, ins_error *error)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    size_t columns = recipe->hidden;

    for (size_t row = 0; row < tokens; row += INS_LINEAR_ROWS) {
        size_t left = tokens - row;
        size_t rows = left < INS_LINEAR_ROWS ? left : INS_LINEAR_ROWS;
        float *hidden = encoder->hidden + row * columns;
        ins_matrix in = {hidden, rows, columns};
        ins_matrix inner = {encoder->inner, rows, recipe->intermediate};

        INS_TRY(ins_linear_run(&encoder->linear, &layer->ffn_up, &in,
                               (enum ins_activation) recipe->activation,
                               encoder->inner, error));
        INS_TRY(ins_linear_run(&encoder->linear, &layer->ffn_down, &inner,
                               INS_ACTIVATION_NONE, encoder->added, error));
        encoder->kernels->add_norm(hidden, encoder->added, layer->ffn_norm,
                                   rows, columns, recipe->norm_epsilon);
    }
    return INS_OK;
}
