/*
 * tokenizer.h - text to token ids, exactly as Hugging Face's BertNormalizer,
 * BertPreTokenizer and WordPiece give them.
 *
 * Source: the behaviour of the "tokenizers" library; Schuster & Nakajima
 * (2012), "Japanese and Korean voice search", for WordPiece.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TOKENIZER_H
#define INS_TOKENIZER_H

#include "base/memory.h"
#include "pack/pack_reader.h"

typedef struct ins_tokenizer ins_tokenizer;

/* Scratch memory for one caller; view: borrowed, outlives the tokenizer. */
ins_status ins_tokenizer_open(ins_tokenizer **tokenizer,
                              const ins_pack_view *view, const ins_host *host,
                              ins_error *error);
void ins_tokenizer_close(ins_tokenizer *tokenizer);
/* All memory of it. */
size_t ins_tokenizer_bytes(const ins_tokenizer *tokenizer);

/*
 * Tokens of prompt followed by text, as if they were one string (prompt may
 * have size 0; its tokens have offsets 0, 0), between [CLS] and [SEP].
 *
 * limit > 0: stops reading as soon as the result is known to be longer than
 * limit tokens (>= 2), keeps the first limit - 1 and ends with [SEP]; *count is
 * then <= limit and *truncated says whether something was cut.
 * limit 0: *count is the full number; at most capacity tokens are stored.
 * Time is linear in the bytes read; polls for cancellation every 64 kB and
 * within long words.
 * Allocates nothing, unless a prompt meets a text of more than 64 kB.
 */
ins_status ins_tokenizer_run(ins_tokenizer *tokenizer, ins_text prompt,
                             ins_text text, size_t limit, ins_token *tokens,
                             size_t capacity, size_t *count, bool *truncated,
                             ins_error *error);

#endif
