/*
 * head_loss.c - the loss of a head over rows, and its gradient.
 *
 * Rows go through in blocks: a block is gathered and standardised into
 * scratch, so that the features need no second copy, and the host is asked
 * between blocks whether to go on.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/head_loss.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "pack/word_table.h"

#define MAX_BLOCK_ROWS 512
/* Multiply-adds of one product of a block: about 30 ms where OpenBLAS knows
 * the processor least. */
#define BLOCK_WORK ((uint64_t) 150000000)
/* Floats of one array of a block. */
#define BLOCK_VALUES    ((uint64_t) 1 << 20)
#define VALUES_PER_POLL ((uint64_t) 1 << 21)
/* A deviation that rounding alone may make, by the mean. */
#define ROUNDING 1e-7

ins_head_places
ins_head_find_places(const ins_head_rows *rows, uint32_t units)
{
    ins_head_places places = {.width = units > 0 ? units : rows->columns};

    places.out_bias = (uint64_t) rows->labels * places.width;
    places.dense = places.out_bias + rows->labels;
    places.dense_bias = places.dense + (uint64_t) units * rows->columns;
    places.words = places.dense_bias + units;
    places.count = places.words;
    if (rows->words != NULL)
        places.count += (uint64_t) rows->words->table_rows * rows->labels;
    return places;
}

/* ---- scratch ------------------------------------------------------------- */

static size_t
choose_block(const ins_head_rows *rows, uint32_t units)
{
    uint64_t widest =
        rows->columns > rows->labels ? rows->columns : rows->labels;
    uint64_t work =
        (uint64_t) rows->labels * (units > 0 ? units : rows->columns);
    uint64_t dense_work = (uint64_t) units * rows->columns;
    uint64_t block = MAX_BLOCK_ROWS;

    widest = widest > units ? widest : units;
    work = work > dense_work ? work : dense_work;
    block = ins_smaller(block, BLOCK_VALUES / widest + 1);
    block = ins_smaller(block, BLOCK_WORK / (work + 1) + 1);
    return (size_t) block;
}

static void
reserve_scratch(ins_arena *arena, const ins_head_rows *rows, uint32_t units)
{
    size_t block = choose_block(rows, units);

    ins_arena_reserve(arena, rows->columns, sizeof(float));
    ins_arena_reserve(arena, rows->columns, sizeof(float));
    ins_arena_reserve(arena, rows->columns, sizeof(double));
    ins_arena_reserve(arena, (uint64_t) block * rows->columns, sizeof(float));
    ins_arena_reserve(arena, (uint64_t) block * units, sizeof(float));
    ins_arena_reserve(arena, (uint64_t) block * units, sizeof(float));
    ins_arena_reserve(arena, (uint64_t) block * rows->labels, sizeof(float));
}

uint64_t
ins_head_loss_bytes(const ins_head_rows *rows, uint32_t units)
{
    ins_arena arena = {0};

    reserve_scratch(&arena, rows, units);
    return arena.reserved;
}

static ins_status
open_scratch(ins_head_loss *loss, ins_error *error)
{
    const ins_head_rows *rows = loss->rows;
    ins_arena *arena = &loss->arena;
    uint64_t block = choose_block(rows, loss->units);

    loss->block = (size_t) block;
    reserve_scratch(arena, rows, loss->units);
    INS_TRY(ins_arena_open(arena, loss->host, error));
    loss->means = ins_arena_take(arena, rows->columns, sizeof(float));
    loss->factors = ins_arena_take(arena, rows->columns, sizeof(float));
    loss->sums = ins_arena_take(arena, rows->columns, sizeof(double));
    loss->features =
        ins_arena_take(arena, block * rows->columns, sizeof(float));
    loss->hidden = ins_arena_take(arena, block * loss->units, sizeof(float));
    loss->hidden_gradient =
        ins_arena_take(arena, block * loss->units, sizeof(float));
    loss->logits = ins_arena_take(arena, block * rows->labels, sizeof(float));
    return INS_OK;
}

/* ---- standardisation ----------------------------------------------------- */

