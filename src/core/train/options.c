/*
 * options.c - the JSON object that SQL users pass as options of a training.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/options.h"

#include <string.h>

#include "formats/json.h"
#include "pack/pack_format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const ins_training_options ins_training_defaults = {
    .head = INS_HEAD_LOGISTIC,
    .l2 = -1,
    .folds = 5,
    .units = 32,
    .words = true,
    .seed = 1,
    .epochs = 6,
    .batch_size = 32,
    .learning_rate = 1e-4,
    .warmup = 0.1,
    .weight_decay = 0.01,
    .dropout = 0.1,
    .token_dropout = 0,
    .averaging = 1,
    .base_share = 0,
    .validation = 0,
    .patience = 0,
    .weights = INS_WEIGHTS_CHOICE_DEFAULT,
};

static const char *const classifier_names[] = {
    "encoder", "head", "words",      "class_weights", "l2",
    "folds",   "seed", "max_tokens", "weights"};
static const char *const fine_tune_names[] = {
    "epochs",       "batch_size", "learning_rate", "warmup",
    "weight_decay", "dropout",    "token_dropout", "averaging",
    "base_share",   "max_tokens", "freeze_layers", "validation",
    "patience",     "words",      "class_weights", "seed",
    "weights"};
static const char *const tabular_names[] = {
    "head", "units", "class_weights", "l2", "folds", "seed", "positive"};

static const ins_json_word head_words[] = {
    {"logistic", INS_HEAD_LOGISTIC},
    {"network", INS_HEAD_NETWORK},
    {"auto", INS_HEAD_AUTO},
};
static const ins_json_word class_weights_words[] = {
    {"none", false},
    {"balanced", true},
};
static const ins_json_word weights_words[] = {
    {"int8", INS_WEIGHTS_CHOICE_INT8},
    {"bf16", INS_WEIGHTS_CHOICE_BF16},
    {"f32", INS_WEIGHTS_CHOICE_F32},
};

static bool
keys_of(ins_training_method method, ins_json_keys *keys)
{
    switch (method) {
    case INS_TRAIN_CLASSIFIER:
        *keys = (ins_json_keys){classifier_names, COUNT(classifier_names),
                                " of the method classifier"};
        return true;
    case INS_TRAIN_FINE_TUNE:
        *keys = (ins_json_keys){fine_tune_names, COUNT(fine_tune_names),
                                " of the method fine_tune"};
        return true;
    case INS_TRAIN_TABULAR:
        *keys = (ins_json_keys){tabular_names, COUNT(tabular_names),
                                " of the method tabular"};
        return true;
    default:
        return false;
    }
}

/* ---- texts and words ----------------------------------------------------- */

/* Into field, with its NUL; an empty text is refused. */
static ins_status
read_short_text(const ins_json *json, const char *key, char *field, size_t size,
                ins_error *error)
{
    const char *text = NULL;
    size_t length;

    INS_TRY(ins_json_text(json, key, &text, error));
    if (text == NULL)
        return INS_OK;
    length = strlen(text);
    if (length == 0 || length >= size) {
        char expected[64];

        ins_format(expected, sizeof(expected), "a string of 1 to %zu bytes",
                   size - 1);
        return ins_json_fail(json, key, expected, error);
    }
    memcpy(field, text, length + 1);
    return INS_OK;
}

static ins_status
read_words(const ins_json *json, ins_training_options *options,
           ins_error *error)
{
    int head = (int) options->head;
    int balanced = options->balanced;
    int weights = (int) options->weights;

    INS_TRY(ins_json_choice(json, "head", head_words, COUNT(head_words), &head,
                            error));
    options->head = (ins_head_choice) head;
    INS_TRY(ins_json_choice(json, "class_weights", class_weights_words,
                            COUNT(class_weights_words), &balanced, error));
    options->balanced = balanced != 0;
    INS_TRY(ins_json_choice(json, "weights", weights_words,
                            COUNT(weights_words), &weights, error));
    options->weights = (ins_weights_choice) weights;
    INS_TRY(ins_json_bool(json, "words", &options->words, error));
    INS_TRY(read_short_text(json, "encoder", options->encoder,
                            sizeof(options->encoder), error));
    return read_short_text(json, "positive", options->positive,
                           sizeof(options->positive), error);
}

/* ---- numbers ------------------------------------------------------------- */

struct integer {
    const char *key;
    ins_json_range range;
    uint32_t *value;
};

struct number {
    const char *key;
    ins_json_interval interval;
    double *value;
};

#define INTEGERS 7
#define NUMBERS  9

static void
list_integers(ins_training_options *options, struct integer list[INTEGERS])
{
    const struct integer all[INTEGERS] = {
        {"folds", {2, 10}, &options->folds},
        {"units", {1, 4096}, &options->units},
        {"epochs", {1, 1000}, &options->epochs},
        {"batch_size", {1, 1024}, &options->batch_size},
        {"max_tokens", {2, INS_MAX_POSITIONS}, &options->max_tokens},
        {"freeze_layers", {0, INS_MAX_LAYERS}, &options->freeze_layers},
        {"patience", {0, 1000}, &options->patience},
    };

    memcpy(list, all, sizeof(all));
}

