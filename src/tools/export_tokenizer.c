/*
 * export_tokenizer.c - the tokenizer of a pack to tokenizer.json and the files
 * before it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "pack/piece_index.h"
#include "tools/export.h"

static json_t *
pack_json(json_t *value)
{
    if (value == NULL)
        export_fail("out of memory");
    return value;
}

/* The spelling of an id: a piece or an added token. */
static ins_text
spell(const ins_pack_view *view, uint32_t id)
{
    if (id < view->pieces.count && ins_string_at(&view->pieces, id).size > 0)
        return ins_string_at(&view->pieces, id);
    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *token = &view->added_tokens[i];

        if (token->id == id)
            return (ins_text){view->added_bytes + token->start, token->bytes};
    }
    export_fail("token %u has no spelling", id);
}

/* Of two equal spellings only the one with the higher id is ever found. */
static bool
is_found(const ins_pack_view *view, uint32_t id)
{
    ins_text piece = ins_string_at(&view->pieces, id);

    return piece.size > 0 &&
           ins_piece_index_find(view, (ins_text){"", 0}, piece) == (int32_t) id;
}

/* ---- tokenizer.json ------------------------------------------------------ */

static json_t *
make_vocabulary(const ins_pack_view *view)
{
    json_t *vocabulary = pack_json(json_object());

    for (uint32_t i = 0; i < view->pieces.count; i++) {
        ins_text piece = ins_string_at(&view->pieces, i);

        if (is_found(view, i) &&
            json_object_setn_new(vocabulary, piece.data, piece.size,
                                 json_integer(i)) != 0)
            export_fail("piece %u is not a JSON key", i);
    }
    return vocabulary;
}

static json_t *
make_model(const ins_pack_view *view)
{
    const ins_pack_tokenizer *tokenizer = view->tokenizer;
    ins_text prefix = {tokenizer->prefix, tokenizer->prefix_bytes};

    return pack_json(
        json_pack("{s:s, s:o, s:o, s:i, s:o}", "type", "WordPiece", "unk_token",
                  export_string(spell(view, tokenizer->unk_id)),
                  "continuing_subword_prefix", export_string(prefix),
                  "max_input_chars_per_word", (int) tokenizer->max_word_chars,
                  "vocab", make_vocabulary(view)));
}

static json_t *
make_added_tokens(const ins_pack_view *view)
{
    json_t *list = pack_json(json_array());

    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *token = &view->added_tokens[i];
        ins_text text = {view->added_bytes + token->start, token->bytes};
        uint32_t flags = token->flags;

        json_array_append_new(
            list, pack_json(json_pack(
                      "{s:i, s:o, s:b, s:b, s:b, s:b, s:b}", "id",
                      (int) token->id, "content", export_string(text),
                      "single_word", (flags & INS_ADDED_SINGLE_WORD) != 0,
                      "lstrip", (flags & INS_ADDED_LSTRIP) != 0, "rstrip",
                      (flags & INS_ADDED_RSTRIP) != 0, "normalized",
                      (flags & INS_ADDED_NORMALIZED) != 0, "special",
                      (flags & INS_ADDED_SPECIAL) != 0)));
    }
    return list;
}

static json_t *
special(const ins_pack_view *view, uint32_t id, int type)
{
    return pack_json(json_pack("{s:{s:o, s:i}}", "SpecialToken", "id",
                               export_string(spell(view, id)), "type_id",
                               type));
}

static json_t *
sequence(const char *name, int type)
{
    return pack_json(
        json_pack("{s:{s:s, s:i}}", "Sequence", "id", name, "type_id", type));
}

/* [CLS] A [SEP], and for a pair [CLS] A [SEP] B [SEP]. */
static json_t *
make_post_processor(const ins_pack_view *view)
{
    uint32_t ids[2] = {view->tokenizer->cls_id, view->tokenizer->sep_id};
    json_t *specials = pack_json(json_object());

    for (int i = 0; i < 2; i++) {
        ins_text name = spell(view, ids[i]);
        json_t *entry = pack_json(
            json_pack("{s:o, s:[i], s:[o]}", "id", export_string(name), "ids",
                      (int) ids[i], "tokens", export_string(name)));

        if (json_object_setn_new(specials, name.data, name.size, entry) != 0)
            export_fail("out of memory");
    }
    return pack_json(
        json_pack("{s:s, s:[o, o, o], s:[o, o, o, o, o], s:o}", "type",
                  "TemplateProcessing", "single", special(view, ids[0], 0),
                  sequence("A", 0), special(view, ids[1], 0), "pair",
                  special(view, ids[0], 0), sequence("A", 0),
                  special(view, ids[1], 0), sequence("B", 1),
                  special(view, ids[1], 1), "special_tokens", specials));
}

