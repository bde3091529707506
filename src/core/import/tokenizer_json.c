/*
 * tokenizer_json.c - tokenizer.json to the tokenizer sections of a pack.
 *
 * Source: the file that the "tokenizers" library writes, version 1.0.  Only
 * what BERT uses is supported; its blocks "truncation", "padding" and
 * "decoder" are not read, because length limits come from elsewhere and
 * nothing is padded or decoded here.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/memory.h"
#include "import/vocabulary.h"

#define DEFAULT_WORD_CHARS 100
#define DEFAULT_PREFIX     "##"

/* ---- normalizer and pre-tokenizer --------------------------------------- */

/* Opens the field, which must be an object of that type. */
static ins_status
open_typed(const ins_json *json, const char *key, const char *path,
           const char *type, ins_json *child, ins_error *error)
{
    const char *found = NULL;
    char detail[64];

    INS_TRY(ins_json_object(json, key, path, child, error));
    ins_format(detail, sizeof(detail), "Supported: %s.", type);
    if (child->value == NULL)
        return ins_json_fail_unsupported(json, key, detail, error);
    INS_TRY(ins_json_text(child, "type", &found, error));
    if (found == NULL)
        return ins_json_fail_missing(child, "type", error);
    if (strcmp(found, type) != 0)
        return ins_json_fail_unsupported(child, "type", detail, error);
    return INS_OK;
}

static ins_status
read_normalizer(ins_pack_tokenizer *tokenizer, const ins_json *json,
                ins_error *error)
{
    bool clean = true;
    bool chinese = true;
    bool lowercase = true;
    bool strip;
    ins_json normalizer;

    INS_TRY(open_typed(json, "normalizer", "normalizer.", "BertNormalizer",
                       &normalizer, error));
    INS_TRY(ins_json_bool(&normalizer, "clean_text", &clean, error));
    INS_TRY(
        ins_json_bool(&normalizer, "handle_chinese_chars", &chinese, error));
    INS_TRY(ins_json_bool(&normalizer, "lowercase", &lowercase, error));
    /* null: accents go when capitals go. */
    strip = lowercase;
    INS_TRY(ins_json_bool(&normalizer, "strip_accents", &strip, error));
    tokenizer->flags = (clean ? (uint32_t) INS_TOKENIZER_CLEAN : 0) |
                       (chinese ? (uint32_t) INS_TOKENIZER_CHINESE : 0) |
                       (strip ? (uint32_t) INS_TOKENIZER_STRIP_ACCENTS : 0) |
                       (lowercase ? (uint32_t) INS_TOKENIZER_LOWERCASE : 0);
    return INS_OK;
}

/* ---- model -------------------------------------------------------------- */

static ins_status
check_model_type(const ins_json *model, ins_error *error)
{
    const char *type = NULL;

    INS_TRY(ins_json_text(model, "type", &type, error));
    /* Files of the first versions do not name the type. */
    if (type == NULL && ins_json_has(model, "continuing_subword_prefix") &&
        ins_json_has(model, "max_input_chars_per_word"))
        return INS_OK;
    if (type == NULL)
        return ins_json_fail_missing(model, "type", error);
    if (strcmp(type, "WordPiece") != 0)
        return ins_json_fail_unsupported(model, "type", "Supported: WordPiece.",
                                         error);
    return INS_OK;
}

static ins_status
read_prefix(ins_pack_tokenizer *tokenizer, const ins_json *model,
            ins_error *error)
{
    const char *prefix = DEFAULT_PREFIX;
    size_t size;

    INS_TRY(ins_json_text(model, "continuing_subword_prefix", &prefix, error));
    size = strlen(prefix);
    if (size > INS_PREFIX_BYTES)
        return ins_json_fail(model, "continuing_subword_prefix",
                             "at most 16 bytes long", error);
    memcpy(tokenizer->prefix, prefix, size);
    tokenizer->prefix_bytes = (uint32_t) size;
    return INS_OK;
}

/* The vocabulary by id; holes have a NULL spelling. */
struct spellings {
    const char **texts; /* [count], borrowed from the JSON */
    uint64_t count;
    uint64_t bytes;
};

