/*
 * vocabulary.h - the tokenizer files, as the tokenizer sections of a pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_VOCABULARY_H
#define INS_VOCABULARY_H

#include "import/config.h"
#include "pack/pack_reader.h"

typedef struct ins_vocabulary {
    ins_pack_tokenizer tokenizer;
    ins_string_table pieces;            /* owned, ends and bytes */
    uint32_t *index;                    /* owned, [tokenizer.index_slots] */
    ins_pack_added_token *added_tokens; /* owned, [tokenizer.added_tokens] */
    char *added_bytes;                  /* owned */
    uint64_t added_bytes_size;
} ins_vocabulary;

/*
 * Reads tokenizer.json or, without it, vocab.txt with tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json.  config: read already.
 * Close also after a failure.
 */
ins_status ins_vocabulary_read(ins_vocabulary *vocabulary,
                               const ins_config *config,
                               const ins_import_source *source,
                               ins_error *error);
void ins_vocabulary_close(ins_vocabulary *vocabulary, const ins_host *host);

/* ---- the parts, each in a file of its own ------------------------------- */

/* tokenizer_json.c */
ins_status ins_vocabulary_read_json(ins_vocabulary *vocabulary,
                                    const ins_config *config,
                                    const ins_json *json, const ins_host *host,
                                    ins_error *error);
/* vocab_txt.c */
ins_status ins_vocabulary_read_text(ins_vocabulary *vocabulary,
                                    const ins_config *config,
                                    const ins_import_source *source,
                                    ins_error *error);

/* ---- vocabulary.c, used by the parts ------------------------------------ */

/* An added token before it is stored; content: borrowed. */
typedef struct ins_added_token {
    uint32_t id;
    uint32_t flags; /* enum ins_added_token_flags */
    ins_text content;
} ins_added_token;

/* Room for count pieces of together bytes; they are filled by the caller. */
ins_status ins_vocabulary_open_pieces(ins_vocabulary *vocabulary,
                                      uint64_t count, uint64_t bytes,
                                      const ins_host *host, uint32_t **ends,
                                      char **text, ins_error *error);
/* After the pieces: makes them searchable. */
ins_status ins_vocabulary_build_index(ins_vocabulary *vocabulary,
                                      const ins_host *host, ins_error *error);
/* Id of a piece, or -1. */
int32_t ins_vocabulary_find(const ins_vocabulary *vocabulary, ins_text piece);
/*
 * Checks, sorts by id and stores the added tokens.  file: for messages.  A
 * content that is a piece must have that piece's id, and an id or content must
 * not come twice.
 */
ins_status ins_vocabulary_add_tokens(ins_vocabulary *vocabulary,
                                     const ins_config *config, const char *file,
                                     ins_added_token *tokens, size_t count,
                                     const ins_host *host, ins_error *error);

#endif
