/*
 * export_config.c - a recipe to config.json, the files of
 * sentence-transformers and insitu_lexical.json.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/export.h"

/* Puts a value that this call owns; out of memory ends the program. */
static void
put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        export_fail("out of memory");
}

static void
put_number(json_t *object, const char *key, uint32_t number)
{
    put(object, key, json_integer(number));
}

static void
put_word(json_t *object, const char *key, const char *word)
{
    put(object, key, json_string(word));
}

/* The shortest decimal that is this float. */
static double
shorten(float value)
{
    char text[32];

    for (int digits = 1; digits < 10; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double) value);
        if (strtof(text, NULL) == value)
            break;
    }
    return strtod(text, NULL);
}

static const char *
activation_name(uint32_t activation)
{
    switch (activation) {
    case INS_ACTIVATION_GELU:
        return "gelu";
    case INS_ACTIVATION_GELU_TANH:
        return "gelu_new";
    case INS_ACTIVATION_RELU:
        return "relu";
    case INS_ACTIVATION_TANH:
        return "tanh";
    default:
        return "none";
    }
}

/* ---- config.json --------------------------------------------------------- */

/* Has the head the form of the architecture's classifier? */
static bool
is_usual_head(const export_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;

    return (recipe->flags & INS_RECIPE_HEAD_DENSE) != 0 &&
           (recipe->flags & INS_RECIPE_HEAD_POOLED) == 0 &&
           recipe->head_words == 0 &&
           recipe->head_activation == job->architecture->head_activation;
}

static void
put_head(const export_job *job, json_t *config)
{
    const ins_pack_recipe *recipe = job->view->recipe;
    bool is_pooled = (recipe->flags & INS_RECIPE_HEAD_POOLED) != 0;
    json_t *head = json_object();

    put_word(head, "reads", is_pooled ? "embedding" : "first_token");
    if (recipe->flags & INS_RECIPE_HEAD_DENSE)
        put_word(head, "dense", activation_name(recipe->head_activation));
    if (recipe->head_words > 0)
        put(head, "words", json_integer(recipe->head_words));
    put(config, "insitu_head", head);
}

static void
put_labels(const ins_pack_view *view, json_t *config)
{
    json_t *names = json_object();
    json_t *numbers = json_object();

    for (uint32_t i = 0; i < view->labels.count; i++) {
        ins_text label = ins_string_at(&view->labels, i);
        char key[16];

        snprintf(key, sizeof(key), "%u", i);
        put(names, key, export_string(label));
        if (json_object_setn_new(numbers, label.data, label.size,
                                 json_integer(i)) != 0)
            export_fail("label %u is not a JSON key", i);
    }
    put(config, "id2label", names);
    put(config, "label2id", numbers);
    put_word(config, "problem_type",
             view->recipe->flags & INS_RECIPE_MULTI_LABEL
                 ? "multi_label_classification"
                 : "single_label_classification");
}

static void
put_classifier(const export_job *job, json_t *config, json_t *architectures)
{
    const ins_architecture *architecture = job->architecture;
    bool is_usual = is_usual_head(job);

    /* A library that does not know the head must not take it for its own. */
    json_array_append_new(architectures,
                          json_string(is_usual ? architecture->classifier
                                               : architecture->encoders[0]));
    if (!is_usual)
        put_head(job, config);
    put_labels(job->view, config);
}

static void
write_config(const export_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;
    const ins_architecture *architecture = job->architecture;
    const ins_config_keys *keys = &architecture->keys;
    json_t *config = json_object();
    json_t *architectures = json_array();

    put(config, "architectures", architectures);
    if (recipe->flags & INS_RECIPE_CLASSIFY)
        put_classifier(job, config, architectures);
    else
        json_array_append_new(architectures,
                              json_string(architecture->encoders[0]));
    put_word(config, "model_type", architecture->model_type);
    put_number(config, keys->hidden, recipe->hidden);
    put_number(config, keys->layers, recipe->layers);
    put_number(config, keys->heads, recipe->heads);
    put_number(config, keys->intermediate, recipe->intermediate);
    put_word(config, keys->activation, activation_name(recipe->activation));
    put_number(config, "vocab_size", recipe->vocabulary);
    put_number(config, "max_position_embeddings", recipe->positions);
    if (keys->token_types != NULL)
        put_number(config, keys->token_types, recipe->token_types);
    if (keys->norm_epsilon != NULL)
        put(config, keys->norm_epsilon,
            json_real(shorten(recipe->norm_epsilon)));
    put_number(config, "pad_token_id", job->view->tokenizer->pad_id);
    put_word(config, "torch_dtype", job->is_half ? "float16" : "float32");
    export_json(job, "config.json", config);
}