static ins_status
fail_piece(const ins_json *vocab, const char *piece, const char *problem,
           ins_error *error)
{
    return ins_fail(error, INS_BAD_SOURCE, "%s: piece \"%.*s\" %s", vocab->file,
                    64, piece, problem);
}

static ins_status
measure_vocab(const ins_json *vocab, const ins_config *config,
              struct spellings *spellings, ins_error *error)
{
    const char *piece;
    json_t *id;

    json_object_foreach((json_t *) vocab->value, piece, id)
    {
        size_t size = strlen(piece);
        json_int_t number = json_integer_value(id);

        if (size > INS_MAX_PIECE_BYTES)
            return fail_piece(vocab, piece, "is longer than 1024 bytes", error);
        if (!json_is_integer(id) || number < 0)
            return fail_piece(vocab, piece, "has no valid id", error);
        if (number >= (json_int_t) config->recipe.vocabulary) {
            fail_piece(vocab, piece, "has an id without an embedding", error);
            ins_fail_detail(
                error, "Its id is %lld; config.json says \"vocab_size\" = %u.",
                (long long) number, config->recipe.vocabulary);
            return INS_BAD_SOURCE;
        }
        if ((uint64_t) number >= spellings->count)
            spellings->count = (uint64_t) number + 1;
        spellings->bytes += size;
    }
    INS_CHECK(spellings->count > 0, error, INS_BAD_SOURCE,
              "%s: the vocabulary is empty", vocab->file);
    return INS_OK;
}

static ins_status
sort_vocab(const ins_json *vocab, struct spellings *spellings, ins_error *error)
{
    const char *piece;
    json_t *id;

    json_object_foreach((json_t *) vocab->value, piece, id)
    {
        const char **slot = &spellings->texts[json_integer_value(id)];

        if (*slot != NULL)
            return fail_piece(vocab, piece, "has the id of another piece",
                              error);
        *slot = piece;
    }
    return INS_OK;
}

static ins_status
store_vocab(ins_vocabulary *vocabulary, const struct spellings *spellings,
            const ins_host *host, ins_error *error)
{
    uint32_t *ends;
    char *text;
    uint32_t at = 0;

    INS_TRY(ins_vocabulary_open_pieces(vocabulary, spellings->count,
                                       spellings->bytes, host, &ends, &text,
                                       error));
    for (uint64_t i = 0; i < spellings->count; i++) {
        const char *piece = spellings->texts[i];
        size_t size = piece != NULL ? strlen(piece) : 0;

        if (size > 0)
            memcpy(text + at, piece, size);
        at += (uint32_t) size;
        ends[i] = at;
    }
    return ins_vocabulary_build_index(vocabulary, host, error);
}

static ins_status
read_vocab(ins_vocabulary *vocabulary, const ins_config *config,
           const ins_json *vocab, const ins_host *host, ins_error *error)
{
    struct spellings spellings = {NULL, 0, 0};
    ins_status status;
    void *memory;

    INS_TRY(measure_vocab(vocab, config, &spellings, error));
    INS_TRY(ins_alloc_zeroed(host, spellings.count, sizeof(char *), &memory,
                             error));
    spellings.texts = memory;
    status = sort_vocab(vocab, &spellings, error);
    if (status == INS_OK)
        status = store_vocab(vocabulary, &spellings, host, error);
    ins_release(host, memory);
    return status;
}

static ins_status
read_model(ins_vocabulary *vocabulary, const ins_config *config,
           const ins_json *json, const ins_host *host, ins_error *error)
{
    ins_pack_tokenizer *tokenizer = &vocabulary->tokenizer;
    const char *unknown = "[UNK]";
    ins_json model;
    ins_json vocab;
    int32_t id;

    INS_TRY(ins_json_object(json, "model", "model.", &model, error));
    if (model.value == NULL)
        return ins_json_fail_missing(json, "model", error);
    INS_TRY(check_model_type(&model, error));
    INS_TRY(read_prefix(tokenizer, &model, error));
    tokenizer->max_word_chars = DEFAULT_WORD_CHARS;
    INS_TRY(ins_json_u32(&model, "max_input_chars_per_word",
                         (ins_json_range){1, INS_MAX_WORD_CHARS},
                         &tokenizer->max_word_chars, error));
    INS_TRY(ins_json_object(&model, "vocab", "model.vocab.", &vocab, error));
    if (vocab.value == NULL)
        return ins_json_fail_missing(&model, "vocab", error);
    INS_TRY(read_vocab(vocabulary, config, &vocab, host, error));
    INS_TRY(ins_json_text(&model, "unk_token", &unknown, error));
    id = ins_vocabulary_find(vocabulary, (ins_text){unknown, strlen(unknown)});
    if (id < 0)
        return ins_json_fail(&model, "unk_token", "a piece of the vocabulary",
                             error);
    tokenizer->unk_id = (uint32_t) id;
    return INS_OK;
}

