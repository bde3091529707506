/*
 * sampling.h - reproducible shuffles, and which rows are held back.
 *
 * Source: the shuffle of Fisher & Yates.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SAMPLING_H
#define INS_SAMPLING_H

#include "base/memory.h"
#include "base/random.h"

/* Fisher and Yates's shuffle.  Polls.  Errors: CANCELLED. */
ins_status ins_shuffle(uint32_t *items, size_t count, uint64_t *random,
                       const ins_host *host, ins_error *error);

/* What rows are labelled with; one of targets and marks is set. */
typedef struct ins_row_labels {
    const uint32_t *targets; /* [count] */
    const uint8_t *marks;    /* [count][labels], 0 or 1 */
    size_t count;            /* below 2^32 */
    uint32_t labels;
} ins_row_labels;

/*
 * Puts the numbers of all rows into order, [count], the held-back ones behind
 * the others, and sets *held to how many they are, about fraction * count.
 * With one label per row each label loses its share; a label's last row is
 * never held back, so that none goes without training.  Polls.
 * Errors: NO_MEMORY, CANCELLED.
 */
ins_status ins_hold_back(const ins_row_labels *rows, double fraction,
                         uint64_t *random, uint32_t *order, size_t *held,
                         const ins_host *host, ins_error *error);

#endif
