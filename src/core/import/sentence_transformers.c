/*
 * sentence_transformers.c - modules.json, 1_Pooling/config.json,
 * sentence_bert_config.json and config_sentence_transformers.json.
 *
 * Source: the files that sentence-transformers writes.  A directory without
 * them is read as that library reads it: mean pooling, no normalisation.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "import/config.h"

#define POOLING_FILE "1_Pooling/config.json"
#define PROMPTS_FILE "config_sentence_transformers.json"

/* ---- modules.json ------------------------------------------------------- */

/* "sentence_transformers.models.Pooling" -> "Pooling"; others as they are. */
static const char *
shorten_type(const char *type)
{
    static const char package[] = "sentence_transformers.";
    const char *dot = strrchr(type, '.');

    if (strncmp(type, package, sizeof(package) - 1) != 0)
        return type;
    return dot + 1;
}

static ins_status
check_module(const ins_json *module, const char *type, const char *path,
             ins_error *error)
{
    const char *found_type = NULL;
    const char *found_path = "";

    INS_TRY(ins_json_text(module, "type", &found_type, error));
    INS_TRY(ins_json_text(module, "path", &found_path, error));
    if (found_type == NULL)
        return ins_json_fail_missing(module, "type", error);
    if (strcmp(shorten_type(found_type), type) != 0)
        return ins_json_fail_unsupported(
            module, "type",
            "Supported: a Transformer, a Pooling and at most one Normalize, "
            "in this order.",
            error);
    if (path != NULL && strcmp(found_path, path) != 0)
        return ins_json_fail_unsupported(
            module, "path",
            "The Transformer lies in the directory itself, the Pooling in "
            "1_Pooling.",
            error);
    return INS_OK;
}

static ins_status
read_modules(ins_config *config, const ins_json *json, ins_error *error)
{
    /* NULL: any path, because there is nothing in it. */
    static const struct {
        const char *type;
        const char *path;
        const char *shown;
    } expected[] = {
        {"Transformer", "", "[0]."},
        {"Pooling", "1_Pooling", "[1]."},
        {"Normalize", NULL, "[2]."},
    };
    size_t count = json_array_size(json->value);

    INS_CHECK(json_is_array(json->value), error, INS_BAD_SOURCE,
              "%s must hold a list of modules", json->file);
    for (size_t i = 0; i < count && i < 3; i++) {
        ins_json module = {json->file, expected[i].shown, json->status,
                           json_array_get(json->value, i)};

        INS_CHECK(json_is_object(module.value), error, INS_BAD_SOURCE,
                  "%s must hold a list of objects", json->file);
        INS_TRY(
            check_module(&module, expected[i].type, expected[i].path, error));
    }
    INS_CHECK(count == 2 || count == 3, error, INS_UNSUPPORTED,
              "%s lists %zu modules; supported are a Transformer, a Pooling "
              "and at most one Normalize",
              json->file, count);
    if (count == 3)
        config->recipe.flags |= INS_RECIPE_NORMALIZE;
    return INS_OK;
}

/* ---- 1_Pooling/config.json ---------------------------------------------- */

static ins_status
read_pooling_modes(ins_config *config, const ins_json *json, ins_error *error)
{
    static const struct {
        const char *key;
        uint32_t pooling; /* NONE: not supported */
    } modes[] = {
        {"pooling_mode_cls_token", INS_POOLING_CLS},
        {"pooling_mode_mean_tokens", INS_POOLING_MEAN},
        {"pooling_mode_max_tokens", INS_POOLING_MAX},
        {"pooling_mode_mean_sqrt_len_tokens", INS_POOLING_NONE},
        {"pooling_mode_weightedmean_tokens", INS_POOLING_NONE},
        {"pooling_mode_lasttoken", INS_POOLING_NONE},
    };
    const char *chosen = NULL;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        bool is_set = false;

        INS_TRY(ins_json_bool(json, modes[i].key, &is_set, error));
        if (!is_set)
            continue;
        if (modes[i].pooling == INS_POOLING_NONE)
            return ins_json_fail_unsupported(json, modes[i].key, NULL, error);
        INS_CHECK(chosen == NULL, error, INS_UNSUPPORTED,
                  "%s: \"%s\" and \"%s\" are both true, which is not "
                  "supported",
                  json->file, chosen, modes[i].key);
        chosen = modes[i].key;
        config->recipe.pooling = modes[i].pooling;
    }
    INS_CHECK(chosen != NULL, error, INS_BAD_SOURCE,
              "%s chooses no pooling mode", json->file);
    return INS_OK;
}

/* Newer files say it with one word. */
static ins_status
read_pooling_word(ins_config *config, const ins_json *json, ins_error *error)
{
    static const struct {
        const char *word;
        uint32_t pooling;
    } words[] = {{"mean", INS_POOLING_MEAN},
                 {"cls", INS_POOLING_CLS},
                 {"max", INS_POOLING_MAX}};
    const char *word = NULL;

    INS_TRY(ins_json_text(json, "pooling_mode", &word, error));
    if (word == NULL)
        return read_pooling_modes(config, json, error);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            config->recipe.pooling = words[i].pooling;
            return INS_OK;
        }
    }
    return ins_json_fail_unsupported(json, "pooling_mode",
                                     "Supported: mean, cls, max.", error);
}