/* ---- post-processor: [CLS] A [SEP] -------------------------------------- */

static ins_status
fail_template(const ins_json *post, ins_error *error)
{
    ins_fail(error, INS_UNSUPPORTED,
             "%s: the template in \"%ssingle\" is not supported", post->file,
             post->path);
    ins_fail_detail(error, "Supported: a special token, the sequence A and a "
                           "special token, all of type 0.");
    return INS_UNSUPPORTED;
}

/* The id in {kind: {"id": ..., "type_id": 0}}, or NULL. */
static const char *
read_template_item(const json_t *item, const char *kind)
{
    const json_t *body = json_object_get(item, kind);
    const json_t *type = json_object_get(body, "type_id");

    if (json_object_size(item) != 1 || !json_is_integer(type) ||
        json_integer_value(type) != 0)
        return NULL;
    return json_string_value(json_object_get(body, "id"));
}

static ins_status
read_special_id(const ins_json *post, const ins_config *config,
                const char *name, uint32_t *id, ins_error *error)
{
    const json_t *tokens = json_object_get(post->value, "special_tokens");
    const json_t *ids = json_object_get(json_object_get(tokens, name), "ids");
    const json_t *value = json_array_get(ids, 0);
    json_int_t number = json_integer_value(value);

    INS_CHECK(json_array_size(ids) == 1 && json_is_integer(value) &&
                  number >= 0 &&
                  number < (json_int_t) config->recipe.vocabulary,
              error, INS_BAD_SOURCE,
              "%s: \"%sspecial_tokens.%.*s\" does not have one valid id",
              post->file, post->path, 64, name);
    *id = (uint32_t) number;
    return INS_OK;
}

static ins_status
read_template(ins_pack_tokenizer *tokenizer, const ins_config *config,
              const ins_json *post, ins_error *error)
{
    const json_t *single = NULL;
    const char *first;
    const char *sequence;
    const char *last;

    INS_TRY(ins_json_array(post, "single", &single, error));
    if (json_array_size(single) != 3)
        return fail_template(post, error);
    first = read_template_item(json_array_get(single, 0), "SpecialToken");
    sequence = read_template_item(json_array_get(single, 1), "Sequence");
    last = read_template_item(json_array_get(single, 2), "SpecialToken");
    if (first == NULL || sequence == NULL || last == NULL ||
        strcmp(sequence, "A") != 0)
        return fail_template(post, error);
    INS_TRY(read_special_id(post, config, first, &tokenizer->cls_id, error));
    return read_special_id(post, config, last, &tokenizer->sep_id, error);
}

/* ["[SEP]", 102] */
static ins_status
read_pair(const ins_json *post, const ins_config *config, const char *key,
          uint32_t *id, ins_error *error)
{
    const json_t *pair = NULL;
    const json_t *value;
    json_int_t number;

    INS_TRY(ins_json_array(post, key, &pair, error));
    value = json_array_get(pair, 1);
    number = json_integer_value(value);
    if (json_array_size(pair) != 2 || !json_is_integer(value) || number < 0 ||
        number >= (json_int_t) config->recipe.vocabulary)
        return ins_json_fail(post, key, "a token and its valid id", error);
    *id = (uint32_t) number;
    return INS_OK;
}

static ins_status
read_post_processor(ins_pack_tokenizer *tokenizer, const ins_config *config,
                    const ins_json *json, ins_error *error)
{
    static const char supported[] =
        "Supported: TemplateProcessing, BertProcessing.";
    const char *type = NULL;
    ins_json post;

    INS_TRY(ins_json_object(json, "post_processor", "post_processor.", &post,
                            error));
    if (post.value == NULL)
        return ins_json_fail_unsupported(json, "post_processor", supported,
                                         error);
    INS_TRY(ins_json_text(&post, "type", &type, error));
    if (type == NULL)
        return ins_json_fail_missing(&post, "type", error);
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(tokenizer, config, &post, error);
    if (strcmp(type, "BertProcessing") != 0)
        return ins_json_fail_unsupported(&post, "type", supported, error);
    INS_TRY(read_pair(&post, config, "cls", &tokenizer->cls_id, error));
    return read_pair(&post, config, "sep", &tokenizer->sep_id, error);
}

