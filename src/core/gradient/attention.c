/*
 * attention.c - multi-head self-attention within each sequence, and back.
 *
 * The softmax is not kept: the backward pass takes it anew, some queries at a
 * time, so that memory grows with the length and not with its square.
 *
 * Source: Vaswani et al. (2017), "Attention Is All You Need", section 3.2; the
 * gradient block by block follows Dao et al. (2022), "FlashAttention".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <math.h>
#include <string.h>

#include "kernels/blas.h"

/* One head of one sequence.  The rows of query, key and value, and those of
 * their gradients, are 3 * hidden floats apart, those of out hidden. */
struct head {
    const ins_network *network;
    uint32_t layer;
    uint32_t number;
    size_t start; /* first token */
    size_t length;
    size_t size;
    const float *query, *key, *value;
    float *query_gradient, *key_gradient, *value_gradient;
    float *out; /* or its gradient */
    /* The queries that are worked on together. */
    size_t first;
    size_t queries;
};

static size_t
stride_of(const struct head *head)
{
    return 3 * (size_t) head->network->recipe->hidden;
}

static struct head
find_head(const ins_network *network, uint32_t layer, uint32_t sequence,
          uint32_t number)
{
    const ins_kept_layer *kept = ins_pass_kept(network, layer);
    size_t hidden = network->recipe->hidden;
    size_t start = network->starts[sequence];
    struct head head = {
        .network = network,
        .layer = layer,
        .number = number,
        .start = start,
        .length = network->starts[sequence + 1] - start,
        .size = hidden / network->recipe->heads,
    };
    size_t place = start * 3 * hidden + number * head.size;

    head.query = kept->projection + place;
    head.key = head.query + hidden;
    head.value = head.key + hidden;
    head.query_gradient = network->wide + place;
    head.key_gradient = head.query_gradient + hidden;
    head.value_gradient = head.key_gradient + hidden;
    head.out = start * hidden + number * head.size + kept->context;
    return head;
}

static void
take_queries(struct head *head, size_t first)
{
    size_t left = head->length - first;

    head->first = first;
    head->queries = left < INS_PASS_QUERIES ? left : INS_PASS_QUERIES;
}

/* The same numbers in both passes. */
static void
drop_shares(const struct head *head, float *shares)
{
    uint32_t heads = head->network->recipe->heads;
    ins_dropout_rows rows = {
        .layer = head->layer,
        .place = INS_DROPOUT_SHARES,
        .first = (head->start + head->first) * heads + head->number,
        .step = heads,
        .rows = head->queries,
        .columns = head->length,
    };

    ins_pass_drop(head->network, &rows, shares);
}

static float
scale_of(const struct head *head)
{
    return 1.0f / sqrtf((float) head->size);
}

/* scores[queries][length] = softmax(scale * query . key^T) */
static ins_status
find_shares(const struct head *head, float *scores, ins_error *error)
{
    const ins_network *network = head->network;
    const ins_product product = {
        .a = head->query + head->first * stride_of(head),
        .a_stride = stride_of(head),
        .b = head->key,
        .b_stride = stride_of(head),
        .b_transposed = true,
        .c = scores,
        .c_stride = head->length,
        .rows = head->queries,
        .columns = head->length,
        .depth = head->size,
        .alpha = scale_of(head),
    };

    INS_TRY(ins_blas_product(&network->host, &product, error));
    for (size_t i = 0; i < head->queries; i++)
        network->kernels->softmax(scores + i * head->length, head->length);
    return INS_OK;
}

/* out = shares . value */
static ins_status
mix_values(const struct head *head, ins_error *error)
{
    const ins_network *network = head->network;
    size_t hidden = network->recipe->hidden;
    const ins_product product = {
        .a = network->scores,
        .a_stride = head->length,
        .b = head->value,
        .b_stride = stride_of(head),
        .c = head->out + head->first * hidden,
        .c_stride = hidden,
        .rows = head->queries,
        .columns = head->size,
        .depth = head->length,
        .alpha = 1,
    };

    INS_TRY(find_shares(head, network->scores, error));
    if (ins_pass_drops(network))
        drop_shares(head, network->scores);
    return ins_blas_product(&network->host, &product, error);
}

/* value_gradient += shares^T . out_gradient; for the first queries, =. */
static ins_status
add_value_gradient(const struct head *head, ins_error *error)
{
    const ins_network *network = head->network;
    size_t hidden = network->recipe->hidden;
    float *shares = network->scores;
    ins_product product = {
        .a_stride = head->length,
        .a_transposed = true,
        .b = head->out + head->first * hidden,
        .b_stride = hidden,
        .c = head->value_gradient,
        .c_stride = stride_of(head),
        .rows = head->length,
        .columns = head->size,
        .depth = head->queries,
        .alpha = 1,
        .beta = head->first > 0,
    };

    if (ins_pass_drops(network)) {
        memcpy(network->shares, shares,
               head->queries * head->length * sizeof(float));
        shares = network->shares;
        drop_shares(head, shares);
    }
    product.a = shares;
    return ins_blas_product(&network->host, &product, error);
}

