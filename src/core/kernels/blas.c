/*
 * blas.c - f32 matrix products on OpenBLAS.
 *
 * OpenBLAS prints and returns without computing when a leading dimension is
 * wrong, and never returns when its work area cannot be mapped: so shapes are
 * checked here before each call, and the work area is proven once.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/blas.h"

#include <cblas.h>
#include <limits.h>
#include <sys/mman.h>

/* What OpenBLAS maps at its first product, and some room. */
#define WORK_AREA_BYTES ((size_t) 160 << 20)
/* Products below 10^6 operations take a path that maps nothing. */
#define WARM_UP_SIZE 128

/* Multiply-adds that take at most about 60 ms on one slow core. */
#define BLOCK_OPERATIONS ((size_t) 1 << 28)

static void *
map_zeros(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

ins_status
ins_runtime_prepare(ins_error *error)
{
    const int size = WARM_UP_SIZE;
    const size_t values = (size_t) size * WARM_UP_SIZE;
    float *zeros = map_zeros(2 * values * sizeof(float));
    void *probe = map_zeros(WORK_AREA_BYTES);

    if (probe != NULL)
        munmap(probe, WORK_AREA_BYTES);
    if (probe != NULL && zeros != NULL)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size,
                    1.0f, zeros, size, zeros, size, 0.0f, zeros + values, size);
    if (zeros != NULL)
        munmap(zeros, 2 * values * sizeof(float));
    if (probe == NULL || zeros == NULL)
        return ins_fail_no_memory(error, WORK_AREA_BYTES);
    return INS_OK;
}

static ins_status
check_shapes(const ins_matrix *a, const ins_matrix *b, size_t depth,
             size_t width, size_t out_stride, ins_error *error)
{
    INS_CHECK(a->columns == depth && a->stride >= a->columns &&
                  b->stride >= b->columns && out_stride >= width &&
                  a->rows <= INT_MAX && b->rows <= INT_MAX &&
                  a->stride <= INT_MAX && b->stride <= INT_MAX &&
                  out_stride <= INT_MAX,
              error, INS_INTERNAL, "matrix shapes do not fit each other");
    return INS_OK;
}

/* One call of OpenBLAS; no dimension is 0 and all fit an int. */
static void
multiply(const ins_host *host, const ins_matrix *a, const ins_matrix *b,
         CBLAS_TRANSPOSE transpose, float *out, size_t out_stride)
{
    size_t width = transpose == CblasTrans ? b->rows : b->columns;

    if (host->blas_lock != NULL)
        host->blas_lock(host->user);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose, (blasint) a->rows,
                (blasint) width, (blasint) a->columns, 1.0f, a->values,
                (blasint) a->stride, b->values, (blasint) b->stride, 0.0f, out,
                (blasint) out_stride);
    if (host->blas_unlock != NULL)
        host->blas_unlock(host->user);
}

ins_status
ins_blas_product(const ins_host *host, const ins_matrix *a, const ins_matrix *b,
                 float *out, size_t out_stride, ins_error *error)
{
    size_t row_operations = b->rows * b->columns;
    size_t block_rows;

    INS_TRY(check_shapes(a, b, b->columns, b->rows, out_stride, error));
    if (a->rows == 0 || row_operations == 0)
        return INS_OK;
    block_rows = BLOCK_OPERATIONS / row_operations;
    if (block_rows == 0)
        block_rows = 1;
    for (size_t row = 0; row < a->rows; row += block_rows) {
        ins_matrix block = *a;

        block.values += row * a->stride;
        block.rows = a->rows - row < block_rows ? a->rows - row : block_rows;
        INS_TRY(ins_poll(host, error));
        multiply(host, &block, b, CblasTrans, out + row * out_stride,
                 out_stride);
    }
    return INS_OK;
}

ins_status
ins_blas_product_plain(const ins_host *host, const ins_matrix *a,
                       const ins_matrix *b, float *out, size_t out_stride,
                       ins_error *error)
{
    INS_TRY(check_shapes(a, b, b->rows, b->columns, out_stride, error));
    if (a->rows == 0 || a->columns == 0 || b->columns == 0)
        return INS_OK;
    multiply(host, a, b, CblasNoTrans, out, out_stride);
    return INS_OK;
}
