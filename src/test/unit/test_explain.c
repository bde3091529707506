/*
 * test_explain.c - which words carried a classification: sums, an independent
 * integration, a planted word, words and limits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradient/parameters.h"
#include "insitu_explain.h"
#include "store/source_directory.h"
#include "tiny_model.h"

#define LABELS     3
#define MAX_LABELS 16
#define HIDDEN     32
#define TEXT_BYTES 600

struct fixture {
    tiny_host host;
    void *pack;
    size_t pack_bytes;
    ins_model *model;
    ins_session *session;
    ins_explanation explanation;
    ins_error error;
};

static void
open_model(struct fixture *f)
{
    assert_int_equal(ins_runtime_prepare(&f->error), INS_OK);
    assert_int_equal(ins_model_open(&f->model, f->pack, f->pack_bytes,
                                    &f->host.host, &f->error),
                     INS_OK);
    assert_int_equal(
        ins_session_open(&f->session, f->model, NULL, &f->host.host, &f->error),
        INS_OK);
}

static void
import_tiny(struct fixture *f, unsigned flags, bool multi_label)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    tiny_model files;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, flags);
    if (multi_label)
        assert_true(tiny_replace(&files, "config.json",
                                 "single_label_classification",
                                 "multi_label_classification"));
    options.weights = INS_WEIGHTS_CHOICE_F32;
    assert_int_equal(ins_import(files.files, files.count, &options,
                                &f->host.host, &f->pack, &f->pack_bytes,
                                &f->error),
                     INS_OK);
    tiny_close(&files);
}

static void
close_fixture(struct fixture *f)
{
    ins_explanation_close(&f->explanation, &f->host.host);
    ins_session_close(f->session);
    ins_model_close(f->model);
    f->host.host.release(f->host.host.user, f->pack);
    assert_int_equal(f->host.live_blocks, 0);
}

/* ---- other weights ------------------------------------------------------- */

typedef void (*change)(const ins_parameters *parameters);

static float *
values_of(const ins_parameters *parameters, uint32_t role, uint32_t layer)
{
    return ins_parameters_find(parameters, role, layer)->values;
}

static void
multiply(const ins_parameters *parameters, uint32_t role, float factor)
{
    for (uint32_t i = 0; i < parameters->tensor_count; i++) {
        const ins_parameter *tensor = &parameters->tensors[i];
        size_t count = (size_t) tensor->rows * tensor->columns;

        for (size_t k = 0; k < count && tensor->role == role; k++)
            tensor->values[k] *= factor;
    }
}

/* Puts what change makes of the weights into the pack. */
static void
change_weights(struct fixture *f, change apply)
{
    ins_parameters *parameters;
    ins_pack_view view;

    assert_int_equal(ins_pack_read(&view, f->pack, f->pack_bytes, &f->error),
                     INS_OK);
    assert_int_equal(
        ins_parameters_open(&parameters, view.recipe, &f->host.host, &f->error),
        INS_OK);
    assert_int_equal(ins_parameters_read(parameters, &view, &f->error), INS_OK);
    apply(parameters);
    assert_int_equal(
        ins_parameters_write(parameters, &view, f->pack, &f->error), INS_OK);
    ins_parameters_close(parameters);
}

/* Scores that words change much: those of the tiny model hardly move. */
static void
make_loud(const ins_parameters *parameters)
{
    multiply(parameters, INS_ROLE_WORDS, 4);
    multiply(parameters, INS_ROLE_QKV, 3);
    multiply(parameters, INS_ROLE_ATTENTION_OUT, 5);
    multiply(parameters, INS_ROLE_FFN_DOWN, 3);
    multiply(parameters, INS_ROLE_HEAD_OUT, 8);
}

/* Scores that jump. */
static void
make_very_loud(const ins_parameters *parameters)
{
    make_loud(parameters);
    multiply(parameters, INS_ROLE_QKV, 3);
    multiply(parameters, INS_ROLE_HEAD_OUT, 10);
}

