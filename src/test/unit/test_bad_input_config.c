/*
 * test_bad_input_config.c - rows C: damaged config.json and the files of
 * sentence-transformers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/bad_case.h"

#define CONFIG  "config.json"
#define POOLING "1_Pooling/config.json"
#define MODULES "modules.json"
#define LEXICAL "insitu_lexical.json"

/* config.json with text put in front of its first key. */
static void
prepend(tiny_model *model, const char *text)
{
    char *to = malloc(strlen(text) + 32);

    if (to == NULL)
        abort();
    sprintf(to, "{%s,\"architectures\"", text);
    if (!tiny_replace(model, CONFIG, "{\"architectures\"", to))
        abort();
    free(to);
}

static void
c01_huge(tiny_model *model)
{
    size_t size = 5 << 20;
    char *text = malloc(size);

    if (text == NULL)
        abort();
    memset(text, ' ', size);
    tiny_set(model, CONFIG, text, size);
    free(text);
}

static void
c18_deep(tiny_model *model)
{
    size_t depth = 1000000;
    char *text = malloc(depth + 16);

    if (text == NULL)
        abort();
    strcpy(text, "\"x\":");
    memset(text + 4, '[', depth);
    text[4 + depth] = '\0';
    prepend(model, text);
    free(text);
}

