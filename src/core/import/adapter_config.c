/*
 * adapter_config.c - the configuration of an adapted model, from that of its
 * base, the adapter's own config.json if there is one, and "task_type".
 *
 * PEFT writes no config.json.  Where one was saved with the adapter, its head
 * ("architectures" or "insitu_head") and its labels with their "problem_type"
 * go before the base's, each as a whole; what describes the encoder must be
 * the same in both.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "import/adapter.h"
#include "import/architecture.h"

/* Set key of the joined object; takes the value, which may be NULL for lack of
 * memory. */
static ins_status
set_value(json_t *joined, const char *key, json_t *value, ins_error *error)
{
    if (json_object_set_new(joined, key, value) != 0)
        return ins_fail_no_memory(error, 0);
    return INS_OK;
}

/* ---- which of both ------------------------------------------------------- */

static bool
has_head(const ins_json *config)
{
    return ins_json_has(config, "architectures") ||
           ins_json_has(config, "insitu_head");
}

static bool
is_head_key(const char *key)
{
    return strcmp(key, "architectures") == 0 || strcmp(key, "insitu_head") == 0;
}

static bool
has_labels(const ins_json *config)
{
    return ins_json_has(config, "id2label") ||
           ins_json_has(config, "num_labels");
}

static bool
is_label_key(const char *key)
{
    return strcmp(key, "id2label") == 0 || strcmp(key, "num_labels") == 0;
}

/* Does the adapter's own config.json decide about the key? */
static bool
is_replaced(const ins_json *own, const char *key)
{
    if (is_head_key(key))
        return has_head(own);
    if (is_label_key(key))
        return has_labels(own);
    if (strcmp(key, "problem_type") == 0)
        return has_labels(own) || ins_json_has(own, "problem_type");
    return false;
}

/* What the importer reads of the encoder. */
static bool
is_encoder_key(const ins_architecture *architecture, const char *key)
{
    const ins_config_keys *keys = &architecture->keys;
    const char *const names[] = {
        keys->hidden,
        keys->layers,
        keys->heads,
        keys->intermediate,
        keys->activation,
        keys->token_types,
        keys->norm_epsilon,
        "model_type",
        "vocab_size",
        "max_position_embeddings",
        "position_embedding_type",
        "pad_token_id",
        "pruned_heads",
        "is_decoder",
        "is_encoder_decoder",
        "add_cross_attention",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i] != NULL && strcmp(names[i], key) == 0)
            return true;
    return false;
}

static ins_status
fail_difference(const ins_json *own, const ins_json *base, const char *key,
                ins_error *error)
{
    char shown[INS_JSON_SHOWN_BYTES];
    char expected[INS_JSON_SHOWN_BYTES + 24];

    ins_json_show(json_object_get(base->value, key), shown);
    ins_format(expected, sizeof(expected), "%s as in the base", shown);
    ins_json_fail(own, key, expected, error);
    ins_fail_hint(error, "Is \"base_model_name_or_path\" the model that the "
                         "adapter was trained on?");
    return own->status;
}

/* ---- joining ------------------------------------------------------------- */

static ins_status
copy_base(json_t *joined, const ins_json *base, const ins_json *own,
          ins_error *error)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *) base->value, key, value)
    {
        if (!is_replaced(own, key))
            INS_TRY(set_value(joined, key, json_incref(value), error));
    }
    return INS_OK;
}

/* Keys that the base lacks are taken too, so that the checks of any other
 * configuration see them. */
static ins_status
add_own(json_t *joined, const ins_json *base, const ins_json *own,
        const ins_architecture *architecture, ins_error *error)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *) own->value, key, value)
    {
        const json_t *other = json_object_get(joined, key);

        if (other == NULL)
            INS_TRY(set_value(joined, key, json_incref(value), error));
        else if (is_encoder_key(architecture, key) &&
                 !json_equal(value, (json_t *) other))
            return fail_difference(own, base, key, error);
    }
    return INS_OK;
}

static ins_status
set_class(json_t *joined, const char *name, ins_error *error)
{
    json_t *list = json_array();

    if (json_array_append_new(list, json_string(name)) != 0) {
        json_decref(list);
        return ins_fail_no_memory(error, 0);
    }
    return set_value(joined, "architectures", list, error);
}

/* The class of transformers that PEFT makes for the task, which knows nothing
 * of a head of ours. */
static ins_status
apply_task(json_t *joined, const ins_adapter *adapter,
           const ins_architecture *architecture, ins_error *error)
{
    const ins_json config = {"config.json", "", INS_BAD_SOURCE, joined};

    if (adapter->settings.task == INS_ADAPTER_AS_BASE)
        return INS_OK;
    if (ins_json_has(&config, "insitu_head")) {
        ins_fail(error, INS_UNSUPPORTED,
                 INS_IMPORT_ADAPTER ": \"task_type\" leaves open what becomes "
                                    "of the base's \"insitu_head\"");
        ins_fail_hint(error, "Say it in a config.json beside "
                             "" INS_IMPORT_ADAPTER ": \"architectures\" for a "
                             "class of transformers, or \"insitu_head\".");
        return INS_UNSUPPORTED;
    }
    return set_class(joined,
                     adapter->settings.task == INS_ADAPTER_CLASSIFIER
                         ? architecture->classifier
                         : architecture->encoders[0],
                     error);
}

/* Labels without names are as many as the adapter's head has rows. */
static ins_status
count_labels(json_t *joined, const ins_adapter *adapter, ins_error *error)
{
    const ins_json config = {"config.json", "", INS_BAD_SOURCE, joined};
    uint64_t count = ins_adapter_label_count(adapter);

    if (has_labels(&config) || count == 0 || count > UINT32_MAX)
        return INS_OK;
    return set_value(joined, "num_labels", json_integer((json_int_t) count),
                     error);
}

static ins_status
join(json_t *joined, const ins_adapter *adapter, const ins_json *base,
     const ins_json *own, ins_error *error)
{
    const char *type = NULL;
    const ins_architecture *architecture;

    INS_TRY(copy_base(joined, base, own, error));
    INS_TRY(ins_json_text(base, "model_type", &type, error));
    architecture = type == NULL ? NULL : ins_architecture_find(type);
    /* The base's configuration is refused as it is. */
    if (architecture == NULL)
        return INS_OK;
    INS_TRY(add_own(joined, base, own, architecture, error));
    if (!has_head(own))
        INS_TRY(apply_task(joined, adapter, architecture, error));
    return count_labels(joined, adapter, error);
}

ins_status
ins_adapter_join_config(const ins_adapter *adapter,
                        const ins_import_source *source, ins_json *json,
                        ins_error *error)
{
    ins_json own;
    json_t *joined;
    ins_status status;

    if (!ins_adapter_is_open(adapter))
        return INS_OK;
    INS_TRY(ins_import_json_object(source, INS_ADAPTER_CONFIG, &own, error));
    joined = json_object();
    if (joined == NULL)
        status = ins_fail_no_memory(error, 0);
    else
        status = join(joined, adapter, json, &own, error);
    ins_json_close(&own);
    ins_json_close(json);
    json->value = joined;
    return status;
}
