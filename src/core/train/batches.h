/*
 * batches.h - mini-batches of texts of similar length, in an order that the
 * seed decides.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_BATCHES_H
#define INS_BATCHES_H

#include "train/sampling.h"

typedef struct ins_batches {
    uint32_t *order;        /* [count] of rows; borrowed, and reordered */
    const uint64_t *starts; /* [rows + 1] of the texts, in tokens; borrowed */
    size_t count;
    uint32_t size;     /* rows of a batch; the last of order may have fewer */
    uint32_t longest;  /* tokens of a text, at most */
    uint32_t *batches; /* [batch_count]: their turn; owned */
    size_t batch_count;
    uint32_t *sorted; /* a pool's rows; owned */
    uint32_t *places; /* [longest + 1]; owned */
} ins_batches;

typedef struct ins_batch_rows {
    const uint32_t *rows;
    uint32_t count;
} ins_batch_rows;

/* batches: order to longest are set, count and size >= 1.  Close also after a
 * failure.  Errors: NO_MEMORY. */
ins_status ins_batches_open(ins_batches *batches, const ins_host *host,
                            ins_error *error);
void ins_batches_close(ins_batches *batches, const ins_host *host);
/* Memory of batches for so many rows. */
uint64_t ins_batches_bytes(size_t count, uint32_t size, uint32_t longest);

/*
 * A new order for an epoch: rows are shuffled and cut into pools of many
 * batches, a pool is sorted by length and cut into batches, and these are
 * shuffled.  Polls.  Errors: CANCELLED.
 */
ins_status ins_batches_shuffle(ins_batches *batches, uint64_t *random,
                               const ins_host *host, ins_error *error);
/* Rows alone in order of length, batches from the shortest on: where nothing
 * learns.  Polls.  Errors: CANCELLED. */
ins_status ins_batches_sort(ins_batches *batches, const ins_host *host,
                            ins_error *error);
/* i: from 0 to batch_count - 1; valid until the next order. */
ins_batch_rows ins_batches_at(const ins_batches *batches, size_t i);

#endif
