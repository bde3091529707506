/*
 * test_gradient_parity.c - the gradient of every tensor against those of an
 * independent implementation (make_gradient_fixture.py) to 1e-5 relative.
 *
 * Runs from the repository's root.  Relative means: the largest difference of
 * a tensor over its largest value.  Expected gradients lie in the places of
 * weights, so that the importer gives them their roles.
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

#include "gradient/network.h"
#include "insitu_import.h"
#include "store/source_directory.h"
#include "test/malloc_host.h"

#define FIXTURES   "src/test/parity/fixtures/"
#define TOLERANCE  1e-5
#define MAX_TEXTS  8
#define MAX_TOKENS 128
#define MAX_LABELS 8
#define HIDDEN     16

struct fixture {
    ins_host host;
    ins_error error;
    int texts, pooled, multi;
    double loss;
    double weights[MAX_TEXTS];
    uint8_t targets[MAX_TEXTS][MAX_LABELS];
    int32_t ids[MAX_TOKENS];
    uint32_t starts[MAX_TEXTS + 1];
    float input_gradient[MAX_TOKENS][HIDDEN];
    ins_parameters *parameters, *expected, *sums;
    double worst;
};

static void
require(struct fixture *fixture, ins_status status)
{
    if (status != INS_OK)
        print_error("%s\n%s\n", fixture->error.message, fixture->error.detail);
    assert_int_equal(status, INS_OK);
}

/* Floats of the model in a directory; with the head that batch.txt says. */
static ins_parameters *
read_model(struct fixture *fixture, const char *relative)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    char *directory = realpath(relative, NULL);
    ins_source *source;
    ins_pack_view view;
    ins_pack_recipe recipe;
    ins_parameters *parameters;
    void *pack;
    size_t size;

    assert_non_null(directory);
    options.weights = INS_WEIGHTS_CHOICE_F32;
    require(fixture, ins_source_open(&source, directory, NULL, 1 << 20,
                                     &fixture->host, &fixture->error));
    require(fixture, ins_source_pack(source, &options, &fixture->host, &pack,
                                     &size, &fixture->error));
    ins_source_close(source);
    free(directory);
    require(fixture, ins_pack_read(&view, pack, size, &fixture->error));
    recipe = *view.recipe;
    assert_int_equal(recipe.hidden, HIDDEN);
    assert_in_range(recipe.labels, 1, MAX_LABELS);
    if (fixture->pooled)
        recipe.flags |= INS_RECIPE_HEAD_POOLED;
    require(fixture, ins_parameters_open(&parameters, &recipe, &fixture->host,
                                         &fixture->error));
    require(fixture, ins_parameters_read(parameters, &view, &fixture->error));
    free(pack);
    return parameters;
}

static void
read_text(struct fixture *fixture, FILE *file, int text, uint32_t labels)
{
    uint32_t start = fixture->starts[text];
    uint32_t tokens;

    assert_int_equal(
        fscanf(file, " text %u %lf", &tokens, &fixture->weights[text]), 2);
    assert_in_range(tokens, 1, MAX_TOKENS - start);
    fixture->starts[text + 1] = start + tokens;
    for (uint32_t i = 0; i < tokens; i++)
        assert_int_equal(fscanf(file, "%d", &fixture->ids[start + i]), 1);
    for (uint32_t i = 0; i < labels; i++)
        assert_int_equal(fscanf(file, "%hhu", &fixture->targets[text][i]), 1);
    for (uint32_t i = 0; i < tokens * HIDDEN; i++)
        assert_int_equal(
            fscanf(file, "%f", &fixture->input_gradient[start][0] + i), 1);
}

