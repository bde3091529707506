/*
 * pack_writer.c - lays out a pack and fills everything but the weights.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/pack_writer.h"

#include <string.h>

#include "base/checked.h"
#include "pack/pack_shape.h"

/* A section and where its bytes come from; NULL: filled in afterwards. */
struct part {
    ins_pack_section section;
    const void *source;
};

struct layout {
    struct part parts[INS_PACK_SECTIONS];
    uint32_t tensor_count;
    uint64_t weights_bytes;
    uint64_t total_bytes;
    bool overflowed;
};

static uint64_t
add_bytes(struct layout *layout, uint64_t a, uint64_t b)
{
    uint64_t sum = 0;

    if (!ins_add_u64(a, b, &sum))
        layout->overflowed = true;
    return sum;
}

static uint64_t
align_bytes(struct layout *layout, uint64_t bytes)
{
    uint64_t aligned = 0;

    if (!ins_align_u64(bytes, INS_PACK_ALIGNMENT, &aligned))
        layout->overflowed = true;
    return aligned;
}

static void
measure_weights(struct layout *layout, const ins_pack_recipe *recipe)
{
    ins_pack_step step = {0, 0};

    while (ins_pack_next_step(recipe, &step)) {
        uint32_t rows;
        uint32_t columns;

        ins_pack_role_shape(recipe, step.role, &rows, &columns);
        layout->weights_bytes = add_bytes(
            layout, align_bytes(layout, layout->weights_bytes),
            ins_pack_tensor_bytes(ins_pack_role_type(recipe, step.role), rows,
                                  columns));
        layout->tensor_count++;
    }
}

static uint64_t
string_bytes(const ins_string_table *table)
{
    return table->count > 0 ? table->ends[table->count - 1] : 0;
}

static void
make_layout(struct layout *layout, const ins_pack_contents *contents)
{
    const ins_pack_tokenizer *tokenizer = &contents->tokenizer;
    const ins_string_table *pieces = &contents->pieces;
    const ins_string_table *labels = &contents->labels;
    uint64_t end =
        sizeof(ins_pack_header) + INS_PACK_SECTIONS * sizeof(ins_pack_section);
    const struct {
        uint64_t count;
        uint64_t size;
        const void *source;
    } sources[INS_PACK_SECTIONS] = {
        {1, sizeof(ins_pack_recipe), &contents->recipe},
        {1, sizeof(ins_pack_tokenizer), tokenizer},
        {pieces->count, sizeof(uint32_t), pieces->ends},
        {string_bytes(pieces), 1, pieces->bytes},
        {tokenizer->index_slots, sizeof(uint32_t), contents->piece_index},
        {tokenizer->added_tokens, sizeof(ins_pack_added_token),
         contents->added_tokens},
        {contents->added_bytes_size, 1, contents->added_bytes},
        {labels->count, sizeof(uint32_t), labels->ends},
        {string_bytes(labels), 1, labels->bytes},
        {layout->tensor_count, sizeof(ins_pack_tensor), NULL},
        {layout->weights_bytes, 1, NULL},
    };

    for (uint32_t i = 0; i < INS_PACK_SECTIONS; i++) {
        ins_pack_section *section = &layout->parts[i].section;

        section->kind = i + 1;
        section->offset = align_bytes(layout, end);
        section->bytes = sources[i].count * sources[i].size;
        layout->parts[i].source = sources[i].source;
        end = add_bytes(layout, section->offset, section->bytes);
    }
    layout->total_bytes = end;
}

static void
put_tensors(const struct layout *layout, const ins_pack_recipe *recipe,
            uint8_t *pack)
{
    const ins_pack_section *table =
        &layout->parts[INS_SECTION_TENSORS - 1].section;
    uint64_t at = layout->parts[INS_SECTION_WEIGHTS - 1].section.offset;
    ins_pack_step step = {0, 0};

    for (uint32_t i = 0; ins_pack_next_step(recipe, &step); i++) {
        ins_pack_tensor tensor = {
            .role = step.role,
            .layer = step.layer,
            .type = ins_pack_role_type(recipe, step.role),
        };

        ins_pack_role_shape(recipe, step.role, &tensor.rows, &tensor.columns);
        tensor.offset = at;
        tensor.bytes =
            ins_pack_tensor_bytes(tensor.type, tensor.rows, tensor.columns);
        memcpy(pack + table->offset + i * sizeof(tensor), &tensor,
               sizeof(tensor));
        at += (tensor.bytes + INS_PACK_ALIGNMENT - 1) &
              ~(uint64_t) (INS_PACK_ALIGNMENT - 1);
    }
}

static void
put_sections(const struct layout *layout, uint8_t *pack)
{
    ins_pack_header header = {.version = INS_PACK_VERSION,
                              .section_count = INS_PACK_SECTIONS,
                              .total_bytes = layout->total_bytes};

    memcpy(header.magic, INS_PACK_MAGIC, sizeof(header.magic));
    memcpy(pack, &header, sizeof(header));
    for (uint32_t i = 0; i < INS_PACK_SECTIONS; i++) {
        const struct part *part = &layout->parts[i];

        memcpy(pack + sizeof(header) + i * sizeof(part->section),
               &part->section, sizeof(part->section));
        if (part->source != NULL && part->section.bytes > 0)
            memcpy(pack + part->section.offset, part->source,
                   (size_t) part->section.bytes);
    }
}

ins_pack_contents
ins_pack_contents_of(const ins_pack_view *view)
{
    const ins_pack_added_token *tokens = view->added_tokens;
    uint32_t count = view->tokenizer->added_tokens;

    return (ins_pack_contents){
        .recipe = *view->recipe,
        .tokenizer = *view->tokenizer,
        .pieces = view->pieces,
        .piece_index = view->piece_index,
        .added_tokens = tokens,
        .added_bytes = view->added_bytes,
        /* Their texts lie one behind the other. */
        .added_bytes_size = count > 0 ? (uint64_t) tokens[count - 1].start +
                                            tokens[count - 1].bytes
                                      : 0,
        .labels = view->labels,
    };
}

ins_status
ins_pack_write(const ins_pack_contents *contents, uint64_t max_bytes,
               const ins_host *host, void **pack, size_t *pack_bytes,
               ins_error *error)
{
    struct layout layout = {.tensor_count = 0};
    const char *problem;

    *pack = NULL;
    *pack_bytes = 0;
    INS_CHECK(ins_pack_recipe_is_sound(&contents->recipe, &problem), error,
              INS_INTERNAL, "the recipe to be written is wrong in \"%s\"",
              problem);
    measure_weights(&layout, &contents->recipe);
    make_layout(&layout, contents);
    if (layout.overflowed || layout.total_bytes > max_bytes ||
        layout.total_bytes > INS_MAX_PACK_BYTES) {
        ins_fail(error, INS_LIMIT_EXCEEDED, "the model is too large");
        ins_fail_detail(error,
                        "Its pack needs %llu bytes; the limit is %llu bytes.",
                        (unsigned long long) layout.total_bytes,
                        (unsigned long long) max_bytes);
        return INS_LIMIT_EXCEEDED;
    }
    INS_TRY(ins_alloc_zeroed(host, layout.total_bytes, 1, pack, error));
    *pack_bytes = (size_t) layout.total_bytes;
    put_sections(&layout, *pack);
    put_tensors(&layout, &contents->recipe, *pack);
    return INS_OK;
}
