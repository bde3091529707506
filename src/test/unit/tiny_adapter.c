/*
 * tiny_adapter.c - makes a LoRA adapter beside the files of its base.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tiny_adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"

#define HIDDEN      32
#define INNER       64
#define LABELS      4
#define MAX_CHANGES 32
#define MAX_VALUES  (INNER * INNER)
#define WEIGHTS     "model.safetensors"

static void *
must_allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        abort();
    return memory;
}

/* ---- what the adapter changes -------------------------------------------- */

struct change {
    char module[80]; /* without the architecture's prefix */
    bool is_outside;
    int rows;
    int columns;
    int rank; /* 0: it is saved, with its bias */
    bool is_bias;
    double scale;
};

struct changes {
    struct change list[MAX_CHANGES];
    int count;
    unsigned flags;
};

static struct change *
add_change(struct changes *changes, const char *module, int rows, int columns)
{
    struct change *change = &changes->list[changes->count++];

    if (changes->count > MAX_CHANGES)
        abort();
    memset(change, 0, sizeof(*change));
    snprintf(change->module, sizeof(change->module), "%s", module);
    change->rows = rows;
    change->columns = columns;
    return change;
}

static void
add_lora(struct changes *changes, const char *module, int rows, int columns)
{
    struct change *change = add_change(changes, module, rows, columns);
    bool is_special = (changes->flags & ADAPTER_PATTERNS) != 0 &&
                      strstr(module, "layer.1.") != NULL &&
                      strstr(module, ".v") != NULL;
    double alpha = is_special ? 16 : 8;

    change->rank = is_special ? 2 : 4;
    change->scale = (changes->flags & ADAPTER_STABILISED) != 0
                        ? alpha / sqrt(change->rank)
                        : alpha / change->rank;
}

static void
list_changes(struct changes *changes, bool distil)
{
    for (int i = 0; i < 2 && (changes->flags & ADAPTER_LORA) != 0; i++) {
        static const char *const names[2][2] = {
            {"encoder.layer.%d.attention.self.query",
             "encoder.layer.%d.attention.self.value"},
            {"transformer.layer.%d.attention.q_lin",
             "transformer.layer.%d.attention.v_lin"}};
        static const struct {
            const char *name;
            int rows;
            int columns;
        } dense[] = {
            {"encoder.layer.%d.attention.output.dense", HIDDEN, HIDDEN},
            {"encoder.layer.%d.intermediate.dense", INNER, HIDDEN},
            {"encoder.layer.%d.output.dense", HIDDEN, INNER}};
        char module[80];

        for (int k = 0; k < 2; k++) {
            snprintf(module, sizeof(module), names[distil][k], i);
            add_lora(changes, module, HIDDEN, HIDDEN);
        }
        for (int k = 0; k < 3 && (changes->flags & ADAPTER_DENSE) != 0; k++) {
            snprintf(module, sizeof(module), dense[k].name, i);
            add_lora(changes, module, dense[k].rows, dense[k].columns);
        }
    }
    if ((changes->flags & ADAPTER_DENSE) != 0)
        add_lora(changes, "pooler.dense", HIDDEN, HIDDEN);
    if ((changes->flags & ADAPTER_HEAD) != 0)
        add_change(changes, "classifier", LABELS, HIDDEN)->is_outside = true;
    if ((changes->flags & ADAPTER_BIASES) != 0)
        add_change(changes, "encoder.layer.0.attention.self.query", 1, HIDDEN)
            ->is_bias = true;
}

/* Value number i of a matrix of a change: a multiple of 1/128 below 1/8. */
static float
make_value(const struct change *change, int matrix, int i)
{
    uint32_t state = (uint32_t) (matrix + 1) * 2654435761u + (uint32_t) i;

    for (const char *c = change->module; *c != '\0'; c++)
        state = (state ^ (uint32_t) (unsigned char) *c) * 16777619u;
    state = state * 1664525u + 1013904223u;
    return (float) ((int) (state >> 24) % 32 - 16) / 128.0f;
}

/* Element of scale * B A. */
static double
make_product(const struct change *change, int row, int column)
{
    double sum = 0;

    for (int k = 0; k < change->rank; k++)
        sum += (double) make_value(change, 1, row * change->rank + k) *
               (double) make_value(change, 0, k * change->columns + column);
    return sum * change->scale;
}

/* ---- writing safetensors ------------------------------------------------- */

struct writer {
    char header[65536];
    size_t header_size;
    uint8_t data[1 << 20];
    size_t size;
};

static void
begin_file(struct writer *writer)
{
    writer->header_size =
        (size_t) snprintf(writer->header, sizeof(writer->header),
                          "{\"__metadata__\":{\"format\":\"pt\"}");
    writer->size = 0;
}

