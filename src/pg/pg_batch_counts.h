/*
 * pg_batch_counts.h - what a batch scan has done, in all of its processes.
 *
 * Below a Gather each process runs a copy of the node.  Workers count in the
 * query's shared memory, one slot each; the leader counts for itself and adds
 * the slots up before that memory goes.  What workers do after the leader's
 * node was shut down, as when a LIMIT is reached, is not in the sum.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_BATCH_COUNTS_H
#define PG_BATCH_COUNTS_H

typedef struct batch_counts {
    uint64 batches;
    uint64 texts;
    uint64 tokens;
    uint64 largest; /* texts of one batch */
} batch_counts;

typedef struct shared_slot shared_slot;
typedef struct shared_counts shared_counts;

/* Of one process; zeroed at the beginning. */
typedef struct batch_tally {
    batch_counts counts; /* of this process and of workers that were added */
    shared_counts
        *shared;       /* leader: of the workers; NULL when there are none */
    shared_slot *slot; /* worker: its own; NULL elsewhere */
} batch_tally;

void count_batch(batch_tally *tally, uint32 texts, uint64 tokens);

/* Bytes of shared memory for so many workers. */
Size shared_counts_size(int workers);

/* In the leader: memory, of shared_counts_size(workers) bytes, becomes that of
 * the workers to come and stays so until collect_counts. */
void share_counts(batch_tally *tally, void *memory, int workers);

/* In worker number (from 0), with what the leader has prepared. */
void join_counts(batch_tally *tally, void *memory, int number);

/* In the leader: adds the workers' counts and forgets the shared memory; in
 * other processes, and again, it does nothing. */
void collect_counts(batch_tally *tally);

#endif
