/*
 * memo.h - the keys of a memo, and looking up and storing rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_MEMO_H
#define INS_MEMO_H

#include <sha2.h>

#include "base/status.h"
#include "insitu_memo.h"

#define INS_MEMO_KEY_BYTES 32

/* Longer texts are not looked up: hashing them would take as long as some
 * models need for the part of them that they read. */
#define INS_MEMO_TEXT_BYTES ((size_t) 32 << 10)

/* What all keys of a session begin with, hashed already. */
typedef struct ins_memo_scope {
    SHA2_CTX state;
} ins_memo_scope;

/* All that decides about a row beside task and text. */
typedef struct ins_memo_settings {
    const uint8_t *identity; /* [INS_MEMO_IDENTITY_BYTES] of the model */
    const char *kernels;     /* the level: other levels round otherwise */
    uint32_t max_tokens;
    bool error_on_long_input;
} ins_memo_settings;

void ins_memo_scope_open(ins_memo_scope *scope,
                         const ins_memo_settings *settings);
void ins_memo_key(const ins_memo_scope *scope, ins_task task, ins_text text,
                  uint8_t key[INS_MEMO_KEY_BYTES]);

/* True and row[values] filled when there is such a row; counts. */
bool ins_memo_find(ins_memo *memo, const uint8_t key[INS_MEMO_KEY_BYTES],
                   float *row, uint32_t values);
/* Keeps row[values], values >= 1, in the place of the oldest rows.  A row that
 * takes more than a quarter of the memory is not kept. */
void ins_memo_put(ins_memo *memo, const uint8_t key[INS_MEMO_KEY_BYTES],
                  const float *row, uint32_t values);

#endif
