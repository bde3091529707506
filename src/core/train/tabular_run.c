/*
 * tabular_run.c - fits a model over numbers to a table and writes its pack.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <string.h>

#include "pack/pack_rows.h"
#include "pack/pack_shape.h"
#include "pack/pack_writer.h"
#include "train/head_choose.h"
#include "train/table.h"
#include "train/targets.h"

#define ARCHITECTURE "tabular"

struct run {
    const ins_tabular *tabular;
    const ins_training_options *options;
    ins_progress *progress;
    const ins_host *host;
    ins_error *error;
    ins_sorted_labels labels;
    uint32_t positive;
    ins_targets targets;
    ins_table_matrix matrix;
    ins_head_options head_options;
    ins_head head;
};

static ins_head_wish
make_wish(const ins_training_options *options)
{
    return (ins_head_wish){
        .head = options->head,
        .units = options->units,
        .l2 = options->l2,
        .folds = options->folds,
        .seed = options->seed,
    };
}

static ins_targets_options
targets_options(const ins_training_options *options)
{
    return (ins_targets_options){.balanced = options->balanced};
}

uint64_t
ins_table_run_bytes(const ins_tabular *tabular, uint64_t rows)
{
    const ins_head_wish wish = make_wish(tabular->options);
    const ins_targets_options targets = targets_options(tabular->options);
    const ins_head_rows head = {
        .count = (size_t) rows,
        .columns = tabular->feature_count > 0 ? tabular->feature_count : 1,
        .labels = tabular->labels.count > 0 ? tabular->labels.count : 1,
    };

    return ins_table_matrix_bytes(tabular, rows) +
           ins_targets_bytes(rows, head.labels, &targets) +
           2 * ins_label_table_bytes(&tabular->labels) +
           ins_head_choose_bytes(&head, &wish);
}

/* ---- what is fitted ------------------------------------------------------ */

