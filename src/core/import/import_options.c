/*
 * import_options.c - the JSON object that SQL users pass as options.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "formats/json.h"
#include "insitu_import.h"
#include "pack/pack_format.h"

static const char *const option_keys[] = {"max_tokens", "pooling", "normalize",
                                          "weights", "restricted"};

static ins_status
refuse_unknown_keys(const ins_json *json, ins_error *error)
{
    const size_t count = sizeof(option_keys) / sizeof(option_keys[0]);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *) json->value, key, value)
    {
        size_t i = 0;

        while (i < count && strcmp(option_keys[i], key) != 0)
            i++;
        if (i == count) {
            ins_fail(error, INS_INVALID_ARGUMENT, "unknown option \"%.*s\"", 64,
                     key);
            ins_fail_hint(error, "Options: max_tokens, pooling, normalize, "
                                 "weights, restricted.");
            return INS_INVALID_ARGUMENT;
        }
        if (json_is_null(value))
            return ins_json_fail(json, key, "set to a value", error);
    }
    return INS_OK;
}

static ins_status
read_pooling(const ins_json *json, ins_pooling_choice *pooling,
             ins_error *error)
{
    static const char *const names[] = {
        [INS_POOLING_CHOICE_MEAN] = "mean",
        [INS_POOLING_CHOICE_CLS] = "cls",
        [INS_POOLING_CHOICE_MAX] = "max",
    };
    const char *name = NULL;

    INS_TRY(ins_json_text(json, "pooling", &name, error));
    if (name == NULL)
        return INS_OK;
    for (int i = INS_POOLING_CHOICE_MEAN; i <= INS_POOLING_CHOICE_MAX; i++) {
        if (strcmp(names[i], name) == 0) {
            *pooling = (ins_pooling_choice) i;
            return INS_OK;
        }
    }
    return ins_json_fail(json, "pooling", "\"mean\", \"cls\" or \"max\"",
                         error);
}

static ins_status
read_weights(const ins_json *json, ins_weights_choice *weights,
             ins_error *error)
{
    static const char *const names[] = {
        [INS_WEIGHTS_CHOICE_F32] = "f32",
        [INS_WEIGHTS_CHOICE_BF16] = "bf16",
        [INS_WEIGHTS_CHOICE_INT8] = "int8",
    };
    const char *name = NULL;

    INS_TRY(ins_json_text(json, "weights", &name, error));
    if (name == NULL)
        return INS_OK;
    for (int i = INS_WEIGHTS_CHOICE_F32; i <= INS_WEIGHTS_CHOICE_INT8; i++) {
        if (strcmp(names[i], name) == 0) {
            *weights = (ins_weights_choice) i;
            return INS_OK;
        }
    }
    return ins_json_fail(json, "weights", "\"int8\", \"bf16\" or \"f32\"",
                         error);
}

static ins_status
read_options(const ins_json *json, ins_import_options *options,
             ins_error *error)
{
    bool normalize = false;

    INS_CHECK(json_is_object(json->value), error, INS_INVALID_ARGUMENT,
              "options must be a JSON object");
    INS_TRY(refuse_unknown_keys(json, error));
    INS_TRY(ins_json_u32(json, "max_tokens",
                         (ins_json_range){2, INS_MAX_POSITIONS},
                         &options->max_tokens, error));
    INS_TRY(read_pooling(json, &options->pooling, error));
    INS_TRY(ins_json_bool(json, "normalize", &normalize, error));
    if (ins_json_has(json, "normalize"))
        options->normalize = normalize;
    INS_TRY(read_weights(json, &options->weights, error));
    return ins_json_bool(json, "restricted", &options->restricted, error);
}

ins_status
ins_import_options_parse(ins_import_options *options, ins_text text,
                         ins_error *error)
{
    static const ins_json_limits limits = {65536, 4096, false};
    ins_import_options parsed = INS_IMPORT_DEFAULTS;
    ins_json json = {"options", "", INS_INVALID_ARGUMENT, NULL};
    ins_status status;

    *options = parsed;
    INS_TRY(ins_json_open(&json, text, &limits, NULL, error));
    status = read_options(&json, &parsed, error);
    ins_json_close(&json);
    if (status == INS_OK)
        *options = parsed;
    return status;
}
