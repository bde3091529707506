/*
 * architecture.h - what the importer knows of an architecture: which keys of
 * config.json mean what, and what its tensors are called.
 *
 * A new architecture of the same block is a file arch_<name>.c and a row in
 * architectures.def; nothing at run time asks for its name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ARCHITECTURE_H
#define INS_ARCHITECTURE_H

#include <stdbool.h>

#include "pack/pack_format.h"

/* Names of the tensors that make one tensor of the pack, one below the other.
 * '%' stands for the layer's number. */
#define INS_MAX_PARTS 3
typedef struct ins_tensor_names {
    uint32_t role;
    bool is_outside; /* never has the architecture's prefix: a head */
    const char *parts[INS_MAX_PARTS];
} ins_tensor_names;

/* Keys of config.json. */
typedef struct ins_config_keys {
    const char *hidden;
    const char *layers;
    const char *heads;
    const char *intermediate;
    const char *activation;
    const char *token_types;  /* NULL: the architecture has none */
    const char *norm_epsilon; /* NULL: always 1e-12 */
} ins_config_keys;

typedef struct ins_architecture {
    const char *model_type;
    const char *prefix;            /* of tensors in checkpoints with a head */
    const char *classifier;        /* its entry of "architectures" */
    const char *const *encoders;   /* others, whose head is not used */
    const char *const *namespaces; /* where an unknown tensor is an error */
    const char *beyond;            /* a tensor of layer '%' that shows that
                                      * the file has more layers */
    uint32_t head_activation;      /* between the head's two matrices */
    ins_config_keys keys;
    const ins_tensor_names *tensors; /* one row per role */
    uint32_t tensor_count;
} ins_architecture;

/* NULL when there is none. */
const ins_architecture *ins_architecture_find(const char *model_type);
/* " bert distilbert", for messages. */
extern const char ins_architecture_list[];

#define INS_ARCHITECTURE(name) extern const ins_architecture ins_arch_##name;
#include "import/architectures.def"
#undef INS_ARCHITECTURE

#endif
