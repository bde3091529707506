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
