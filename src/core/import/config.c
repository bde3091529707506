/*
 * config.c - config.json to recipe.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/config.h"

#include <string.h>

#include "base/memory.h"
#include "pack/pack_shape.h"

#define DEFAULT_NORM_EPSILON 1e-12
#define DEFAULT_TOKEN_TYPES  2 /* of transformers' BertConfig */

/* ---- which architecture ------------------------------------------------- */

static ins_status
find_architecture(ins_config *config, const ins_json *json, ins_error *error)
{
    const char *model_type = NULL;

    INS_TRY(ins_json_text(json, "model_type", &model_type, error));
    if (model_type == NULL)
        return ins_json_fail_missing(json, "model_type", error);
    config->architecture = ins_architecture_find(model_type);
    if (config->architecture == NULL) {
        char detail[128];

        ins_format(detail, sizeof(detail), "Supported model types:%s.",
                   ins_architecture_list);
        return ins_json_fail_unsupported(json, "model_type", detail, error);
    }
    ins_format(config->recipe.architecture, INS_MAX_ARCHITECTURE_BYTES, "%s",
               config->architecture->model_type);
    return INS_OK;
}

static bool
is_listed(const char *const *list, const char *name)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* "architectures" says whether the checkpoint's head is a classifier's. */
static ins_status
read_architectures(ins_config *config, const ins_json *json, ins_error *error)
{
    const ins_architecture *architecture = config->architecture;
    const json_t *list = NULL;
    const char *name;

    INS_TRY(ins_json_array(json, "architectures", &list, error));
    if (list == NULL || json_array_size(list) == 0)
        return INS_OK;
    name = json_string_value(json_array_get(list, 0));
    if (json_array_size(list) != 1 || name == NULL)
        return ins_json_fail(json, "architectures", "a list of one name",
                             error);
    if (strcmp(name, architecture->classifier) == 0) {
        config->recipe.flags |= INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_DENSE;
        config->recipe.head_activation = architecture->head_activation;
        return INS_OK;
    }
    if (is_listed(architecture->encoders, name))
        return INS_OK;
    ins_fail(error, INS_UNSUPPORTED,
             "%s: \"architectures\" = [\"%.*s\"] is not supported", json->file,
             64, name);
    ins_fail_detail(error, "Supported for model type \"%s\": %s, %s.",
                    architecture->model_type, architecture->encoders[0],
                    architecture->classifier);
    return INS_UNSUPPORTED;
}

/* ---- a head of our own --------------------------------------------------- */

static ins_status
read_head_input(ins_pack_recipe *recipe, const ins_json *head, ins_error *error)
{
    const char *reads = NULL;

    INS_TRY(ins_json_text(head, "reads", &reads, error));
    if (reads == NULL)
        return ins_json_fail_missing(head, "reads", error);
    if (strcmp(reads, "embedding") == 0)
        recipe->flags |= INS_RECIPE_HEAD_POOLED;
    else if (strcmp(reads, "first_token") != 0)
        return ins_json_fail_unsupported(
            head, "reads", "Supported: embedding, first_token.", error);
    return INS_OK;
}

static ins_status
read_head_dense(ins_pack_recipe *recipe, const ins_json *head, ins_error *error)
{
    static const struct {
        const char *name;
        uint32_t activation;
    } known[] = {
        {"none", INS_ACTIVATION_NONE},          {"gelu", INS_ACTIVATION_GELU},
        {"gelu_new", INS_ACTIVATION_GELU_TANH}, {"relu", INS_ACTIVATION_RELU},
        {"tanh", INS_ACTIVATION_TANH},
    };
    const char *name = NULL;

    INS_TRY(ins_json_text(head, "dense", &name, error));
    if (name == NULL)
        return INS_OK;
    recipe->flags |= INS_RECIPE_HEAD_DENSE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            recipe->head_activation = known[i].activation;
            return INS_OK;
        }
    }
    return ins_json_fail_unsupported(
        head, "dense", "Supported: none, gelu, gelu_new, relu, tanh.", error);
}

/* Rows of the table for words; whether the labels leave room for as many is
 * known when these have been read. */
static ins_status
read_head_words(ins_pack_recipe *recipe, const ins_json *head, ins_error *error)
{
    const ins_json_range range = {INS_LEAST_WORD_ROWS, INS_MOST_WORD_ROWS};

    return ins_json_u32(head, "words", range, &recipe->head_words, error);
}

