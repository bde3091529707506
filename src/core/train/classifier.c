/*
 * classifier.c - a head over the embeddings of a frozen encoder.
 *
 *   tokenize every text, for its words
 *   embed    every text, as the task embed does: equal texts once
 *   select   penalty and kind of the head, by cross-validation
 *   fit      the head to all rows
 *   write    the base with that head
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/classifier.h"

#include <math.h>

#include "base/checked.h"
#include "pack/pack_shape.h"
#include "train/converted_base.h"
#include "train/head_choose.h"
#include "train/trained_pack.h"
#include "train/word_rows.h"

/* For estimates of memory and time only. */
#define BATCH_TOKENS 512
/* Multiplications of the encoder that take as long as one of a fit and what is
 * around it, over all of its iterations. */
#define FIT_COST 3000
/* Of choosing, in fits, for each fold. */
#define CHOICE_COST   0.7
#define TOKENIZE_COST 4000 /* of a token, in multiplications */
#define ROWS_PER_POLL 65536

struct run {
    const ins_text_job *job;
    const ins_host *host; /* of the progress */
    uint64_t held;        /* bytes of the rows */
    ins_sorted_labels labels;
    ins_targets targets;
    float *features; /* [rows][hidden] */
    ins_word_rows words;
    ins_head head;
};

static bool
needs_choice(const ins_training_options *options)
{
    return options->l2 < 0 || options->head == INS_HEAD_AUTO;
}

/* ---- estimates ----------------------------------------------------------- */

static uint64_t
session_bytes(const ins_pack_recipe *recipe)
{
    uint64_t tokens =
        recipe->max_tokens > BATCH_TOKENS ? recipe->max_tokens : BATCH_TOKENS;

    return tokens * (8ull * recipe->hidden + recipe->intermediate) *
           sizeof(float);
}

/* The head's columns, and its units when it is a network. */
static ins_head_wish
make_wish(const ins_text_job *job)
{
    const ins_training_options *options = job->options;

    return (ins_head_wish){
        .head = options->head,
        .units = job->view->recipe->hidden,
        .l2 = options->l2,
        .folds = options->folds,
        .seed = options->seed,
    };
}

/* Of the texts as tokens, and the words of these. */
static uint64_t
token_bytes(uint64_t tokens)
{
    return ins_token_rows_token_bytes(tokens) +
           ins_word_rows_token_bytes(tokens);
}

uint64_t
ins_classifier_bytes(const ins_text_job *job, size_t text_size)
{
    const uint64_t rows = job->rows->count + 1;
    const bool reads_words = job->options->words;
    const uint32_t labels = job->labels->count + 1;
    const uint64_t tokens = ins_text_job_most_tokens(job, text_size);
    const uint32_t table_rows = ins_word_rows_most(labels, tokens);
    const ins_head_words words = {.table_rows = table_rows};
    const ins_pack_recipe *recipe = job->view->recipe;
    const ins_targets_options targets = ins_text_job_targets(job->options);
    const ins_head_wish wish = make_wish(job);
    const uint8_t marks = 0;
    const ins_head_rows shape = {
        .count = (size_t) rows,
        .columns = recipe->hidden,
        .labels = labels,
        .marks = job->options->multi_label ? &marks : NULL,
        .words = reads_words ? &words : NULL,
    };
    uint32_t units = wish.head == INS_HEAD_LOGISTIC ? 0 : wish.units;
    uint64_t embedding = rows * sizeof(ins_text) + session_bytes(recipe);
    uint64_t fitting = ins_larger(ins_head_fit_bytes(&shape, units),
                                  ins_head_choose_bytes(&shape, &wish));
    uint64_t converting =
        ins_converted_base_bytes(job->view, job->options->weights);
    uint64_t bytes = rows * recipe->hidden * sizeof(float) + job->view->size +
                     ins_targets_bytes(rows, shape.labels, &targets) +
                     converting;

    fitting = ins_larger(fitting, embedding);
    if (reads_words)
        bytes += token_bytes(tokens) +
                 ins_token_rows_bytes(rows, recipe->max_tokens) +
                 ins_word_rows_bytes(rows, tokens) +
                 (uint64_t) table_rows * shape.labels * sizeof(float);
    return ins_add_capped(fitting, bytes);
}

