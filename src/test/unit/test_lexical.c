/*
 * test_lexical.c - the lexical part of embeddings: what it says of two texts,
 * and that everything else stays as it is without.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pack/pack_shape.h"
#include "tasks/task.h"
#include "tiny_model.h"

/* ---- the part alone ------------------------------------------------------ */

#define PIECES 400
#define SIZE   1024
#define TOKENS 8

static float weights[PIECES];
static ins_pack_recipe recipe = {
    .hidden = 2,
    .vocabulary = PIECES,
    .lexical = SIZE,
    .lexical_saturation = 2,
    .lexical_document = 0.5f,
    .lexical_query = 3,
};
/* A view of one tensor, the weights. */
static ins_pack_tensor tensor = {
    .role = INS_ROLE_LEXICAL,
    .type = INS_TENSOR_F32_ROWS,
    .rows = 1,
    .columns = PIECES,
    .bytes = sizeof(weights),
};
static ins_pack_view view = {
    .recipe = &recipe,
    .bytes = (const uint8_t *) weights,
    .size = sizeof(weights),
    .tensors = &tensor,
    .tensor_count = 1,
};

static void
sketch(const int32_t *ids, uint32_t tokens, bool is_query, float row[SIZE])
{
    uint32_t order[TOKENS];
    tiny_host host;
    ins_error error;

    tiny_host_open(&host);
    for (int i = 0; i < PIECES; i++)
        weights[i] = i < 5 ? 0 : 1 + (float) (i % 10);
    assert_true(tokens <= TOKENS);
    assert_int_equal(ins_task_lexical(&(ins_task_input){.view = &view,
                                                        .host = &host.host,
                                                        .ids = ids,
                                                        .tokens = tokens,
                                                        .is_query = is_query,
                                                        .order = order},
                                      row, &error),
                     INS_OK);
}

static double
dot(const float *a, const float *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double) a[i] * (double) b[i];
    return sum;
}

static void
test_lengths(void **state)
{
    const int32_t ids[] = {2, 17, 90, 3};
    const int32_t nothing[] = {2, 3};
    float row[SIZE];

    (void) state;
    sketch(ids, 4, false, row);
    assert_true(fabs(dot(row, row, SIZE) - 0.25) < 1e-5);
    sketch(ids, 4, true, row);
    assert_true(fabs(dot(row, row, SIZE) - 9) < 1e-4);
    sketch(nothing, 2, false, row);
    for (int i = 0; i < SIZE; i++)
        assert_true(row[i] == 0);
}

/* Equal bags of pieces have equal bits, other ones other bits. */
static void
test_order_of_pieces(void **state)
{
    const int32_t one[] = {2, 300, 17, 90, 17, 3};
    const int32_t two[] = {2, 17, 17, 90, 300, 3};
    const int32_t three[] = {2, 17, 90, 90, 300, 3};
    float rows[3][SIZE];

    (void) state;
    sketch(one, 6, false, rows[0]);
    sketch(two, 6, false, rows[1]);
    sketch(three, 6, false, rows[2]);
    assert_memory_equal(rows[0], rows[1], sizeof(rows[0]));
    assert_memory_not_equal(rows[0], rows[2], sizeof(rows[0]));
}

/* The cosine of the weights, 1 + id % 10, times n / (n + 2). */
static void
test_cosines(void **state)
{
    static const struct {
        int32_t one[TOKENS], two[TOKENS];
        uint32_t count_one, count_two;
        double expected;
    } cases[] = {
        {{11, 29}, {29, 11}, 2, 2, 1},
        {{11, 29}, {50, 77}, 2, 2, 0},
        /* Weights 2 and 10, all times 1/3. */
        {{11, 29}, {11}, 2, 1, 2 / 10.19804},
        {{11, 29}, {29}, 2, 1, 10 / 10.19804},
        /* One and three of a piece: 1/3 and 3/5 of the weight 6. */
        {{15, 15, 15, 25}, {15, 25}, 4, 2, 11.2 / 11.64818},
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float one[SIZE], two[SIZE];
        double cosine;

        sketch(cases[i].one, cases[i].count_one, false, one);
        sketch(cases[i].two, cases[i].count_two, false, two);
        cosine = dot(one, two, SIZE) /
                 sqrt(dot(one, one, SIZE) * dot(two, two, SIZE));
        /* Three deviations of a sum of random signs. */
        assert_true(fabs(cosine - cases[i].expected) < 3 / sqrt(SIZE));
    }
}

/* Any two pieces: the deviation is that of random signs, and there is no pair
 * that stands out. */
