/*
 * converted_base.c - a base model with its weights in another number type.
 *
 * What int8 and bf16 weights have lost does not come back; int8 weights become
 * the floats that they stand for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/converted_base.h"

#include "gradient/parameters.h"
#include "train/tuned_pack.h"

static ins_pack_recipe
converted_recipe(const ins_pack_view *view, ins_weights_choice choice)
{
    ins_pack_recipe recipe = *view->recipe;

    recipe.weights = ins_tuned_weights(view->recipe, choice);
    return recipe;
}

uint64_t
ins_converted_base_bytes(const ins_pack_view *view, ins_weights_choice choice)
{
    uint64_t values = 0;

    if (converted_recipe(view, choice).weights == view->recipe->weights)
        return 0;
    for (uint32_t i = 0; i < view->tensor_count; i++)
        values += (uint64_t) view->tensors[i].rows * view->tensors[i].columns;
    /* The floats, and a pack of at most as many beside its other sections. */
    return 2 * values * sizeof(float) + view->size;
}

ins_status
ins_converted_base_open(ins_converted_base *converted,
                        const ins_pack_view *view, ins_weights_choice choice,
                        const ins_host *host, ins_error *error)
{
    const ins_pack_recipe recipe = converted_recipe(view, choice);
    ins_parameters *parameters;
    size_t size;
    ins_status status;

    *converted = (ins_converted_base){.pack = NULL};
    if (recipe.weights == view->recipe->weights)
        return INS_OK;
    INS_TRY(ins_parameters_open(&parameters, &recipe, host, error));
    status = ins_parameters_read(parameters, view, error);
    if (status == INS_OK) {
        const ins_tuned_model model = {
            .parameters = parameters, .base = view, .labels = &view->labels};

        status = ins_tuned_pack(&model, INS_MAX_PACK_BYTES, &converted->pack,
                                &size, error);
    }
    ins_parameters_close(parameters);
    if (status == INS_OK)
        status = ins_pack_read(&converted->view, converted->pack, size, error);
    if (status == INS_OK)
        status = ins_model_open(&converted->model, converted->pack, size, host,
                                error);
    return status;
}

void
ins_converted_base_close(ins_converted_base *converted, const ins_host *host)
{
    ins_model_close(converted->model);
    ins_release(host, converted->pack);
    *converted = (ins_converted_base){.pack = NULL};
}
