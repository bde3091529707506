/*
 * test_tokenizer_parity.c - token ids equal to the reference's, string by
 * string (make_tokenizer_fixture.mjs made the fixtures).
 *
 * Runs from the repository's root.  Each fixture is a tokenizer.json; the
 * importer gets it with a made-up configuration and weights of zero, so that
 * the way is the one that a user's model takes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insitu_import.h"
#include "test/malloc_host.h"

#define FIXTURES   "src/test/parity/fixtures/"
#define GGUF_VOCAB "../shared/models/gguf-vocab/ggml-vocab-bert-bge.gguf"
#define BERT_VOCAB \
    "../shared/models/all-MiniLM-L6-v2_tokenizer_only/tokenizer.json"
#define CASE_END  "\n__ggml_vocab_test__\n"
#define HIDDEN    4
#define MAX_IDS   4096
#define MAX_SHOWN 10

/* A model that can only tokenise. */
struct tokenizer {
    ins_host host;
    void *pack;
    ins_model *model;
    ins_session *session;
    ins_error error;
};

/* The whole file, NUL-terminated; NULL when there is none. */
static char *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *data;
    long length;

    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    data = malloc((size_t) length + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t) length, file), (size_t) length);
    fclose(file);
    data[length] = '\0';
    *size = (size_t) length;
    return data;
}

/* ---- a model around a tokenizer.json ------------------------------------- */

static void
add_tensor(json_t *header, size_t *offset, const char *name, int rows,
           int columns)
{
    size_t bytes = 4 * (size_t) columns * (size_t) (rows > 0 ? rows : 1);
    json_t *shape = rows > 0 ? json_pack("[i, i]", rows, columns)
                             : json_pack("[i]", columns);

    json_object_set_new(header, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32",
                                  "shape", shape, "data_offsets",
                                  (json_int_t) *offset,
                                  (json_int_t) (*offset + bytes)));
    *offset += bytes;
}

static void
add_linear(json_t *header, size_t *offset, const char *name)
{
    char full[160];

    snprintf(full, sizeof(full), "%s.weight", name);
    add_tensor(header, offset, full, HIDDEN, HIDDEN);
    snprintf(full, sizeof(full), "%s.bias", name);
    add_tensor(header, offset, full, 0, HIDDEN);
}

static void
add_norm(json_t *header, size_t *offset, const char *name)
{
    char full[160];

    snprintf(full, sizeof(full), "%s.weight", name);
    add_tensor(header, offset, full, 0, HIDDEN);
    snprintf(full, sizeof(full), "%s.bias", name);
    add_tensor(header, offset, full, 0, HIDDEN);
}

/* One layer of zeros. */
static char *
make_weights(int vocabulary, size_t *size)
{
    static const char *const layer[] = {
        "attention.self.query",   "attention.self.key", "attention.self.value",
        "attention.output.dense", "intermediate.dense", "output.dense"};
    json_t *header = json_object();
    size_t offset = 0;
    size_t length;
    char name[128];
    char *text;
    char *file;

    add_tensor(header, &offset, "embeddings.word_embeddings.weight", vocabulary,
               HIDDEN);
    add_tensor(header, &offset, "embeddings.position_embeddings.weight", 512,
               HIDDEN);
    add_tensor(header, &offset, "embeddings.token_type_embeddings.weight", 2,
               HIDDEN);
    add_norm(header, &offset, "embeddings.LayerNorm");
    for (size_t i = 0; i < sizeof(layer) / sizeof(layer[0]); i++) {
        snprintf(name, sizeof(name), "encoder.layer.0.%s", layer[i]);
        add_linear(header, &offset, name);
    }
    add_norm(header, &offset, "encoder.layer.0.attention.output.LayerNorm");
    add_norm(header, &offset, "encoder.layer.0.output.LayerNorm");
    text = json_dumps(header, JSON_COMPACT);
    length = strlen(text);
    *size = 8 + length + offset;
    file = calloc(1, *size);
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        file[i] = (char) (length >> (8 * i));
    memcpy(file + 8, text, length);
    free(text);
    json_decref(header);
    return file;
}

