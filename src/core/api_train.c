/*
 * api_train.c - insitu_train.h: takes rows, bounds their memory, runs the
 * method.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "insitu_train.h"

#include "base/checked.h"
#include "model.h"
#include "train/classifier.h"
#include "train/options.h"
#include "train/tabular.h"
#include "train/tuning.h"

#define DEFAULT_MAX_BYTES ((uint64_t) 1000 * 1000 * 1000)
#define ROWS_PER_TELLING  256
#define SHORT_LABELS      16 /* of a row, without an allocation */
#define LABELS_PER_POLL   4096

struct ins_training {
    ins_host host;
    ins_training_method method;
    ins_training_options options;
    const ins_model *base;
    ins_row_store rows;
    ins_label_table labels;
    ins_tabular *tabular; /* with the method tabular, in the place of rows */
    uint64_t skipped;
    ins_progress progress;
};

/* ---- opening ------------------------------------------------------------- */

static ins_status
check_base(ins_training_method method, const ins_model *base, ins_error *error)
{
    if (method == INS_TRAIN_TABULAR)
        return INS_OK;
    INS_CHECK(base != NULL, error, INS_INVALID_ARGUMENT,
              "training over texts needs an encoder");
    if (base->info.can_predict) {
        ins_fail(error, INS_WRONG_TASK,
                 "the encoder cannot read texts: its task is %s",
                 ins_model_tasks(base));
        ins_fail_hint(error, "Choose a model that classifies or embeds texts.");
        return INS_WRONG_TASK;
    }
    if (method == INS_TRAIN_CLASSIFIER && !base->info.can_embed) {
        ins_fail(error, INS_WRONG_TASK,
                 "the encoder cannot embed: its task is %s",
                 ins_model_tasks(base));
        ins_fail_hint(error, "Choose an encoder that embeds, or the method "
                             "fine_tune.");
        return INS_WRONG_TASK;
    }
    return INS_OK;
}

static ins_status
open_parts(ins_training *self, ins_error *error)
{
    if (self->options.max_bytes == 0)
        self->options.max_bytes = DEFAULT_MAX_BYTES;
    INS_TRY(ins_training_options_check(&self->options, error));
    ins_progress_open(&self->progress, &self->host, &self->options);
    if (self->method != INS_TRAIN_TABULAR)
        return INS_OK;
    return ins_tabular_open(&self->tabular, &self->options, &self->host, error);
}

ins_status
ins_training_open(ins_training **training, ins_training_method method,
                  const ins_training_options *options, const ins_model *base,
                  const ins_host *host, ins_error *error)
{
    ins_training *self;
    void *memory;
    ins_status status;

    *training = NULL;
    INS_CHECK(method >= INS_TRAIN_CLASSIFIER && method <= INS_TRAIN_TABULAR,
              error, INS_INVALID_ARGUMENT,
              "training method number %d is unknown", (int) method);
    INS_TRY(check_base(method, base, error));
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_training), &memory, error));
    self = memory;
    self->host = *host;
    self->method = method;
    self->options = *options;
    self->base = base;
    status = open_parts(self, error);
    if (status != INS_OK) {
        ins_training_close(self);
        return status;
    }
    *training = self;
    return INS_OK;
}

void
ins_training_close(ins_training *training)
{
    ins_host host;

    if (training == NULL)
        return;
    host = training->host;
    ins_tabular_close(training->tabular);
    ins_row_store_close(&training->rows, &host);
    ins_label_table_close(&training->labels, &host);
    ins_release(&host, training);
}

static ins_text_job
make_job(ins_training *training)
{
    return (ins_text_job){
        .options = &training->options,
        .base = training->base,
        .view = &training->base->view,
        .rows = &training->rows,
        .labels = &training->labels,
        .progress = &training->progress,
    };
}

/* ---- memory -------------------------------------------------------------- */

