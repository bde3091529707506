/*
 * kernels.h - the row operations of the encoder, one table per instruction set.
 *
 * A table is constant; ins_kernels_select is a pure function of the machine
 * and the wished level, so that tests can walk over all levels that the
 * machine can run.  Levels, worst first: "scalar", "avx2",
 * "avx512".
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

/*
 * A few rows of a by a few outputs, in registers.  product: out = a . b^T with
 * b [outputs][depth]; plain: out = a . b with b [depth][outputs].  Each sum is
 * taken in one order, whatever the tile's rows and outputs are.
 */
#define INS_TILE_ROWS 6

typedef struct ins_tile {
    const float *a; /* [rows][depth] */
    size_t a_stride;
    const float *b;
    size_t b_stride;
    size_t depth;
    float *out; /* [rows][outputs] */
    size_t out_stride;
    size_t rows;    /* 1 to INS_TILE_ROWS */
    size_t outputs; /* product: 1 to ins_tiles.outputs; plain: any */
} ins_tile;

typedef struct ins_tiles {
    size_t outputs;
    void (*product)(const ins_tile *tile);
    void (*plain)(const ins_tile *tile);
} ins_tiles;

typedef struct ins_kernels {
    const char *level;
    const ins_tiles *tiles; /* NULL: matrix products on OpenBLAS */
#define INS_KERNEL(name, arguments, tolerance) void(*name) arguments;
#include "kernels/kernels.def"
#undef INS_KERNEL
} ins_kernels;

extern const ins_kernels ins_kernels_scalar;
#if defined(__x86_64__)
extern const ins_kernels ins_kernels_avx2;
extern const ins_kernels ins_kernels_avx512;
extern const ins_tiles ins_tiles_avx2;
extern const ins_tiles ins_tiles_avx512;
#endif

/* level: NULL or "auto" = the best this machine can run.  *kernels: constant.
 * Errors: INVALID_ARGUMENT, naming the levels there are. */
ins_status ins_kernels_select(const char *level, const ins_kernels **kernels,
                              ins_error *error);

#endif
