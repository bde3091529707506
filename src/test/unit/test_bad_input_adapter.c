/*
 * test_bad_input_adapter.c - rows A: adapters that are damaged, or of a kind
 * that is not supported.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <math.h>
#include <string.h>

#include "unit/bad_case.h"
#include "unit/tiny_adapter.h"

#define BASE_CONFIG "base/config.json"

#define QUERY "base_model.model.bert.encoder.layer.0.attention.self.query."

/* ---- adapters, which the edits then damage ------------------------------- */

static void
make_adapter(tiny_model *model, unsigned flags, unsigned adapter_flags)
{
    tiny_close(model);
    tiny_adapter_open(model, NULL, flags, adapter_flags);
}

static void
lora(tiny_model *model)
{
    make_adapter(model, TINY_CLASSIFIER, ADAPTER_LORA);
}

static void
lora_of_encoder(tiny_model *model)
{
    make_adapter(model, TINY_SENTENCE, ADAPTER_LORA);
}

/* A head of four labels over a base of three. */
static void
lora_and_head(tiny_model *model)
{
    make_adapter(model, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_HEAD);
}

static void
head_alone(tiny_model *model)
{
    make_adapter(model, TINY_SENTENCE, ADAPTER_HEAD);
}

static void
patterns(tiny_model *model)
{
    make_adapter(model, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_PATTERNS);
}

static void
biases(tiny_model *model)
{
    make_adapter(model, TINY_CLASSIFIER, ADAPTER_LORA | ADAPTER_BIASES);
}

/* An own head on the base, which "task_type" says nothing about. */
static void
task_over_own_head(tiny_model *model)
{
    make_adapter(model, TINY_SENTENCE, ADAPTER_LORA | ADAPTER_HEAD);
    tiny_replace(model, BASE_CONFIG, "{",
                 "{\"insitu_head\":{\"reads\":\"embedding\"},");
}

static void
other_encoder(tiny_model *model)
{
    lora(model);
    tiny_set_text(model, "config.json", "{\"num_attention_heads\":2}");
}

static void
quantised_config(tiny_model *model)
{
    lora(model);
    tiny_set_text(model, "config.json", "{\"quantization_config\":{\"a\":1}}");
}

static void
config_is_no_object(tiny_model *model)
{
    lora(model);
    tiny_set_text(model, "config.json", "[]");
}

static void
set_names(tiny_model *model, size_t count)
{
    char text[8192] = "\"exclude_modules\":[";

    lora(model);
    for (size_t i = 0; i < count; i++)
        strcat(text, i == 0 ? "\"x\"" : ",\"x\"");
    strcat(text, "],\"bias\"");
    tiny_replace(model, ADAPTER_CONFIG, "\"bias\"", text);
}

static void
too_many_names(tiny_model *model)
{
    set_names(model, 1025);
}

static void
many_names(tiny_model *model)
{
    set_names(model, 1024);
}

static void
pickle(tiny_model *model)
{
    lora(model);
    tiny_remove(model, ADAPTER_WEIGHTS);
    tiny_set(model, "adapter_model.bin", NULL, 100);
}

static void
whole_model_too(tiny_model *model)
{
    lora(model);
    tiny_set_text(model, "model.safetensors", "weights");
}

static void
base_is_adapter(tiny_model *model)
{
    lora(model);
    tiny_set_text(model, "base/adapter_config.json", "{}");
}

static void
no_tensor(tiny_model *model)
{
    lora(model);
    tiny_set_header(model, ADAPTER_WEIGHTS, "{}", 2, 0);
}

/* The last value of the file, of lora_B, becomes a float of those bits. */
static void
set_last_value(tiny_model *model, float value)
{
    const ins_source_file *file;

    lora(model);
    file = tiny_find(model, ADAPTER_WEIGHTS);
    memcpy((char *) (uintptr_t) file->data + file->size - sizeof(value), &value,
           sizeof(value));
}

static void
not_a_number(tiny_model *model)
{
    set_last_value(model, NAN);
}

static void
too_large_a_sum(tiny_model *model)
{
    set_last_value(model, 3e38f);
    tiny_replace(model, ADAPTER_CONFIG, "\"lora_alpha\":8",
                 "\"lora_alpha\":1e9");
}

/* ---- rows ---------------------------------------------------------------- */

#define MAKE(name, make, status, words)                \
    {                                                  \
        name, 0, NULL, NULL, NULL, make, status, words \
    }
#define SET(name, make, from, to, status, words)               \
    {                                                          \
        name, 0, ADAPTER_CONFIG, from, to, make, status, words \
    }
#define TENSOR(name, make, from, to, status, words)             \
    {                                                           \
        name, 0, ADAPTER_WEIGHTS, from, to, make, status, words \
    }
