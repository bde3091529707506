/*
 * fuzz_config.c - any bytes as config.json.
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
        tiny_open(&model, TINY_CLASSIFIER);
    fuzz_one_file(&model, "config.json", data, size);
    return 0;
}
