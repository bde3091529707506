/*
 * tiny_model.c - makes the files of a complete tiny model in memory.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tiny_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS       2
#define HIDDEN       32
#define INNER        64
#define POSITIONS    48
#define MAX_PIECES   160
#define MAX_TENSORS  96
#define MAX_TEXT     65536
#define WEIGHTS_FILE "model.safetensors"

/* ---- memory and files ---------------------------------------------------- */

static void *
must_allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL)
        abort();
    return memory;
}

static void *
copy_bytes(const void *data, size_t size)
{
    void *copy = must_allocate(size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static ins_source_file *
find_file(tiny_model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->files[i].name, name) == 0)
            return &model->files[i];
    return NULL;
}

const ins_source_file *
tiny_find(const tiny_model *model, const char *name)
{
    return find_file((tiny_model *) model, name);
}

void
tiny_set(tiny_model *model, const char *name, const void *data, size_t size)
{
    void *copy = data != NULL ? copy_bytes(data, size) : NULL;
    ins_source_file *file = find_file(model, name);

    if (file == NULL) {
        if (model->count == TINY_MAX_FILES)
            abort();
        file = &model->files[model->count++];
        file->name = copy_bytes(name, strlen(name) + 1);
    } else {
        free((void *) file->data);
    }
    file->data = copy;
    file->size = size;
}

void
tiny_set_text(tiny_model *model, const char *name, const char *text)
{
    tiny_set(model, name, text, strlen(text));
}

void
tiny_remove(tiny_model *model, const char *name)
{
    ins_source_file *file = find_file(model, name);

    if (file == NULL)
        abort();
    free((void *) file->name);
    free((void *) file->data);
    *file = model->files[--model->count];
}

static char *
find_bytes(const char *data, size_t size, const char *wanted)
{
    return memmem(data, size, wanted, strlen(wanted));
}

bool
tiny_replace(tiny_model *model, const char *name, const char *from,
             const char *to)
{
    ins_source_file *file = find_file(model, name);
    const char *data = file->data;
    const char *at = find_bytes(data, (size_t) file->size, from);
    size_t before;
    size_t after;
    char *edited;

    if (at == NULL)
        return false;
    before = (size_t) (at - data);
    after = (size_t) file->size - before - strlen(from);
    edited = must_allocate(before + strlen(to) + after);
    memcpy(edited, data, before);
    memcpy(edited + before, to, strlen(to));
    memcpy(edited + before + strlen(to), at + strlen(from), after);
    free((void *) file->data);
    file->data = edited;
    file->size = before + strlen(to) + after;
    return true;
}

static void
store_length(uint8_t bytes[8], uint64_t length)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t) (length >> 8 * i);
}