static void
write_tokenizer(const export_job *job)
{
    const ins_pack_view *view = job->view;
    uint32_t flags = view->tokenizer->flags;
    ins_text prefix = {view->tokenizer->prefix, view->tokenizer->prefix_bytes};
    json_t *tokenizer = pack_json(json_pack(
        "{s:s, s:n, s:n, s:o, s:{s:s, s:b, s:b, s:b, s:b}, s:{s:s}, s:o}",
        "version", "1.0", "truncation", "padding", "added_tokens",
        make_added_tokens(view), "normalizer", "type", "BertNormalizer",
        "clean_text", (flags & INS_TOKENIZER_CLEAN) != 0,
        "handle_chinese_chars", (flags & INS_TOKENIZER_CHINESE) != 0,
        "strip_accents", (flags & INS_TOKENIZER_STRIP_ACCENTS) != 0,
        "lowercase", (flags & INS_TOKENIZER_LOWERCASE) != 0, "pre_tokenizer",
        "type", "BertPreTokenizer", "post_processor",
        make_post_processor(view)));

    json_object_set_new(
        tokenizer, "decoder",
        pack_json(json_pack("{s:s, s:o, s:b}", "type", "WordPiece", "prefix",
                            export_string(prefix), "cleanup", 1)));
    json_object_set_new(tokenizer, "model", make_model(view));
    export_json(job, "tokenizer.json", tokenizer);
}

/* ---- the files before it ------------------------------------------------- */

static void
put_specials(const ins_pack_view *view, json_t *object)
{
    const ins_pack_tokenizer *tokenizer = view->tokenizer;
    const ins_text mask = {"[MASK]", 6};

    json_object_set_new(object, "unk_token",
                        export_string(spell(view, tokenizer->unk_id)));
    json_object_set_new(object, "cls_token",
                        export_string(spell(view, tokenizer->cls_id)));
    json_object_set_new(object, "sep_token",
                        export_string(spell(view, tokenizer->sep_id)));
    json_object_set_new(object, "pad_token",
                        export_string(spell(view, tokenizer->pad_id)));
    if (ins_piece_index_find(view, (ins_text){"", 0}, mask) >= 0)
        json_object_set_new(object, "mask_token", export_string(mask));
}

static void
write_settings(const export_job *job)
{
    const ins_pack_view *view = job->view;
    uint32_t flags = view->tokenizer->flags;
    bool is_bert = strcmp(job->architecture->model_type, "bert") == 0;
    json_t *settings = pack_json(json_pack(
        "{s:s, s:b, s:b, s:b, s:i}", "tokenizer_class",
        is_bert ? "BertTokenizer" : "DistilBertTokenizer", "do_lower_case",
        (flags & INS_TOKENIZER_LOWERCASE) != 0, "strip_accents",
        (flags & INS_TOKENIZER_STRIP_ACCENTS) != 0, "tokenize_chinese_chars",
        (flags & INS_TOKENIZER_CHINESE) != 0, "model_max_length",
        (int) view->recipe->max_tokens));
    json_t *specials = pack_json(json_object());

    put_specials(view, settings);
    export_json(job, "tokenizer_config.json", settings);
    put_specials(view, specials);
    export_json(job, "special_tokens_map.json", specials);
}

/* One line per piece: none may be empty or hold the end of a line. */
static bool
fits_lines(const ins_pack_view *view)
{
    for (uint32_t i = 0; i < view->pieces.count; i++) {
        ins_text piece = ins_string_at(&view->pieces, i);

        if (piece.size == 0 || memchr(piece.data, '\n', piece.size) != NULL ||
            memchr(piece.data, '\r', piece.size) != NULL)
            return false;
    }
    return true;
}

static void
write_vocabulary(const export_job *job)
{
    const ins_string_table *pieces = &job->view->pieces;
    size_t size = pieces->ends[pieces->count - 1] + (size_t) pieces->count;
    char *lines = malloc(size);
    size_t at = 0;

    if (lines == NULL)
        export_fail("out of memory");
    for (uint32_t i = 0; i < pieces->count; i++) {
        ins_text piece = ins_string_at(pieces, i);

        memcpy(lines + at, piece.data, piece.size);
        at += piece.size;
        lines[at++] = '\n';
    }
    export_bytes(job, "vocab.txt", lines, at);
    free(lines);
}

void
export_tokenizer(const export_job *job)
{
    write_tokenizer(job);
    write_settings(job);
    if (fits_lines(job->view))
        write_vocabulary(job);
}
