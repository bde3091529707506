/*
 * linear.c - finds a layer's weights and bias in the pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "encoder/encoder.h"

#include "pack/pack_shape.h"

ins_linear
ins_encoder_linear(const ins_pack_view *view, uint32_t role, uint32_t bias_role,
                   uint32_t layer)
{
    const ins_pack_tensor *tensor = ins_pack_find_tensor(view, role, layer);
    const uint8_t *bytes = view->bytes + tensor->offset;
    ins_linear linear = {
        .type = tensor->type,
        .inputs = tensor->columns,
        .outputs = tensor->rows,
        .panels = bytes,
        .bias = ins_pack_f32(view, bias_role, layer),
    };

    if (tensor->type == INS_TENSOR_INT8_PANELS) {
        bytes += ins_pack_factors_offset(tensor->type, tensor->rows,
                                         tensor->columns);
        /* Offsets are multiples of 64 and the pack is aligned. */
        linear.scales = (const void *) bytes;
        linear.sums =
            linear.scales + ins_panel_count(tensor->rows) * INS_PANEL_OUTPUTS;
    }
    return linear;
}
