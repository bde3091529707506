/*
 * embeddings.c - token ids to the input of the first layer, and back: rows of
 * the gradient are added to the rows that the tokens came from.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/pass.h"

#include <string.h>

/* Rows of the tables that a token reads; word is NULL when a row of the
 * caller's took its place. */
struct token_rows {
    const float *word;
    const float *position;
    const float *type; /* or NULL */
};

static struct token_rows
rows_of(const ins_network *network, uint32_t token, uint32_t position)
{
    size_t columns = network->recipe->hidden;
    size_t row = (size_t) position + network->recipe->position_offset;
    struct token_rows rows = {
        .position = network->positions + row * columns,
        .type = network->types,
    };

    if (!network->has_words)
        rows.word = network->words + (size_t) network->ids[token] * columns;
    return rows;
}

static void
add_row(float *sum, const float *row, size_t columns)
{
    if (sum != NULL)
        for (size_t i = 0; i < columns; i++)
            sum[i] += row[i];
}

/* Tokens between two polls. */
static uint32_t
tokens_per_poll(const ins_network *network)
{
    return INS_PASS_POLL_VALUES / network->recipe->hidden + 1;
}

/* Calls once for each token of a sequence. */
static ins_status
embed_sequence(ins_network *network, uint32_t sequence, const float *words,
               ins_error *error)
{
    size_t columns = network->recipe->hidden;
    uint32_t start = network->starts[sequence];
    uint32_t length = network->starts[sequence + 1] - start;

    for (uint32_t i = 0; i < length; i++) {
        struct token_rows rows = rows_of(network, start + i, i);
        size_t place = (size_t) (start + i) * columns;
        float *out = network->added + place;

        if ((start + i) % tokens_per_poll(network) == 0)
            INS_TRY(ins_poll(&network->host, error));
        memcpy(out, rows.word != NULL ? rows.word : words + place,
               columns * sizeof(float));
        add_row(out, rows.position, columns);
        if (rows.type != NULL)
            add_row(out, rows.type, columns);
    }
    return INS_OK;
}

ins_status
ins_pass_embed(ins_network *network, const float *words, ins_error *error)
{
    float *out = ins_pass_kept(network, 0)->in;
    ins_norm norm =
        ins_pass_norm(network, network->input_norm, network->input_normal,
                      network->input_factors);
    ins_norm_rows rows = {network->added, NULL, out};

    for (uint32_t i = 0; i < network->texts; i++)
        INS_TRY(embed_sequence(network, i, words, error));
    INS_TRY(ins_pass_norm_forward(network, &norm, &rows, error));
    return ins_pass_drop_hidden(network, 0, INS_DROPOUT_EMBEDDINGS, out, error);
}

/* Adds the gradient of each token to the rows that it read. */
static ins_status
scatter_sequence(ins_network *network, uint32_t sequence, ins_error *error)
{
    size_t columns = network->recipe->hidden;
    uint32_t start = network->starts[sequence];
    uint32_t length = network->starts[sequence + 1] - start;

    for (uint32_t i = 0; i < length; i++) {
        struct token_rows rows = rows_of(network, start + i, i);
        const float *gradient =
            network->gradient + (size_t) (start + i) * columns;

        if ((start + i) % tokens_per_poll(network) == 0)
            INS_TRY(ins_poll(&network->host, error));
        add_row(ins_pass_gradient(network, rows.position), gradient, columns);
        if (rows.word != NULL)
            add_row(ins_pass_gradient(network, rows.word), gradient, columns);
        if (rows.type != NULL)
            add_row(ins_pass_gradient(network, rows.type), gradient, columns);
    }
    return INS_OK;
}

ins_status
ins_pass_embed_backward(ins_network *network, ins_error *error)
{
    ins_norm norm =
        ins_pass_norm(network, network->input_norm, network->input_normal,
                      network->input_factors);

    INS_TRY(ins_pass_drop_hidden(network, 0, INS_DROPOUT_EMBEDDINGS,
                                 network->gradient, error));
    INS_TRY(ins_pass_norm_backward(network, &norm, network->gradient, error));
    if (network->sums == NULL)
        return INS_OK;
    for (uint32_t i = 0; i < network->texts; i++)
        INS_TRY(scatter_sequence(network, i, error));
    return INS_OK;
}
