/*
 * level_scalar.c - the kernels in plain C, for every machine; and the same
 * with f32 products on OpenBLAS, an independent reference of them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"
#include "kernels/lanes_scalar.inc"

#include "kernels/attention.inc"
#include "kernels/gradients.inc"
#include "kernels/panels.inc"
#include "kernels/rows.inc"

const ins_kernels ins_kernels_scalar = {
    .level = "scalar",
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};

const ins_kernels ins_kernels_openblas = {
    .level = "openblas",
    .uses_blas = true,
#define INS_KERNEL(result, name, arguments) .name = name,
#include "kernels/kernels.def"
#undef INS_KERNEL
};
