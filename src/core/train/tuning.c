/*
 * tuning.c - rows to an encoder that is trained with its head.
 *
 *   tokenize                     every text, with the tokenizer of the base
 *   embed, fit, train, validate  fine_tune.h
 *   words                        a head of its own, whose logits are added
 *   write                        the weights, in the number type that is wanted
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tuning.h"

#include "base/checked.h"
#include "pack/pack_shape.h"
#include "train/fine_tune.h"
#include "train/head_start.h"
#include "train/token_rows.h"
#include "train/tuned_pack.h"
#include "train/word_head.h"
#include "train/word_rows.h"

/* Of a token, in the encoder's multiplications: two walks. */
#define TOKENIZE_COST 10000
#define WORDS_COST    25000 /* likewise, and of a label: all iterations */

struct run {
    const ins_text_job *job;
    const ins_host *host; /* of the progress */
    uint64_t held;
    ins_sorted_labels labels;
    ins_targets targets;
    ins_token_rows tokens;
    ins_pack_recipe recipe; /* of the result */
    ins_parameters *tuned;
    ins_head words;
};

static ins_pack_recipe
make_recipe(const ins_text_job *job)
{
    const ins_training_options *options = job->options;
    const ins_pack_recipe *base = job->view->recipe;
    ins_pack_recipe recipe;

    ins_fine_tune_recipe(base, job->labels->count, options->multi_label,
                         options->weights, &recipe);
    recipe.max_tokens = ins_text_job_tokens(base, options);
    return recipe;
}

/* ---- memory -------------------------------------------------------------- */

/* Beside tokens and words. */
static uint64_t
rows_bytes(const ins_text_job *job, uint64_t rows)
{
    const ins_targets_options targets = ins_text_job_targets(job->options);

    return ins_targets_bytes(rows, job->labels->count, &targets) +
           ins_token_rows_bytes(rows, 0);
}

/* Of the head over words and what is tuned by then. */
static uint64_t
words_bytes(const ins_text_job *job, const ins_word_head_size *size)
{
    ins_pack_recipe recipe = make_recipe(job);

    if (!job->options->words)
        return 0;
    return ins_add_capped(ins_recipe_weights(&recipe) * sizeof(float),
                          ins_word_head_bytes(size));
}

static ins_word_head_size
word_head_size(const ins_text_job *job, uint64_t rows, uint64_t tokens)
{
    return (ins_word_head_size){.texts = rows,
                                .tokens = tokens,
                                .labels = job->labels->count,
                                .multi_label = job->options->multi_label};
}

uint64_t
ins_tuning_bytes(const ins_text_job *job, size_t text_size)
{
    const ins_row_store *store = job->rows;
    const ins_pack_recipe recipe = make_recipe(job);
    uint64_t prompt = job->view->tokenizer->document_prompt_bytes;
    uint64_t rows = store->count + 1;
    uint64_t tokens = ins_text_job_most_tokens(job, text_size);
    ins_word_head_size words = word_head_size(job, rows, tokens);
    uint64_t longest = ins_smaller(ins_larger(store->longest, text_size) +
                                       prompt + INS_SPECIAL_TOKENS,
                                   recipe.max_tokens);
    uint64_t tuning =
        ins_fine_tune_bytes(&recipe, job->options, rows, (uint32_t) longest);

    return ins_add_capped(rows_bytes(job, rows) +
                              ins_token_rows_token_bytes(tokens),
                          ins_larger(tuning, words_bytes(job, &words)));
}

/* As many as room is left for, while the encoder is tuned and while words are
 * learnt, all of the table perhaps; never fewer than the rows were taken
 * for. */
static uint64_t
most_tokens(const struct run *run)
{
    const ins_text_job *job = run->job;
    const uint64_t limit = job->options->max_bytes;
    const uint64_t rows = job->rows->count;
    const uint64_t held = ins_add_capped(run->held, rows_bytes(job, rows));
    const uint64_t token = ins_token_rows_token_bytes(1);
    const ins_word_head_size words =
        word_head_size(job, rows, INS_MOST_WORD_ROWS);
    uint64_t tuning = ins_fine_tune_bytes(&run->recipe, job->options, rows, 1);
    uint64_t tokens =
        ins_token_rows_fitting(limit, ins_add_capped(held, tuning), token);

    if (job->options->words)
        tokens = ins_smaller(
            tokens, ins_token_rows_fitting(
                        limit, ins_add_capped(held, words_bytes(job, &words)),
                        token + ins_word_rows_token_bytes(1)));
    return ins_larger(tokens, ins_text_job_most_tokens(job, 0));
}