static size_t
row_number(const ins_head_part *part, size_t i)
{
    return part->numbers != NULL ? part->numbers[i] : i;
}

static const float *
row_features(const ins_head_loss *loss, const ins_head_part *part, size_t i)
{
    return loss->rows->features + row_number(part, i) * loss->rows->columns;
}

static double
row_weight(const ins_head_rows *rows, size_t number)
{
    return rows->weights != NULL ? (double) rows->weights[number] : 1;
}

static ins_status
poll_sometimes(const ins_head_loss *loss, uint64_t *work, ins_error *error)
{
    *work += loss->rows->columns + 64;
    if (*work < VALUES_PER_POLL)
        return INS_OK;
    *work = 0;
    return ins_poll(loss->host, error);
}

/* Sums the columns, or with is_deviation their squared distances from the
 * means. */
static ins_status
sum_columns(ins_head_loss *loss, bool is_deviation, ins_error *error)
{
    uint32_t columns = loss->rows->columns;
    double *sums = loss->sums;
    uint64_t work = 0;

    memset(sums, 0, columns * sizeof(*sums));
    for (size_t i = 0; i < loss->part.count; i++) {
        const float *row = row_features(loss, &loss->part, i);

        INS_TRY(poll_sometimes(loss, &work, error));
        for (uint32_t j = 0; j < columns && !is_deviation; j++)
            sums[j] += (double) row[j];
        for (uint32_t j = 0; j < columns && is_deviation; j++) {
            double distance = (double) row[j] - (double) loss->means[j];

            sums[j] += distance * distance;
        }
    }
    return INS_OK;
}

/* The least deviation of a column that is not constant, beside what its own
 * mean asks for.  sums: squared distances from the means. */
static double
least_deviation(const ins_head_loss *loss)
{
    uint32_t columns = loss->rows->columns;
    double square = 0;

    for (uint32_t j = 0; j < columns; j++)
        square += loss->sums[j] / (double) loss->part.count +
                  (double) loss->means[j] * (double) loss->means[j];
    return columns > 0 ? loss->rows->rounding * sqrt(square / columns) : 0;
}

static ins_status
standardise(ins_head_loss *loss, ins_error *error)
{
    uint32_t columns = loss->rows->columns;
    double count = (double) loss->part.count;
    double least;

    INS_TRY(sum_columns(loss, false, error));
    for (uint32_t j = 0; j < columns; j++) {
        INS_CHECK(isfinite(loss->sums[j]), error, INS_INVALID_ARGUMENT,
                  "feature %u has a value that is not finite", j + 1);
        loss->means[j] = (float) (loss->sums[j] / count);
    }
    INS_TRY(sum_columns(loss, true, error));
    least = least_deviation(loss);
    for (uint32_t j = 0; j < columns; j++) {
        double deviation = sqrt(loss->sums[j] / count);
        float factor = (float) (1 / deviation);

        /* The factor of the smallest deviations is beyond a float. */
        loss->factors[j] =
            deviation > ROUNDING * fabs((double) loss->means[j]) &&
                    deviation >= least && isfinite(factor)
                ? factor
                : 0;
    }
    return INS_OK;
}

static ins_status
sum_weights(ins_head_loss *loss, ins_error *error)
{
    uint64_t work = 0;

    for (size_t i = 0; i < loss->part.count; i++) {
        INS_TRY(poll_sometimes(loss, &work, error));
        loss->weight_sum += row_weight(loss->rows, row_number(&loss->part, i));
    }
    INS_CHECK(loss->weight_sum > 0 && isfinite(loss->weight_sum), error,
              INS_INVALID_ARGUMENT, "the rows have no weight");
    return INS_OK;
}

ins_status
ins_head_loss_open(ins_head_loss *loss, const ins_head_rows *rows,
                   const ins_head_part *part, uint32_t units,
                   const ins_host *host, ins_error *error)
{
    *loss = (ins_head_loss){
        .rows = rows,
        .part = {NULL, rows->count},
        .units = units,
        .host = host,
    };
    if (part != NULL)
        loss->part = *part;
    INS_CHECK(loss->part.count > 0 && rows->labels > 0 &&
                  (rows->columns > 0 || rows->words != NULL),
              error, INS_INVALID_ARGUMENT, "there are no rows to fit");
    INS_TRY(ins_kernels_select(NULL, &loss->kernels, error));
    INS_TRY(open_scratch(loss, error));
    INS_TRY(sum_weights(loss, error));
    return standardise(loss, error);
}

