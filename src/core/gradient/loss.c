/*
 * loss.c - cross-entropy of a row of logits and its gradient.
 *
 * In double, with the highest logit taken out, so that no logit overflows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/network.h"

#include <math.h>

double
ins_loss_softmax(const float *logits, uint32_t labels, uint32_t target,
                 double weight, float *gradient)
{
    double highest = (double) logits[0];
    double sum = 0;

    for (uint32_t i = 1; i < labels; i++)
        if ((double) logits[i] > highest)
            highest = (double) logits[i];
    for (uint32_t i = 0; i < labels; i++)
        sum += exp((double) logits[i] - highest);
    for (uint32_t i = 0; i < labels; i++) {
        double share = exp((double) logits[i] - highest) / sum;

        gradient[i] = (float) (weight * (share - (i == target)));
    }
    return weight * (log(sum) + highest - (double) logits[target]);
}

/* max(x, 0) - x t + log(1 + e^-|x|): -log of the sigmoid of x or of -x. */
double
ins_loss_sigmoid(const float *logits, uint32_t labels, const uint8_t *targets,
                 double weight, float *gradient)
{
    double loss = 0;

    for (uint32_t i = 0; i < labels; i++) {
        double x = (double) logits[i];
        double tail = exp(-fabs(x));
        double share = (x > 0 ? 1 : tail) / (1 + tail);

        loss += (x > 0 ? x : 0) - x * targets[i] + log1p(tail);
        gradient[i] = (float) (weight * (share - targets[i]));
    }
    return weight * loss;
}
