/*
 * adapter_tensors.c - what the names of an adapter's tensors say, and which of
 * them belong to a tensor of the model.
 *
 *     base_model.model.bert.encoder.layer.0.output.dense.lora_A.weight
 *     base_model.model.classifier.weight
 *
 * Older versions write the adapter's name as well: lora_A.default.weight,
 * classifier.modules_to_save.default.weight.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "import/adapter.h"

#define MODEL_PREFIX "base_model.model."
#define MAX_MODULE   192 /* of a module that the model has */

static ins_status
fail_tensor(const ins_adapter *adapter, const ins_safetensor *tensor,
            ins_status status, const char *problem, ins_error *error)
{
    return ins_fail(error, status, "%s: tensor \"%.*s\" %s",
                    adapter->weights.file, 160, tensor->name, problem);
}

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* ---- reading a name ------------------------------------------------------ */

/* Behind a component of that name, or NULL. */
static const char *
enter(const char *at, const char *component)
{
    size_t bytes = strlen(component);

    return starts_with(at, component) && at[bytes] == '.' ? at + bytes + 1
                                                          : NULL;
}

static const char *
skip_adapter_name(const char *at)
{
    const char *behind = enter(at, "default");

    return behind != NULL ? behind : at;
}

static ins_status
refuse_kind(const ins_adapter *adapter, const ins_safetensor *tensor,
            const char *at, ins_error *error)
{
    const char *problem = "is of a kind of LoRA that is not supported";

    if (starts_with(at, "lora_embedding_"))
        problem = "is LoRA on embeddings, which is not supported";
    else if (starts_with(at, "lora_magnitude_vector"))
        problem = "is of DoRA, which is not supported";
    fail_tensor(adapter, tensor, INS_UNSUPPORTED, problem, error);
    ins_fail_hint(error, "%s", INS_ADAPTER_MERGE_HINT);
    return INS_UNSUPPORTED;
}

/* The component at ends the module's name, or does not; *is_end. */
static ins_status
read_component(const ins_adapter *adapter, ins_adapter_tensor *entry,
               const char *at, bool *is_end, ins_error *error)
{
    static const char *const matrices[] = {"lora_A", "lora_B"};
    const char *behind;

    *is_end = true;
    for (size_t i = 0; i < 2; i++) {
        behind = enter(at, matrices[i]);
        if (behind == NULL || strcmp(skip_adapter_name(behind), "weight") != 0)
            continue;
        entry->kind = i == 0 ? INS_ADAPTER_LORA_A : INS_ADAPTER_LORA_B;
        return INS_OK;
    }
    if (starts_with(at, "lora_"))
        return refuse_kind(adapter, entry->tensor, at, error);
    behind = enter(at, "modules_to_save");
    if (behind != NULL) {
        entry->parameter = skip_adapter_name(behind);
        return INS_OK;
    }
    /* What a layer with LoRA calls the layer that it had been. */
    behind = enter(at, "base_layer");
    if (behind == NULL && strchr(at, '.') == NULL)
        behind = at;
    entry->parameter = behind;
    *is_end = behind != NULL;
    return INS_OK;
}

static ins_status
read_name(const ins_adapter *adapter, ins_adapter_tensor *entry,
          ins_error *error)
{
    const char *name = entry->tensor->name;
    const char *start = name + sizeof(MODEL_PREFIX) - 1;
    const char *dot;
    bool is_end = false;

    if (!starts_with(name, MODEL_PREFIX))
        return fail_tensor(adapter, entry->tensor, INS_BAD_SOURCE,
                           "does not begin with \"" MODEL_PREFIX "\"", error);
    dot = strchr(start, '.');
    for (; dot != NULL && !is_end; dot = strchr(dot + 1, '.')) {
        entry->module = (ins_text){start, (size_t) (dot - start)};
        INS_TRY(read_component(adapter, entry, dot + 1, &is_end, error));
    }
    if (!is_end)
        return fail_tensor(adapter, entry->tensor, INS_BAD_SOURCE,
                           "does not name a parameter of a module", error);
    return INS_OK;
}

static bool
is_bias(const char *parameter)
{
    const char *dot = strrchr(parameter, '.');

    return strcmp(dot != NULL ? dot + 1 : parameter, "bias") == 0;
}

/* The settings must explain each tensor. */
static ins_status
check_name(const ins_adapter *adapter, const ins_adapter_tensor *entry,
           ins_error *error)
{
    const ins_adapter_settings *settings = &adapter->settings;

    if (entry->kind == INS_ADAPTER_SAVED) {
        if (ins_adapter_may_save(settings, entry->module) ||
            (settings->saves_biases && is_bias(entry->parameter)))
            return INS_OK;
        return fail_tensor(adapter, entry->tensor, INS_BAD_SOURCE,
                           "is neither LoRA nor of a module that "
                           "\"modules_to_save\" names",
                           error);
    }
    if (ins_adapter_is_target(settings, entry->module))
        return INS_OK;
    return fail_tensor(adapter, entry->tensor, INS_BAD_SOURCE,
                       "is LoRA of a module that \"target_modules\" does not "
                       "name",
                       error);
}

