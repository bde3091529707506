/*
 * tiny_adapter.h - makes a LoRA adapter beside the files of its base, a tiny
 * model, and the same model with the adapter merged into its weights.
 *
 * All numbers are multiples of small powers of two, so that the merged weights
 * are exact whatever the order of the sums.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TINY_ADAPTER_H
#define TINY_ADAPTER_H

#include "unit/tiny_model.h"

#define ADAPTER_CONFIG  "adapter_config.json"
#define ADAPTER_WEIGHTS "adapter_model.safetensors"

enum tiny_adapter_flags {
    ADAPTER_LORA = 1 << 0,      /* rank 4, alpha 8, on queries and values */
    ADAPTER_DENSE = 1 << 1,     /* and on "dense": all of BERT's others */
    ADAPTER_HEAD = 1 << 2,      /* a classifier of four labels */
    ADAPTER_OLD_NAMES = 1 << 3, /* with the adapter's name in them */
    ADAPTER_BARE = 1 << 4,      /* without "bert.", as of BertModel */
    ADAPTER_F16 = 1 << 5,
    ADAPTER_STABILISED = 1 << 6, /* use_rslora */
    ADAPTER_PATTERNS = 1 << 7,   /* rank 2, alpha 16 for layer 1's values */
    ADAPTER_BIASES = 1 << 8      /* "bias": "all", of layer 0's query */
};

/*
 * adapter: its files, and the base's as "base/...".  merged: what the base's
 * would be, but for config.json, which stays the base's; NULL if not wanted.
 * flags: of tiny_open; the weights are F32 in one file.
 */
void tiny_adapter_open(tiny_model *adapter, tiny_model *merged, unsigned flags,
                       unsigned adapter_flags);

#endif
