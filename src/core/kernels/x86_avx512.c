/*
 * x86_avx512.c - product tiles for AVX-512F, sixteen values at a time.
 *
 * Rows by outputs are fixed at compile time, so that all sums stay in
 * registers: 6 by 4 are 24 of the 32.  Row kernels come from the AVX2 level;
 * they take a few per cent of the time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/isa.h"

#define LANES        16
#define TILE_OUTPUTS 4

INS_ISA_BEGIN("avx512f,avx2,fma")

static inline __mmask16
tail_mask(size_t count)
{
    return (__mmask16) ((1u << count) - 1);
}

/* Sums of four vectors, side by side. */
static inline __m128
sum_four(const __m512 v[TILE_OUTPUTS])
{
    __m256 half[TILE_OUTPUTS];
    __m256 sums;

    INS_UNROLL
    for (int i = 0; i < TILE_OUTPUTS; i++)
        half[i] = _mm256_add_ps(_mm512_castps512_ps256(v[i]),
                                _mm256_castpd_ps(_mm512_extractf64x4_pd(
                                    _mm512_castps_pd(v[i]), 1)));
    sums = _mm256_hadd_ps(_mm256_hadd_ps(half[0], half[1]),
                          _mm256_hadd_ps(half[2], half[3]));
    return _mm_add_ps(_mm256_castps256_ps128(sums),
                      _mm256_extractf128_ps(sums, 1));
}

/* rows is a constant at each call. */
static inline __attribute__((always_inline)) void
product_four(const ins_tile *tile, int rows)
{
    __m512 sums[INS_TILE_ROWS][TILE_OUTPUTS];
    size_t rest = tile->depth % LANES;

    INS_UNROLL
    for (int row = 0; row < rows; row++)
        INS_UNROLL
    for (int i = 0; i < TILE_OUTPUTS; i++)
        sums[row][i] = _mm512_setzero_ps();
    for (size_t k = 0; k < tile->depth; k += LANES) {
        __mmask16 mask =
            k + LANES <= tile->depth ? (__mmask16) 0xFFFF : tail_mask(rest);
        __m512 b[TILE_OUTPUTS];

        INS_UNROLL
        for (int i = 0; i < TILE_OUTPUTS; i++)
            b[i] = _mm512_maskz_loadu_ps(
                mask, tile->b + (size_t) i * tile->b_stride + k);
        INS_UNROLL
        for (int row = 0; row < rows; row++) {
            __m512 a = _mm512_maskz_loadu_ps(
                mask, tile->a + (size_t) row * tile->a_stride + k);

            INS_UNROLL
            for (int i = 0; i < TILE_OUTPUTS; i++)
                sums[row][i] = _mm512_fmadd_ps(a, b[i], sums[row][i]);
        }
    }
    INS_UNROLL
    for (int row = 0; row < rows; row++)
        _mm_storeu_ps(tile->out + (size_t) row * tile->out_stride,
                      sum_four(sums[row]));
}

/* The last outputs, when their number is no multiple of four: the same order
 * of additions as in a full tile. */
static void
product_few(const ins_tile *tile)
{
    for (size_t row = 0; row < tile->rows; row++) {
        float out[TILE_OUTPUTS];
        float *target = tile->out + row * tile->out_stride;
        ins_tile one = *tile;
        const float *b[TILE_OUTPUTS];
        __m512 sums[TILE_OUTPUTS];

        for (size_t i = 0; i < TILE_OUTPUTS; i++) {
            b[i] = tile->b + (i < tile->outputs ? i * tile->b_stride : 0);
            sums[i] = _mm512_setzero_ps();
        }
        one.a += row * tile->a_stride;
        for (size_t k = 0; k < tile->depth; k += LANES) {
            size_t left = tile->depth - k;
            __mmask16 mask =
                left >= LANES ? (__mmask16) 0xFFFF : tail_mask(left);
            __m512 a = _mm512_maskz_loadu_ps(mask, one.a + k);

            for (size_t i = 0; i < TILE_OUTPUTS; i++)
                sums[i] = _mm512_fmadd_ps(
                    a, _mm512_maskz_loadu_ps(mask, b[i] + k), sums[i]);
        }
        _mm_storeu_ps(out, sum_four(sums));
        for (size_t i = 0; i < tile->outputs; i++)
            target[i] = out[i];
    }
}

static void
product_tile_avx512(const ins_tile *tile)
{
    if (tile->outputs < TILE_OUTPUTS) {
        product_few(tile);
        return;
    }
    switch (tile->rows) {
    case 1:
        product_four(tile, 1);
        break;
    case 2:
        product_four(tile, 2);
        break;
    case 3:
        product_four(tile, 3);
        break;
    case 4:
        product_four(tile, 4);
        break;
    case 5:
        product_four(tile, 5);
        break;
    default:
        product_four(tile, 6);
        break;
    }
}

/* Two vectors of columns of a . b at a time. */
static inline __attribute__((always_inline)) void
plain_columns(const ins_tile *tile, size_t column, int rows)
{
    size_t left = tile->outputs - column;
    __mmask16 first = left >= LANES ? (__mmask16) 0xFFFF : tail_mask(left);
    __mmask16 second = 0;
    __m512 sums[INS_TILE_ROWS][2];

    if (left > LANES)
        second =
            left >= 2 * LANES ? (__mmask16) 0xFFFF : tail_mask(left - LANES);
    INS_UNROLL
    for (int row = 0; row < rows; row++)
        sums[row][0] = sums[row][1] = _mm512_setzero_ps();
    for (size_t k = 0; k < tile->depth; k++) {
        const float *b = tile->b + k * tile->b_stride + column;
        __m512 b0 = _mm512_maskz_loadu_ps(first, b);
        __m512 b1 = _mm512_maskz_loadu_ps(second, b + LANES);

        INS_UNROLL
        for (int row = 0; row < rows; row++) {
            __m512 a =
                _mm512_set1_ps(tile->a[(size_t) row * tile->a_stride + k]);

            sums[row][0] = _mm512_fmadd_ps(a, b0, sums[row][0]);
            sums[row][1] = _mm512_fmadd_ps(a, b1, sums[row][1]);
        }
    }
    INS_UNROLL
    for (int row = 0; row < rows; row++) {
        float *out = tile->out + (size_t) row * tile->out_stride + column;

        _mm512_mask_storeu_ps(out, first, sums[row][0]);
        _mm512_mask_storeu_ps(out + LANES, second, sums[row][1]);
    }
}

static void
plain_tile_avx512(const ins_tile *tile)
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

const ins_tiles ins_tiles_avx512 = {
    .outputs = TILE_OUTPUTS,
    .product = product_tile_avx512,
    .plain = plain_tile_avx512,
};

#endif
