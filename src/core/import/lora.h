/*
 * lora.h - adds the product of two low-rank matrices to the rows of a weight.
 *
 * Source: Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language
 * Models".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LORA_H
#define INS_LORA_H

#include "formats/safetensors.h"

/* W + scale * B A, for a weight W of [rows, columns]. */
typedef struct ins_lora {
    const ins_safetensors *file; /* of both */
    const ins_safetensor *a;     /* [rank, columns]; NULL: nothing to add */
    const ins_safetensor *b;     /* [rows, rank] */
    double scale;
} ins_lora;

/* The same as numbers. */
typedef struct ins_lora_values {
    const ins_lora *lora; /* borrowed */
    float *a;             /* owned */
    float *b;             /* owned */
    double *row;          /* owned, [columns] */
} ins_lora_values;

/* Close also after a failure.  Errors: UNSUPPORTED, BAD_SOURCE, CANCELLED,
 * NO_MEMORY. */
ins_status ins_lora_open(ins_lora_values *values, const ins_lora *lora,
                         const ins_host *host, ins_error *error);
void ins_lora_close(ins_lora_values *values, const ins_host *host);

/*
 * Adds to count rows from first on; weights: [count][columns].  Sums are in
 * double and rounded once, so that the order in which they are made does not
 * show.  Errors: BAD_SOURCE when a sum is not finite, CANCELLED.
 */
ins_status ins_lora_add(const ins_lora_values *values, uint64_t first,
                        uint64_t count, float *weights, const ins_host *host,
                        ins_error *error);

#endif
