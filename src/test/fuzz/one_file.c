/*
 * one_file.c - any bytes as one file of an otherwise good model.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fuzz/one_file.h"

#include <stdlib.h>
#include <string.h>

void
fuzz_one_file(const tiny_model *model, const char *name, const uint8_t *data,
              size_t size)
{
    tiny_model copy = *model;
    tiny_host host;
    ins_error error = {.status = INS_OK};
    void *pack;
    size_t pack_bytes;

    for (size_t i = 0; i < copy.count; i++) {
        if (strcmp(copy.files[i].name, name) == 0) {
            copy.files[i].data = data;
            copy.files[i].size = size;
        }
    }
    tiny_host_open(&host);
    if (tiny_import(&copy, &host.host, &pack, &pack_bytes, &error) == INS_OK) {
        if (ins_pack_check(pack, pack_bytes, &host.host, &error) != INS_OK)
            abort();
        host.host.release(&host, pack);
    } else if (error.message[0] == '\0' || pack != NULL) {
        abort();
    }
    if (host.live_blocks != 0)
        abort();
}
