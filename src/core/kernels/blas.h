/*
 * blas.h - f32 matrix products on OpenBLAS; the only door to cblas.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_BLAS_H
#define INS_BLAS_H

#include "base/memory.h"

/* Row-major; stride: values from one row to the next, >= columns. */
typedef struct ins_matrix {
    const float *values;
    size_t rows;
    size_t columns;
    size_t stride;
} ins_matrix;

/*
 * out[a.rows][b.rows] = a . b^T, with a.columns == b.columns; out has
 * out_stride >= b.rows and overlaps neither.  Cut into row blocks so that none
 * takes longer than about 60 ms; polls before each.
 * Errors: CANCELLED, INTERNAL (shapes that do not fit).
 */
ins_status ins_blas_product(const ins_host *host, const ins_matrix *a,
                            const ins_matrix *b, float *out, size_t out_stride,
                            ins_error *error);
/* out[a.rows][b.columns] = a . b, with a.columns == b.rows; not polled. */
ins_status ins_blas_product_plain(const ins_host *host, const ins_matrix *a,
                                  const ins_matrix *b, float *out,
                                  size_t out_stride, ins_error *error);

#endif
