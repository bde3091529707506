/*
 * gradient_fixture.h - recipes, weights and batches for the tests of training.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef GRADIENT_FIXTURE_H
#define GRADIENT_FIXTURE_H

#include "gradient/network.h"
#include "unit/tiny_model.h"

/* Two layers of 8, two heads, a vocabulary of 11, three labels. */
ins_pack_recipe gradient_recipe(uint32_t flags);

/* A fixed sequence of numbers in [-range, range]. */
void gradient_fill(float *values, size_t count, float range);

/* Weights, their gradient, and a network over them. */
typedef struct gradient_fixture {
    tiny_host host;
    ins_parameters *weights;
    ins_parameters *sums; /* zeros */
    ins_network *network;
    ins_error error;
} gradient_fixture;

/* All fail the running test when a call fails. */
void gradient_open(gradient_fixture *fixture, const ins_pack_recipe *recipe,
                   const ins_network_options *options);
void gradient_close(gradient_fixture *fixture);
/* Room for gradient_batch. */
ins_network_options gradient_options(void);
/* Four texts of 1 to 6 tokens; a constant. */
const ins_batch *gradient_batch(void);

/* Loss of a batch in which text i has label i modulo labels; several labels:
 * also the next one.  logit_gradient: NULL, or [texts][labels]. */
double gradient_loss(gradient_fixture *fixture, const ins_batch *batch,
                     const float *words, bool training, float *logit_gradient);
/* Adds to sums and gives the loss. */
double gradient_run(gradient_fixture *fixture, const ins_batch *batch,
                    const float *words, const float **input_gradient);

#endif
