/*
 * test_bad_input_tokenizer.c - rows K: damaged tokenizer.json and vocab.txt.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/bad_case.h"

#define TOKENIZER "tokenizer.json"
#define VOCAB     "vocab.txt"

static void
k02_bom(tiny_model *model)
{
    tiny_replace(model, VOCAB, "[PAD]", "\xEF\xBB\xBF[PAD]");
}

static void
k02_no_final_newline(tiny_model *model)
{
    const ins_source_file *file = tiny_find(model, VOCAB);

    tiny_set(model, VOCAB, file->data, (size_t) file->size - 1);
}

static void
k02_nul(tiny_model *model)
{
    const ins_source_file *file = tiny_find(model, VOCAB);

    ((char *) (uintptr_t) file->data)[file->size - 2] = '\0';
}

static void
k02_long_line(tiny_model *model)
{
    size_t size = 1 << 20;
    char *line = malloc(size);

    if (line == NULL)
        abort();
    memset(line, 'x', size);
    tiny_set(model, VOCAB, line, size);
    free(line);
}

static void
k02_many_lines(tiny_model *model)
{
    size_t size = 4 << 20;
    char *lines = malloc(size);

    if (lines == NULL)
        abort();
    memset(lines, '\n', size);
    tiny_set(model, VOCAB, lines, size);
    free(lines);
}

/* Replaces from by before + count times body + after. */
static void
replace_by_many(tiny_model *model, const char *from, const char *before,
                const char *body, size_t count, const char *after)
{
    size_t length = strlen(body);
    char *to = malloc(strlen(before) + length * count + strlen(after) + 1);
    char *at = to;

    if (to == NULL)
        abort();
    at += sprintf(at, "%s", before);
    for (size_t i = 0; i < count; i++, at += length)
        memcpy(at, body, length);
    strcpy(at, after);
    if (!tiny_replace(model, TOKENIZER, from, to))
        abort();
    free(to);
}

static void
k11_long_piece(tiny_model *model)
{
    replace_by_many(model, "\"hello\"", "\"", "h", 65536, "\"");
}

static void
k13_many_added(tiny_model *model)
{
    replace_by_many(model, "\"added_tokens\":[", "\"added_tokens\":[",
                    "{\"id\":7,\"content\":\"x\"},", 5000,
                    "{\"id\":7,\"content\":\"x\"}],\"unused\":[");
}

static void
k13_paragraph(tiny_model *model)
{
    replace_by_many(model, "\"content\":\"[MASK]\"", "\"content\":\"",
                    "paragraph ", 200, "\"");
}