static ins_status
check_rows(const struct run *run)
{
    const ins_tabular *tabular = run->tabular;

    INS_CHECK(tabular->feature_count > 0, run->error, INS_INVALID_ARGUMENT,
              "no row has a feature");
    if (tabular->labels.count >= 2)
        return INS_OK;
    ins_fail(run->error, INS_INVALID_ARGUMENT, "all rows have the same label");
    ins_fail_hint(run->error,
                  "Train on rows with at least 2 different labels.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
find_positive(struct run *run)
{
    const char *wanted = run->options->positive;
    const ins_string_table *labels = &run->labels.table;
    size_t size = strnlen(wanted, sizeof(run->options->positive));

    run->positive = labels->count - 1;
    if (size == 0)
        return INS_OK;
    for (uint32_t i = 0; i < labels->count; i++) {
        ins_text label = ins_string_at(labels, i);

        if (label.size == size && memcmp(label.data, wanted, size) == 0) {
            run->positive = i;
            return INS_OK;
        }
    }
    ins_fail(run->error, INS_INVALID_ARGUMENT,
             "no row has the label of the option \"positive\"");
    ins_fail_hint(run->error, "Give a label as it stands in the rows.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
prepare(struct run *run)
{
    const ins_tabular *tabular = run->tabular;
    const ins_targets_options options = targets_options(run->options);

    INS_TRY(check_rows(run));
    INS_TRY(ins_sorted_labels_open(&run->labels, &tabular->labels, run->host,
                                   run->error));
    INS_TRY(find_positive(run));
    INS_TRY(ins_targets_open(&run->targets, &tabular->rows, &run->labels,
                             &options, run->host, run->error));
    return ins_table_matrix_open(&run->matrix, tabular, run->host, run->error);
}

/* ---- choosing and fitting ------------------------------------------------ */

static void
plan(const struct run *run)
{
    bool is_chosen =
        run->options->l2 < 0 || run->options->head == INS_HEAD_AUTO;
    const ins_phase phases[] = {
        {"select", is_chosen ? 3.0 * run->options->folds : 0},
        {"fit", 5},
        {"write", 0.1},
    };

    ins_progress_plan(run->progress, phases,
                      sizeof(phases) / sizeof(phases[0]));
}

static ins_status
fit(struct run *run)
{
    ins_progress *progress = run->progress;
    const ins_head_rows rows = {
        .features = run->matrix.values,
        .count = (size_t) run->targets.count,
        .columns = run->matrix.columns,
        .labels = run->targets.labels,
        .targets = run->targets.numbers,
        .weights = run->targets.weights,
    };
    ins_head_wish wish = make_wish(run->options);
    ins_head_choice_result result;

    wish.progress = ins_progress_step;
    wish.progress_user = progress;
    ins_progress_begin(progress, "select", 1);
    INS_TRY(ins_head_choose(&run->head_options, &result, &rows, &wish,
                            run->host, run->error));
    progress->now.accuracy = result.accuracy;
    run->head_options.progress = ins_progress_iteration;
    run->head_options.progress_user = progress;
    ins_progress_begin(progress, "fit", run->head_options.iterations);
    return ins_head_fit(&run->head, &rows, &run->head_options, run->host,
                        run->error);
}

/* ---- the pack ------------------------------------------------------------ */

static void
fill_contents(const struct run *run, ins_pack_contents *contents)
{
    const ins_head *head = &run->head;
    ins_pack_recipe *recipe = &contents->recipe;

    memset(contents, 0, sizeof(*contents));
    recipe->flags = INS_RECIPE_TABULAR;
    if (head->units > 0) {
        recipe->flags |= INS_RECIPE_HEAD_DENSE;
        recipe->head_activation = INS_ACTIVATION_TANH;
    }
    recipe->hidden = head->columns;
    recipe->intermediate = head->units;
    recipe->labels = head->labels;
    recipe->position_offset = run->positive;
    recipe->weights = INS_WEIGHTS_F32;
    memcpy(recipe->architecture, ARCHITECTURE, sizeof(ARCHITECTURE));
    contents->pieces = run->matrix.names.table;
    contents->labels = run->labels.table;
}

static ins_status
put_tensor(const struct run *run, const ins_pack_view *view, uint32_t role,
           const float *values)
{
    const ins_pack_tensor *tensor = ins_pack_find_tensor(view, role, 0);
    /* The view is of the pack that is being written. */
    uint8_t *data = (uint8_t *) (uintptr_t) view->bytes + tensor->offset;

    for (uint32_t i = 0; i < tensor->rows; i++, values += tensor->columns) {
        if (i % 64 == 0)
            INS_TRY(ins_poll(run->host, run->error));
        for (uint32_t j = 0; j < tensor->columns; j++)
            INS_CHECK(isfinite(values[j]), run->error, INS_INTERNAL,
                      "the training gave a weight that is not a number");
        ins_pack_put_row(tensor, data, i, values);
    }
    return INS_OK;
}

static ins_status
put_head(const struct run *run, const ins_pack_view *view)
{
    const ins_head *head = &run->head;

    if (head->units > 0) {
        INS_TRY(put_tensor(run, view, INS_ROLE_HEAD_DENSE, head->dense));
        INS_TRY(
            put_tensor(run, view, INS_ROLE_HEAD_DENSE_BIAS, head->dense_bias));
    }
    INS_TRY(put_tensor(run, view, INS_ROLE_HEAD_OUT, head->out));
    return put_tensor(run, view, INS_ROLE_HEAD_OUT_BIAS, head->out_bias);
}

static ins_status
write_pack(const struct run *run, void **pack, size_t *pack_bytes)
{
    ins_pack_contents contents;
    ins_pack_view view;

    ins_progress_begin(run->progress, "write", 1);
    fill_contents(run, &contents);
    INS_TRY(ins_pack_write(&contents, INS_MAX_PACK_BYTES, run->host, pack,
                           pack_bytes, run->error));
    INS_TRY(ins_pack_read(&view, *pack, *pack_bytes, run->error));
    INS_TRY(put_tensor(run, &view, INS_ROLE_FEATURES, run->matrix.means));
    return put_head(run, &view);
}

ins_status
ins_tabular_run(const ins_tabular *tabular, ins_progress *progress, void **pack,
                size_t *pack_bytes, ins_error *error)
{
    struct run run = {
        .tabular = tabular,
        .options = tabular->options,
        .progress = progress,
        .host = &progress->host,
        .error = error,
    };
    ins_status status;

    *pack = NULL;
    *pack_bytes = 0;
    plan(&run);
    status = prepare(&run);
    if (status == INS_OK)
        status = fit(&run);
    if (status == INS_OK)
        status = write_pack(&run, pack, pack_bytes);
    if (status != INS_OK) {
        ins_release(run.host, *pack);
        *pack = NULL;
        *pack_bytes = 0;
    }
    ins_head_close(&run.head, run.host);
    ins_table_matrix_close(&run.matrix, run.host);
    ins_targets_close(&run.targets, run.host);
    ins_sorted_labels_close(&run.labels, run.host);
    return status;
}
