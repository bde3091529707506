/*
 * path.c - integrated gradients along the line from a text of [PAD] to a text.
 *
 * The line is cut into intervals.  Gauss and Legendre's rule with eight points
 * gives the integral over one, and the scores at its two ends say how wrong it
 * is: an interval that misses their difference by more than its share of the
 * tolerance is halved, one that does not is followed by one of twice its size,
 * if that is part of the grid.  So most points lie where the score is steep.
 *
 * What a head reads of words comes in along the line in equal parts, as the
 * words do; of two pieces that are one word, each has half.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

#include "gradient/network.h"
#include "kernels/kernels.h"
#include "pack/pack_shape.h"
#include "pack/word_table.h"

#define NODES         8
#define POINTS        (NODES + 1) /* and the end of the interval */
#define PASS_TOKENS   1024
#define FIRST_WIDTH   0.5 /* 16 points at least */
#define LEAST_WIDTH   (1.0 / 1024)
#define MAX_INTERVALS 128 /* tried; then they are taken as they are */
/* What the contributions may miss of the difference of scores: the larger. */
#define RELATIVE_TOLERANCE 0.01
#define ABSOLUTE_TOLERANCE 0.0005
#define LEAST_SHARE        0.125
#define VALUES_PER_POLL    ((uint64_t) 1 << 22)
/* Scores are floats: no interval need be better. */
#define ROUNDING 2e-6

/* On [0, 1]; the weights add up to 1. */
static const struct {
    double place;
    double weight;
} rule[POINTS] = {
    {0.01985507175123188, 0.05061426814518813},
    {0.10166676129318663, 0.11119051722668724},
    {0.23723379504183550, 0.15685332293894364},
    {0.40828267875217510, 0.18134189168918100},
    {0.59171732124782490, 0.18134189168918100},
    {0.76276620495816450, 0.15685332293894364},
    {0.89833323870681337, 0.11119051722668724},
    {0.98014492824876812, 0.05061426814518813},
    {1.0, 0.0},
};

struct integral {
    ins_path *path;
    const ins_kernels *kernels;
    ins_network *network;
    const float *table; /* word embeddings, [vocabulary][hidden] */
    uint32_t hidden;
    uint32_t labels;
    uint32_t capacity;               /* texts of one pass */
    ins_arena arena;                 /* holds everything below */
    int32_t *ids;                    /* [capacity][count], of the text */
    uint32_t *starts;                /* [capacity + 1] */
    float *words;                    /* [capacity][count][hidden] */
    float *scores;                   /* [labels] */
    float *slopes;                   /* [capacity][labels] */
    const ins_parameter *word_table; /* or NULL: the head reads no words */
    ins_word_table_sum word_sum;
    uint32_t *word_rows; /* [ins_word_table_count(count)] */
    float *word_logits;  /* [labels]: of all words */
    double *interval;    /* [count]: of the interval at hand */
    double *sums;        /* [count]: of those before it */
    const ins_host *host;
    ins_error *error;
};

/* ---- one pass ------------------------------------------------------------ */

static const float *
word_row(const struct integral *integral, uint32_t id)
{
    return integral->table + (size_t) id * integral->hidden;
}

static bool
is_fixed(const struct integral *integral, uint32_t token)
{
    return token == 0 || token + 1 == integral->path->count;
}

/* The words of the text at a place of the line, 0 to 1. */
static void
place_words(const struct integral *integral, double place, float *words)
{
    const ins_path *path = integral->path;
    const float *pad = word_row(integral, path->pad_id);
    uint32_t hidden = integral->hidden;

    for (uint32_t token = 0; token < path->count; token++, words += hidden) {
        const float *row =
            word_row(integral, (uint32_t) path->tokens[token].id);

        if (is_fixed(integral, token)) {
            memcpy(words, row, hidden * sizeof(float));
            continue;
        }
        for (uint32_t i = 0; i < hidden; i++)
            words[i] = (float) ((1.0 - place) * (double) pad[i] +
                                place * (double) row[i]);
    }
}

/* *score: of the label, at a place of the line.  slopes: its derivative by the
 * logits, [labels]. */
