/*
 * blas.h - f32 products on OpenBLAS; the only door to cblas.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_BLAS_H
#define INS_BLAS_H

#include "base/memory.h"
#include "kernels/kernels.h"

/* The processor whose kernels OpenBLAS runs, as it names it: "SkylakeX". */
const char *ins_blas_core(void);

/* What kernels->panel_f32 does; the host's lock is held around the product. */
void ins_blas_panel(const ins_host *host, const ins_kernels *kernels,
                    const ins_panel *panel, const ins_rows *rows, float *out,
                    size_t out_stride);

/*
 * c = alpha * op(a) . op(b) + beta * c, row-major.  op(a): [rows][depth],
 * op(b): [depth][columns], c: [rows][columns]; op transposes what is stored
 * when the flag is set.  Strides: floats from one stored row to the next.
 * With beta 0 c need not be initialised; c overlaps neither a nor b.
 */
typedef struct ins_product {
    const float *a, *b;
    float *c;
    size_t a_stride, b_stride, c_stride;
    size_t rows, columns, depth;
    bool a_transposed, b_transposed;
    float alpha, beta;
} ins_product;

/*
 * Cuts the product so that the host is polled every few milliseconds, and
 * holds its lock around each part.  Errors: CANCELLED, with c partly written;
 * LIMIT_EXCEEDED when a size does not fit OpenBLAS's 32-bit integers.
 */
ins_status ins_blas_run(const ins_host *host, const ins_product *product,
                        ins_error *error);

#endif
