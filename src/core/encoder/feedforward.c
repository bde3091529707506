/*
 * feedforward.c - the two-layer network behind each attention.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/layer.h"

static void
activate(const ins_encoder *encoder, float *values, size_t count)
{
    const ins_kernels *kernels = encoder->kernels;

    switch (encoder->recipe->activation) {
    case INS_ACTIVATION_GELU:
        kernels->gelu(values, count);
        break;
    case INS_ACTIVATION_GELU_TANH:
        kernels->gelu_tanh(values, count);
        break;
    case INS_ACTIVATION_RELU:
        kernels->relu(values, count);
        break;
    default:
        kernels->tanh(values, count);
        break;
    }
}

ins_status
ins_encoder_feed_forward(ins_encoder *encoder, const ins_layer *layer,
                         uint32_t tokens, ins_error *error)
{
    const ins_pack_recipe *recipe = encoder->recipe;
    ins_matrix hidden = {encoder->hidden, tokens, recipe->hidden,
                         recipe->hidden};
    ins_matrix inner = {encoder->projection, tokens, recipe->intermediate,
                        recipe->intermediate};

    INS_TRY(ins_encoder_linear(encoder, &hidden, layer->ffn_up,
                               layer->ffn_up_bias, recipe->intermediate,
                               encoder->projection, error));
    activate(encoder, encoder->projection,
             (size_t) tokens * recipe->intermediate);
    INS_TRY(ins_encoder_linear(encoder, &inner, layer->ffn_down,
                               layer->ffn_down_bias, recipe->hidden,
                               encoder->context, error));
    encoder->kernels->add_norm(encoder->hidden, encoder->context,
                               layer->ffn_norm, tokens, recipe->hidden,
                               recipe->norm_epsilon);
    return INS_OK;
}
