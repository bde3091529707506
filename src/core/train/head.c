/*
 * head.c - fits a head to rows of features, and scores rows with it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/head.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "kernels/blas.h"
#include "train/head_loss.h"
#include "train/lbfgs.h"

#define DEFAULT_TOLERANCE 1e-5
#define SCORED_VALUES     ((uint64_t) 1 << 18) /* of a block's hidden layer */
#define SCORED_WORK       ((uint64_t) 150000000)

#define VALUES_PER_POLL ((uint64_t) 1 << 21)

typedef struct ins_head_matrix {
    uint64_t rows;
    uint64_t columns;
} ins_head_matrix;

static ins_status
poll_sometimes(const ins_head_loss *loss, uint64_t *work, ins_error *error)
{
    *work += (loss->units > loss->rows->columns ? loss->units
                                                : loss->rows->columns) +
             64;
    if (*work < VALUES_PER_POLL)
        return INS_OK;
    *work = 0;
    return ins_poll(loss->host, error);
}

/* ---- minimising ---------------------------------------------------------- */

/* Uniform within +-sqrt(6 / (inputs + outputs)) (Glorot & Bengio 2010). */
static ins_status
fill_matrix(const ins_head_loss *loss, float *values, ins_head_matrix size,
            uint64_t *random, ins_error *error)
{
    float limit = (float) sqrt(6.0 / (double) (size.rows + size.columns));

    for (uint64_t i = 0; i < size.rows * size.columns; i++) {
        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(loss->host, error));
        values[i] = limit * ins_random_symmetric(random);
    }
    return INS_OK;
}

ins_status
ins_head_loss_start(const ins_head_loss *loss, uint64_t seed, float *weights,
                    ins_error *error)
{
    const ins_head_rows *rows = loss->rows;
    ins_head_places places = ins_head_find_places(rows, loss->units);

    for (uint64_t i = 0; i < places.count; i++) {
        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(loss->host, error));
        weights[i] = 0;
    }
    if (loss->units == 0)
        return INS_OK;
    INS_TRY(fill_matrix(loss, weights,
                        (ins_head_matrix){rows->labels, loss->units}, &seed,
                        error));
    return fill_matrix(loss, weights + places.dense,
                       (ins_head_matrix){loss->units, rows->columns}, &seed,
                       error);
}

ins_status
ins_head_loss_minimise(ins_head_loss *loss, const ins_head_options *options,
                       float *weights, double *value, ins_error *error)
{
    double tolerance =
        options->tolerance > 0 ? options->tolerance : DEFAULT_TOLERANCE;
    ins_lbfgs_problem problem = {
        .count = ins_head_find_places(loss->rows, loss->units).count,
        .evaluate = ins_head_loss_evaluate,
        .user = loss,
        .iterations = options->iterations,
        /* A label's share of the rows is the scale of its gradients. */
        .gradient_limit = tolerance / loss->rows->labels,
        .loss_limit = tolerance / 100,
        .progress = options->progress,
        .progress_user = options->progress_user,
    };

    return ins_lbfgs_run(&problem, weights, value, loss->host, error);
}

/* ---- what is returned ---------------------------------------------------- */

uint64_t
ins_head_fit_bytes(const ins_head_rows *rows, uint32_t units)
{
    uint64_t weights = ins_head_find_places(rows, units).count;
    uint64_t search = ins_lbfgs_bytes(weights);
    uint64_t bytes;

    if (!ins_add_u64(search, 2 * weights * sizeof(float), &bytes) ||
        !ins_add_u64(bytes, ins_head_loss_bytes(rows, units), &bytes))
        return UINT64_MAX;
    return bytes;
}

static ins_status
open_floats(const ins_host *host, uint64_t count, float **values,
            ins_error *error)
{
    void *memory;

    INS_TRY(ins_alloc(host, count, sizeof(float), &memory, error));
    *values = memory;
    return INS_OK;
}

static ins_status
open_head(ins_head *head, const ins_head_rows *rows, uint32_t units,
          const ins_host *host, ins_error *error)
{
    uint64_t width = units > 0 ? units : rows->columns;

    head->columns = rows->columns;
    head->units = units;
    head->labels = rows->labels;
    if (rows->words != NULL) {
        head->word_rows = rows->words->table_rows;
        INS_TRY(open_floats(host, (uint64_t) head->word_rows * rows->labels,
                            &head->words, error));
    }
    INS_TRY(open_floats(host, rows->labels * width, &head->out, error));
    INS_TRY(open_floats(host, rows->labels, &head->out_bias, error));
    if (units == 0)
        return INS_OK;
    INS_TRY(open_floats(host, (uint64_t) units * rows->columns, &head->dense,
                        error));
    return open_floats(host, units, &head->dense_bias, error);
}

/* Rewrites a layer over standardised features as one over features as they
 * came: w . (x - mean) * factor + b. */
static ins_status
fold_layer(const ins_head_loss *loss, float *matrix, float *bias, uint32_t rows,
           ins_error *error)
{
    uint32_t columns = loss->rows->columns;
    uint64_t work = 0;

    for (uint32_t i = 0; i < rows; i++, matrix += columns) {
        double sum = (double) bias[i];

        INS_TRY(poll_sometimes(loss, &work, error));

        for (uint32_t j = 0; j < columns; j++) {
            matrix[j] *= loss->factors[j];
            sum -= (double) matrix[j] * (double) loss->means[j];
        }
        bias[i] = (float) sum;
    }
    return INS_OK;
}

