/*
 * linear.h - a layer of weights and a bias over rows of activations.
 *
 * Weights lie in panels, as pack_format.h says, and are read in place.  A row
 * gives the same bits alone and among others.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LINEAR_H
#define INS_LINEAR_H

#include "base/memory.h"
#include "kernels/kernels.h"

/* Rows that share one pass over the weights. */
#define INS_LINEAR_ROWS 48

/* Points into the pack. */
typedef struct ins_linear {
    uint32_t type; /* enum ins_tensor_type, panels */
    uint32_t inputs;
    uint32_t outputs;
    const uint8_t *panels;
    const float *scales; /* INT8: [outputs rounded up to 64], else NULL */
    const float *sums;   /* the same */
    const float *bias;   /* [outputs] */
} ins_linear;

/* What every layer needs. */
typedef struct ins_linear_context {
    const ins_host *host;
    const ins_kernels *kernels;
    uint8_t *bytes; /* [INS_LINEAR_ROWS][ins_linear_stride(most inputs)] */
    float *scales;  /* [INS_LINEAR_ROWS] */
    float *zeros;   /* [INS_LINEAR_ROWS] */
} ins_linear_context;

/* Rows of floats, one after the other. */
typedef struct ins_matrix {
    const float *values;
    size_t rows;
    size_t columns;
} ins_matrix;

/* Bytes of one quantised row. */
size_t ins_linear_stride(size_t inputs);

/*
 * out[in->rows][outputs] = activation(in . weights^T + bias), with in->columns
 * == inputs; out must not overlap in.  Polls at least every 60 ms.
 * Errors: CANCELLED.
 */
ins_status ins_linear_run(const ins_linear_context *context,
                          const ins_linear *linear, const ins_matrix *in,
                          enum ins_activation activation, float *out,
                          ins_error *error);

#endif