static void
c18_many_keys(tiny_model *model)
{
    size_t count = 100000;
    char *text = malloc(count * 16);
    size_t at = 0;

    if (text == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        at += (size_t) sprintf(text + at, "%s\"k%zu\":0", i > 0 ? "," : "", i);
    prepend(model, text);
    free(text);
}

static void
c12_million_labels(tiny_model *model)
{
    size_t count = 100000;
    char *text = malloc(count * 24 + 32);
    size_t at;

    if (text == NULL)
        abort();
    at = (size_t) sprintf(text, "\"id2label\":{");
    for (size_t i = 0; i < count; i++)
        at += (size_t) sprintf(text + at, "%s\"%zu\":\"l%zu\"",
                               i > 0 ? "," : "", i, i);
    strcpy(text + at, "},\"unused\":{");
    if (!tiny_replace(model, CONFIG, "\"id2label\":{", text))
        abort();
    free(text);
}

static void
c12_long_label(tiny_model *model)
{
    char label[1100];

    memset(label, 'l', sizeof(label));
    label[sizeof(label) - 1] = '\0';
    tiny_replace(model, CONFIG, "billing", label);
}

static void
prompt_too_long(tiny_model *model)
{
    char text[1200];

    strcpy(text, "query: ");
    memset(text + 7, 'q', sizeof(text) - 7);
    text[sizeof(text) - 1] = '\0';
    tiny_replace(model, "config_sentence_transformers.json", "query: ", text);
}

static void
one_label(tiny_model *model)
{
    tiny_replace(model, CONFIG,
                 "{\"0\":\"billing\",\"1\":\"delivery\",\"2\":\"other\"}",
                 "{\"0\":\"score\"}");
    tiny_replace(model, CONFIG,
                 "\"problem_type\":\"single_label_classification\",", "");
}

#define EDIT(name, from, to, expected, words)                                  \
    {                                                                          \
        "test_" name, TINY_CLASSIFIER, CONFIG, from, to, NULL, expected, words \
    }
#define DISTIL(name, from, to, expected, words)                            \
    {                                                                      \
        "test_" name, TINY_DISTILBERT | TINY_CLASSIFIER, CONFIG, from, to, \
            NULL, expected, words                                          \
    }
#define SENTENCE(name, file, from, to, expected, words)                    \
    {                                                                      \
        "test_" name, TINY_SENTENCE, file, from, to, NULL, expected, words \
    }
#define DAMAGE(function, flags, expected, words)                              \
    {                                                                         \
        "test_" #function, flags, NULL, NULL, NULL, function, expected, words \
    }
/* A field added in front. */
#define ADD(name, field, expected, words)                                      \
    EDIT(name, "{\"architectures\"", "{" field ",\"architectures\"", expected, \
         words)

/* insitu_lexical.json. */
#define WORDS(name, from, to, words)                                         \
    {                                                                        \
        "test_" name, TINY_SENTENCE | TINY_LEXICAL, LEXICAL, from, to, NULL, \
            INS_BAD_SOURCE, words                                            \
    }

static const bad_case cases[] = {
    EDIT("c01_missing", NULL, NULL, INS_BAD_SOURCE, "config.json is missing"),
    EDIT("c01_empty", NULL, "", INS_BAD_SOURCE, "config.json is empty"),
    EDIT("c01_array", NULL, "[]", INS_BAD_SOURCE, "must hold a JSON object"),
    EDIT("c01_string", NULL, "\"bert\"", INS_BAD_SOURCE, "not valid JSON"),
    EDIT("c01_cut", NULL, "{\"model_type\":", INS_BAD_SOURCE, "not valid JSON"),
    DAMAGE(c01_huge, 0, INS_LIMIT_EXCEEDED, "the limit is 4194304"),
    EDIT("c02_no_model_type", "\"model_type\":\"bert\",", "", INS_BAD_SOURCE,
         "\"model_type\" is missing"),
    EDIT("c02_unknown_model_type", "\"model_type\":\"bert\"",
         "\"model_type\":\"gpt2\"", INS_UNSUPPORTED,
         "\"model_type\" = \"gpt2\" is not supported"),
    EDIT("c02_supported_are_listed", "\"model_type\":\"bert\"",
         "\"model_type\":\"gpt2\"", INS_UNSUPPORTED, "bert distilbert"),
    EDIT("c02_model_type_number", "\"model_type\":\"bert\"", "\"model_type\":7",
         INS_BAD_SOURCE, "must be a string, not 7"),
    EDIT("c03_negative_hidden", "\"hidden_size\":32", "\"hidden_size\":-32",
         INS_BAD_SOURCE, "not -32"),
    EDIT("c03_zero_hidden", "\"hidden_size\":32", "\"hidden_size\":0",
         INS_BAD_SOURCE, "not 0"),
    EDIT("c03_huge_hidden", "\"hidden_size\":32", "\"hidden_size\":2147483648",
         INS_BAD_SOURCE, "from 1 to 16384"),
    EDIT("c03_fraction", "\"hidden_size\":32", "\"hidden_size\":32.5",
         INS_BAD_SOURCE, "must be an integer"),
    EDIT("c03_text", "\"hidden_size\":32", "\"hidden_size\":\"32\"",
         INS_BAD_SOURCE, "not \"32\""),
    EDIT("c03_missing", "\"hidden_size\":32,", "", INS_BAD_SOURCE,
         "\"hidden_size\" is missing"),
    EDIT("c03_other_than_weights", "\"hidden_size\":32", "\"hidden_size\":64",
         INS_BAD_SOURCE, "does not have the shape"),
    EDIT("c04_zero_heads", "\"num_attention_heads\":4",
         "\"num_attention_heads\":0", INS_BAD_SOURCE, "num_attention_heads"),
    EDIT("c04_no_divisor", "\"num_attention_heads\":4",
         "\"num_attention_heads\":5", INS_BAD_SOURCE,
         "a divisor of \"hidden_size\" = 32, not 5"),
    EDIT("c04_more_than_hidden", "\"num_attention_heads\":4",
         "\"num_attention_heads\":64", INS_BAD_SOURCE, "divisor"),
    EDIT("c05_zero_layers", "\"num_hidden_layers\":2",
         "\"num_hidden_layers\":0", INS_BAD_SOURCE, "from 1 to 128"),
    EDIT("c05_billion_layers", "\"num_hidden_layers\":2",
         "\"num_hidden_layers\":1000000000", INS_BAD_SOURCE, "from 1 to 128"),
    EDIT("c05_more_than_weights", "\"num_hidden_layers\":2",
         "\"num_hidden_layers\":3", INS_BAD_SOURCE, "layer.2."),
    EDIT("c05_fewer_than_weights", "\"num_hidden_layers\":2",
         "\"num_hidden_layers\":1", INS_BAD_SOURCE,
         "\"num_hidden_layers\" is 1"),
    EDIT("c06_zero_intermediate", "\"intermediate_size\":64",
         "\"intermediate_size\":0", INS_BAD_SOURCE, "intermediate_size"),
    EDIT("c06_huge_intermediate", "\"intermediate_size\":64",
         "\"intermediate_size\":4294967295", INS_BAD_SOURCE, "65536"),
    EDIT("c07_zero_positions", "embeddings\":48", "embeddings\":0",
         INS_BAD_SOURCE, "from 2 to 32768, not 0"),
    EDIT("c07_one_position", "embeddings\":48", "embeddings\":1",
         INS_BAD_SOURCE, "not 1"),
    EDIT("c07_two_to_31", "embeddings\":48", "embeddings\":2147483648",
         INS_BAD_SOURCE, "32768"),
    EDIT("c07_other_than_weights", "embeddings\":48", "embeddings\":47",
         INS_BAD_SOURCE, "does not have the shape [47, 32]"),
    EDIT("c07_relative_positions", "\"absolute\"", "\"relative_key\"",
         INS_UNSUPPORTED,
         "\"position_embedding_type\" = \"relative_key\" is not supported"),
    EDIT("c08_zero_vocabulary", "\"vocab_size\":", "\"vocab_size\":0,\"x\":",
         INS_BAD_SOURCE, "\"vocab_size\""),
    EDIT("c08_two_to_31", "\"vocab_size\":", "\"vocab_size\":2147483648,\"x\":",
         INS_BAD_SOURCE, "4194304"),
    EDIT("c08_other_than_weights",
         "\"vocab_size\":", "\"vocab_size\":999,\"x\":", INS_BAD_SOURCE,
         "does not have the shape [999, 32]"),
    EDIT("c08_smaller_than_tokenizer", "\"vocab_size\":",
         "\"vocab_size\":50,\"x\":", INS_BAD_SOURCE, "without an embedding"),
    EDIT("c09_no_types", "\"type_vocab_size\":2", "\"type_vocab_size\":0",
         INS_BAD_SOURCE, "from 1 to 16"),
    EDIT("c09_other_than_weights", "\"type_vocab_size\":2",
         "\"type_vocab_size\":1", INS_BAD_SOURCE, "shape [1, 32]"),
    EDIT("c10_zero_epsilon", "1e-12", "0", INS_BAD_SOURCE, "layer_norm_eps"),
    EDIT("c10_negative_epsilon", "1e-12", "-1", INS_BAD_SOURCE, "not -1"),
    EDIT("c10_tiny_epsilon", "1e-12", "1e-30", INS_BAD_SOURCE, "from 1e-20"),
    EDIT("c10_huge_epsilon", "1e-12", "1e30", INS_BAD_SOURCE, "to 0.1"),
    EDIT("c10_text_epsilon", "1e-12", "\"NaN\"", INS_BAD_SOURCE, "not \"NaN\""),
    EDIT("c11_unknown_activation", "\"hidden_act\":\"gelu\"",
         "\"hidden_act\":\"silu\"", INS_UNSUPPORTED,
         "\"hidden_act\" = \"silu\" is not supported"),
    EDIT("c11_gelu_new", "\"hidden_act\":\"gelu\"",
         "\"hidden_act\":\"gelu_new\"", INS_OK, ""),
    EDIT("c12_no_labels", "\"id2label\":", "\"unused\":", INS_BAD_SOURCE,
         "does not have the shape [2, 32]"),
    EDIT("c12_default_labels",
         "\"id2label\":", "\"num_labels\":3,\"unused\":", INS_OK, ""),
    EDIT("c12_empty", "\"id2label\":{", "\"id2label\":{},\"unused\":{",
         INS_BAD_SOURCE, "from 1 to 65536"),
    EDIT("c12_gap", "\"1\":\"delivery\"", "\"3\":\"delivery\"", INS_BAD_SOURCE,
         "\"id2label.1\" is missing"),
    EDIT("c12_duplicate_label", "\"1\":\"delivery\"", "\"1\":\"billing\"",
         INS_BAD_SOURCE, "names \"billing\" twice"),
    EDIT("c12_duplicate_key", "\"1\":\"delivery\"", "\"0\":\"delivery\"",
         INS_BAD_SOURCE, "duplicate"),
    EDIT("c12_negative_key", "\"1\":\"delivery\"", "\"-1\":\"delivery\"",
         INS_BAD_SOURCE, "\"id2label.1\" is missing"),
    EDIT("c12_zero_padded_key", "\"1\":\"delivery\"", "\"01\":\"delivery\"",
         INS_BAD_SOURCE, "\"id2label.1\" is missing"),
    EDIT("c12_null_label", "\"1\":\"delivery\"", "\"1\":null", INS_BAD_SOURCE,
         "not null"),
    EDIT("c12_number_label", "\"1\":\"delivery\"", "\"1\":5", INS_BAD_SOURCE,
         "not 5"),
    EDIT("c12_nul_in_label", "delivery", "a\\u0000b", INS_BAD_SOURCE,
         "not valid JSON"),
    EDIT("c12_more_than_weights", "\"2\":\"other\"}",
         "\"2\":\"other\",\"3\":\"x\"}", INS_BAD_SOURCE, "shape [4, 32]"),
    EDIT("c12_array", "\"id2label\":{", "\"id2label\":[],\"unused\":{",
         INS_BAD_SOURCE, "must be an object"),
    EDIT("c12_count_disagrees", "\"id2label\":",
         "\"num_labels\":5,\"id2label\":", INS_BAD_SOURCE, "num_labels"),
    DAMAGE(c12_million_labels, TINY_CLASSIFIER, INS_BAD_SOURCE, "65536"),
    DAMAGE(c12_long_label, TINY_CLASSIFIER, INS_BAD_SOURCE, "1 to 1024"),
    EDIT("c13_label2id_is_not_asked", "\"delivery\":1", "\"delivery\":2",
         INS_OK, ""),
    EDIT("c14_regression", "\"single_label_classification\"", "\"regression\"",
         INS_UNSUPPORTED, "\"problem_type\" = \"regression\""),
    EDIT("c14_unknown", "\"single_label_classification\"", "\"ranking\"",
         INS_UNSUPPORTED, "\"ranking\" is not supported"),
    {"test_c14_one_label", TINY_CLASSIFIER, NULL, NULL, NULL, one_label,
     INS_UNSUPPORTED, "regression"},
    EDIT("c16_pad_beyond", "\"pad_token_id\":0", "\"pad_token_id\":9999",
         INS_BAD_SOURCE, "pad_token_id"),
    EDIT("c16_pad_negative", "\"pad_token_id\":0", "\"pad_token_id\":-1",
         INS_BAD_SOURCE, "not -1"),
    EDIT("c16_pad_missing", ",\"pad_token_id\":0", "", INS_OK, ""),
    ADD("c17_quantized", "\"quantization_config\":{\"bits\":4}",
        INS_UNSUPPORTED, "\"quantization_config\""),
    ADD("c17_auto_map", "\"auto_map\":{\"AutoModel\":\"m.M\"}", INS_UNSUPPORTED,
        "\"auto_map\""),
    ADD("c17_remote_code", "\"trust_remote_code\":true", INS_UNSUPPORTED,
        "\"trust_remote_code\" = true"),
    ADD("c17_decoder", "\"is_decoder\":true", INS_UNSUPPORTED,
        "\"is_decoder\" = true is not supported"),
    ADD("c17_cross_attention", "\"add_cross_attention\":true", INS_UNSUPPORTED,
        "\"add_cross_attention\" = true"),
    ADD("c17_pruned_heads", "\"pruned_heads\":{\"0\":[1]}", INS_UNSUPPORTED,
        "\"pruned_heads\""),
    ADD("c17_decoder_text", "\"is_decoder\":\"no\"", INS_BAD_SOURCE,
        "true or false, not \"no\""),
    DAMAGE(c18_deep, 0, INS_BAD_SOURCE, "deeper than 32"),
    DAMAGE(c18_many_keys, 0, INS_OK, ""),
    ADD("c18_duplicate_keys", "\"hidden_size\":32", INS_BAD_SOURCE,
        "duplicate"),
    EDIT("c18_trailing_text", "\"pad_token_id\":0}", "\"pad_token_id\":0}x",
         INS_BAD_SOURCE, "not valid JSON"),
    {"test_c20_head_without_tensors", 0, CONFIG, "BertModel",
     "BertForSequenceClassification", NULL, INS_BAD_SOURCE,
     "pooler.dense.weight\" is missing"},
    {"test_c20_tensors_without_head", TINY_CLASSIFIER, CONFIG,
     "BertForSequenceClassification", "BertModel", NULL, INS_OK, ""},
    EDIT("c20_token_classifier", "BertForSequenceClassification",
         "BertForTokenClassification", INS_UNSUPPORTED,
         "[\"BertForTokenClassification\"] is not supported"),
    EDIT("c20_two_architectures", "[\"Bert", "[\"BertModel\",\"Bert",
         INS_BAD_SOURCE, "a list of one name"),
    EDIT("c20_other_family", "[\"BertFor", "[\"DistilBertFor", INS_UNSUPPORTED,
         "is not supported"),
    EDIT("c20_number", "\"BertForSequenceClassification\"", "5", INS_BAD_SOURCE,
         "architectures"),
    DISTIL("c21_distil_layers", "\"n_layers\":2", "\"n_layers\":1",
           INS_BAD_SOURCE, "\"n_layers\" is 1"),
    DISTIL("c21_distil_heads", "\"n_heads\":4", "\"n_heads\":3", INS_BAD_SOURCE,
           "a divisor of \"dim\" = 32"),
    DISTIL("c21_distil_activation", "\"activation\":\"gelu\"",
           "\"activation\":\"mish\"", INS_UNSUPPORTED, "\"mish\""),
    SENTENCE("c22_dense_module", MODULES, "models.Normalize", "models.Dense",
             INS_UNSUPPORTED, "sentence_transformers.models.Dense"),
    SENTENCE("c22_foreign_module", MODULES,
             "sentence_transformers.models.Transformer", "my.Transformer",
             INS_UNSUPPORTED, "\"[0].type\" = \"my.Transformer\""),
    SENTENCE("c22_module_path", MODULES, "\"1_Pooling\"", "\"../../etc\"",
             INS_UNSUPPORTED, "\"../../etc\" is not supported"),
    SENTENCE("c22_no_modules", MODULES, NULL, "[]", INS_UNSUPPORTED,
             "0 modules"),
    SENTENCE("c22_modules_object", MODULES, NULL, "{}", INS_BAD_SOURCE,
             "a list of modules"),
    SENTENCE("c22_modules_numbers", MODULES, NULL, "[1,2]", INS_BAD_SOURCE,
             "a list of objects"),
    SENTENCE("c22_no_pooling_file", POOLING, NULL, NULL, INS_BAD_SOURCE,
             "1_Pooling/config.json is missing"),
    SENTENCE("c23_two_modes", POOLING, "cls_token\":false", "cls_token\":true",
             INS_UNSUPPORTED, "are both true"),
    SENTENCE("c23_no_mode", POOLING, "mean_tokens\":true",
             "mean_tokens\":false", INS_BAD_SOURCE, "no pooling mode"),
    SENTENCE("c23_last_token", POOLING, "lasttoken\":false", "lasttoken\":true",
             INS_UNSUPPORTED, "\"pooling_mode_lasttoken\" = true"),
    SENTENCE("c23_mode_text", POOLING, "mean_tokens\":true",
             "mean_tokens\":\"yes\"", INS_BAD_SOURCE, "true or false"),
    SENTENCE("c23_other_dimension", POOLING, "dimension\":32",
             "dimension\":384", INS_BAD_SOURCE, "from 32 to 32, not 384"),
    SENTENCE("c23_prompt_not_pooled", POOLING, "include_prompt\":true",
             "include_prompt\":false", INS_UNSUPPORTED, "include_prompt"),
    SENTENCE("c24_no_length", "sentence_bert_config.json", "40", "0",
             INS_BAD_SOURCE, "max_seq_length"),
    SENTENCE("c24_length_beyond_positions", "sentence_bert_config.json", "40",
             "100000", INS_OK, ""),
    SENTENCE("c24_length_null", "sentence_bert_config.json", "40", "null",
             INS_OK, ""),
    SENTENCE("c25_prompt_number", "config_sentence_transformers.json",
             "\"query: \"", "5", INS_BAD_SOURCE, "prompts.query"),
    SENTENCE("c25_prompt_nul", "config_sentence_transformers.json",
             "query: ", "a\\u0000", INS_BAD_SOURCE, "not valid JSON"),
    EDIT("c26_head_number", "{", "{\"insitu_head\":5,", INS_BAD_SOURCE,
         "insitu_head"),
    EDIT("c26_head_empty", "{", "{\"insitu_head\":{},", INS_BAD_SOURCE,
         "\"insitu_head.reads\" is missing"),
    EDIT("c26_head_reads", "{", "{\"insitu_head\":{\"reads\":\"last\"},",
         INS_UNSUPPORTED, "embedding, first_token"),
    EDIT("c26_head_dense", "{",
         "{\"insitu_head\":{\"reads\":\"first_token\",\"dense\":\"elu\"},",
         INS_UNSUPPORTED, "\"insitu_head.dense\" = \"elu\""),
    EDIT("c26_head_words_text", "{",
         "{\"insitu_head\":{\"reads\":\"first_token\",\"words\":\"all\"},",
         INS_BAD_SOURCE, "insitu_head.words"),
    EDIT("c26_head_words_many", "{",
         "{\"insitu_head\":{\"reads\":\"first_token\",\"words\":131072},",
         INS_BAD_SOURCE, "from 64 to 65536"),
    EDIT("c26_head_words_odd", "{",
         "{\"insitu_head\":{\"reads\":\"first_token\",\"words\":96},",
         INS_BAD_SOURCE, "a power of two, and with 3 labels 65536 at most"),
    {"test_c26_head_without_words", TINY_CLASSIFIER, CONFIG, "{",
     "{\"insitu_head\":{\"reads\":\"first_token\",\"words\":64},", NULL,
     INS_BAD_SOURCE, "tensor \"word_classifier.weight\" is missing"},
    {"test_c26_head_without_tensors", TINY_SENTENCE, CONFIG, "{",
     "{\"insitu_head\":{\"reads\":\"first_token\"},", NULL, INS_BAD_SOURCE,
     "tensor \"classifier.weight\" is missing"},
    EDIT("c26_head_without_embedding", "{",
         "{\"insitu_head\":{\"reads\":\"embedding\"},", INS_BAD_SOURCE,
         "modules.json"),
    WORDS("c27_lexical_empty", NULL, "{}", "\"size\" is missing"),
    WORDS("c27_lexical_list", NULL, "[]", "must hold a JSON object"),
    WORDS("c27_size_zero", "\"size\":200", "\"size\":0", "from 1 to 16384"),
    WORDS("c27_size_huge", "\"size\":200", "\"size\":4000000000", "16384"),
    WORDS("c27_saturation", "\"saturation\":1.5", "\"saturation\":-1",
          "from 0 to 1000"),
    WORDS("c27_no_document", "\"document\"", "\"x\"",
          "\"document\" is missing"),
    WORDS("c27_document_zero", "\"document\":0.5", "\"document\":0",
          "from 0.001 to 1000"),
    WORDS("c27_query_text", "\"query\":2", "\"query\":\"2\"", "not \"2\""),
    WORDS("c27_no_weights", "\"weights\"", "\"x\"", "\"weights\" is missing"),
    WORDS("c27_weights_object", "\"weights\":[", "\"weights\":{},\"x\":[",
          "must be an array"),
    WORDS("c27_one_weight_more", "[0,", "[0,0,", "not one for each"),
    WORDS("c27_one_weight_less", "[0,", "[", "not one for each"),
    WORDS("c27_weight_negative", "[0,", "[-1,", "weight 0 must be a number"),
    WORDS("c27_weight_huge", "[0,", "[1e7,", "weight 0 must be a number"),
    WORDS("c27_weight_null", "[0,0,", "[0,null,", "weight 1 must be a number"),
    {"test_c27_size_alone", TINY_SENTENCE | TINY_LEXICAL, LEXICAL,
     "\"saturation\":1.5,", "", NULL, INS_OK, ""},
    {"test_c25_prompt_too_long", TINY_SENTENCE, NULL, NULL, NULL,
     prompt_too_long, INS_LIMIT_EXCEEDED, "the limit is 1024"},
};

int
main(void)
{
    return run_bad_cases("bad_input_config", cases,
                         sizeof(cases) / sizeof(cases[0]));
}
