/*
 * test_word_head.c - a head that reads words alone: it is the optimum of its
 * loss, and a tuned model has half of it beside what it has without.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "pack/pack_shape.h"
#include "pack/word_table.h"
#include "train/word_head.h"
#include "unit/training_fixture.h"

#define TEXTS    60
#define LENGTH   9 /* tokens of a text, at most */
#define LABELS   3
#define WORDS    (2 * LENGTH)
#define STRENGTH 10.0 /* scikit-learn's C */

struct words_fixture {
    tiny_host host;
    ins_progress progress;
    int32_t ids[TEXTS * LENGTH];
    uint64_t starts[TEXTS + 1];
    ins_token_rows tokens;
    uint32_t numbers[TEXTS];
    uint8_t marks[TEXTS * LABELS];
    float weights[TEXTS];
    ins_targets targets;
    ins_head head;
};

/* Texts of two to seven pieces out of so many; those without any say only how
 * frequent a label is. */
static void
open_fixture(struct words_fixture *f, uint32_t vocabulary, bool multi_label)
{
    uint64_t random = 5;
    uint64_t at = 0;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    ins_progress_open(&f->progress, &f->host.host, &ins_training_defaults);
    for (size_t i = 0; i < TEXTS; i++) {
        uint32_t pieces = (uint32_t) ins_random_below(&random, 8);

        pieces = pieces == 1 ? 0 : pieces;
        f->starts[i] = at;
        f->ids[at++] = 2;
        for (uint32_t k = 0; k < pieces; k++)
            f->ids[at++] = 40 + (int32_t) ins_random_below(&random, vocabulary);
        f->ids[at++] = 3;
        f->numbers[i] = (uint32_t) ins_random_below(&random, LABELS);
        for (uint32_t k = 0; k < LABELS; k++)
            f->marks[i * LABELS + k] = ins_random_below(&random, 2) == 1;
        f->weights[i] = i % 2 == 0 ? 0.5f : 1.5f;
    }
    f->starts[TEXTS] = at;
    f->tokens = (ins_token_rows){.ids = f->ids, .starts = f->starts};
    f->targets = (ins_targets){
        .count = TEXTS,
        .labels = LABELS,
        .numbers = multi_label ? NULL : f->numbers,
        .marks = multi_label ? f->marks : NULL,
        .weights = f->weights,
    };
}

static ins_status
fit(struct words_fixture *f, ins_error *error)
{
    return ins_word_head_fit(&f->head, &f->tokens, &f->targets, &f->progress,
                             error);
}

/* The rows of the table that the text has; n of them, each with 1 / root n. */
static uint32_t
words_of(const struct words_fixture *f, size_t text, uint32_t rows[WORDS])
{
    const int32_t *ids = f->ids + f->starts[text];
    size_t tokens = (size_t) (f->starts[text + 1] - f->starts[text]);
    uint32_t table_rows = f->head.word_rows;
    uint32_t count = 0;

    for (size_t i = 1; i + 1 < tokens; i++)
        rows[count++] = ins_word_table_row(ids[i], -1, table_rows);
    for (size_t i = 1; i + 2 < tokens; i++)
        rows[count++] = ins_word_table_row(ids[i], ids[i + 1], table_rows);
    return count;
}

/* Of the fitted head, of which f->head has a share: probabilities less
 * targets. */
static void
residuals_of(const struct words_fixture *f, size_t text, double out[LABELS])
{
    uint32_t rows[WORDS];
    uint32_t count = words_of(f, text, rows);
    double sum = 0;

    for (uint32_t k = 0; k < LABELS; k++) {
        double logit = (double) f->head.out_bias[k];

        for (uint32_t i = 0; i < count; i++)
            logit += (double) f->head.words[rows[i] * LABELS + k] /
                     sqrt((double) count);
        out[k] = exp(logit / (double) INS_WORD_HEAD_SHARE);
        sum += out[k];
    }
    for (uint32_t k = 0; k < LABELS; k++)
        if (f->targets.numbers != NULL)
            out[k] = out[k] / sum - (f->numbers[text] == k);
        else
            out[k] = out[k] / (1 + out[k]) - f->marks[text * LABELS + k];
}

/* At the optimum of the weighted mean loss with the penalty no weight has a
 * gradient. */
static void
expect_optimum(const struct words_fixture *f)
{
    static double gradient[INS_MOST_WORD_ROWS * LABELS];
    const uint32_t table_rows = f->head.word_rows;
    double bias[LABELS] = {0};
    double largest = 0;

    for (size_t i = 0; i < (size_t) table_rows * LABELS; i++) {
        gradient[i] = (double) f->head.words[i] / (double) INS_WORD_HEAD_SHARE /
                      (STRENGTH * TEXTS);
        largest = fmax(largest, fabs((double) f->head.words[i]));
    }
    for (size_t text = 0; text < TEXTS; text++) {
        double weight = (double) f->weights[text] / TEXTS;
        double residuals[LABELS];
        uint32_t rows[WORDS];
        uint32_t count = words_of(f, text, rows);

        residuals_of(f, text, residuals);
        for (uint32_t k = 0; k < LABELS; k++) {
            bias[k] += weight * residuals[k];
            for (uint32_t i = 0; i < count; i++)
                gradient[rows[i] * LABELS + k] +=
                    weight * residuals[k] / sqrt((double) count);
        }
    }
    for (uint32_t k = 0; k < LABELS; k++)
        assert_true(fabs(bias[k]) < 2e-4);
    for (size_t i = 0; i < (size_t) table_rows * LABELS; i++)
        assert_true(fabs(gradient[i]) < 2e-4);
    assert_true(largest > 0.3);
}

