/*
 * blas.h - f32 products on OpenBLAS; the only door to cblas.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_BLAS_H
#define INS_BLAS_H

#include "base/memory.h"
#include "kernels/kernels.h"

/* What kernels->panel_f32 does; the host's lock is held around the product. */
void ins_blas_panel(const ins_host *host, const ins_kernels *kernels,
                    const ins_panel *panel, const ins_rows *rows, float *out,
                    size_t out_stride);

#endif