/* By rows, between which the host is asked. */
static ins_status
copy_rows(const ins_head_loss *loss, float *to, const float *from,
          ins_head_matrix size, ins_error *error)
{
    uint64_t work = 0;

    for (uint64_t i = 0; i < size.rows; i++) {
        INS_TRY(poll_sometimes(loss, &work, error));
        memcpy(to, from, (size_t) size.columns * sizeof(float));
        to += size.columns;
        from += size.columns;
    }
    return INS_OK;
}

/* The rows of words with their scale. */
static ins_status
take_words(ins_head *head, const ins_head_loss *loss, const float *weights,
           ins_error *error)
{
    const ins_head_words *words = loss->rows->words;
    uint64_t count = (uint64_t) words->table_rows * head->labels;

    for (uint64_t i = 0; i < count; i++) {
        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(loss->host, error));
        head->words[i] = words->scale * weights[i];
    }
    return INS_OK;
}

static ins_status
take_weights(ins_head *head, const ins_head_loss *loss, const float *weights,
             ins_error *error)
{
    ins_head_places places = ins_head_find_places(loss->rows, loss->units);

    INS_TRY(copy_rows(loss, head->out, weights,
                      (ins_head_matrix){head->labels, places.width}, error));
    memcpy(head->out_bias, weights + places.out_bias,
           head->labels * sizeof(float));
    if (loss->rows->words != NULL)
        INS_TRY(take_words(head, loss, weights + places.words, error));
    if (head->units == 0)
        return fold_layer(loss, head->out, head->out_bias, head->labels, error);
    INS_TRY(copy_rows(loss, head->dense, weights + places.dense,
                      (ins_head_matrix){head->units, head->columns}, error));
    memcpy(head->dense_bias, weights + places.dense_bias,
           head->units * sizeof(float));
    return fold_layer(loss, head->dense, head->dense_bias, head->units, error);
}

ins_status
ins_head_fit(ins_head *head, const ins_head_rows *rows,
             const ins_head_options *options, const ins_host *host,
             ins_error *error)
{
    ins_head_loss loss;
    float *weights = NULL;
    ins_status status;

    *head = (ins_head){0};
    status = ins_head_loss_open(&loss, rows, NULL, options->units, host, error);
    if (status != INS_OK)
        goto done;
    loss.l2 = options->l2;
    status = open_floats(host, ins_head_find_places(rows, options->units).count,
                         &weights, error);
    if (status != INS_OK)
        goto done;
    status = ins_head_loss_start(&loss, options->seed, weights, error);
    if (status != INS_OK)
        goto done;
    status =
        ins_head_loss_minimise(&loss, options, weights, &head->loss, error);
    if (status != INS_OK)
        goto done;
    status = open_head(head, rows, options->units, host, error);
    if (status == INS_OK)
        status = take_weights(head, &loss, weights, error);
done:
    ins_release(host, weights);
    ins_head_loss_close(&loss);
    return status;
}

void
ins_head_close(ins_head *head, const ins_host *host)
{
    ins_release(host, head->dense);
    ins_release(host, head->dense_bias);
    ins_release(host, head->out);
    ins_release(host, head->out_bias);
    ins_release(host, head->words);
    *head = (ins_head){0};
}

/* ---- scoring ------------------------------------------------------------- */

/* hidden: [rows][units], scratch. */
static ins_status
score_block(const ins_head *head, const ins_product *block, float *hidden,
            const ins_host *host, ins_error *error)
{
    ins_product out = *block;
    const ins_kernels *kernels;

    INS_TRY(ins_kernels_select(NULL, &kernels, error));
    if (head->units > 0) {
        ins_product dense = *block;

        dense.columns = head->units;
        dense.depth = head->columns;
        dense.b = head->dense;
        dense.c = hidden;
        INS_TRY(ins_head_apply_layer(host, &dense, head->dense_bias, error));
        kernels->activate(INS_ACTIVATION_TANH, hidden,
                          block->rows * head->units);
        out.a = hidden;
    }
    out.columns = head->labels;
    out.depth = head->units > 0 ? head->units : head->columns;
    out.b = head->out;
    return ins_head_apply_layer(host, &out, head->out_bias, error);
}

/* Rows of a block. */
static size_t
choose_rows(const ins_head *head)
{
    uint64_t work = (uint64_t) head->columns *
                        (head->units > 0 ? head->units : head->labels) +
                    (uint64_t) head->units * head->labels + 1;
    uint64_t rows = SCORED_WORK / work + 1;
    uint64_t fitting = SCORED_VALUES / (head->units + 1) + 1;

    return (size_t) (rows < fitting ? rows : fitting);
}

ins_status
ins_head_score(const ins_head *head, const float *features, size_t count,
               float *logits, const ins_host *host, ins_error *error)
{
    size_t rows = choose_rows(head);
    float *hidden;
    ins_status status = INS_OK;

    INS_TRY(open_floats(host, (uint64_t) rows * head->units, &hidden, error));
    for (size_t i = 0; i < count && status == INS_OK; i += rows) {
        ins_product block = {
            .a = features + i * head->columns,
            .c = logits + i * head->labels,
            .rows = count - i < rows ? count - i : rows,
        };

        status = score_block(head, &block, hidden, host, error);
    }
    ins_release(host, hidden);
    return status;
}