static uint64_t
load_length(const uint8_t bytes[8])
{
    uint64_t length = 0;

    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

bool
tiny_edit_header(tiny_model *model, const char *name, const char *from,
                 const char *to)
{
    ins_source_file *file = find_file(model, name);
    uint64_t length = load_length(file->data);

    if (!tiny_replace(model, name, from, to))
        return false;
    store_length((uint8_t *) (uintptr_t) file->data,
                 length + strlen(to) - strlen(from));
    return true;
}

void
tiny_set_header(tiny_model *model, const char *name, const char *header,
                size_t header_size, size_t data_size)
{
    uint8_t *bytes = must_allocate(8 + header_size + data_size);

    store_length(bytes, header_size);
    memcpy(bytes + 8, header, header_size);
    memset(bytes + 8 + header_size, 0, data_size);
    tiny_set(model, name, bytes, 8 + header_size + data_size);
    free(bytes);
}

/* ---- text ---------------------------------------------------------------- */

struct text {
    char bytes[MAX_TEXT];
    size_t size;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
    va_list arguments;
    int count;

    va_start(arguments, format);
    count = vsnprintf(text->bytes + text->size, MAX_TEXT - text->size, format,
                      arguments);
    va_end(arguments);
    if (count < 0 || text->size + (size_t) count >= MAX_TEXT)
        abort();
    text->size += (size_t) count;
}

/* ---- vocabulary ---------------------------------------------------------- */

struct pieces {
    char texts[MAX_PIECES][16];
    int count;
};

static void
make_pieces(struct pieces *pieces)
{
    static const char *const words[] = {
        "[PAD]", "[UNK]",  "[CLS]", "[SEP]",   "[MASK]", "the",
        "was",   "charge", "twice", "##d",     "order",  "##s",
        "my",    "where",  "is",    "##ing",   "refund", "!",
        "?",     ".",      ",",     "deliver", "##y",    "hello"};
    int at = 0;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        snprintf(pieces->texts[at++], 16, "%s", words[i]);
    for (char c = 'a'; c <= 'z'; c++) {
        snprintf(pieces->texts[at++], 16, "%c", c);
        if (c != 'd' && c != 's' && c != 'y')
            snprintf(pieces->texts[at++], 16, "##%c", c);
    }
    for (char c = '0'; c <= '9'; c++) {
        snprintf(pieces->texts[at++], 16, "%c", c);
        snprintf(pieces->texts[at++], 16, "##%c", c);
    }
    pieces->count = at;
}

static void
add_added_tokens(struct text *text, const struct pieces *pieces)
{
    add(text, "\"added_tokens\":[");
    for (int i = 0; i < 5; i++)
        add(text,
            "%s{\"id\":%d,\"content\":\"%s\",\"single_word\":false,"
            "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
            "\"special\":true}",
            i > 0 ? "," : "", i, pieces->texts[i]);
    add(text, "],");
}

static void
make_tokenizer_json(tiny_model *model, const struct pieces *pieces,
                    struct text *text)
{
    text->size = 0;
    add(text, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,");
    add_added_tokens(text, pieces);
    add(text, "\"normalizer\":{\"type\":\"BertNormalizer\","
              "\"clean_text\":true,\"handle_chinese_chars\":true,"
              "\"strip_accents\":null,\"lowercase\":true},"
              "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
              "\"post_processor\":{\"type\":\"TemplateProcessing\","
              "\"single\":[{\"SpecialToken\":{\"id\":\"[CLS]\","
              "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
              "{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}],"
              "\"pair\":[],\"special_tokens\":{\"[CLS]\":{\"id\":\"[CLS]\","
              "\"ids\":[2],\"tokens\":[\"[CLS]\"]},\"[SEP]\":{\"id\":"
              "\"[SEP]\",\"ids\":[3],\"tokens\":[\"[SEP]\"]}}},"
              "\"decoder\":null,\"model\":{\"type\":\"WordPiece\","
              "\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
              "\"max_input_chars_per_word\":100,\"vocab\":{");
    for (int i = 0; i < pieces->count; i++)
        add(text, "%s\"%s\":%d", i > 0 ? "," : "", pieces->texts[i], i);
    add(text, "}}}");
    tiny_set(model, "tokenizer.json", text->bytes, text->size);
}

static void
make_vocab_txt(tiny_model *model, const struct pieces *pieces,
               struct text *text)
{
    text->size = 0;
    for (int i = 0; i < pieces->count; i++)
        add(text, "%s\n", pieces->texts[i]);
    tiny_set(model, "vocab.txt", text->bytes, text->size);
    tiny_set_text(model, "tokenizer_config.json",
                  "{\"tokenizer_class\":\"BertTokenizer\","
                  "\"do_lower_case\":true,\"model_max_length\":"
                  "1000000000000000019884624838656,"
                  "\"cls_token\":{\"content\":\"[CLS]\"}}");
    tiny_set_text(model, "special_tokens_map.json",
                  "{\"unk_token\":\"[UNK]\",\"sep_token\":\"[SEP]\","
                  "\"pad_token\":\"[PAD]\",\"cls_token\":\"[CLS]\","
                  "\"mask_token\":\"[MASK]\"}");
}

/* ---- configuration ------------------------------------------------------- */

static void
make_config(tiny_model *model, unsigned flags, int pieces, struct text *text)
{
    bool distil = (flags & TINY_DISTILBERT) != 0;
    bool classifier = (flags & TINY_CLASSIFIER) != 0;

    text->size = 0;
    add(text, "{\"architectures\":[\"%s%s\"],", distil ? "DistilBert" : "Bert",
        classifier ? "ForSequenceClassification" : "Model");
    if (distil)
        add(text,
            "\"model_type\":\"distilbert\",\"dim\":%d,\"n_layers\":%d,"
            "\"n_heads\":4,\"hidden_dim\":%d,\"activation\":\"gelu\",",
            HIDDEN, LAYERS, INNER);
    else
        add(text,
            "\"model_type\":\"bert\",\"hidden_size\":%d,"
            "\"num_hidden_layers\":%d,\"num_attention_heads\":4,"
            "\"intermediate_size\":%d,\"hidden_act\":\"gelu\","
            "\"type_vocab_size\":2,\"layer_norm_eps\":1e-12,"
            "\"position_embedding_type\":\"absolute\",",
            HIDDEN, LAYERS, INNER);
    if (classifier)
        add(text, "\"id2label\":{\"0\":\"billing\",\"1\":\"delivery\","
                  "\"2\":\"other\"},\"label2id\":{\"billing\":0,"
                  "\"delivery\":1,\"other\":2},\"problem_type\":"
                  "\"single_label_classification\",");
    add(text,
        "\"max_position_embeddings\":%d,\"vocab_size\":%d,"
        "\"pad_token_id\":0}",
        POSITIONS, pieces);
    tiny_set(model, "config.json", text->bytes, text->size);
}

static void
make_sentence_files(tiny_model *model)
{
    tiny_set_text(model, "modules.json",
                  "[{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":"
                  "\"sentence_transformers.models.Transformer\"},"
                  "{\"idx\":1,\"name\":\"1\",\"path\":\"1_Pooling\",\"type\":"
                  "\"sentence_transformers.models.Pooling\"},"
                  "{\"idx\":2,\"name\":\"2\",\"path\":\"2_Normalize\",\"type\":"
                  "\"sentence_transformers.models.Normalize\"}]");
    tiny_set_text(model, "1_Pooling/config.json",
                  "{\"word_embedding_dimension\":32,"
                  "\"pooling_mode_cls_token\":false,"
                  "\"pooling_mode_mean_tokens\":true,"
                  "\"pooling_mode_max_tokens\":false,"
                  "\"pooling_mode_mean_sqrt_len_tokens\":false,"
                  "\"pooling_mode_lasttoken\":false,"
                  "\"include_prompt\":true}");
    tiny_set_text(model, "sentence_bert_config.json",
                  "{\"max_seq_length\":40,\"do_lower_case\":false}");
    tiny_set_text(model, "config_sentence_transformers.json",
                  "{\"prompts\":{\"query\":\"query: \",\"document\":\"\"},"
                  "\"default_prompt_name\":null}");
}

static void
make_lexical(tiny_model *model, int pieces, struct text *text)
{
    text->size = 0;
    add(text,
        "{\"size\":%d,\"saturation\":%g,\"document\":%g,\"query\":%g,"
        "\"weights\":[",
        TINY_LEXICAL_SIZE, (double) TINY_LEXICAL_SATURATION,
        (double) TINY_LEXICAL_DOCUMENT, (double) TINY_LEXICAL_QUERY);
    for (int i = 0; i < pieces; i++)
        add(text, "%s%g", i > 0 ? "," : "", (double) TINY_LEXICAL_WEIGHT(i));
    add(text, "]}");
    tiny_set(model, "insitu_lexical.json", text->bytes, text->size);
}

/* ---- weights ------------------------------------------------------------- */

struct tensor {
    char name[96];
    const char *type;
    int rows; /* 0: one dimension */
    int columns;
};

struct tensors {
    struct tensor list[MAX_TENSORS];
    int count;
    unsigned flags;
};

static void
add_tensor(struct tensors *tensors, const char *prefix, const char *name,
           int rows, int columns)
{
    struct tensor *tensor = &tensors->list[tensors->count++];

    if (tensors->count > MAX_TENSORS)
        abort();
    snprintf(tensor->name, sizeof(tensor->name), "%s%s", prefix, name);
    tensor->type = (tensors->flags & TINY_F16) != 0    ? "F16"
                   : (tensors->flags & TINY_BF16) != 0 ? "BF16"
                                                       : "F32";
    tensor->rows = rows;
    tensor->columns = columns;
}

/* name.weight and name.bias of a dense layer (rows > 0) or a norm. */
static void
add_pair(struct tensors *tensors, const char *prefix, const char *name,
         int rows, int columns)
{
    bool old = rows == 0 && (tensors->flags & TINY_OLD_NAMES) != 0;
    char full[80];

    snprintf(full, sizeof(full), "%s.%s", name, old ? "gamma" : "weight");
    add_tensor(tensors, prefix, full, rows, columns);
    snprintf(full, sizeof(full), "%s.%s", name, old ? "beta" : "bias");
    add_tensor(tensors, prefix, full, 0, rows > 0 ? rows : columns);
}

static void
add_bert_layer(struct tensors *tensors, const char *prefix, int layer)
{
    char at[64];

    snprintf(at, sizeof(at), "%sencoder.layer.%d.", prefix, layer);
    add_pair(tensors, at, "attention.self.query", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.self.key", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.self.value", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.output.dense", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.output.LayerNorm", 0, HIDDEN);
    add_pair(tensors, at, "intermediate.dense", INNER, HIDDEN);
    add_pair(tensors, at, "output.dense", HIDDEN, INNER);
    add_pair(tensors, at, "output.LayerNorm", 0, HIDDEN);
}

static void
add_distilbert_layer(struct tensors *tensors, const char *prefix, int layer)
{
    char at[64];

    snprintf(at, sizeof(at), "%stransformer.layer.%d.", prefix, layer);
    add_pair(tensors, at, "attention.q_lin", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.k_lin", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.v_lin", HIDDEN, HIDDEN);
    add_pair(tensors, at, "attention.out_lin", HIDDEN, HIDDEN);
    add_pair(tensors, at, "sa_layer_norm", 0, HIDDEN);
    add_pair(tensors, at, "ffn.lin1", INNER, HIDDEN);
    add_pair(tensors, at, "ffn.lin2", HIDDEN, INNER);
    add_pair(tensors, at, "output_layer_norm", 0, HIDDEN);
}

static void
list_tensors(struct tensors *tensors, int pieces)
{
    unsigned flags = tensors->flags;
    bool distil = (flags & TINY_DISTILBERT) != 0;
    bool classifier = (flags & TINY_CLASSIFIER) != 0;
    const char *prefix = (flags & TINY_UNPREFIXED) != 0 ? ""
                         : distil                       ? "distilbert."
                                                        : "bert.";

    add_tensor(tensors, prefix, "embeddings.word_embeddings.weight", pieces,
               HIDDEN);
    add_tensor(tensors, prefix, "embeddings.position_embeddings.weight",
               POSITIONS, HIDDEN);
    if (!distil)
        add_tensor(tensors, prefix, "embeddings.token_type_embeddings.weight",
                   2, HIDDEN);
    add_pair(tensors, prefix, "embeddings.LayerNorm", 0, HIDDEN);
    for (int i = 0; i < LAYERS; i++) {
        if (distil)
            add_distilbert_layer(tensors, prefix, i);
        else
            add_bert_layer(tensors, prefix, i);
    }
    if (classifier && distil)
        add_pair(tensors, "", "pre_classifier", HIDDEN, HIDDEN);
    else if (classifier || (flags & TINY_EXTRAS) != 0)
        add_pair(tensors, prefix, "pooler.dense", HIDDEN, HIDDEN);
    if (classifier)
        add_pair(tensors, "", "classifier", 3, HIDDEN);
    if ((flags & TINY_EXTRAS) != 0) {
        add_pair(tensors, "", "cls.predictions.transform.dense", HIDDEN,
                 HIDDEN);
        add_tensor(tensors, prefix, "embeddings.position_ids", 1, POSITIONS);
        tensors->list[tensors->count - 1].type = "I64";
    }
}

static size_t
type_bytes(const char *type)
{
    if (strcmp(type, "I64") == 0)
        return 8;
    return strcmp(type, "F32") == 0 ? 4 : 2;
}

static size_t
value_count(const struct tensor *tensor)
{
    return (size_t) (tensor->rows > 0 ? tensor->rows : 1) *
           (size_t) tensor->columns;
}

/* A fixed sequence of small values; norms' scales are near 1.  All are
 * multiples of 2^-7 below 2, so that F16 and BF16 hold them exactly. */
static float
next_value(const struct tensor *tensor, uint32_t *state)
{
    size_t length = strlen(tensor->name);
    bool is_scale = strstr(tensor->name, "norm") != NULL ||
                    strstr(tensor->name, "Norm") != NULL;
    float value;

    is_scale = is_scale && strcmp(tensor->name + length - 4, "bias") != 0 &&
               strcmp(tensor->name + length - 4, "beta") != 0;
    *state = *state * 1664525u + 1013904223u;
    value = (float) ((int) (*state >> 24) % 32 - 16) / 128.0f;
    return is_scale ? 1.0f + value : value;
}

static void
store_value(uint8_t *at, const char *type, float value)
{
    uint32_t bits;
    uint16_t narrow;

    memcpy(&bits, &value, sizeof(bits));
    if (strcmp(type, "F32") == 0) {
        memcpy(at, &bits, sizeof(bits));
        return;
    }
    narrow = (uint16_t) (bits >> 16);
    if (strcmp(type, "F16") == 0) {
        uint32_t exponent = (bits >> 23 & 255);

        narrow = (uint16_t) ((bits >> 16 & 0x8000) | (bits >> 13 & 0x3FF));
        if (exponent > 0)
            narrow = (uint16_t) (narrow | (exponent - 112) << 10);
    }
    memcpy(at, &narrow, sizeof(narrow));
}

/* Writes tensors first .. last - 1 as one file. */
static void
make_safetensors(tiny_model *model, const char *name,
                 const struct tensors *tensors, int first, int last,
                 struct text *text)
{
    size_t offset = 0;
    uint8_t *bytes;
    uint8_t *at;
    uint32_t state = 7;

    text->size = 0;
    add(text, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int i = first; i < last; i++) {
        const struct tensor *tensor = &tensors->list[i];
        size_t size = value_count(tensor) * type_bytes(tensor->type);

        add(text, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", tensor->name,
            tensor->type);
        if (tensor->rows > 0)
            add(text, "%d,", tensor->rows);
        add(text, "%d],\"data_offsets\":[%zu,%zu]}", tensor->columns, offset,
            offset + size);
        offset += size;
    }
    add(text, "}");
    tiny_set_header(model, name, text->bytes, text->size, offset);
    bytes = (uint8_t *) (uintptr_t) find_file(model, name)->data;
    at = bytes + 8 + text->size;
    for (int i = 0; i < last; i++) {
        const struct tensor *tensor = &tensors->list[i];

        /* The same values whatever the file they are in. */
        for (size_t k = 0; k < value_count(tensor); k++) {
            float value = next_value(tensor, &state);

            if (i < first)
                continue;
            if (strcmp(tensor->type, "I64") != 0)
                store_value(at, tensor->type, value);
            at += type_bytes(tensor->type);
        }
    }
}

static void
make_shards(tiny_model *model, const struct tensors *tensors, struct text *text)
{
    static const char *const names[] = {"model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors"};
    int half = tensors->count / 2;

    make_safetensors(model, names[0], tensors, 0, half, text);
    make_safetensors(model, names[1], tensors, half, tensors->count, text);
    text->size = 0;
    add(text, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (int i = 0; i < tensors->count; i++)
        add(text, "%s\"%s\":\"%s\"", i > 0 ? "," : "", tensors->list[i].name,
            names[i >= half]);
    add(text, "}}");
    tiny_set(model, "model.safetensors.index.json", text->bytes, text->size);
}

/* ---- the whole ----------------------------------------------------------- */

void
tiny_open(tiny_model *model, unsigned flags)
{
    struct text *text = must_allocate(sizeof(*text));
    struct pieces *pieces = must_allocate(sizeof(*pieces));
    struct tensors *tensors = must_allocate(sizeof(*tensors));

    *model = (tiny_model){.count = 0};
    make_pieces(pieces);
    make_config(model, flags, pieces->count, text);
    if ((flags & TINY_VOCAB_TXT) != 0)
        make_vocab_txt(model, pieces, text);
    else
        make_tokenizer_json(model, pieces, text);
    if ((flags & TINY_SENTENCE) != 0)
        make_sentence_files(model);
    if ((flags & TINY_LEXICAL) != 0)
        make_lexical(model, pieces->count, text);
    memset(tensors, 0, sizeof(*tensors));
    tensors->flags = flags;
    list_tensors(tensors, pieces->count);
    if ((flags & TINY_SHARDED) != 0)
        make_shards(model, tensors, text);
    else
        make_safetensors(model, WEIGHTS_FILE, tensors, 0, tensors->count, text);
    free(tensors);
    free(pieces);
    free(text);
}

void
tiny_close(tiny_model *model)
{
    while (model->count > 0)
        tiny_remove(model, model->files[0].name);
}

ins_status
tiny_import(const tiny_model *model, const ins_host *host, void **pack,
            size_t *size, ins_error *error)
{
    const ins_import_options options = INS_IMPORT_DEFAULTS;

    return ins_import(model->files, model->count, &options, host, pack, size,
                      error);
}

/* ---- host ---------------------------------------------------------------- */

#define BLOCK_HEADER 64 /* keeps the alignment of malloc */

static void *
allocate(void *user, size_t size)
{
    tiny_host *host = user;
    char *block;

    host->calls++;
    if (host->fail_at > 0 &&
        (host->calls == host->fail_at ||
         (host->persistent && host->calls > host->fail_at)))
        return NULL;
    block = must_allocate(size + BLOCK_HEADER);
    memcpy(block, &size, sizeof(size));
    /* Nobody may count on zeros. */
    memset(block + BLOCK_HEADER, 0xA5, size);
    host->live_blocks++;
    host->live_bytes += size;
    if (host->live_bytes > host->peak_bytes)
        host->peak_bytes = host->live_bytes;
    return block + BLOCK_HEADER;
}

static void
release(void *user, void *memory)
{
    tiny_host *host = user;
    char *block = memory;
    size_t size;

    if (memory == NULL)
        return;
    block -= BLOCK_HEADER;
    memcpy(&size, block, sizeof(size));
    host->live_blocks--;
    host->live_bytes -= size;
    free(block);
}

static bool
is_cancelled(void *user)
{
    tiny_host *host = user;

    host->polls++;
    return host->cancel_at > 0 && host->polls >= host->cancel_at;
}

void
tiny_host_open(tiny_host *host)
{
    *host = (tiny_host){.host = {.user = host,
                                 .alloc = allocate,
                                 .release = release,
                                 .cancelled = is_cancelled}};
}

int
tiny_prepare(void **state)
{
    ins_error error;

    (void) state;
    return ins_runtime_prepare(&error) == INS_OK ? 0 : 1;
}
