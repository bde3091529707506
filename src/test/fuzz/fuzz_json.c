/*
 * fuzz_json.c - our JSON parser against jansson's: both accept the same texts
 * and read the same values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "formats/json_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reals may differ in the last place; then only the acceptance is compared. */
static bool
has_reals(const char *data, size_t size)
{
    return memchr(data, '.', size) != NULL || memchr(data, 'e', size) != NULL ||
           memchr(data, 'E', size) != NULL;
}

/* Limits that jansson does not have. */
static bool
is_limit(const ins_json_failure *failure)
{
    return failure->status == INS_LIMIT_EXCEEDED ||
           (failure->problem != NULL &&
            strncmp(failure->problem, "nested", 6) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *) data;
    ins_json_failure failure = {NULL, INS_OK, 0};
    json_t *ours =
        ins_json_parse((ins_text){text, size}, 100000, false, NULL, &failure);
    json_t *theirs;

    if (ours == NULL && is_limit(&failure))
        return 0;
    /* jansson 2.14 overlooks a NUL after a number; RFC 8259 does not. */
    if (memchr(text, 0, size) != NULL) {
        if (ours != NULL)
            abort();
        return 0;
    }
    theirs = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if ((ours == NULL) != (theirs == NULL))
        abort();
    if (ours != NULL && !has_reals(text, size) && !json_equal(ours, theirs))
        abort();
    json_decref(ours);
    json_decref(theirs);
    return 0;
}
