/*
 * test_word_table.c - words as features of a head: which rows they have, and
 * that scores and explanations are those of the sum over them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "gradient/parameters.h"
#include "insitu_explain.h"
#include "pack/pack_shape.h"
#include "pack/word_table.h"
#include "tokenizer/tokenizer.h"
#include "training_fixture.h"

#define HIDDEN     32
#define MAX_LABELS 4
#define MAX_TOKENS 64
#define WORD_ROWS  16384u

/* Computed by another program: packs in databases depend on them. */
static void
test_rows_stay_where_they_are(void **state)
{
    (void) state;
    assert_int_equal(ins_word_table_row(7, -1, WORD_ROWS), 3543);
    assert_int_equal(ins_word_table_row(7, 9, WORD_ROWS), 9789);
    assert_int_equal(ins_word_table_row(9, 7, WORD_ROWS), 2586);
    assert_int_equal(ins_word_table_row(0, -1, WORD_ROWS), 3503);
    assert_int_equal(ins_word_table_row(15999, 0, 64), 23);
    assert_int_equal(ins_word_table_row(4194303, 4194303, WORD_ROWS), 10433);
}

static void
test_words_of_a_text(void **state)
{
    const int32_t ids[] = {2, 7, 9, 7, 3};
    uint32_t words[5];

    (void) state;
    assert_int_equal(ins_word_table_count(0), 0);
    assert_int_equal(ins_word_table_count(2), 0);
    assert_int_equal(ins_word_table_count(3), 1);
    assert_int_equal(ins_word_table_count(5), 5);
    ins_word_table_find(ids, 5, WORD_ROWS, words);
    assert_int_equal(words[0], ins_word_table_row(7, -1, WORD_ROWS));
    assert_int_equal(words[1], ins_word_table_row(7, 9, WORD_ROWS));
    assert_int_equal(words[2], ins_word_table_row(9, -1, WORD_ROWS));
    assert_int_equal(words[3], ins_word_table_row(9, 7, WORD_ROWS));
    assert_int_equal(words[4], words[0]);
    ins_word_table_find(ids, 2, WORD_ROWS, words);
    assert_int_equal(words[0], ins_word_table_row(7, -1, WORD_ROWS));
}

/* A power of two, at least twice the words, 16 MB at most. */
static void
test_table_is_bounded(void **state)
{
    (void) state;
    assert_int_equal(ins_pack_word_rows(1, 0), 64);
    assert_int_equal(ins_pack_word_rows(1, 32), 64);
    assert_int_equal(ins_pack_word_rows(1, 33), 128);
    assert_int_equal(ins_pack_word_rows(3, 20000), 65536);
    assert_int_equal(ins_pack_word_rows(3, UINT64_MAX), 65536);
    assert_int_equal(ins_pack_word_rows(64, 40000), 65536);
    assert_int_equal(ins_pack_word_rows(65, 40000), 32768);
    assert_int_equal(ins_pack_word_rows(65536, 40000), 64);
    assert_true(ins_pack_word_rows_are_sound(65536, 64));
    assert_false(ins_pack_word_rows_are_sound(65536, 128));
    assert_false(ins_pack_word_rows_are_sound(2, 32));
    assert_false(ins_pack_word_rows_are_sound(2, 96));
    assert_false(ins_pack_word_rows_are_sound(2, 131072));
}

/* ---- a trained model ----------------------------------------------------- */

struct trained {
    struct training_fixture f;
    ins_pack_view view;
    ins_parameters *parameters;
};

static void
train(struct trained *t, bool words, ins_head_choice head)
{
    training_open(&t->f, TINY_SENTENCE);
    t->f.options.words = words;
    t->f.options.head = head;
    training_begin(&t->f);
    training_add_rows(&t->f);
    training_run_and_open(&t->f);
    assert_int_equal(
        ins_pack_read(&t->view, t->f.pack, t->f.pack_bytes, &t->f.error),
        INS_OK);
    assert_int_equal(ins_parameters_open(&t->parameters, t->view.recipe,
                                         &t->f.host.host, &t->f.error),
                     INS_OK);
    assert_int_equal(ins_parameters_read(t->parameters, &t->view, &t->f.error),
                     INS_OK);
}