/* rows 0: one dimension */
static void
add_tensor(struct writer *writer, const char *name, bool is_half, int rows,
           int columns, const float *values)
{
    size_t count = (size_t) (rows > 0 ? rows : 1) * (size_t) columns;
    size_t bytes = count * (is_half ? 2 : 4);
    size_t room = sizeof(writer->header) - writer->header_size;
    char shape[32] = "";

    if (rows > 0)
        snprintf(shape, sizeof(shape), "%d,", rows);
    writer->header_size += (size_t) snprintf(
        writer->header + writer->header_size, room,
        ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s%d],\"data_offsets\":"
        "[%zu,%zu]}",
        name, is_half ? "F16" : "F32", shape, columns, writer->size,
        writer->size + bytes);
    if (writer->header_size + 1 >= sizeof(writer->header) ||
        writer->size + bytes > sizeof(writer->data))
        abort();
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = writer->data + writer->size;
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof(bits));
        if (is_half && (bits & 0x7FFFFFFF) != 0)
            bits = (bits >> 16 & 0x8000) | (bits >> 13 & 0x3FF) |
                   ((bits >> 23 & 255) - 112) << 10;
        memcpy(at, &bits, is_half ? 2 : 4);
        writer->size += is_half ? 2 : 4;
    }
}

static void
end_file(struct writer *writer, tiny_model *model, const char *name)
{
    const ins_source_file *file;

    writer->header[writer->header_size++] = '}';
    tiny_set_header(model, name, writer->header, writer->header_size,
                    writer->size);
    file = tiny_find(model, name);
    memcpy((uint8_t *) (uintptr_t) file->data + 8 + writer->header_size,
           writer->data, writer->size);
}

/* ---- the adapter's files ------------------------------------------------- */

static void
add_matrix(struct writer *writer, const struct changes *changes,
           const struct change *change, const char *prefix, int matrix)
{
    static const char *const names[2] = {"lora_A", "lora_B"};
    bool old = (changes->flags & ADAPTER_OLD_NAMES) != 0;
    int rows = matrix == 0 ? change->rank : change->rows;
    int columns = matrix == 0 ? change->columns : change->rank;
    float values[MAX_VALUES];
    char name[160];

    for (int i = 0; i < rows * columns; i++)
        values[i] = make_value(change, matrix, i);
    snprintf(name, sizeof(name), "base_model.model.%s%s.%s%s.weight", prefix,
             change->module, names[matrix], old ? ".default" : "");
    add_tensor(writer, name, (changes->flags & ADAPTER_F16) != 0, rows, columns,
               values);
}

/* The values of a saved module: its weight (part 0) and its bias. */
static void
add_saved(struct writer *writer, const struct change *change, const char *name,
          int part)
{
    int rows = part == 0 ? change->rows : 0;
    int columns = part == 0 || change->is_bias ? change->columns : change->rows;
    float values[MAX_VALUES];

    for (int i = 0; i < (rows > 0 ? rows : 1) * columns; i++)
        values[i] = make_value(change, part, i);
    add_tensor(writer, name, false, rows, columns, values);
}

static void
add_saved_pair(struct writer *writer, const struct changes *changes,
               const struct change *change, const char *prefix)
{
    static const char *const names[2] = {"weight", "bias"};
    bool old = (changes->flags & ADAPTER_OLD_NAMES) != 0;
    const char *infix = change->is_bias ? "base_layer."
                        : old           ? "modules_to_save.default."
                                        : "";

    for (int part = change->is_bias; part < 2; part++) {
        char name[160];

        snprintf(name, sizeof(name), "base_model.model.%s%s.%s%s", prefix,
                 change->module, infix, names[part]);
        add_saved(writer, change, name, part);
    }
}

static void
write_adapter(tiny_model *model, const struct changes *changes, bool distil)
{
    struct writer *writer = must_allocate(sizeof(*writer));
    const char *prefix = (changes->flags & ADAPTER_BARE) != 0 ? ""
                         : distil                             ? "distilbert."
                                                              : "bert.";

    begin_file(writer);
    for (int i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        const char *start = change->is_outside ? "" : prefix;

        for (int matrix = 0; matrix < 2 && change->rank > 0; matrix++)
            add_matrix(writer, changes, change, start, matrix);
        if (change->rank == 0)
            add_saved_pair(writer, changes, change, start);
    }
    end_file(writer, model, ADAPTER_WEIGHTS);
    free(writer);
}