/* ---- added tokens ------------------------------------------------------- */

static ins_status
read_added_token(const ins_json *token, ins_added_token *added,
                 ins_error *error)
{
    static const struct {
        const char *key;
        uint32_t flag;
    } flags[] = {
        {"special", INS_ADDED_SPECIAL},
        {"lstrip", INS_ADDED_LSTRIP},
        {"rstrip", INS_ADDED_RSTRIP},
        {"single_word", INS_ADDED_SINGLE_WORD},
        {"normalized", INS_ADDED_NORMALIZED},
    };
    const char *content = NULL;

    if (!json_is_object(token->value))
        return ins_fail(error, INS_BAD_SOURCE,
                        "%s: \"added_tokens\" must be a list of objects",
                        token->file);
    if (!ins_json_has(token, "id"))
        return ins_json_fail_missing(token, "id", error);
    INS_TRY(ins_json_u32(token, "id", (ins_json_range){0, INS_MAX_VOCABULARY},
                         &added->id, error));
    INS_TRY(ins_json_text(token, "content", &content, error));
    if (content == NULL)
        return ins_json_fail_missing(token, "content", error);
    added->content = (ins_text){content, strlen(content)};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        bool is_set = false;

        INS_TRY(ins_json_bool(token, flags[i].key, &is_set, error));
        if (is_set)
            added->flags |= flags[i].flag;
    }
    return INS_OK;
}

static ins_status
store_added_tokens(ins_vocabulary *vocabulary, const ins_config *config,
                   const ins_json *json, const json_t *list,
                   ins_added_token *tokens, const ins_host *host,
                   ins_error *error)
{
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count; i++) {
        ins_json token = {json->file, "added_tokens.", json->status,
                          json_array_get(list, i)};

        INS_TRY(read_added_token(&token, &tokens[i], error));
    }
    return ins_vocabulary_add_tokens(vocabulary, config, json->file, tokens,
                                     count, host, error);
}

static ins_status
read_added_tokens(ins_vocabulary *vocabulary, const ins_config *config,
                  const ins_json *json, const ins_host *host, ins_error *error)
{
    const json_t *list = NULL;
    ins_status status;
    void *memory;

    INS_TRY(ins_json_array(json, "added_tokens", &list, error));
    INS_CHECK(json_array_size(list) <= INS_MAX_ADDED_TOKENS, error,
              INS_LIMIT_EXCEEDED, "%s has %zu added tokens; the limit is %d",
              json->file, json_array_size(list), INS_MAX_ADDED_TOKENS);
    INS_TRY(ins_alloc_zeroed(host, json_array_size(list),
                             sizeof(ins_added_token), &memory, error));
    status =
        store_added_tokens(vocabulary, config, json, list, memory, host, error);
    ins_release(host, memory);
    return status;
}

/* ---- the whole ---------------------------------------------------------- */

ins_status
ins_vocabulary_read_json(ins_vocabulary *vocabulary, const ins_config *config,
                         const ins_json *json, const ins_host *host,
                         ins_error *error)
{
    ins_pack_tokenizer *tokenizer = &vocabulary->tokenizer;
    const char *version = "1.0";
    ins_json pre;

    INS_TRY(ins_json_text(json, "version", &version, error));
    if (strcmp(version, "1.0") != 0)
        return ins_json_fail_unsupported(json, "version", "Supported: 1.0.",
                                         error);
    INS_TRY(read_normalizer(tokenizer, json, error));
    INS_TRY(open_typed(json, "pre_tokenizer", "pre_tokenizer.",
                       "BertPreTokenizer", &pre, error));
    INS_TRY(read_model(vocabulary, config, json, host, error));
    INS_TRY(read_post_processor(tokenizer, config, json, error));
    return read_added_tokens(vocabulary, config, json, host, error);
}
