/*
 * cpu.c - feature bundles from the compiler's runtime, which reads CPUID and
 * XCR0.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/cpu.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)

/* Leaf 7.1, EAX bit 4: the runtimes of gcc 12 and clang 14 have no name. */
static bool
has_avx_vnni(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4)) != 0;
}

#endif

unsigned
ins_cpu_features(void)
{
    unsigned features = 0;

#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        features |= INS_CPU_AVX2_FMA;
    if ((features & INS_CPU_AVX2_FMA) && has_avx_vnni())
        features |= INS_CPU_AVX_VNNI;
    if ((features & INS_CPU_AVX2_FMA) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        features |= INS_CPU_AVX512;
    if ((features & INS_CPU_AVX512) && __builtin_cpu_supports("avx512vnni"))
        features |= INS_CPU_AVX512_VNNI;
#elif defined(__aarch64__)
    if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP)
        features |= INS_CPU_DOTPROD;
#endif
    return features;
}
