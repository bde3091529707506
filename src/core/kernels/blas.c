/*
 * blas.c - f32 matrix products on OpenBLAS.
 *
 * OpenBLAS never returns when its work area cannot be mapped, so that is proven
 * once.  A block of rows by a panel takes a few milliseconds at most.
 *
 * It chooses its kernels by the model number of the processor, and takes one
 * that is newer than itself for one of 2004, a third as fast.  They are chosen
 * here, by the instructions that the processor has.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/blas.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cpu.h"

/* What OpenBLAS asks the environment for: its name of a processor. */
#define CORE_VARIABLE "OPENBLAS_CORETYPE"

/* What OpenBLAS maps at its first product, and some room. */
#define WORK_AREA_BYTES ((size_t) 160 << 20)
/* Multiply-adds of one part of a product: 3 ms at 90 GFLOP/s, 20 ms at the 15
 * of OpenBLAS's SSE3 kernels. */
#define PART_OPERATIONS ((size_t) 1 << 27)
/* Sides of a part are a multiple of what OpenBLAS's tiles take. */
#define PART_STEP ((size_t) 16)
/* Products below 10^6 operations take a path that maps nothing. */
#define WARM_UP_SIZE 128

/* The processor whose kernels serve this one best; NULL leaves the choice to
 * OpenBLAS.  Later versions choose alike. */
static const char *
best_core(void)
{
#if defined(__x86_64__)
    unsigned features = ins_cpu_features();

    if (features & INS_CPU_AVX512)
        return "SkylakeX";
    if (features & INS_CPU_AVX2_FMA)
        return "Haswell";
#endif
    return NULL;
}

/*
 * The linker leads all calls of getenv here (--wrap in build.mk), among them
 * those of OpenBLAS when it is loaded.  Setting the variable instead would not
 * be safe in a process with threads, and would reach its other libraries and
 * its children.  What the user has set is not touched.
 */
char *__wrap_getenv(const char *name);

char *
__wrap_getenv(const char *name)
{
    char *value = secure_getenv(name);

    if (value == NULL && strcmp(name, CORE_VARIABLE) == 0)
        return (char *) best_core();
    return value;
}

const char *
ins_blas_core(void)
{
    return openblas_get_corename();
}

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

static bool
fits_blas(const ins_product *product)
{
    const size_t sizes[] = {product->rows,     product->columns,
                            product->depth,    product->a_stride,
                            product->b_stride, product->c_stride};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (sizes[i] > INT32_MAX)
            return false;
    return true;
}

/* Length of a part when a side is cut into so many. */
static size_t
cut_side(size_t length, size_t parts)
{
    size_t part = (length + parts - 1) / parts;

    part = (part + PART_STEP - 1) / PART_STEP * PART_STEP;
    return part < length ? part : length;
}

/* Rows and columns of a part: about a square, because OpenBLAS copies the rows
 * and the columns of each part before it multiplies them. */
static void
cut_product(const ins_product *product, size_t *rows, size_t *columns)
{
    size_t down = 1, across = 1;
    size_t most = PART_OPERATIONS / product->depth;

    *rows = product->rows;
    *columns = product->columns;
    while (*rows * *columns > most &&
           (*rows > PART_STEP || *columns > PART_STEP)) {
        if (*rows > *columns)
            *rows = cut_side(product->rows, ++down);
        else
            *columns = cut_side(product->columns, ++across);
    }
}

/* The part of c from (row, column) on. */
static void
run_part(const ins_host *host, const ins_product *whole, size_t row,
         size_t column, const size_t size[2])
{
    const float *a =
        whole->a + row * (whole->a_transposed ? 1 : whole->a_stride);
    const float *b =
        whole->b + column * (whole->b_transposed ? whole->b_stride : 1);

    if (host->blas_lock != NULL)
        host->blas_lock(host->user);
    cblas_sgemm(
        CblasRowMajor, whole->a_transposed ? CblasTrans : CblasNoTrans,
        whole->b_transposed ? CblasTrans : CblasNoTrans, (blasint) size[0],
        (blasint) size[1], (blasint) whole->depth, whole->alpha, a,
        (blasint) whole->a_stride, b, (blasint) whole->b_stride, whole->beta,
        whole->c + row * whole->c_stride + column, (blasint) whole->c_stride);
    if (host->blas_unlock != NULL)
        host->blas_unlock(host->user);
}

ins_status
ins_blas_run(const ins_host *host, const ins_product *product, ins_error *error)
{
    size_t rows, columns;

    if (product->rows == 0 || product->columns == 0 || product->depth == 0)
        return INS_OK;
    INS_CHECK(fits_blas(product), error, INS_LIMIT_EXCEEDED,
              "a matrix product is too large");
    cut_product(product, &rows, &columns);
    for (size_t row = 0; row < product->rows; row += rows)
        for (size_t column = 0; column < product->columns; column += columns) {
            size_t below = product->rows - row;
            size_t right = product->columns - column;
            const size_t size[2] = {rows < below ? rows : below,
                                    columns < right ? columns : right};

            INS_TRY(ins_poll(host, error));
            run_part(host, product, row, column, size);
        }
    return INS_OK;
}
