/*
 * kernels.h - the row operations of the encoder, one table per instruction set.
 *
 * A table is constant; ins_kernels_select is a pure function of the machine
 * and the wished level, so that tests can walk over all levels that the
 * machine can run.  Levels, worst first: "scalar", "avx2".
 *
 * add_bias   x[rows][columns] += bias[columns]
 * add_norm   x = layer_norm(x + add); add may be NULL; norm: [2][columns],
 *            scale then bias; population variance
 * softmax    each row of x[rows][columns] becomes softmax(scale * row),
 *            columns >= 1
 * gelu       0.5 x (1 + erf(x / sqrt 2)); gelu_tanh is the tanh approximation
 *            (Hendrycks & Gimpel 2016)
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_KERNELS_H
#define INS_KERNELS_H

#include <stddef.h>

#include "base/status.h"

typedef struct ins_kernels {
    const char *level;
#define INS_KERNEL(name, arguments, tolerance) void(*name) arguments;
#include "kernels/kernels.def"
#undef INS_KERNEL
} ins_kernels;

extern const ins_kernels ins_kernels_scalar;
#if defined(__x86_64__)
extern const ins_kernels ins_kernels_avx2;
#endif

/* level: NULL or "auto" = the best this machine can run.  *kernels: constant.
 * Errors: INVALID_ARGUMENT, naming the levels there are. */
ins_status ins_kernels_select(const char *level, const ins_kernels **kernels,
                              ins_error *error);

#endif
