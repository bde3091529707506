/*
 * fuzz_adapter.c - any bytes as adapter_config.json or, after a first byte of
 * 'W', as adapter_model.safetensors of an otherwise good adapter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fuzz/one_file.h"
#include "unit/tiny_adapter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tiny_model model;

    if (model.count == 0)
        tiny_adapter_open(&model, NULL, TINY_CLASSIFIER, ADAPTER_LORA);
    if (size > 0 && data[0] == 'W')
        fuzz_one_file(&model, ADAPTER_WEIGHTS, data + 1, size - 1);
    else
        fuzz_one_file(&model, ADAPTER_CONFIG, data, size);
    return 0;
}
