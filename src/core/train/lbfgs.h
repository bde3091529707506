/*
 * lbfgs.h - minimises a smooth function of many floats.
 *
 * Source: L-BFGS (Nocedal 1980, two-loop recursion), with the line search of
 * Lewis & Overton (2013), which finds a step that meets the weak Wolfe
 * conditions by doubling and bisection.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_LBFGS_H
#define INS_LBFGS_H

#include "base/memory.h"

typedef struct ins_lbfgs_problem {
    uint64_t count; /* of x */
    /* The function at x and its gradient, [count].  Polls. */
    ins_status (*evaluate)(void *user, const float *x, float *gradient,
                           double *loss, ins_error *error);
    void *user;
    uint32_t iterations;
    /* Ends when no component of the gradient is larger ... */
    double gradient_limit;
    /* ... or when two iterations in turn lower the loss by less than this
     * share of it. */
    double loss_limit;
    /* Told after each iteration; NULL = nobody. */
    void (*progress)(void *user, uint32_t iteration, double loss);
    void *progress_user;
} ins_lbfgs_problem;

/* Memory of a run, in bytes; UINT64_MAX when that is no number. */
uint64_t ins_lbfgs_bytes(uint64_t count);

/*
 * x: [count], the start and then the best point found; *loss: there.  Ending
 * early because rounding hides any descent is no failure.
 * Errors: CANCELLED, NO_MEMORY, what evaluate gives, INTERNAL when the loss at
 * the start is not a number.
 */
ins_status ins_lbfgs_run(const ins_lbfgs_problem *problem, float *x,
                         double *loss, const ins_host *host, ins_error *error);

#endif