/* ---- the run ------------------------------------------------------------- */

static void
plan(const ins_text_job *job)
{
    double learnt = INS_LEARN_UNITS * (double) job->options->epochs;
    double labels = job->labels->count;
    const ins_phase phases[] = {
        {"tokenize", TOKENIZE_COST * ins_text_job_length(job)},
        {INS_FINE_TUNE_WORK, ins_text_job_cost(job) * (1 + learnt)},
        {"words", job->options->words
                      ? WORDS_COST * labels * ins_text_job_length(job)
                      : 0},
        {"write", (double) job->view->size / 4},
    };

    ins_progress_plan(job->progress, phases,
                      sizeof(phases) / sizeof(phases[0]));
}

static ins_status
tokenize(struct run *run, ins_error *error)
{
    const ins_text_job *job = run->job;
    const ins_token_limits limits = {
        .max_tokens = run->recipe.max_tokens,
        .document = (run->recipe.flags & INS_RECIPE_HEAD_POOLED) != 0,
        .max_count = most_tokens(run),
    };

    return ins_token_rows_open(&run->tokens, job->rows, job->view, &limits,
                               job->progress, error);
}

/* The encoder and its head, and the head over words: of two that err in ways of
 * their own the sum errs less. */
static ins_status
learn_words(struct run *run, ins_error *error)
{
    const ins_parameter *bias =
        ins_parameters_find(run->tuned, INS_ROLE_HEAD_OUT_BIAS, 0);

    INS_TRY(ins_word_head_fit(&run->words, &run->tokens, &run->targets,
                              run->job->progress, error));
    for (uint32_t i = 0; i < bias->columns; i++)
        bias->values[i] += run->words.out_bias[i];
    return INS_OK;
}

static ins_status
write(const struct run *run, void **pack, size_t *pack_bytes, ins_error *error)
{
    const ins_tuned_model model = {
        .parameters = run->tuned,
        .words = run->words.words,
        .word_rows = run->words.word_rows,
        .base = run->job->view,
        .labels = &run->labels.table,
    };

    ins_progress_begin(run->job->progress, "write", 1);
    return ins_tuned_pack(&model, INS_MAX_PACK_BYTES, pack, pack_bytes, error);
}

static ins_status
tune(struct run *run, ins_error *error)
{
    const ins_tune_rows rows = {
        .ids = run->tokens.ids,
        .starts = run->tokens.starts,
        .labels = {.targets = run->targets.numbers,
                   .marks = run->targets.marks,
                   .count = (size_t) run->targets.count,
                   .labels = run->targets.labels},
        .weights = run->targets.weights,
    };
    const ins_fine_tune_job job = {
        .base = run->job->view,
        .recipe = &run->recipe,
        .rows = &rows,
    };
    ins_fine_tune_figures figures;

    return ins_fine_tune(&job, run->job->progress, &run->tuned, &figures,
                         error);
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
    run->recipe = make_recipe(job);
    plan(job);
    INS_TRY(tokenize(run, error));
    INS_TRY(tune(run, error));
    if (job->options->words)
        INS_TRY(learn_words(run, error));
    return write(run, pack, pack_bytes, error);
}

ins_status
ins_tuning_train(const ins_text_job *job, uint64_t held, void **pack,
                 size_t *pack_bytes, ins_error *error)
{
    struct run run = {.job = job, .host = &job->progress->host, .held = held};
    ins_status status = train(&run, pack, pack_bytes, error);

    ins_head_close(&run.words, run.host);
    ins_parameters_close(run.tuned);
    ins_token_rows_close(&run.tokens, run.host);
    ins_targets_close(&run.targets, run.host);
    ins_sorted_labels_close(&run.labels, run.host);
    return status;
}
