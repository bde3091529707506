/*
 * vocab_txt.c - vocab.txt and tokenizer_config.json to the tokenizer sections
 * of a pack: the files of BERT before tokenizer.json.
 *
 * Source: the behaviour of transformers' BertTokenizer.  A piece's id is its
 * line's number; a spelling that comes twice has the higher id.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "import/vocabulary.h"

#define VOCAB_FILE      "vocab.txt"
#define CONFIG_FILE     "tokenizer_config.json"
#define SPECIAL_FILE    "special_tokens_map.json"
#define ADDED_FILE      "added_tokens.json"
#define MAX_VOCAB_BYTES ((uint64_t) 64 << 20)
#define BYTES_PER_POLL  65536
#define WORD_CHARS      100
#define SPECIAL_COUNT   5
#define MAX_TEXT_TOKENS (INS_MAX_ADDED_TOKENS - SPECIAL_COUNT)

/* ---- vocab.txt ---------------------------------------------------------- */

/* The line at *at, without its end; moves *at to the next line. */
static ins_text
take_line(ins_text text, size_t *at)
{
    const char *start = text.data + *at;
    const char *end = memchr(start, '\n', text.size - *at);
    ins_text line = {start,
                     end != NULL ? (size_t) (end - start) : text.size - *at};

    *at += line.size + (end != NULL);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

static ins_status
measure_lines(ins_text text, const ins_config *config, const ins_host *host,
              uint64_t *count, uint64_t *bytes, ins_error *error)
{
    size_t at = 0;
    size_t polled = 0;

    *count = *bytes = 0;
    while (at < text.size) {
        ins_text line = take_line(text, &at);

        if (at - polled > BYTES_PER_POLL) {
            INS_TRY(ins_poll(host, error));
            polled = at;
        }
        ++*count;
        INS_CHECK(line.size <= INS_MAX_PIECE_BYTES, error, INS_BAD_SOURCE,
                  VOCAB_FILE ": line %llu is longer than %d bytes",
                  (unsigned long long) *count, INS_MAX_PIECE_BYTES);
        INS_CHECK(ins_utf8_is_text(line.data, line.size), error, INS_BAD_SOURCE,
                  VOCAB_FILE ": line %llu is not UTF-8 text",
                  (unsigned long long) *count);
        INS_CHECK(*count <= config->recipe.vocabulary, error, INS_BAD_SOURCE,
                  VOCAB_FILE " has more lines than \"vocab_size\" = %u of "
                             "config.json",
                  config->recipe.vocabulary);
        *bytes += line.size;
    }
    return INS_OK;
}

static ins_status
read_lines(ins_vocabulary *vocabulary, ins_text text, const ins_config *config,
           const ins_host *host, ins_error *error)
{
    uint64_t count;
    uint64_t bytes;
    uint32_t *ends;
    char *pieces;
    uint32_t stored = 0;
    size_t at = 0;

    INS_CHECK(text.size <= MAX_VOCAB_BYTES, error, INS_LIMIT_EXCEEDED,
              VOCAB_FILE " has %zu bytes; the limit is %llu", text.size,
              (unsigned long long) MAX_VOCAB_BYTES);
    INS_CHECK(text.size < 3 || memcmp(text.data, "\xEF\xBB\xBF", 3) != 0, error,
              INS_BAD_SOURCE, VOCAB_FILE " begins with a byte-order mark");
    INS_TRY(measure_lines(text, config, host, &count, &bytes, error));
    INS_TRY(ins_vocabulary_open_pieces(vocabulary, count, bytes, host, &ends,
                                       &pieces, error));
    for (uint64_t i = 0; i < count; i++) {
        ins_text line = take_line(text, &at);

        memcpy(pieces + stored, line.data, line.size);
        stored += (uint32_t) line.size;
        ends[i] = stored;
    }
    return ins_vocabulary_build_index(vocabulary, host, error);
}

/* ---- tokenizer_config.json ---------------------------------------------- */

static ins_status
check_class(const ins_json *json, ins_error *error)
{
    static const char *const known[] = {"BertTokenizer", "BertTokenizerFast",
                                        "DistilBertTokenizer",
                                        "DistilBertTokenizerFast"};
    const char *name = known[0];

    INS_TRY(ins_json_text(json, "tokenizer_class", &name, error));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], name) == 0)
            return INS_OK;
    return ins_json_fail_unsupported(json, "tokenizer_class",
                                     "Supported: BertTokenizer, "
                                     "DistilBertTokenizer.",
                                     error);
}