static void
plan(const struct run *run)
{
    const ins_text_job *job = run->job;
    const ins_training_options *options = job->options;
    double hidden = job->view->recipe->hidden;
    double labels = run->labels.table.count;
    double unit = FIT_COST * (double) job->rows->count * hidden;
    double logistic = options->head == INS_HEAD_NETWORK ? 0 : unit * labels;
    double network =
        options->head == INS_HEAD_LOGISTIC ? 0 : unit * (hidden + labels);
    double choice = CHOICE_COST * options->folds * (logistic + network);
    const ins_phase phases[] = {
        {"tokenize",
         options->words ? TOKENIZE_COST * ins_text_job_length(job) : 0},
        {"embed", ins_text_job_cost(job)},
        {"select", needs_choice(options) ? choice : 0},
        {"fit", network > 0 ? network : logistic},
        {"write", (double) job->view->size / 4},
    };

    ins_progress_plan(job->progress, phases,
                      sizeof(phases) / sizeof(phases[0]));
}

/* ---- tokenize ------------------------------------------------------------ */

/* What the tokens may take: all that nothing else needs. */
static ins_token_limits
limit_tokens(const struct run *run)
{
    const ins_text_job *job = run->job;
    uint64_t others = run->held + ins_classifier_bytes(job, 0) -
                      token_bytes(ins_text_job_most_tokens(job, 0));

    return (ins_token_limits){
        .max_tokens = ins_text_job_tokens(job->view->recipe, job->options),
        .document = true,
        .max_count = ins_token_rows_fitting(job->options->max_bytes, others,
                                            token_bytes(1)),
    };
}

static ins_status
read_words(struct run *run, ins_error *error)
{
    const ins_text_job *job = run->job;
    const ins_token_limits limits = limit_tokens(run);
    ins_token_rows tokens;
    ins_status status = ins_token_rows_open(&tokens, job->rows, job->view,
                                            &limits, job->progress, error);

    if (status == INS_OK)
        status = ins_word_rows_open(&run->words, &tokens, job->rows->count,
                                    run->targets.labels, run->host, error);
    ins_token_rows_close(&tokens, run->host);
    /* Half as long, squared, as the standardised features: with as long ones
     * rows made by patterns mislead. */
    run->words.head.scale = sqrtf((float) job->view->recipe->hidden / 2);
    return status;
}

/* ---- embed --------------------------------------------------------------- */

static uint64_t
count_embedded(void *user)
{
    return ins_session_usage(user).texts;
}

static ins_status
list_texts(const struct run *run, ins_text *texts, ins_error *error)
{
    ins_row_cursor cursor = {.store = run->job->rows};
    ins_row row;

    for (uint64_t i = 0; ins_row_cursor_next(&cursor, &row); i++) {
        if (i % ROWS_PER_POLL == 0)
            INS_TRY(ins_poll(run->host, error));
        texts[i] = row.text;
    }
    return INS_OK;
}

/* One call: texts that come again are computed once. */
static ins_status
embed_texts(struct run *run, ins_text *texts, ins_session *session,
            ins_error *error)
{
    ins_progress *progress = run->job->progress;
    uint64_t count = run->job->rows->count;
    uint32_t hidden = run->job->view->recipe->hidden;
    ins_status status;

    INS_TRY(list_texts(run, texts, error));
    ins_progress_begin(progress, "embed", count);
    progress->step = count_embedded;
    progress->step_user = session;
    status = ins_run(session, INS_TASK_FEATURES, texts, (size_t) count,
                     run->features, hidden, error);
    /* The session is about to go. */
    progress->step = NULL;
    return status;
}

static ins_status
embed(struct run *run, ins_error *error)
{
    const ins_text_job *job = run->job;
    const ins_options options = {.max_tokens = job->options->max_tokens};
    uint64_t count = job->rows->count;
    ins_session *session = NULL;
    void *texts = NULL;
    void *features;
    ins_status status;

    INS_TRY(ins_alloc(run->host, count * job->view->recipe->hidden,
                      sizeof(float), &features, error));
    run->features = features;
    status = ins_session_open(&session, job->base, &options, run->host, error);
    if (status == INS_OK)
        status = ins_alloc(run->host, count, sizeof(ins_text), &texts, error);
    if (status == INS_OK)
        status = embed_texts(run, texts, session, error);
    ins_release(run->host, texts);
    ins_session_close(session);
    return status;
}