static ins_status
read_pooling_file(ins_config *config, const ins_json *json, ins_error *error)
{
    uint32_t hidden = config->recipe.hidden;
    uint32_t size = hidden;
    bool include_prompt = true;

    INS_TRY(ins_json_u32(json, "word_embedding_dimension",
                         (ins_json_range){hidden, hidden}, &size, error));
    INS_TRY(ins_json_bool(json, "include_prompt", &include_prompt, error));
    if (!include_prompt)
        return ins_json_fail_unsupported(json, "include_prompt", NULL, error);
    return read_pooling_word(config, json, error);
}

/* ---- prompts ------------------------------------------------------------ */

/* The first of the names that has a prompt. */
static ins_status
copy_prompt(const ins_json *prompts, const char *const *names, size_t count,
            char prompt[INS_MAX_PROMPT_BYTES], uint32_t *bytes,
            ins_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        size_t size;

        if (names[i] == NULL)
            continue;
        INS_TRY(ins_json_text(prompts, names[i], &text, error));
        if (text == NULL)
            continue;
        size = strlen(text);
        INS_CHECK(size <= INS_MAX_PROMPT_BYTES, error, INS_LIMIT_EXCEEDED,
                  "%s: \"%s%s\" has %zu bytes; the limit is %d", prompts->file,
                  prompts->path, names[i], size, INS_MAX_PROMPT_BYTES);
        memcpy(prompt, text, size);
        *bytes = (uint32_t) size;
        return INS_OK;
    }
    return INS_OK;
}

static ins_status
read_prompts(ins_config *config, const ins_json *json, ins_error *error)
{
    const char *fallback = NULL; /* a prompt for everything */
    ins_json prompts;

    INS_TRY(ins_json_object(json, "prompts", "prompts.", &prompts, error));
    INS_TRY(ins_json_text(json, "default_prompt_name", &fallback, error));
    if (prompts.value == NULL)
        return INS_OK;
    INS_TRY(copy_prompt(&prompts, (const char *[]){"query", fallback}, 2,
                        config->query_prompt, &config->query_prompt_bytes,
                        error));
    return copy_prompt(
        &prompts, (const char *[]){"document", "passage", "corpus", fallback},
        4, config->document_prompt, &config->document_prompt_bytes, error);
}

static ins_status
read_prompts_file(ins_config *config, const ins_import_source *source,
                  ins_error *error)
{
    ins_json json;
    ins_status status;

    INS_TRY(ins_import_json_object(source, PROMPTS_FILE, &json, error));
    if (json.value == NULL)
        return INS_OK;
    status = read_prompts(config, &json, error);
    ins_json_close(&json);
    return status;
}

/* ---- the whole ---------------------------------------------------------- */

ins_status
ins_config_read_pooling(ins_config *config, const ins_import_source *source,
                        ins_error *error)
{
    bool has_modules = ins_import_find(source, "modules.json") != NULL;
    bool has_pooling = ins_import_find(source, POOLING_FILE) != NULL;
    ins_status status;
    ins_json json;

    /* A classifier embeds only when it says so. */
    if (!has_modules && !has_pooling &&
        (config->recipe.flags & INS_RECIPE_CLASSIFY) != 0)
        return INS_OK;
    config->recipe.flags |= INS_RECIPE_EMBED;
    config->recipe.pooling = INS_POOLING_MEAN;
    if (has_modules) {
        INS_TRY(ins_import_json(source, "modules.json", &json, error));
        status = read_modules(config, &json, error);
        ins_json_close(&json);
        INS_TRY(status);
        INS_CHECK(has_pooling, error, INS_BAD_SOURCE,
                  POOLING_FILE " is missing, which modules.json asks for");
    }
    if (has_pooling) {
        INS_TRY(ins_import_json_object(source, POOLING_FILE, &json, error));
        status = read_pooling_file(config, &json, error);
        ins_json_close(&json);
        INS_TRY(status);
    }
    return read_prompts_file(config, source, error);
}

static ins_status
read_limit_file(ins_config *config, const ins_json *json, uint32_t *limit,
                ins_error *error)
{
    INS_TRY(
        ins_json_bool(json, "do_lower_case", &config->must_lowercase, error));
    return ins_json_u32(json, "max_seq_length", (ins_json_range){2, 1u << 30},
                        limit, error);
}

ins_status
ins_config_read_limit(ins_config *config, const ins_import_source *source,
                      uint32_t *limit, ins_error *error)
{
    static const char *const names[] = {"sentence_bert_config.json",
                                        "sentence_distilbert_config.json"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ins_json json;
        ins_status status;

        INS_TRY(ins_import_json_object(source, names[i], &json, error));
        if (json.value == NULL)
            continue;
        status = read_limit_file(config, &json, limit, error);
        ins_json_close(&json);
        return status;
    }
    return INS_OK;
}
