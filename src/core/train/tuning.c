/*
 * tuning.c - rows to an encoder that is trained with its head.
 *
 *   tokenize                     every text, with the tokenizer of the base
 *   embed, fit, train, validate  fine_tune.h
 *   write                        the weights, in the number type that is wanted
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tuning.h"

#include "train/fine_tune.h"
#include "train/token_rows.h"
#include "train/tuned_pack.h"

#define SPECIAL_TOKENS  2 /* of a text */
#define BYTES_PER_TOKEN 2 /* at least, in nearly all texts */
/* Of a token, in the encoder's multiplications: two walks. */
#define TOKENIZE_COST 10000

struct run {
    const ins_text_job *job;
    const ins_host *host; /* of the progress */
    uint64_t held;
    ins_sorted_labels labels;
    ins_targets targets;
    ins_token_rows tokens;
    ins_pack_recipe recipe; /* of the result */
    ins_parameters *tuned;
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

static uint64_t
smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Beside tokens. */
static uint64_t
work_bytes(const ins_text_job *job, uint64_t rows, uint32_t longest)
{
    const ins_targets_options targets = ins_text_job_targets(job->options);
    ins_pack_recipe recipe = make_recipe(job);
    uint64_t bytes = ins_targets_bytes(rows, recipe.labels, &targets);
    uint64_t tuning = ins_fine_tune_bytes(&recipe, job->options, rows, longest);

    return tuning > UINT64_MAX - bytes ? UINT64_MAX : bytes + tuning;
}

uint64_t
ins_tuning_bytes(const ins_text_job *job, size_t text_size)
{
    const ins_row_store *store = job->rows;
    uint64_t limit = ins_text_job_tokens(job->view->recipe, job->options);
    uint64_t prompt = job->view->tokenizer->document_prompt_bytes;
    uint64_t rows = store->count + 1;
    uint64_t longest = store->longest > text_size ? store->longest : text_size;
    uint64_t tokens = (store->text_bytes + text_size) / BYTES_PER_TOKEN +
                      rows * (prompt + SPECIAL_TOKENS);
    uint64_t bytes = rows * sizeof(uint64_t) +
                     smaller(tokens, rows * limit) * sizeof(int32_t);
    uint64_t work;

    longest = smaller(longest + prompt + SPECIAL_TOKENS, limit);
    work = work_bytes(job, rows, (uint32_t) longest);
    return work > UINT64_MAX - bytes ? UINT64_MAX : bytes + work;
}

/* ---- the run ------------------------------------------------------------- */

static void
plan(const ins_text_job *job)
{
    double learnt = INS_LEARN_UNITS * (double) job->options->epochs;
    const ins_phase phases[] = {
        {"tokenize", TOKENIZE_COST * ins_text_job_length(job)},
        {INS_FINE_TUNE_WORK, ins_text_job_cost(job) * (1 + learnt)},
        {"write", (double) job->view->size / 4},
    };

    ins_progress_plan(job->progress, phases,
                      sizeof(phases) / sizeof(phases[0]));
}

static ins_status
tokenize(struct run *run, ins_error *error)
{
    const ins_text_job *job = run->job;
    uint64_t limit = job->options->max_bytes;
    uint64_t needed = work_bytes(job, job->rows->count, 1);
    ins_token_limits limits = {
        .max_tokens = run->recipe.max_tokens,
        .document = (run->recipe.flags & INS_RECIPE_HEAD_POOLED) != 0,
    };

    if (run->held < limit && needed < limit - run->held)
        limits.max_bytes = limit - run->held - needed;
    return ins_token_rows_open(&run->tokens, job->rows, job->view, &limits,
                               job->progress, error);
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
    ins_progress_begin(job->progress, "write", 1);
    return ins_tuned_pack(run->tuned, job->view, &run->labels.table,
                          INS_MAX_PACK_BYTES, pack, pack_bytes, error);
}

ins_status
ins_tuning_train(const ins_text_job *job, uint64_t held, void **pack,
                 size_t *pack_bytes, ins_error *error)
{
    struct run run = {.job = job, .host = &job->progress->host, .held = held};
    ins_status status = train(&run, pack, pack_bytes, error);

    ins_parameters_close(run.tuned);
    ins_token_rows_close(&run.tokens, run.host);
    ins_targets_close(&run.targets, run.host);
    ins_sorted_labels_close(&run.labels, run.host);
    return status;
}