/* shares = the gradient by the scores before softmax and scale. */
static ins_status
find_score_gradient(const struct head *head, ins_error *error)
{
    const ins_network *network = head->network;
    size_t hidden = network->recipe->hidden;
    const ins_product product = {
        .a = head->out + head->first * hidden,
        .a_stride = hidden,
        .b = head->value,
        .b_stride = stride_of(head),
        .b_transposed = true,
        .c = network->shares,
        .c_stride = head->length,
        .rows = head->queries,
        .columns = head->length,
        .depth = head->size,
        .alpha = 1,
    };

    INS_TRY(ins_blas_product(&network->host, &product, error));
    if (ins_pass_drops(network))
        drop_shares(head, network->shares);
    for (size_t i = 0; i < head->queries; i++)
        network->kernels->softmax_backward(network->scores + i * head->length,
                                           network->shares + i * head->length,
                                           head->length, scale_of(head));
    return INS_OK;
}

/* query_gradient = shares . key, key_gradient += shares^T . query */
static ins_status
add_query_key_gradient(const struct head *head, ins_error *error)
{
    const ins_network *network = head->network;
    size_t stride = stride_of(head);
    ins_product product = {
        .a = network->shares,
        .a_stride = head->length,
        .b = head->key,
        .b_stride = stride,
        .c = head->query_gradient + head->first * stride,
        .c_stride = stride,
        .rows = head->queries,
        .columns = head->size,
        .depth = head->length,
        .alpha = 1,
    };

    INS_TRY(ins_blas_product(&network->host, &product, error));
    product.a_transposed = true;
    product.b = head->query + head->first * stride;
    product.c = head->key_gradient;
    product.rows = head->length;
    product.depth = head->queries;
    product.beta = head->first > 0;
    return ins_blas_product(&network->host, &product, error);
}

static ins_status
attend_head(struct head *head, ins_error *error)
{
    for (size_t first = 0; first < head->length; first += INS_PASS_QUERIES) {
        take_queries(head, first);
        INS_TRY(mix_values(head, error));
    }
    return INS_OK;
}

/* out is the gradient of what the head gave. */
static ins_status
attend_head_backward(struct head *head, ins_error *error)
{
    for (size_t first = 0; first < head->length; first += INS_PASS_QUERIES) {
        take_queries(head, first);
        INS_TRY(find_shares(head, head->network->scores, error));
        INS_TRY(add_value_gradient(head, error));
        INS_TRY(find_score_gradient(head, error));
        INS_TRY(add_query_key_gradient(head, error));
    }
    return INS_OK;
}

ins_status
ins_pass_attend(ins_network *network, uint32_t layer, ins_error *error)
{
    const ins_layer_weights *weights = &network->weights[layer];
    const ins_kept_layer *kept = ins_pass_kept(network, layer);
    const size_t hidden = network->recipe->hidden;
    ins_norm norm =
        ins_pass_norm(network, weights->attention_norm, kept->attention_normal,
                      kept->attention_factors);
    ins_matrix in = {kept->in, network->tokens, hidden};
    ins_matrix context = {kept->context, network->tokens, hidden};
    ins_norm_rows rows = {kept->in, network->added, kept->middle};

    INS_TRY(ins_dense_forward(network, &weights->qkv, &in, kept->projection,
                              error));
    for (uint32_t i = 0; i < network->texts; i++)
        for (uint32_t k = 0; k < network->recipe->heads; k++) {
            struct head head = find_head(network, layer, i, k);

            INS_TRY(attend_head(&head, error));
        }
    INS_TRY(ins_dense_forward(network, &weights->attention_out, &context,
                              network->added, error));
    INS_TRY(ins_pass_drop_hidden(network, layer, INS_DROPOUT_ATTENTION,
                                 network->added, error));
    return ins_pass_norm_forward(network, &norm, &rows, error);
}

/* From added, the gradient of the context, to wide, that of the projection. */
static ins_status
attend_all_backward(ins_network *network, uint32_t layer, ins_error *error)
{
    size_t hidden = network->recipe->hidden;

    for (uint32_t i = 0; i < network->texts; i++)
        for (uint32_t k = 0; k < network->recipe->heads; k++) {
            struct head head = find_head(network, layer, i, k);

            head.out = network->added + head.start * hidden + k * head.size;
            INS_TRY(attend_head_backward(&head, error));
        }
    return INS_OK;
}

ins_status
ins_pass_attend_backward(ins_network *network, uint32_t layer, ins_error *error)
{
    const ins_layer_weights *weights = &network->weights[layer];
    const ins_kept_layer *kept = ins_pass_kept(network, layer);
    const size_t tokens = network->tokens;
    ins_norm norm =
        ins_pass_norm(network, weights->attention_norm, kept->attention_normal,
                      kept->attention_factors);
    ins_matrix in = {kept->in, tokens, network->recipe->hidden};
    ins_matrix context = {kept->context, tokens, network->recipe->hidden};
    ins_dense_step out = {.rows = tokens, .to = network->added};
    ins_dense_step projection = {network->wide, tokens, network->gradient, 1};

    INS_TRY(ins_pass_norm_backward(network, &norm, network->gradient, error));
    INS_TRY(ins_pass_drop_gradient(network, layer, INS_DROPOUT_ATTENTION,
                                   &out.from, error));
    INS_TRY(ins_dense_backward(network, &weights->attention_out, &out, error));
    INS_TRY(ins_dense_add_gradient(network, &weights->attention_out, &context,
                                   out.from, error));
    INS_TRY(attend_all_backward(network, layer, error));
    INS_TRY(ins_dense_add_gradient(network, &weights->qkv, &in, network->wide,
                                   error));
    /* Nobody asks below the lowest layer that learns. */
    if (layer > 0 && layer == network->options.first_layer)
        return INS_OK;
    return ins_dense_backward(network, &weights->qkv, &projection, error);
}
