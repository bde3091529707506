/*
 * adapter.c - sorts the files of an adapter and of its base.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/adapter.h"

#include <string.h>

#include "base/memory.h"

#define BASE_BYTES (sizeof(INS_IMPORT_BASE) - 1)

/* Files that belong together: all of a group are the adapter's, or the
 * base's. */
enum group { NO_GROUP, TOKENIZER, POOLING, GROUPS };

static enum group
find_group(const char *name)
{
    static const struct {
        const char *name;
        enum group group;
    } members[] = {
        {"tokenizer.json", TOKENIZER},
        {"tokenizer_config.json", TOKENIZER},
        {"vocab.txt", TOKENIZER},
        {"special_tokens_map.json", TOKENIZER},
        {"added_tokens.json", TOKENIZER},
        {"modules.json", POOLING},
        {"1_Pooling/config.json", POOLING},
        {"sentence_bert_config.json", POOLING},
        {"sentence_distilbert_config.json", POOLING},
        {"config_sentence_transformers.json", POOLING},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].group;
    return NO_GROUP;
}

static bool
is_of_base(const ins_source_file *file)
{
    return strncmp(file->name, INS_IMPORT_BASE, BASE_BYTES) == 0;
}

/* Of those that stand beside the base's files and are only the adapter's. */
static bool
is_of_adapter_alone(const char *name)
{
    return strcmp(name, INS_IMPORT_ADAPTER) == 0 ||
           strcmp(name, INS_ADAPTER_WEIGHTS) == 0 ||
           strcmp(name, "adapter_model.bin") == 0;
}

/* ---- the files of the import --------------------------------------------- */

struct sorting {
    ins_source_file *files;
    size_t count;
    bool has_own[GROUPS];
};

static ins_status
take_own_file(struct sorting *sorting, const ins_source_file *file,
              ins_error *error)
{
    ins_source_file *taken = &sorting->files[sorting->count];

    *taken = *file;
    if (strcmp(file->name, "config.json") == 0) {
        taken->name = INS_ADAPTER_CONFIG;
    } else if (!is_of_adapter_alone(file->name) &&
               find_group(file->name) == NO_GROUP) {
        ins_fail(error, INS_UNSUPPORTED,
                 "the directory has both %s and " INS_IMPORT_ADAPTER,
                 file->name);
        ins_fail_hint(error, "Remove one of them: a directory holds either a "
                             "whole model or an adapter.");
        return INS_UNSUPPORTED;
    }
    sorting->count++;
    return INS_OK;
}

static ins_status
take_base_file(struct sorting *sorting, const ins_source_file *file,
               ins_error *error)
{
    const char *name = file->name + BASE_BYTES;

    if (is_of_adapter_alone(name)) {
        ins_fail(error, INS_UNSUPPORTED,
                 "the base of the adapter is itself an adapter: it has %s",
                 name);
        ins_fail_hint(error, "Merge that one into its base with PEFT's "
                             "merge_and_unload(), save the model with "
                             "save_pretrained(), and name its directory in "
                             "\"base_model_name_or_path\".");
        return INS_UNSUPPORTED;
    }
    if (sorting->has_own[find_group(name)])
        return INS_OK;
    sorting->files[sorting->count] = *file;
    sorting->files[sorting->count++].name = name;
    return INS_OK;
}

static ins_status
sort_files(ins_adapter *adapter, ins_import_source *source, ins_error *error)
{
    struct sorting sorting = {.count = 0};
    void *memory;

    INS_TRY(ins_alloc(source->host, source->count, sizeof(ins_source_file),
                      &memory, error));
    adapter->files = sorting.files = memory;
    for (size_t i = 0; i < source->count; i++)
        if (!is_of_base(&source->files[i]))
            sorting.has_own[find_group(source->files[i].name)] = true;
    /* Files outside of the groups are told apart by name. */
    sorting.has_own[NO_GROUP] = false;
    for (size_t i = 0; i < source->count; i++) {
        const ins_source_file *file = &source->files[i];

        if (is_of_base(file))
            INS_TRY(take_base_file(&sorting, file, error));
        else
            INS_TRY(take_own_file(&sorting, file, error));
    }
    source->files = sorting.files;
    source->count = sorting.count;
    return INS_OK;
}