/* ---- sentence-transformers ----------------------------------------------- */

static void
append_module(json_t *modules, const char *type, const char *path)
{
    char full[64];
    json_t *module = json_object();
    size_t number = json_array_size(modules);
    char name[16];

    snprintf(full, sizeof(full), "sentence_transformers.models.%s", type);
    snprintf(name, sizeof(name), "%zu", number);
    put_number(module, "idx", (uint32_t) number);
    put_word(module, "name", name);
    put_word(module, "path", path);
    put_word(module, "type", full);
    json_array_append_new(modules, module);
}

static void
write_modules(const export_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;
    json_t *modules = json_array();
    json_t *pooling = json_object();

    append_module(modules, "Transformer", "");
    append_module(modules, "Pooling", "1_Pooling");
    if (recipe->flags & INS_RECIPE_NORMALIZE)
        append_module(modules, "Normalize", "2_Normalize");
    export_json(job, "modules.json", modules);
    put_number(pooling, "word_embedding_dimension", recipe->hidden);
    put(pooling, "pooling_mode_cls_token",
        json_boolean(recipe->pooling == INS_POOLING_CLS));
    put(pooling, "pooling_mode_mean_tokens",
        json_boolean(recipe->pooling == INS_POOLING_MEAN));
    put(pooling, "pooling_mode_max_tokens",
        json_boolean(recipe->pooling == INS_POOLING_MAX));
    put(pooling, "pooling_mode_mean_sqrt_len_tokens", json_false());
    export_json(job, "1_Pooling/config.json", pooling);
}

static void
write_prompts(const export_job *job)
{
    const ins_pack_tokenizer *tokenizer = job->view->tokenizer;
    json_t *file = json_object();
    json_t *prompts = json_object();
    json_t *limit = json_object();

    if (tokenizer->query_prompt_bytes > 0)
        put(prompts, "query",
            export_string((ins_text){tokenizer->query_prompt,
                                     tokenizer->query_prompt_bytes}));
    if (tokenizer->document_prompt_bytes > 0)
        put(prompts, "document",
            export_string((ins_text){tokenizer->document_prompt,
                                     tokenizer->document_prompt_bytes}));
    put(file, "prompts", prompts);
    export_json(job, "config_sentence_transformers.json", file);
    put_number(limit, "max_seq_length", job->view->recipe->max_tokens);
    put(limit, "do_lower_case", json_false());
    export_json(job, "sentence_bert_config.json", limit);
}

/* ---- insitu_lexical.json ------------------------------------------------- */

static void
put_real(json_t *object, const char *key, float number)
{
    put(object, key, json_real(shorten(number)));
}

static void
write_lexical(const export_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;
    const float *weights = ins_pack_f32(job->view, INS_ROLE_LEXICAL, 0);
    json_t *file = json_object();
    json_t *list = json_array();

    put_number(file, "size", recipe->lexical);
    put_real(file, "saturation", recipe->lexical_saturation);
    put_real(file, "document", recipe->lexical_document);
    put_real(file, "query", recipe->lexical_query);
    for (uint32_t i = 0; i < recipe->vocabulary; i++)
        json_array_append_new(list, json_real(shorten(weights[i])));
    put(file, "weights", list);
    export_json(job, "insitu_lexical.json", file);
}

void
export_config(const export_job *job)
{
    write_config(job);
    if ((job->view->recipe->flags & INS_RECIPE_EMBED) == 0)
        return;
    write_modules(job);
    write_prompts(job);
    if (job->view->recipe->lexical > 0)
        write_lexical(job);
}