uint64_t
ins_training_bytes(const ins_training *training)
{
    uint64_t numbers =
        training->tabular != NULL ? ins_tabular_bytes(training->tabular) : 0;

    return sizeof(*training) + training->rows.bytes +
           ins_label_table_bytes(&training->labels) + numbers;
}

/* What the run will need beside what is held, with one more row. */
static uint64_t
run_bytes(ins_training *training, size_t text_size)
{
    const ins_text_job job = make_job(training);
    /* Sorted: a copy, and two numbers each. */
    uint64_t labels = ins_label_table_text_bytes(&training->labels) +
                      3 * training->labels.count * sizeof(uint32_t);
    uint64_t work = training->method == INS_TRAIN_FINE_TUNE
                        ? ins_tuning_bytes(&job, text_size)
                        : ins_classifier_bytes(&job, text_size);

    return ins_add_capped(work, labels);
}

static ins_status
check_memory(ins_training *training, ins_text text, size_t label_count,
             ins_error *error)
{
    uint64_t rows = training->rows.count + 1;
    uint64_t limit = training->options.max_bytes;
    uint64_t held =
        ins_training_bytes(training) - training->rows.bytes +
        ins_row_store_bytes_with(&training->rows, text.size, label_count);
    uint64_t needed = run_bytes(training, text.size);

    if (held <= limit && needed <= limit - held)
        return INS_OK;
    ins_fail(error, INS_LIMIT_EXCEEDED,
             "the rows need more than the limit of memory for training");
    ins_fail_detail(error,
                    "Row %llu would make it %llu bytes for the rows and %llu "
                    "for the run; the limit is %llu bytes.",
                    (unsigned long long) rows, (unsigned long long) held,
                    (unsigned long long) needed, (unsigned long long) limit);
    ins_fail_hint(error, "Train on fewer rows, or raise the limit of memory "
                         "for training.");
    return INS_LIMIT_EXCEEDED;
}

/* ---- rows ---------------------------------------------------------------- */

static ins_status
check_label_count(const ins_training *training, size_t count, ins_error *error)
{
    if (training->options.multi_label) {
        INS_CHECK(count <= INS_MAX_LABELS, error, INS_LIMIT_EXCEEDED,
                  "a row has %zu labels; the limit is %d", count,
                  INS_MAX_LABELS);
        return INS_OK;
    }
    INS_CHECK(count == 1, error, INS_INVALID_ARGUMENT,
              "a row must have one label, not %zu", count);
    return INS_OK;
}

static ins_status
keep_row(ins_training *training, ins_text input, const ins_text *labels,
         uint32_t *numbers, size_t count, ins_error *error)
{
    const ins_host *host = &training->host;

    /* A row that is refused leaves no label behind. */
    for (size_t i = 0; i < count; i++) {
        if (i % LABELS_PER_POLL == LABELS_PER_POLL - 1)
            INS_TRY(ins_poll(host, error));
        INS_TRY(ins_label_check(labels[i], error));
    }
    for (size_t i = 0; i < count; i++)
        INS_TRY(ins_label_table_add(&training->labels, labels[i], host,
                                    &numbers[i], error));
    INS_TRY(check_memory(training, input, count, error));
    return ins_row_store_add(&training->rows, input, numbers, count, host,
                             error);
}

static void
tell_collecting(ins_training *training)
{
    uint64_t rows = ins_training_rows(training);

    training->progress.now.rows = rows;
    training->progress.now.skipped = training->skipped;
    if ((rows + training->skipped) % ROWS_PER_TELLING == 1)
        ins_progress_tell(&training->progress);
}

ins_status
ins_training_add_text(ins_training *training, ins_text input,
                      const ins_text *labels, size_t label_count,
                      ins_error *error)
{
    uint32_t few[SHORT_LABELS];
    void *many = NULL;
    ins_status status;

    INS_CHECK(training->method != INS_TRAIN_TABULAR, error,
              INS_INVALID_ARGUMENT, "the method tabular takes no texts");
    INS_TRY(check_label_count(training, label_count, error));
    if (label_count > SHORT_LABELS)
        INS_TRY(ins_alloc(&training->host, label_count, sizeof(uint32_t), &many,
                          error));
    status = keep_row(training, input, labels, many != NULL ? many : few,
                      label_count, error);
    ins_release(&training->host, many);
    if (status == INS_OK)
        tell_collecting(training);
    return status;
}

