/*
 * token_rows.h - the texts of a training as tokens.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TOKEN_ROWS_H
#define INS_TOKEN_ROWS_H

#include "pack/pack_reader.h"
#include "train/progress.h"
#include "train/rows.h"

typedef struct ins_token_limits {
    uint32_t max_tokens; /* of a text; longer ones are cut as in ins_run */
    bool document;       /* the document prompt comes first */
    uint64_t max_count;  /* of all texts */
} ins_token_limits;

/* Owned. */
typedef struct ins_token_rows {
    int32_t *ids;     /* of all texts, one behind the other */
    uint64_t *starts; /* [rows + 1] */
    uint32_t longest; /* tokens of a text */
} ins_token_rows;

/* Memory of so many tokens, and of all else. */
uint64_t ins_token_rows_token_bytes(uint64_t tokens);
uint64_t ins_token_rows_bytes(uint64_t texts, uint32_t max_tokens);
/* How many tokens of so many bytes each fit below the limit beside the
 * others' bytes. */
uint64_t ins_token_rows_fitting(uint64_t limit, uint64_t others,
                                uint64_t token_bytes);
/*
 * Walks over the texts twice: to count, then to fill.  Is the phase "tokenize".
 * Close also after a failure.  Errors: LIMIT_EXCEEDED, NO_MEMORY, CANCELLED.
 */
ins_status ins_token_rows_open(ins_token_rows *tokens,
                               const ins_row_store *rows,
                               const ins_pack_view *view,
                               const ins_token_limits *limits,
                               ins_progress *progress, ins_error *error);
void ins_token_rows_close(ins_token_rows *tokens, const ins_host *host);

#endif
