/*
 * insitu_import.h - turn the files of a Hugging Face directory into a pack.
 *
 *     ins_source_file files[] = {{"config.json", config, config_bytes},
 *                                {"vocab.txt", vocab, vocab_bytes}, ...};
 *     ins_import_options options = INS_IMPORT_DEFAULTS;
 *
 *     ins_import(files, count, &options, &host, &pack, &pack_bytes, &error);
 *     ...
 *     host.release(host.user, pack);
 *
 * The importer sees bytes only: it opens no file, and a file name found inside
 * a file is compared with the given names, never opened.  The one path that
 * leads elsewhere, to the base of an adapter, is the host's to follow.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_IMPORT_H
#define INSITU_IMPORT_H

#include "insitu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One file of the directory; name is relative, such as "1_Pooling/config.json".
 * data NULL: the file is there but was not read (a pickle, say). */
typedef struct ins_source_file {
    const char *name;
    const void *data; /* borrowed */
    uint64_t size;    /* bytes */
} ins_source_file;

typedef enum ins_pooling_choice {
    INS_POOLING_FROM_SOURCE = 0,
    INS_POOLING_CHOICE_MEAN,
    INS_POOLING_CHOICE_CLS,
    INS_POOLING_CHOICE_MAX
} ins_pooling_choice;

/* The number type of the weights: how large and fast the model becomes.  Every
 * head stays f32. */
typedef enum ins_weights_choice {
    INS_WEIGHTS_CHOICE_DEFAULT = 0, /* int8 */
    INS_WEIGHTS_CHOICE_F32,         /* as precise as the source */
    INS_WEIGHTS_CHOICE_BF16,        /* half the size of f32 */
    INS_WEIGHTS_CHOICE_INT8         /* a quarter, and by far the fastest */
} ins_weights_choice;

typedef struct ins_import_options {
    uint32_t max_tokens; /* lowers the source's limit; 0 = the source's */
    ins_pooling_choice pooling; /* overrides 1_Pooling/config.json */
    int normalize;              /* -1 = as the source says, 0, 1 */
    uint64_t max_bytes;         /* refuse larger packs; 0 = 2 GB */
    bool restricted;            /* for the host: only grantees may use it */
    ins_weights_choice weights;
    int lexical; /* -1 = as the source says, 0 = leave that part out, 1 */
} ins_import_options;

#define INS_IMPORT_DEFAULTS                                                   \
    {                                                                         \
        0, INS_POOLING_FROM_SOURCE, -1, 0, false, INS_WEIGHTS_CHOICE_DEFAULT, \
            -1                                                                \
    }

/*
 * Reads the JSON object that SQL users pass as options:
 * {"max_tokens": 128, "pooling": "cls", "normalize": true, "weights": "int8",
 *  "lexical": false, "restricted": true}.
 * Unknown keys, wrong types and duplicates are INS_INVALID_ARGUMENT.
 */
ins_status ins_import_options_parse(ins_import_options *options, ins_text json,
                                    ins_error *error);

/*
 * Names of the files an importer may read, NULL-terminated, in the order in
 * which a host should look for them.  Shards come beside them:
 * ins_import_is_shard says whether a name is "model-00001-of-00002.safetensors"
 * with a plausible number.
 */
extern const char *const ins_import_file_names[];
bool ins_import_is_shard(const char *name);

/*
 * A directory with adapter_config.json holds an adapter: what to add to the
 * weights of another directory, its base, and what to put in their place.
 * The base's files are given beside the adapter's, with a prefix to each name:
 * "base/model.safetensors".
 */
#define INS_IMPORT_ADAPTER    "adapter_config.json"
#define INS_IMPORT_BASE       "base/"
#define INS_IMPORT_PATH_BYTES 4096
/* Where adapter_config.json says the base is: a path, to be taken relative to
 * the adapter's directory unless it is absolute. */
ins_status ins_import_base_path(const ins_source_file *adapter_config,
                                const ins_host *host,
                                char path[INS_IMPORT_PATH_BYTES],
                                ins_error *error);

/* *pack: allocated from host, owned by the caller. */
ins_status ins_import(const ins_source_file *files, size_t count,
                      const ins_import_options *options, const ins_host *host,
                      void **pack, size_t *pack_bytes, ins_error *error);

/*
 * Validates a pack that came from elsewhere (export, copy) in full, weights
 * included: what ins_model_open checks, and that every weight is finite.
 */
ins_status ins_pack_check(const void *pack, size_t size, const ins_host *host,
                          ins_error *error);

/* SHA-256 of the pack's bytes: the identity of a model on every host. */
#define INS_DIGEST_BYTES 32
typedef struct ins_digest ins_digest; /* running state */
ins_status ins_digest_open(ins_digest **digest, const ins_host *host,
                           ins_error *error);
void ins_digest_add(ins_digest *digest, const void *data, size_t size);
/* Fills out and closes; digest NULL is allowed and does nothing. */
void ins_digest_close(ins_digest *digest, uint8_t out[INS_DIGEST_BYTES]);
/* Over one buffer, polling for cancellation every megabyte. */
ins_status ins_digest_of(const void *data, size_t size, const ins_host *host,
                         uint8_t out[INS_DIGEST_BYTES], ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