/* Scores that jump too often. */
static void
make_absurd(const ins_parameters *parameters)
{
    make_very_loud(parameters);
    multiply(parameters, INS_ROLE_QKV, 30);
    multiply(parameters, INS_ROLE_HEAD_OUT, 100);
}

static void
open_loud(struct fixture *f, unsigned flags, bool multi_label)
{
    import_tiny(f, flags, multi_label);
    change_weights(f, make_loud);
    open_model(f);
}

/* ---- explaining ---------------------------------------------------------- */

static ins_status
explain(struct fixture *f, const char *text, size_t size, uint32_t label)
{
    ins_explanation_close(&f->explanation, &f->host.host);
    return ins_explain(&f->explanation, f->model, (ins_text){text, size}, label,
                       &f->host.host, &f->error);
}

static void
must_explain(struct fixture *f, const char *text, size_t size, uint32_t label)
{
    ins_status status = explain(f, text, size, label);

    if (status != INS_OK)
        fail_msg("%s: %s", f->error.message, text);
}

static double
sum_words(const struct fixture *f)
{
    double sum = 0;

    for (size_t i = 0; i < f->explanation.count; i++)
        sum += (double) f->explanation.words[i].value;
    return sum;
}

static float
score_of(struct fixture *f, const char *text, size_t size, uint32_t label)
{
    const ins_text input = {text, size};
    float scores[MAX_LABELS];

    assert_int_equal(ins_run(f->session, INS_TASK_CLASSIFY, &input, 1, scores,
                             MAX_LABELS, &f->error),
                     INS_OK);
    return scores[label];
}

/* The share of the difference that is missing, or what is missing as a part
 * of what may. */
static double
check_sum(const struct fixture *f)
{
    double difference =
        (double) f->explanation.score - (double) f->explanation.baseline;
    double missed = fabs(sum_words(f) - difference);
    double allowed = 0.01 * fabs(difference);

    if (allowed < 0.0005)
        allowed = 0.0005;
    assert_true(missed <= allowed + 1e-6);
    return fabs(difference) > 0.05 ? missed / fabs(difference) : 0;
}

static void
check_order(const struct fixture *f, size_t size)
{
    uint32_t at = 0;

    for (size_t i = 0; i < f->explanation.count; i++) {
        const ins_contribution *word = &f->explanation.words[i];

        assert_true(word->start >= at && word->end > word->start);
        at = word->end;
    }
    assert_true(at <= size);
}

static size_t
make_text(char *text, size_t limit)
{
    static const char *const parts[] = {
        "charge", "twice", "order", "my ",      " where ", "is ",
        "refund", "!",     "?",     "deliver",  "hello ",  " ",
        "a",      "xyz",   "1",     "\xC3\xA9", "\xFF",    "\xE4\xB8\xAD"};
    size_t size = 0;

    while (size < limit) {
        const char *part =
            parts[(size_t) rand() % (sizeof(parts) / sizeof(parts[0]))];

        memcpy(text + size, part, strlen(part));
        size += strlen(part);
        if (rand() % 2 == 0)
            text[size++] = rand() % 30 == 0 ? '\0' : ' ';
    }
    text[size] = '\0';
    return size;
}

static void
explain_random_texts(struct fixture *f, int rounds, uint32_t labels)
{
    double worst = 0;
    double largest = 0;

    srand(5);
    for (int round = 0; round < rounds; round++) {
        char text[TEXT_BYTES];
        size_t size = make_text(text, (size_t) rand() % 200);
        double missed;

        must_explain(f, text, size, (uint32_t) rand() % labels);
        missed = check_sum(f);
        worst = missed > worst ? missed : worst;
        largest = fmax(largest, fabs(sum_words(f)));
        check_order(f, size);
    }
    print_message("worst share missed %.4f in %d texts\n", worst, rounds);
    /* Otherwise nothing was to be missed. */
    assert_true(largest > 0.3);
}