static void
test_is_the_optimum(void **state)
{
    (void) state;
    for (int multi_label = 0; multi_label < 2; multi_label++) {
        struct words_fixture f;
        ins_error error;

        open_fixture(&f, 12, multi_label != 0);
        assert_int_equal(fit(&f, &error), INS_OK);
        assert_int_equal(f.head.columns, 0);
        assert_string_equal(f.progress.now.phase, "words");
        expect_optimum(&f);
        ins_head_close(&f.head, &f.progress.host);
        assert_int_equal(f.host.live_blocks, 0);
    }
}

/* The estimate is at least what is needed, and not far above. */
static void
test_memory_is_known(void **state)
{
    struct words_fixture f;
    ins_error error;
    uint64_t bytes;

    (void) state;
    open_fixture(&f, 10000, false);
    bytes = ins_word_head_bytes(
        &(ins_word_head_size){TEXTS, f.starts[TEXTS], LABELS, false});
    assert_int_equal(fit(&f, &error), INS_OK);
    print_message("estimated %llu, peak %zu\n", (unsigned long long) bytes,
                  f.host.peak_bytes);
    assert_true(f.host.peak_bytes <= bytes);
    assert_true(f.host.peak_bytes > bytes / 8);
    ins_head_close(&f.head, &f.progress.host);
}

static void
test_every_allocation_may_fail(void **state)
{
    struct words_fixture f;
    ins_error error;
    ins_status status;
    size_t at = 0;

    (void) state;
    do {
        open_fixture(&f, 12, false);
        f.host.fail_at = ++at;
        status = fit(&f, &error);
        ins_head_close(&f.head, &f.progress.host);
        assert_true(status == INS_OK || status == INS_NO_MEMORY);
        assert_int_equal(f.host.live_blocks, 0);
    } while (status != INS_OK);
    assert_true(at > 8);
}

/* ---- of a tuned model ---------------------------------------------------- */

static void
tune(struct training_fixture *f, bool words)
{
    training_open(f, TINY_SENTENCE);
    f->method = INS_TRAIN_FINE_TUNE;
    f->options.words = words;
    f->options.epochs = 1;
    f->options.validation = 0;
    training_begin(f);
    training_add_rows(f);
    training_run_and_open(f);
}

/* Differences of logits: what softmax keeps of them. */
static void
logits_of(struct training_fixture *f, const char *text, double logits[LABELS])
{
    float scores[TRAINING_VALUES];

    training_task(f, f->model, INS_TASK_CLASSIFY, text, scores);
    for (uint32_t k = 0; k < LABELS; k++)
        logits[k] = log((double) scores[k]) - log((double) scores[0]);
}

/* The encoder and its head are those without words.  To a text that has none of
 * the learnt words they add the bias, the same to each; every text that was
 * learnt they tell better. */
static void
test_tuned_model_adds_words(void **state)
{
    static const char *const unknown[] = {"7 7 7", "8 8", ""};
    struct training_fixture with, without;
    double first[LABELS], second[LABELS], bias[LABELS];
    ins_pack_view view;

    (void) state;
    tune(&with, true);
    tune(&without, false);
    assert_int_equal(
        ins_pack_read(&view, with.pack, with.pack_bytes, &with.error), INS_OK);
    assert_true(view.recipe->head_words > 0);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        logits_of(&with, unknown[i], first);
        logits_of(&without, unknown[i], second);
        for (uint32_t k = 0; k < LABELS; k++) {
            if (i == 0)
                bias[k] = first[k] - second[k];
            assert_true(fabs(first[k] - second[k] - bias[k]) < 1e-3);
        }
    }
    for (size_t i = 0; i < TRAINING_ROWS; i++) {
        float learnt[TRAINING_VALUES], alone[TRAINING_VALUES];
        size_t best = 0;

        training_task(&with, with.model, INS_TASK_CLASSIFY,
                      training_rows[i].text, learnt);
        training_task(&without, without.model, INS_TASK_CLASSIFY,
                      training_rows[i].text, alone);
        for (size_t k = 1; k < LABELS; k++)
            best = learnt[k] > learnt[best] ? k : best;
        assert_true(learnt[best] > alone[best]);
    }
    assert_int_equal(
        ins_pack_read(&view, without.pack, without.pack_bytes, &with.error),
        INS_OK);
    assert_int_equal(view.recipe->head_words, 0);
    training_close(&with);
    training_close(&without);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_optimum),
        cmocka_unit_test(test_memory_is_known),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_tuned_model_adds_words),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
