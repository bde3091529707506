/*
 * product.c - cuts products into tiles and walks over them.
 *
 * A block of rows of a stays in the first-level cache while the rows of b
 * stream past it; tiles of a few rows by a few outputs keep their sums in
 * registers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/product.h"

/* Rows of a that share one pass over b: 36 kB at 384 columns. */
#define BLOCK_ROWS 24

/* Multiply-adds between two polls: about 30 ms on one slow core. */
#define POLL_OPERATIONS ((size_t) 1 << 28)

static ins_status
check_shapes(const ins_matrix *a, const ins_matrix *b, size_t depth,
             size_t width, size_t out_stride, ins_error *error)
{
    INS_CHECK(a->columns == depth && a->stride >= a->columns &&
                  b->stride >= b->columns && out_stride >= width,
              error, INS_INTERNAL, "matrix shapes do not fit each other");
    return INS_OK;
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows of the next tile: 7 and 8 are halved, a thin last tile is slow. */
static size_t
next_rows(size_t left)
{
    if (left == INS_TILE_ROWS + 1 || left == INS_TILE_ROWS + 2)
        return (left + 1) / 2;
    return smaller(left, INS_TILE_ROWS);
}

static void
run_block(const ins_tiles *tiles, const ins_matrix *a, const ins_matrix *b,
          float *out, size_t out_stride)
{
    ins_tile tile = {
        .a_stride = a->stride,
        .b_stride = b->stride,
        .depth = a->columns,
        .out_stride = out_stride,
    };

    for (size_t column = 0; column < b->rows; column += tile.outputs) {
        tile.outputs = smaller(b->rows - column, tiles->outputs);
        tile.b = b->values + column * b->stride;
        for (size_t row = 0; row < a->rows; row += tile.rows) {
            tile.rows = next_rows(a->rows - row);
            tile.a = a->values + row * a->stride;
            tile.out = out + row * out_stride + column;
            tiles->product(&tile);
        }
    }
}

ins_status
ins_product(const ins_products *products, const ins_matrix *a,
            const ins_matrix *b, float *out, size_t out_stride,
            ins_error *error)
{
    size_t done = POLL_OPERATIONS;

    if (products->kernels->tiles == NULL)
        return ins_blas_product(products->host, a, b, out, out_stride, error);
    INS_TRY(check_shapes(a, b, b->columns, b->rows, out_stride, error));
    for (size_t row = 0; row < a->rows; row += BLOCK_ROWS) {
        ins_matrix block = *a;

        if (done >= POLL_OPERATIONS) {
            INS_TRY(ins_poll(products->host, error));
            done = 0;
        }
        block.values += row * a->stride;
        block.rows = smaller(a->rows - row, BLOCK_ROWS);
        run_block(products->kernels->tiles, &block, b, out + row * out_stride,
                  out_stride);
        done += block.rows * b->rows * b->columns;
    }
    return INS_OK;
}

ins_status
ins_product_plain(const ins_products *products, const ins_matrix *a,
                  const ins_matrix *b, float *out, size_t out_stride,
                  ins_error *error)
{
    ins_tile tile = {
        .a_stride = a->stride,
        .b = b->values,
        .b_stride = b->stride,
        .depth = a->columns,
        .out_stride = out_stride,
        .outputs = b->columns,
    };
    size_t done = 0;

    if (products->kernels->tiles == NULL)
        return ins_blas_product_plain(products->host, a, b, out, out_stride,
                                      error);
    INS_TRY(check_shapes(a, b, b->rows, b->columns, out_stride, error));
    for (size_t row = 0; row < a->rows; row += tile.rows) {
        tile.rows = next_rows(a->rows - row);
        tile.a = a->values + row * a->stride;
        tile.out = out + row * out_stride;
        products->kernels->tiles->plain(&tile);
        done += tile.rows * tile.outputs * tile.depth;
        if (done >= POLL_OPERATIONS) {
            INS_TRY(ins_poll(products->host, error));
            done = 0;
        }
    }
    return INS_OK;
}
