/*
 * converted_base.h - a base model with its weights in another number type.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CONVERTED_BASE_H
#define INS_CONVERTED_BASE_H

#include "insitu_train.h"
#include "pack/pack_reader.h"

typedef struct ins_converted_base {
    void *pack; /* owned; NULL: the base has the number type already */
    ins_model *model;
    ins_pack_view view;
} ins_converted_base;

/* Memory that conversion needs at its height; 0 when there is none. */
uint64_t ins_converted_base_bytes(const ins_pack_view *view,
                                  ins_weights_choice choice);
/* Polls.  Close also after a failure.  Errors: NO_MEMORY, CANCELLED,
 * LIMIT_EXCEEDED. */
ins_status ins_converted_base_open(ins_converted_base *converted,
                                   const ins_pack_view *view,
                                   ins_weights_choice choice,
                                   const ins_host *host, ins_error *error);
void ins_converted_base_close(ins_converted_base *converted,
                              const ins_host *host);

#endif
