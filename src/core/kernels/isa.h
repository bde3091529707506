/*
 * isa.h - compile the functions between BEGIN and END for an instruction set.
 *
 * Pragmas instead of -m flags: the same file must compile under any build
 * system, and code after END must stay baseline.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ISA_H
#define INS_ISA_H

#define INS_ISA_PRAGMA(text) _Pragma(#text)

/* Before a loop over constants whose sums must stay in registers. */
#if defined(__clang__)
#define INS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define INS_UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__clang__)
#define INS_ISA_BEGIN(features)                                            \
    INS_ISA_PRAGMA(clang attribute push(__attribute__((target(features))), \
                                        apply_to = function))
#define INS_ISA_END _Pragma("clang attribute pop")
#else
#define INS_ISA_BEGIN(features) \
    _Pragma("GCC push_options") INS_ISA_PRAGMA(GCC target(features))
#define INS_ISA_END _Pragma("GCC pop_options")
#endif

#endif
