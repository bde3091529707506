/*
 * tensor_plan.c - which tensors of the checkpoint make which tensor of the
 * pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/tensor_plan.h"

#include <string.h>

#include "pack/pack_rows.h"
#include "pack/pack_shape.h"

#define NAME_BYTES 160

/* ---- names -------------------------------------------------------------- */

/* prefix + pattern, with the layer's number for '%'. */
static void
make_name(char name[NAME_BYTES], const char *prefix, const char *pattern,
          uint32_t layer)
{
    const char *percent = strchr(pattern, '%');

    if (percent == NULL)
        ins_format(name, NAME_BYTES, "%s%s", prefix, pattern);
    else
        ins_format(name, NAME_BYTES, "%s%.*s%u%s", prefix,
                   (int) (percent - pattern), pattern, layer, percent + 1);
}

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t bytes = strlen(end);

    return length >= bytes && strcmp(text + length - bytes, end) == 0;
}

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Checkpoints converted from TensorFlow call a norm's weight and bias so. */
static bool
make_old_name(char name[NAME_BYTES])
{
    size_t length = strlen(name);

    if (ends_with(name, "norm.weight") || ends_with(name, "Norm.weight"))
        memcpy(name + length - 6, "gamma", sizeof("gamma"));
    else if (ends_with(name, "norm.bias") || ends_with(name, "Norm.bias"))
        memcpy(name + length - 4, "beta", sizeof("beta"));
    else
        return false;
    return true;
}

/* ---- planning ----------------------------------------------------------- */

/* The checkpoint at hand. */
struct checkpoint {
    const ins_architecture *architecture;
    const ins_pack_recipe *recipe;
    const ins_weights *weights;
    const char *prefix; /* of its encoder's tensors */
};

static ins_status
find_prefix(struct checkpoint *checkpoint, ins_error *error)
{
    const ins_architecture *architecture = checkpoint->architecture;
    const char *words = architecture->tensors[0].parts[0];
    char name[NAME_BYTES];
    ins_weight weight;

    checkpoint->prefix = architecture->prefix;
    make_name(name, architecture->prefix, words, 0);
    INS_TRY(ins_weights_find(checkpoint->weights, name, &weight, error));
    if (weight.tensor != NULL)
        return INS_OK;
    checkpoint->prefix = "";
    INS_TRY(ins_weights_find(checkpoint->weights, words, &weight, error));
    INS_CHECK(weight.tensor != NULL, error, INS_BAD_SOURCE,
              "tensor \"%s\" or \"%s\" is missing", name, words);
    return INS_OK;
}

static const ins_tensor_names *
find_names(const ins_architecture *architecture, uint32_t role)
{
    for (uint32_t i = 0; i < architecture->tensor_count; i++)
        if (architecture->tensors[i].role == role)
            return &architecture->tensors[i];
    return NULL;
}

/* A tensor of the pack, on the way to its parts. */
struct wanted {
    ins_pack_step step;
    const ins_tensor_names *names;
    /* Shape of each part; biases and norms have one dimension. */
    bool is_matrix;
    uint32_t rows;
    uint32_t columns;
};

/* The checkpoint's own name of a part. */
static void
make_part_name(const struct checkpoint *checkpoint, const struct wanted *wanted,
               const char *pattern, char name[NAME_BYTES])
{
    make_name(name, wanted->names->is_outside ? "" : checkpoint->prefix,
              pattern, wanted->step.layer);
}

/* weight->tensor is NULL when there is none. */
static ins_status
find_part(const struct checkpoint *checkpoint, const struct wanted *wanted,
          const char *pattern, ins_weight *weight, ins_error *error)
{
    char name[NAME_BYTES];

    make_part_name(checkpoint, wanted, pattern, name);
    INS_TRY(ins_weights_find(checkpoint->weights, name, weight, error));
    if (weight->tensor == NULL && make_old_name(name))
        INS_TRY(ins_weights_find(checkpoint->weights, name, weight, error));
    return INS_OK;
}

static ins_status
fail_missing(const struct checkpoint *checkpoint, const struct wanted *wanted,
             const char *pattern, ins_error *error)
{
    char name[NAME_BYTES];

    make_part_name(checkpoint, wanted, pattern, name);
    return ins_fail(error, INS_BAD_SOURCE, "tensor \"%s\" is missing", name);
}