ins_status
ins_adapter_read_names(ins_adapter *adapter, const ins_host *host,
                       ins_error *error)
{
    for (uint32_t i = 0; i < adapter->weights.count; i++) {
        ins_adapter_tensor *entry = &adapter->tensors[i];

        INS_TRY(ins_poll(host, error));
        entry->tensor = &adapter->weights.tensors[i];
        INS_TRY(read_name(adapter, entry, error));
        INS_TRY(check_name(adapter, entry, error));
    }
    return INS_OK;
}

/* ---- finding what belongs to a tensor ------------------------------------ */

/* The module's name without the prefix. */
static ins_text
strip(ins_text module, const char *prefix)
{
    size_t bytes = strlen(prefix);

    if (module.size > bytes && memcmp(module.data, prefix, bytes) == 0)
        return (ins_text){module.data + bytes, module.size - bytes};
    return module;
}

static bool
belongs(const ins_adapter_tensor *entry, const char *prefix, const char *name)
{
    ins_text module = strip(entry->module, prefix);
    const char *parameter =
        entry->kind == INS_ADAPTER_SAVED ? entry->parameter : "weight";

    return strncmp(name, module.data, module.size) == 0 &&
           name[module.size] == '.' &&
           strcmp(name + module.size + 1, parameter) == 0;
}

/* The entries of each kind, or NULL. */
struct found {
    const ins_adapter_tensor *kinds[3];
};

static ins_status
collect(const ins_adapter *adapter, const ins_adapter_place *place,
        struct found *found, ins_error *error)
{
    *found = (struct found){{NULL}};
    for (uint32_t i = 0; i < adapter->weights.count; i++) {
        ins_adapter_tensor *entry = &adapter->tensors[i];
        const ins_adapter_tensor **kind = &found->kinds[entry->kind];

        if (!belongs(entry, place->prefix, place->name))
            continue;
        if (*kind != NULL)
            return ins_fail(error, INS_BAD_SOURCE,
                            "%s: tensors \"%.*s\" and \"%.*s\" are one and "
                            "the same",
                            adapter->weights.file, 90, (*kind)->tensor->name,
                            90, entry->tensor->name);
        entry->is_used = true;
        *kind = entry;
    }
    return INS_OK;
}

void
ins_adapter_skip(const ins_adapter *adapter, const char *prefix,
                 const char *name)
{
    for (uint32_t i = 0; i < adapter->weights.count; i++)
        if (belongs(&adapter->tensors[i], prefix, name))
            adapter->tensors[i].is_used = true;
}

/* ---- checking what was found --------------------------------------------- */

/* Do the adapter's names have the prefix? */
static bool
has_prefix(const ins_adapter *adapter, const char *prefix)
{
    for (uint32_t i = 0; i < adapter->weights.count; i++) {
        ins_text module = adapter->tensors[i].module;

        if (strip(module, prefix).size < module.size)
            return true;
    }
    return false;
}

/* The place's module as the adapter would write it. */
static ins_text
make_module(const ins_adapter *adapter, const ins_adapter_place *place,
            char module[MAX_MODULE])
{
    const char *prefix =
        has_prefix(adapter, place->prefix) ? place->prefix : "";
    const char *dot = strrchr(place->name, '.');

    ins_format(module, MAX_MODULE, "%s%.*s", prefix, (int) (dot - place->name),
               place->name);
    return (ins_text){module, strlen(module)};
}

/* Nothing is there: should there be? */
static ins_status
check_absence(const ins_adapter *adapter, const ins_adapter_place *place,
              ins_error *error)
{
    const ins_adapter_settings *settings = &adapter->settings;
    char buffer[MAX_MODULE];
    ins_text module = make_module(adapter, place, buffer);
    const char *key = NULL;

    if (place->is_matrix && ins_adapter_is_target(settings, module))
        key = "target_modules";
    else if (ins_adapter_must_save(settings, module))
        key = "modules_to_save";
    if (key == NULL)
        return INS_OK;
    ins_fail(error, INS_BAD_SOURCE,
             "%s has no tensor for \"%s\", which \"%s\" names",
             adapter->weights.file, place->name, key);
    ins_fail_hint(error, "The file is incomplete, or " INS_IMPORT_ADAPTER
                         " belongs to another one: fetch both again.");
    return INS_BAD_SOURCE;
}

static bool
has_shape(const ins_safetensor *tensor, uint32_t rows, uint32_t columns)
{
    return tensor->rank == 2 && tensor->shape[0] == rows &&
           tensor->shape[1] == columns;
}

