/*
 * bad_case.c - runs rows of the catalogue of bad inputs as cmocka tests.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/bad_case.h"

static void
apply_damage(const bad_case *bad, tiny_model *model)
{
    if (bad->damage != NULL)
        bad->damage(model);
    if (bad->file == NULL)
        return;
    if (bad->to == NULL)
        tiny_remove(model, bad->file);
    else if (bad->from == NULL)
        tiny_set_text(model, bad->file, bad->to);
    else if (strstr(bad->file, ".safetensors") != NULL &&
             strstr(bad->file, ".json") == NULL)
        assert_true(tiny_edit_header(model, bad->file, bad->from, bad->to));
    else
        assert_true(tiny_replace(model, bad->file, bad->from, bad->to));
}

/* What comes from a file must not reach somebody's terminal as it is. */
static void
assert_printable(const char *text)
{
    for (; *text != '\0'; text++)
        assert_true((unsigned char) *text >= 0x20 && *text != 0x7f);
}

static bool
says(const ins_error *error, const char *words)
{
    return strstr(error->message, words) != NULL ||
           strstr(error->detail, words) != NULL ||
           strstr(error->hint, words) != NULL;
}

static void
check_error(const bad_case *bad, const ins_error *error)
{
    if (!says(error, bad->words))
        print_error("said: %s | %s | %s\nnot:  %s\n", error->message,
                    error->detail, error->hint, bad->words);
    assert_true(says(error, bad->words));
    assert_int_equal(error->status, bad->status);
    assert_printable(error->message);
    assert_printable(error->detail);
    assert_printable(error->hint);
}

static void
run_bad_case(void **state)
{
    const bad_case *bad = *state;
    tiny_model model;
    tiny_host host;
    ins_error error = {.status = INS_OK};
    void *pack;
    size_t size;
    ins_status status;

    tiny_host_open(&host);
    tiny_open(&model, bad->flags);
    apply_damage(bad, &model);
    status = tiny_import(&model, &host.host, &pack, &size, &error);
    tiny_close(&model);
    if (status != bad->status)
        print_error("said: %d %s | %s\n", (int) status, error.message,
                    error.detail);
    assert_int_equal(status, bad->status);
    if (status == INS_OK)
        host.host.release(&host, pack);
    else
        check_error(bad, &error);
    assert_true(status == INS_OK || pack == NULL);
    assert_int_equal(host.live_blocks, 0);
}

int
run_bad_cases(const char *group, const bad_case *cases, size_t count)
{
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));
    int failures;

    if (tests == NULL)
        return 1;
    for (size_t i = 0; i < count; i++) {
        tests[i].name = cases[i].name;
        tests[i].test_func = run_bad_case;
        tests[i].initial_state = (void *) (uintptr_t) &cases[i];
    }
    failures = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failures;
}
