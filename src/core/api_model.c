/*
 * api_model.c - the model half of insitu.h: open a pack, describe it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "model.h"

#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "insitu_train.h"
#include "pack/pack_shape.h"

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
    info->can_predict = (recipe->flags & INS_RECIPE_TABULAR) != 0;
    info->can_embed = (recipe->flags & INS_RECIPE_EMBED) != 0;
    info->multi_label = (recipe->flags & INS_RECIPE_MULTI_LABEL) != 0;
    info->normalized = (recipe->flags & INS_RECIPE_NORMALIZE) != 0;
    info->pooling = info->can_embed ? pooling_name(recipe->pooling) : "";
    info->weights = weights_name(recipe->weights);
    info->label_count = recipe->labels; /* 0 in models that only embed */
    info->feature_count = info->can_predict ? recipe->hidden : 0;
    info->embedding_size =
        info->can_embed ? ins_pack_embedding_size(recipe) : 0;
    info->lexical_size = recipe->lexical;
    info->max_tokens = recipe->max_tokens;
    info->vocabulary_size = view->tokenizer->pieces;
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

    if (token_id >= 0 && (uint32_t) token_id < view->tokenizer->pieces)
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
    if (model->info.can_predict)
        return "predict";
    if (model->info.can_classify && model->info.can_embed)
        return "classify, embed";
    return model->info.can_classify ? "classify" : "embed";
}

/* ---- description as JSON ------------------------------------------------ */

static json_t *
strings_json(const ins_string_table *strings)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < strings->count; i++) {
        ins_text text = ins_string_at(strings, i);

        /* The reader has checked that they are UTF-8. */
        if (json_array_append_new(
                array, json_stringn_nocheck(text.data, text.size)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *
tasks_json(const ins_model_info *info)
{
    json_t *tasks = json_array();
    int failed = 0;

    if (info->can_classify)
        failed |= json_array_append_new(tasks, json_string("classify"));
    if (info->can_embed)
        failed |= json_array_append_new(tasks, json_string("embed"));
    if (info->can_predict)
        failed |= json_array_append_new(tasks, json_string("predict"));
    if (failed) {
        json_decref(tasks);
        return NULL;
    }
    return tasks;
}

/* json_object_set_new releases its value also when it fails. */
static int
set_encoder(json_t *json, const ins_model_info *info)
{
    int failed = 0;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"max_tokens", info->max_tokens},
        {"vocabulary_size", info->vocabulary_size},
        {"layers", info->layer_count},
        {"hidden_size", info->hidden_size},
        {"attention_heads", info->head_count},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        failed |= json_object_set_new(
            json, numbers[i].key, json_integer((json_int_t) numbers[i].value));
    return failed;
}

static int
set_embedding(json_t *json, const ins_model_info *info)
{
    int failed = 0;

    failed |= json_object_set_new(json, "embedding_size",
                                  json_integer(info->embedding_size));
    if (info->lexical_size > 0)
        failed |= json_object_set_new(json, "lexical_size",
                                      json_integer(info->lexical_size));
    failed |= json_object_set_new(json, "pooling", json_string(info->pooling));
    failed |=
        json_object_set_new(json, "normalized", json_boolean(info->normalized));
    return failed;
}

static int
set_labels(json_t *json, const ins_model *model)
{
    const ins_model_info *info = &model->info;
    ins_text positive = ins_model_label(model, ins_model_positive_label(model));
    int failed =
        json_object_set_new(json, "labels", strings_json(&model->view.labels));

    if (info->can_classify)
        failed |= json_object_set_new(json, "multi_label",
                                      json_boolean(info->multi_label));
    if (!info->can_predict)
        return failed;
    failed |= json_object_set_new(
        json, "positive", json_stringn_nocheck(positive.data, positive.size));
    return failed | json_object_set_new(json, "features",
                                        strings_json(&model->view.pieces));
}

static json_t *
info_json(const ins_model *model)
{
    const ins_model_info *info = &model->info;
    json_t *json = json_object();
    int failed = 0;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"intermediate_size", info->intermediate_size},
        {"parameters", info->parameter_count},
        {"bytes", info->pack_bytes},
    };

    failed |= json_object_set_new(json, "architecture",
                                  json_string(info->architecture));
    failed |= json_object_set_new(json, "tasks", tasks_json(info));
    if (!info->can_predict)
        failed |= set_encoder(json, info);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        failed |= json_object_set_new(
            json, numbers[i].key, json_integer((json_int_t) numbers[i].value));
    failed |= json_object_set_new(json, "weights", json_string(info->weights));
    if (info->label_count > 0)
        failed |= set_labels(json, model);
    if (info->can_embed)
        failed |= set_embedding(json, info);
    if (failed) {
        json_decref(json);
        return NULL;
    }
    return json;
}

ins_status
ins_model_info_json(const ins_model *model, const ins_host *host, char **text,
                    size_t *size, ins_error *error)
{
    json_t *json = info_json(model);
    void *memory = NULL;
    ins_status status;
    size_t length;

    *text = NULL;
    *size = 0;
    length = json != NULL ? json_dumpb(json, NULL, 0, JSON_COMPACT) : 0;
    if (length == 0) {
        status = ins_fail_no_memory(error, 0);
        goto done;
    }
    status = ins_alloc(host, length, 1, &memory, error);
    if (status != INS_OK)
        goto done;
    /* Dumping sorts nothing but allocates, so it may fail the second time. */
    if (json_dumpb(json, memory, length, JSON_COMPACT) != length) {
        status = ins_fail_no_memory(error, length);
        ins_release(host, memory);
        goto done;
    }
    *text = memory;
    *size = length;
done:
    json_decref(json);
    return status;
}