static ins_status
score_logits(struct integral *integral, const float *logits, double place,
             float *score, float *slopes)
{
    const ins_path *path = integral->path;
    const ins_pack_recipe *recipe = &path->parameters->recipe;
    uint32_t labels = integral->labels;
    float *scores = integral->scores;
    bool independent = (recipe->flags & INS_RECIPE_MULTI_LABEL) != 0;
    float chosen;

    memcpy(scores, logits, labels * sizeof(float));
    for (uint32_t i = 0; i < labels && integral->word_table != NULL; i++)
        scores[i] += (float) place * integral->word_logits[i];
    if (independent)
        integral->kernels->sigmoid(scores, labels);
    else
        integral->kernels->softmax(scores, labels);
    chosen = scores[path->label];
    INS_CHECK(isfinite(chosen), integral->error, INS_INTERNAL,
              "the model gave a score that is not a number");
    for (uint32_t i = 0; i < labels; i++)
        slopes[i] = independent ? 0.0f : -chosen * scores[i];
    slopes[path->label] = chosen * (1.0f - chosen);
    *score = chosen;
    return INS_OK;
}

/* The scores at count places; integral->slopes are theirs. */
static ins_status
run_forward(struct integral *integral, const double *places, uint32_t count,
            float *scores)
{
    uint32_t tokens = integral->path->count;
    ins_batch batch = {integral->ids, integral->starts, count, count * tokens};
    size_t row = (size_t) tokens * integral->hidden;
    const float *logits;

    for (uint32_t i = 0; i < count; i++)
        place_words(integral, places[i], integral->words + i * row);
    /* Training: kept for the way back.  There is no dropout. */
    INS_TRY(ins_network_forward(integral->network, &batch, integral->words,
                                true, &logits, integral->error));
    for (uint32_t i = 0; i < count; i++)
        INS_TRY(score_logits(integral, logits + i * integral->labels, places[i],
                             &scores[i],
                             integral->slopes + i * integral->labels));
    return INS_OK;
}

/* What a gradient by a word's row adds along its part of the line. */
static double
multiply_rows(const struct integral *integral, uint32_t token,
              const float *gradient)
{
    const ins_path *path = integral->path;
    const float *row = word_row(integral, (uint32_t) path->tokens[token].id);
    const float *pad = word_row(integral, path->pad_id);
    double sum = 0;

    for (uint32_t i = 0; i < integral->hidden; i++)
        sum += ((double) row[i] - (double) pad[i]) * (double) gradient[i];
    return sum;
}

/* What a word adds along the line where the score has these slopes. */
static double
multiply_word(const struct integral *integral, uint32_t word,
              const float *slopes)
{
    const float *row = integral->word_table->values +
                       (size_t) integral->word_rows[word] * integral->labels;
    double sum = 0;

    for (uint32_t i = 0; i < integral->labels; i++)
        sum += (double) row[i] * (double) slopes[i];
    return (double) integral->word_sum.share * sum;
}

/* Adds weight times what the words give.  They are: each piece, and between two
 * pieces both of them. */
static ins_status
add_words(struct integral *integral, double weight, const float *slopes)
{
    uint64_t work = 0;

    for (uint32_t i = 0; i < integral->word_sum.count; i++) {
        double value = weight * multiply_word(integral, i, slopes);
        uint32_t token = 1 + i / 2;

        if (i % 2 == 0) {
            integral->interval[token] += value;
        } else {
            integral->interval[token] += value / 2;
            integral->interval[token + 1] += value / 2;
        }
        work += integral->labels;
        if (work >= VALUES_PER_POLL) {
            work = 0;
            INS_TRY(ins_poll(integral->host, integral->error));
        }
    }
    return INS_OK;
}

/* Adds weights[i] times what the way back gives for text i of the pass. */
static ins_status
run_backward(struct integral *integral, const double *weights, uint32_t count)
{
    uint32_t tokens = integral->path->count;
    const float *gradient;

    INS_TRY(ins_network_backward(integral->network, integral->slopes, NULL,
                                 &gradient, integral->error));
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t token = 0; token < tokens; token++) {
            if (!is_fixed(integral, token))
                integral->interval[token] +=
                    weights[i] * multiply_rows(integral, token, gradient);
            gradient += integral->hidden;
        }
    for (uint32_t i = 0; i < count; i++)
        INS_TRY(add_words(integral, weights[i],
                          integral->slopes + i * integral->labels));
    return INS_OK;
}

/* ---- intervals ----------------------------------------------------------- */