static void
test_pieces_are_apart(void **state)
{
    static float rows[PIECES][SIZE];
    double squares = 0, largest = 0;
    int pairs = 0;

    (void) state;
    for (int32_t id = 5; id < PIECES; id++)
        sketch(&id, 1, false, rows[id]);
    for (int i = 5; i < PIECES; i++) {
        for (int k = 5; k < i; k++) {
            double cosine = dot(rows[i], rows[k], SIZE) / 0.25;

            squares += cosine * cosine;
            largest = fmax(largest, fabs(cosine));
            pairs++;
        }
    }
    assert_true(fabs(squares / pairs * SIZE - 1) < 0.05);
    assert_true(largest < 5.5 / sqrt(SIZE));
}

static void
test_cancel(void **state)
{
    const int32_t ids[] = {11, 29, 50};
    uint32_t order[TOKENS];
    static float row[INS_MAX_LEXICAL];
    tiny_host host;
    ins_error error;
    ins_task_input input = {.view = &view,
                            .host = &host.host,
                            .ids = ids,
                            .tokens = 3,
                            .order = order};
    static int32_t many[INS_MAX_POSITIONS];
    static uint32_t many_order[INS_MAX_POSITIONS];

    (void) state;
    tiny_host_open(&host);
    assert_int_equal(ins_task_lexical(&input, row, &error), INS_OK);
    for (int i = 0; i < INS_MAX_POSITIONS; i++)
        many[i] = 5 + i % (PIECES - 5);
    input.ids = many;
    input.order = many_order;
    input.tokens = INS_MAX_POSITIONS;
    recipe.lexical = INS_MAX_LEXICAL;
    host.polls = 0;
    assert_int_equal(ins_task_lexical(&input, row, &error), INS_OK);
    assert_true(host.polls > 30);
    host.cancel_at = host.polls + 20;
    assert_int_equal(ins_task_lexical(&input, row, &error), INS_CANCELLED);
    recipe.lexical = SIZE;
}

/* ---- a model with the part ----------------------------------------------- */

#define HIDDEN 32
#define WHOLE  (HIDDEN + TINY_LEXICAL_SIZE)
#define TEXTS  4

static const ins_text texts[TEXTS] = {
    {"where is my order", 17},
    {"the refund was charged twice, the delivery is hello", 51},
    {"", 0},
    {"my refund!", 10},
};

struct fixture {
    tiny_host host;
    void *pack;
    ins_model *model;
    ins_error error;
};

static void
open_fixture(struct fixture *f, unsigned flags)
{
    tiny_model files;
    size_t size;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, TINY_CLASSIFIER | TINY_SENTENCE | flags);
    assert_int_equal(
        tiny_import(&files, &f->host.host, &f->pack, &size, &f->error), INS_OK);
    tiny_close(&files);
    assert_int_equal(ins_pack_check(f->pack, size, &f->host.host, &f->error),
                     INS_OK);
    assert_int_equal(
        ins_model_open(&f->model, f->pack, size, &f->host.host, &f->error),
        INS_OK);
}

static void
close_fixture(struct fixture *f)
{
    ins_model_close(f->model);
    f->host.host.release(&f->host, f->pack);
    assert_int_equal(f->host.live_blocks, 0);
}

static void
run(struct fixture *f, ins_task task, size_t at_once, size_t stride,
    float *rows)
{
    ins_session *session;

    assert_int_equal(
        ins_session_open(&session, f->model, NULL, &f->host.host, &f->error),
        INS_OK);
    for (size_t i = 0; i < TEXTS; i += at_once)
        assert_int_equal(ins_run(session, task, texts + i, at_once,
                                 rows + i * stride, stride, &f->error),
                         INS_OK);
    ins_session_close(session);
}

static void
test_description(void **state)
{
    struct fixture with, without;
    const ins_model_info *info;

    (void) state;
    open_fixture(&with, TINY_LEXICAL);
    info = ins_model_describe(with.model);
    assert_int_equal(info->embedding_size, WHOLE);
    assert_int_equal(info->lexical_size, TINY_LEXICAL_SIZE);
    assert_int_equal(info->hidden_size, HIDDEN);
    close_fixture(&with);
    open_fixture(&without, 0);
    info = ins_model_describe(without.model);
    assert_int_equal(info->embedding_size, HIDDEN);
    assert_int_equal(info->lexical_size, 0);
    close_fixture(&without);
}

/* Labels and what heads read do not change; an embedding begins with the other
 * one's direction; all have length 1. */