/* ---- fit ----------------------------------------------------------------- */

static ins_head_rows
head_rows(const struct run *run)
{
    return (ins_head_rows){
        .features = run->features,
        .count = (size_t) run->targets.count,
        .columns = run->job->view->recipe->hidden,
        .labels = run->targets.labels,
        .targets = run->targets.numbers,
        .marks = run->targets.marks,
        .weights = run->targets.weights,
        .rounding = INS_ENCODER_ROUNDING,
        .words = run->words.starts != NULL ? &run->words.head : NULL,
    };
}

/* The penalty is chosen without the words: with them it would take two to three
 * times as long, for next to nothing; see README.md. */
static ins_status
fit(struct run *run, ins_error *error)
{
    const ins_text_job *job = run->job;
    ins_progress *progress = job->progress;
    ins_head_rows rows = head_rows(run);
    ins_head_rows features = rows;
    ins_head_wish wish = make_wish(job);
    ins_head_options head = {.progress = ins_progress_iteration,
                             .progress_user = progress};

    if (needs_choice(job->options))
        ins_progress_begin(progress, "select", job->options->folds);
    wish.progress = ins_progress_step;
    wish.progress_user = progress;
    features.words = NULL;
    INS_TRY(ins_head_choose(&head, NULL, &features, &wish, run->host, error));
    ins_progress_begin(progress, "fit", head.iterations);
    return ins_head_fit(&run->head, &rows, &head, run->host, error);
}

/* ---- the whole ----------------------------------------------------------- */

static ins_status
write(struct run *run, void **pack, size_t *pack_bytes, ins_error *error)
{
    const ins_training_options *options = run->job->options;
    ins_trained_pack trained = {
        .base = run->job->view,
        .labels = &run->labels.table,
        .flags = INS_RECIPE_HEAD_POOLED,
        .max_tokens = options->max_tokens,
    };

    if (options->multi_label)
        trained.flags |= INS_RECIPE_MULTI_LABEL;
    if (run->head.units > 0)
        trained.flags |= INS_RECIPE_HEAD_DENSE;
    ins_progress_begin(run->job->progress, "write", 1);
    if (run->head.words != NULL)
        INS_TRY(
            ins_word_rows_spread(&run->words, &run->head, run->host, error));
    return ins_trained_pack_write(&trained, &run->head, run->host, pack,
                                  pack_bytes, error);
}

static ins_status
train(struct run *run, void **pack, size_t *pack_bytes, ins_error *error)
{
    const ins_text_job *job = run->job;
    const ins_targets_options options = ins_text_job_targets(job->options);

    INS_TRY(
        ins_sorted_labels_open(&run->labels, job->labels, run->host, error));
    INS_TRY(ins_targets_open(&run->targets, job->rows, &run->labels, &options,
                             run->host, error));
    plan(run);
    if (job->options->words)
        INS_TRY(read_words(run, error));
    INS_TRY(embed(run, error));
    INS_TRY(fit(run, error));
    return write(run, pack, pack_bytes, error);
}

static ins_status
train_on(const ins_text_job *job, uint64_t held, void **pack,
         size_t *pack_bytes, ins_error *error)
{
    struct run run = {.job = job, .host = &job->progress->host, .held = held};
    ins_status status = train(&run, pack, pack_bytes, error);

    ins_head_close(&run.head, run.host);
    ins_release(run.host, run.features);
    ins_word_rows_close(&run.words, run.host);
    ins_targets_close(&run.targets, run.host);
    ins_sorted_labels_close(&run.labels, run.host);
    return status;
}

/* The head is fitted to what the encoder gives in the wanted number type. */
ins_status
ins_classifier_train(const ins_text_job *job, uint64_t held, void **pack,
                     size_t *pack_bytes, ins_error *error)
{
    const ins_host *host = &job->progress->host;
    ins_text_job used = *job;
    ins_converted_base converted;
    ins_status status = ins_converted_base_open(
        &converted, job->view, job->options->weights, host, error);

    if (converted.model != NULL) {
        used.base = converted.model;
        used.view = &converted.view;
    }
    if (status == INS_OK)
        status = train_on(
            &used,
            held + ins_converted_base_bytes(job->view, job->options->weights),
            pack, pack_bytes, error);
    ins_converted_base_close(&converted, host);
    return status;
}
