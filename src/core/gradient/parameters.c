/*
 * parameters.c - all weights of a model as floats that can be changed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "gradient/parameters.h"

#include "base/checked.h"
#include "pack/pack_rows.h"
#include "pack/pack_shape.h"

/* Floats between two polls: a few milliseconds of the slowest layout. */
#define POLL_VALUES 262144

/* Fills the tensors' shapes when there is room for them; returns the sum. */
static bool
lay_out(const ins_pack_recipe *recipe, ins_parameter *tensors, uint64_t *count)
{
    ins_pack_step step = {0, 0};

    *count = 0;
    while (ins_pack_next_step(recipe, &step)) {
        ins_parameter tensor = {.role = step.role, .layer = step.layer};
        uint64_t values;

        ins_pack_role_shape(recipe, step.role, &tensor.rows, &tensor.columns);
        values = (uint64_t) tensor.rows * tensor.columns;
        if (!ins_add_u64(*count, values, count))
            return false;
        if (tensors != NULL)
            *tensors++ = tensor;
    }
    return true;
}

static ins_status
allocate_tensors(ins_parameters *self, ins_error *error)
{
    void *memory;
    float *values;

    if (!lay_out(&self->recipe, NULL, &self->count))
        return ins_fail_no_memory(error, SIZE_MAX);
    self->tensor_count = ins_pack_step_count(&self->recipe);
    INS_TRY(ins_alloc(&self->host, self->tensor_count, sizeof(ins_parameter),
                      &memory, error));
    self->tensors = memory;
    INS_TRY(ins_alloc_zeroed(&self->host, self->count, sizeof(float), &memory,
                             error));
    self->values = memory;
    lay_out(&self->recipe, self->tensors, &self->count);
    values = self->values;
    for (uint32_t i = 0; i < self->tensor_count; i++) {
        ins_parameter *tensor = &self->tensors[i];

        tensor->values = values;
        values += (size_t) tensor->rows * tensor->columns;
    }
    return INS_OK;
}

ins_status
ins_parameters_open(ins_parameters **parameters, const ins_pack_recipe *recipe,
                    const ins_host *host, ins_error *error)
{
    ins_parameters *self;
    void *memory;
    ins_status status;

    *parameters = NULL;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_parameters), &memory, error));
    self = memory;
    self->host = *host;
    self->recipe = *recipe;
    status = allocate_tensors(self, error);
    if (status != INS_OK) {
        ins_parameters_close(self);
        return status;
    }
    *parameters = self;
    return INS_OK;
}

void
ins_parameters_close(ins_parameters *parameters)
{
    ins_host host;

    if (parameters == NULL)
        return;
    host = parameters->host;
    ins_release(&host, parameters->values);
    ins_release(&host, parameters->tensors);
    ins_release(&host, parameters);
}

/* Sorted by (layer, role), as the pack's order is. */
const ins_parameter *
ins_parameters_find(const ins_parameters *parameters, uint32_t role,
                    uint32_t layer)
{
    uint32_t low = 0;
    uint32_t high = parameters->tensor_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const ins_parameter *tensor = &parameters->tensors[middle];

        if (tensor->layer == layer && tensor->role == role)
            return tensor;
        if (tensor->layer < layer ||
            (tensor->layer == layer && tensor->role < role))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Asks the host when done values have gone by since the last question. */
static ins_status
count_row(const ins_parameters *parameters, uint32_t columns, size_t *done,
          ins_error *error)
{
    *done += columns;
    if (*done < POLL_VALUES)
        return INS_OK;
    *done = 0;
    return ins_poll(&parameters->host, error);
}

/* The view's tensor with the role, layer and shape of ours, or NULL. */
static const ins_pack_tensor *
find_equal(const ins_pack_view *view, const ins_parameter *tensor)
{
    const ins_pack_tensor *found =
        ins_pack_find_tensor(view, tensor->role, tensor->layer);

    if (found == NULL || found->rows != tensor->rows ||
        found->columns != tensor->columns)
        return NULL;
    return found;
}

ins_status
ins_parameters_read(ins_parameters *parameters, const ins_pack_view *view,
                    ins_error *error)
{
    size_t done = 0;

    INS_TRY(ins_poll(&parameters->host, error));
    for (uint32_t i = 0; i < parameters->tensor_count; i++) {
        const ins_parameter *tensor = &parameters->tensors[i];
        const ins_pack_tensor *from = find_equal(view, tensor);

        if (from == NULL)
            continue;
        for (uint32_t row = 0; row < tensor->rows; row++) {
            ins_pack_get_row(from, view->bytes + from->offset, row,
                             tensor->values + (size_t) row * tensor->columns);
            INS_TRY(count_row(parameters, tensor->columns, &done, error));
        }
    }
    return INS_OK;
}

ins_status
ins_parameters_write(const ins_parameters *parameters,
                     const ins_pack_view *view, uint8_t *pack, ins_error *error)
{
    for (uint32_t i = 0; i < parameters->tensor_count; i++) {
        const ins_parameter *tensor = &parameters->tensors[i];
        const ins_pack_tensor *to = find_equal(view, tensor);

        INS_CHECK(to != NULL, error, INS_INTERNAL,
                  "the pack has no place for tensor %u of layer %u",
                  tensor->role, tensor->layer);
        INS_TRY(ins_pack_put_rows(to, pack + to->offset, tensor->values,
                                  &parameters->host, error));
    }
    return INS_OK;
}
