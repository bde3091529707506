/*
 * select.c - which kernel table this machine runs.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "kernels/kernels.h"

#include <string.h>

#include "base/cpu.h"

/* Best first. */
static const struct {
    const ins_kernels *kernels;
    unsigned needs; /* enum ins_cpu_features */
} levels[] = {
#if defined(__x86_64__)
    {&ins_kernels_avx512vnni, INS_CPU_AVX512 | INS_CPU_AVX512_VNNI},
    {&ins_kernels_avx512, INS_CPU_AVX512},
#if INS_HAS_AVX_VNNI
    {&ins_kernels_avxvnni, INS_CPU_AVX2_FMA | INS_CPU_AVX_VNNI},
#endif
    {&ins_kernels_avx2, INS_CPU_AVX2_FMA},
#elif defined(__aarch64__)
    {&ins_kernels_dotprod, INS_CPU_DOTPROD},
    {&ins_kernels_neon, 0},
#endif
    {&ins_kernels_scalar, 0},
    {&ins_kernels_openblas, 0},
};

#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

static const ins_kernels *
runnable_level(size_t index)
{
    unsigned features = ins_cpu_features();

    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if ((levels[i].needs & ~features) != 0)
            continue;
        if (index == 0)
            return levels[i].kernels;
        index--;
    }
    return NULL;
}

const char *
ins_kernel_level(size_t index)
{
    const ins_kernels *kernels = runnable_level(index);

    return kernels != NULL ? kernels->level : NULL;
}

static ins_status
fail_unknown_level(const char *level, ins_error *error)
{
    char names[128] = "auto";
    size_t length = strlen(names);
    const char *name;

    for (size_t i = 0; (name = ins_kernel_level(i)) != NULL; i++)
        length +=
            ins_format(names + length, sizeof(names) - length, ", %s", name);
    ins_fail(error, INS_INVALID_ARGUMENT,
             "kernel level \"%s\" is not available", level);
    ins_fail_hint(error, "This machine can run: %s.", names);
    return INS_INVALID_ARGUMENT;
}

ins_status
ins_kernels_select(const char *level, const ins_kernels **kernels,
                   ins_error *error)
{
    bool any = level == NULL || strcmp(level, "auto") == 0;

    for (size_t i = 0; (*kernels = runnable_level(i)) != NULL; i++)
        if (any || strcmp((*kernels)->level, level) == 0)
            return INS_OK;
    return fail_unknown_level(level, error);
}