static void
k14_sequence(tiny_model *model)
{
    replace_by_many(model, "\"normalizer\":{",
                    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[",
                    "{\"type\":\"NFC\"},", 10000,
                    "{\"type\":\"NFC\"}]},\"unused\":{");
}

static void
k24_deep(tiny_model *model)
{
    replace_by_many(model, "\"decoder\":null", "\"decoder\":", "[", 1000000,
                    "");
}

static void
k26_no_files(tiny_model *model)
{
    tiny_remove(model, TOKENIZER);
}

#define EDIT(name, from, to, expected, words)                       \
    {                                                               \
        "test_" name, 0, TOKENIZER, from, to, NULL, expected, words \
    }
#define LINES(name, from, to, expected, words)                               \
    {                                                                        \
        "test_" name, TINY_VOCAB_TXT, VOCAB, from, to, NULL, expected, words \
    }
#define SETTINGS(name, from, to, expected, words)                              \
    {                                                                          \
        "test_" name, TINY_VOCAB_TXT, "tokenizer_config.json", from, to, NULL, \
            expected, words                                                    \
    }
#define ADDED(name, text, expected, words)                                   \
    {                                                                        \
        "test_" name, TINY_VOCAB_TXT, "added_tokens.json", NULL, text, NULL, \
            expected, words                                                  \
    }
#define DAMAGE(function, flags, expected, words)                              \
    {                                                                         \
        "test_" #function, flags, NULL, NULL, NULL, function, expected, words \
    }

static const bad_case cases[] = {
    EDIT("k01_empty", NULL, "", INS_BAD_SOURCE, "tokenizer.json is empty"),
    EDIT("k01_array", NULL, "[]", INS_BAD_SOURCE, "must hold a JSON object"),
    EDIT("k01_cut", NULL, "{\"version\":\"1.0\",", INS_BAD_SOURCE,
         "not valid JSON"),
    LINES("k02_empty", NULL, "", INS_BAD_SOURCE, "vocab.txt is empty"),
    LINES("k02_one_line", NULL, "[UNK]\n", INS_BAD_SOURCE,
          "lacks the piece for \"cls_token\""),
    LINES("k02_crlf", "hello\n", "hello\r\n", INS_OK, ""),
    LINES("k02_blank_line", "hello\n", "\n", INS_OK, ""),
    LINES("k02_duplicate", "hello\n", "the\n", INS_OK, ""),
    LINES("k02_invalid_utf8", "hello\n", "h\xC3(\n", INS_BAD_SOURCE,
          "line 24 is not UTF-8"),
    LINES("k02_too_many_lines", "hello\n", "hello\nmore\n", INS_BAD_SOURCE,
          "more lines than \"vocab_size\""),
    DAMAGE(k02_bom, TINY_VOCAB_TXT, INS_BAD_SOURCE, "byte-order mark"),
    DAMAGE(k02_no_final_newline, TINY_VOCAB_TXT, INS_OK, ""),
    DAMAGE(k02_nul, TINY_VOCAB_TXT, INS_BAD_SOURCE, "is not UTF-8 text"),
    DAMAGE(k02_long_line, TINY_VOCAB_TXT, INS_BAD_SOURCE,
           "longer than 1024 bytes"),
    DAMAGE(k02_many_lines, TINY_VOCAB_TXT, INS_BAD_SOURCE, "more lines"),
    SETTINGS("k03_other_class", "BertTokenizer", "RobertaTokenizer",
             INS_UNSUPPORTED, "\"tokenizer_class\" = \"RobertaTokenizer\""),
    SETTINGS("k03_no_basic_tokenize", "\"do_lower_case\":true",
             "\"do_basic_tokenize\":false", INS_UNSUPPORTED,
             "do_basic_tokenize"),
    SETTINGS("k03_never_split", "\"do_lower_case\":true",
             "\"never_split\":[\"a\"]", INS_UNSUPPORTED, "never_split"),
    SETTINGS("k03_no_such_cls", "{\"content\":\"[CLS]\"}", "\"<s>\"",
             INS_BAD_SOURCE, "lacks the piece for \"cls_token\""),
    SETTINGS("k03_cls_number", "{\"content\":\"[CLS]\"}", "5", INS_BAD_SOURCE,
             "must be a string, not 5"),
    SETTINGS("k04_cut", NULL, "{\"do_lower_case\":", INS_BAD_SOURCE,
             "not valid JSON"),
    SETTINGS("k04_cls_object_without_content", "{\"content\":\"[CLS]\"}", "{}",
             INS_OK, ""),
    SETTINGS("k04_lower_case_text", "\"do_lower_case\":true",
             "\"do_lower_case\":\"yes\"", INS_BAD_SOURCE, "true or false"),
    SETTINGS("k04_strip_accents", "\"do_lower_case\":true",
             "\"strip_accents\":false", INS_OK, ""),
    ADDED("k04_added_array", "[]", INS_BAD_SOURCE, "must hold a JSON object"),
    ADDED("k04_added_negative", "{\"x\":-1}", INS_BAD_SOURCE, "a token's id"),
    ADDED("k04_added_text", "{\"x\":\"1\"}", INS_BAD_SOURCE, "not \"1\""),
    ADDED("k04_added_beyond", "{\"<new>\":100000}", INS_BAD_SOURCE,
          "without an embedding"),
    ADDED("k04_added_other_id", "{\"hello\":7}", INS_BAD_SOURCE,
          "another piece's id"),
    ADDED("k04_added_empty", "{\"\":7}", INS_BAD_SOURCE, "empty or too long"),
    EDIT("k05_no_unk", "\"unk_token\":\"[UNK]\"", "\"unk_token\":\"<unk>\"",
         INS_BAD_SOURCE, "a piece of the vocabulary, not \"<unk>\""),
    EDIT("k05_cls_beyond", "\"ids\":[2]", "\"ids\":[9999]", INS_BAD_SOURCE,
         "special_tokens.[CLS]"),
    EDIT("k05_cls_negative", "\"ids\":[2]", "\"ids\":[-2]", INS_BAD_SOURCE,
         "does not have one valid id"),
    EDIT("k05_cls_two_ids", "\"ids\":[2]", "\"ids\":[2,2]", INS_BAD_SOURCE,
         "does not have one valid id"),
    EDIT("k05_sep_text", "\"ids\":[3]", "\"ids\":[\"3\"]", INS_BAD_SOURCE,
         "special_tokens.[SEP]"),
    EDIT("k05_cls_undefined", "\"id\":\"[CLS]\",\"type_id\"",
         "\"id\":\"<s>\",\"type_id\"", INS_BAD_SOURCE, "special_tokens.<s>"),
    EDIT("k05_id_beyond", "\"hello\":23", "\"hello\":999999", INS_BAD_SOURCE,
         "\"hello\" has an id without an embedding"),
    EDIT("k05_id_negative", "\"hello\":23", "\"hello\":-1", INS_BAD_SOURCE,
         "no valid id"),
    EDIT("k05_id_twice", "\"hello\":23", "\"hello\":22", INS_BAD_SOURCE,
         "has the id of another piece"),
    EDIT("k05_id_text", "\"hello\":23", "\"hello\":\"23\"", INS_BAD_SOURCE,
         "no valid id"),
    EDIT("k05_id_fraction", "\"hello\":23", "\"hello\":23.0", INS_BAD_SOURCE,
         "no valid id"),
    EDIT("k05_id_huge", "\"hello\":23", "\"hello\":99999999999999999999",
         INS_BAD_SOURCE, "not valid JSON"),
    EDIT("k05_hole", "\"hello\":23,", "", INS_OK, ""),
    EDIT("k06_word_level", "\"WordPiece\"", "\"WordLevel\"", INS_UNSUPPORTED,
         "\"model.type\" = \"WordLevel\" is not supported"),
    EDIT("k06_unigram", "\"WordPiece\"", "\"Unigram\"", INS_UNSUPPORTED,
         "\"Unigram\""),
    EDIT("k06_bpe", "\"WordPiece\"", "\"BPE\"", INS_UNSUPPORTED, "\"BPE\""),
    EDIT("k06_no_model", "\"model\":", "\"mode\":", INS_BAD_SOURCE,
         "\"model\" is missing"),
    EDIT("k06_no_vocab", "\"vocab\":", "\"voca\":", INS_BAD_SOURCE,
         "\"model.vocab\" is missing"),
    EDIT("k06_empty_vocab", "\"vocab\":{", "\"vocab\":{},\"unused\":{",
         INS_BAD_SOURCE, "vocabulary is empty"),
    EDIT("k06_vocab_array", "\"vocab\":{", "\"vocab\":[],\"unused\":{",
         INS_BAD_SOURCE, "must be an object"),
    EDIT("k09_mixed_added_tokens", "\"added_tokens\":[", "\"added_tokens\":[5,",
         INS_BAD_SOURCE, "a list of objects"),
    EDIT("k09_added_tokens_object", "\"added_tokens\":[",
         "\"added_tokens\":{},\"unused\":[", INS_BAD_SOURCE,
         "must be an array"),
    EDIT("k10_zero_word", "_per_word\":100", "_per_word\":0", INS_BAD_SOURCE,
         "from 1 to 1000, not 0"),
    EDIT("k10_negative_word", "_per_word\":100", "_per_word\":-1",
         INS_BAD_SOURCE, "not -1"),
    EDIT("k10_two_to_31_word", "_per_word\":100", "_per_word\":2147483648",
         INS_BAD_SOURCE, "not 2147483648"),
    EDIT("k10_text_word", "_per_word\":100", "_per_word\":\"100\"",
         INS_BAD_SOURCE, "not \"100\""),
    DAMAGE(k11_long_piece, 0, INS_BAD_SOURCE, "longer than 1024 bytes"),
    EDIT("k11_empty_piece", "\"hello\":23", "\"\":23", INS_OK, ""),
    EDIT("k11_empty_prefix", "\"continuing_subword_prefix\":\"##\"",
         "\"continuing_subword_prefix\":\"\"", INS_OK, ""),
    EDIT("k11_long_prefix", "\"continuing_subword_prefix\":\"##\"",
         "\"continuing_subword_prefix\":\"#################\"", INS_BAD_SOURCE,
         "at most 16 bytes"),
    EDIT("k11_nul_in_piece", "\"hello\":23", "\"h\\u0000\":23", INS_BAD_SOURCE,
         "not valid JSON"),
    DAMAGE(k13_many_added, 0, INS_LIMIT_EXCEEDED, "the limit is 4096"),
    DAMAGE(k13_paragraph, 0, INS_BAD_SOURCE, "empty or too long"),
    EDIT("k13_empty_content", "\"content\":\"[MASK]\"", "\"content\":\"\"",
         INS_BAD_SOURCE, "empty or too long"),
    EDIT("k13_no_content", "\"content\":\"[MASK]\",", "", INS_BAD_SOURCE,
         "\"added_tokens.content\" is missing"),
    EDIT("k13_no_id", "\"id\":4,\"content\"", "\"content\"", INS_BAD_SOURCE,
         "\"added_tokens.id\" is missing"),
    EDIT("k13_id_clash", "\"id\":4,\"content\"", "\"id\":3,\"content\"",
         INS_BAD_SOURCE, "another piece's id"),
    EDIT("k13_id_of_a_piece", "\"content\":\"[MASK]\"",
         "\"content\":\"<mask>\"", INS_BAD_SOURCE, "another piece's id"),
    EDIT("k13_id_beyond", "\"id\":4,\"content\":\"[MASK]\"",
         "\"id\":100000,\"content\":\"<new>\"", INS_BAD_SOURCE,
         "without an embedding"),
    EDIT("k13_twice", "\"added_tokens\":[",
         "\"added_tokens\":[{\"id\":4,\"content\":\"[MASK]\"},", INS_BAD_SOURCE,
         "another added token"),
    EDIT("k13_flag_text", "\"special\":true", "\"special\":\"true\"",
         INS_BAD_SOURCE, "true or false"),
    DAMAGE(k14_sequence, 0, INS_UNSUPPORTED,
           "\"normalizer.type\" = \"Sequence\""),
    EDIT("k14_replace", "\"BertNormalizer\"", "\"Replace\"", INS_UNSUPPORTED,
         "\"normalizer.type\" = \"Replace\" is not supported"),
    EDIT("k14_null", "\"normalizer\":{", "\"normalizer\":null,\"unused\":{",
         INS_UNSUPPORTED, "\"normalizer\" = null"),
    EDIT("k14_flag_number", "\"clean_text\":true", "\"clean_text\":1",
         INS_BAD_SOURCE, "normalizer.clean_text"),
    EDIT("k15_split_regex", "{\"type\":\"BertPreTokenizer\"}",
         "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+\"}}",
         INS_UNSUPPORTED, "\"pre_tokenizer.type\" = \"Split\""),
    EDIT("k15_null", "{\"type\":\"BertPreTokenizer\"}", "null", INS_UNSUPPORTED,
         "pre_tokenizer"),
    EDIT("k16_roberta_processing", "\"TemplateProcessing\"",
         "\"RobertaProcessing\"", INS_UNSUPPORTED, "RobertaProcessing"),
    EDIT("k16_no_post_processor", "\"post_processor\":{",
         "\"post_processor\":null,\"unused\":{", INS_UNSUPPORTED,
         "post_processor"),
    EDIT("k16_sequence_b", "\"id\":\"A\"", "\"id\":\"B\"", INS_UNSUPPORTED,
         "template"),
    EDIT("k16_other_type", "\"A\",\"type_id\":0", "\"A\",\"type_id\":1",
         INS_UNSUPPORTED, "template"),
    EDIT("k16_template_number", "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}",
         "5", INS_UNSUPPORTED, "template"),
    EDIT("k16_two_parts", ",{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}", "",
         INS_UNSUPPORTED, "template"),
    EDIT("k17_truncation_is_not_read", "\"truncation\":null",
         "\"truncation\":{\"max_length\":0,\"stride\":-1}", INS_OK, ""),
    EDIT("k22_no_characters", "\"a\":24", "\"zzz\":24", INS_OK, ""),
    EDIT("k23_decoder_is_not_read", "\"decoder\":null",
         "\"decoder\":[1,{\"type\":7}]", INS_OK, ""),
    DAMAGE(k24_deep, 0, INS_BAD_SOURCE, "deeper than 32"),
    EDIT("k26_version_2", "\"version\":\"1.0\"", "\"version\":\"2.0\"",
         INS_UNSUPPORTED, "\"version\" = \"2.0\" is not supported"),
    DAMAGE(k26_no_files, 0, INS_BAD_SOURCE, "vocab.txt are missing"),
};

int
main(void)
{
    return run_bad_cases("bad_input_tokenizer", cases,
                         sizeof(cases) / sizeof(cases[0]));
}
