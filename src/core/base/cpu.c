/*
 * cpu.c - feature bundles from the compiler's runtime, which reads CPUID and
 * XCR0.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/cpu.h"

unsigned
ins_cpu_features(void)
{
    unsigned features = 0;

#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        features |= INS_CPU_AVX2_FMA;
    if ((features & INS_CPU_AVX2_FMA) && __builtin_cpu_supports("avx512f"))
        features |= INS_CPU_AVX512;
#endif
    return features;
}
