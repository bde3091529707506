/*
 * vocabulary.c - what tokenizer.json and vocab.txt have in common.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/vocabulary.h"

#include <string.h>

#include "base/memory.h"
#include "pack/piece_index.h"

/* ---- pieces ------------------------------------------------------------- */

ins_status
ins_vocabulary_open_pieces(ins_vocabulary *vocabulary, uint64_t count,
                           uint64_t bytes, const ins_host *host,
                           uint32_t **ends, char **text, ins_error *error)
{
    void *memory;

    INS_CHECK(bytes <= UINT32_MAX, error, INS_LIMIT_EXCEEDED,
              "the vocabulary has %llu bytes of text",
              (unsigned long long) bytes);
    INS_TRY(ins_alloc(host, count, sizeof(uint32_t), &memory, error));
    vocabulary->pieces.ends = *ends = memory;
    INS_TRY(ins_alloc(host, bytes, 1, &memory, error));
    vocabulary->pieces.bytes = *text = memory;
    vocabulary->pieces.count = (uint32_t) count;
    vocabulary->tokenizer.pieces = (uint32_t) count;
    return INS_OK;
}

ins_status
ins_vocabulary_build_index(ins_vocabulary *vocabulary, const ins_host *host,
                           ins_error *error)
{
    return ins_piece_index_build(&vocabulary->pieces, host, &vocabulary->index,
                                 &vocabulary->tokenizer.index_slots,
                                 &vocabulary->tokenizer.index_seed, error);
}

int32_t
ins_vocabulary_find(const ins_vocabulary *vocabulary, ins_text piece)
{
    ins_pack_view view = {.tokenizer = &vocabulary->tokenizer,
                          .pieces = vocabulary->pieces,
                          .piece_index = vocabulary->index};

    return ins_piece_index_find(&view, (ins_text){"", 0}, piece);
}

/* ---- added tokens ------------------------------------------------------- */

static bool
equals(ins_text a, ins_text b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static ins_status
fail_added(const char *file, const ins_added_token *token, const char *problem,
           ins_error *error)
{
    return ins_fail(error, INS_BAD_SOURCE, "%s: added token \"%.*s\" %s", file,
                    token->content.size < 64 ? (int) token->content.size : 64,
                    token->content.data, problem);
}

static ins_status
check_added(const ins_vocabulary *vocabulary, const ins_config *config,
            const char *file, const ins_added_token *token, ins_error *error)
{
    int32_t known;

    if (token->content.size < 1 || token->content.size > INS_MAX_PIECE_BYTES)
        return fail_added(file, token, "is empty or too long", error);
    if (token->id >= config->recipe.vocabulary) {
        fail_added(file, token, "has an id without an embedding", error);
        ins_fail_detail(error,
                        "Its id is %u; config.json says \"vocab_size\" = %u.",
                        token->id, config->recipe.vocabulary);
        return INS_BAD_SOURCE;
    }
    known = ins_vocabulary_find(vocabulary, token->content);
    if (known >= 0 ? (uint32_t) known != token->id
                   : token->id < vocabulary->pieces.count &&
                         ins_string_at(&vocabulary->pieces, token->id).size > 0)
        return fail_added(file, token, "has another piece's id", error);
    return INS_OK;
}

/* By id, so that equal models give equal packs; mostly sorted already. */
static void
sort_by_id(ins_added_token *tokens, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        ins_added_token token = tokens[i];
        size_t at = i;

        for (; at > 0 && tokens[at - 1].id > token.id; at--)
            tokens[at] = tokens[at - 1];
        tokens[at] = token;
    }
}

static ins_status
refuse_repeated(const char *file, const ins_added_token *tokens, size_t last,
                ins_error *error)
{
    for (size_t i = 0; i < last; i++) {
        if (tokens[i].id == tokens[last].id)
            return fail_added(file, &tokens[last],
                              "has the id of another added token", error);
        if (equals(tokens[i].content, tokens[last].content))
            return fail_added(file, &tokens[last], "is there twice", error);
    }
    return INS_OK;
}