/* Fills integral->interval; *end_score: at the end of the interval. */
static ins_status
run_interval(struct integral *integral, double begin, double width,
             float *end_score)
{
    double places[POINTS];
    double weights[POINTS];
    float scores[POINTS];

    for (uint32_t i = 0; i < POINTS; i++) {
        places[i] = begin + width * rule[i].place;
        weights[i] = width * rule[i].weight;
    }
    memset(integral->interval, 0, integral->path->count * sizeof(double));
    for (uint32_t first = 0; first < POINTS; first += integral->capacity) {
        uint32_t count = POINTS - first < integral->capacity
                             ? POINTS - first
                             : integral->capacity;

        INS_TRY(run_forward(integral, places + first, count, scores + first));
        INS_TRY(run_backward(integral, weights + first, count));
    }
    *end_score = scores[NODES];
    return INS_OK;
}

static double
sum_of(const double *values, uint32_t count)
{
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static double
tolerance_of(const ins_path *path)
{
    double share = RELATIVE_TOLERANCE *
                   fabs((double) path->score - (double) path->baseline);

    return share > ABSOLUTE_TOLERANCE ? share : ABSOLUTE_TOLERANCE;
}

/* May the interval behind place be twice as wide?  Places are multiples of
 * powers of two, hence exact. */
static bool
fits_grid(double place, double width)
{
    return width <= FIRST_WIDTH &&
           (double) (uint64_t) (place / width) == place / width;
}

/*
 * What an interval may miss: its part of what is left of the tolerance, or an
 * eighth of that, so that a jump need not be cut into dust.
 */
static double
share_of(double left, double place, double width)
{
    double part = width / (1 - place);

    return left * (part > LEAST_SHARE ? part : LEAST_SHARE);
}

static ins_status
walk_line(struct integral *integral)
{
    const ins_path *path = integral->path;
    double allowed = tolerance_of(path);
    double missed = 0; /* by the intervals before place */
    double place = 0;
    double width = FIRST_WIDTH;
    float begin_score = path->baseline;

    for (uint32_t tries = 0; place < 1; tries++) {
        bool is_last_resort = width <= LEAST_WIDTH || tries >= MAX_INTERVALS;
        double misses;
        float end_score;

        INS_TRY(run_interval(integral, place, width, &end_score));
        misses = sum_of(integral->interval, path->count) -
                 ((double) end_score - (double) begin_score);
        if (!is_last_resort && fabs(misses) > ROUNDING &&
            fabs(misses) > share_of(allowed - fabs(missed), place, width)) {
            width /= 2;
            continue;
        }
        for (uint32_t i = 0; i < path->count; i++)
            integral->sums[i] += integral->interval[i];
        missed += misses;
        place += width;
        begin_score = end_score;
        if (fits_grid(place, width * 2))
            width *= 2;
    }
    return INS_OK;
}

static ins_status
check_sum(const struct integral *integral)
{
    const ins_path *path = integral->path;
    double missed = fabs(sum_of(integral->sums, path->count) -
                         ((double) path->score - (double) path->baseline));

    if (missed <= tolerance_of(path))
        return INS_OK;
    ins_fail(integral->error, INS_INTERNAL,
             "the contributions of the words do not add up to the score");
    ins_fail_detail(integral->error,
                    "The score jumps too often between a text of [PAD] and "
                    "this text.");
    ins_fail_hint(integral->error,
                  "Explain a shorter text, or use a model whose scores are "
                  "less extreme.");
    return INS_INTERNAL;
}

/* What all words add to the logits. */
static ins_status
read_words(struct integral *integral)
{
    const ins_path *path = integral->path;
    ins_word_table_sum *sum = &integral->word_sum;

    if (integral->word_table == NULL)
        return INS_OK;
    sum->words = integral->word_rows;
    sum->count = ins_word_table_count(path->count);
    sum->share = ins_word_table_share(sum->count);
    sum->labels = integral->labels;
    ins_word_table_find(integral->ids, path->count, integral->word_table->rows,
                        integral->word_rows);
    memset(integral->word_logits, 0, integral->labels * sizeof(float));
    return ins_word_table_add(sum, integral->word_table->values,
                              integral->word_logits, integral->host,
                              integral->error);
}

static ins_status
integrate(struct integral *integral)
{
    static const double ends[] = {0, 1};
    ins_path *path = integral->path;
    float scores[2];

    INS_TRY(read_words(integral));
    for (uint32_t i = 0; i < 2; i++)
        INS_TRY(run_forward(integral, &ends[i], 1, &scores[i]));
    path->baseline = scores[0];
    path->score = scores[1];
    /* Nothing between [CLS] and [SEP]. */
    if (path->count <= 2)
        return INS_OK;
    INS_TRY(walk_line(integral));
    INS_TRY(check_sum(integral));
    for (uint32_t i = 0; i < path->count; i++)
        path->values[i] = (float) integral->sums[i];
    return INS_OK;
}

/* ---- opening ------------------------------------------------------------- */

/* Runs over the same list twice: to reserve, then to take. */
static ins_status
open_arena(struct integral *integral, const ins_host *host)
{
    ins_arena *arena = &integral->arena;
    uint64_t count = integral->path->count;
    uint64_t capacity = integral->capacity;
    uint64_t words = capacity * count * integral->hidden;
    uint64_t slopes = capacity * integral->labels;
    const bool reads_words = integral->word_table != NULL;
    uint64_t word_rows =
        reads_words ? ins_word_table_count((uint32_t) count) : 0;
    uint64_t word_logits = reads_words ? integral->labels : 0;

    ins_arena_reserve(arena, capacity * count, sizeof(int32_t));
    ins_arena_reserve(arena, capacity + 1, sizeof(uint32_t));
    ins_arena_reserve(arena, words, sizeof(float));
    ins_arena_reserve(arena, integral->labels, sizeof(float));
    ins_arena_reserve(arena, slopes, sizeof(float));
    ins_arena_reserve(arena, word_rows, sizeof(uint32_t));
    ins_arena_reserve(arena, word_logits, sizeof(float));
    ins_arena_reserve(arena, count, sizeof(double));
    ins_arena_reserve(arena, count, sizeof(double));
    INS_TRY(ins_arena_open(arena, host, integral->error));
    integral->ids = ins_arena_take(arena, capacity * count, sizeof(int32_t));
    integral->starts = ins_arena_take(arena, capacity + 1, sizeof(uint32_t));
    integral->words = ins_arena_take(arena, words, sizeof(float));
    integral->scores = ins_arena_take(arena, integral->labels, sizeof(float));
    integral->slopes = ins_arena_take(arena, slopes, sizeof(float));
    integral->word_rows = ins_arena_take(arena, word_rows, sizeof(uint32_t));
    integral->word_logits = ins_arena_take(arena, word_logits, sizeof(float));
    integral->interval = ins_arena_take(arena, count, sizeof(double));
    integral->sums = ins_arena_take(arena, count, sizeof(double));
    return INS_OK;
}

static void
fill_batch(struct integral *integral)
{
    const ins_path *path = integral->path;

    for (uint32_t i = 0; i < integral->capacity; i++)
        for (uint32_t token = 0; token < path->count; token++)
            integral->ids[i * path->count + token] = path->tokens[token].id;
    for (uint32_t i = 0; i <= integral->capacity; i++)
        integral->starts[i] = i * path->count;
    memset(integral->sums, 0, path->count * sizeof(double));
    memset(path->values, 0, path->count * sizeof(float));
}

static ins_status
open_integral(struct integral *integral, const ins_host *host)
{
    const ins_path *path = integral->path;
    uint32_t capacity = PASS_TOKENS / path->count;
    ins_network_options options = {.max_tokens = path->count,
                                   .input_gradient = true};

    integral->capacity = capacity == 0       ? 1
                         : capacity > POINTS ? POINTS
                                             : capacity;
    options.batch_texts = integral->capacity;
    options.batch_tokens = integral->capacity * path->count;
    INS_TRY(ins_kernels_select(NULL, &integral->kernels, integral->error));
    INS_TRY(open_arena(integral, host));
    fill_batch(integral);
    return ins_network_open(&integral->network, path->parameters, &options,
                            host, integral->error);
}

ins_status
ins_path_run(ins_path *path, const ins_host *host, ins_error *error)
{
    const ins_pack_recipe *recipe = &path->parameters->recipe;
    struct integral integral = {
        .path = path,
        .table =
            ins_parameters_find(path->parameters, INS_ROLE_WORDS, 0)->values,
        .word_table =
            ins_parameters_find(path->parameters, INS_ROLE_HEAD_WORDS, 0),
        .hidden = recipe->hidden,
        .labels = recipe->labels,
        .host = host,
        .error = error,
    };
    ins_status status = open_integral(&integral, host);

    if (status == INS_OK)
        status = integrate(&integral);
    ins_network_close(integral.network);
    ins_arena_close(&integral.arena, host);
    return status;
}
