/*
 * peak.c - what one core can do: multiply-adds on registers alone.
 *
 * Prints "int8 GOPS f32 GFLOPS": two operations per multiply-add.  The widest
 * instructions of this machine are chosen when it runs.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define STREAMS 12 /* independent sums hide the latency */
#define STEPS   2000000

/* The sums are variables, not an array, so that they stay in registers. */
#define EACH(X)  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define HOLD(n)  __asm__ volatile("" : "+v"(s##n));
#define BEGIN(n) __typeof__(a) s##n = a;

#define MEASURE(name, features, type, zero, STEP)            \
    __attribute__((target(features))) static void name(void) \
    {                                                        \
        type a = zero;                                       \
        type b = zero;                                       \
        __asm__ volatile("" : "+v"(a), "+v"(b));             \
        EACH(BEGIN)                                          \
        for (long n = 0; n < STEPS; n++) {                   \
            EACH(STEP)                                       \
            EACH(HOLD)                                       \
        }                                                    \
    }

#define INT8_512(n) s##n = _mm512_dpbusd_epi32(s##n, a, b);
#define F32_512(n)  s##n = _mm512_fmadd_ps(a, b, s##n);
#define INT8_256(n)               \
    s##n = _mm256_add_epi32(s##n, \
                            _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), a));
#define F32_256(n) s##n = _mm256_fmadd_ps(a, b, s##n);

MEASURE(int8_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
        INT8_512)
MEASURE(f32_512, "avx512f", __m512, _mm512_setzero_ps(), F32_512)
MEASURE(int8_256, "avx2", __m256i, _mm256_setzero_si256(), INT8_256)
MEASURE(f32_256, "avx2,fma", __m256, _mm256_setzero_ps(), F32_256)

static double
rate(void (*work)(void), double lanes)
{
    double best = 0;

    work();
    for (int i = 0; i < 5; i++) {
        struct timespec a, b;
        double seconds;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        work();
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        seconds = (double) (b.tv_sec - a.tv_sec) +
                  (double) (b.tv_nsec - a.tv_nsec) * 1e-9;
        if (2.0 * lanes * STREAMS * STEPS / seconds > best)
            best = 2.0 * lanes * STREAMS * STEPS / seconds;
    }
    return best / 1e9;
}

int
main(void)
{
    double int8 = __builtin_cpu_supports("avx512vnni") ? rate(int8_512, 64)
                                                       : rate(int8_256, 32);
    double f32 = __builtin_cpu_supports("avx512f") ? rate(f32_512, 16)
                                                   : rate(f32_256, 8);

    printf("%.1f %.1f\n", int8, f32);
    return 0;
}
#else
int
main(void)
{
    printf("0 0\n");
    return 0;
}
#endif
