/*
 * state.c - an evaluation as bytes, for another process of the same machine.
 *
 *     header | sizes of the labels | their bytes | pairs
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/checked.h"
#include "evaluate/evaluation.h"

#define STATE_MAGIC 0x314c5645u /* "EVL1" */

typedef struct state_header {
    uint32_t magic;
    uint32_t labels;
    uint32_t pairs;
    uint32_t label_bytes;
    uint64_t rows;
    uint64_t nulls;
} state_header;

/* Where the parts of a state lie; nothing in it is aligned. */
typedef struct state_view {
    state_header header;
    const char *sizes;
    const char *bytes;
    const char *pairs;
} state_view;

static uint64_t
state_bytes(const state_header *header)
{
    return sizeof(*header) + (uint64_t) header->labels * sizeof(uint32_t) +
           header->label_bytes +
           (uint64_t) header->pairs * sizeof(ins_counted_pair);
}

ins_status
ins_evaluation_save(const ins_evaluation *evaluation, void **state,
                    size_t *size, ins_error *error)
{
    state_header header = {STATE_MAGIC,
                           evaluation->label_count,
                           evaluation->pair_count,
                           (uint32_t) evaluation->bytes_size,
                           evaluation->rows,
                           evaluation->nulls};
    uint64_t bytes = state_bytes(&header);
    char *at;

    *state = NULL;
    *size = 0;
    INS_TRY(ins_alloc(&evaluation->host, bytes, 1, state, error));
    *size = (size_t) bytes;
    at = *state;
    memcpy(at, &header, sizeof(header));
    at += sizeof(header);
    for (uint32_t i = 0; i < header.labels; i++, at += sizeof(uint32_t))
        memcpy(at, &evaluation->labels[i].size, sizeof(uint32_t));
    /* NULL when there is nothing. */
    if (header.label_bytes > 0)
        memcpy(at, evaluation->bytes, header.label_bytes);
    at += header.label_bytes;
    if (header.pairs > 0)
        memcpy(at, evaluation->pairs, header.pairs * sizeof(ins_counted_pair));
    return INS_OK;
}

/* ---- loading ------------------------------------------------------------- */

static ins_status
fail_state(ins_error *error)
{
    return ins_fail(error, INS_INVALID_ARGUMENT,
                    "the state of an evaluation is damaged");
}

static ins_counted_pair
pair_at(const state_view *view, uint32_t i)
{
    ins_counted_pair pair;

    memcpy(&pair, view->pairs + (size_t) i * sizeof(pair), sizeof(pair));
    return pair;
}

static bool
are_sizes_right(const state_view *view)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < view->header.labels; i++) {
        uint32_t size;

        memcpy(&size, view->sizes + (size_t) i * sizeof(size), sizeof(size));
        if (size > INS_EVALUATION_LABEL_BYTES)
            return false;
        sum += size;
    }
    return sum == view->header.label_bytes;
}

static bool
are_pairs_right(const state_view *view)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < view->header.pairs; i++) {
        ins_counted_pair pair = pair_at(view, i);

        if (pair.predicted >= view->header.labels ||
            pair.actual >= view->header.labels || pair.count == 0 ||
            !ins_add_u64(rows, pair.count, &rows))
            return false;
    }
    return rows == view->header.rows;
}

static ins_status
read_state(state_view *view, const char *state, size_t size, ins_error *error)
{
    state_header *header = &view->header;

    if (size < sizeof(*header))
        return fail_state(error);
    memcpy(header, state, sizeof(*header));
    if (header->magic != STATE_MAGIC ||
        header->labels > INS_EVALUATION_LABELS ||
        header->pairs > INS_EVALUATION_PAIRS ||
        header->label_bytes > INS_EVALUATION_BYTES ||
        size != state_bytes(header))
        return fail_state(error);
    view->sizes = state + sizeof(*header);
    view->bytes = view->sizes + (size_t) header->labels * sizeof(uint32_t);
    view->pairs = view->bytes + header->label_bytes;
    if (!are_sizes_right(view) || !are_pairs_right(view))
        return fail_state(error);
    return INS_OK;
}

static ins_status
load_labels(ins_evaluation *evaluation, const state_view *view,
            uint32_t *numbers, ins_error *error)
{
    const char *bytes = view->bytes;

    for (uint32_t i = 0; i < view->header.labels; i++) {
        uint32_t size;

        memcpy(&size, view->sizes + (size_t) i * sizeof(size), sizeof(size));
        INS_TRY(ins_evaluation_intern(evaluation, (ins_text){bytes, size},
                                      &numbers[i], error));
        bytes += size;
    }
    return INS_OK;
}

static ins_status
load_parts(ins_evaluation *evaluation, const state_view *view,
           uint32_t *numbers, ins_error *error)
{
    INS_TRY(load_labels(evaluation, view, numbers, error));
    for (uint32_t i = 0; i < view->header.pairs; i++) {
        ins_counted_pair pair = pair_at(view, i);

        if (i % 16384 == 16383)
            INS_TRY(ins_poll(&evaluation->host, error));
        pair.predicted = numbers[pair.predicted];
        pair.actual = numbers[pair.actual];
        INS_TRY(ins_evaluation_count(evaluation, &pair, error));
    }
    return INS_OK;
}

ins_status
ins_evaluation_load(ins_evaluation *evaluation, const void *state, size_t size,
                    ins_error *error)
{
    state_view view;
    uint64_t nulls;
    void *numbers; /* of the state's labels */
    ins_status status;

    INS_TRY(read_state(&view, state, size, error));
    INS_CHECK(ins_add_u64(evaluation->nulls, view.header.nulls, &nulls), error,
              INS_LIMIT_EXCEEDED, "there are too many rows");
    INS_TRY(ins_alloc(&evaluation->host, view.header.labels, sizeof(uint32_t),
                      &numbers, error));
    status = load_parts(evaluation, &view, numbers, error);
    if (status == INS_OK)
        evaluation->nulls = nulls;
    ins_release(&evaluation->host, numbers);
    return status;
}
