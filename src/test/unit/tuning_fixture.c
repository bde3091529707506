/*
 * tuning_fixture.c - a tiny base and a toy task to tune it on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tuning_fixture.h"

#include <stdlib.h>
#include <string.h>

#define CLS_ID     2
#define SEP_ID     3
#define FIRST_WORD 40 /* of the label 0; the next ones follow */
#define OTHER_WORD 60 /* and more, which say nothing */

/* [CLS] five or more words, among them those of the labels [SEP] */
static void
make_row(tuning_fixture *fixture, size_t row, uint32_t labels, bool multi_label,
         uint64_t *random)
{
    uint64_t start = fixture->starts[row];
    uint32_t words = 5 + (uint32_t) ins_random_below(random, 5);
    uint8_t *marks = fixture->marks + row * labels;
    int32_t *ids = fixture->ids + start;

    fixture->targets[row] = (uint32_t) (row % labels);
    for (uint32_t i = 0; i < labels; i++)
        marks[i] = multi_label ? ins_random_below(random, 2) == 1
                               : i == fixture->targets[row];
    ids[0] = CLS_ID;
    for (uint32_t i = 1; i <= words; i++)
        ids[i] = OTHER_WORD + (int32_t) ins_random_below(random, 20);
    for (uint32_t i = 0; i < labels; i++)
        if (marks[i])
            ids[1 + (i + row) % words] = FIRST_WORD + (int32_t) i;
    ids[words + 1] = SEP_ID;
    fixture->starts[row + 1] = start + words + 2;
}

void
tuning_open(tuning_fixture *fixture, unsigned flags, size_t count,
            uint32_t labels, bool multi_label)
{
    tiny_model model;
    uint64_t random = 11;
    ins_error error;
    size_t size;

    memset(fixture, 0, sizeof(*fixture));
    tiny_host_open(&fixture->host);
    tiny_open(&model, flags);
    if (tiny_import(&model, &fixture->host.host, &fixture->pack, &size,
                    &error) != INS_OK ||
        ins_pack_read(&fixture->base, fixture->pack, size, &error) != INS_OK)
        abort();
    tiny_close(&model);
    ins_fine_tune_recipe(fixture->base.recipe, labels, multi_label,
                         INS_WEIGHTS_CHOICE_DEFAULT, &fixture->recipe);
    for (size_t row = 0; row < count; row++)
        make_row(fixture, row, labels, multi_label, &random);
    fixture->rows = (ins_tune_rows){
        .ids = fixture->ids,
        .starts = fixture->starts,
        .labels = {.targets = multi_label ? NULL : fixture->targets,
                   .marks = multi_label ? fixture->marks : NULL,
                   .count = count,
                   .labels = labels},
    };
    fixture->options = ins_training_defaults;
    fixture->options.epochs = 12;
    fixture->options.batch_size = 8;
    fixture->options.learning_rate = 3e-3;
    fixture->options.dropout = 0;
    fixture->options.token_dropout = 0;
    fixture->options.validation = 0.2;
    fixture->options.patience = 0;
    fixture->job =
        (ins_fine_tune_job){&fixture->base, &fixture->recipe, &fixture->rows};
}

void
tuning_close(tuning_fixture *fixture)
{
    fixture->host.host.release(&fixture->host, fixture->pack);
}

ins_status
tuning_run(const tuning_fixture *fixture, const ins_host *host,
           ins_parameters **tuned, ins_fine_tune_figures *figures,
           ins_error *error)
{
    ins_progress progress;

    ins_progress_open(&progress, host, &fixture->options);
    return ins_fine_tune(&fixture->job, &progress, tuned, figures, error);
}