ins_status
ins_vocabulary_add_tokens(ins_vocabulary *vocabulary, const ins_config *config,
                          const char *file, ins_added_token *tokens,
                          size_t count, const ins_host *host, ins_error *error)
{
    uint64_t bytes = 0;
    uint32_t at = 0;
    void *memory;

    for (size_t i = 0; i < count; i++) {
        if (i % 512 == 0)
            INS_TRY(ins_poll(host, error));
        INS_TRY(check_added(vocabulary, config, file, &tokens[i], error));
        INS_TRY(refuse_repeated(file, tokens, i, error));
        bytes += tokens[i].content.size;
    }
    sort_by_id(tokens, count);
    INS_TRY(ins_alloc_zeroed(host, count, sizeof(ins_pack_added_token), &memory,
                             error));
    vocabulary->added_tokens = memory;
    INS_TRY(ins_alloc(host, bytes, 1, &memory, error));
    vocabulary->added_bytes = memory;
    vocabulary->added_bytes_size = bytes;
    vocabulary->tokenizer.added_tokens = (uint32_t) count;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = (uint32_t) tokens[i].content.size;

        vocabulary->added_tokens[i] =
            (ins_pack_added_token){tokens[i].id, tokens[i].flags, at, size};
        memcpy(vocabulary->added_bytes + at, tokens[i].content.data, size);
        at += size;
    }
    return INS_OK;
}

/* ---- the whole ---------------------------------------------------------- */

static ins_status
read_files(ins_vocabulary *vocabulary, const ins_config *config,
           const ins_import_source *source, ins_error *error)
{
    ins_json json;
    ins_status status;

    INS_TRY(ins_import_json_object(source, "tokenizer.json", &json, error));
    if (json.value != NULL) {
        status = ins_vocabulary_read_json(vocabulary, config, &json,
                                          source->host, error);
        ins_json_close(&json);
        return status;
    }
    INS_CHECK(ins_import_find(source, "vocab.txt") != NULL, error,
              INS_BAD_SOURCE, "tokenizer.json and vocab.txt are missing");
    return ins_vocabulary_read_text(vocabulary, config, source, error);
}

static void
choose_pad(ins_vocabulary *vocabulary, const ins_config *config)
{
    int32_t pad = ins_vocabulary_find(vocabulary, (ins_text){"[PAD]", 5});

    vocabulary->tokenizer.pad_id = pad > 0 ? (uint32_t) pad : 0;
    if (config->has_pad_id)
        vocabulary->tokenizer.pad_id = config->pad_id;
}

ins_status
ins_vocabulary_read(ins_vocabulary *vocabulary, const ins_config *config,
                    const ins_import_source *source, ins_error *error)
{
    ins_pack_tokenizer *tokenizer = &vocabulary->tokenizer;

    *vocabulary = (ins_vocabulary){.index = NULL};
    INS_TRY(read_files(vocabulary, config, source, error));
    choose_pad(vocabulary, config);
    INS_CHECK(!config->must_lowercase ||
                  (tokenizer->flags & INS_TOKENIZER_LOWERCASE) != 0,
              error, INS_UNSUPPORTED,
              "sentence_bert_config.json: \"do_lower_case\" = true is not "
              "supported with a tokenizer that keeps case");
    tokenizer->query_prompt_bytes = config->query_prompt_bytes;
    tokenizer->document_prompt_bytes = config->document_prompt_bytes;
    memcpy(tokenizer->query_prompt, config->query_prompt, INS_MAX_PROMPT_BYTES);
    memcpy(tokenizer->document_prompt, config->document_prompt,
           INS_MAX_PROMPT_BYTES);
    return INS_OK;
}

void
ins_vocabulary_close(ins_vocabulary *vocabulary, const ins_host *host)
{
    ins_release(host, (void *) vocabulary->pieces.ends);
    ins_release(host, (void *) vocabulary->pieces.bytes);
    ins_release(host, vocabulary->index);
    ins_release(host, vocabulary->added_tokens);
    ins_release(host, vocabulary->added_bytes);
    *vocabulary = (ins_vocabulary){.index = NULL};
}
