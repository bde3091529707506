/*
 * adapter_settings.c - adapter_config.json.
 *
 * PEFT writes all its settings, most of them null or false.  A setting that is
 * on and not in the list below changes what the model computes, as far as we
 * know, and is refused.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <string.h>

#include "import/adapter.h"

static ins_status
fail_setting(const ins_json *json, const char *key, const char *detail,
             ins_error *error)
{
    ins_json_fail_unsupported(json, key, detail, error);
    ins_fail_hint(error, "%s", INS_ADAPTER_MERGE_HINT);
    return INS_UNSUPPORTED;
}

/* ---- settings that must be off ------------------------------------------- */

/* Read below, or about training, or about where the base comes from. */
static const char *const known[] = {
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
};

static bool
is_known(const char *key)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], key) == 0)
            return true;
    return false;
}

static bool
is_off(const json_t *value)
{
    if (json_is_object(value))
        return json_object_size(value) == 0;
    if (json_is_array(value))
        return json_array_size(value) == 0;
    return json_is_null(value) || json_is_false(value);
}

static ins_status
refuse_others(const ins_json *json, ins_error *error)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *) json->value, key, value)
    {
        if (!is_known(key) && !is_off(value))
            return fail_setting(json, key, NULL, error);
    }
    return INS_OK;
}

/* ---- words --------------------------------------------------------------- */

static ins_status
check_type(const ins_json *json, ins_error *error)
{
    const char *type = NULL;

    INS_TRY(ins_json_text(json, "peft_type", &type, error));
    if (type == NULL)
        return ins_json_fail_missing(json, "peft_type", error);
    if (strcmp(type, "LORA") != 0)
        return fail_setting(json, "peft_type", "Supported: LORA.", error);
    return INS_OK;
}

static ins_status
read_task(ins_adapter_settings *settings, ins_error *error)
{
    const ins_json *json = &settings->json;
    const char *task = NULL;

    INS_TRY(ins_json_text(json, "task_type", &task, error));
    if (task == NULL)
        return INS_OK;
    if (strcmp(task, "SEQ_CLS") == 0)
        settings->task = INS_ADAPTER_CLASSIFIER;
    else if (strcmp(task, "FEATURE_EXTRACTION") == 0)
        settings->task = INS_ADAPTER_ENCODER;
    else
        return ins_json_fail_unsupported(
            json, "task_type", "Supported: SEQ_CLS, FEATURE_EXTRACTION.",
            error);
    return INS_OK;
}

static ins_status
read_bias(ins_adapter_settings *settings, ins_error *error)
{
    const char *bias = "none";

    INS_TRY(ins_json_text(&settings->json, "bias", &bias, error));
    settings->saves_biases =
        strcmp(bias, "all") == 0 || strcmp(bias, "lora_only") == 0;
    if (!settings->saves_biases && strcmp(bias, "none") != 0)
        return fail_setting(&settings->json, "bias",
                            "Supported: none, all, lora_only.", error);
    return INS_OK;
}

/* Some ways to begin a training take what they begin with from the base. */
static ins_status
check_initialisation(const ins_json *json, ins_error *error)
{
    static const char *const harmless[] = {"gaussian", "eva", "orthogonal"};
    const json_t *value = json_object_get(json->value, "init_lora_weights");
    const char *word = json_string_value(value);

    if (value == NULL || json_is_null(value) || json_is_boolean(value))
        return INS_OK;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (word != NULL && strcmp(word, harmless[i]) == 0)
            return INS_OK;
    return fail_setting(json, "init_lora_weights",
                        "It may have changed the base's weights.", error);
}

/* ---- lists of modules ---------------------------------------------------- */

static ins_status
check_count(const ins_json *json, const char *key, size_t count,
            ins_error *error)
{
    INS_CHECK(count <= INS_ADAPTER_MAX_NAMES, error, INS_LIMIT_EXCEEDED,
              "%s: \"%s\" names %zu modules; the limit is %d", json->file, key,
              count, INS_ADAPTER_MAX_NAMES);
    return INS_OK;
}