static ins_status
check_shape(const ins_weight *weight, uint32_t rows, uint32_t columns,
            bool is_matrix, ins_error *error)
{
    const ins_safetensor *tensor = weight->tensor;
    char expected[48];

    if (is_matrix && tensor->rank == 2 && tensor->shape[0] == rows &&
        tensor->shape[1] == columns)
        return INS_OK;
    if (!is_matrix && tensor->rank == 1 && tensor->shape[0] == columns)
        return INS_OK;
    if (is_matrix)
        ins_format(expected, sizeof(expected), "[%u, %u]", rows, columns);
    else
        ins_format(expected, sizeof(expected), "[%u]", columns);
    ins_fail(error, INS_BAD_SOURCE,
             "%s: tensor \"%s\" does not have the shape %s", weight->file->file,
             tensor->name, expected);
    ins_fail_detail(error,
                    "Its dimensions: %u, the first two being %llu and %llu; "
                    "config.json demands %s.",
                    tensor->rank, (unsigned long long) tensor->shape[0],
                    (unsigned long long) tensor->shape[1], expected);
    return INS_BAD_SOURCE;
}

static bool
is_linear(uint32_t role)
{
    return ins_pack_is_matrix(role) && role != INS_ROLE_WORDS &&
           role != INS_ROLE_POSITIONS && role != INS_ROLE_TYPES &&
           role != INS_ROLE_HEAD_WORDS;
}

/* What an adapter puts in the place of the part, or adds to it. */
static ins_status
find_change(const struct checkpoint *checkpoint, const struct wanted *wanted,
            const char *pattern, ins_adapter_change *change, ins_error *error)
{
    const ins_adapter *adapter = checkpoint->weights->adapter;
    char name[NAME_BYTES];
    const ins_adapter_place place = {
        .prefix =
            wanted->names->is_outside ? "" : checkpoint->architecture->prefix,
        .name = name,
        .is_matrix = wanted->is_matrix,
        .is_linear = is_linear(wanted->step.role),
        .rows = wanted->rows,
        .columns = wanted->columns,
    };

    *change = (ins_adapter_change){.saved = NULL};
    if (!ins_adapter_is_open(adapter))
        return INS_OK;
    make_name(name, "", pattern, wanted->step.layer);
    return ins_adapter_find(adapter, &place, change, error);
}

static ins_status
check_saved(const struct wanted *wanted, const ins_weight *weight,
            ins_error *error)
{
    ins_status status = check_shape(weight, wanted->rows, wanted->columns,
                                    wanted->is_matrix, error);

    if (status != INS_OK && wanted->names->is_outside)
        ins_fail_hint(error,
                      "A head of other labels than the base's needs their "
                      "names: \"id2label\" in a config.json beside "
                      "" INS_IMPORT_ADAPTER ".");
    return status;
}

static ins_status
plan_part(const struct checkpoint *checkpoint, const struct wanted *wanted,
          uint32_t part, ins_planned_tensor *planned, ins_error *error)
{
    const char *pattern = wanted->names->parts[part];
    ins_weight *weight = &planned->parts[part];
    ins_adapter_change change;

    INS_TRY(find_change(checkpoint, wanted, pattern, &change, error));
    INS_TRY(find_part(checkpoint, wanted, pattern, weight, error));
    planned->loras[part] = change.lora;
    if (change.saved != NULL) {
        planned->replaced[part] = weight->tensor;
        *weight =
            (ins_weight){&checkpoint->weights->adapter->weights, change.saved};
        return check_saved(wanted, weight, error);
    }
    if (weight->tensor == NULL)
        return fail_missing(checkpoint, wanted, pattern, error);
    return check_shape(weight, wanted->rows, wanted->columns, wanted->is_matrix,
                       error);
}

static ins_status
plan_tensor(const struct checkpoint *checkpoint, ins_pack_step step,
            ins_planned_tensor *planned, ins_error *error)
{
    struct wanted wanted = {
        .step = step,
        .names = find_names(checkpoint->architecture, step.role),
        .is_matrix = ins_pack_is_matrix(step.role),
    };

    /* Not out of a checkpoint: import.c puts it in. */
    if (step.role == INS_ROLE_LEXICAL)
        return INS_OK;
    INS_CHECK(wanted.names != NULL, error, INS_INTERNAL,
              "architecture \"%s\" has no names for role %u",
              checkpoint->architecture->model_type, step.role);
    ins_pack_role_shape(checkpoint->recipe, step.role, &wanted.rows,
                        &wanted.columns);
    while (planned->part_count < INS_MAX_PARTS &&
           wanted.names->parts[planned->part_count] != NULL)
        planned->part_count++;
    /* The parts of a matrix share its rows, those of a bias its columns; a
     * norm has one row per part. */
    if (wanted.is_matrix)
        wanted.rows /= planned->part_count;
    else if (wanted.rows == 1)
        wanted.columns /= planned->part_count;
    for (uint32_t i = 0; i < planned->part_count; i++)
        INS_TRY(plan_part(checkpoint, &wanted, i, planned, error));
    return INS_OK;
}

