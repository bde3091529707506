/*
 * linear.c - cuts a layer into blocks of rows and panels of weights.
 *
 * A block of rows stays in the first or second cache while the panels stream
 * past it; int8 layers quantise each block once.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/linear.h"

#include "kernels/blas.h"

/* Multiply-adds between two polls: 30 ms of the scalar kernels. */
#define POLL_OPERATIONS ((size_t) 1 << 23)

#define ROW_ALIGNMENT 64

size_t
ins_linear_stride(size_t inputs)
{
    return (inputs + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
}

static void
run_panel(const ins_linear_context *context, uint32_t type,
          const ins_panel *panel, const ins_rows *rows, float *out,
          size_t out_stride)
{
    const ins_kernels *kernels = context->kernels;

    if (type == INS_TENSOR_INT8_PANELS)
        kernels->panel_int8(panel, rows, out, out_stride);
    else if (type == INS_TENSOR_BF16_PANELS)
        kernels->panel_bf16(panel, rows, out, out_stride);
    else if (kernels->uses_blas)
        ins_blas_panel(context->host, kernels, panel, rows, out, out_stride);
    else
        kernels->panel_f32(panel, rows, out, out_stride);
}

/* Panel number i of the layer. */
static ins_panel
take_panel(const ins_linear *linear, uint32_t i)
{
    size_t bytes = (size_t) ins_panel_bytes(linear->type, linear->inputs);
    size_t first = (size_t) i * INS_PANEL_OUTPUTS;
    size_t left = linear->outputs - first;
    ins_panel panel = {
        .weights = linear->panels + i * bytes,
        .depth = linear->inputs,
        .outputs = left < INS_PANEL_OUTPUTS ? left : INS_PANEL_OUTPUTS,
        .bias = linear->bias + first,
    };

    if (linear->scales != NULL) {
        panel.scales = linear->scales + first;
        panel.sums = linear->sums + first;
    }
    if (left > INS_PANEL_OUTPUTS)
        panel.next = linear->panels + (i + 1) * bytes;
    return panel;
}

static void
quantize_rows(const ins_linear_context *context, size_t columns, ins_rows *rows)
{
    size_t stride = ins_linear_stride(columns);

    context->kernels->quantize(rows, columns, context->bytes, stride,
                               context->scales, context->zeros);
    rows->values = context->bytes;
    rows->stride = stride;
    rows->scales = context->scales;
    rows->zeros = context->zeros;
}

ins_status
ins_linear_run(const ins_linear_context *context, const ins_linear *linear,
               const ins_matrix *in, enum ins_activation activation, float *out,
               ins_error *error)
{
    uint32_t panels = (uint32_t) ins_panel_count(linear->outputs);
    size_t done = POLL_OPERATIONS;

    for (size_t row = 0; row < in->rows; row += INS_LINEAR_ROWS) {
        size_t left = in->rows - row;
        ins_rows rows = {
            .values = in->values + row * in->columns,
            .stride = in->columns * sizeof(float),
            .count = left < INS_LINEAR_ROWS ? left : INS_LINEAR_ROWS,
        };

        if (linear->type == INS_TENSOR_INT8_PANELS)
            quantize_rows(context, in->columns, &rows);
        for (uint32_t i = 0; i < panels; i++) {
            ins_panel panel = take_panel(linear, i);

            if (done >= POLL_OPERATIONS) {
                INS_TRY(ins_poll(context->host, error));
                done = 0;
            }
            panel.activation = activation;
            run_panel(context, linear->type, &panel, &rows,
                      out + row * linear->outputs +
                          (size_t) i * INS_PANEL_OUTPUTS,
                      linear->outputs);
            done += rows.count * panel.depth * INS_PANEL_OUTPUTS;
        }
    }
    return INS_OK;
}
