/*
 * key.c - what a row is found by: SHA-256, over libmd.
 *
 * Two texts with the same key would need a collision of SHA-256, so that a
 * wrong row cannot be found.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "memo/memo.h"

#include <string.h>

/* One block of the hash: a key of a short text takes one more. */
#define SCOPE_BYTES 64
#define LEVEL_BYTES 24

_Static_assert(INS_MEMO_IDENTITY_BYTES + 2 * sizeof(uint32_t) + LEVEL_BYTES ==
                   SCOPE_BYTES,
               "the scope is one block");

void
ins_memo_scope_open(ins_memo_scope *scope, const ins_memo_settings *settings)
{
    uint8_t block[SCOPE_BYTES] = {0};
    uint8_t *at = block;
    uint32_t numbers[2] = {settings->max_tokens, settings->error_on_long_input};

    memcpy(at, settings->identity, INS_MEMO_IDENTITY_BYTES);
    at += INS_MEMO_IDENTITY_BYTES;
    memcpy(at, numbers, sizeof(numbers));
    at += sizeof(numbers);
    memcpy(at, settings->kernels, strnlen(settings->kernels, LEVEL_BYTES));
    SHA256Init(&scope->state);
    SHA256Update(&scope->state, block, sizeof(block));
}

/* The task stands behind the text: everything else has a fixed length. */
void
ins_memo_key(const ins_memo_scope *scope, ins_task task, ins_text text,
             uint8_t key[INS_MEMO_KEY_BYTES])
{
    SHA2_CTX state = scope->state;
    uint8_t suffix = (uint8_t) task;

    if (text.size > 0)
        SHA256Update(&state, (const uint8_t *) text.data, text.size);
    SHA256Update(&state, &suffix, 1);
    SHA256Final(key, &state);
}