static ins_status
check_lora_shape(const ins_adapter *adapter, const ins_safetensor *tensor,
                 uint32_t rows, uint32_t columns, ins_error *error)
{
    if (has_shape(tensor, rows, columns))
        return INS_OK;
    ins_fail(error, INS_BAD_SOURCE,
             "%s: tensor \"%.*s\" does not have the shape [%u, %u]",
             adapter->weights.file, 160, tensor->name, rows, columns);
    ins_fail_detail(error,
                    "Its dimensions: %u, the first two being %llu and %llu; "
                    "the base and the rank in " INS_IMPORT_ADAPTER
                    " demand [%u, %u].",
                    tensor->rank, (unsigned long long) tensor->shape[0],
                    (unsigned long long) tensor->shape[1], rows, columns);
    return INS_BAD_SOURCE;
}

static ins_status
take_lora(const ins_adapter *adapter, const ins_adapter_place *place,
          const struct found *found, ins_lora *lora, ins_error *error)
{
    const ins_adapter_tensor *a = found->kinds[INS_ADAPTER_LORA_A];
    const ins_adapter_tensor *b = found->kinds[INS_ADAPTER_LORA_B];
    const ins_adapter_tensor *one = a != NULL ? a : b;
    uint32_t rank = ins_adapter_rank(&adapter->settings, one->module);

    if (a == NULL || b == NULL)
        return fail_tensor(adapter, one->tensor, INS_BAD_SOURCE,
                           a == NULL ? "has no lora_A beside it"
                                     : "has no lora_B beside it",
                           error);
    if (!place->is_linear)
        return fail_tensor(adapter, a->tensor, INS_BAD_SOURCE,
                           "is LoRA of a module that is no linear layer",
                           error);
    INS_TRY(check_lora_shape(adapter, a->tensor, rank, place->columns, error));
    INS_TRY(check_lora_shape(adapter, b->tensor, place->rows, rank, error));
    *lora = (ins_lora){&adapter->weights, a->tensor, b->tensor,
                       ins_adapter_scale(&adapter->settings, a->module)};
    return INS_OK;
}

ins_status
ins_adapter_find(const ins_adapter *adapter, const ins_adapter_place *place,
                 ins_adapter_change *change, ins_error *error)
{
    struct found found;
    const ins_adapter_tensor *saved;
    bool has_lora;

    *change = (ins_adapter_change){.saved = NULL};
    INS_TRY(collect(adapter, place, &found, error));
    saved = found.kinds[INS_ADAPTER_SAVED];
    has_lora = found.kinds[INS_ADAPTER_LORA_A] != NULL ||
               found.kinds[INS_ADAPTER_LORA_B] != NULL;
    if (saved == NULL && !has_lora)
        return check_absence(adapter, place, error);
    if (saved != NULL && has_lora)
        return fail_tensor(adapter, saved->tensor, INS_BAD_SOURCE,
                           "is there beside LoRA of the same module", error);
    if (has_lora)
        return take_lora(adapter, place, &found, &change->lora, error);
    change->saved = saved->tensor;
    return INS_OK;
}

/* ---- the rest ------------------------------------------------------------ */

static bool
is_classifier(const ins_adapter_tensor *entry)
{
    static const char name[] = "classifier";

    return entry->kind == INS_ADAPTER_SAVED &&
           entry->module.size == sizeof(name) - 1 &&
           memcmp(entry->module.data, name, sizeof(name) - 1) == 0;
}

ins_status
ins_adapter_check_used(const ins_adapter *adapter, ins_error *error)
{
    for (uint32_t i = 0; i < adapter->weights.count; i++) {
        const ins_adapter_tensor *entry = &adapter->tensors[i];

        if (entry->is_used)
            continue;
        fail_tensor(adapter, entry->tensor, INS_BAD_SOURCE,
                    "matches nothing in the model", error);
        ins_fail_hint(error, "%s",
                      is_classifier(entry)
                          ? "If the model is to classify, say so: "
                            "\"task_type\": \"SEQ_CLS\" in " INS_IMPORT_ADAPTER
                            ", or \"architectures\" or \"insitu_head\" in a "
                            "config.json beside it."
                          : "\"base_model_name_or_path\" must name the model "
                            "that the adapter was trained on.");
        return INS_BAD_SOURCE;
    }
    return INS_OK;
}

uint64_t
ins_adapter_label_count(const ins_adapter *adapter)
{
    for (uint32_t i = 0; i < adapter->weights.count; i++) {
        const ins_adapter_tensor *entry = &adapter->tensors[i];

        if (is_classifier(entry) && strcmp(entry->parameter, "weight") == 0 &&
            entry->tensor->rank == 2)
            return entry->tensor->shape[0];
    }
    return 0;
}