void
ins_head_loss_close(ins_head_loss *loss)
{
    ins_arena_close(&loss->arena, loss->host);
}

/* ---- forward ------------------------------------------------------------- */

ins_status
ins_head_apply_layer(const ins_host *host, const ins_product *layer,
                     const float *bias, ins_error *error)
{
    ins_product product = *layer;

    product.a_stride = product.depth;
    product.b_stride = product.depth;
    product.b_transposed = true;
    product.c_stride = product.columns;
    product.alpha = 1;
    product.beta = 1;
    for (size_t i = 0; i < product.rows; i++)
        memcpy(product.c + i * product.columns, bias,
               product.columns * sizeof(float));
    /* Without features the biases are all. */
    return product.depth > 0 ? ins_blas_run(host, &product, error) : INS_OK;
}

/* A block of the rows of a part, and the weights. */
struct pass {
    ins_head_loss *loss;
    const ins_head_part *part;
    ins_head_places places;
    const float *weights;
    float *gradient; /* NULL: only measured */
    size_t first;
    size_t count;
    ins_error *error;
};

static void
gather_rows(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;
    uint32_t columns = loss->rows->columns;
    float *out = loss->features;

    for (size_t i = 0; i < pass->count; i++, out += columns) {
        const float *row = row_features(loss, pass->part, pass->first + i);

        for (uint32_t j = 0; j < columns; j++)
            out[j] = (row[j] - loss->means[j]) * loss->factors[j];
    }
}

/* The words of row i of the block, or none. */
static ins_word_table_sum
words_of(const struct pass *pass, size_t i)
{
    const ins_head_words *words = pass->loss->rows->words;
    size_t number = row_number(pass->part, pass->first + i);
    uint64_t start = words->starts[number];
    uint32_t count = (uint32_t) (words->starts[number + 1] - start);

    return (ins_word_table_sum){.words = words->words + start,
                                .count = count,
                                .share =
                                    words->scale * ins_word_table_share(count),
                                .labels = pass->loss->rows->labels};
}

static ins_status
add_words(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;

    if (loss->rows->words == NULL)
        return INS_OK;
    for (size_t i = 0; i < pass->count; i++) {
        ins_word_table_sum sum = words_of(pass, i);

        INS_TRY(ins_word_table_add(&sum, pass->weights + pass->places.words,
                                   loss->logits + i * loss->rows->labels,
                                   loss->host, pass->error));
    }
    return INS_OK;
}

static ins_status
run_forward(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;
    const ins_head_places *places = &pass->places;
    ins_product dense = {.a = loss->features,
                         .b = pass->weights + places->dense,
                         .c = loss->hidden,
                         .rows = pass->count,
                         .columns = loss->units,
                         .depth = loss->rows->columns};
    ins_product out = {.a = loss->features,
                       .b = pass->weights,
                       .c = loss->logits,
                       .rows = pass->count,
                       .columns = loss->rows->labels,
                       .depth = places->width};

    gather_rows(pass);
    if (loss->units > 0) {
        INS_TRY(ins_head_apply_layer(loss->host, &dense,
                                     pass->weights + places->dense_bias,
                                     pass->error));
        loss->kernels->activate(INS_ACTIVATION_TANH, loss->hidden,
                                pass->count * loss->units);
        out.a = loss->hidden;
    }
    INS_TRY(ins_head_apply_layer(
        loss->host, &out, pass->weights + places->out_bias, pass->error));
    return add_words(pass);
}

/* ---- loss of a row ------------------------------------------------------- */

/*
 * Logits become probabilities less targets.  Since the highest logit's
 * probability p is 1 / sum of e^(logit - highest), the loss is highest - logit
 * - log p, which holds where the target's own probability is too small for a
 * float.
 */