static ins_status
read_names(const ins_json *json, const char *key, const json_t **list,
           ins_error *error)
{
    if (json_is_string(json_object_get(json->value, key)))
        return fail_setting(json, key,
                            "A pattern is not evaluated; a list of the "
                            "modules' names is read.",
                            error);
    INS_TRY(ins_json_array(json, key, list, error));
    INS_TRY(check_count(json, key, json_array_size(*list), error));
    for (size_t i = 0; i < json_array_size(*list); i++)
        if (json_string_length(json_array_get(*list, i)) == 0)
            return ins_json_fail(json, key, "a list of names", error);
    return INS_OK;
}

static bool
ends_with(ins_text text, const char *end)
{
    size_t bytes = strlen(end);

    return text.size >= bytes &&
           memcmp(text.data + text.size - bytes, end, bytes) == 0;
}

/* Is name the module's, or its last components? */
static bool
names_module(const char *name, ins_text module)
{
    size_t bytes = strlen(name);

    return ends_with(module, name) &&
           (module.size == bytes ||
            module.data[module.size - bytes - 1] == '.');
}

static bool
is_named(const json_t *list, ins_text module)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (names_module(json_string_value(json_array_get(list, i)), module))
            return true;
    return false;
}

bool
ins_adapter_is_target(const ins_adapter_settings *settings, ins_text module)
{
    return is_named(settings->targets, module) &&
           !is_named(settings->excluded, module);
}

/* The module at the next dot of the path, or the whole; at: from 0. */
static bool
next_parent(ins_text module, size_t *at, ins_text *parent)
{
    const char *dot;

    if (*at > module.size)
        return false;
    dot = memchr(module.data + *at, '.', module.size - *at);
    *parent = module;
    if (dot != NULL)
        parent->size = (size_t) (dot - module.data);
    *at = parent->size + 1;
    return true;
}

/*
 * PEFT compares the ends of modules' names without regard to the dots, so that
 * "classifier" also saves DistilBERT's "pre_classifier".  It saves a
 * classifier's head without a word in older files.
 */
bool
ins_adapter_may_save(const ins_adapter_settings *settings, ins_text module)
{
    ins_text parent;
    size_t at = 0;

    while (next_parent(module, &at, &parent)) {
        if (settings->task == INS_ADAPTER_CLASSIFIER &&
            ends_with(parent, "classifier"))
            return true;
        for (size_t i = 0; i < json_array_size(settings->saved); i++)
            if (ends_with(parent, json_string_value(
                                      json_array_get(settings->saved, i))))
                return true;
    }
    return false;
}

bool
ins_adapter_must_save(const ins_adapter_settings *settings, ins_text module)
{
    ins_text parent;
    size_t at = 0;

    while (next_parent(module, &at, &parent))
        if (is_named(settings->saved, parent))
            return true;
    return false;
}

/* ---- rank and scale ------------------------------------------------------ */

static const ins_json_range ranks = {1, INS_ADAPTER_MAX_RANK};
static const ins_json_interval alphas = {-1e9, 1e9, false, false,
                                         "a number from -1e9 to 1e9"};

/* Keys may be regular expressions; those without special characters are names
 * of modules. */
static ins_status
check_pattern_key(const ins_json *pattern, const char *key, ins_error *error)
{
    for (const char *c = key; *c != '\0'; c++) {
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
            (*c >= '0' && *c <= '9') || *c == '_' || *c == '.')
            continue;
        return fail_setting(pattern, key,
                            "A pattern is not evaluated; names of modules "
                            "are read.",
                            error);
    }
    return INS_OK;
}

