/*
 * level_dotprod.c - the kernels for AArch64 with 8-bit dot products (Armv8.2).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "kernels/isa.h"

#define LANES_DOTPROD
INS_ISA_BEGIN("arch=armv8.2-a+dotprod")
#include "kernels/lanes_neon.inc"

#include "kernels/attention.inc"
#include "kernels/gradients.inc"
#include "kernels/panels.inc"
#include "kernels/rows.inc"
INS_ISA_END

const ins_kernels ins_kernels_dotprod = {
    .level = "dotprod",
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

#endif