static void
lose_softmax(const ins_head_loss *loss, uint32_t target, float *row,
             ins_head_measure *measure)
{
    uint32_t labels = loss->rows->labels;
    uint32_t highest = ins_best_label(row, labels);
    double distance = (double) row[highest] - (double) row[target];

    loss->kernels->softmax(row, labels);
    measure->loss = distance - log((double) row[highest]);
    measure->accuracy = highest == target;
    row[target] -= 1;
}

static void
lose_sigmoid(const ins_head_loss *loss, const uint8_t *marks, float *row,
             ins_head_measure *measure)
{
    uint32_t labels = loss->rows->labels;
    double sum = 0;
    uint32_t right = 0;

    /* -log sigmoid(z) = max(-z, 0) - log sigmoid(|z|) */
    for (uint32_t i = 0; i < labels; i++) {
        float distance = marks[i] != 0 ? -row[i] : row[i];

        sum += distance > 0 ? (double) distance : 0;
        right += (row[i] > 0) == (marks[i] != 0);
    }
    loss->kernels->sigmoid(row, labels);
    for (uint32_t i = 0; i < labels; i++) {
        float sure = row[i] >= 0.5f ? row[i] : 1 - row[i];

        sum -= log((double) sure);
        row[i] -= marks[i] != 0;
    }
    measure->loss = sum;
    measure->accuracy = (double) right / labels;
}

/* Adds up the block's losses; logits become the gradient by them. */
static void
lose_rows(const struct pass *pass, ins_head_measure *measure)
{
    const ins_head_loss *loss = pass->loss;
    const ins_head_rows *rows = loss->rows;
    float *row = loss->logits;

    for (size_t i = 0; i < pass->count; i++, row += rows->labels) {
        size_t number = row_number(pass->part, pass->first + i);
        double weight = row_weight(rows, number);
        ins_head_measure of_row = {0};

        if (rows->marks != NULL)
            lose_sigmoid(loss, rows->marks + number * rows->labels, row,
                         &of_row);
        else
            lose_softmax(loss, rows->targets[number], row, &of_row);
        measure->loss += weight * of_row.loss;
        measure->squares += weight * of_row.loss * of_row.loss;
        measure->accuracy += weight * of_row.accuracy;
        measure->weight += weight;
        for (uint32_t j = 0; j < rows->labels; j++)
            row[j] *= (float) (weight / loss->weight_sum);
    }
}

/* ---- backward ------------------------------------------------------------ */

/* Adds rows^T . inputs and the sums of rows to the gradient of a layer. */
static ins_status
add_layer_gradient(const struct pass *pass, const ins_product *layer,
                   float *bias)
{
    ins_product product = *layer;

    product.depth = pass->count;
    product.a_stride = product.rows;
    product.a_transposed = true;
    product.b_stride = product.columns;
    product.c_stride = product.columns;
    product.alpha = 1;
    product.beta = 1;
    pass->loss->kernels->add_rows(bias, product.a, pass->count, product.rows);
    if (product.columns == 0)
        return INS_OK;
    return ins_blas_run(pass->loss->host, &product, pass->error);
}

/* The way back of add_words: every word of a row has the row's gradient. */
static ins_status
add_words_gradient(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;

    if (loss->rows->words == NULL)
        return INS_OK;
    for (size_t i = 0; i < pass->count; i++) {
        ins_word_table_sum sum = words_of(pass, i);

        INS_TRY(ins_word_table_spread(
            &sum, loss->logits + i * loss->rows->labels,
            pass->gradient + pass->places.words, loss->host, pass->error));
    }
    return INS_OK;
}

static ins_status
run_hidden_backward(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;
    size_t values = pass->count * loss->units;
    ins_product product = {.a = loss->logits,
                           .b = pass->weights,
                           .c = loss->hidden_gradient,
                           .a_stride = loss->rows->labels,
                           .b_stride = loss->units,
                           .c_stride = loss->units,
                           .rows = pass->count,
                           .columns = loss->units,
                           .depth = loss->rows->labels,
                           .alpha = 1};

    INS_TRY(ins_blas_run(loss->host, &product, pass->error));
    for (size_t i = 0; i < values; i++)
        loss->hidden_gradient[i] *= 1 - loss->hidden[i] * loss->hidden[i];
    return INS_OK;
}