static ins_status
read_patterns(ins_adapter_settings *settings, ins_error *error)
{
    const ins_json *json = &settings->json;
    const char *key;
    json_t *value;
    uint32_t rank;
    double alpha;

    INS_TRY(ins_json_object(json, "rank_pattern", "rank_pattern.",
                            &settings->rank_pattern, error));
    INS_TRY(ins_json_object(json, "alpha_pattern", "alpha_pattern.",
                            &settings->alpha_pattern, error));
    INS_TRY(check_count(json, "rank_pattern",
                        json_object_size(settings->rank_pattern.value), error));
    INS_TRY(check_count(json, "alpha_pattern",
                        json_object_size(settings->alpha_pattern.value),
                        error));
    json_object_foreach((json_t *) settings->rank_pattern.value, key, value)
    {
        INS_TRY(check_pattern_key(&settings->rank_pattern, key, error));
        if (json_is_null(value))
            return ins_json_fail(&settings->rank_pattern, key, "a rank", error);
        INS_TRY(
            ins_json_u32(&settings->rank_pattern, key, ranks, &rank, error));
    }
    json_object_foreach((json_t *) settings->alpha_pattern.value, key, value)
    {
        INS_TRY(check_pattern_key(&settings->alpha_pattern, key, error));
        if (json_is_null(value))
            return ins_json_fail(&settings->alpha_pattern, key, alphas.text,
                                 error);
        INS_TRY(ins_json_number(&settings->alpha_pattern, key, &alphas, &alpha,
                                error));
    }
    return INS_OK;
}

/* An adapter that only brings a head needs none of both. */
static ins_status
read_scale(ins_adapter_settings *settings, ins_error *error)
{
    static const char *const keys[] = {"r", "lora_alpha"};
    const ins_json *json = &settings->json;

    for (size_t i = 0; i < 2; i++)
        if (json_array_size(settings->targets) > 0 &&
            !ins_json_has(json, keys[i]))
            return ins_json_fail_missing(json, keys[i], error);
    if (json_array_size(settings->targets) > 0)
        INS_TRY(ins_json_u32(json, "r", ranks, &settings->rank, error));
    INS_TRY(
        ins_json_number(json, "lora_alpha", &alphas, &settings->alpha, error));
    INS_TRY(ins_json_bool(json, "use_rslora", &settings->is_rank_stabilised,
                          error));
    return read_patterns(settings, error);
}

/* The value of the first key that names the module, or NULL. */
static const json_t *
find_pattern(const ins_json *pattern, ins_text module)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *) pattern->value, key, value)
    {
        if (names_module(key, module))
            return value;
    }
    return NULL;
}

uint32_t
ins_adapter_rank(const ins_adapter_settings *settings, ins_text module)
{
    const json_t *rank = find_pattern(&settings->rank_pattern, module);

    return rank == NULL ? settings->rank : (uint32_t) json_integer_value(rank);
}

double
ins_adapter_scale(const ins_adapter_settings *settings, ins_text module)
{
    const json_t *found = find_pattern(&settings->alpha_pattern, module);
    double alpha = found == NULL ? settings->alpha : json_number_value(found);
    double rank = (double) ins_adapter_rank(settings, module);

    return alpha / (settings->is_rank_stabilised ? sqrt(rank) : rank);
}

/* ---- the whole ----------------------------------------------------------- */

ins_status
ins_adapter_settings_read(ins_adapter_settings *settings, ins_error *error)
{
    const ins_json *json = &settings->json;

    INS_TRY(check_type(json, error));
    INS_TRY(refuse_others(json, error));
    INS_TRY(check_initialisation(json, error));
    INS_TRY(read_task(settings, error));
    INS_TRY(read_bias(settings, error));
    INS_TRY(read_names(json, "target_modules", &settings->targets, error));
    INS_TRY(read_names(json, "exclude_modules", &settings->excluded, error));
    INS_TRY(read_names(json, "modules_to_save", &settings->saved, error));
    return read_scale(settings, error);
}