static ins_status
read_settings(ins_pack_tokenizer *tokenizer, const ins_json *json,
              ins_error *error)
{
    bool basic = true;
    bool chinese = true;
    bool lowercase = true;
    bool strip;
    const json_t *never_split = NULL;

    tokenizer->max_word_chars = WORD_CHARS;
    tokenizer->prefix_bytes = 2;
    memcpy(tokenizer->prefix, "##", 2);
    INS_TRY(check_class(json, error));
    INS_TRY(ins_json_bool(json, "do_basic_tokenize", &basic, error));
    if (!basic)
        return ins_json_fail_unsupported(json, "do_basic_tokenize", NULL,
                                         error);
    INS_TRY(ins_json_array(json, "never_split", &never_split, error));
    if (json_array_size(never_split) > 0)
        return ins_json_fail_unsupported(json, "never_split", NULL, error);
    INS_TRY(ins_json_bool(json, "tokenize_chinese_chars", &chinese, error));
    INS_TRY(ins_json_bool(json, "do_lower_case", &lowercase, error));
    strip = lowercase;
    INS_TRY(ins_json_bool(json, "strip_accents", &strip, error));
    tokenizer->flags = (uint32_t) INS_TOKENIZER_CLEAN |
                       (chinese ? (uint32_t) INS_TOKENIZER_CHINESE : 0) |
                       (strip ? (uint32_t) INS_TOKENIZER_STRIP_ACCENTS : 0) |
                       (lowercase ? (uint32_t) INS_TOKENIZER_LOWERCASE : 0);
    return INS_OK;
}

/* ---- special and added tokens ------------------------------------------- */

/* The tokens found so far. */
struct token_list {
    ins_added_token *tokens;
    size_t count;
};

/* A special token's spelling: a string or {"content": ...}, in either file. */
static ins_status
read_spelling(const ins_json *json, const char *key, const char **spelling,
              ins_error *error)
{
    ins_json object;

    if (!json_is_object(json_object_get(json->value, key)))
        return ins_json_text(json, key, spelling, error);
    INS_TRY(ins_json_object(json, key, "", &object, error));
    return ins_json_text(&object, "content", spelling, error);
}

static bool
is_listed(const struct token_list *list, ins_text content)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->tokens[i].content.size == content.size &&
            memcmp(list->tokens[i].content.data, content.data, content.size) ==
                0)
            return true;
    return false;
}

/* *id: of the special token; it need not be in the vocabulary. */
static ins_status
add_special(const ins_vocabulary *vocabulary, const ins_json files[2],
            const char *key, const char *spelling, struct token_list *list,
            int32_t *id, ins_error *error)
{
    ins_text content;

    for (int i = 0; i < 2; i++)
        INS_TRY(read_spelling(&files[i], key, &spelling, error));
    content = (ins_text){spelling, strlen(spelling)};
    *id = ins_vocabulary_find(vocabulary, content);
    if (*id >= 0 && !is_listed(list, content)) {
        list->tokens[list->count++] =
            (ins_added_token){(uint32_t) *id, INS_ADDED_SPECIAL, content};
    }
    return INS_OK;
}

