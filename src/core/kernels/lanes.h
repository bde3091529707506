/*
 * lanes.h - sixteen numbers at a time, the same on every instruction set.
 *
 * The kernels are written once, in rows.inc, panels.inc and attention.inc, over
 * two types: floats (sixteen floats) and ints (sixteen int32_t).  Each
 * lanes_<set>.inc gives the types and the functions below for one instruction
 * set, and each level_<x>.c compiles the kernels over one of them.  Since every
 * level rounds the same operations in the same order, every level gives the
 * same bits:
 *
 *   - a product and a sum are one operation, floats_fma, or two, never as the
 *     compiler likes (-ffp-contract=off);
 *   - a sum over lanes is taken as 8 + 8, 4 + 4, 2 + 2, 1 + 1;
 *   - products of integers are exact, so their order is free;
 *   - floats_min(a, b) is a < b ? a : b and floats_max(a, b) is a > b ? a : b,
 *     as on x86: b when one is not a number.
 *
 * floats:
 *   floats_set(x)                all lanes x
 *   floats_load(p), _store(p, v) sixteen values, unaligned
 *   floats_load_part(p, n)       n < 16 values, the other lanes 0; reads no
 *                                byte behind them
 *   floats_store_part(p, n, v)   writes n values only
 *   floats_keep(v, n)            lanes from n on become 0
 *   floats_add sub mul div min max; floats_fma(a, b, c) = a * b + c
 *   floats_negate_if(v, s)       v with its sign turned where s is negative
 *   floats_abs
 *   floats_to_ints(v)            to nearest, ties to even; |v| < 2^22, or not a
 *                                number, which becomes INT32_MIN
 *   floats_sum, _highest, _lowest
 * ints:
 *   ints_zero, ints_load, ints_set(x), ints_add, ints_sum
 *   ints_to_floats               rounded to nearest
 *   ints_power(n)                floats 2^n, -126 <= n <= 127
 *   ints_pair(a, b)              low 16 bits of a below those of b
 *   ints_store(p, v)             as int32_t[16]
 *   ints_store_columns(p, s, v)  v[i] becomes column i of sixteen rows at p,
 *                                s numbers apart
 *   ints_store_shorts(p, v)      as int16_t[16]; values fit
 *   ints_store_bytes(p, v)       as uint8_t[16]; values fit
 * products:
 *   quads, quads_set(p)          four uint8_t at p, for all lanes
 *   weight_quads, weight_quads_load(p)     int8_t[16][4]
 *   ints_dot_bytes(s, a, w)      s[i] += sum of a[j] * w[i][j], exact
 *   shorts, shorts_set(p)        two int16_t at p, for all lanes
 *   short_pairs, short_pairs_load(p)   int16_t[16][2]
 *   ints_dot_shorts(s, a, b)     s[i] += sum of a[j] * b[i][j], exact
 *   floats_low(p), floats_high(p) bfloat16 [16][2] at p as floats
 *
 * LANES_TILE_VECTORS: vectors of outputs that a tile of six rows keeps in
 * registers.  LANES_PIN(v): v lies in registers at this point; without it gcc
 * 12 keeps a copy of each sum in memory and writes it at every step.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LANES_H
#define INS_LANES_H

#include <stddef.h>
#include <stdint.h>

#define LANES 16

/* Vectors in registers need all of it inlined.  What a sanitizer adds to 16
 * lanes in plain C, inlined, takes the compiler a quarter of an hour. */
#if defined(__SANITIZE_ADDRESS__) && !defined(INS_LANES_IN_REGISTERS)
#define INS_INLINE static inline __attribute__((unused))
#else
#define INS_INLINE static inline __attribute__((always_inline, unused))
#endif

/* count rounded up to a multiple of LANES. */
INS_INLINE size_t
whole_vectors(size_t count)
{
    return (count + LANES - 1) / LANES * LANES;
}

#endif
