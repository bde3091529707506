/*
 * test_encoder_parity.c - hidden states, scores and embeddings against an
 * independent implementation (make_encoder_fixture.py) to 1e-4 relative.
 *
 * Runs from the repository's root.  Relative means: the largest difference of
 * a row over the largest value of that row.
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

#include "encoder/encoder.h"
#include "insitu_import.h"
#include "store/source_directory.h"
#include "test/malloc_host.h"

#define FIXTURES    "src/test/parity/fixtures/"
#define MAX_ITEMS   16
#define MAX_IDS     64
#define MAX_HIDDEN  64
#define MAX_TEXT    1024
#define HIDDEN_ROWS 3

struct item {
    char text[MAX_TEXT];
    size_t tokens;
    int raw; /* no text gives these ids */
    int32_t ids[MAX_IDS];
    float hidden[HIDDEN_ROWS][MAX_HIDDEN]; /* first, middle, last token */
    float result[MAX_HIDDEN];              /* scores or embedding */
};

struct fixture {
    size_t hidden, labels, result_size, item_count;
    struct item items[MAX_ITEMS];
    ins_host host;
    void *pack;
    size_t pack_size;
    ins_error error;
    double worst, tolerance;
    /* What the first level gave, in bits. */
    bool has_bits[MAX_ITEMS];
    float bits[MAX_ITEMS][MAX_HIDDEN];
};

static void
require(struct fixture *fixture, ins_status status)
{
    if (status != INS_OK)
        print_error("%s\n%s\n", fixture->error.message, fixture->error.detail);
    assert_int_equal(status, INS_OK);
}

static void
read_floats(FILE *file, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fscanf(file, "%f", &values[i]), 1);
}

static bool
read_item(FILE *file, struct fixture *fixture, struct item *item)
{
    if (fscanf(file, " item %zu %d", &item->tokens, &item->raw) != 2)
        return false;
    assert_in_range(item->tokens, 1, MAX_IDS);
    assert_int_equal(fgetc(file), '\n');
    assert_non_null(fgets(item->text, MAX_TEXT, file));
    item->text[strcspn(item->text, "\n")] = '\0';
    for (size_t i = 0; i < item->tokens; i++)
        assert_int_equal(fscanf(file, "%d", &item->ids[i]), 1);
    for (size_t row = 0; row < HIDDEN_ROWS; row++)
        read_floats(file, item->hidden[row], fixture->hidden);
    read_floats(file, item->result, fixture->result_size);
    return true;
}

static void
read_expected(struct fixture *fixture, const char *directory)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/expected.txt", directory);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(
        fscanf(file, "sizes %zu %zu", &fixture->hidden, &fixture->labels), 2);
    assert_in_range(fixture->hidden, 1, MAX_HIDDEN);
    fixture->result_size =
        fixture->labels > 0 ? fixture->labels : fixture->hidden;
    while (fixture->item_count < MAX_ITEMS &&
           read_item(file, fixture, &fixture->items[fixture->item_count]))
        fixture->item_count++;
    assert_true(feof(file));
    assert_in_range(fixture->item_count, 12, MAX_ITEMS);
    fclose(file);
}

/* What rounding weights costs these models, whose few values do not average
 * it out; relative to a row's largest value. */
static const struct {
    const char *name;
    ins_weights_choice choice;
    double tolerance;
} weight_types[] = {
    {"f32", INS_WEIGHTS_CHOICE_F32, 1e-5},
    {"bf16", INS_WEIGHTS_CHOICE_BF16, 0.05},
    {"int8", INS_WEIGHTS_CHOICE_INT8, 0.3},
};

static void
open_fixture(struct fixture *fixture, const char *name, size_t type)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    char relative[256];
    char *directory;
    ins_source *source;

    memset(fixture, 0, sizeof(*fixture));
    fixture->tolerance = weight_types[type].tolerance;
    options.weights = weight_types[type].choice;
    fixture->host =
        (ins_host){.alloc = malloc_host_alloc, .release = malloc_host_release};
    snprintf(relative, sizeof(relative), FIXTURES "%s", name);
    directory = realpath(relative, NULL);
    assert_non_null(directory);
    read_expected(fixture, directory);
    require(fixture, ins_runtime_prepare(&fixture->error));
    require(fixture, ins_source_open(&source, directory, NULL, 1 << 20,
                                     &fixture->host, &fixture->error));
    require(fixture,
            ins_source_pack(source, &options, &fixture->host, &fixture->pack,
                            &fixture->pack_size, &fixture->error));
    ins_source_close(source);
    free(directory);
}

static void
compare_rows(struct fixture *fixture, const float *got, const float *expected,
             size_t count)
{
    double difference = 0;
    double largest = 1e-6;

    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(got[i]));
        difference = fmax(difference, fabs((double) got[i] - expected[i]));
        largest = fmax(largest, fabs((double) expected[i]));
    }
    fixture->worst = fmax(fixture->worst, difference / largest);
    assert_true(difference <= fixture->tolerance * largest);
}

