/*
 * labels.c - the labels of a classifier, from config.json.
 *
 * id2label decides; label2id is not read, because transformers does not use
 * it to name a prediction either.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/memory.h"
#include "import/config.h"

#define DEFAULT_LABELS    2  /* of transformers' configurations */
#define DEFAULT_NAME_SIZE 16 /* "LABEL_65535" */

static ins_status
read_problem_type(ins_config *config, const ins_json *json, ins_error *error)
{
    const char *type = NULL;

    INS_TRY(ins_json_text(json, "problem_type", &type, error));
    if (type == NULL) {
        /* What transformers assumes then. */
        if (config->labels.count != 1)
            return INS_OK;
        ins_fail(error, INS_UNSUPPORTED,
                 "%s: one label without \"problem_type\" is a regression, "
                 "which is not supported",
                 json->file);
        return INS_UNSUPPORTED;
    }
    if (strcmp(type, "multi_label_classification") == 0)
        config->recipe.flags |= INS_RECIPE_MULTI_LABEL;
    else if (strcmp(type, "single_label_classification") != 0)
        return ins_json_fail_unsupported(
            json, "problem_type",
            "Supported: single_label_classification, "
            "multi_label_classification.",
            error);
    return INS_OK;
}

/* Room for count labels of together bytes; both owned by config. */
static ins_status
open_labels(ins_config *config, uint32_t count, uint64_t bytes,
            const ins_host *host, uint32_t **ends, char **text,
            ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc(host, count, sizeof(uint32_t), &memory, error));
    config->labels.ends = *ends = memory;
    INS_TRY(ins_alloc(host, bytes, 1, &memory, error));
    config->labels.bytes = *text = memory;
    config->labels.count = count;
    config->recipe.labels = count;
    return INS_OK;
}

static ins_status
make_default_labels(ins_config *config, uint32_t count, const ins_host *host,
                    ins_error *error)
{
    uint32_t *ends;
    char *text;
    uint32_t at = 0;

    INS_TRY(open_labels(config, count, (uint64_t) count * DEFAULT_NAME_SIZE,
                        host, &ends, &text, error));
    for (uint32_t i = 0; i < count; i++) {
        at +=
            (uint32_t) ins_format(text + at, DEFAULT_NAME_SIZE, "LABEL_%u", i);
        ends[i] = at;
    }
    return INS_OK;
}

/* The label with that number; keys are written in plain decimal. */
static const json_t *
find_label(const ins_json *labels, uint32_t number)
{
    char key[DEFAULT_NAME_SIZE];

    ins_format(key, sizeof(key), "%u", number);
    return json_object_get(labels->value, key);
}

static ins_status
measure_labels(const ins_json *labels, uint32_t count, uint64_t *bytes,
               ins_error *error)
{
    *bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const json_t *label = find_label(labels, i);
        char key[DEFAULT_NAME_SIZE];

        ins_format(key, sizeof(key), "%u", i);
        if (label == NULL) {
            ins_json_fail_missing(labels, key, error);
            ins_fail_detail(error, "The keys must be the numbers from 0 to %u.",
                            count - 1);
            return INS_BAD_SOURCE;
        }
        if (!json_is_string(label) ||
            json_string_length(label) > INS_MAX_LABEL_BYTES ||
            json_string_length(label) == 0)
            return ins_json_fail(labels, key, "a string of 1 to 1024 bytes",
                                 error);
        *bytes += json_string_length(label);
    }
    return INS_OK;
}

/* Labels of one model are told apart by name. */
static ins_status
refuse_duplicates(const ins_json *labels, uint32_t count, ins_error *error)
{
    json_t *seen = json_object();
    ins_status status = INS_OK;

    for (uint32_t i = 0; i < count && status == INS_OK; i++) {
        const char *name = json_string_value(find_label(labels, i));

        if (json_object_get(seen, name) != NULL)
            status = ins_fail(error, INS_BAD_SOURCE,
                              "%s: \"id2label\" names \"%.*s\" twice",
                              labels->file, 64, name);
        else if (json_object_set_new(seen, name, json_true()) != 0)
            status = ins_fail_no_memory(error, 0);
    }
    json_decref(seen);
    return status;
}

static ins_status
copy_labels(ins_config *config, const ins_json *labels, uint32_t count,
            const ins_host *host, ins_error *error)
{
    uint32_t *ends;
    char *text;
    uint64_t bytes;
    uint32_t at = 0;

    INS_TRY(measure_labels(labels, count, &bytes, error));
    INS_TRY(refuse_duplicates(labels, count, error));
    INS_TRY(open_labels(config, count, bytes, host, &ends, &text, error));
    for (uint32_t i = 0; i < count; i++) {
        const json_t *label = find_label(labels, i);
        size_t size = json_string_length(label);

        memcpy(text + at, json_string_value(label), size);
        at += (uint32_t) size;
        ends[i] = at;
    }
    return INS_OK;
}

ins_status
ins_config_read_labels(ins_config *config, const ins_json *json,
                       const ins_host *host, ins_error *error)
{
    uint32_t count = DEFAULT_LABELS;
    bool is_counted = ins_json_has(json, "num_labels");
    ins_json labels;

    INS_TRY(ins_json_object(json, "id2label", "id2label.", &labels, error));
    INS_TRY(ins_json_u32(json, "num_labels",
                         (ins_json_range){1, INS_MAX_LABELS}, &count, error));
    if (labels.value == NULL) {
        INS_TRY(make_default_labels(config, count, host, error));
        return read_problem_type(config, json, error);
    }
    INS_CHECK(json_object_size(labels.value) >= 1 &&
                  json_object_size(labels.value) <= INS_MAX_LABELS,
              error, INS_BAD_SOURCE,
              "%s: \"id2label\" must have from 1 to %d labels, not %zu",
              json->file, INS_MAX_LABELS, json_object_size(labels.value));
    if (is_counted && count != json_object_size(labels.value))
        return ins_json_fail(json, "num_labels", "the size of \"id2label\"",
                             error);
    count = (uint32_t) json_object_size(labels.value);
    INS_TRY(copy_labels(config, &labels, count, host, error));
    return read_problem_type(config, json, error);
}
