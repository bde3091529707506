/*
 * lexical.c - insitu_lexical.json: the lexical part of the embeddings.
 *
 *     {"size": 640,             values of the part
 *      "saturation": 2,         see tasks/lexical.c
 *      "document": 0.55,        length of the part beside the pooled values,
 *      "query": 2.2,            in an embedding of a document, of a query
 *      "weights": [0, ...]}     of each row of the vocabulary
 *
 * A file of our own: other libraries do not look for it, and read the
 * directory as the encoder that it was without.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/config.h"

#define WEIGHTS_PER_POLL 65536

static ins_status
read_numbers(ins_pack_recipe *recipe, const ins_json *json, ins_error *error)
{
    static const ins_json_interval saturations = {
        0, INS_MAX_LEXICAL_LENGTH, false, false, "a number from 0 to 1000"};
    static const ins_json_interval lengths = {0.001, INS_MAX_LEXICAL_LENGTH,
                                              false, false,
                                              "a number from 0.001 to 1000"};
    double saturation = 0;
    double document = 0;
    double query;

    if (!ins_json_has(json, "size"))
        return ins_json_fail_missing(json, "size", error);
    if (!ins_json_has(json, "document"))
        return ins_json_fail_missing(json, "document", error);
    INS_TRY(ins_json_u32(json, "size", (ins_json_range){1, INS_MAX_LEXICAL},
                         &recipe->lexical, error));
    INS_TRY(
        ins_json_number(json, "saturation", &saturations, &saturation, error));
    INS_TRY(ins_json_number(json, "document", &lengths, &document, error));
    query = document;
    INS_TRY(ins_json_number(json, "query", &lengths, &query, error));
    recipe->lexical_saturation = (float) saturation;
    recipe->lexical_document = (float) document;
    recipe->lexical_query = (float) query;
    return INS_OK;
}

static ins_status
read_weights(ins_config *config, const ins_json *json, const ins_host *host,
             ins_error *error)
{
    static const ins_json_interval weights = {0, 1e6, false, false, ""};
    uint32_t count = config->recipe.vocabulary;
    const json_t *list = NULL;
    void *memory;

    INS_TRY(ins_json_array(json, "weights", &list, error));
    if (list == NULL)
        return ins_json_fail_missing(json, "weights", error);
    INS_CHECK(
        json_array_size(list) == count, error, INS_BAD_SOURCE,
        "%s: \"weights\" has %zu numbers, not one for each of the %u rows "
        "of the vocabulary",
        json->file, json_array_size(list), count);
    INS_TRY(ins_alloc(host, count, sizeof(float), &memory, error));
    config->lexical_weights = memory;
    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        double weight = json_number_value(value);

        if (i % WEIGHTS_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        INS_CHECK(json_is_number(value) && ins_json_is_within(&weights, weight),
                  error, INS_BAD_SOURCE,
                  "%s: weight %u must be a number from 0 to 1000000",
                  json->file, i);
        config->lexical_weights[i] = (float) weight;
    }
    return INS_OK;
}

/* The part has a length beside one of 1. */
static ins_status
check_embedding(const ins_config *config, const ins_import_options *options,
                ins_error *error)
{
    const uint32_t needed = INS_RECIPE_EMBED | INS_RECIPE_NORMALIZE;

    if ((config->recipe.flags & needed) == needed)
        return INS_OK;
    if (options->normalize == 0) {
        ins_fail(error, INS_INVALID_ARGUMENT,
                 "option \"normalize\" cannot be false for embeddings with a "
                 "lexical part");
        ins_fail_hint(error, "Leave that part out with \"lexical\": false.");
        return INS_INVALID_ARGUMENT;
    }
    ins_fail(error, INS_BAD_SOURCE,
             INS_LEXICAL_FILE " needs embeddings of length 1: a Pooling and a "
                              "Normalize in modules.json");
    ins_fail_hint(error, "Leave that part out with \"lexical\": false.");
    return INS_BAD_SOURCE;
}

ins_status
ins_config_read_lexical(ins_config *config, const ins_import_source *source,
                        ins_error *error)
{
    const ins_import_options *options = source->options;
    bool is_there = ins_import_find(source, INS_LEXICAL_FILE) != NULL;
    ins_json json;
    ins_status status;

    INS_CHECK(is_there || options->lexical <= 0, error, INS_INVALID_ARGUMENT,
              "option \"lexical\" needs " INS_LEXICAL_FILE " in the directory");
    if (!is_there || options->lexical == 0)
        return INS_OK;
    INS_TRY(check_embedding(config, options, error));
    INS_TRY(ins_import_json_object(source, INS_LEXICAL_FILE, &json, error));
    status = read_numbers(&config->recipe, &json, error);
    if (status == INS_OK)
        status = read_weights(config, &json, source->host, error);
    ins_json_close(&json);
    return status;
}
