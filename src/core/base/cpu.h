/*
 * cpu.h - what this machine's processor and operating system can run; the only
 * place that asks.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CPU_H
#define INS_CPU_H

/* Bundles: each means all the named instructions and the register state that
 * the operating system must save (XCR0). */
enum ins_cpu_features {
    INS_CPU_AVX2_FMA = 1u << 0,
    INS_CPU_AVX512 = 1u << 1, /* F, BW, VL and DQ, with AVX2 and FMA */
    INS_CPU_AVX512_VNNI = 1u << 2,
    INS_CPU_AVX_VNNI = 1u << 3,
    INS_CPU_DOTPROD = 1u << 4 /* of AArch64 */
};

unsigned ins_cpu_features(void);

#endif