static void
write_config(tiny_model *model, unsigned flags, bool distil)
{
    char text[2048];

    snprintf(
        text, sizeof(text),
        "{\"peft_type\":\"LORA\",\"base_model_name_or_path\":\"../base\","
        "\"task_type\":%s,\"r\":4,\"lora_alpha\":8,\"lora_dropout\":0.1,"
        "\"bias\":\"%s\",\"target_modules\":[%s%s%s],\"modules_to_save\":%s,"
        "\"rank_pattern\":{%s},\"alpha_pattern\":{%s},\"use_rslora\":%s,"
        "\"use_dora\":false,\"fan_in_fan_out\":false,\"revision\":null,"
        "\"layers_to_transform\":null,\"loftq_config\":{},"
        "\"init_lora_weights\":true,\"inference_mode\":true,"
        "\"megatron_core\":\"megatron.core\",\"peft_version\":\"0.15.2\"}",
        (flags & ADAPTER_HEAD) != 0 ? "\"SEQ_CLS\"" : "null",
        (flags & ADAPTER_BIASES) != 0 ? "all" : "none",
        (flags & ADAPTER_LORA) == 0 ? ""
        : distil                    ? "\"q_lin\",\"v_lin\""
                                    : "\"query\",\"value\"",
        (flags & ADAPTER_DENSE) != 0 ? "," : "",
        (flags & ADAPTER_DENSE) != 0 ? "\"dense\"" : "",
        (flags & ADAPTER_HEAD) != 0 ? "[\"classifier\",\"score\"]" : "null",
        (flags & ADAPTER_PATTERNS) != 0 ? "\"layer.1.attention.self.value\":2"
                                        : "",
        (flags & ADAPTER_PATTERNS) != 0 ? "\"layer.1.attention.self.value\":16"
                                        : "",
        (flags & ADAPTER_STABILISED) != 0 ? "true" : "false");
    tiny_set_text(model, ADAPTER_CONFIG, text);
}

static void
copy_base(tiny_model *model, const tiny_model *base)
{
    for (size_t i = 0; i < base->count; i++) {
        char name[160];

        snprintf(name, sizeof(name), INS_IMPORT_BASE "%s", base->files[i].name);
        tiny_set(model, name, base->files[i].data,
                 (size_t) base->files[i].size);
    }
}

/* ---- the merged model ---------------------------------------------------- */

/* The change of a tensor of the base, or NULL. */
static const struct change *
find_change(const struct changes *changes, const char *name, bool is_bias)
{
    const char *end = is_bias ? ".bias" : ".weight";

    for (int i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        size_t length = strlen(change->module);
        const char *at = strstr(name, change->module);

        if (at != NULL && strcmp(at + length, end) == 0 &&
            (!is_bias || change->rank == 0) && (is_bias || !change->is_bias) &&
            (at == name || at[-1] == '.'))
            return change;
    }
    return NULL;
}

static void
merge_tensor(struct writer *writer, const struct changes *changes,
             const ins_safetensors *file, const ins_safetensor *tensor)
{
    int columns = (int) tensor->shape[tensor->rank - 1];
    int rows = tensor->rank == 2 ? (int) tensor->shape[0] : 0;
    bool is_bias = strcmp(tensor->name + strlen(tensor->name) - 4, "bias") == 0;
    const struct change *change = find_change(changes, tensor->name, is_bias);
    size_t bytes = (size_t) tensor->count * sizeof(float);
    float *values = must_allocate(bytes);

    memcpy(values, file->data + tensor->begin, bytes);
    if (change == NULL || change->rank > 0) {
        for (int i = 0; change != NULL && i < rows * columns; i++)
            values[i] =
                (float) ((double) values[i] +
                         make_product(change, i / columns, i % columns));
        add_tensor(writer, tensor->name, false, rows, columns, values);
    } else if (change->is_bias) {
        add_saved(writer, change, tensor->name, 1);
    }
    free(values);
}

static void
merge(tiny_model *merged, const struct changes *changes)
{
    const ins_source_file *source = tiny_find(merged, WEIGHTS);
    struct writer *writer = must_allocate(sizeof(*writer));
    tiny_host host;
    ins_safetensors file;
    ins_error error;

    tiny_host_open(&host);
    if (ins_safetensors_open(&file, WEIGHTS, source->data, source->size,
                             &host.host, &error) != INS_OK)
        abort();
    begin_file(writer);
    for (uint32_t i = 0; i < file.count; i++)
        merge_tensor(writer, changes, &file, &file.tensors[i]);
    if ((changes->flags & ADAPTER_HEAD) != 0) {
        const struct change *head =
            find_change(changes, "classifier.weight", 0);

        add_saved(writer, head, "classifier.weight", 0);
        add_saved(writer, head, "classifier.bias", 1);
    }
    ins_safetensors_close(&file, &host.host);
    end_file(writer, merged, WEIGHTS);
    free(writer);
}

void
tiny_adapter_open(tiny_model *adapter, tiny_model *merged, unsigned flags,
                  unsigned adapter_flags)
{
    bool distil = (flags & TINY_DISTILBERT) != 0;
    struct changes *changes = must_allocate(sizeof(*changes));
    tiny_model base;

    changes->count = 0;
    changes->flags = adapter_flags;
    list_changes(changes, distil);
    tiny_open(&base, flags);
    *adapter = (tiny_model){.count = 0};
    copy_base(adapter, &base);
    write_adapter(adapter, changes, distil);
    write_config(adapter, adapter_flags, distil);
    if (merged != NULL) {
        merge(&base, changes);
        *merged = base;
    } else {
        tiny_close(&base);
    }
    free(changes);
}