static ins_status
check_numbers(const ins_training *training, ins_error *error)
{
    INS_CHECK(training->tabular != NULL, error, INS_INVALID_ARGUMENT,
              "the method takes texts, not numbers");
    return INS_OK;
}

ins_status
ins_training_add_numbers(ins_training *training, const double *features,
                         size_t count, ins_text label, ins_error *error)
{
    INS_TRY(check_numbers(training, error));
    INS_TRY(ins_tabular_add_numbers(training->tabular, features, count, label,
                                    error));
    tell_collecting(training);
    return INS_OK;
}

ins_status
ins_training_add_object(ins_training *training, ins_text json, ins_text label,
                        ins_error *error)
{
    INS_TRY(check_numbers(training, error));
    INS_TRY(ins_tabular_add_object(training->tabular, json, label, error));
    tell_collecting(training);
    return INS_OK;
}

void
ins_training_skip(ins_training *training)
{
    training->skipped++;
    tell_collecting(training);
}

uint64_t
ins_training_rows(const ins_training *training)
{
    return training->tabular != NULL ? ins_tabular_rows(training->tabular)
                                     : training->rows.count;
}

uint64_t
ins_training_skipped(const ins_training *training)
{
    return training->skipped;
}

/* ---- the run ------------------------------------------------------------- */

static ins_status
check_rows(const ins_training *training, ins_error *error)
{
    if (ins_training_rows(training) > 0)
        return INS_OK;
    ins_fail(error, INS_INVALID_ARGUMENT, "there are no rows to train on");
    if (training->skipped > 0)
        ins_fail_detail(error,
                        "%llu rows were left out because they have NULL.",
                        (unsigned long long) training->skipped);
    return INS_INVALID_ARGUMENT;
}

/* Of a training on texts. */
static ins_status
check_labels(const ins_training *training, ins_error *error)
{
    uint32_t least = training->options.multi_label ? 1 : 2;

    if (training->labels.count >= least)
        return INS_OK;
    ins_fail(error, INS_INVALID_ARGUMENT,
             training->labels.count == 0 ? "no row has a label"
                                         : "all rows have the same label");
    ins_fail_hint(error, "Train on rows with at least %u different %s.", least,
                  least > 1 ? "labels" : "label");
    return INS_INVALID_ARGUMENT;
}

static ins_status
run_method(ins_training *training, void **pack, size_t *pack_bytes,
           ins_error *error)
{
    ins_text_job job;
    uint64_t held;

    INS_TRY(check_rows(training, error));
    if (training->method == INS_TRAIN_TABULAR)
        return ins_tabular_run(training->tabular, &training->progress, pack,
                               pack_bytes, error);
    INS_TRY(check_labels(training, error));
    job = make_job(training);
    held = ins_training_bytes(training);
    if (training->method == INS_TRAIN_FINE_TUNE)
        return ins_tuning_train(&job, held, pack, pack_bytes, error);
    return ins_classifier_train(&job, held, pack, pack_bytes, error);
}

/* A run that failed may be tried again. */
static void
begin_progress(ins_progress *progress)
{
    uint64_t rows = progress->now.rows;
    uint64_t skipped = progress->now.skipped;

    ins_progress_open(progress, progress->real, progress->options);
    progress->now.rows = rows;
    progress->now.skipped = skipped;
}

ins_status
ins_training_run(ins_training *training, void **pack, size_t *pack_bytes,
                 ins_error *error)
{
    *pack = NULL;
    *pack_bytes = 0;
    begin_progress(&training->progress);
    INS_TRY(run_method(training, pack, pack_bytes, error));
    ins_progress_end(&training->progress);
    return INS_OK;
}
