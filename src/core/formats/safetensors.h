/*
 * safetensors.h - the header of a safetensors file, validated, as tensor views.
 *
 * The rules are those of the reference reader's validate(): names are unique,
 * the tensors lie one after the other from offset 0 without holes or overlap,
 * each one's length is the product of its shape times the size of its type,
 * and nothing follows the last.
 *
 * Source: the format's description at github.com/huggingface/safetensors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SAFETENSORS_H
#define INS_SAFETENSORS_H

#include "base/memory.h"
#include "formats/json.h"

#define INS_SAFETENSORS_MAX_HEADER ((uint64_t) 16 << 20)
#define INS_SAFETENSORS_MAX_COUNT  4096
#define INS_SAFETENSORS_MAX_RANK   8
#define INS_SAFETENSORS_MAX_NAME   512

typedef struct ins_safetensor {
    const char *name; /* borrowed from the header */
    const char *type; /* "F32", ...; borrowed from a constant table */
    uint32_t rank;
    uint64_t shape[INS_SAFETENSORS_MAX_RANK];
    uint64_t count; /* of values */
    uint64_t begin; /* in the data */
    uint64_t end;
} ins_safetensor;

typedef struct ins_safetensors {
    const char *file;        /* name for messages; borrowed */
    const uint8_t *data;     /* what offsets count from; borrowed */
    ins_json header;         /* owned */
    ins_safetensor *tensors; /* sorted by name; owned */
    uint32_t count;
} ins_safetensors;

/* bytes: borrowed until close.  Errors: BAD_SOURCE, LIMIT_EXCEEDED,
 * UNSUPPORTED, NO_MEMORY; nothing needs closing after a failure. */
ins_status ins_safetensors_open(ins_safetensors *file, const char *name,
                                const void *bytes, uint64_t size,
                                const ins_host *host, ins_error *error);
void ins_safetensors_close(ins_safetensors *file, const ins_host *host);

/* NULL when there is none. */
const ins_safetensor *ins_safetensors_find(const ins_safetensors *file,
                                           const char *name);

/*
 * Stores the tensor's values, [tensor->count], as floats; F32, F16 and BF16
 * convert exactly.  A value that is not finite is refused, with the tensor's
 * name.  Errors: UNSUPPORTED, BAD_SOURCE, CANCELLED.
 */
ins_status ins_safetensors_read(const ins_safetensors *file,
                                const ins_safetensor *tensor,
                                const ins_host *host, float *values,
                                ins_error *error);
/* The same for count values from first on; the range is inside the tensor. */
ins_status ins_safetensors_read_range(const ins_safetensors *file,
                                      const ins_safetensor *tensor,
                                      uint64_t first, uint64_t count,
                                      const ins_host *host, float *values,
                                      ins_error *error);

#endif
