/*
 * fuzz_lexical.c - any bytes as insitu_lexical.json.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fuzz/one_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tiny_model model;

    if (model.count == 0)
        tiny_open(&model, TINY_SENTENCE | TINY_LEXICAL);
    fuzz_one_file(&model, "insitu_lexical.json", data, size);
    return 0;
}