static void
close_trained(struct trained *t)
{
    ins_parameters_close(t->parameters);
    training_close(&t->f);
}

static const ins_parameter *
find(const struct trained *t, uint32_t role)
{
    return ins_parameters_find(t->parameters, role, 0);
}

/* tokens: [MAX_TOKENS]; returns how many the text has. */
static size_t
tokenize(struct trained *t, const char *text, ins_token *tokens)
{
    ins_tokenizer *tokenizer;
    bool truncated;
    size_t count;

    assert_int_equal(
        ins_tokenizer_open(&tokenizer, &t->view, &t->f.host.host, &t->f.error),
        INS_OK);
    assert_int_equal(ins_tokenizer_run(tokenizer, (ins_text){"", 0},
                                       training_text(text), MAX_TOKENS, tokens,
                                       MAX_TOKENS, &count, &truncated,
                                       &t->f.error),
                     INS_OK);
    ins_tokenizer_close(tokenizer);
    return count;
}

/* Sums in another order: pieces first, then the pairs of them. */
static void
add_words(struct trained *t, const char *text, double *logits)
{
    const ins_parameter *table = find(t, INS_ROLE_HEAD_WORDS);
    ins_token tokens[MAX_TOKENS];
    size_t count = tokenize(t, text, tokens);

    for (int pair = 0; pair < 2; pair++)
        for (size_t i = 1; i + 1 + (size_t) pair < count; i++) {
            uint32_t row = ins_word_table_row(
                tokens[i].id, pair ? tokens[i + 1].id : -1, table->rows);

            for (uint32_t k = 0; k < table->columns; k++)
                logits[k] += (double) table->values[row * table->columns + k] /
                             sqrt(2.0 * (double) (count - 2) - 1);
        }
}

static void
expect_scores_of_sum(struct trained *t, const char *text)
{
    const ins_parameter *out = find(t, INS_ROLE_HEAD_OUT);
    const ins_parameter *bias = find(t, INS_ROLE_HEAD_OUT_BIAS);
    uint32_t labels = t->view.recipe->labels;
    float features[TRAINING_VALUES];
    float scores[TRAINING_VALUES];
    double logits[MAX_LABELS];
    double sum = 0;

    assert_true(labels <= MAX_LABELS);
    training_task(&t->f, t->f.base, INS_TASK_FEATURES, text, features);
    training_task(&t->f, t->f.model, INS_TASK_CLASSIFY, text, scores);
    for (uint32_t k = 0; k < labels; k++) {
        logits[k] = (double) bias->values[k];
        for (uint32_t i = 0; i < HIDDEN; i++)
            logits[k] +=
                (double) out->values[k * HIDDEN + i] * (double) features[i];
    }
    add_words(t, text, logits);
    for (uint32_t k = 0; k < labels; k++)
        sum += exp(logits[k]);
    for (uint32_t k = 0; k < labels; k++)
        assert_true(fabs((double) scores[k] - exp(logits[k]) / sum) < 1e-4);
}

static void
test_scores_are_those_of_the_sum(void **state)
{
    struct trained t;

    (void) state;
    train(&t, true, INS_HEAD_LOGISTIC);
    assert_true(t.view.recipe->head_words > 0);
    for (size_t i = 0; i < TRAINING_ROWS; i++)
        expect_scores_of_sum(&t, training_rows[i].text);
    expect_scores_of_sum(&t, "");
    expect_scores_of_sum(&t, "hello my refund, where is it");
    close_trained(&t);
    train(&t, false, INS_HEAD_LOGISTIC);
    assert_int_equal(t.view.recipe->head_words, 0);
    assert_null(find(&t, INS_ROLE_HEAD_WORDS));
    close_trained(&t);
}

