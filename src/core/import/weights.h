/*
 * weights.h - the tensors of a checkpoint, in one safetensors file or several.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WEIGHTS_H
#define INS_WEIGHTS_H

#include "import/adapter.h"

typedef struct ins_weights {
    ins_safetensors *files; /* owned, [file_count] */
    uint32_t file_count;
    ins_json index; /* of a sharded checkpoint; value NULL otherwise */
    const ins_adapter *adapter; /* what changes them; borrowed */
} ins_weights;

/* A tensor and the file it is in. */
typedef struct ins_weight {
    const ins_safetensors *file;
    const ins_safetensor *tensor; /* NULL: there is none of that name */
} ins_weight;

/* adapter: borrowed, open or not.  Close also after a failure. */
ins_status ins_weights_open(ins_weights *weights,
                            const ins_import_source *source,
                            const ins_adapter *adapter, ins_error *error);
void ins_weights_close(ins_weights *weights, const ins_host *host);

/* BAD_SOURCE when the index names a file that does not have the tensor. */
ins_status ins_weights_find(const ins_weights *weights, const char *name,
                            ins_weight *weight, ins_error *error);

#endif
