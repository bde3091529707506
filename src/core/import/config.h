/*
 * config.h - config.json, the sentence-transformers files and
 * insitu_lexical.json, as a recipe.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CONFIG_H
#define INS_CONFIG_H

#include "import/adapter.h"
#include "import/architecture.h"
#include "import/source.h"
#include "pack/pack_reader.h"

typedef struct ins_config {
    const ins_architecture *architecture;
    ins_pack_recipe recipe;
    ins_string_table labels; /* owned */
    bool has_pad_id;
    uint32_t pad_id;
    uint32_t query_prompt_bytes;
    uint32_t document_prompt_bytes;
    bool must_lowercase; /* sentence-transformers lower-cases the text first */
    float *lexical_weights; /* owned, [recipe.vocabulary]; NULL without */
    char query_prompt[INS_MAX_PROMPT_BYTES];
    char document_prompt[INS_MAX_PROMPT_BYTES];
} ins_config;

/*
 * Reads config.json and, where they are, the files of sentence-transformers
 * and model_max_length; applies the options.  adapter: NULL, or what changes
 * config.json if it is open.  Close also after a failure.
 * Errors: BAD_SOURCE, UNSUPPORTED, INVALID_ARGUMENT, LIMIT_EXCEEDED,
 * NO_MEMORY.
 */
ins_status ins_config_read(ins_config *config, const ins_import_source *source,
                           const ins_adapter *adapter, ins_error *error);
void ins_config_close(ins_config *config, const ins_host *host);

/* ---- the parts, each in a file of its own ------------------------------- */

/* labels.c: id2label, num_labels, problem_type of a classifier. */
ins_status ins_config_read_labels(ins_config *config, const ins_json *json,
                                  const ins_host *host, ins_error *error);

/* sentence_transformers.c: pooling, normalisation, prompts. */
ins_status ins_config_read_pooling(ins_config *config,
                                   const ins_import_source *source,
                                   ins_error *error);
/* *limit: max_seq_length, or unchanged. */
ins_status ins_config_read_limit(ins_config *config,
                                 const ins_import_source *source,
                                 uint32_t *limit, ins_error *error);

/* lexical.c: the lexical part, of a model whose pooling is read. */
ins_status ins_config_read_lexical(ins_config *config,
                                   const ins_import_source *source,
                                   ins_error *error);

#endif
