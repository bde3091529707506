/*
 * import.c - drives the way from the files of a directory to a pack.
 *
 * Everything is read and checked first; only then is the pack allocated, and
 * the weights, by far the largest part, are converted straight into it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "insitu_import.h"

#include <string.h>

#include "base/memory.h"
#include "import/adapter.h"
#include "import/config.h"
#include "import/tensor_plan.h"
#include "import/vocabulary.h"
#include "import/weights.h"
#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "pack/pack_writer.h"
#include "pack/piece_index.h"

#define DEFAULT_MAX_BYTES ((uint64_t) 2 << 30)
#define VALUES_PER_POLL   ((uint64_t) 1 << 20)
#define PIECES_PER_POLL   65536
#define EXPONENT_BITS     0x7F800000u /* all set: infinity or NaN */

/* What is read before anything is written. */
struct job {
    ins_import_source source; /* of an adapter: its base's */
    ins_adapter adapter;
    ins_config config;
    ins_vocabulary vocabulary;
    ins_weights weights;
    ins_tensor_plan plan;
};

static ins_status
read_source(struct job *job, ins_error *error)
{
    ins_import_source *source = &job->source;

    INS_TRY(ins_import_check_files(source, error));
    INS_TRY(ins_adapter_open(&job->adapter, source, error));
    INS_TRY(ins_config_read(&job->config, source, &job->adapter, error));
    INS_TRY(ins_weights_open(&job->weights, source, &job->adapter, error));
    INS_TRY(ins_vocabulary_read(&job->vocabulary, &job->config, source, error));
    return ins_tensor_plan_make(&job->plan, &job->config, &job->weights,
                                source->host, error);
}

static ins_pack_contents
collect_contents(const struct job *job)
{
    const ins_vocabulary *vocabulary = &job->vocabulary;

    return (ins_pack_contents){
        .recipe = job->config.recipe,
        .tokenizer = vocabulary->tokenizer,
        .pieces = vocabulary->pieces,
        .piece_index = vocabulary->index,
        .added_tokens = vocabulary->added_tokens,
        .added_bytes = vocabulary->added_bytes,
        .added_bytes_size = vocabulary->added_bytes_size,
        .labels = job->config.labels,
    };
}

static void
put_lexical(const ins_config *config, const ins_pack_view *view, uint8_t *pack)
{
    const ins_pack_tensor *tensor =
        ins_pack_find_tensor(view, INS_ROLE_LEXICAL, 0);

    if (tensor != NULL)
        ins_pack_put_row(tensor, pack + tensor->offset, 0,
                         config->lexical_weights);
}

static ins_status
write_pack(const struct job *job, void **pack, size_t *pack_bytes,
           ins_error *error)
{
    const ins_host *host = job->source.host;
    uint64_t max_bytes = job->source.options->max_bytes;
    ins_pack_contents contents = collect_contents(job);
    ins_pack_view view;

    if (max_bytes == 0)
        max_bytes = DEFAULT_MAX_BYTES;
    INS_TRY(
        ins_pack_write(&contents, max_bytes, host, pack, pack_bytes, error));
    /* What we write must pass what everybody checks. */
    INS_TRY(ins_pack_read(&view, *pack, *pack_bytes, error));
    put_lexical(&job->config, &view, *pack);
    return ins_tensor_plan_fill(&job->plan, &view, *pack, host, error);
}

static void
close_job(struct job *job)
{
    const ins_host *host = job->source.host;

    ins_tensor_plan_close(&job->plan, host);
    ins_weights_close(&job->weights, host);
    ins_vocabulary_close(&job->vocabulary, host);
    ins_config_close(&job->config, host);
    ins_adapter_close(&job->adapter, host);
}

ins_status
ins_import(const ins_source_file *files, size_t count,
           const ins_import_options *options, const ins_host *host, void **pack,
           size_t *pack_bytes, ins_error *error)
{
    struct job *job;
    void *memory;
    ins_status status;

    *pack = NULL;
    *pack_bytes = 0;
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(*job), &memory, error));
    job = memory;
    job->source = (ins_import_source){files, count, options, host};
    status = read_source(job, error);
    if (status == INS_OK)
        status = write_pack(job, pack, pack_bytes, error);
    if (status != INS_OK) {
        ins_release(host, *pack);
        *pack = NULL;
        *pack_bytes = 0;
    }
    close_job(job);
    ins_release(host, memory);
    return status;
}

