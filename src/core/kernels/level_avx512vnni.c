/*
 * level_avx512vnni.c - the kernels for AVX-512 with 8-bit dot products (VNNI).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/isa.h"

#define LANES_VNNI

INS_ISA_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")
#include "kernels/lanes_avx512.inc"

#include "kernels/attention.inc"
#include "kernels/gradients.inc"
#include "kernels/panels.inc"
#include "kernels/rows.inc"
INS_ISA_END

const ins_kernels ins_kernels_avx512vnni = {
    .level = "avx512vnni",
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

#endif
