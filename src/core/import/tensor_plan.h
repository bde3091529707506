/*
 * tensor_plan.h - which tensors of the checkpoint make which tensor of the
 * pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TENSOR_PLAN_H
#define INS_TENSOR_PLAN_H

#include "import/config.h"
#include "import/weights.h"

typedef struct ins_planned_tensor {
    uint32_t part_count;
    ins_weight parts[INS_MAX_PARTS]; /* one below the other */
    /* What an adapter adds to each, and what it takes the place of. */
    ins_lora loras[INS_MAX_PARTS];
    const ins_safetensor *replaced[INS_MAX_PARTS]; /* NULL: nothing */
} ins_planned_tensor;

typedef struct ins_tensor_plan {
    ins_planned_tensor *tensors; /* owned, in the pack's order */
    uint32_t count;
} ins_tensor_plan;

/*
 * Finds every tensor that the recipe demands and checks its shape; refuses
 * tensors inside the encoder that it does not know, and any unknown one of an
 * adapter.  weights: borrowed by the plan.  Close also after a failure.
 */
ins_status ins_tensor_plan_make(ins_tensor_plan *plan, const ins_config *config,
                                const ins_weights *weights,
                                const ins_host *host, ins_error *error);
void ins_tensor_plan_close(ins_tensor_plan *plan, const ins_host *host);

/* Converts all tensors into their places; pack: from ins_pack_write. */
ins_status ins_tensor_plan_fill(const ins_tensor_plan *plan,
                                const ins_pack_view *view, uint8_t *pack,
                                const ins_host *host, ins_error *error);

#endif
