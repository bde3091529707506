/*
 * import_options.c - the JSON object that SQL users pass as options.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "formats/json.h"
#include "insitu_import.h"
#include "pack/pack_format.h"

static const char *const option_names[] = {
    "max_tokens", "pooling", "normalize", "weights", "lexical", "restricted"};
static const ins_json_keys option_keys = {
    option_names, sizeof(option_names) / sizeof(option_names[0]), ""};
static const ins_json_word pooling_words[] = {
    {"mean", INS_POOLING_CHOICE_MEAN},
    {"cls", INS_POOLING_CHOICE_CLS},
    {"max", INS_POOLING_CHOICE_MAX},
};
static const ins_json_word weights_words[] = {
    {"int8", INS_WEIGHTS_CHOICE_INT8},
    {"bf16", INS_WEIGHTS_CHOICE_BF16},
    {"f32", INS_WEIGHTS_CHOICE_F32},
};

static ins_status
read_options(const ins_json *json, ins_import_options *options,
             ins_error *error)
{
    bool normalize = false;
    bool lexical = false;
    int pooling = (int) options->pooling;
    int weights = (int) options->weights;

    INS_TRY(ins_json_check_options(json, &option_keys, error));
    INS_TRY(ins_json_u32(json, "max_tokens",
                         (ins_json_range){2, INS_MAX_POSITIONS},
                         &options->max_tokens, error));
    INS_TRY(
        ins_json_choice(json, "pooling", pooling_words, 3, &pooling, error));
    options->pooling = (ins_pooling_choice) pooling;
    INS_TRY(ins_json_bool(json, "normalize", &normalize, error));
    if (ins_json_has(json, "normalize"))
        options->normalize = normalize;
    INS_TRY(ins_json_bool(json, "lexical", &lexical, error));
    if (ins_json_has(json, "lexical"))
        options->lexical = lexical;
    INS_TRY(
        ins_json_choice(json, "weights", weights_words, 3, &weights, error));
    options->weights = (ins_weights_choice) weights;
    return ins_json_bool(json, "restricted", &options->restricted, error);
}

ins_status
ins_import_options_parse(ins_import_options *options, ins_text text,
                         ins_error *error)
{
    static const ins_json_limits limits = {65536, 4096, true};
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