static void
open_fixture(struct fixture *fixture, const char *name)
{
    char path[256];
    FILE *file;

    memset(fixture, 0, sizeof(*fixture));
    fixture->host =
        (ins_host){.alloc = malloc_host_alloc, .release = malloc_host_release};
    require(fixture, ins_runtime_prepare(&fixture->error));
    snprintf(path, sizeof(path), FIXTURES "%s/batch.txt", name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "batch %d %d %d loss %lf", &fixture->texts,
                            &fixture->pooled, &fixture->multi, &fixture->loss),
                     4);
    assert_in_range(fixture->texts, 1, MAX_TEXTS);
    snprintf(path, sizeof(path), FIXTURES "%s", name);
    fixture->parameters = read_model(fixture, path);
    snprintf(path, sizeof(path), FIXTURES "%s/expected", name);
    fixture->expected = read_model(fixture, path);
    require(fixture,
            ins_parameters_open(&fixture->sums, &fixture->parameters->recipe,
                                &fixture->host, &fixture->error));
    for (int i = 0; i < fixture->texts; i++)
        read_text(fixture, file, i, fixture->parameters->recipe.labels);
    fclose(file);
}

static double
text_loss(struct fixture *fixture, int text, const float *logits,
          float *gradient)
{
    uint32_t labels = fixture->parameters->recipe.labels;
    const uint8_t *targets = fixture->targets[text];
    uint32_t target = 0;

    if (fixture->multi)
        return ins_loss_sigmoid(logits, labels, targets, fixture->weights[text],
                                gradient);
    while (targets[target] == 0)
        target++;
    return ins_loss_softmax(logits, labels, target, fixture->weights[text],
                            gradient);
}

/* Gradients of one tensor; without large ones, absolute to 1e-8. */
static void
compare(struct fixture *fixture, const float *got, const float *expected,
        size_t count)
{
    double difference = 0;
    double largest = 1e-3;

    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(got[i]));
        difference =
            fmax(difference, fabs((double) got[i] - (double) expected[i]));
        largest = fmax(largest, fabs((double) expected[i]));
    }
    fixture->worst = fmax(fixture->worst, difference / largest);
    assert_true(difference <= TOLERANCE * largest);
}

static void
test_fixture(void **state)
{
    static struct fixture fixture;
    float gradient[MAX_TEXTS * MAX_LABELS];
    const float *logits, *input_gradient;
    ins_network *network;
    double loss = 0;

    open_fixture(&fixture, *state);
    ins_batch batch = {fixture.ids, fixture.starts, (uint32_t) fixture.texts,
                       fixture.starts[fixture.texts]};
    const ins_network_options options = {.batch_tokens = MAX_TOKENS,
                                         .batch_texts = MAX_TEXTS,
                                         .max_tokens = 48,
                                         .input_gradient = true};

    require(&fixture, ins_network_open(&network, fixture.parameters, &options,
                                       &fixture.host, &fixture.error));
    require(&fixture, ins_network_forward(network, &batch, NULL, false, &logits,
                                          &fixture.error));
    for (int i = 0; i < fixture.texts; i++) {
        size_t row = (size_t) i * fixture.parameters->recipe.labels;

        loss += text_loss(&fixture, i, logits + row, gradient + row);
    }
    assert_true(fabs(loss - fixture.loss) <= 2e-6 * fixture.loss);
    require(&fixture, ins_network_backward(network, gradient, fixture.sums,
                                           &input_gradient, &fixture.error));
    for (uint32_t i = 0; i < fixture.sums->tensor_count; i++) {
        const ins_parameter *sums = &fixture.sums->tensors[i];

        compare(&fixture, sums->values, fixture.expected->tensors[i].values,
                (size_t) sums->rows * sums->columns);
    }
    compare(&fixture, input_gradient, fixture.input_gradient[0],
            (size_t) batch.token_count * HIDDEN);
    print_message("%s: largest relative difference %.1e\n",
                  (const char *) *state, fixture.worst);
    ins_network_close(network);
    ins_parameters_close(fixture.sums);
    ins_parameters_close(fixture.expected);
    ins_parameters_close(fixture.parameters);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        {"gradient_bert_first", test_fixture, NULL, NULL,
         (char[]){"gradient_bert_first"}},
        {"gradient_bert_max", test_fixture, NULL, NULL,
         (char[]){"gradient_bert_max"}},
        {"gradient_distilbert_mean", test_fixture, NULL, NULL,
         (char[]){"gradient_distilbert_mean"}},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