/* ---- checking a pack from elsewhere -------------------------------------- */

static bool
all_finite(const float *values, uint64_t count)
{
    uint32_t infinite = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof(bits));
        infinite |= (bits & EXPONENT_BITS) == EXPONENT_BITS;
    }
    return infinite == 0;
}

static bool
is_bf16(uint32_t type)
{
    return type == INS_TENSOR_BF16_ROWS || type == INS_TENSOR_BF16_PANELS;
}

/* bf16: the upper half of a float. */
static ins_status
check_bf16(const ins_pack_view *view, const ins_pack_tensor *tensor,
           const ins_host *host, ins_error *error)
{
    const uint16_t *values = (const void *) (view->bytes + tensor->offset);

    for (uint64_t i = 0; i < tensor->bytes / sizeof(*values); i++) {
        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        INS_CHECK((values[i] & 0x7F80) != 0x7F80, error, INS_CORRUPT_PACK,
                  "the model pack holds weights that are not finite (role %u "
                  "of layer %u)",
                  tensor->role, tensor->layer);
    }
    return INS_OK;
}

/* int8 numbers are always finite, their factors need not be; -128 is outside
 * the format. */
static ins_status
check_int8(const ins_pack_view *view, const ins_pack_tensor *tensor,
           uint64_t count, const ins_host *host, ins_error *error)
{
    const int8_t *values = (const void *) (view->bytes + tensor->offset);

    for (uint64_t i = 0; i < count; i++) {
        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        INS_CHECK(values[i] != INT8_MIN, error, INS_CORRUPT_PACK,
                  "the model pack holds weights out of range (role %u of layer "
                  "%u)",
                  tensor->role, tensor->layer);
    }
    return INS_OK;
}

static ins_status
check_weights(const ins_pack_view *view, const ins_pack_tensor *tensor,
              const ins_host *host, ins_error *error)
{
    const float *values;
    uint64_t begin = 0;
    uint64_t left;

    if (is_bf16(tensor->type))
        return check_bf16(view, tensor, host, error);
    if (tensor->type == INS_TENSOR_INT8_ROWS ||
        tensor->type == INS_TENSOR_INT8_PANELS) {
        begin = ins_pack_factors_offset(tensor->type, tensor->rows,
                                        tensor->columns);
        INS_TRY(check_int8(view, tensor, begin, host, error));
    }
    values = (const void *) (view->bytes + tensor->offset + begin);
    left = (tensor->bytes - begin) / sizeof(float);
    while (left > 0) {
        uint64_t step = left < VALUES_PER_POLL ? left : VALUES_PER_POLL;

        INS_TRY(ins_poll(host, error));
        INS_CHECK(all_finite(values, step), error, INS_CORRUPT_PACK,
                  "the model pack holds weights that are not finite (role %u "
                  "of layer %u)",
                  tensor->role, tensor->layer);
        values += step;
        left -= step;
    }
    return INS_OK;
}

/* Every piece must be found under its spelling, or tokens would differ. */
static ins_status
check_index(const ins_pack_view *view, const ins_host *host, ins_error *error)
{
    for (uint32_t i = 0; i < view->pieces.count; i++) {
        ins_text piece = ins_string_at(&view->pieces, i);
        int32_t found;

        if (i % PIECES_PER_POLL == 0)
            INS_TRY(ins_poll(host, error));
        found = ins_piece_index_find(view, (ins_text){"", 0}, piece);
        /* A spelling that comes twice belongs to the higher id. */
        INS_CHECK(found >= (int32_t) i, error, INS_CORRUPT_PACK,
                  "the model pack is corrupt: its vocabulary index lacks "
                  "piece %u",
                  i);
    }
    return INS_OK;
}

ins_status
ins_pack_check(const void *pack, size_t size, const ins_host *host,
               ins_error *error)
{
    ins_pack_view view;

    INS_TRY(ins_pack_read(&view, pack, size, error));
    if (!ins_pack_is_tabular(view.recipe))
        INS_TRY(check_index(&view, host, error));
    for (uint32_t i = 0; i < view.tensor_count; i++)
        INS_TRY(check_weights(&view, &view.tensors[i], host, error));
    return INS_OK;
}
