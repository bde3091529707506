/*
 * encoder.h - token ids to hidden states: a post-norm transformer encoder over
 * packed sequences, without padding.
 *
 * Source: Devlin et al. (2018), "BERT: Pre-training of Deep Bidirectional
 * Transformers for Language Understanding".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ENCODER_H
#define INS_ENCODER_H

#include "base/memory.h"
#include "kernels/linear.h"
#include "pack/pack_reader.h"

typedef struct ins_encoder ins_encoder;

/* Several texts, one after the other. */
typedef struct ins_batch {
    const int32_t *ids;     /* [token_count], each < recipe->vocabulary */
    const uint32_t *starts; /* [sequence_count + 1]; starts[0] = 0 */
    uint32_t sequence_count;
    uint32_t token_count; /* = starts[sequence_count] <= batch_tokens */
} ins_batch;

/*
 * Allocates the workspace for batches of up to batch_tokens tokens, in which
 * no sequence is longer than recipe->max_tokens.  view and kernels: borrowed.
 */
ins_status ins_encoder_open(ins_encoder **encoder, const ins_pack_view *view,
                            uint32_t batch_tokens,
                            const struct ins_kernels *kernels,
                            const ins_host *host, ins_error *error);
void ins_encoder_close(ins_encoder *encoder);
size_t ins_encoder_bytes(const ins_encoder *encoder);

/*
 * *hidden: [token_count][hidden], inside the workspace, valid until the next
 * call.  Polls for cancellation between matrix products, which are cut into
 * row blocks so that none takes longer than about 60 ms.
 */
ins_status ins_encoder_forward(ins_encoder *encoder, const ins_batch *batch,
                               const float **hidden, ins_error *error);

/* The matrix of a role with the bias of another, both in the pack. */
ins_linear ins_encoder_linear(const ins_pack_view *view, uint32_t role,
                              uint32_t bias_role, uint32_t layer);
/* Scales an embedding to length 1, or leaves zeros as they are; returns the
 * length that it had. */
float ins_encoder_normalize(float *row, size_t columns);
/* For layers outside the encoder, such as a head; valid as long as it. */
const ins_linear_context *ins_encoder_context(const ins_encoder *encoder);

#endif