static void
test_words_add_up(void **state)
{
    static const unsigned kinds[] = {TINY_CLASSIFIER,
                                     TINY_CLASSIFIER | TINY_DISTILBERT};

    (void) state;
    for (size_t i = 0; i < 2; i++)
        for (int multi_label = 0; multi_label < 2; multi_label++) {
            struct fixture f;

            open_loud(&f, kinds[i], multi_label != 0);
            explain_random_texts(&f, 20, LABELS);
            close_fixture(&f);
        }
}

static void
test_steep_scores_add_up(void **state)
{
    struct fixture f;

    (void) state;
    import_tiny(&f, TINY_CLASSIFIER, false);
    change_weights(&f, make_very_loud);
    open_model(&f);
    explain_random_texts(&f, 30, LABELS);
    close_fixture(&f);
}

/* Score and baseline are those of an ordinary run, where the baseline is a
 * text of [PAD]. */
static void
test_ends_are_those_of_a_run(void **state)
{
    static const char text[] = "my order was charged twice";
    static const char pads[] = "[PAD] [PAD] [PAD] [PAD] [PAD] [PAD]";
    struct fixture f;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    for (uint32_t label = 0; label < LABELS; label++) {
        must_explain(&f, text, strlen(text), label);
        assert_true(fabsf(f.explanation.score -
                          score_of(&f, text, strlen(text), label)) < 1e-4f);
        assert_true(fabsf(f.explanation.baseline -
                          score_of(&f, pads, strlen(pads), label)) < 1e-4f);
        assert_int_equal(f.explanation.label, label);
    }
    close_fixture(&f);
}

/* ---- integration by differences of the encoder --------------------------- */

struct line {
    struct fixture *f;
    float *rows;    /* the word embeddings inside the pack */
    int32_t ids[4]; /* of four different words */
    float words[4][HIDDEN];
    float pad[HIDDEN];
};

static void
set_word(struct line *line, int word, double place)
{
    float *row = line->rows + line->ids[word] * HIDDEN;

    for (int i = 0; i < HIDDEN; i++)
        row[i] = (float) ((1 - place) * (double) line->pad[i] +
                          place * (double) line->words[word][i]);
}

static void
open_line(struct line *line, struct fixture *f, const char *text)
{
    const ins_pack_tensor *tensor;
    ins_pack_view view;
    ins_token tokens[6];
    size_t count;

    line->f = f;
    assert_int_equal(ins_pack_read(&view, f->pack, f->pack_bytes, &f->error),
                     INS_OK);
    tensor = ins_pack_find_tensor(&view, INS_ROLE_WORDS, 0);
    assert_int_equal(tensor->type, INS_TENSOR_F32_ROWS);
    line->rows = (float *) ((char *) f->pack + tensor->offset);
    assert_int_equal(ins_tokenize(f->session, (ins_text){text, strlen(text)},
                                  tokens, 6, &count, &f->error),
                     INS_OK);
    assert_int_equal(count, 6);
    memcpy(line->pad, line->rows + view.tokenizer->pad_id * HIDDEN,
           sizeof(line->pad));
    for (int word = 0; word < 4; word++) {
        line->ids[word] = tokens[word + 1].id;
        memcpy(line->words[word], line->rows + line->ids[word] * HIDDEN,
               sizeof(line->pad));
    }
}

/* The derivative of the score by the place of one word, at place. */
static double
differentiate(struct line *line, const char *text, int word, double place)
{
    const double step = 0.01;
    float scores[2];

    for (int other = 0; other < 4; other++)
        set_word(line, other, place);
    for (int side = 0; side < 2; side++) {
        set_word(line, word, place + (side == 0 ? -step : step));
        scores[side] = score_of(line->f, text, strlen(text), 1);
    }
    return ((double) scores[1] - (double) scores[0]) / (2 * step);
}