static ins_status
run_backward(const struct pass *pass)
{
    const ins_head_loss *loss = pass->loss;
    const ins_head_places *places = &pass->places;
    float *gradient = pass->gradient;
    ins_product out = {.a = loss->logits,
                       .b = loss->units > 0 ? loss->hidden : loss->features,
                       .c = gradient,
                       .rows = loss->rows->labels,
                       .columns = places->width};
    ins_product dense = {.a = loss->hidden_gradient,
                         .b = loss->features,
                         .c = gradient + places->dense,
                         .rows = loss->units,
                         .columns = loss->rows->columns};

    INS_TRY(add_layer_gradient(pass, &out, gradient + places->out_bias));
    INS_TRY(add_words_gradient(pass));
    if (loss->units == 0)
        return INS_OK;
    INS_TRY(run_hidden_backward(pass));
    return add_layer_gradient(pass, &dense, gradient + places->dense_bias);
}

/* ---- all rows ------------------------------------------------------------ */

static ins_status
run_rows(struct pass *pass, ins_head_measure *measure)
{
    ins_head_loss *loss = pass->loss;

    for (pass->first = 0; pass->first < pass->part->count;
         pass->first += pass->count) {
        pass->count =
            (size_t) ins_smaller(loss->block, pass->part->count - pass->first);
        INS_TRY(run_forward(pass));
        lose_rows(pass, measure);
        INS_TRY(ins_poll(loss->host, pass->error));
        if (pass->gradient != NULL)
            INS_TRY(run_backward(pass));
    }
    return INS_OK;
}

/* Adds the penalty of some weights to their gradient; *square: grows by their
 * squares. */
static ins_status
penalise(const struct pass *pass, uint64_t start, uint64_t end, double *square)
{
    float l2 = (float) pass->loss->l2;

    while (start < end) {
        uint64_t stop = start + ins_smaller(end - start, VALUES_PER_POLL);

        INS_TRY(ins_poll(pass->loss->host, pass->error));
        for (; start < stop; start++) {
            float weight = pass->weights[start];

            *square += (double) weight * (double) weight;
            pass->gradient[start] += l2 * weight;
        }
    }
    return INS_OK;
}

static ins_status
clear_gradient(const struct pass *pass, ins_error *error)
{
    for (uint64_t i = 0; i < pass->places.count; i += VALUES_PER_POLL) {
        uint64_t count = ins_smaller(pass->places.count - i, VALUES_PER_POLL);

        INS_TRY(ins_poll(pass->loss->host, error));
        memset(pass->gradient + i, 0, (size_t) count * sizeof(float));
    }
    return INS_OK;
}

ins_status
ins_head_loss_evaluate(void *user, const float *weights, float *gradient,
                       double *value, ins_error *error)
{
    ins_head_loss *loss = user;
    ins_head_measure measure = {0};
    double square = 0;
    struct pass pass = {
        .loss = loss,
        .part = &loss->part,
        .places = ins_head_find_places(loss->rows, loss->units),
        .weights = weights,
        .gradient = gradient,
        .error = error,
    };

    INS_TRY(clear_gradient(&pass, error));
    INS_TRY(run_rows(&pass, &measure));
    INS_TRY(penalise(&pass, 0, pass.places.out_bias, &square));
    INS_TRY(
        penalise(&pass, pass.places.dense, pass.places.dense_bias, &square));
    INS_TRY(penalise(&pass, pass.places.words, pass.places.count, &square));
    *value = measure.loss / loss->weight_sum + loss->l2 / 2 * square;
    return INS_OK;
}

ins_status
ins_head_loss_measure(ins_head_loss *loss, const float *weights,
                      const ins_head_part *part, ins_head_measure *measure,
                      ins_error *error)
{
    struct pass pass = {
        .loss = loss,
        .part = part,
        .places = ins_head_find_places(loss->rows, loss->units),
        .weights = weights,
        .error = error,
    };

    return run_rows(&pass, measure);
}
