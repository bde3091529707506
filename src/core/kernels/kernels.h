/*
 * kernels.h - the inner loops of the encoder, one table per instruction set.
 *
 * A table is constant; ins_kernels_select is a pure function of the machine
 * and the wished level, so that tests can walk over all levels that the
 * machine can run.  All levels give the same bits (lanes.h), but "openblas",
 * which runs the f32 products on OpenBLAS.
 *
 * add_norm      x = layer_norm(x + add), x: [rows][columns]; add may be NULL;
 *               norm: [2][columns], scale then bias; population variance
 * softmax       one row, columns >= 1
 * sigmoid       1 / (1 + e^-x)
 * activate      gelu: 0.5 x (1 + erf(x / sqrt 2)), to 1e-6; gelu_tanh: the
 *               approximation of Hendrycks & Gimpel 2016; relu; tanh
 * quantize      rows of floats to bytes: x = scale * (byte - zero), where the
 *               range of bytes covers 0 and the row's values; the bytes
 *               [columns, out_stride) become 0; a row with a value that is not
 *               finite gets a scale that is NaN
 * panel_<type>  out[rows][outputs] = activation(rows . weights^T + bias)
 * attend_<type> softmax(scale * query . key^T) . value of one head; int16
 *               rounds query, key, value and softmax to 14 bits and is exact
 *               from there on; false when the host cancelled
 *
 * For training:
 * norm_forward  out = layer_norm(x + add), keeping what backward needs; add may
 *               be NULL; out may be x
 * norm_backward gradient, [rows][columns], by out becomes that by x + add;
 *               norm_gradient: NULL, or [2][columns], added to
 * activate_backward  gradient *= f'(x), then x = f(x); relu'(0) = 0
 * softmax_backward   one row: gradient by the shares becomes that by the
 *               scores, which were multiplied with scale before softmax
 * add_rows      sum, [columns], += each of count rows
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_KERNELS_H
#define INS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "pack/pack_format.h"

/* Rows of activations.  The kernels of f32 and bf16 read floats, that of int8
 * what quantize wrote. */
typedef struct ins_rows {
    const void *values;
    size_t stride; /* bytes from one row to the next */
    size_t count;
    const float *scales; /* [count], int8 */
    const float *zeros;  /* [count], int8 */
} ins_rows;

/* The weights of up to 64 outputs, as pack_format.h lays them out. */
typedef struct ins_panel {
    const void *weights;
    size_t depth;        /* inputs */
    size_t outputs;      /* 1 to INS_PANEL_OUTPUTS */
    const float *scales; /* [64], int8: of each output's weights */
    const float *sums;   /* [64], int8: sum of each output's weights */
    const float *bias;   /* [outputs] */
    enum ins_activation activation;
    const void *next; /* read after this one: fetched ahead; NULL = none */
} ins_panel;

/* One head of one sequence.  Rows of query, key, value: stride floats apart. */
typedef struct ins_attention {
    const float *query;
    const float *key;
    const float *value;
    size_t stride;
    size_t length; /* tokens, 1 to INS_MAX_POSITIONS */
    size_t size;   /* values per head, 1 to INS_MAX_HIDDEN */
    float scale;
    float *out; /* [length][size], rows out_stride floats apart */
    size_t out_stride;
    float *scratch;       /* ins_attention_scratch(length, size) */
    const ins_host *host; /* asked whether to go on */
} ins_attention;

/* A layer norm of [rows][columns] that is kept for its gradient. */
typedef struct ins_norm {
    size_t rows;
    size_t columns;
    const float *norm; /* [2][columns]: scale, then bias */
    float epsilon;
    float *normal;  /* [rows][columns]: before scale and bias */
    float *factors; /* [rows]: 1 / sqrt(variance + epsilon) */
} ins_norm;

size_t ins_attention_scratch(size_t length, size_t size); /* floats */

typedef struct ins_kernels {
    const char *level;
    bool uses_blas; /* f32 products run on OpenBLAS */
#define INS_KERNEL(result, name, arguments) result(*name) arguments;
#include "kernels/kernels.def"
#undef INS_KERNEL
} ins_kernels;

/* GCC 10 does not know the instructions. */
#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 11)
#define INS_HAS_AVX_VNNI 1
#else
#define INS_HAS_AVX_VNNI 0
#endif

extern const ins_kernels ins_kernels_scalar;
extern const ins_kernels ins_kernels_openblas;
#if defined(__x86_64__)
extern const ins_kernels ins_kernels_avx2;
extern const ins_kernels ins_kernels_avxvnni;
extern const ins_kernels ins_kernels_avx512;
extern const ins_kernels ins_kernels_avx512vnni;
#elif defined(__aarch64__)
extern const ins_kernels ins_kernels_neon;
extern const ins_kernels ins_kernels_dotprod;
#endif

/* level: NULL or "auto" = the best this machine can run.  *kernels: constant.
 * Errors: INVALID_ARGUMENT, naming the levels there are. */
ins_status ins_kernels_select(const char *level, const ins_kernels **kernels,
                              ins_error *error);

#endif
