/*
 * export.h - the parts of export_model: each writes files of a Hugging Face
 * directory, or prints what is wrong and ends the program.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_EXPORT_H
#define INS_EXPORT_H

#include <jansson.h>

#include "import/architecture.h"
#include "pack/pack_reader.h"

typedef struct export_job {
    const ins_pack_view *view;
    const ins_architecture *architecture;
    const char *directory;
    bool is_half; /* weights as float16 */
} export_job;

/* ---- export_model.c ------------------------------------------------------ */

/* Prints the message and ends the program. */
_Noreturn void export_fail(const char *format, ...) INS_PRINTF(1);
/* A new file of the directory; the folder of its name is made. */
void export_bytes(const export_job *job, const char *name, const void *bytes,
                  size_t size);
/* Releases value; NULL fails. */
void export_json(const export_job *job, const char *name, json_t *value);
/* A JSON string; never NULL. */
json_t *export_string(ins_text text);

/* ---- the parts ----------------------------------------------------------- */

/* config.json, and for a model that embeds modules.json, 1_Pooling/config.json,
 * sentence_bert_config.json, config_sentence_transformers.json and, with a
 * lexical part, insitu_lexical.json. */
void export_config(const export_job *job);
/* tokenizer.json, tokenizer_config.json, special_tokens_map.json, and vocab.txt
 * where it can hold the vocabulary. */
void export_tokenizer(const export_job *job);
/* model.safetensors */
void export_weights(const export_job *job);

#endif
