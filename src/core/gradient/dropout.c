/*
 * dropout.c - values that training leaves out, from a generator that is a pure
 * function of seed, step and place, so that the backward pass draws the same.
 *
 * Source: Srivastava et al. (2014), scaled during training; the numbers are the
 * counter-based use of SplitMix64 (Steele, Lea & Flood 2014), four values of 16
 * bits from one output.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

#include "base/random.h"

#define VALUES       4
#define VALUE_BITS   16
#define VALUE_LIMIT  (1u << VALUE_BITS)
#define VALUE_MASK   (VALUE_LIMIT - 1)
#define PLACE_FACTOR ((uint64_t) INS_DROPOUT_PLACES)

/* Values below it are left out; at most 65535 of 65536. */
static uint32_t
threshold_of(float dropout)
{
    uint32_t threshold = (uint32_t) (dropout * (float) VALUE_LIMIT + 0.5f);

    return threshold < VALUE_LIMIT ? threshold : VALUE_LIMIT - 1;
}

bool
ins_pass_drops(const ins_network *network)
{
    return network->is_training && threshold_of(network->options.dropout) > 0;
}

static void
drop_row(uint64_t state, uint32_t threshold, size_t columns, float *x)
{
    /* Looked up and not branched on: no processor can foresee it. */
    const float factors[2] = {0, (float) VALUE_LIMIT /
                                     (float) (VALUE_LIMIT - threshold)};
    size_t i = 0;

    for (; i + VALUES <= columns; i += VALUES) {
        uint64_t bits = ins_random_next(&state);

        x[i] *= factors[(bits & VALUE_MASK) >= threshold];
        x[i + 1] *= factors[(bits >> 16 & VALUE_MASK) >= threshold];
        x[i + 2] *= factors[(bits >> 32 & VALUE_MASK) >= threshold];
        x[i + 3] *= factors[bits >> 48 >= threshold];
    }
    if (i < columns) {
        uint64_t bits = ins_random_next(&state);

        for (; i < columns; i++, bits >>= VALUE_BITS)
            x[i] *= factors[(bits & VALUE_MASK) >= threshold];
    }
}

void
ins_pass_drop(const ins_network *network, const ins_dropout_rows *rows,
              float *x)
{
    uint32_t threshold = threshold_of(network->options.dropout);
    uint64_t key = ins_random_mix(network->options.seed + INS_RANDOM_STEP);

    key = ins_random_mix(key ^ network->step * INS_RANDOM_STEP);
    key = ins_random_mix(key + rows->layer * PLACE_FACTOR +
                         (uint64_t) rows->place);
    for (size_t i = 0; i < rows->rows; i++) {
        uint64_t row = rows->first + i * rows->step;

        drop_row(ins_random_mix(key ^ row * INS_RANDOM_STEP), threshold,
                 rows->columns, x + i * rows->columns);
    }
}

ins_status
ins_pass_drop_hidden(const ins_network *network, uint32_t layer,
                     enum ins_dropout_place place, float *x, ins_error *error)
{
    ins_dropout_rows rows = {
        .layer = layer,
        .place = place,
        .step = 1,
        .columns = network->recipe->hidden,
    };
    size_t most = INS_PASS_POLL_VALUES / rows.columns + 1;

    if (!ins_pass_drops(network))
        return INS_OK;
    for (size_t row = 0; row < network->tokens; row += most) {
        size_t left = network->tokens - row;

        INS_TRY(ins_poll(&network->host, error));
        rows.first = row;
        rows.rows = left < most ? left : most;
        ins_pass_drop(network, &rows, x + row * rows.columns);
    }
    return INS_OK;
}

ins_status
ins_pass_drop_gradient(const ins_network *network, uint32_t layer,
                       enum ins_dropout_place place, const float **dropped,
                       ins_error *error)
{
    size_t values = (size_t) network->tokens * network->recipe->hidden;

    *dropped = network->gradient;
    if (!ins_pass_drops(network))
        return INS_OK;
    *dropped = network->dropped;
    memcpy(network->dropped, network->gradient, values * sizeof(float));
    return ins_pass_drop_hidden(network, layer, place, network->dropped, error);
}
