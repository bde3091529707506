/*
 * level_neon.c - the kernels for Advanced SIMD of AArch64.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "kernels/isa.h"

#include "kernels/lanes_neon.inc"

#include "kernels/attention.inc"
#include "kernels/gradients.inc"
#include "kernels/panels.inc"
#include "kernels/rows.inc"

const ins_kernels ins_kernels_neon = {
    .level = "neon",
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

#endif
