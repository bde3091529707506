/*
 * tuning_fixture.h - a tiny base and a toy task to tune it on: which of the
 * words that stand for a label is in the text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TUNING_FIXTURE_H
#define TUNING_FIXTURE_H

#include "train/fine_tune.h"
#include "unit/tiny_model.h"

#define TUNING_MAX_ROWS   256
#define TUNING_MAX_LABELS 4
#define TUNING_LENGTH     12

typedef struct tuning_fixture {
    tiny_host host; /* of the base; the tests bring their own for the run */
    void *pack;
    ins_pack_view base;
    ins_pack_recipe recipe;
    ins_training_options options;
    int32_t ids[TUNING_MAX_ROWS * TUNING_LENGTH];
    uint64_t starts[TUNING_MAX_ROWS + 1];
    uint32_t targets[TUNING_MAX_ROWS];
    uint8_t marks[TUNING_MAX_ROWS * TUNING_MAX_LABELS];
    ins_tune_rows rows;
    ins_fine_tune_job job;
} tuning_fixture;

/* flags: of the tiny model.  Aborts when it is out of memory. */
void tuning_open(tuning_fixture *fixture, unsigned flags, size_t count,
                 uint32_t labels, bool multi_label);
void tuning_close(tuning_fixture *fixture);
ins_status tuning_run(const tuning_fixture *fixture, const ins_host *host,
                      ins_parameters **tuned, ins_fine_tune_figures *figures,
                      ins_error *error);

#endif