/* The items from first to end (not included) as one batch. */
static void
compare_hidden(struct fixture *fixture, ins_encoder *encoder, size_t first,
               size_t end)
{
    int32_t ids[MAX_ITEMS * MAX_IDS];
    uint32_t starts[MAX_ITEMS + 1] = {0};
    ins_batch batch = {ids, starts, 0, 0};
    const float *hidden;

    for (size_t i = first; i < end; i++) {
        const struct item *item = &fixture->items[i];

        memcpy(ids + batch.token_count, item->ids,
               item->tokens * sizeof(ids[0]));
        batch.token_count += (uint32_t) item->tokens;
        starts[++batch.sequence_count] = batch.token_count;
    }
    require(fixture,
            ins_encoder_forward(encoder, &batch, &hidden, &fixture->error));
    for (size_t i = first; i < end; i++) {
        const struct item *item = &fixture->items[i];
        const size_t rows[] = {0, item->tokens / 2, item->tokens - 1};

        for (size_t row = 0; row < HIDDEN_ROWS; row++)
            compare_rows(fixture,
                         hidden +
                             (starts[i - first] + rows[row]) * fixture->hidden,
                         item->hidden[row], fixture->hidden);
    }
}

static void
test_hidden(struct fixture *fixture, const char *level)
{
    const ins_kernels *kernels;
    ins_pack_view view;
    ins_encoder *encoder;

    require(fixture, ins_kernels_select(level, &kernels, &fixture->error));
    require(fixture, ins_pack_read(&view, fixture->pack, fixture->pack_size,
                                   &fixture->error));
    require(fixture,
            ins_encoder_open(&encoder, &view, MAX_ITEMS * MAX_IDS, kernels,
                             &fixture->host, &fixture->error));
    for (size_t i = 0; i < fixture->item_count; i++)
        compare_hidden(fixture, encoder, i, i + 1);
    compare_hidden(fixture, encoder, 0, fixture->item_count);
    ins_encoder_close(encoder);
}

static void
compare_ids(struct fixture *fixture, ins_session *session,
            const struct item *item, size_t limit)
{
    ins_token tokens[2 * MAX_IDS];
    ins_text text = {item->text, strlen(item->text)};
    size_t count;

    require(fixture, ins_tokenize(session, text, tokens, 2 * MAX_IDS, &count,
                                  &fixture->error));
    if (count <= limit)
        assert_int_equal(count, item->tokens);
    else
        assert_int_equal(item->tokens, limit);
    /* Truncation keeps the last token. */
    for (size_t i = 0; i + 1 < item->tokens; i++)
        assert_int_equal(tokens[i].id, item->ids[i]);
}

/* Alone and in a batch, at every level: the same bits as the first time. */
static void
compare_bits(struct fixture *fixture, const char *level, size_t i,
             const float *row)
{
    size_t bytes = fixture->result_size * sizeof(float);

    if (strcmp(level, "openblas") == 0)
        return;
    if (!fixture->has_bits[i])
        memcpy(fixture->bits[i], row, bytes);
    fixture->has_bits[i] = true;
    assert_memory_equal(fixture->bits[i], row, bytes);
}

static void
test_results(struct fixture *fixture, const char *level)
{
    const ins_options options = {.kernels = level, .batch_tokens = 128};
    ins_task task = fixture->labels > 0 ? INS_TASK_CLASSIFY : INS_TASK_EMBED;
    ins_text texts[MAX_ITEMS];
    const struct item *items[MAX_ITEMS];
    float rows[MAX_ITEMS][MAX_HIDDEN];
    size_t count = 0;
    ins_model *model;
    ins_session *session;

    require(fixture, ins_model_open(&model, fixture->pack, fixture->pack_size,
                                    &fixture->host, &fixture->error));
    require(fixture, ins_session_open(&session, model, &options, &fixture->host,
                                      &fixture->error));
    for (size_t i = 0; i < fixture->item_count; i++) {
        const struct item *item = &fixture->items[i];

        if (item->raw)
            continue;
        items[count] = item;
        texts[count] = (ins_text){item->text, strlen(item->text)};
        compare_ids(fixture, session, item,
                    ins_model_describe(model)->max_tokens);
        require(fixture, ins_run(session, task, &texts[count], 1, rows[0],
                                 MAX_HIDDEN, &fixture->error));
        compare_rows(fixture, rows[0], item->result, fixture->result_size);
        compare_bits(fixture, level, count, rows[0]);
        count++;
    }
    require(fixture, ins_run(session, task, texts, count, rows[0], MAX_HIDDEN,
                             &fixture->error));
    for (size_t i = 0; i < count; i++) {
        compare_rows(fixture, rows[i], items[i]->result, fixture->result_size);
        compare_bits(fixture, level, i, rows[i]);
    }
    ins_session_close(session);
    ins_model_close(model);
}

static void
test_fixture(void **state)
{
    static struct fixture fixture;
    const char *name = *state;
    const char *level;

    for (size_t type = 0; type < sizeof(weight_types) / sizeof(weight_types[0]);
         type++) {
        double worst = 0;

        open_fixture(&fixture, name, type);
        for (size_t i = 0; (level = ins_kernel_level(i)) != NULL; i++) {
            test_hidden(&fixture, level);
            test_results(&fixture, level);
            worst = fmax(worst, fixture.worst);
        }
        print_message("%s, %s: largest relative difference %.1e\n", name,
                      weight_types[type].name, worst);
        free(fixture.pack);
    }
}

#define FIXTURE(name)                             \
    {                                             \
#name, test_fixture, NULL, NULL, (char[]) \
        {                                         \
#name                                 \
        }                                         \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE(encoder_bert_classify),
        FIXTURE(encoder_bert_multi_label),
        FIXTURE(encoder_bert_relu),
        FIXTURE(encoder_bert_mean),
        FIXTURE(encoder_bert_cls),
        FIXTURE(encoder_bert_max),
        FIXTURE(encoder_distilbert_classify),
        FIXTURE(encoder_distilbert_embed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