/* Ids go from 0 to the highest of pieces and added tokens. */
static int
count_ids(const char *tokenizer_json, size_t size)
{
    json_t *json = json_loadb(tokenizer_json, size, 0, NULL);
    json_t *vocab;
    json_t *value;
    const char *key;
    size_t i;
    json_int_t highest = 0;

    assert_non_null(json);
    vocab = json_object_get(json_object_get(json, "model"), "vocab");
    json_object_foreach(vocab, key, value)
    {
        if (json_integer_value(value) > highest)
            highest = json_integer_value(value);
    }
    json_array_foreach(json_object_get(json, "added_tokens"), i, value)
    {
        json_int_t id = json_integer_value(json_object_get(value, "id"));

        highest = id > highest ? id : highest;
    }
    json_decref(json);
    return (int) highest + 1;
}

static void
open_tokenizer(struct tokenizer *tokenizer, const char *json, size_t size)
{
    int vocabulary = count_ids(json, size);
    size_t weight_bytes, pack_bytes;
    char *weights = make_weights(vocabulary, &weight_bytes);
    char config[512];
    ins_source_file files[] = {
        {"config.json", config, 0},
        {"tokenizer.json", json, size},
        {"model.safetensors", weights, weight_bytes},
    };
    ins_import_options options = INS_IMPORT_DEFAULTS;

    snprintf(config, sizeof(config),
             "{\"architectures\": [\"BertModel\"], \"model_type\": \"bert\", "
             "\"hidden_size\": %d, \"num_hidden_layers\": 1, "
             "\"num_attention_heads\": 1, \"intermediate_size\": %d, "
             "\"vocab_size\": %d, \"max_position_embeddings\": 512, "
             "\"type_vocab_size\": 2, \"hidden_act\": \"gelu\", "
             "\"layer_norm_eps\": 1e-12, \"pad_token_id\": 0}",
             HIDDEN, HIDDEN, vocabulary);
    files[0].size = strlen(config);
    *tokenizer = (struct tokenizer){
        .host = {.alloc = malloc_host_alloc, .release = malloc_host_release}};
    if (ins_import(files, 3, &options, &tokenizer->host, &tokenizer->pack,
                   &pack_bytes, &tokenizer->error) != INS_OK)
        fail_msg("%s; %s", tokenizer->error.message, tokenizer->error.detail);
    free(weights);
    assert_int_equal(ins_model_open(&tokenizer->model, tokenizer->pack,
                                    pack_bytes, &tokenizer->host,
                                    &tokenizer->error),
                     INS_OK);
    assert_int_equal(ins_session_open(&tokenizer->session, tokenizer->model,
                                      NULL, &tokenizer->host,
                                      &tokenizer->error),
                     INS_OK);
}

static void
close_tokenizer(struct tokenizer *tokenizer)
{
    ins_session_close(tokenizer->session);
    ins_model_close(tokenizer->model);
    free(tokenizer->pack);
}

/* ---- comparing ----------------------------------------------------------- */

/* The ids as a line of numbers, as the fixtures have them. */
static void
write_ids(struct tokenizer *tokenizer, ins_text text, bool specials, char *line,
          size_t capacity)
{
    static ins_token tokens[MAX_IDS];
    size_t length = 0;
    size_t count;

    assert_int_equal(ins_tokenize(tokenizer->session, text, tokens, MAX_IDS,
                                  &count, &tokenizer->error),
                     INS_OK);
    assert_true(count <= MAX_IDS);
    line[0] = '\0';
    for (size_t i = specials ? 0 : 1; i < count - (specials ? 0 : 1); i++) {
        length += (size_t) snprintf(line + length, capacity - length, "%s%d",
                                    length > 0 ? " " : "", tokens[i].id);
        assert_true(tokens[i].start <= tokens[i].end);
        assert_true(tokens[i].end <= text.size);
    }
}

static bool
agrees(struct tokenizer *tokenizer, ins_text text, bool specials,
       const char *expected)
{
    static char line[MAX_IDS * 8];

    write_ids(tokenizer, text, specials, line, sizeof(line));
    return strcmp(line, expected) == 0;
}

