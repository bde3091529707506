/*
 * text_job.h - what a run over texts works on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TEXT_JOB_H
#define INS_TEXT_JOB_H

#include "pack/pack_reader.h"
#include "train/label_table.h"
#include "train/progress.h"
#include "train/rows.h"
#include "train/targets.h"

/* Of a text, for estimates of time only. */
#define INS_BYTES_PER_TOKEN 4
/* Likewise for memory: nearly all texts have more. */
#define INS_LEAST_BYTES_PER_TOKEN 2
#define INS_SPECIAL_TOKENS        2 /* of a text: [CLS] and [SEP] */

/* All borrowed. */
typedef struct ins_text_job {
    const ins_training_options *options;
    const ins_model *base;
    const ins_pack_view *view; /* of base */
    const ins_row_store *rows;
    const ins_label_table *labels;
    ins_progress *progress;
} ins_text_job;

static inline ins_targets_options
ins_text_job_targets(const ins_training_options *options)
{
    return (ins_targets_options){options->multi_label, options->balanced};
}

/* The longest input of the result. */
static inline uint32_t
ins_text_job_tokens(const ins_pack_recipe *recipe,
                    const ins_training_options *options)
{
    uint32_t wanted = options->max_tokens;

    return wanted != 0 && wanted < recipe->max_tokens ? wanted
                                                      : recipe->max_tokens;
}

/* How many tokens all texts have with one more of text_size bytes.  Few texts
 * have as many; those are refused when they have been counted. */
static inline uint64_t
ins_text_job_most_tokens(const ins_text_job *job, size_t text_size)
{
    const ins_row_store *store = job->rows;
    uint64_t rows = store->count + 1;
    uint64_t around =
        job->view->tokenizer->document_prompt_bytes + INS_SPECIAL_TOKENS;
    uint64_t tokens =
        (store->text_bytes + text_size) / INS_LEAST_BYTES_PER_TOKEN +
        rows * around;
    uint64_t limit =
        rows * ins_text_job_tokens(job->view->recipe, job->options);

    return tokens < limit ? tokens : limit;
}

/* About how many tokens all texts have. */
static inline double
ins_text_job_length(const ins_text_job *job)
{
    return (double) job->rows->text_bytes / INS_BYTES_PER_TOKEN +
           2 * (double) job->rows->count;
}

/* Of the encoder's way from all texts to their embeddings, in
 * multiplications. */
static inline double
ins_text_job_cost(const ins_text_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;
    double hidden = recipe->hidden;

    return ins_text_job_length(job) * recipe->layers *
           (4 * hidden * hidden + 2 * hidden * recipe->intermediate);
}

#endif
