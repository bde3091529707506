/*
 * api_model.c - the model half of insitu.h: open a pack, describe it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "model.h"

#include <string.h>

#include "base/memory.h"
#include "base/writer.h"

static const char *
pooling_name(uint32_t pooling)
{
    switch (pooling) {
    case INS_POOLING_MEAN:
        return "mean";
    case INS_POOLING_CLS:
        return "cls";
    case INS_POOLING_MAX:
        return "max";
    default:
        return "";
    }
}

static const char *
weights_name(uint32_t weights)
{
    switch (weights) {
    case INS_WEIGHTS_INT8:
        return "int8";
    case INS_WEIGHTS_BF16:
        return "bf16";
    default:
        return "f32";
    }
}

static void
describe(ins_model *model)
{
    const ins_pack_view *view = &model->view;
    const ins_pack_recipe *recipe = view->recipe;
    ins_model_info *info = &model->info;

    info->architecture = recipe->architecture;
    info->can_classify = (recipe->flags & INS_RECIPE_CLASSIFY) != 0;
    info->can_embed = (recipe->flags & INS_RECIPE_EMBED) != 0;
    info->multi_label = (recipe->flags & INS_RECIPE_MULTI_LABEL) != 0;
    info->normalized = (recipe->flags & INS_RECIPE_NORMALIZE) != 0;
    info->pooling = info->can_embed ? pooling_name(recipe->pooling) : "";
    info->weights = weights_name(recipe->weights);
    info->label_count = info->can_classify ? recipe->labels : 0;
    info->embedding_size = info->can_embed ? recipe->hidden : 0;
    info->max_tokens = recipe->max_tokens;
    info->vocabulary_size = view->pieces.count;
    info->layer_count = recipe->layers;
    info->hidden_size = recipe->hidden;
    info->head_count = recipe->heads;
    info->intermediate_size = recipe->intermediate;
    info->pack_bytes = view->size;
    for (uint32_t i = 0; i < view->tensor_count; i++)
        info->parameter_count +=
            (uint64_t) view->tensors[i].rows * view->tensors[i].columns;
}

ins_status
ins_model_open(ins_model **model, const void *pack, size_t size,
               const ins_host *host, ins_error *error)
{
    ins_pack_view view;
    void *memory;

    *model = NULL;
    INS_TRY(ins_pack_read(&view, pack, size, error));
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_model), &memory, error));
    *model = memory;
    (*model)->host = *host;
    (*model)->view = view;
    describe(*model);
    return INS_OK;
}

void
ins_model_close(ins_model *model)
{
    if (model != NULL) {
        ins_host host = model->host;

        ins_release(&host, model);
    }
}

const ins_model_info *
ins_model_describe(const ins_model *model)
{
    return &model->info;
}

ins_text
ins_model_label(const ins_model *model, uint32_t label)
{
    if (label >= model->info.label_count)
        return (ins_text){"", 0};
    return ins_string_at(&model->view.labels, label);
}

int32_t
ins_model_find_label(const ins_model *model, ins_text label)
{
    for (uint32_t i = 0; i < model->info.label_count; i++) {
        ins_text candidate = ins_string_at(&model->view.labels, i);

        if (candidate.size == label.size &&
            (label.size == 0 ||
             memcmp(candidate.data, label.data, label.size) == 0))
            return (int32_t) i;
    }
    return -1;
}

ins_text
ins_model_token_text(const ins_model *model, int32_t token_id)
{
    const ins_pack_view *view = &model->view;

    if (token_id >= 0 && (uint32_t) token_id < view->pieces.count)
        return ins_string_at(&view->pieces, (uint32_t) token_id);
    /* Added tokens may have ids past the vocabulary proper. */
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *added = &view->added_tokens[i];

        if (token_id >= 0 && added->id == (uint32_t) token_id)
            return (ins_text){view->added_bytes + added->start, added->bytes};
    }
    return (ins_text){"", 0};
}

const char *
ins_model_tasks(const ins_model *model)
{
    if (model->info.can_classify && model->info.can_embed)
        return "classify, embed";
    return model->info.can_classify ? "classify" : "embed";
}

/* ---- description as JSON ------------------------------------------------ */

static void
write_key(ins_writer *writer, const char *key)
{
    ins_write(writer, ",\"");
    ins_write(writer, key);
    ins_write(writer, "\":");
}

static void
write_word(ins_writer *writer, const char *key, const char *word)
{
    write_key(writer, key);
    ins_write_json_text(writer, (ins_text){word, strlen(word)});
}

static void
write_flag(ins_writer *writer, const char *key, bool flag)
{
    write_key(writer, key);
    ins_write(writer, flag ? "true" : "false");
}

static void
write_number(ins_writer *writer, const char *key, uint64_t number)
{
    write_key(writer, key);
    ins_write_u64(writer, number);
}

static void
write_tasks(ins_writer *writer, const ins_model_info *info)
{
    write_key(writer, "tasks");
    ins_write(writer, "[");
    if (info->can_classify)
        ins_write(writer, "\"classify\"");
    if (info->can_classify && info->can_embed)
        ins_write(writer, ",");
    if (info->can_embed)
        ins_write(writer, "\"embed\"");
    ins_write(writer, "]");
}

static void
write_shape(ins_writer *writer, const ins_model_info *info)
{
    write_number(writer, "max_tokens", info->max_tokens);
    write_number(writer, "vocabulary_size", info->vocabulary_size);
    write_number(writer, "layers", info->layer_count);
    write_number(writer, "hidden_size", info->hidden_size);
    write_number(writer, "attention_heads", info->head_count);
    write_number(writer, "intermediate_size", info->intermediate_size);
    write_number(writer, "parameters", info->parameter_count);
    write_number(writer, "bytes", info->pack_bytes);
    write_word(writer, "weights", info->weights);
}

static void
write_labels(ins_writer *writer, const ins_model *model)
{
    write_key(writer, "labels");
    ins_write(writer, "[");
    for (uint32_t i = 0; i < model->info.label_count; i++) {
        if (i > 0)
            ins_write(writer, ",");
        /* The reader has checked that labels are UTF-8. */
        ins_write_json_text(writer, ins_string_at(&model->view.labels, i));
    }
    ins_write(writer, "]");
    write_flag(writer, "multi_label", model->info.multi_label);
}

ins_status
ins_model_info_json(const ins_model *model, const ins_host *host, char **text,
                    size_t *size, ins_error *error)
{
    const ins_model_info *info = &model->info;
    ins_writer writer;

    ins_writer_open(&writer, host, error);
    ins_write(&writer, "{\"architecture\":");
    ins_write_json_text(
        &writer, (ins_text){info->architecture, strlen(info->architecture)});
    write_tasks(&writer, info);
    write_shape(&writer, info);
    if (info->can_classify)
        write_labels(&writer, model);
    if (info->can_embed) {
        write_number(&writer, "embedding_size", info->embedding_size);
        write_word(&writer, "pooling", info->pooling);
        write_flag(&writer, "normalized", info->normalized);
    }
    ins_write(&writer, "}");
    return ins_writer_finish(&writer, text, size);
}
