/*
 * product.h - matrix products of the encoder: our own tiles where the machine
 * has the instructions, OpenBLAS otherwise.
 *
 * Weights stay as the pack has them, [outputs][inputs], and are read in place:
 * OpenBLAS repacks them at each call, which costs half of the time of a short
 * text, and its release in Debian 12 does not know processors made after it
 * and takes SSE3 there.  A value's sum has one order, whatever the number of
 * rows: a row gives the same bits alone and in a batch.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PRODUCT_H
#define INS_PRODUCT_H

#include "kernels/blas.h"
#include "kernels/kernels.h"

/* What both products need. */
typedef struct ins_products {
    const ins_host *host;
    const ins_kernels *kernels;
} ins_products;

/*
 * out[a.rows][b.rows] = a . b^T, with a.columns == b.columns; out has
 * out_stride >= b.rows and overlaps neither.  Polls at least every 60 ms.
 * Errors: CANCELLED, INTERNAL (shapes that do not fit).
 */
ins_status ins_product(const ins_products *products, const ins_matrix *a,
                       const ins_matrix *b, float *out, size_t out_stride,
                       ins_error *error);
/* out[a.rows][b.columns] = a . b, with a.columns == b.rows; the same. */
ins_status ins_product_plain(const ins_products *products, const ins_matrix *a,
                             const ins_matrix *b, float *out, size_t out_stride,
                             ins_error *error);

#endif