static void
test_each_word_equals_differences(void **state)
{
    static const char text[] = "my order twice refund";
    enum { STEPS = 50 };
    struct fixture f;
    struct line line;
    double sums[4] = {0};
    double largest = 0;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    must_explain(&f, text, strlen(text), 1);
    assert_int_equal(f.explanation.count, 4);
    open_line(&line, &f, text);
    for (int step = 0; step < STEPS; step++)
        for (int word = 0; word < 4; word++)
            sums[word] +=
                differentiate(&line, text, word, (step + 0.5) / STEPS) / STEPS;
    for (int word = 0; word < 4; word++)
        largest = fmax(largest, fabs(sums[word]));
    assert_true(largest > 0.1);
    for (int word = 0; word < 4; word++) {
        print_message("%.5f by gradients, %.5f by differences\n",
                      (double) f.explanation.words[word].value, sums[word]);
        assert_true(fabs((double) f.explanation.words[word].value -
                         sums[word]) < 0.01 * largest + 1e-4);
        set_word(&line, word, 1);
    }
    close_fixture(&f);
}

/* ---- a planted word ------------------------------------------------------ */

static void
clear(const ins_parameters *parameters, uint32_t role, uint32_t layer)
{
    const ins_parameter *tensor = ins_parameters_find(parameters, role, layer);

    memset(tensor->values, 0,
           sizeof(float) * (size_t) tensor->rows * tensor->columns);
}

static void
make_identity(float *matrix, uint32_t first_row, float value)
{
    for (uint32_t i = 0; i < HIDDEN; i++)
        matrix[(first_row + i) * HIDDEN + i] = value;
}

/*
 * Every token attends to all alike; the only thing that differs in what it
 * sees is the first value of the word "twice", which the first label reads.
 */
static void
plant_word(const ins_parameters *parameters)
{
    static const uint32_t cleared[] = {
        INS_ROLE_QKV,           INS_ROLE_QKV_BIAS,
        INS_ROLE_ATTENTION_OUT, INS_ROLE_ATTENTION_BIAS,
        INS_ROLE_FFN_DOWN,      INS_ROLE_FFN_DOWN_BIAS};
    const uint32_t twice = 8; /* its place in the vocabulary of tiny_model.c */
    float *words = values_of(parameters, INS_ROLE_WORDS, 0);
    float *out = values_of(parameters, INS_ROLE_HEAD_OUT, 0);
    uint32_t pieces = ins_parameters_find(parameters, INS_ROLE_WORDS, 0)->rows;

    for (uint32_t layer = 0; layer < 2; layer++)
        for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
            clear(parameters, cleared[i], layer);
    make_identity(values_of(parameters, INS_ROLE_QKV, 0), 2 * HIDDEN, 4);
    make_identity(values_of(parameters, INS_ROLE_ATTENTION_OUT, 0), 0, 1);
    for (uint32_t piece = 0; piece < pieces; piece++)
        words[piece * HIDDEN] = piece == twice ? 4.0f : 0.0f;
    clear(parameters, INS_ROLE_HEAD_DENSE, 0);
    make_identity(values_of(parameters, INS_ROLE_HEAD_DENSE, 0), 0, 1);
    /* Where the activation, which is relu, lets all pass. */
    values_of(parameters, INS_ROLE_HEAD_DENSE_BIAS, 0)[0] = 2;
    clear(parameters, INS_ROLE_HEAD_OUT, 0);
    out[0] = 3;
}

