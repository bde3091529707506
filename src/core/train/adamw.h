/*
 * adamw.h - AdamW over one long vector of floats.
 *
 * Source: Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization",
 * in the form of torch.optim.AdamW: bias correction, epsilon beside the root.
 * The gradient is first scaled down to a norm of options.clip at most (Pascanu
 * et al. 2013), and the rate rises and falls in straight lines.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ADAMW_H
#define INS_ADAMW_H

#include "base/memory.h"

/* Part of the vector.  What no span covers stays as it is. */
typedef struct ins_adamw_span {
    uint64_t first;
    uint64_t count;
    float rate; /* multiplies the step's learning rate */
    bool decays;
} ins_adamw_span;

typedef struct ins_adamw_options {
    double beta1, beta2; /* of the means of gradient and square */
    double epsilon;
    double weight_decay;
    double clip; /* highest norm of the gradient; 0 = any */
} ins_adamw_options;

/* beta 0.9 and 0.999, epsilon 1e-8, decay 0.01, clip 1. */
extern const ins_adamw_options ins_adamw_defaults;

typedef struct ins_adamw {
    ins_adamw_options options;
    const ins_adamw_span *spans; /* borrowed; sorted, disjoint */
    size_t span_count;
    float *mean;                     /* [count]; owned */
    float *square;                   /* [count]; owned */
    double beta1_power, beta2_power; /* beta to the number of steps */
    ins_host host;
} ins_adamw;

/* count: floats of the vector.  Close also after a failure.
 * Errors: NO_MEMORY. */
ins_status ins_adamw_open(ins_adamw *adamw, uint64_t count,
                          const ins_adamw_options *options,
                          const ins_host *host, ins_error *error);
void ins_adamw_close(ins_adamw *adamw);

/*
 * One step: values[i] moves against gradient[i], for all i inside the spans.
 * norm: of the gradient before it was scaled; NULL = not wanted.
 * Polls.  Errors: CANCELLED (values are then partly moved), INTERNAL when the
 * gradient is not finite (nothing has moved).
 */
ins_status ins_adamw_step(ins_adamw *adamw, float *values,
                          const float *gradient, double rate, double *norm,
                          ins_error *error);

/*
 * The learning rate of a step from 0 to steps - 1, as a fraction of the
 * highest: from 1/n up over the first n = warmup * steps, then down to 0 behind
 * the last step.
 */
double ins_linear_schedule(uint64_t step, uint64_t steps, double warmup);

#endif