static ins_status
check_head_words(const ins_pack_recipe *recipe, ins_error *error)
{
    INS_CHECK(
        recipe->head_words == 0 ||
            ins_pack_word_rows_are_sound(recipe->labels, recipe->head_words),
        error, INS_BAD_SOURCE,
        "config.json: \"insitu_head.words\" must be a power of two, and "
        "with %u labels %u at most, not %u",
        recipe->labels, ins_pack_word_rows(recipe->labels, UINT64_MAX),
        recipe->head_words);
    return INS_OK;
}

/* "insitu_head": what export_model writes for a head that the architecture's
 * classifier does not have (docs/importing-models.md). */
static ins_status
read_head(ins_config *config, const ins_json *json, ins_error *error)
{
    ins_pack_recipe *recipe = &config->recipe;
    ins_json head;

    INS_TRY(ins_json_object(json, "insitu_head", "insitu_head.", &head, error));
    if (head.value == NULL)
        return INS_OK;
    recipe->flags |= INS_RECIPE_CLASSIFY;
    recipe->flags &= ~(uint32_t) INS_RECIPE_HEAD_DENSE;
    recipe->head_activation = INS_ACTIVATION_NONE;
    INS_TRY(read_head_input(recipe, &head, error));
    INS_TRY(read_head_words(recipe, &head, error));
    return read_head_dense(recipe, &head, error);
}

/* ---- what is not supported ---------------------------------------------- */

/* Keys whose very presence means that the weights are not what they seem. */
static ins_status
refuse_foreign_keys(const ins_json *json, ins_error *error)
{
    static const char *const keys[] = {"quantization_config", "auto_map",
                                       "adapters", "adapter_fusions"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (ins_json_has(json, keys[i]))
            return ins_json_fail_unsupported(json, keys[i], NULL, error);
    return INS_OK;
}

static ins_status
refuse_true_keys(const ins_json *json, ins_error *error)
{
    static const char *const keys[] = {"is_decoder", "add_cross_attention",
                                       "is_encoder_decoder",
                                       "trust_remote_code"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        bool value = false;

        INS_TRY(ins_json_bool(json, keys[i], &value, error));
        if (value)
            return ins_json_fail_unsupported(json, keys[i], NULL, error);
    }
    return INS_OK;
}

static ins_status
refuse_unsupported(const ins_json *json, ins_error *error)
{
    const char *positions = "absolute";
    ins_json pruned;

    INS_TRY(refuse_foreign_keys(json, error));
    INS_TRY(refuse_true_keys(json, error));
    INS_TRY(ins_json_text(json, "position_embedding_type", &positions, error));
    if (strcmp(positions, "absolute") != 0)
        return ins_json_fail_unsupported(json, "position_embedding_type",
                                         "Supported: absolute.", error);
    INS_TRY(ins_json_object(json, "pruned_heads", "", &pruned, error));
    if (json_object_size(pruned.value) > 0)
        return ins_json_fail_unsupported(json, "pruned_heads", NULL, error);
    return INS_OK;
}

/* ---- dimensions --------------------------------------------------------- */

static ins_status
read_dimension(const ins_json *json, const char *key, ins_json_range range,
               uint32_t *value, ins_error *error)
{
    if (!ins_json_has(json, key))
        return ins_json_fail_missing(json, key, error);
    return ins_json_u32(json, key, range, value, error);
}

static ins_status
read_dimensions(ins_config *config, const ins_json *json, ins_error *error)
{
    const ins_config_keys *keys = &config->architecture->keys;
    ins_pack_recipe *recipe = &config->recipe;
    const struct {
        const char *key;
        ins_json_range range;
        uint32_t *value;
    } dimensions[] = {
        {keys->hidden, {1, INS_MAX_HIDDEN}, &recipe->hidden},
        {keys->layers, {1, INS_MAX_LAYERS}, &recipe->layers},
        {keys->heads, {1, INS_MAX_HIDDEN}, &recipe->heads},
        {keys->intermediate, {1, INS_MAX_INTERMEDIATE}, &recipe->intermediate},
        {"vocab_size", {1, INS_MAX_VOCABULARY}, &recipe->vocabulary},
        {"max_position_embeddings", {2, INS_MAX_POSITIONS}, &recipe->positions},
    };

    for (size_t i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]); i++)
        INS_TRY(read_dimension(json, dimensions[i].key, dimensions[i].range,
                               dimensions[i].value, error));
    if (recipe->hidden % recipe->heads != 0) {
        char expected[64];

        ins_format(expected, sizeof(expected), "a divisor of \"%s\" = %u",
                   keys->hidden, recipe->hidden);
        return ins_json_fail(json, keys->heads, expected, error);
    }
    if (keys->token_types != NULL) {
        recipe->token_types = DEFAULT_TOKEN_TYPES;
        INS_TRY(ins_json_u32(json, keys->token_types,
                             (ins_json_range){1, INS_MAX_TOKEN_TYPES},
                             &recipe->token_types, error));
    }
    return INS_OK;
}