static void
test_planted_word_has_the_largest_contribution(void **state)
{
    static const char text[] = "my order was charged, hello, twice is a refund";
    struct fixture f;
    size_t largest = 0;

    (void) state;
    import_tiny(&f, TINY_CLASSIFIER | TINY_DISTILBERT, false);
    change_weights(&f, plant_word);
    open_model(&f);
    must_explain(&f, text, strlen(text), 0);
    for (size_t i = 0; i < f.explanation.count; i++) {
        const ins_contribution *word = &f.explanation.words[i];

        print_message("%.*s %.4f\n", (int) (word->end - word->start),
                      text + word->start, (double) word->value);
        if (word->value > f.explanation.words[largest].value)
            largest = i;
    }
    assert_memory_equal(text + f.explanation.words[largest].start, "twice", 5);
    assert_true(f.explanation.words[largest].value > 0.01f);
    for (size_t i = 0; i < f.explanation.count; i++)
        assert_true(i == largest || fabsf(f.explanation.words[i].value) <
                                        f.explanation.words[largest].value / 3);
    close_fixture(&f);
}

/* ---- words --------------------------------------------------------------- */

static void
check_word(const struct fixture *f, size_t number, const char *text,
           const char *word)
{
    const ins_contribution *found = &f->explanation.words[number];

    assert_true(number < f->explanation.count);
    assert_int_equal(found->end - found->start, strlen(word));
    assert_memory_equal(text + found->start, word, strlen(word));
}

static void
test_pieces_of_a_word_are_one(void **state)
{
    static const char text[] = "Charged, orders!  delivery\xC3\xA9 \xE4\xB8\xAD"
                               "x [MASK]";
    static const char *const words[] = {
        "Charged",      ",", "orders", "!", "delivery\xC3\xA9",
        "\xE4\xB8\xAD", "x", "[MASK]"};
    const size_t count = sizeof(words) / sizeof(words[0]);
    struct fixture f;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    must_explain(&f, text, strlen(text), 0);
    assert_int_equal(f.explanation.count, count);
    for (size_t i = 0; i < count; i++)
        check_word(&f, i, text, words[i]);
    close_fixture(&f);
}

static void
test_nul_and_invalid_bytes(void **state)
{
    static const char text[] = "my\0 or\0der \xFF\xFE twice\xC3";
    struct fixture f;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    must_explain(&f, text, sizeof(text) - 1, 0);
    check_order(&f, sizeof(text) - 1);
    check_sum(&f);
    check_word(&f, 0, text, "my");
    assert_int_equal(f.explanation.words[1].start, 4);
    assert_int_equal(f.explanation.words[1].end, 10);
    close_fixture(&f);
}

static void
test_nothing_to_explain(void **state)
{
    static const char *const texts[] = {"", "   \n "};
    struct fixture f;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    for (size_t i = 0; i < 2; i++) {
        must_explain(&f, texts[i], strlen(texts[i]), 2);
        assert_int_equal(f.explanation.count, 0);
        assert_true(f.explanation.score == f.explanation.baseline);
        assert_true(fabsf(f.explanation.score - score_of(&f, "", 0, 2)) <
                    1e-4f);
    }
    close_fixture(&f);
}

static void
test_words_behind_the_limit_have_no_row(void **state)
{
    struct fixture f;
    char text[2000];
    size_t size = 0;
    uint32_t limit;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    limit = ins_model_describe(f.model)->max_tokens;
    for (uint32_t i = 0; i < limit - 2; i++) {
        memcpy(text + size, "my ", 3);
        size += 3;
    }
    must_explain(&f, text, size, 0);
    assert_false(f.explanation.truncated);
    assert_int_equal(f.explanation.count, limit - 2);
    memcpy(text + size, "order", 5);
    must_explain(&f, text, size + 5, 0);
    assert_true(f.explanation.truncated);
    assert_int_equal(f.explanation.count, limit - 2);
    assert_int_equal(f.explanation.words[limit - 3].end, size - 1);
    check_sum(&f);
    close_fixture(&f);
}

/* ---- failures ------------------------------------------------------------ */

static void
test_wrong_arguments(void **state)
{
    struct fixture f;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    assert_int_equal(explain(&f, "my order", 8, LABELS), INS_INVALID_ARGUMENT);
    assert_int_equal(explain(&f, "my order", 8, UINT32_MAX),
                     INS_INVALID_ARGUMENT);
    close_fixture(&f);
    import_tiny(&f, TINY_SENTENCE, false);
    open_model(&f);
    assert_int_equal(explain(&f, "my order", 8, 0), INS_WRONG_TASK);
    close_fixture(&f);
}

