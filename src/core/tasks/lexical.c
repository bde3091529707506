/*
 * lexical.c - which pieces a text has, as a part of its embedding.
 *
 * The sum of a vector for each different piece, times the piece's weight and a
 * share that grows with its count n, n / (n + saturation), brought to length 1.
 * The vectors are random signs, so that the cosine of two parts is, but for
 * chance, that of the two lists of weights: texts that share rare words lie
 * near each other, also where the encoder knows nothing of these words.
 *
 * Sources: Robertson & Zaragoza (2009) for weights and shares; Achlioptas
 * (2003), "Database-friendly random projections", for the signs; Lin & Lin
 * (2023), "A Dense Representation Framework for Lexical and Semantic Matching",
 * for the two parts in one vector.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tasks/task.h"

#include <string.h>

#include "base/order.h"
#include "base/random.h"

#define SIGNS 64 /* of one random number */
/* Values that are added between two polls, a few milliseconds. */
#define VALUES_PER_POLL ((uint64_t) 1 << 22)

static bool
is_lower(const void *ids, uint32_t a, uint32_t b)
{
    return ((const int32_t *) ids)[a] < ((const int32_t *) ids)[b];
}

/* The piece's vector: a pure function of its id. */
static void
add_piece(int32_t id, float value, uint32_t columns, float *row)
{
    uint64_t state = (uint64_t) id;

    for (uint32_t at = 0; at < columns; at += SIGNS) {
        uint64_t signs = ins_random_next(&state);
        uint32_t left = columns - at;
        uint32_t count = left < SIGNS ? left : SIGNS;
        const float both[2] = {-value, value};

        for (uint32_t i = 0; i < count; i++)
            row[at + i] += both[signs >> i & 1];
    }
}

/* Pieces in the order of their ids: equal sets of pieces, equal bits. */
ins_status
ins_task_lexical(const ins_task_input *input, float *row, ins_error *error)
{
    const ins_pack_recipe *recipe = input->view->recipe;
    const float *weights = ins_pack_f32(input->view, INS_ROLE_LEXICAL, 0);
    uint32_t *order = input->order;
    uint64_t added = 0;
    float length =
        input->is_query ? recipe->lexical_query : recipe->lexical_document;
    uint32_t next;

    INS_TRY(ins_order(order, input->tokens, is_lower, input->ids, input->host,
                      error));
    memset(row, 0, recipe->lexical * sizeof(float));
    for (uint32_t i = 0; i < input->tokens; i = next) {
        int32_t id = input->ids[order[i]];
        float count;

        for (next = i + 1; next < input->tokens; next++)
            if (input->ids[order[next]] != id)
                break;
        if (weights[id] == 0)
            continue;
        count = (float) (next - i);
        add_piece(id,
                  weights[id] * count / (count + recipe->lexical_saturation),
                  recipe->lexical, row);
        added += recipe->lexical;
        if (added >= VALUES_PER_POLL) {
            added = 0;
            INS_TRY(ins_poll(input->host, error));
        }
    }
    ins_encoder_normalize(row, recipe->lexical);
    for (uint32_t i = 0; i < recipe->lexical; i++)
        row[i] *= length;
    return INS_OK;
}