/* ---- tensors that nobody asked for -------------------------------------- */

/* Fewer layers in config.json than in the file: half a model. */
static ins_status
refuse_more_layers(const struct checkpoint *checkpoint, ins_error *error)
{
    char name[NAME_BYTES];
    ins_weight weight;

    make_name(name, checkpoint->prefix, checkpoint->architecture->beyond,
              checkpoint->recipe->layers);
    INS_TRY(ins_weights_find(checkpoint->weights, name, &weight, error));
    INS_CHECK(weight.tensor == NULL, error, INS_BAD_SOURCE,
              "config.json: \"%s\" is %u, but there is a tensor \"%s\"",
              checkpoint->architecture->keys.layers, checkpoint->recipe->layers,
              name);
    return INS_OK;
}

static bool
is_planned(const ins_tensor_plan *plan, const ins_safetensor *tensor)
{
    for (uint32_t i = 0; i < plan->count; i++)
        for (uint32_t k = 0; k < plan->tensors[i].part_count; k++)
            if (plan->tensors[i].parts[k].tensor == tensor ||
                plan->tensors[i].replaced[k] == tensor)
                return true;
    return false;
}

/* Constants that old versions stored with the weights. */
static bool
is_stored_constant(const char *name)
{
    return ends_with(name, ".position_ids") ||
           ends_with(name, ".token_type_ids");
}

static bool
is_inside_encoder(const struct checkpoint *checkpoint, const char *name)
{
    const char *const *spaces = checkpoint->architecture->namespaces;

    if (!starts_with(name, checkpoint->prefix))
        return false;
    name += strlen(checkpoint->prefix);
    for (; *spaces != NULL; spaces++)
        if (starts_with(name, *spaces))
            return true;
    return false;
}

/*
 * Other heads (cls.*, an unneeded pooler) may be there.  But an unknown tensor
 * inside the encoder, an adapter's say, changes what the model computes.
 */
static ins_status
refuse_unknown_tensors(const struct checkpoint *checkpoint,
                       const ins_tensor_plan *plan, const ins_host *host,
                       ins_error *error)
{
    const ins_weights *weights = checkpoint->weights;

    for (uint32_t f = 0; f < weights->file_count; f++) {
        const ins_safetensors *file = &weights->files[f];

        for (uint32_t i = 0; i < file->count; i++) {
            const ins_safetensor *tensor = &file->tensors[i];

            if (i % 64 == 0)
                INS_TRY(ins_poll(host, error));
            if (!is_inside_encoder(checkpoint, tensor->name) ||
                is_stored_constant(tensor->name) || is_planned(plan, tensor))
                continue;
            return ins_fail(error, INS_UNSUPPORTED,
                            "%s: tensor \"%.*s\" is not known to the "
                            "architecture \"%s\"",
                            file->file, 100, tensor->name,
                            checkpoint->architecture->model_type);
        }
    }
    return INS_OK;
}

/* An adapter may change a layer of the head that this model does without, as
 * the base may have it. */
static ins_status
refuse_unused_changes(const struct checkpoint *checkpoint, ins_error *error)
{
    static const uint32_t roles[] = {INS_ROLE_HEAD_DENSE,
                                     INS_ROLE_HEAD_DENSE_BIAS};
    const ins_architecture *architecture = checkpoint->architecture;
    const ins_adapter *adapter = checkpoint->weights->adapter;

    if (!ins_adapter_is_open(adapter))
        return INS_OK;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        const ins_tensor_names *names = find_names(architecture, roles[i]);

        if (names != NULL)
            ins_adapter_skip(adapter,
                             names->is_outside ? "" : architecture->prefix,
                             names->parts[0]);
    }
    return ins_adapter_check_used(adapter, error);
}