/* A sum that is wrong is an error, never a result. */
static void
test_what_does_not_add_up_is_an_error(void **state)
{
    static const char text[] = "my order was charged twice, where is my refund";
    struct fixture f;
    int failed = 0;

    (void) state;
    import_tiny(&f, TINY_CLASSIFIER, false);
    change_weights(&f, make_absurd);
    open_model(&f);
    for (uint32_t label = 0; label < LABELS; label++) {
        ins_status status = explain(&f, text, strlen(text), label);

        if (status == INS_OK) {
            check_sum(&f);
            continue;
        }
        failed++;
        assert_int_equal(status, INS_INTERNAL);
        assert_int_equal(f.explanation.count, 0);
        assert_true(f.error.hint[0] != '\0');
    }
    print_message("%d of %d labels cannot be explained\n", failed, LABELS);
    assert_true(failed > 0);
    close_fixture(&f);
}

static void
test_every_poll_can_cancel(void **state)
{
    static const char text[] = "my order";
    struct fixture f;
    ins_status status = INS_CANCELLED;
    size_t polls = 0;

    (void) state;
    open_loud(&f, TINY_CLASSIFIER, false);
    while (status == INS_CANCELLED) {
        size_t live;

        ins_explanation_close(&f.explanation, &f.host.host);
        live = f.host.live_blocks;
        f.host.polls = 0;
        f.host.cancel_at = ++polls;
        status = explain(&f, text, strlen(text), 0);
        if (status == INS_CANCELLED)
            assert_int_equal(f.host.live_blocks, live);
    }
    assert_int_equal(status, INS_OK);
    assert_true(polls > 100);
    f.host.cancel_at = 0;
    close_fixture(&f);
}

/* ---- the shipped model --------------------------------------------------- */

static bool
import_shipped(struct fixture *f)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;
    ins_source *source;
    ins_status status;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    status = ins_source_open(&source, "models/insitu-mini-en", NULL, 1u << 30,
                             &f->host.host, &f->error);
    if (status != INS_OK)
        return false;
    assert_int_equal(ins_source_pack(source, &options, &f->host.host, &f->pack,
                                     &f->pack_bytes, &f->error),
                     INS_OK);
    ins_source_close(source);
    open_model(f);
    return true;
}

static void
test_shipped_model_adds_up(void **state)
{
    static const char text[] =
        "I was charged twice for the same order, please help me";
    struct fixture f;
    size_t charged = 0;

    (void) state;
    if (!import_shipped(&f)) {
        print_message("# SKIP there is no shipped model here\n");
        skip();
    }
    explain_random_texts(&f, 6, ins_model_describe(f.model)->label_count);
    must_explain(&f, text, strlen(text), 1);
    check_sum(&f);
    assert_true(f.explanation.score > 0.5f);
    for (size_t i = 0; i < f.explanation.count; i++)
        if (f.explanation.words[i].value > f.explanation.words[charged].value)
            charged = i;
    check_word(&f, charged, text, "charged");
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_add_up),
        cmocka_unit_test(test_steep_scores_add_up),
        cmocka_unit_test(test_ends_are_those_of_a_run),
        cmocka_unit_test(test_each_word_equals_differences),
        cmocka_unit_test(test_planted_word_has_the_largest_contribution),
        cmocka_unit_test(test_pieces_of_a_word_are_one),
        cmocka_unit_test(test_nul_and_invalid_bytes),
        cmocka_unit_test(test_nothing_to_explain),
        cmocka_unit_test(test_words_behind_the_limit_have_no_row),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_what_does_not_add_up_is_an_error),
        cmocka_unit_test(test_every_poll_can_cancel),
        cmocka_unit_test(test_shipped_model_adds_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
