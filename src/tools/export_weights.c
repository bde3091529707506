/*
 * export_weights.c - the tensors of a pack to model.safetensors.
 *
 * Source: the format's description at github.com/huggingface/safetensors.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "tools/export.h"

#define NAME_BYTES 160

/* The file as it grows. */
struct output {
    const export_job *job;
    json_t *header;
    uint8_t *data;
    size_t size;
};

/* ---- numbers ------------------------------------------------------------- */

/* To nearest, ties to even, as IEEE 754's binary16. */
static uint16_t
to_half(float value)
{
    uint32_t bits;
    uint32_t sign;
    uint32_t magnitude;

    memcpy(&bits, &value, sizeof(bits));
    sign = bits >> 16 & 0x8000u;
    magnitude = bits & 0x7FFFFFFFu;
    if (magnitude >= 0x477FF000u)
        export_fail("the weight %g is too large for f16; export as f32",
                    (double) value);
    if (magnitude < 0x38800000u) {
        /* Below the normal ones: in steps of 2^-24, which adding 0.5, whose
         * last place that is, rounds to. */
        float half;

        memcpy(&half, &magnitude, sizeof(half));
        half += 0.5f;
        memcpy(&magnitude, &half, sizeof(half));
        return (uint16_t) (sign | (magnitude - 0x3F000000u));
    }
    magnitude += 0xFFFu + (magnitude >> 13 & 1);
    return (uint16_t) (sign | ((magnitude - 0x38000000u) >> 13));
}

static void
store(const struct output *output, uint8_t *place, const float *values,
      size_t count)
{
    if (!output->job->is_half) {
        memcpy(place, values, count * sizeof(float));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t half = to_half(values[i]);

        memcpy(place + i * sizeof(half), &half, sizeof(half));
    }
}

/* ---- tensors ------------------------------------------------------------- */

static void
append(struct output *output, const char *name, const float *values,
       uint64_t rows, uint64_t columns)
{
    bool is_half = output->job->is_half;
    size_t count = (size_t) ((rows > 0 ? rows : 1) * columns);
    size_t bytes = count * (is_half ? sizeof(uint16_t) : sizeof(float));
    uint8_t *data = realloc(output->data, output->size + bytes);
    json_t *shape =
        rows > 0 ? json_pack("[I, I]", (json_int_t) rows, (json_int_t) columns)
                 : json_pack("[I]", (json_int_t) columns);
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", is_half ? "F16" : "F32",
                  "shape", shape, "data_offsets", (json_int_t) output->size,
                  (json_int_t) (output->size + bytes));

    if (data == NULL || entry == NULL ||
        json_object_set_new(output->header, name, entry) != 0)
        export_fail("out of memory");
    output->data = data;
    store(output, data + output->size, values, count);
    output->size += bytes;
}

/* prefix + pattern, with the layer's number for '%'. */
static void
make_name(char name[NAME_BYTES], const char *prefix, const char *pattern,
          uint32_t layer)
{
    const char *percent = strchr(pattern, '%');

    if (percent == NULL)
        snprintf(name, NAME_BYTES, "%s%s", prefix, pattern);
    else
        snprintf(name, NAME_BYTES, "%s%.*s%u%s", prefix,
                 (int) (percent - pattern), pattern, layer, percent + 1);
}

static const ins_tensor_names *
find_names(const ins_architecture *architecture, uint32_t role)
{
    for (uint32_t i = 0; i < architecture->tensor_count; i++)
        if (architecture->tensors[i].role == role)
            return &architecture->tensors[i];
    export_fail("architecture \"%s\" has no names for role %u",
                architecture->model_type, role);
}

static float *
read_tensor(const ins_pack_view *view, const ins_pack_tensor *tensor)
{
    size_t count = (size_t) tensor->rows * tensor->columns;
    float *values = malloc(count * sizeof(float));

    if (values == NULL)
        export_fail("out of memory");
    for (uint32_t row = 0; row < tensor->rows; row++)
        ins_pack_get_row(tensor, view->bytes + tensor->offset, row,
                         values + (size_t) row * tensor->columns);
    return values;
}

/* The parts of a tensor lie one behind the other. */
static void
append_tensor(struct output *output, const ins_pack_tensor *tensor)
{
    const ins_architecture *architecture = output->job->architecture;
    const ins_tensor_names *names = find_names(architecture, tensor->role);
    float *values = read_tensor(output->job->view, tensor);
    uint64_t count = (uint64_t) tensor->rows * tensor->columns;
    uint32_t parts = 0;

    while (parts < INS_MAX_PARTS && names->parts[parts] != NULL)
        parts++;
    count /= parts;
    for (uint32_t i = 0; i < parts; i++) {
        char name[NAME_BYTES];
        bool is_flat = !ins_pack_is_matrix(tensor->role);

        make_name(name, names->is_outside ? "" : architecture->prefix,
                  names->parts[i], tensor->layer);
        append(output, name, values + i * count,
               is_flat ? 0 : count / tensor->columns,
               is_flat ? count : tensor->columns);
    }
    free(values);
}

/* ---- the file ------------------------------------------------------------ */

static void
write_output(const struct output *output)
{
    char *text = json_dumps(output->header, JSON_COMPACT);
    size_t length = text != NULL ? strlen(text) : 0;
    /* Data begin at a multiple of 8. */
    size_t padded = (length + 7) / 8 * 8;
    uint8_t *file = malloc(8 + padded + output->size);

    if (text == NULL || file == NULL)
        export_fail("out of memory");
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t) (padded >> 8 * i);
    memcpy(file + 8, text, length);
    memset(file + 8 + length, ' ', padded - length);
    memcpy(file + 8 + padded, output->data, output->size);
    export_bytes(output->job, "model.safetensors", file,
                 8 + padded + output->size);
    free(file);
    free(text);
}

void
export_weights(const export_job *job)
{
    struct output output = {.job = job, .header = json_object()};
    json_t *format = json_pack("{s:s}", "format", "pt");

    if (json_object_set_new(output.header, "__metadata__", format) != 0)
        export_fail("out of memory");
    for (uint32_t i = 0; i < job->view->tensor_count; i++)
        if (job->view->tensors[i].role != INS_ROLE_LEXICAL)
            append_tensor(&output, &job->view->tensors[i]);
    write_output(&output);
    json_decref(output.header);
    free(output.data);
}
