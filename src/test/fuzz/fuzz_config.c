/*
 * fuzz_config.c - any bytes as config.json of an otherwise good model: what is
 * accepted makes a pack that passes every check.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "unit/tiny_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tiny_model *
shared_model(void)
{
    static tiny_model model;

    if (model.count == 0)
        tiny_open(&model, TINY_CLASSIFIER);
    return &model;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tiny_model model = *shared_model();
    tiny_host host;
    ins_error error = {.status = INS_OK};
    void *pack;
    size_t pack_bytes;

    for (size_t i = 0; i < model.count; i++) {
        if (strcmp(model.files[i].name, "config.json") == 0) {
            model.files[i].data = data;
            model.files[i].size = size;
        }
    }
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
