/*
 * test_cpu.c - the features found and the kernel levels agree.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/cpu.h"
#include "insitu.h"

static bool
has_level(const char *name)
{
    for (size_t i = 0; ins_kernel_level(i) != NULL; i++)
        if (strcmp(ins_kernel_level(i), name) == 0)
            return true;
    return false;
}

static void
test_features_do_not_change(void **state)
{
    (void) state;
    assert_int_equal(ins_cpu_features(), ins_cpu_features());
}

/* AVX-512 code also uses AVX2 and FMA. */
static void
test_avx512_includes_avx2(void **state)
{
    unsigned features = ins_cpu_features();

    (void) state;
    if (features & INS_CPU_AVX512)
        assert_true((features & INS_CPU_AVX2_FMA) != 0);
}

static void
test_levels_follow_the_features(void **state)
{
    unsigned features = ins_cpu_features();

    (void) state;
    assert_true(has_level("scalar"));
    assert_int_equal(has_level("avx2"), (features & INS_CPU_AVX2_FMA) != 0);
    assert_int_equal(has_level("avx512"), (features & INS_CPU_AVX512) != 0);
    assert_int_equal(has_level("avxvnni"), (features & INS_CPU_AVX_VNNI) != 0);
    assert_int_equal(has_level("avx512vnni"),
                     (features & INS_CPU_AVX512_VNNI) != 0);
}

static void
test_plain_c_comes_last(void **state)
{
    size_t count = 0;

    (void) state;
    while (ins_kernel_level(count) != NULL)
        count++;
    assert_string_equal(ins_kernel_level(count - 2), "scalar");
    assert_string_equal(ins_kernel_level(count - 1), "openblas");
    assert_null(ins_kernel_level(count + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_do_not_change),
        cmocka_unit_test(test_avx512_includes_avx2),
        cmocka_unit_test(test_levels_follow_the_features),
        cmocka_unit_test(test_plain_c_comes_last),
    };

    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
