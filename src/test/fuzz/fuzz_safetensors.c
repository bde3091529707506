/*
 * fuzz_safetensors.c - the safetensors reader against a slow, plain check of
 * the same rules in 128-bit arithmetic.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"
#include "unit/tiny_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef unsigned __int128 wide;

static void
demand(bool condition)
{
    if (!condition)
        abort();
}

static wide
bits_of(const char *type)
{
    if (strcmp(type, "F32") == 0 || strcmp(type, "I32") == 0 ||
        strcmp(type, "U32") == 0)
        return 32;
    if (strstr(type, "64") != NULL)
        return 64;
    if (strstr(type, "16") != NULL)
        return 16;
    if (strncmp(type, "F6", 2) == 0)
        return 6;
    return strcmp(type, "F4") == 0 ? 4 : 8;
}

/* Rules that a single tensor must keep, counted without overflow. */
static void
check_tensor(const ins_safetensor *tensor, uint64_t data_bytes)
{
    wide bits = bits_of(tensor->type);
    wide count = 1;

    for (uint32_t i = 0; i < tensor->rank; i++) {
        count *= tensor->shape[i];
        demand(count <= UINT64_MAX);
    }
    demand(count == tensor->count);
    demand(tensor->begin <= tensor->end && tensor->end <= data_bytes);
    demand(count * bits == (wide) (tensor->end - tensor->begin) * 8);
}

/* Together they cover the data, and no two share a byte. */
static void
check_cover(const ins_safetensors *file, uint64_t data_bytes)
{
    wide sum = 0;

    for (uint32_t i = 0; i < file->count; i++) {
        const ins_safetensor *a = &file->tensors[i];

        check_tensor(a, data_bytes);
        sum += a->end - a->begin;
        for (uint32_t k = 0; k < i; k++) {
            const ins_safetensor *b = &file->tensors[k];

            demand(strcmp(b->name, a->name) < 0);
            demand(a->end <= b->begin || b->end <= a->begin ||
                   a->begin == a->end || b->begin == b->end);
        }
    }
    demand(sum == data_bytes);
}

static void
read_values(const ins_safetensors *file, const ins_host *host)
{
    for (uint32_t i = 0; i < file->count && i < 64; i++) {
        const ins_safetensor *tensor = &file->tensors[i];
        ins_error error;
        float *values;

        demand(ins_safetensors_find(file, tensor->name) == tensor);
        if (tensor->count > 100000)
            continue;
        values = malloc((size_t) tensor->count * sizeof(float) + 1);
        if (values == NULL)
            continue;
        ins_safetensors_read(file, tensor, host, values, &error);
        free(values);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tiny_host host;
    ins_safetensors file;
    ins_error error;

    tiny_host_open(&host);
    if (ins_safetensors_open(&file, "f", data, size, &host.host, &error) ==
        INS_OK) {
        uint64_t length;

        memcpy(&length, data, sizeof(length));
        check_cover(&file, size - 8 - length);
        read_values(&file, &host.host);
        ins_safetensors_close(&file, &host.host);
    }
    demand(host.live_blocks == 0);
    return 0;
}
