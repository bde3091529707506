/*
 * level_avxvnni.c - the kernels for AVX2 with 8-bit dot products (AVX-VNNI).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if INS_HAS_AVX_VNNI

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/isa.h"

#define LANES_VNNI

INS_ISA_BEGIN("avx2,fma,avxvnni")
#include "kernels/lanes_avx2.inc"

#include "kernels/attention.inc"
#include "kernels/gradients.inc"
#include "kernels/panels.inc"
#include "kernels/rows.inc"
INS_ISA_END

const ins_kernels ins_kernels_avxvnni = {
    .level = "avxvnni",
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

#endif
