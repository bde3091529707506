/*
 * blas.c - f32 matrix products on OpenBLAS.
 *
 * OpenBLAS never returns when its work area cannot be mapped, so that is proven
 * once.  A block of rows by a panel takes a few milliseconds at most.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/blas.h"

#include <cblas.h>
#include <string.h>
#include <sys/mman.h>

/* What OpenBLAS maps at its first product, and some room. */
#define WORK_AREA_BYTES ((size_t) 160 << 20)
/* Products below 10^6 operations take a path that maps nothing. */
#define WARM_UP_SIZE 128

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

void
ins_blas_panel(const ins_host *host, const ins_kernels *kernels,
               const ins_panel *panel, const ins_rows *rows, float *out,
               size_t out_stride)
{
    for (size_t row = 0; row < rows->count; row++)
        memcpy(out + row * out_stride, panel->bias,
               panel->outputs * sizeof(float));
    if (host->blas_lock != NULL)
        host->blas_lock(host->user);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                (blasint) rows->count, (blasint) panel->outputs,
                (blasint) panel->depth, 1.0f, rows->values,
                (blasint) (rows->stride / sizeof(float)), panel->weights,
                INS_PANEL_OUTPUTS, 1.0f, out, (blasint) out_stride);
    if (host->blas_unlock != NULL)
        host->blas_unlock(host->user);
    for (size_t row = 0; row < rows->count; row++)
        kernels->activate(panel->activation, out + row * out_stride,
                          panel->outputs);
}

void
ins_blas_multiply(const ins_host *host, const ins_blas_product *product)
{
    if (product->rows == 0 || product->columns == 0)
        return;
    if (host->blas_lock != NULL)
        host->blas_lock(host->user);
    cblas_sgemm(CblasRowMajor,
                product->left_transposed ? CblasTrans : CblasNoTrans,
                product->right_transposed ? CblasTrans : CblasNoTrans,
                (blasint) product->rows, (blasint) product->columns,
                (blasint) product->depth, 1.0f, product->left,
                (blasint) product->left_stride, product->right,
                (blasint) product->right_stride, product->keep, product->out,
                (blasint) product->out_stride);
    if (host->blas_unlock != NULL)
        host->blas_unlock(host->user);
}
