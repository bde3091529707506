/*
 * x86_avx2_product.c - product tiles for AVX2 and FMA, eight values at a time.
 *
 * Rows by outputs are fixed at compile time, so that all sums stay in
 * registers: 6 by 2 are 12 of the 16.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernels/isa.h"

#define LANES        8
#define TILE_OUTPUTS 2

INS_ISA_BEGIN("avx2,fma")

/* Up to eight values; those past count are 0 and are not read. */
static inline __m256
load_some(const float *values, size_t count)
{
    static const int32_t masks[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                             0,  0,  0,  0,  0,  0,  0,  0};
    size_t skipped = count >= LANES ? 0 : LANES - count;
    __m256i mask =
        _mm256_loadu_si256((const __m256i *) (const void *) (masks + skipped));

    return _mm256_maskload_ps(values, mask);
}

static inline void
store_some(float *values, size_t count, __m256 vector)
{
    float all[LANES];

    if (count >= LANES) {
        _mm256_storeu_ps(values, vector);
        return;
    }
    _mm256_storeu_ps(all, vector);
    memcpy(values, all, count * sizeof(float));
}

static inline float
sum_lanes(__m256 v)
{
    __m128 s =
        _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

/* rows and outputs are constants at each call. */
static inline __attribute__((always_inline)) void
product_constant(const ins_tile *tile, int rows, int outputs)
{
    __m256 sums[INS_TILE_ROWS][TILE_OUTPUTS];
    size_t whole = tile->depth - tile->depth % LANES;

    INS_UNROLL
    for (int row = 0; row < rows; row++)
        INS_UNROLL
    for (int i = 0; i < outputs; i++)
        sums[row][i] = _mm256_setzero_ps();
    for (size_t k = 0; k < whole; k += LANES) {
        __m256 b[TILE_OUTPUTS];

        INS_UNROLL
        for (int i = 0; i < outputs; i++)
            b[i] = _mm256_loadu_ps(tile->b + (size_t) i * tile->b_stride + k);
        INS_UNROLL
        for (int row = 0; row < rows; row++) {
            __m256 a =
                _mm256_loadu_ps(tile->a + (size_t) row * tile->a_stride + k);

            INS_UNROLL
            for (int i = 0; i < outputs; i++)
                sums[row][i] = _mm256_fmadd_ps(a, b[i], sums[row][i]);
        }
    }
    if (whole < tile->depth)
        for (int row = 0; row < rows; row++) {
            size_t rest = tile->depth - whole;
            __m256 a = load_some(
                tile->a + (size_t) row * tile->a_stride + whole, rest);

            for (int i = 0; i < outputs; i++)
                sums[row][i] = _mm256_fmadd_ps(
                    a,
                    load_some(tile->b + (size_t) i * tile->b_stride + whole,
                              rest),
                    sums[row][i]);
        }
    INS_UNROLL
    for (int row = 0; row < rows; row++)
        INS_UNROLL
    for (int i = 0; i < outputs; i++)
        tile->out[(size_t) row * tile->out_stride + (size_t) i] =
            sum_lanes(sums[row][i]);
}

static inline __attribute__((always_inline)) void
product_rows(const ins_tile *tile, int rows)
{
    if (tile->outputs == TILE_OUTPUTS)
        product_constant(tile, rows, TILE_OUTPUTS);
    else
        product_constant(tile, rows, 1);
}

static void
product_tile_avx2(const ins_tile *tile)
{
    switch (tile->rows) {
    case 1:
        product_rows(tile, 1);
        break;
    case 2:
        product_rows(tile, 2);
        break;
    case 3:
        product_rows(tile, 3);
        break;
    case 4:
        product_rows(tile, 4);
        break;
    case 5:
        product_rows(tile, 5);
        break;
    default:
        product_rows(tile, 6);
        break;
    }
}

/* Two vectors of columns of a . b at a time. */
static inline __attribute__((always_inline)) void
plain_columns(const ins_tile *tile, size_t column, int rows)
{
    size_t left = tile->outputs - column;
    size_t second = left > LANES ? left - LANES : 0;
    __m256 sums[INS_TILE_ROWS][2];

    INS_UNROLL
    for (int row = 0; row < rows; row++)
        sums[row][0] = sums[row][1] = _mm256_setzero_ps();
    for (size_t k = 0; k < tile->depth; k++) {
        const float *b = tile->b + k * tile->b_stride + column;
        __m256 b0 = load_some(b, left);
        __m256 b1 = load_some(b + LANES, second);

        INS_UNROLL
        for (int row = 0; row < rows; row++) {
            __m256 a =
                _mm256_set1_ps(tile->a[(size_t) row * tile->a_stride + k]);

            sums[row][0] = _mm256_fmadd_ps(a, b0, sums[row][0]);
            sums[row][1] = _mm256_fmadd_ps(a, b1, sums[row][1]);
        }
    }
    INS_UNROLL
    for (int row = 0; row < rows; row++) {
        float *out = tile->out + (size_t) row * tile->out_stride + column;

        store_some(out, left, sums[row][0]);
        if (second > 0)
            store_some(out + LANES, second, sums[row][1]);
    }
}

static void
plain_tile_avx2(const ins_tile *tile)
{
    for (size_t column = 0; column < tile->outputs; column += 2 * LANES) {
        switch (tile->rows) {
        case 1:
            plain_columns(tile, column, 1);
            break;
        case 2:
            plain_columns(tile, column, 2);
            break;
        case 3:
            plain_columns(tile, column, 3);
            break;
        case 4:
            plain_columns(tile, column, 4);
            break;
        case 5:
            plain_columns(tile, column, 5);
            break;
        default:
            plain_columns(tile, column, 6);
            break;
        }
    }
}

INS_ISA_END

const ins_tiles ins_tiles_avx2 = {
    .outputs = TILE_OUTPUTS,
    .product = product_tile_avx2,
    .plain = plain_tile_avx2,
};

#endif