static ins_status
add_specials(ins_vocabulary *vocabulary, const ins_json files[2],
             struct token_list *list, ins_error *error)
{
    ins_pack_tokenizer *tokenizer = &vocabulary->tokenizer;
    const struct {
        const char *key;
        const char *spelling;
        uint32_t *id; /* NULL: the model can do without */
    } specials[SPECIAL_COUNT] = {
        {"unk_token", "[UNK]", &tokenizer->unk_id},
        {"cls_token", "[CLS]", &tokenizer->cls_id},
        {"sep_token", "[SEP]", &tokenizer->sep_id},
        {"pad_token", "[PAD]", NULL},
        {"mask_token", "[MASK]", NULL},
    };

    for (size_t i = 0; i < SPECIAL_COUNT; i++) {
        int32_t id;

        INS_TRY(add_special(vocabulary, files, specials[i].key,
                            specials[i].spelling, list, &id, error));
        INS_CHECK(id >= 0 || specials[i].id == NULL, error, INS_BAD_SOURCE,
                  VOCAB_FILE " lacks the piece for \"%s\"", specials[i].key);
        if (specials[i].id != NULL)
            *specials[i].id = (uint32_t) id;
    }
    return INS_OK;
}

/* {"content": id}: tokens that somebody added to the vocabulary. */
static ins_status
add_others(const ins_json *json, struct token_list *list, ins_error *error)
{
    const char *content;
    json_t *id;

    json_object_foreach((json_t *) json->value, content, id)
    {
        ins_text text = {content, strlen(content)};
        json_int_t number = json_integer_value(id);

        if (!json_is_integer(id) || number < 0 ||
            number >= (json_int_t) INS_MAX_VOCABULARY)
            return ins_json_fail(json, content, "a token's id", error);
        if (!is_listed(list, text))
            list->tokens[list->count++] = (ins_added_token){
                (uint32_t) number, INS_ADDED_NORMALIZED, text};
    }
    return INS_OK;
}

static ins_status
add_tokens(ins_vocabulary *vocabulary, const ins_config *config,
           const ins_json files[2], const ins_json *added, const ins_host *host,
           ins_error *error)
{
    struct token_list list = {NULL, 0};
    size_t others = json_object_size(added->value);
    ins_status status;
    void *memory;

    INS_CHECK(others <= MAX_TEXT_TOKENS, error, INS_LIMIT_EXCEEDED,
              ADDED_FILE " has %zu tokens; the limit is %d", others,
              MAX_TEXT_TOKENS);
    INS_TRY(ins_alloc_zeroed(host, others + SPECIAL_COUNT,
                             sizeof(ins_added_token), &memory, error));
    list.tokens = memory;
    status = add_specials(vocabulary, files, &list, error);
    if (status == INS_OK)
        status = add_others(added, &list, error);
    if (status == INS_OK)
        status =
            ins_vocabulary_add_tokens(vocabulary, config, ADDED_FILE,
                                      list.tokens, list.count, host, error);
    ins_release(host, memory);
    return status;
}

/* ---- the whole ---------------------------------------------------------- */

ins_status
ins_vocabulary_read_text(ins_vocabulary *vocabulary, const ins_config *config,
                         const ins_import_source *source, ins_error *error)
{
    const ins_source_file *file = ins_import_find(source, VOCAB_FILE);
    /* The second one overrides, as in transformers. */
    ins_json files[2] = {{.value = NULL}, {.value = NULL}};
    ins_json added = {.value = NULL};
    ins_status status;

    INS_TRY(read_lines(vocabulary, (ins_text){file->data, (size_t) file->size},
                       config, source->host, error));
    status = ins_import_json_object(source, SPECIAL_FILE, &files[0], error);
    if (status == INS_OK)
        status = ins_import_json_object(source, CONFIG_FILE, &files[1], error);
    if (status == INS_OK)
        status = ins_import_json_object(source, ADDED_FILE, &added, error);
    if (status == INS_OK)
        status = read_settings(&vocabulary->tokenizer, &files[1], error);
    if (status == INS_OK)
        status =
            add_tokens(vocabulary, config, files, &added, source->host, error);
    ins_json_close(&files[0]);
    ins_json_close(&files[1]);
    ins_json_close(&added);
    return status;
}