static void
test_beside_the_same_model_without(void **state)
{
    struct fixture with, without;
    float scores[2][TEXTS][3], features[2][TEXTS][HIDDEN];
    float plain[TEXTS][HIDDEN], whole[2][TEXTS][WHOLE];

    (void) state;
    open_fixture(&with, TINY_LEXICAL);
    open_fixture(&without, 0);
    run(&with, INS_TASK_CLASSIFY, TEXTS, 3, scores[0][0]);
    run(&without, INS_TASK_CLASSIFY, TEXTS, 3, scores[1][0]);
    assert_memory_equal(scores[0], scores[1], sizeof(scores[0]));
    run(&with, INS_TASK_FEATURES, TEXTS, HIDDEN, features[0][0]);
    run(&without, INS_TASK_FEATURES, TEXTS, HIDDEN, features[1][0]);
    assert_memory_equal(features[0], features[1], sizeof(features[0]));
    run(&without, INS_TASK_EMBED, TEXTS, HIDDEN, plain[0]);
    assert_memory_equal(features[0], plain, sizeof(plain));
    run(&with, INS_TASK_EMBED, TEXTS, WHOLE, whole[0][0]);
    run(&with, INS_TASK_EMBED, 1, WHOLE, whole[1][0]);
    assert_memory_equal(whole[0], whole[1], sizeof(whole[0]));
    for (int i = 0; i < TEXTS; i++) {
        /* 0.5 beside 1; the empty text has no piece with a weight. */
        double length = texts[i].size > 0 ? sqrt(1.25) : 1;

        assert_true(fabs(dot(whole[0][i], whole[0][i], WHOLE) - 1) < 1e-5);
        for (int k = 0; k < HIDDEN; k++)
            assert_true(fabs((double) plain[i][k] -
                             (double) whole[0][i][k] * length) < 1e-6);
    }
    close_fixture(&with);
    close_fixture(&without);
}

/* A query has the part longer: here with a prompt, so only lengths compare. */
static void
test_query(void **state)
{
    struct fixture with;
    float rows[TEXTS][WHOLE];

    (void) state;
    open_fixture(&with, TINY_LEXICAL);
    run(&with, INS_TASK_EMBED_QUERY, TEXTS, WHOLE, rows[0]);
    for (int i = 0; i < 2; i++) {
        assert_true(fabs(dot(rows[i], rows[i], HIDDEN) - 0.2) < 1e-5);
        assert_true(
            fabs(dot(rows[i] + HIDDEN, rows[i] + HIDDEN, TINY_LEXICAL_SIZE) -
                 0.8) < 1e-5);
    }
    close_fixture(&with);
}

/* ---- importing ----------------------------------------------------------- */

static ins_status
import_with(unsigned flags, int lexical, int normalize, ins_error *error,
            uint32_t *size)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    tiny_model files;
    tiny_host host;
    size_t bytes;
    void *pack;
    ins_status status;

    options.lexical = lexical;
    options.normalize = normalize;
    tiny_host_open(&host);
    tiny_open(&files, flags);
    status = ins_import(files.files, files.count, &options, &host.host, &pack,
                        &bytes, error);
    tiny_close(&files);
    if (status == INS_OK) {
        ins_pack_view found;

        assert_int_equal(ins_pack_read(&found, pack, bytes, error), INS_OK);
        *size = found.recipe->lexical;
        for (uint32_t i = 0; *size > 0 && i < found.recipe->vocabulary; i++)
            assert_true(ins_pack_f32(&found, INS_ROLE_LEXICAL, 0)[i] ==
                        TINY_LEXICAL_WEIGHT(i));
    }
    host.host.release(&host, pack);
    assert_int_equal(host.live_blocks, 0);
    return status;
}

static void
test_options(void **state)
{
    const unsigned with = TINY_SENTENCE | TINY_LEXICAL;
    ins_error error;
    uint32_t size;

    (void) state;
    assert_int_equal(import_with(with, -1, -1, &error, &size), INS_OK);
    assert_int_equal(size, TINY_LEXICAL_SIZE);
    assert_int_equal(import_with(with, 1, -1, &error, &size), INS_OK);
    assert_int_equal(size, TINY_LEXICAL_SIZE);
    assert_int_equal(import_with(with, 0, -1, &error, &size), INS_OK);
    assert_int_equal(size, 0);
    assert_int_equal(import_with(with, 0, 0, &error, &size), INS_OK);
    assert_int_equal(import_with(with, -1, 0, &error, &size),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "\"normalize\""));
    assert_non_null(strstr(error.hint, "\"lexical\": false"));
    assert_int_equal(import_with(TINY_SENTENCE, 1, -1, &error, &size),
                     INS_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "insitu_lexical.json"));
    assert_int_equal(import_with(TINY_LEXICAL, -1, -1, &error, &size),
                     INS_BAD_SOURCE);
    assert_non_null(strstr(error.message, "modules.json"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_order_of_pieces),
        cmocka_unit_test(test_cosines),
        cmocka_unit_test(test_pieces_are_apart),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_beside_the_same_model_without),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
