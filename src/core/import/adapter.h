/*
 * adapter.h - a directory that the library PEFT writes for LoRA: what to add
 * to the weights of a base, and what to put in their place.
 *
 * The base's files become the source of the import; the adapter answers two
 * questions on the way: what config.json says, and what becomes of a tensor.
 *
 * Source: the files that PEFT's save_pretrained writes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ADAPTER_H
#define INS_ADAPTER_H

#include "import/lora.h"
#include "import/source.h"

#define INS_ADAPTER_WEIGHTS "adapter_model.safetensors"
/* The name under which its config.json is found beside the base's. */
#define INS_ADAPTER_CONFIG   "adapter/config.json"
#define INS_ADAPTER_MAX_RANK 1024
/* Modules in one of the settings; each is compared with each tensor's. */
#define INS_ADAPTER_MAX_NAMES 1024
/* What to do about an adapter that is not supported. */
#define INS_ADAPTER_MERGE_HINT                                              \
    "Merge the adapter into its base with PEFT's merge_and_unload(), save " \
    "the model with save_pretrained() and register that directory."

/* "task_type": which class of the architecture was trained. */
typedef enum ins_adapter_task {
    INS_ADAPTER_AS_BASE = 0, /* the base's */
    INS_ADAPTER_CLASSIFIER,
    INS_ADAPTER_ENCODER
} ins_adapter_task;

/* adapter_config.json; lists and objects are borrowed from json. */
typedef struct ins_adapter_settings {
    ins_json json;         /* owned; value NULL: no adapter */
    const json_t *targets; /* NULL or a list of names, as all lists */
    const json_t *excluded;
    const json_t *saved;   /* "modules_to_save" */
    ins_json rank_pattern; /* value NULL: none, as all objects */
    ins_json alpha_pattern;
    uint32_t rank;
    double alpha;
    bool is_rank_stabilised; /* alpha / sqrt(rank) instead of alpha / rank */
    bool saves_biases;
    ins_adapter_task task;
} ins_adapter_settings;

typedef enum ins_adapter_kind {
    INS_ADAPTER_SAVED, /* takes the place of a tensor */
    INS_ADAPTER_LORA_A,
    INS_ADAPTER_LORA_B
} ins_adapter_kind;

/* A tensor and what its name says; texts are borrowed from the name. */
typedef struct ins_adapter_tensor {
    const ins_safetensor *tensor;
    ins_adapter_kind kind;
    ins_text module;       /* "bert.encoder.layer.0.output.dense" */
    const char *parameter; /* "weight"; NULL for LoRA */
    bool is_used;
} ins_adapter_tensor;

typedef struct ins_adapter {
    ins_adapter_settings settings;
    ins_source_file *files; /* owned: the source of the import */
    ins_safetensors weights;
    ins_adapter_tensor *tensors; /* owned, [weights.count] */
} ins_adapter;

/*
 * Without adapter_config.json nothing happens.  Else: reads the settings and
 * the names of all tensors, refuses what is not known, and makes *source the
 * files of the base, with those of its tokenizer and of its pooling that the
 * adapter's directory has instead.  Close also after a failure.
 */
ins_status ins_adapter_open(ins_adapter *adapter, ins_import_source *source,
                            ins_error *error);
void ins_adapter_close(ins_adapter *adapter, const ins_host *host);

static inline bool
ins_adapter_is_open(const ins_adapter *adapter)
{
    return adapter != NULL && adapter->settings.json.value != NULL;
}

/*
 * adapter_config.c: json, the base's config.json, becomes what the adapted
 * model's would be.
 */
ins_status ins_adapter_join_config(const ins_adapter *adapter,
                                   const ins_import_source *source,
                                   ins_json *json, ins_error *error);

/* ---- adapter_tensors.c --------------------------------------------------- */

/* A tensor that the import needs. */
typedef struct ins_adapter_place {
    const char *prefix; /* that names may have or not: "bert.", "" */
    const char *name;   /* without it: "pooler.dense.weight" */
    bool is_matrix;
    bool is_linear; /* a matrix of a linear layer */
    uint32_t rows;
    uint32_t columns;
} ins_adapter_place;

/* What the adapter does to it: one of both, or nothing. */
typedef struct ins_adapter_change {
    const ins_safetensor *saved; /* NULL: the base's tensor stays */
    ins_lora lora;               /* a NULL: nothing is added */
} ins_adapter_change;

ins_status ins_adapter_read_names(ins_adapter *adapter, const ins_host *host,
                                  ins_error *error);
ins_status ins_adapter_find(const ins_adapter *adapter,
                            const ins_adapter_place *place,
                            ins_adapter_change *change, ins_error *error);
/* Tensors of a module that the model does not have or need are as good as
 * used. */
void ins_adapter_skip(const ins_adapter *adapter, const char *prefix,
                      const char *name);
/* Refuses a tensor that nothing has asked for. */
ins_status ins_adapter_check_used(const ins_adapter *adapter, ins_error *error);
/* Rows of the classifier's matrix, or 0 when the adapter has none. */
uint64_t ins_adapter_label_count(const ins_adapter *adapter);

/* ---- adapter_settings.c -------------------------------------------------- */

ins_status ins_adapter_settings_read(ins_adapter_settings *settings,
                                     ins_error *error);
/* Is a LoRA pair trained for the module? */
bool ins_adapter_is_target(const ins_adapter_settings *settings,
                           ins_text module);
/* May tensors of the module be there as a whole? */
bool ins_adapter_may_save(const ins_adapter_settings *settings,
                          ins_text module);
/* Must they?  Not where the settings name a module in passing. */
bool ins_adapter_must_save(const ins_adapter_settings *settings,
                           ins_text module);
uint32_t ins_adapter_rank(const ins_adapter_settings *settings,
                          ins_text module);
double ins_adapter_scale(const ins_adapter_settings *settings, ins_text module);

#endif