static ins_status
read_norm_epsilon(ins_config *config, const ins_json *json, ins_error *error)
{
    const char *key = config->architecture->keys.norm_epsilon;
    double epsilon = DEFAULT_NORM_EPSILON;

    if (key != NULL && ins_json_has(json, key)) {
        const json_t *value = json_object_get(json->value, key);

        epsilon = json_number_value(value);
        if (!json_is_number(value) || epsilon < 1e-20 || epsilon > 0.1)
            return ins_json_fail(json, key, "a number from 1e-20 to 0.1",
                                 error);
    }
    config->recipe.norm_epsilon = (float) epsilon;
    return INS_OK;
}

static ins_status
read_activation(ins_config *config, const ins_json *json, ins_error *error)
{
    static const struct {
        const char *name;
        uint32_t activation;
    } known[] = {
        {"gelu", INS_ACTIVATION_GELU},
        {"gelu_python", INS_ACTIVATION_GELU},
        {"gelu_new", INS_ACTIVATION_GELU_TANH},
        {"gelu_pytorch_tanh", INS_ACTIVATION_GELU_TANH},
        /* Another spelling of the same formula. */
        {"gelu_fast", INS_ACTIVATION_GELU_TANH},
        {"relu", INS_ACTIVATION_RELU},
    };
    const char *key = config->architecture->keys.activation;
    const char *name = "gelu";

    INS_TRY(ins_json_text(json, key, &name, error));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            config->recipe.activation = known[i].activation;
            return INS_OK;
        }
    }
    return ins_json_fail_unsupported(
        json, key,
        "Supported: gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu.",
        error);
}

static ins_status
read_pad_id(ins_config *config, const ins_json *json, ins_error *error)
{
    config->has_pad_id = ins_json_has(json, "pad_token_id");
    return ins_json_u32(json, "pad_token_id",
                        (ins_json_range){0, config->recipe.vocabulary - 1},
                        &config->pad_id, error);
}

static ins_status
read_config(ins_config *config, const ins_json *json, const ins_host *host,
            ins_error *error)
{
    INS_TRY(find_architecture(config, json, error));
    INS_TRY(refuse_unsupported(json, error));
    INS_TRY(read_architectures(config, json, error));
    INS_TRY(read_head(config, json, error));
    INS_TRY(read_dimensions(config, json, error));
    INS_TRY(read_norm_epsilon(config, json, error));
    INS_TRY(read_activation(config, json, error));
    INS_TRY(read_pad_id(config, json, error));
    if ((config->recipe.flags & INS_RECIPE_CLASSIFY) == 0)
        return INS_OK;
    INS_TRY(ins_config_read_labels(config, json, host, error));
    return check_head_words(&config->recipe, error);
}

/* ---- length limit ------------------------------------------------------- */

/* model_max_length, which is 1e30 when nobody has set it. */
static ins_status
read_model_max_length(const ins_import_source *source, uint32_t *limit,
                      ins_error *error)
{
    ins_json json;
    double length;

    INS_TRY(
        ins_import_json_object(source, "tokenizer_config.json", &json, error));
    length = json_number_value(json_object_get(json.value, "model_max_length"));
    if (length >= 2 && length <= INS_MAX_POSITIONS)
        *limit = (uint32_t) length;
    ins_json_close(&json);
    return INS_OK;
}