/* Rows of words that no text had are zero, so such words say nothing. */
static void
test_unknown_words_say_nothing(void **state)
{
    const ins_parameter *table;
    uint32_t learnt = 0;
    struct trained t;

    (void) state;
    train(&t, true, INS_HEAD_NETWORK);
    table = find(&t, INS_ROLE_HEAD_WORDS);
    assert_int_equal(table->rows, t.view.recipe->head_words);
    for (uint32_t row = 0; row < table->rows; row++)
        for (uint32_t k = 0; k < table->columns; k++)
            if (table->values[row * table->columns + k] != 0) {
                learnt++;
                break;
            }
    assert_true(learnt > 10 && learnt < 200);
    close_trained(&t);
}

/* What the words of a text contribute is what the score rises by. */
static void
test_explanations_add_up(void **state)
{
    static const char text[] = "where is my order";
    struct trained t;

    (void) state;
    train(&t, true, INS_HEAD_LOGISTIC);
    for (uint32_t label = 0; label < t.view.recipe->labels; label++) {
        ins_explanation explanation;
        double sum = 0;

        assert_int_equal(ins_explain(&explanation, t.f.model,
                                     training_text(text), label, &t.f.host.host,
                                     &t.f.error),
                         INS_OK);
        assert_int_equal(explanation.count, 4);
        for (size_t i = 0; i < explanation.count; i++)
            sum += (double) explanation.words[i].value;
        assert_true(fabs((double) explanation.score -
                         (double) explanation.baseline) > 0.01);
        assert_true(fabs(sum - ((double) explanation.score -
                                (double) explanation.baseline)) < 0.01);
        ins_explanation_close(&explanation, &t.f.host.host);
    }
    close_trained(&t);
}

/* A head over words alone: the encoder's part is taken out of the pack, and
 * what is left is shared by the pieces of each word as the sum says. */
static void
test_words_alone_are_explained(void **state)
{
    static const char text[] = "my order";
    struct trained t;
    ins_explanation explanation;
    ins_token tokens[MAX_TOKENS];
    const ins_parameter *table;
    uint32_t row;

    (void) state;
    train(&t, true, INS_HEAD_LOGISTIC);
    memset(find(&t, INS_ROLE_HEAD_OUT)->values, 0,
           t.view.recipe->labels * HIDDEN * sizeof(float));
    memset(find(&t, INS_ROLE_HEAD_OUT_BIAS)->values, 0,
           t.view.recipe->labels * sizeof(float));
    memset(find(&t, INS_ROLE_HEAD_WORDS)->values, 0,
           (size_t) t.view.recipe->head_words * t.view.recipe->labels *
               sizeof(float));
    assert_int_equal(tokenize(&t, text, tokens), 4);
    /* Only the pair of both, and only for the first label. */
    table = find(&t, INS_ROLE_HEAD_WORDS);
    row = ins_word_table_row(tokens[1].id, tokens[2].id, table->rows);
    table->values[(size_t) row * table->columns] = 3;
    assert_int_equal(
        ins_parameters_write(t.parameters, &t.view, t.f.pack, &t.f.error),
        INS_OK);
    assert_int_equal(ins_explain(&explanation, t.f.model, training_text(text),
                                 0, &t.f.host.host, &t.f.error),
                     INS_OK);
    assert_int_equal(explanation.count, 2);
    assert_true((double) explanation.words[0].value > 0.1);
    assert_true(fabs((double) explanation.words[0].value -
                     (double) explanation.words[1].value) < 1e-6);
    ins_explanation_close(&explanation, &t.f.host.host);
    close_trained(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_stay_where_they_are),
        cmocka_unit_test(test_words_of_a_text),
        cmocka_unit_test(test_table_is_bounded),
        cmocka_unit_test(test_scores_are_those_of_the_sum),
        cmocka_unit_test(test_unknown_words_say_nothing),
        cmocka_unit_test(test_explanations_add_up),
        cmocka_unit_test(test_words_alone_are_explained),
    };

    return cmocka_run_group_tests(tests, tiny_prepare, NULL);
}
