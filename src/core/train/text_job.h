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

#endif