/* A setting that the writer leaves out. */
#define ADD(name, setting, status, words) \
    SET(name, lora, "{", "{" setting ",", status, words)

static const bad_case cases[] = {
    MAKE("a00_as_it_is", lora, INS_OK, ""),

    /* adapter_config.json */
    {"a01_no_json", 0, ADAPTER_CONFIG, NULL, "{", lora, INS_BAD_SOURCE,
     "adapter_config.json is not valid JSON"},
    {"a01_no_object", 0, ADAPTER_CONFIG, NULL, "[]", lora, INS_BAD_SOURCE,
     "must hold a JSON object"},
    SET("a02_no_type", lora, "\"peft_type\":\"LORA\",", "", INS_BAD_SOURCE,
        "\"peft_type\" is missing"),
    SET("a02_other_type", lora, "\"LORA\"", "\"IA3\"", INS_UNSUPPORTED,
        "\"peft_type\" = \"IA3\" is not supported"),
    SET("a02_remedy", lora, "\"LORA\"", "\"LOHA\"", INS_UNSUPPORTED,
        "merge_and_unload()"),
    SET("a03_dora", lora, "\"use_dora\":false", "\"use_dora\":true",
        INS_UNSUPPORTED, "\"use_dora\" = true is not supported"),
    SET("a03_fan_in_fan_out", lora, "\"fan_in_fan_out\":false",
        "\"fan_in_fan_out\":true", INS_UNSUPPORTED, "fan_in_fan_out"),
    SET("a03_layers", lora, "\"layers_to_transform\":null",
        "\"layers_to_transform\":[0]", INS_UNSUPPORTED, "layers_to_transform"),
    SET("a03_loftq", lora, "\"loftq_config\":{}",
        "\"loftq_config\":{\"bits\":4}", INS_UNSUPPORTED, "loftq_config"),
    ADD("a03_unknown_off", "\"use_new\":false,\"new_list\":[]", INS_OK, ""),
    ADD("a03_runtime", "\"runtime_config\":{\"ephemeral_gpu_offload\":false}",
        INS_OK, ""),
    ADD("a03_unknown_on", "\"use_new\":true", INS_UNSUPPORTED, "\"use_new\""),
    ADD("a03_unknown_number", "\"new_size\":2", INS_UNSUPPORTED, "new_size"),
    SET("a04_initialised_otherwise", lora, "\"init_lora_weights\":true",
        "\"init_lora_weights\":\"pissa\"", INS_UNSUPPORTED,
        "changed the base's weights"),
    SET("a04_initialised_gaussian", lora, "\"init_lora_weights\":true",
        "\"init_lora_weights\":\"gaussian\"", INS_OK, ""),
    SET("a05_other_task", lora, "\"task_type\":null",
        "\"task_type\":\"TOKEN_CLS\"", INS_UNSUPPORTED,
        "SEQ_CLS, FEATURE_EXTRACTION"),
    SET("a05_task_number", lora, "\"task_type\":null", "\"task_type\":1",
        INS_BAD_SOURCE, "a string"),
    SET("a06_bias", lora, "\"bias\":\"none\"", "\"bias\":\"some\"",
        INS_UNSUPPORTED, "\"bias\" = \"some\""),
    SET("a06_bias_unasked", biases, "\"bias\":\"all\"", "\"bias\":\"none\"",
        INS_BAD_SOURCE, "modules_to_save"),
    SET("a07_no_rank", lora, "\"r\":4,", "", INS_BAD_SOURCE,
        "\"r\" is missing"),
    SET("a07_rank_zero", lora, "\"r\":4", "\"r\":0", INS_BAD_SOURCE,
        "from 1 to 1024, not 0"),
    SET("a07_rank_huge", lora, "\"r\":4", "\"r\":4294967300", INS_BAD_SOURCE,
        "from 1 to 1024"),
    SET("a07_rank_text", lora, "\"r\":4", "\"r\":\"4\"", INS_BAD_SOURCE,
        "not \"4\""),
    SET("a07_other_rank", lora, "\"r\":4", "\"r\":8", INS_BAD_SOURCE,
        "does not have the shape [8, 32]"),
    SET("a08_no_alpha", lora, "\"lora_alpha\":8,", "", INS_BAD_SOURCE,
        "\"lora_alpha\" is missing"),
    SET("a08_alpha_text", lora, "\"lora_alpha\":8", "\"lora_alpha\":\"x\"",
        INS_BAD_SOURCE, "a number"),
    SET("a08_alpha_huge", lora, "\"lora_alpha\":8", "\"lora_alpha\":1e300",
        INS_BAD_SOURCE, "a number from"),
    SET("a08_rslora_text", lora, "\"use_rslora\":false", "\"use_rslora\":1",
        INS_BAD_SOURCE, "true or false"),
    SET("a09_pattern", lora, "[\"query\",\"value\"]", "\".*query\"",
        INS_UNSUPPORTED, "A pattern is not evaluated"),
    SET("a09_no_names", lora, "[\"query\",\"value\"]", "[1]", INS_BAD_SOURCE,
        "a list of names"),
    SET("a09_empty_name", lora, "\"query\"", "\"\"", INS_BAD_SOURCE,
        "a list of names"),
    SET("a09_object", lora, "[\"query\",\"value\"]", "{}", INS_BAD_SOURCE,
        "an array"),
    MAKE("a09_many_names", many_names, INS_OK, ""),
    MAKE("a09_too_many_names", too_many_names, INS_LIMIT_EXCEEDED,
         "names 1025 modules; the limit is 1024"),
    SET("a10_rank_pattern_list", lora, "\"rank_pattern\":{}",
        "\"rank_pattern\":[1]", INS_BAD_SOURCE, "an object"),
    SET("a10_rank_pattern_null", patterns, "value\":2", "value\":null",
        INS_BAD_SOURCE, "a rank, not null"),
    SET("a10_rank_pattern_zero", patterns, "value\":2", "value\":0",
        INS_BAD_SOURCE, "from 1 to 1024, not 0"),
    SET("a10_rank_pattern_regex", patterns, "\"layer.1", "\"^layer.1",
        INS_UNSUPPORTED, "\"rank_pattern.^layer.1"),
    SET("a10_rank_pattern_unread", patterns, "\"layer.1", "\"layer.9",
        INS_BAD_SOURCE, "does not have the shape [4, 32]"),
    SET("a10_alpha_pattern_text", patterns, "value\":16", "value\":\"a\"",
        INS_BAD_SOURCE, "a number"),
    SET("a10_alpha_pattern_null", patterns, "value\":16", "value\":null",
        INS_BAD_SOURCE, "not null"),

    /* settings and tensors that do not go together */
    SET("a11_target_without_tensors", lora, "\"query\",", "\"query\",\"key\",",
        INS_BAD_SOURCE, "attention.self.key.weight\", which \"target_modules"),
    SET("a11_target_embeddings", lora, "\"query\",",
        "\"query\",\"word_embeddings\",", INS_BAD_SOURCE,
        "word_embeddings.weight\", which"),
    SET("a11_tensors_without_target", lora, "\"query\",", "", INS_BAD_SOURCE,
        "query.lora_A.weight\" is LoRA of a module that \"target_modules\""),
    SET("a11_target_inside_a_word", lora, "\"query\",", "\"uery\",",
        INS_BAD_SOURCE, "query.lora_A.weight\" is LoRA of a module"),
    SET("a12_saved_without_tensors", lora, "\"modules_to_save\":null",
        "\"modules_to_save\":[\"pooler\"]", INS_BAD_SOURCE,
        "pooler.dense.weight\", which \"modules_to_save\" names"),
    SET("a12_saved_in_passing", lora, "\"modules_to_save\":null",
        "\"modules_to_save\":[\"score\"]", INS_OK, ""),
    SET("a12_tensors_not_saved", head_alone, "[\"classifier\",\"score\"]",
        "null", INS_BAD_SOURCE,
        "tensor \"bert.pooler.dense.weight\" is missing"),
    SET("a12_head_of_an_encoder", head_alone, "\"SEQ_CLS\"", "null",
        INS_BAD_SOURCE, "\"task_type\": \"SEQ_CLS\""),
    SET("a12_other_base", lora, "\"task_type\":null",
        "\"task_type\":\"SEQ_CLS\"", INS_OK, ""),

    /* adapter_model.safetensors */
    {"a13_missing", 0, ADAPTER_WEIGHTS, NULL, NULL, lora, INS_BAD_SOURCE,
     "adapter_model.safetensors is missing"},
    MAKE("a13_pickle", pickle, INS_UNSUPPORTED, "safe_serialization=True"),
    MAKE("a13_no_tensor", no_tensor, INS_BAD_SOURCE, "holds no tensor"),
    TENSOR("a14_prefix", lora, "base_model.model.", "model.", INS_BAD_SOURCE,
           "does not begin with \"base_model.model.\""),
    TENSOR("a14_no_module", lora, QUERY "lora_A.weight",
           "base_model.model.weight", INS_BAD_SOURCE,
           "does not name a parameter"),
    TENSOR("a14_empty", lora, QUERY "lora_A.weight", "base_model.model.",
           INS_BAD_SOURCE, "does not name a parameter"),
    TENSOR("a14_no_name_at_all", lora, QUERY "lora_A.weight", "x",
           INS_BAD_SOURCE, "does not begin"),
    TENSOR("a15_embedding", lora, QUERY "lora_A.weight",
           QUERY "lora_embedding_A", INS_UNSUPPORTED, "LoRA on embeddings"),
    TENSOR("a15_magnitude", lora, QUERY "lora_A.weight",
           QUERY "lora_magnitude_vector", INS_UNSUPPORTED, "DoRA"),
    TENSOR("a15_lora_bias", lora, QUERY "lora_B.weight", QUERY "lora_B.bias",
           INS_UNSUPPORTED, "kind of LoRA"),
    TENSOR("a15_other_adapter", lora, QUERY "lora_A.weight",
           QUERY "lora_A.mine.weight", INS_UNSUPPORTED, "kind of LoRA"),
    TENSOR("a16_no_b", lora, "layer.0.attention.self.query.lora_B",
           "layer.9.attention.self.query.lora_B", INS_BAD_SOURCE,
           "has no lora_B beside it"),
    TENSOR("a16_no_a", lora, "layer.0.attention.self.query.lora_A",
           "layer.9.attention.self.query.lora_A", INS_BAD_SOURCE,
           "has no lora_A beside it"),
    TENSOR("a16_twice", lora, "layer.0.attention.self.query.lora_B.weight",
           "layer.0.attention.self.query.lora_A.default.weight", INS_BAD_SOURCE,
           "are one and the same"),
    TENSOR("a16_not_saved", lora, QUERY "lora_B.weight", QUERY "weight",
           INS_BAD_SOURCE, "is neither LoRA nor of a module"),
    SET("a16_saved_and_lora", lora_and_head, "\"query\",",
        "\"query\",\"classifier\",", INS_BAD_SOURCE, "shape [3, 32]"),
    TENSOR("a17_no_layer", lora_of_encoder, "layer.1.attention.self.value",
           "layer.7.attention.self.value", INS_BAD_SOURCE,
           "has no lora_A beside it"),
    TENSOR("a17_no_place", biases, "layer.0.attention.self.query.base_layer",
           "layer.7.attention.self.query.base_layer", INS_BAD_SOURCE,
           "matches nothing in the model"),
    TENSOR("a18_shape_a", lora, "\"shape\":[4,32]", "\"shape\":[32,4]",
           INS_BAD_SOURCE, "does not have the shape [4, 32]"),
    TENSOR("a18_shape_b", lora, "\"shape\":[32,4]", "\"shape\":[128]",
           INS_BAD_SOURCE, "does not have the shape [32, 4]"),
    TENSOR("a18_type", lora, "\"F32\"", "\"I32\"", INS_UNSUPPORTED,
           "dtype \"I32\""),
    MAKE("a19_not_a_number", not_a_number, INS_BAD_SOURCE,
         "lora_B.weight\" holds values that are not finite"),
    MAKE("a19_too_large_a_sum", too_large_a_sum, INS_BAD_SOURCE,
         "gives weights that are not finite"),

    /* head and labels */
    MAKE("a20_labels_of_the_base", lora_and_head, INS_BAD_SOURCE,
         "\"id2label\" in a config.json beside adapter_config.json"),
    MAKE("a20_task_over_own_head", task_over_own_head, INS_UNSUPPORTED,
         "leaves open what becomes of the base's \"insitu_head\""),
    MAKE("a20_no_pooler", head_alone, INS_BAD_SOURCE,
         "bert.pooler.dense.weight\" is missing"),
    MAKE("a21_other_encoder", other_encoder, INS_BAD_SOURCE,
         "adapter/config.json: \"num_attention_heads\" must be 4 as in the "
         "base, not 2"),
    MAKE("a21_quantised", quantised_config, INS_UNSUPPORTED,
         "quantization_config"),
    MAKE("a21_no_object", config_is_no_object, INS_BAD_SOURCE,
         "adapter/config.json must hold a JSON object"),

    /* directories */
    MAKE("a22_whole_model_too", whole_model_too, INS_UNSUPPORTED,
         "both model.safetensors and adapter_config.json"),
    MAKE("a22_base_is_adapter", base_is_adapter, INS_UNSUPPORTED,
         "is itself an adapter"),
    {"a22_base_without_config", 0, BASE_CONFIG, NULL, NULL, lora,
     INS_BAD_SOURCE, "config.json is missing"},
    {"a22_base_type", 0, BASE_CONFIG, "\"bert\"", "\"gpt2\"", lora,
     INS_UNSUPPORTED, "\"model_type\" = \"gpt2\""},
    {"a22_base_without_weights", 0, "base/model.safetensors", NULL, NULL, lora,
     INS_BAD_SOURCE, "model.safetensors is missing"},
};

int
main(void)
{
    return run_bad_cases("bad_input_adapter", cases,
                         sizeof(cases) / sizeof(cases[0]));
}
