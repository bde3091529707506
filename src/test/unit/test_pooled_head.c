/*
 * test_pooled_head.c - a head that reads the embedding: its scores are those
 * of the head over what the task embed gives, in the same bits at every level.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pack/pack_reader.h"
#include "tiny_model.h"

#define HIDDEN    32
#define LABELS    3
#define TEXTS     5
#define TOLERANCE 1e-5

static const ins_text texts[TEXTS] = {
    {"where is my order", 17},
    {"the refund was charged twice, the delivery is hello", 51},
    {"", 0},
    {"?", 1},
    {"my refund!", 10},
};

struct fixture {
    tiny_host host;
    uint8_t *pack;
    ins_pack_view view;
    ins_model *model;
    ins_error error;
};

static void
open_fixture(struct fixture *f, uint32_t more_flags)
{
    tiny_model files;
    ins_pack_recipe *recipe;
    void *pack;
    size_t size;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, TINY_CLASSIFIER | TINY_SENTENCE);
    tiny_set_text(&files, "config_sentence_transformers.json",
                  "{\"prompts\": {\"query\": \"my card \", "
                  "\"document\": \"order \"}}");
    assert_int_equal(
        tiny_import(&files, &f->host.host, &pack, &size, &f->error), INS_OK);
    tiny_close(&files);
    f->pack = pack;
    assert_int_equal(ins_pack_read(&f->view, pack, size, &f->error), INS_OK);
    recipe = (ins_pack_recipe *) (uintptr_t) f->view.recipe;
    recipe->flags |= INS_RECIPE_HEAD_POOLED | more_flags;
    assert_int_equal(ins_pack_check(pack, size, &f->host.host, &f->error),
                     INS_OK);
    assert_int_equal(
        ins_model_open(&f->model, pack, size, &f->host.host, &f->error),
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
run(struct fixture *f, const char *level, ins_task task, size_t count,
    float *rows)
{
    const ins_options options = {.kernels = level};
    ins_session *session;

    assert_int_equal(ins_session_open(&session, f->model, &options,
                                      &f->host.host, &f->error),
                     INS_OK);
    for (size_t i = 0; i < TEXTS; i += count)
        assert_int_equal(ins_run(session, task, texts + i, count,
                                 rows + i * HIDDEN, HIDDEN, &f->error),
                         INS_OK);
    ins_session_close(session);
}

/* out = weights . in + bias, in double, from the pack's panel: fewer than 64
 * outputs, so there is one. */
static void
multiply(const struct fixture *f, uint32_t role, const double *in,
         uint32_t outputs, double *out)
{
    const float *weights = ins_pack_f32(&f->view, role, 0);
    const float *bias = ins_pack_f32(&f->view, role + 1, 0);

    for (uint32_t i = 0; i < outputs; i++) {
        out[i] = bias[i];
        for (uint32_t k = 0; k < HIDDEN; k++)
            out[i] += (double) weights[k * INS_PANEL_OUTPUTS + i] * in[k];
    }
}

static void
expect_scores(const struct fixture *f, const float *embedding,
              const float *scores)
{
    bool multi = (f->view.recipe->flags & INS_RECIPE_MULTI_LABEL) != 0;
    double features[HIDDEN], inner[HIDDEN], logits[LABELS];
    double sum = 0;

    for (int i = 0; i < HIDDEN; i++)
        features[i] = (double) embedding[i];
    multiply(f, INS_ROLE_HEAD_DENSE, features, HIDDEN, inner);
    for (int i = 0; i < HIDDEN; i++)
        inner[i] = tanh(inner[i]);
    multiply(f, INS_ROLE_HEAD_OUT, inner, LABELS, logits);
    for (int i = 0; i < LABELS; i++)
        sum += exp(logits[i]);
    for (int i = 0; i < LABELS; i++) {
        double expected =
            multi ? 1 / (1 + exp(-logits[i])) : exp(logits[i]) / sum;

        assert_true(fabs((double) scores[i] - expected) <= TOLERANCE);
    }
}

static void
test_scores(void **state)
{
    const uint32_t flags[] = {0, INS_RECIPE_MULTI_LABEL};

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        float embeddings[TEXTS * HIDDEN];
        float scores[TEXTS * HIDDEN];

        open_fixture(&f, flags[i]);
        run(&f, NULL, INS_TASK_EMBED, TEXTS, embeddings);
        run(&f, NULL, INS_TASK_CLASSIFY, TEXTS, scores);
        for (int k = 0; k < TEXTS; k++)
            expect_scores(&f, embeddings + k * HIDDEN, scores + k * HIDDEN);
        close_fixture(&f);
    }
}

/* The head is f32, which the level openblas rounds otherwise. */
static void
test_levels_and_batches(void **state)
{
    struct fixture f;
    float expected[TEXTS * HIDDEN] = {0};
    const char *level;

    (void) state;
    open_fixture(&f, 0);
    run(&f, "scalar", INS_TASK_CLASSIFY, 1, expected);
    for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++) {
        float scores[TEXTS * HIDDEN] = {0};

        if (strcmp(level, "openblas") == 0)
            continue;
        run(&f, level, INS_TASK_CLASSIFY, TEXTS, scores);
        assert_memory_equal(scores, expected, sizeof(scores));
    }
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_levels_and_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
