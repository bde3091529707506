/*
 * x86_avx2.c - the kernels for AVX2 and FMA, eight values at a time.
 *
 * exp is Cody & Waite's reduction with the minimax polynomial of degree 6 that
 * Cephes uses; erf is Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7), which
 * needs the same exp; tanh follows from exp.  Tails shorter than a vector go
 * through a small buffer, so that every value takes the same operations
 * wherever it stands.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/isa.h"

#define LANES 8

INS_ISA_BEGIN("avx2,fma")

static inline __m256
broadcast(float value)
{
    return _mm256_set1_ps(value);
}

/* e^x; x below -87.3 gives about 1e-38, above 88 gives about 2e38. */
static inline __m256
exp_vector(__m256 x)
{
    __m256 n, r, p;

    /* min and max give their second operand when one is not a number. */
    x = _mm256_max_ps(broadcast(-87.3f), _mm256_min_ps(broadcast(88.0f), x));
    n = _mm256_round_ps(_mm256_mul_ps(x, broadcast(1.44269504088896341f)),
                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    r = _mm256_fnmadd_ps(n, broadcast(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, broadcast(-2.12194440e-4f), r);
    p = broadcast(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, broadcast(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, broadcast(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, broadcast(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, broadcast(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, broadcast(5.0000001201e-1f));
    p = _mm256_fmadd_ps(p, _mm256_mul_ps(r, r),
                        _mm256_add_ps(r, broadcast(1.0f)));
    return _mm256_mul_ps(
        p, _mm256_castsi256_ps(_mm256_slli_epi32(
               _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)),
               23)));
}

static inline __m256
copy_sign(__m256 magnitude, __m256 sign)
{
    const __m256 mask = broadcast(-0.0f);

    return _mm256_or_ps(_mm256_andnot_ps(mask, magnitude),
                        _mm256_and_ps(mask, sign));
}

static inline __m256
erf_vector(__m256 x)
{
    __m256 a = _mm256_andnot_ps(broadcast(-0.0f), x);
    __m256 t =
        _mm256_div_ps(broadcast(1.0f), _mm256_fmadd_ps(broadcast(0.3275911f), a,
                                                       broadcast(1.0f)));
    __m256 p = broadcast(1.061405429f);
    __m256 e =
        exp_vector(_mm256_sub_ps(_mm256_setzero_ps(), _mm256_mul_ps(a, a)));

    p = _mm256_fmadd_ps(p, t, broadcast(-1.453152027f));
    p = _mm256_fmadd_ps(p, t, broadcast(1.421413741f));
    p = _mm256_fmadd_ps(p, t, broadcast(-0.284496736f));
    p = _mm256_fmadd_ps(p, t, broadcast(0.254829592f));
    p = _mm256_mul_ps(p, t);
    return copy_sign(_mm256_fnmadd_ps(p, e, broadcast(1.0f)), x);
}

/* tanh |x| = (1 - q) / (1 + q) with q = e^(-2|x|). */
static inline __m256
tanh_vector(__m256 x)
{
    __m256 a = _mm256_andnot_ps(broadcast(-0.0f), x);
    __m256 q = exp_vector(_mm256_mul_ps(a, broadcast(-2.0f)));
    __m256 one = broadcast(1.0f);

    return copy_sign(
        _mm256_div_ps(_mm256_sub_ps(one, q), _mm256_add_ps(one, q)), x);
}

static inline __m256
gelu_vector(__m256 x)
{
    __m256 half = _mm256_mul_ps(x, broadcast(0.5f));
    __m256 erf = erf_vector(_mm256_mul_ps(x, broadcast(0.70710678118654752f)));

    return _mm256_mul_ps(half, _mm256_add_ps(erf, broadcast(1.0f)));
}

static inline __m256
gelu_tanh_vector(__m256 x)
{
    __m256 half = _mm256_mul_ps(x, broadcast(0.5f));
    __m256 cube = _mm256_mul_ps(_mm256_mul_ps(x, x), x);
    __m256 inner = _mm256_fmadd_ps(broadcast(0.044715f), cube, x);

    inner = _mm256_mul_ps(inner, broadcast(0.79788456080286536f));
    return _mm256_mul_ps(half,
                         _mm256_add_ps(tanh_vector(inner), broadcast(1.0f)));
}

/* Loads of fewer than LANES values, padded with fill. */
static inline __m256
load_tail(const float *x, size_t count, float fill)
{
    float buffer[LANES];

    for (size_t i = 0; i < LANES; i++)
        buffer[i] = i < count ? x[i] : fill;
    return _mm256_loadu_ps(buffer);
}

static inline void
store_tail(float *x, size_t count, __m256 value)
{
    float buffer[LANES];

    _mm256_storeu_ps(buffer, value);
    memcpy(x, buffer, count * sizeof(float));
}

static void
add_bias_avx2(float *x, const float *bias, size_t rows, size_t columns)
{
    for (size_t row = 0; row < rows; row++, x += columns) {
        size_t i = 0;

        for (; i + LANES <= columns; i += LANES)
            _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i),
                                                  _mm256_loadu_ps(bias + i)));
        for (; i < columns; i++)
            x[i] += bias[i];
    }
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

static inline float
max_lanes(__m256 v)
{
    __m128 s =
        _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    s = _mm_max_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

static void
norm_row(float *x, const float *norm, size_t columns, float epsilon)
{
    const float *bias = norm + columns;
    size_t whole = columns - columns % LANES;
    size_t rest = columns - whole;
    __m256 sum = _mm256_setzero_ps();
    __m256 squares = _mm256_setzero_ps();
    __m256 mean, factor;
    float scale;

    for (size_t i = 0; i < whole; i += LANES)
        sum = _mm256_add_ps(sum, _mm256_loadu_ps(x + i));
    sum = _mm256_add_ps(sum, load_tail(x + whole, rest, 0));
    scale = sum_lanes(sum) / (float) columns;
    mean = broadcast(scale);
    for (size_t i = 0; i < whole; i += LANES) {
        __m256 d = _mm256_sub_ps(_mm256_loadu_ps(x + i), mean);

        squares = _mm256_fmadd_ps(d, d, squares);
    }
    if (rest > 0) {
        __m256 d = _mm256_sub_ps(load_tail(x + whole, rest, scale), mean);

        squares = _mm256_fmadd_ps(d, d, squares);
    }
    factor =
        broadcast(1.0f / sqrtf(sum_lanes(squares) / (float) columns + epsilon));
    for (size_t i = 0; i < whole; i += LANES) {
        __m256 d = _mm256_sub_ps(_mm256_loadu_ps(x + i), mean);

        d = _mm256_mul_ps(d, factor);
        _mm256_storeu_ps(x + i, _mm256_fmadd_ps(d, _mm256_loadu_ps(norm + i),
                                                _mm256_loadu_ps(bias + i)));
    }
    if (rest > 0) {
        __m256 d = _mm256_sub_ps(load_tail(x + whole, rest, 0), mean);

        d = _mm256_mul_ps(d, factor);
        d = _mm256_fmadd_ps(d, load_tail(norm + whole, rest, 0),
                            load_tail(bias + whole, rest, 0));
        store_tail(x + whole, rest, d);
    }
}

static void
add_norm_avx2(float *x, const float *add, const float *norm, size_t rows,
              size_t columns, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        if (add != NULL) {
            add_bias_avx2(x, add, 1, columns);
            add += columns;
        }
        norm_row(x, norm, columns, epsilon);
        x += columns;
    }
}

static void
softmax_row(float *x, size_t columns, float scale)
{
    size_t whole = columns - columns % LANES;
    size_t rest = columns - whole;
    __m256 highest = load_tail(x + whole, rest, x[0]);
    __m256 sum = _mm256_setzero_ps();
    __m256 factor = broadcast(scale);

    for (size_t i = 0; i < whole; i += LANES)
        highest = _mm256_max_ps(highest, _mm256_loadu_ps(x + i));
    highest = broadcast(max_lanes(highest));
    for (size_t i = 0; i < whole; i += LANES) {
        __m256 d = _mm256_sub_ps(_mm256_loadu_ps(x + i), highest);
        __m256 e = exp_vector(_mm256_mul_ps(d, factor));

        sum = _mm256_add_ps(sum, e);
        _mm256_storeu_ps(x + i, e);
    }
    if (rest > 0) {
        __m256 d = _mm256_sub_ps(load_tail(x + whole, rest, 0), highest);

        store_tail(x + whole, rest, exp_vector(_mm256_mul_ps(d, factor)));
        sum = _mm256_add_ps(sum, load_tail(x + whole, rest, 0));
    }
    sum = broadcast(sum_lanes(sum));
    for (size_t i = 0; i < whole; i += LANES)
        _mm256_storeu_ps(x + i, _mm256_div_ps(_mm256_loadu_ps(x + i), sum));
    if (rest > 0)
        store_tail(x + whole, rest,
                   _mm256_div_ps(load_tail(x + whole, rest, 0), sum));
}

static void
softmax_avx2(float *x, size_t rows, size_t columns, float scale)
{
    for (size_t row = 0; row < rows; row++, x += columns)
        softmax_row(x, columns, scale);
}

static void
gelu_avx2(float *x, size_t count)
{
    size_t i = 0;

    for (; i + LANES <= count; i += LANES)
        _mm256_storeu_ps(x + i, gelu_vector(_mm256_loadu_ps(x + i)));
    if (i < count)
        store_tail(x + i, count - i,
                   gelu_vector(load_tail(x + i, count - i, 0)));
}

static void
gelu_tanh_avx2(float *x, size_t count)
{
    size_t i = 0;

    for (; i + LANES <= count; i += LANES)
        _mm256_storeu_ps(x + i, gelu_tanh_vector(_mm256_loadu_ps(x + i)));
    if (i < count)
        store_tail(x + i, count - i,
                   gelu_tanh_vector(load_tail(x + i, count - i, 0)));
}

static void
relu_avx2(float *x, size_t count)
{
    const __m256 zero = _mm256_setzero_ps();
    size_t i = 0;

    for (; i + LANES <= count; i += LANES)
        _mm256_storeu_ps(x + i, _mm256_max_ps(_mm256_loadu_ps(x + i), zero));
    for (; i < count; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

static void
tanh_avx2(float *x, size_t count)
{
    size_t i = 0;

    for (; i + LANES <= count; i += LANES)
        _mm256_storeu_ps(x + i, tanh_vector(_mm256_loadu_ps(x + i)));
    if (i < count)
        store_tail(x + i, count - i,
                   tanh_vector(load_tail(x + i, count - i, 0)));
}

INS_ISA_END

const ins_kernels ins_kernels_avx2 = {
    .level = "avx2",
    .tiles = &ins_tiles_avx2,
#define INS_KERNEL(name, arguments, tolerance) .name = name##_avx2,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

/* Wider vectors gain little in the row kernels, which take a few per cent of
 * the time, and cost some processors their clock. */
const ins_kernels ins_kernels_avx512 = {
    .level = "avx512",
    .tiles = &ins_tiles_avx512,
#define INS_KERNEL(name, arguments, tolerance) .name = name##_avx2,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

#endif