static void
show_difference(struct tokenizer *tokenizer, ins_text text,
                const char *expected)
{
    static char line[MAX_IDS * 8];

    write_ids(tokenizer, text, true, line, sizeof(line));
    print_message("text %.*s\n  expected %s\n  got      %s\n", (int) text.size,
                  text.data, expected, line);
}

/* One line of expected.jsonl: ["text", "2 17 3"]. */
static bool
check_line(struct tokenizer *tokenizer, const char *line, size_t size,
           bool show)
{
    json_t *row = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    json_t *text = json_array_get(row, 0);
    const char *expected = json_string_value(json_array_get(row, 1));
    ins_text span = {json_string_value(text), json_string_length(text)};
    bool same;

    assert_non_null(span.data);
    assert_non_null(expected);
    same = agrees(tokenizer, span, true, expected);
    if (!same && show)
        show_difference(tokenizer, span, expected);
    json_decref(row);
    return same;
}

static void
check_lines(struct tokenizer *tokenizer, const char *lines, size_t at_least)
{
    size_t count = 0;
    size_t different = 0;

    while (*lines != '\0') {
        const char *end = strchr(lines, '\n');

        assert_non_null(end);
        if (!check_line(tokenizer, lines, (size_t) (end - lines),
                        different < MAX_SHOWN))
            different++;
        count++;
        lines = end + 1;
    }
    print_message("%zu strings, %zu differ\n", count, different);
    assert_true(count >= at_least);
    assert_int_equal(different, 0);
}

static void
check_fixture(const char *name, size_t at_least)
{
    struct tokenizer tokenizer;
    char path[256];
    size_t json_size, size;
    char *json;
    char *lines;

    snprintf(path, sizeof(path), FIXTURES "tokenizer_%s/tokenizer.json", name);
    json = read_file(path, &json_size);
    assert_non_null(json);
    snprintf(path, sizeof(path), FIXTURES "tokenizer_%s/expected.jsonl", name);
    lines = read_file(path, &size);
    assert_non_null(lines);
    open_tokenizer(&tokenizer, json, json_size);
    check_lines(&tokenizer, lines, at_least);
    close_tokenizer(&tokenizer);
    free(lines);
    free(json);
}

static void
test_uncased(void **state)
{
    (void) state;
    check_fixture("uncased", 5000);
}

static void
test_cased(void **state)
{
    (void) state;
    check_fixture("cased", 1000);
}

/* clean_text, handle_chinese_chars and strip_accents off. */
static void
test_raw(void **state)
{
    (void) state;
    check_fixture("raw", 800);
}

static void
test_added_tokens(void **state)
{
    (void) state;
    check_fixture("added", 1000);
}

/* Another engine's cases for the vocabulary of bert-base-uncased. */
static void
test_cases_of_another_engine(void **state)
{
    size_t json_size, size;
    char *json = read_file(BERT_VOCAB, &json_size);
    char *inputs = read_file(GGUF_VOCAB ".inp", &size);
    char *outputs = read_file(GGUF_VOCAB ".out", &size);
    struct tokenizer tokenizer;
    char *input = inputs;
    char *output = outputs;
    size_t different = 0;
    size_t count = 0;

    (void) state;
    if (json == NULL || inputs == NULL || outputs == NULL)
        skip();
    open_tokenizer(&tokenizer, json, json_size);
    while (*output != '\0') {
        char *end = strstr(input, CASE_END);
        char *line_end = strchr(output, '\n');
        ins_text text = {input,
                         end != NULL ? (size_t) (end - input) : strlen(input)};

        assert_non_null(line_end);
        *line_end = '\0';
        /* The lines begin with a space and have no [CLS] and [SEP]. */
        if (!agrees(&tokenizer, text, false, output + (*output == ' '))) {
            different++;
            show_difference(&tokenizer, text, output);
        }
        count++;
        output = line_end + 1;
        if (end == NULL)
            break;
        input = end + strlen(CASE_END);
    }
    print_message("%zu cases, %zu differ\n", count, different);
    close_tokenizer(&tokenizer);
    free(json);
    free(inputs);
    free(outputs);
    assert_true(count > 20);
    assert_int_equal(different, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uncased),
        cmocka_unit_test(test_cased),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_added_tokens),
        cmocka_unit_test(test_cases_of_another_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