/* ---- opening ------------------------------------------------------------- */

static ins_status
fail_missing(const ins_import_source *source, ins_error *error)
{
    for (size_t i = 0; i < source->count; i++) {
        if (strcmp(source->files[i].name, "adapter_model.bin") != 0)
            continue;
        ins_fail(error, INS_UNSUPPORTED,
                 "the adapter's weights are in adapter_model.bin, which is "
                 "not supported");
        ins_fail_detail(error, "It is a pickle, a format that can run code "
                               "when it is read.");
        ins_fail_hint(error,
                      "Load the adapter with PEFT and save it with "
                      "save_pretrained(directory, safe_serialization=True).");
        return INS_UNSUPPORTED;
    }
    return ins_fail(error, INS_BAD_SOURCE, INS_ADAPTER_WEIGHTS " is missing");
}

static ins_status
open_weights(ins_adapter *adapter, const ins_import_source *source,
             ins_error *error)
{
    const ins_source_file *file = ins_import_find(source, INS_ADAPTER_WEIGHTS);
    void *memory;

    if (file == NULL)
        return fail_missing(source, error);
    INS_TRY(ins_safetensors_open(&adapter->weights, file->name, file->data,
                                 file->size, source->host, error));
    INS_CHECK(adapter->weights.count > 0, error, INS_BAD_SOURCE,
              "%s holds no tensor", file->name);
    INS_TRY(ins_alloc_zeroed(source->host, adapter->weights.count,
                             sizeof(ins_adapter_tensor), &memory, error));
    adapter->tensors = memory;
    return ins_adapter_read_names(adapter, source->host, error);
}

ins_status
ins_adapter_open(ins_adapter *adapter, ins_import_source *source,
                 ins_error *error)
{
    ins_adapter_settings *settings = &adapter->settings;

    *adapter = (ins_adapter){.files = NULL};
    if (ins_import_find(source, INS_IMPORT_ADAPTER) == NULL)
        return INS_OK;
    INS_TRY(ins_import_json_object(source, INS_IMPORT_ADAPTER, &settings->json,
                                   error));
    INS_TRY(ins_adapter_settings_read(settings, error));
    INS_TRY(sort_files(adapter, source, error));
    return open_weights(adapter, source, error);
}

void
ins_adapter_close(ins_adapter *adapter, const ins_host *host)
{
    ins_release(host, adapter->tensors);
    ins_safetensors_close(&adapter->weights, host);
    ins_release(host, adapter->files);
    ins_json_close(&adapter->settings.json);
    *adapter = (ins_adapter){.files = NULL};
}

/* ---- where the base is --------------------------------------------------- */

static ins_status
copy_path(const ins_json *json, char path[INS_IMPORT_PATH_BYTES],
          ins_error *error)
{
    const char *found = NULL;

    INS_TRY(ins_json_text(json, "base_model_name_or_path", &found, error));
    if (found == NULL || found[0] == '\0') {
        ins_json_fail_missing(json, "base_model_name_or_path", error);
        ins_fail_hint(error, "It names the directory of the model that the "
                             "adapter was trained on.");
        return INS_BAD_SOURCE;
    }
    INS_CHECK(strlen(found) < INS_IMPORT_PATH_BYTES, error, INS_BAD_SOURCE,
              "%s: \"base_model_name_or_path\" is too long", json->file);
    memcpy(path, found, strlen(found) + 1);
    return INS_OK;
}

ins_status
ins_import_base_path(const ins_source_file *adapter_config,
                     const ins_host *host, char path[INS_IMPORT_PATH_BYTES],
                     ins_error *error)
{
    const ins_import_source source = {adapter_config, 1, NULL, host};
    ins_json json;
    ins_status status;

    INS_TRY(ins_import_check_files(&source, error));
    INS_TRY(ins_import_json_object(&source, INS_IMPORT_ADAPTER, &json, error));
    status = copy_path(&json, path, error);
    ins_json_close(&json);
    return status;
}
