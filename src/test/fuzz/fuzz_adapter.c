/*
 * fuzz_adapter.c - any bytes as adapter_config.json or, after a first byte of
 * 'W', as adapter_model.safetensors of an otherwise good adapter: what is
 * accepted makes a pack that passes every check.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "unit/tiny_adapter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tiny_model *
shared_adapter(void)
{
    static tiny_model model;

    if (model.count == 0)
        tiny_adapter_open(&model, NULL, TINY_CLASSIFIER, ADAPTER_LORA);
    return &model;
}

static void
replace(tiny_model *model, const char *name, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < model->count; i++) {
        if (strcmp(model->files[i].name, name) == 0) {
            model->files[i].data = data;
            model->files[i].size = size;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tiny_model model = *shared_adapter();
    tiny_host host;
    ins_error error = {.status = INS_OK};
    void *pack;
    size_t pack_bytes;

    if (size > 0 && data[0] == 'W')
        replace(&model, ADAPTER_WEIGHTS, data + 1, size - 1);
    else
        replace(&model, ADAPTER_CONFIG, data, size);
    tiny_host_open(&host);
    if (tiny_import(&model, &host.host, &pack, &pack_bytes, &error) == INS_OK) {
        if (ins_pack_check(pack, pack_bytes, &host.host, &error) != INS_OK)
            abort();
        host.host.release(&host, pack);
    } else if (error.message[0] == '\0' || pack != NULL) {
        abort();
    }
    if (host.live_blocks != 0)
        abort();
    return 0;
}
