/*
 * weights.c - the tensors of a checkpoint, in one safetensors file or several.
 *
 * The index of a sharded checkpoint names files.  Such a name is compared with
 * the names that were given, never opened, and must look like a shard's.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/weights.h"

#include <string.h>

#define SINGLE_FILE "model.safetensors"
#define INDEX_FILE  "model.safetensors.index.json"

/* ---- no weights --------------------------------------------------------- */

static ins_status
fail_missing(const ins_import_source *source, ins_error *error)
{
    static const char *const others[] = {"pytorch_model.bin", "tf_model.h5",
                                         "flax_model.msgpack"};

    for (size_t i = 0; i < source->count; i++) {
        const char *name = source->files[i].name;

        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
            if (strcmp(name, others[k]) != 0)
                continue;
            ins_fail(error, INS_UNSUPPORTED,
                     "the weights are in %s, which is not supported", name);
            ins_fail_detail(error, "%s",
                            k == 0 ? "It is a pickle, a format that can run "
                                     "code when it is read."
                                   : "Only safetensors files are read.");
            ins_fail_hint(error,
                          "Load the model with transformers and save it with "
                          "save_pretrained(directory, "
                          "safe_serialization=True).");
            return INS_UNSUPPORTED;
        }
    }
    return ins_fail(error, INS_BAD_SOURCE, SINGLE_FILE " is missing");
}

/* ---- opening ------------------------------------------------------------ */

static ins_status
open_file(ins_weights *weights, const ins_source_file *file,
          const ins_host *host, ins_error *error)
{
    INS_TRY(ins_safetensors_open(&weights->files[weights->file_count],
                                 file->name, file->data, file->size, host,
                                 error));
    weights->file_count++;
    return INS_OK;
}

static const ins_safetensors *
find_file(const ins_weights *weights, const char *name)
{
    for (uint32_t i = 0; i < weights->file_count; i++)
        if (strcmp(weights->files[i].file, name) == 0)
            return &weights->files[i];
    return NULL;
}

static ins_status
open_shard(ins_weights *weights, const ins_import_source *source,
           const char *tensor, const json_t *value, ins_error *error)
{
    const char *name = json_string_value(value);
    const ins_source_file *file;

    INS_CHECK(name != NULL && ins_import_is_shard(name), error, INS_BAD_SOURCE,
              INDEX_FILE ": tensor \"%.*s\" is said to be in \"%.*s\", which "
                         "is not a shard's name",
              100, tensor, 64, name != NULL ? name : "");
    if (find_file(weights, name) != NULL)
        return INS_OK;
    file = ins_import_find(source, name);
    INS_CHECK(file != NULL, error, INS_BAD_SOURCE,
              "%s is missing, which " INDEX_FILE " names", name);
    return open_file(weights, file, source->host, error);
}

static ins_status
open_shards(ins_weights *weights, const ins_import_source *source,
            ins_error *error)
{
    ins_json map;
    const char *tensor;
    json_t *name;

    INS_TRY(ins_import_json_object(source, INDEX_FILE, &weights->index, error));
    if (weights->index.value == NULL)
        return fail_missing(source, error);
    INS_TRY(ins_json_object(&weights->index, "weight_map", "weight_map.", &map,
                            error));
    if (map.value == NULL)
        return ins_json_fail_missing(&weights->index, "weight_map", error);
    json_object_foreach((json_t *) map.value, tensor, name)
    {
        INS_TRY(open_shard(weights, source, tensor, name, error));
    }
    return INS_OK;
}

ins_status
ins_weights_open(ins_weights *weights, const ins_import_source *source,
                 const ins_adapter *adapter, ins_error *error)
{
    const ins_source_file *single = ins_import_find(source, SINGLE_FILE);
    void *memory;

    *weights = (ins_weights){.adapter = adapter};
    INS_TRY(ins_alloc_zeroed(source->host, source->count,
                             sizeof(ins_safetensors), &memory, error));
    weights->files = memory;
    if (single != NULL)
        return open_file(weights, single, source->host, error);
    return open_shards(weights, source, error);
}

void
ins_weights_close(ins_weights *weights, const ins_host *host)
{
    for (uint32_t i = 0; i < weights->file_count; i++)
        ins_safetensors_close(&weights->files[i], host);
    ins_release(host, weights->files);
    if (weights->index.value != NULL)
        ins_json_close(&weights->index);
    weights->files = NULL;
    weights->file_count = 0;
}

ins_status
ins_weights_find(const ins_weights *weights, const char *name,
                 ins_weight *weight, ins_error *error)
{
    const json_t *map;
    const char *shard;

    *weight = (ins_weight){NULL, NULL};
    if (weights->index.value == NULL) {
        weight->file = &weights->files[0];
        weight->tensor = ins_safetensors_find(weight->file, name);
        return INS_OK;
    }
    map = json_object_get(weights->index.value, "weight_map");
    shard = json_string_value(json_object_get(map, name));
    if (shard == NULL)
        return INS_OK;
    /* Every shard of the map is open. */
    weight->file = find_file(weights, shard);
    weight->tensor = ins_safetensors_find(weight->file, name);
    INS_CHECK(weight->tensor != NULL, error, INS_BAD_SOURCE,
              "%s: tensor \"%.*s\" is missing, which " INDEX_FILE
              " says to be there",
              shard, 100, name);
    return INS_OK;
}
