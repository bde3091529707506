/*
 * source.c - the files that an import was given.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/source.h"

#include <string.h>

#include "base/memory.h"

#define MAX_SHARDS 256

/* Largest sizes of JSON files; a vocabulary of four million pieces, or what
 * has a number for each of them, has about 64 MB, other files a few kB. */
#define MAX_TOKENIZER_BYTES  ((uint64_t) 64 << 20)
#define MAX_TOKENIZER_VALUES ((uint64_t) 10 << 20)
#define MAX_INDEX_VALUES     ((uint64_t) 1 << 16)
#define MAX_CONFIG_BYTES     ((uint64_t) 4 << 20)
#define MAX_CONFIG_VALUES    ((uint64_t) 1 << 19)

/* In the order in which a host looks for them. */
const char *const ins_import_file_names[] = {
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "sentence_distilbert_config.json",
    "config_sentence_transformers.json",
    INS_LEXICAL_FILE,
    "model.safetensors",
    "model.safetensors.index.json",
    INS_IMPORT_ADAPTER,
    "adapter_model.safetensors",
    /* Never read: known to be there, so that a message can say what to do. */
    "pytorch_model.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "adapter_model.bin",
    NULL,
};

/* The five-digit number at text, or 0. */
static uint32_t
read_number(const char *text)
{
    uint32_t number = 0;

    for (int i = 0; i < 5; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        number = number * 10 + (uint32_t) (text[i] - '0');
    }
    return number;
}

bool
ins_import_is_shard(const char *name)
{
    static const char pattern[] = "model-NNNNN-of-NNNNN.safetensors";
    uint32_t number;
    uint32_t count;

    if (strlen(name) != sizeof(pattern) - 1 || strncmp(name, pattern, 6) != 0 ||
        strncmp(name + 11, "-of-", 4) != 0 ||
        strcmp(name + 20, pattern + 20) != 0)
        return false;
    number = read_number(name + 6);
    count = read_number(name + 15);
    return number >= 1 && number <= count && count <= MAX_SHARDS;
}

/* Git leaves such a text of 130 bytes where the file should be. */
static bool
is_lfs_pointer(const ins_source_file *file)
{
    static const char start[] = "version https://git-lfs.";

    return file->size >= sizeof(start) - 1 && file->size < 1024 &&
           memcmp(file->data, start, sizeof(start) - 1) == 0;
}

ins_status
ins_import_check_files(const ins_import_source *source, ins_error *error)
{
    for (size_t i = 0; i < source->count; i++) {
        const ins_source_file *file = &source->files[i];

        if (file->data == NULL)
            continue;
        INS_CHECK(file->size > 0, error, INS_BAD_SOURCE, "%s is empty",
                  file->name);
        if (is_lfs_pointer(file)) {
            ins_fail(error, INS_BAD_SOURCE, "%s is a Git LFS pointer",
                     file->name);
            ins_fail_hint(error, "Fetch the file itself with git lfs pull.");
            return INS_BAD_SOURCE;
        }
    }
    return INS_OK;
}

const ins_source_file *
ins_import_find(const ins_import_source *source, const char *name)
{
    for (size_t i = 0; i < source->count; i++)
        if (source->files[i].data != NULL &&
            strcmp(source->files[i].name, name) == 0)
            return &source->files[i];
    return NULL;
}

static ins_json_limits
choose_limits(const char *name)
{
    ins_json_limits limits = {MAX_CONFIG_BYTES, MAX_CONFIG_VALUES, false};

    if (strcmp(name, "tokenizer.json") == 0 ||
        strcmp(name, INS_LEXICAL_FILE) == 0)
        limits =
            (ins_json_limits){MAX_TOKENIZER_BYTES, MAX_TOKENIZER_VALUES, false};
    else if (strcmp(name, "model.safetensors.index.json") == 0)
        limits.values = MAX_INDEX_VALUES;
    else if (strcmp(name, "tokenizer_config.json") == 0)
        /* model_max_length is 1e30, written out, when nobody has set it. */
        limits.large_as_reals = true;
    return limits;
}

ins_status
ins_import_json(const ins_import_source *source, const char *name,
                ins_json *json, ins_error *error)
{
    const ins_source_file *file = ins_import_find(source, name);
    ins_json_limits limits = choose_limits(name);

    *json = (ins_json){name, "", INS_BAD_SOURCE, NULL};
    if (file == NULL)
        return INS_OK;
    INS_TRY(ins_poll(source->host, error));
    INS_CHECK(file->size <= limits.bytes, error, INS_LIMIT_EXCEEDED,
              "%s has %llu bytes; the limit is %llu", name,
              (unsigned long long) file->size,
              (unsigned long long) limits.bytes);
    return ins_json_open(json, (ins_text){file->data, (size_t) file->size},
                         &limits, source->host, error);
}

ins_status
ins_import_json_object(const ins_import_source *source, const char *name,
                       ins_json *json, ins_error *error)
{
    INS_TRY(ins_import_json(source, name, json, error));
    if (json->value != NULL && !json_is_object(json->value)) {
        ins_json_close(json);
        return ins_fail(error, INS_BAD_SOURCE, "%s must hold a JSON object",
                        name);
    }
    return INS_OK;
}