static ins_status
choose_max_tokens(ins_config *config, const ins_import_source *source,
                  ins_error *error)
{
    ins_pack_recipe *recipe = &config->recipe;
    uint32_t positions = recipe->positions - recipe->position_offset;
    uint32_t wanted = source->options->max_tokens;
    uint32_t limit = 0;

    INS_TRY(ins_config_read_limit(config, source, &limit, error));
    if (limit == 0)
        INS_TRY(read_model_max_length(source, &limit, error));
    recipe->max_tokens = limit != 0 && limit < positions ? limit : positions;
    if (wanted == 0)
        return INS_OK;
    INS_CHECK(wanted >= 2 && wanted <= recipe->max_tokens, error,
              INS_INVALID_ARGUMENT,
              "option \"max_tokens\" must be from 2 to the model's limit %u, "
              "not %u",
              recipe->max_tokens, wanted);
    recipe->max_tokens = wanted;
    return INS_OK;
}

/* ---- options ------------------------------------------------------------ */

/* A head that reads the embedding was trained on that embedding. */
static ins_status
check_pooled_head(const ins_pack_recipe *recipe,
                  const ins_import_options *options, ins_error *error)
{
    if ((recipe->flags & INS_RECIPE_HEAD_POOLED) == 0)
        return INS_OK;
    INS_CHECK((recipe->flags & INS_RECIPE_EMBED) != 0, error, INS_BAD_SOURCE,
              "config.json: \"insitu_head\" reads the embedding, but "
              "modules.json and 1_Pooling/config.json are missing");
    INS_CHECK(options->pooling == INS_POOLING_FROM_SOURCE &&
                  options->normalize < 0,
              error, INS_INVALID_ARGUMENT,
              "options \"pooling\" and \"normalize\" cannot change the "
              "embedding that the model's head reads");
    return INS_OK;
}

static ins_status
apply_pooling_options(ins_pack_recipe *recipe,
                      const ins_import_options *options, ins_error *error)
{
    static const uint32_t poolings[] = {
        [INS_POOLING_CHOICE_MEAN] = INS_POOLING_MEAN,
        [INS_POOLING_CHOICE_CLS] = INS_POOLING_CLS,
        [INS_POOLING_CHOICE_MAX] = INS_POOLING_MAX,
    };

    INS_CHECK((unsigned) options->pooling <= INS_POOLING_CHOICE_MAX, error,
              INS_INVALID_ARGUMENT, "option \"pooling\" is out of range");
    if (options->pooling != INS_POOLING_FROM_SOURCE) {
        recipe->flags |= INS_RECIPE_EMBED;
        recipe->pooling = poolings[options->pooling];
    }
    if (options->normalize < 0)
        return INS_OK;
    INS_CHECK((recipe->flags & INS_RECIPE_EMBED) != 0, error,
              INS_INVALID_ARGUMENT,
              "option \"normalize\" needs a model that embeds; choose a "
              "\"pooling\"");
    recipe->flags &= ~(uint32_t) INS_RECIPE_NORMALIZE;
    if (options->normalize > 0)
        recipe->flags |= INS_RECIPE_NORMALIZE;
    return INS_OK;
}

static uint32_t
chosen_weights(ins_weights_choice choice)
{
    switch (choice) {
    case INS_WEIGHTS_CHOICE_F32:
        return INS_WEIGHTS_F32;
    case INS_WEIGHTS_CHOICE_BF16:
        return INS_WEIGHTS_BF16;
    default:
        return INS_WEIGHTS_INT8;
    }
}

ins_status
ins_config_read(ins_config *config, const ins_import_source *source,
                const ins_adapter *adapter, ins_error *error)
{
    ins_json json;
    ins_status status;

    *config = (ins_config){.architecture = NULL};
    INS_TRY(ins_import_json_object(source, "config.json", &json, error));
    INS_CHECK(json.value != NULL, error, INS_BAD_SOURCE,
              "config.json is missing");
    status = ins_adapter_join_config(adapter, source, &json, error);
    if (status == INS_OK)
        status = read_config(config, &json, source->host, error);
    ins_json_close(&json);
    INS_TRY(status);
    INS_TRY(ins_config_read_pooling(config, source, error));
    config->recipe.weights = chosen_weights(source->options->weights);
    INS_TRY(check_pooled_head(&config->recipe, source->options, error));
    INS_TRY(apply_pooling_options(&config->recipe, source->options, error));
    INS_TRY(ins_config_read_lexical(config, source, error));
    return choose_max_tokens(config, source, error);
}

void
ins_config_close(ins_config *config, const ins_host *host)
{
    ins_release(host, (void *) config->labels.ends);
    ins_release(host, (void *) config->labels.bytes);
    ins_release(host, config->lexical_weights);
    config->labels = (ins_string_table){NULL, NULL, 0};
    config->lexical_weights = NULL;
}