ins_status
ins_tensor_plan_make(ins_tensor_plan *plan, const ins_config *config,
                     const ins_weights *weights, const ins_host *host,
                     ins_error *error)
{
    struct checkpoint checkpoint = {config->architecture, &config->recipe,
                                    weights, ""};
    ins_pack_step step = {0, 0};
    void *memory;

    *plan = (ins_tensor_plan){NULL, ins_pack_step_count(&config->recipe)};
    INS_TRY(ins_alloc_zeroed(host, plan->count, sizeof(ins_planned_tensor),
                             &memory, error));
    plan->tensors = memory;
    INS_TRY(find_prefix(&checkpoint, error));
    for (uint32_t i = 0; ins_pack_next_step(&config->recipe, &step); i++) {
        INS_TRY(ins_poll(host, error));
        INS_TRY(plan_tensor(&checkpoint, step, &plan->tensors[i], error));
    }
    INS_TRY(refuse_more_layers(&checkpoint, error));
    INS_TRY(refuse_unused_changes(&checkpoint, error));
    return refuse_unknown_tensors(&checkpoint, plan, host, error);
}

void
ins_tensor_plan_close(ins_tensor_plan *plan, const ins_host *host)
{
    ins_release(host, plan->tensors);
    plan->tensors = NULL;
    plan->count = 0;
}

/* ---- filling ------------------------------------------------------------ */

/* Values that are converted at a time, at least one row. */
#define CHUNK_VALUES 65536

struct filling {
    const ins_pack_tensor *tensor;
    uint8_t *data;
    uint32_t row; /* of the tensor, the next to be put */
    float *chunk; /* [chunk_rows][columns] */
    uint32_t chunk_rows;
    ins_lora_values lora; /* of the part at hand */
};

/* Parts lie one after the other; those of a bias are less than a row. */
static ins_status
fill_floats(const ins_planned_tensor *planned, float *values,
            const ins_host *host, ins_error *error)
{
    for (uint32_t k = 0; k < planned->part_count; k++) {
        const ins_weight *part = &planned->parts[k];

        INS_TRY(ins_safetensors_read(part->file, part->tensor, host, values,
                                     error));
        values += part->tensor->count;
    }
    return INS_OK;
}

static ins_status
fill_part(struct filling *filling, const ins_weight *part, const ins_host *host,
          ins_error *error)
{
    uint32_t columns = filling->tensor->columns;
    uint64_t rows = part->tensor->count / columns;

    for (uint64_t row = 0; row < rows; row += filling->chunk_rows) {
        uint64_t left = rows - row;
        uint64_t count =
            left < filling->chunk_rows ? left : filling->chunk_rows;

        INS_TRY(ins_safetensors_read_range(part->file, part->tensor,
                                           row * columns, count * columns, host,
                                           filling->chunk, error));
        INS_TRY(ins_lora_add(&filling->lora, row, count, filling->chunk, host,
                             error));
        for (uint64_t i = 0; i < count; i++)
            ins_pack_put_row(filling->tensor, filling->data, filling->row++,
                             filling->chunk + i * columns);
    }
    return INS_OK;
}

/* Rows that are rounded or laid out in panels go through a chunk. */
static ins_status
fill_rows(const ins_planned_tensor *planned, struct filling *filling,
          const ins_host *host, ins_error *error)
{
    uint32_t columns = filling->tensor->columns;
    void *memory;
    ins_status status = INS_OK;

    filling->chunk_rows = columns < CHUNK_VALUES ? CHUNK_VALUES / columns : 1;
    INS_TRY(ins_alloc(host, (uint64_t) filling->chunk_rows * columns,
                      sizeof(float), &memory, error));
    filling->chunk = memory;
    for (uint32_t k = 0; k < planned->part_count && status == INS_OK; k++) {
        status = ins_lora_open(&filling->lora, &planned->loras[k], host, error);
        if (status == INS_OK)
            status = fill_part(filling, &planned->parts[k], host, error);
        ins_lora_close(&filling->lora, host);
    }
    ins_release(host, memory);
    return status;
}

ins_status
ins_tensor_plan_fill(const ins_tensor_plan *plan, const ins_pack_view *view,
                     uint8_t *pack, const ins_host *host, ins_error *error)
{
    INS_CHECK(plan->count == view->tensor_count, error, INS_INTERNAL,
              "the pack has %u tensors instead of %u", view->tensor_count,
              plan->count);
    for (uint32_t i = 0; i < plan->count; i++) {
        const ins_pack_tensor *tensor = &view->tensors[i];
        struct filling filling = {.tensor = tensor,
                                  .data = pack + tensor->offset};

        if (tensor->type == INS_TENSOR_F32_ROWS)
            INS_TRY(fill_floats(&plan->tensors[i], (void *) filling.data, host,
                                error));
        else
            INS_TRY(fill_rows(&plan->tensors[i], &filling, host, error));
    }
    return INS_OK;
}
