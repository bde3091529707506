/*
 * pooling.c - hidden states to what the head reads, as tasks/embed.c does it,
 * and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

static uint32_t
pooling_of(const ins_pack_recipe *recipe)
{
    if ((recipe->flags & INS_RECIPE_HEAD_POOLED) == 0)
        return INS_POOLING_CLS;
    return recipe->pooling;
}

/* Tokens of one sequence and its row of features. */
struct pool {
    const ins_network *network;
    float *hidden; /* [tokens][columns], or its gradient */
    float *row;    /* [columns], or its gradient */
    uint32_t *chosen;
    size_t tokens;
    size_t columns;
};

static struct pool
find_pool(const ins_network *network, uint32_t sequence, float *hidden,
          float *rows)
{
    size_t columns = network->recipe->hidden;
    size_t start = network->starts[sequence];
    struct pool pool = {
        .network = network,
        .hidden = hidden + start * columns,
        .row = rows + sequence * columns,
        .tokens = network->starts[sequence + 1] - start,
        .columns = columns,
    };

    if (network->chosen != NULL)
        pool.chosen = network->chosen + sequence * columns;
    return pool;
}

static void
pool_mean(const struct pool *pool)
{
    memset(pool->row, 0, pool->columns * sizeof(float));
    pool->network->kernels->add_rows(pool->row, pool->hidden, pool->tokens,
                                     pool->columns);
    for (size_t i = 0; i < pool->columns; i++)
        pool->row[i] /= (float) pool->tokens;
}

static void
pool_max(const struct pool *pool)
{
    memcpy(pool->row, pool->hidden, pool->columns * sizeof(float));
    memset(pool->chosen, 0, pool->columns * sizeof(uint32_t));
    for (size_t token = 1; token < pool->tokens; token++) {
        const float *hidden = pool->hidden + token * pool->columns;

        for (size_t i = 0; i < pool->columns; i++)
            if (hidden[i] > pool->row[i]) {
                pool->row[i] = hidden[i];
                pool->chosen[i] = (uint32_t) token;
            }
    }
}

ins_status
ins_pass_pool(ins_network *network, ins_error *error)
{
    for (uint32_t i = 0; i < network->texts; i++) {
        struct pool pool =
            find_pool(network, i, network->hidden, network->features);

        INS_TRY(ins_poll(&network->host, error));
        switch (pooling_of(network->recipe)) {
        case INS_POOLING_MEAN:
            pool_mean(&pool);
            break;
        case INS_POOLING_MAX:
            pool_max(&pool);
            break;
        default:
            memcpy(pool.row, pool.hidden, pool.columns * sizeof(float));
            break;
        }
        if (network->lengths != NULL)
            network->lengths[i] = ins_encoder_normalize(pool.row, pool.columns);
    }
    return INS_OK;
}

/* gradient = (g - f (f . g)) / length, where f has length 1; a vector without
 * a length has no direction to learn. */
static void
normalize_backward(const float *features, float length, float *gradient,
                   size_t columns)
{
    double product = 0;

    for (size_t i = 0; i < columns; i++)
        product += (double) features[i] * (double) gradient[i];
    for (size_t i = 0; i < columns; i++) {
        double across = gradient[i] - features[i] * product;

        gradient[i] = length > 0 ? (float) (across / (double) length) : 0;
    }
}

static void
spread_mean(const struct pool *pool)
{
    for (size_t i = 0; i < pool->columns; i++)
        pool->row[i] /= (float) pool->tokens;
    for (size_t token = 0; token < pool->tokens; token++)
        memcpy(pool->hidden + token * pool->columns, pool->row,
               pool->columns * sizeof(float));
}

/* hidden was 0. */
static void
spread_row(const struct pool *pool)
{
    switch (pooling_of(pool->network->recipe)) {
    case INS_POOLING_MEAN:
        spread_mean(pool);
        break;
    case INS_POOLING_MAX:
        for (size_t i = 0; i < pool->columns; i++)
            pool->hidden[pool->chosen[i] * pool->columns + i] = pool->row[i];
        break;
    default:
        memcpy(pool->hidden, pool->row, pool->columns * sizeof(float));
        break;
    }
}

ins_status
ins_pass_pool_backward(ins_network *network, ins_error *error)
{
    size_t columns = network->recipe->hidden;

    for (uint32_t i = 0; i < network->texts; i++) {
        struct pool pool =
            find_pool(network, i, network->gradient, network->head_gradient);

        INS_TRY(ins_poll(&network->host, error));
        if (network->lengths != NULL)
            normalize_backward(network->features + i * columns,
                               network->lengths[i], pool.row, columns);
        memset(pool.hidden, 0, pool.tokens * columns * sizeof(float));
        spread_row(&pool);
    }
    return INS_OK;
}