static void
list_numbers(ins_training_options *options, struct number list[NUMBERS])
{
    const struct number all[NUMBERS] = {
        {"l2",
         {0, 1e6, false, false, "a number from 0 to 1000000"},
         &options->l2},
        {"learning_rate",
         {0, 1, true, false, "a number above 0 and up to 1"},
         &options->learning_rate},
        {"warmup",
         {0, 1, false, true, "a number from 0 to below 1"},
         &options->warmup},
        {"weight_decay",
         {0, 1, false, false, "a number from 0 to 1"},
         &options->weight_decay},
        {"dropout",
         {0, 1, false, true, "a number from 0 to below 1"},
         &options->dropout},
        {"token_dropout",
         {0, 1, false, true, "a number from 0 to below 1"},
         &options->token_dropout},
        {"averaging",
         {0, 1000, false, false, "a number from 0 to 1000"},
         &options->averaging},
        {"base_share",
         {0, 1, false, true, "a number from 0 to below 1"},
         &options->base_share},
        {"validation",
         {0, 0.5, false, false, "a number from 0 to 0.5"},
         &options->validation},
    };

    memcpy(list, all, sizeof(all));
}

static ins_status
read_numbers(const ins_json *json, ins_training_options *options,
             ins_error *error)
{
    struct integer integers[INTEGERS];
    struct number numbers[NUMBERS];

    list_integers(options, integers);
    for (size_t i = 0; i < INTEGERS; i++)
        INS_TRY(ins_json_u32(json, integers[i].key, integers[i].range,
                             integers[i].value, error));
    list_numbers(options, numbers);
    for (size_t i = 0; i < NUMBERS; i++)
        INS_TRY(ins_json_number(json, numbers[i].key, &numbers[i].interval,
                                numbers[i].value, error));
    return ins_json_u64(json, "seed", &options->seed, error);
}

/* Beside what SQL users may write: no limit of tokens, a chosen penalty. */
static bool
is_left_open(const ins_training_options *options, const void *value)
{
    return (value == &options->max_tokens && options->max_tokens == 0) ||
           (value == &options->l2 && options->l2 < 0);
}

ins_status
ins_training_options_check(ins_training_options *options, ins_error *error)
{
    struct integer integers[INTEGERS];
    struct number numbers[NUMBERS];

    list_integers(options, integers);
    for (size_t i = 0; i < INTEGERS; i++)
        INS_CHECK((*integers[i].value >= integers[i].range.low &&
                   *integers[i].value <= integers[i].range.high) ||
                      is_left_open(options, integers[i].value),
                  error, INS_INVALID_ARGUMENT, "\"%s\" must be from %u to %u",
                  integers[i].key, integers[i].range.low,
                  integers[i].range.high);
    list_numbers(options, numbers);
    for (size_t i = 0; i < NUMBERS; i++)
        INS_CHECK(ins_json_is_within(&numbers[i].interval, *numbers[i].value) ||
                      is_left_open(options, numbers[i].value),
                  error, INS_INVALID_ARGUMENT, "\"%s\" must be %s",
                  numbers[i].key, numbers[i].interval.text);
    INS_CHECK(options->patience == 0 || options->validation > 0, error,
              INS_INVALID_ARGUMENT,
              "\"patience\" needs rows to judge by: \"validation\" above 0");
    INS_CHECK(options->head <= INS_HEAD_AUTO &&
                  options->weights <= INS_WEIGHTS_CHOICE_INT8,
              error, INS_INVALID_ARGUMENT,
              "the head or the number type is unknown");
    return INS_OK;
}

/* ---- the whole ----------------------------------------------------------- */

static ins_status
read_options(const ins_json *json, const ins_json_keys *keys,
             ins_training_options *options, ins_error *error)
{
    INS_TRY(ins_json_check_options(json, keys, error));
    INS_TRY(read_words(json, options, error));
    return read_numbers(json, options, error);
}

ins_status
ins_training_options_parse(ins_training_options *options,
                           ins_training_method method, ins_text text,
                           ins_error *error)
{
    static const ins_json_limits limits = {65536, 4096, true};
    ins_training_options parsed = ins_training_defaults;
    ins_json json = {"options", "", INS_INVALID_ARGUMENT, NULL};
    ins_json_keys keys;
    ins_status status;

    *options = parsed;
    INS_CHECK(keys_of(method, &keys), error, INS_INVALID_ARGUMENT,
              "training method number %d is unknown", (int) method);
    INS_TRY(ins_json_open(&json, text, &limits, NULL, error));
    status = read_options(&json, &keys, &parsed, error);
    ins_json_close(&json);
    if (status == INS_OK)
        *options = parsed;
    return status;
}
