/*
 * trained_pack.c - a base model with a new head, as a pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/trained_pack.h"

#include <string.h>

#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "pack/pack_writer.h"

#define BYTES_PER_POLL ((uint64_t) 16 << 20)

static ins_pack_recipe
recipe_of(const ins_trained_pack *trained, uint32_t words)
{
    const uint32_t kept = INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE;
    ins_pack_recipe recipe = *trained->base->recipe;
    uint32_t max_tokens = trained->max_tokens;

    recipe.flags = (recipe.flags & kept) | trained->flags | INS_RECIPE_CLASSIFY;
    recipe.labels = trained->labels->count;
    recipe.head_words = words;
    recipe.head_activation = (trained->flags & INS_RECIPE_HEAD_DENSE) != 0
                                 ? INS_ACTIVATION_TANH
                                 : INS_ACTIVATION_NONE;
    if (max_tokens != 0 && max_tokens < recipe.max_tokens)
        recipe.max_tokens = max_tokens;
    return recipe;
}

/* All sections; every weight is zero. */
static ins_status
open_pack(const ins_trained_pack *trained, uint32_t words, const ins_host *host,
          void **pack, size_t *pack_bytes, ins_error *error)
{
    ins_pack_contents contents = ins_pack_contents_of(trained->base);

    contents.recipe = recipe_of(trained, words);
    contents.labels = *trained->labels;
    return ins_pack_write(&contents, INS_MAX_PACK_BYTES, host, pack, pack_bytes,
                          error);
}

/* ---- tensors ------------------------------------------------------------- */

struct copying {
    const ins_pack_view *base;
    const ins_head *head;
    const ins_host *host;
    uint8_t *pack;
};

static ins_status
copy_tensor(const struct copying *copying, const ins_pack_tensor *tensor,
            ins_error *error)
{
    const ins_pack_tensor *source =
        ins_pack_find_tensor(copying->base, tensor->role, tensor->layer);
    uint64_t at = 0;

    INS_CHECK(source != NULL && source->type == tensor->type &&
                  source->bytes == tensor->bytes,
              error, INS_INTERNAL,
              "the base has no tensor like role %u of layer %u", tensor->role,
              tensor->layer);
    while (at < tensor->bytes) {
        uint64_t left = tensor->bytes - at;
        uint64_t size = left < BYTES_PER_POLL ? left : BYTES_PER_POLL;

        INS_TRY(ins_poll(copying->host, error));
        memcpy(copying->pack + tensor->offset + at,
               copying->base->bytes + source->offset + at, (size_t) size);
        at += size;
    }
    return INS_OK;
}

static const float *
values_of(const ins_head *head, uint32_t role)
{
    switch (role) {
    case INS_ROLE_HEAD_DENSE:
        return head->dense;
    case INS_ROLE_HEAD_DENSE_BIAS:
        return head->dense_bias;
    case INS_ROLE_HEAD_OUT:
        return head->out;
    case INS_ROLE_HEAD_WORDS:
        return head->words;
    default:
        return head->out_bias;
    }
}

static ins_status
fill(const struct copying *copying, const ins_pack_view *view, ins_error *error)
{
    for (uint32_t i = 0; i < view->tensor_count; i++) {
        const ins_pack_tensor *tensor = &view->tensors[i];

        if (ins_pack_is_head(tensor->role))
            INS_TRY(ins_pack_put_rows(tensor, copying->pack + tensor->offset,
                                      values_of(copying->head, tensor->role),
                                      copying->host, error));
        else
            INS_TRY(copy_tensor(copying, tensor, error));
    }
    return INS_OK;
}

ins_status
ins_trained_pack_write(const ins_trained_pack *trained, const ins_head *head,
                       const ins_host *host, void **pack, size_t *pack_bytes,
                       ins_error *error)
{
    struct copying copying = {trained->base, head, host, NULL};
    ins_pack_view view;
    ins_status status;

    INS_TRY(open_pack(trained, head->word_rows, host, pack, pack_bytes, error));
    copying.pack = *pack;
    /* What we write must pass what everybody checks. */
    status = ins_pack_read(&view, *pack, *pack_bytes, error);
    if (status == INS_OK)
        status = fill(&copying, &view, error);
    if (status != INS_OK) {
        ins_release(host, *pack);
        *pack = NULL;
        *pack_bytes = 0;
    }
    return status;
}
