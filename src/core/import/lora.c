/*
 * lora.c - adds the product of two low-rank matrices to the rows of a weight.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/lora.h"

#include <math.h>
#include <string.h>

static ins_status
read_matrix(const ins_lora *lora, const ins_safetensor *tensor,
            const ins_host *host, float **values, ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc(host, tensor->count, sizeof(float), &memory, error));
    *values = memory;
    return ins_safetensors_read(lora->file, tensor, host, *values, error);
}

ins_status
ins_lora_open(ins_lora_values *values, const ins_lora *lora,
              const ins_host *host, ins_error *error)
{
    void *memory;

    *values = (ins_lora_values){.lora = lora};
    if (lora->a == NULL)
        return INS_OK;
    INS_TRY(read_matrix(lora, lora->a, host, &values->a, error));
    INS_TRY(read_matrix(lora, lora->b, host, &values->b, error));
    INS_TRY(ins_alloc(host, lora->a->shape[1], sizeof(double), &memory, error));
    values->row = memory;
    return INS_OK;
}

void
ins_lora_close(ins_lora_values *values, const ins_host *host)
{
    ins_release(host, values->a);
    ins_release(host, values->b);
    ins_release(host, values->row);
    *values = (ins_lora_values){.lora = NULL};
}

/* values->row = one row of B times A. */
static void
multiply_row(const ins_lora_values *values, const float *b)
{
    uint64_t rank = values->lora->a->shape[0];
    uint64_t columns = values->lora->a->shape[1];
    double *row = values->row;

    memset(row, 0, (size_t) columns * sizeof(*row));
    for (uint64_t k = 0; k < rank; k++) {
        const float *a = values->a + k * columns;
        double factor = (double) b[k];

        for (uint64_t i = 0; i < columns; i++)
            row[i] += factor * (double) a[i];
    }
}

ins_status
ins_lora_add(const ins_lora_values *values, uint64_t first, uint64_t count,
             float *weights, const ins_host *host, ins_error *error)
{
    const ins_lora *lora = values->lora;
    uint64_t rank;
    uint64_t columns;

    if (lora->a == NULL)
        return INS_OK;
    rank = lora->a->shape[0];
    columns = lora->a->shape[1];
    for (uint64_t row = 0; row < count; row++) {
        float *weight = weights + row * columns;
        bool is_finite = true;

        INS_TRY(ins_poll(host, error));
        multiply_row(values, values->b + (first + row) * rank);
        for (uint64_t i = 0; i < columns; i++) {
            weight[i] =
                (float) ((double) weight[i] + lora->scale * values->row[i]);
            is_finite = is_finite && isfinite(weight[i]);
        }
        INS_CHECK(is_finite, error, INS_BAD_SOURCE,
                  "%s: adding tensor \"%.*s\" gives weights that are not "
                  "finite",
                  lora->file->file, 100, lora->b->name);
    }
    return INS_OK;
}
