/*
 * test_bad_input_weights.c - rows W: damaged safetensors files.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/bad_case.h"

#define WEIGHTS "model.safetensors"
#define INDEX   "model.safetensors.index.json"
#define SHARD   "model-00001-of-00002.safetensors"

/* A file with this header and so many bytes of data. */
static void
set_header(tiny_model *model, const char *header, size_t data_size)
{
    tiny_set_header(model, WEIGHTS, header, strlen(header), data_size);
}

/* One tensor "w" of that description. */
static void
set_tensor(tiny_model *model, const char *description, size_t data_size)
{
    char header[4096];

    snprintf(header, sizeof(header), "{\"w\":{%s}}", description);
    set_header(model, header, data_size);
}

/* A file of which only the length of the header is there. */
static void
set_length(tiny_model *model, uint64_t length, size_t size)
{
    uint8_t bytes[64] = {0};

    memcpy(bytes, &length, sizeof(length));
    memset(bytes + 8, '{', sizeof(bytes) - 8);
    tiny_set(model, WEIGHTS, bytes, size);
}

/* ---- the header's length ------------------------------------------------- */

static void
w02_zero(tiny_model *model)
{
    set_length(model, 0, 64);
}

static void
w02_one(tiny_model *model)
{
    set_length(model, 1, 64);
}

static void
w02_short_file(tiny_model *model)
{
    tiny_set(model, WEIGHTS, "\2\0\0\0\0\0\0", 7);
}

static void
w03_max(tiny_model *model)
{
    set_length(model, UINT64_MAX, 64);
}

static void
w03_max_minus_seven(tiny_model *model)
{
    set_length(model, UINT64_MAX - 7, 64);
}

static void
w03_half(tiny_model *model)
{
    set_length(model, (uint64_t) 1 << 63, 64);
}

static void
w03_four_gigabytes(tiny_model *model)
{
    set_length(model, (uint64_t) 1 << 32, 64);
}

static void
w03_one_past(tiny_model *model)
{
    set_length(model, 64 - 7, 64);
}

static void
w03_exactly_file(tiny_model *model)
{
    set_length(model, 64 - 8, 64);
}

/* ---- what the header is -------------------------------------------------- */

static void
w04_leading_space(tiny_model *model)
{
    set_header(model, " {}", 0);
}

static void
w04_bom(tiny_model *model)
{
    set_header(model, "\xEF\xBB\xBF{}", 0);
}

static void
w04_utf16(tiny_model *model)
{
    tiny_set_header(model, WEIGHTS, "{\0}\0", 4, 0);
}

static void
w04_invalid_utf8(tiny_model *model)
{
    set_header(model, "{\"\xFF\":1}", 0);
}

static void
w04_trailing_nul(tiny_model *model)
{
    tiny_set_header(model, WEIGHTS, "{}\0", 3, 0);
}

/* The reference writer pads the header so. */
static void
w04_trailing_spaces(tiny_model *model)
{
    const ins_source_file *file = tiny_find(model, WEIGHTS);
    const uint8_t *bytes = file->data;
    size_t size = (size_t) file->size;
    uint64_t length;
    uint8_t *padded = malloc(size + 5);

    if (padded == NULL)
        abort();
    memcpy(&length, bytes, sizeof(length));
    memcpy(padded, bytes, (size_t) length + 8);
    memset(padded + length + 8, ' ', 5);
    memcpy(padded + length + 13, bytes + length + 8,
           size - (size_t) length - 8);
    length += 5;
    memcpy(padded, &length, sizeof(length));
    tiny_set(model, WEIGHTS, padded, size + 5);
    free(padded);
}

static void
w05_array(tiny_model *model)
{
    set_header(model, "[]", 0);
}

static void
w05_empty_object(tiny_model *model)
{
    set_header(model, "{}", 0);
}

static void
w05_empty_object_with_data(tiny_model *model)
{
    set_header(model, "{}", 16);
}

static void
w05_string(tiny_model *model)
{
    set_header(model, "\"a\"", 0);
}

static void
set_many_tensors(tiny_model *model, size_t count)
{
    size_t capacity = count * 80 + 16;
    char *header = malloc(capacity);
    size_t at = 1;

    if (header == NULL)
        abort();
    header[0] = '{';
    for (size_t i = 0; i < count; i++)
        at += (size_t) snprintf(
            header + at, capacity - at,
            "%s\"t%zu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":"
            "[0,0]}",
            i > 0 ? "," : "", i);
    header[at++] = '}';
    tiny_set_header(model, WEIGHTS, header, at, 0);
    free(header);
}

static void
w06_too_many_tensors(tiny_model *model)
{
    set_many_tensors(model, 4097);
}

static void
w06_bloat(tiny_model *model)
{
    set_many_tensors(model, 200000);
}

/* ---- names --------------------------------------------------------------- */

static void
w07_empty_name(tiny_model *model)
{
    set_header(model,
               "{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
               "[0,4]}}",
               4);
}

static void
w07_nul_escape(tiny_model *model)
{
    set_header(model,
               "{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[0,4]}}",
               4);
}

static void
w07_lone_surrogate(tiny_model *model)
{
    set_header(model,
               "{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[0,4]}}",
               4);
}

static void
w07_terminal_escape(tiny_model *model)
{
    set_header(model,
               "{\"\\u001b[2Jx\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[0,4]}}",
               4);
}

static void
w07_long_name(tiny_model *model)
{
    char name[70000];
    char *header = malloc(71000);

    if (header == NULL)
        abort();
    memset(name, 'n', 65536);
    name[65536] = '\0';
    snprintf(header, 71000,
             "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
             "[0,4]}}",
             name);
    set_header(model, header, 4);
    free(header);
}

/* ---- shapes and offsets -------------------------------------------------- */

#define TENSOR_TEST(name, description, data_size)  \
    static void name(tiny_model *model)            \
    {                                              \
        set_tensor(model, description, data_size); \
    }
#define F32_SHAPE(shape) "\"dtype\":\"F32\",\"shape\":" shape ","
#define OFFSETS(range)   "\"data_offsets\":" range

TENSOR_TEST(w08_missing, "\"dtype\":\"F32\"," OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_null, F32_SHAPE("null") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_string, F32_SHAPE("\"1\"") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_negative, F32_SHAPE("[-1]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_fraction, F32_SHAPE("[1.5]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_exponent, F32_SHAPE("[1e3]") OFFSETS("[0,4000]"), 4000)
TENSOR_TEST(w08_huge_exponent, F32_SHAPE("[1e400]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_two_to_63, F32_SHAPE("[9223372036854775808]") OFFSETS("[0,4]"),
            4)
TENSOR_TEST(w08_nested, F32_SHAPE("[[1]]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w08_nine_dimensions,
            F32_SHAPE("[1,1,1,1,1,1,1,1,1]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w09_zero_dimension, F32_SHAPE("[0]") OFFSETS("[0,4]"), 4)
TENSOR_TEST(w10_wraps_to_16,
            F32_SHAPE("[4194305,4194305,211106198978564]") OFFSETS("[0,16]"),
            16)
TENSOR_TEST(w11_two_to_32_squared,
            F32_SHAPE("[4294967296,4294967296]") OFFSETS("[0,0]"), 0)
TENSOR_TEST(w11_two_to_62_times_4,
            F32_SHAPE("[4611686018427387904,4]") OFFSETS("[0,0]"), 0)
TENSOR_TEST(w12_size_wraps_to_zero,
            F32_SHAPE("[4611686018427387904]") OFFSETS("[0,0]"), 0)
TENSOR_TEST(w14_negative, F32_SHAPE("[1]") OFFSETS("[-4,0]"), 4)
TENSOR_TEST(w14_backwards, F32_SHAPE("[1]") OFFSETS("[4,0]"), 4)
TENSOR_TEST(w14_one_entry, F32_SHAPE("[1]") OFFSETS("[0]"), 4)
TENSOR_TEST(w14_three_entries, F32_SHAPE("[1]") OFFSETS("[0,4,8]"), 4)
TENSOR_TEST(w14_floats, F32_SHAPE("[1]") OFFSETS("[0.0,4.0]"), 4)
TENSOR_TEST(w14_two_to_64, F32_SHAPE("[1]") OFFSETS("[0,18446744073709551616]"),
            4)
TENSOR_TEST(w14_missing, "\"dtype\":\"F32\",\"shape\":[1]", 4)
TENSOR_TEST(w15_million_in_4_bytes, F32_SHAPE("[1000,1000]") OFFSETS("[0,4]"),
            4)
TENSOR_TEST(w16_range_wider_than_shape, F32_SHAPE("[1]") OFFSETS("[0,8]"), 8)
TENSOR_TEST(w17_beyond_file, F32_SHAPE("[1000]") OFFSETS("[0,4000]"), 4)
TENSOR_TEST(w18_hole_at_start, F32_SHAPE("[1]") OFFSETS("[4,8]"), 8)
TENSOR_TEST(w19_trailing_bytes, F32_SHAPE("[1]") OFFSETS("[0,4]"), 5)
TENSOR_TEST(w20_unknown_dtype,
            "\"dtype\":\"Q4\",\"shape\":[1]," OFFSETS("[0,4]"), 4)
TENSOR_TEST(w20_dtype_number, "\"dtype\":7,\"shape\":[1]," OFFSETS("[0,4]"), 4)
TENSOR_TEST(w20_half_byte, "\"dtype\":\"F4\",\"shape\":[1]," OFFSETS("[0,1]"),
            1)

static void
w13_sum_wraps(tiny_model *model)
{
    set_header(model,
               "{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807],"
               "\"data_offsets\":[0,9223372036854775807]},"
               "\"b\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807],"
               "\"data_offsets\":[9223372036854775807,"
               "18446744073709551614]}}",
               8);
}

static void
w18_overlap(tiny_model *model)
{
    set_header(model,
               "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"
               "[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[4,8]}}",
               8);
}

static void
w18_hole(tiny_model *model)
{
    set_header(model,
               "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
               "[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[8,12]}}",
               12);
}

/* ---- values -------------------------------------------------------------- */

/* Stores value bits at the first byte of the data, which is a word's row. */
static void
set_first_value(tiny_model *model, const void *bits, size_t size)
{
    const ins_source_file *file = tiny_find(model, WEIGHTS);
    uint8_t *bytes = (uint8_t *) (uintptr_t) file->data;
    uint64_t length;

    memcpy(&length, bytes, sizeof(length));
    memcpy(bytes + 8 + length, bits, size);
}

static void
n01_nan(tiny_model *model)
{
    set_first_value(model, "\x00\x00\xC0\x7F", 4);
}

static void
n02_infinity(tiny_model *model)
{
    set_first_value(model, "\x00\x00\x80\xFF", 4);
}

static void
w21_f16_nan(tiny_model *model)
{
    set_first_value(model, "\x01\x7C", 2);
}

static void
w21_bf16_infinity(tiny_model *model)
{
    set_first_value(model, "\x80\x7F", 2);
}

static void
w21_f16_denormal(tiny_model *model)
{
    set_first_value(model, "\x01\x80", 2);
}

/* ---- JSON ---------------------------------------------------------------- */

static void
w22_key_equal_after_unescape(tiny_model *model)
{
    set_header(model,
               "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
               "[0,4]},\"\\u0077\":{\"dtype\":\"F32\",\"shape\":[1],"
               "\"data_offsets\":[4,8]}}",
               8);
}

static void
w24_huge_number(tiny_model *model)
{
    size_t size = 1 << 20;
    char *header = malloc(size + 64);

    if (header == NULL)
        abort();
    strcpy(header, "{\"w\":");
    memset(header + 5, '9', size);
    strcpy(header + 5 + size, "}");
    set_header(model, header, 0);
    free(header);
}

static void
set_nesting(tiny_model *model, char open, size_t depth)
{
    char *header = malloc(depth * 5 + 16);
    size_t at = 0;

    if (header == NULL)
        abort();
    at += (size_t) sprintf(header, "{\"a\":");
    for (size_t i = 0; i < depth; i++) {
        header[at++] = open;
        if (open == '{') {
            memcpy(header + at, "\"a\":", 4);
            at += 4;
        }
    }
    tiny_set_header(model, WEIGHTS, header, at, 0);
    free(header);
}

static void
w25_hundred_brackets(tiny_model *model)
{
    set_nesting(model, '[', 100);
}

static void
w25_million_brackets(tiny_model *model)
{
    set_nesting(model, '[', 1000000);
}

static void
w25_million_braces(tiny_model *model)
{
    set_nesting(model, '{', 1000000);
}

/* ---- shards -------------------------------------------------------------- */

static void
w30_empty_map(tiny_model *model)
{
    tiny_set_text(model, INDEX, "{\"weight_map\":{}}");
}

/* The index says that the first tensor is in the other file. */
static void
w30_lying_index(tiny_model *model)
{
    tiny_replace(model, INDEX, SHARD, "model-00002-of-00002.safetensors");
}

static void
w31_pickle(tiny_model *model)
{
    tiny_remove(model, WEIGHTS);
    tiny_set(model, "pytorch_model.bin", NULL, 1000);
}

static void
w31_tensorflow(tiny_model *model)
{
    tiny_remove(model, WEIGHTS);
    tiny_set(model, "tf_model.h5", NULL, 1000);
}

#define HEADER_CASE(function, expected, words)                            \
    {                                                                     \
        "test_" #function, 0, NULL, NULL, NULL, function, expected, words \
    }
#define EDIT_CASE(name, flags, from, to, expected, words)             \
    {                                                                 \
        "test_" name, flags, WEIGHTS, from, to, NULL, expected, words \
    }

static const bad_case cases[] = {
    HEADER_CASE(w02_zero, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w02_one, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w02_short_file, INS_BAD_SOURCE, "too short"),
    HEADER_CASE(w03_max, INS_LIMIT_EXCEEDED, "the limit is 16777216"),
    HEADER_CASE(w03_max_minus_seven, INS_LIMIT_EXCEEDED, "the limit is"),
    HEADER_CASE(w03_half, INS_LIMIT_EXCEEDED, "the limit is"),
    HEADER_CASE(w03_four_gigabytes, INS_LIMIT_EXCEEDED, "the limit is"),
    HEADER_CASE(w03_one_past, INS_BAD_SOURCE, "ends inside its header"),
    HEADER_CASE(w03_exactly_file, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w04_leading_space, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w04_bom, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w04_utf16, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w04_invalid_utf8, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w04_trailing_nul, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w04_trailing_spaces, INS_OK, ""),
    HEADER_CASE(w05_array, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w05_string, INS_BAD_SOURCE, "not a JSON object"),
    HEADER_CASE(w05_empty_object, INS_BAD_SOURCE, "is missing"),
    HEADER_CASE(w05_empty_object_with_data, INS_BAD_SOURCE,
                "16 bytes after its last tensor"),
    HEADER_CASE(w06_too_many_tensors, INS_LIMIT_EXCEEDED,
                "4097 tensors; the limit is 4096"),
    HEADER_CASE(w06_bloat, INS_LIMIT_EXCEEDED, "values"),
    HEADER_CASE(w07_empty_name, INS_BAD_SOURCE, "empty or overlong name"),
    HEADER_CASE(w07_nul_escape, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w07_lone_surrogate, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w07_terminal_escape, INS_BAD_SOURCE, "\\x1b[2Jx"),
    HEADER_CASE(w07_long_name, INS_BAD_SOURCE, "overlong"),
    HEADER_CASE(w08_missing, INS_BAD_SOURCE, "no shape"),
    HEADER_CASE(w08_null, INS_BAD_SOURCE, "no shape"),
    HEADER_CASE(w08_string, INS_BAD_SOURCE, "no shape"),
    HEADER_CASE(w08_negative, INS_BAD_SOURCE, "not a count"),
    HEADER_CASE(w08_fraction, INS_BAD_SOURCE, "not a count"),
    HEADER_CASE(w08_exponent, INS_BAD_SOURCE, "not a count"),
    HEADER_CASE(w08_huge_exponent, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w08_two_to_63, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w08_nested, INS_BAD_SOURCE, "not a count"),
    HEADER_CASE(w08_nine_dimensions, INS_BAD_SOURCE, "too many dimensions"),
    HEADER_CASE(w09_zero_dimension, INS_BAD_SOURCE, "disagree with its shape"),
    HEADER_CASE(w10_wraps_to_16, INS_BAD_SOURCE, "product overflows"),
    HEADER_CASE(w11_two_to_32_squared, INS_BAD_SOURCE, "product overflows"),
    HEADER_CASE(w11_two_to_62_times_4, INS_BAD_SOURCE, "product overflows"),
    HEADER_CASE(w12_size_wraps_to_zero, INS_BAD_SOURCE, "size that overflows"),
    HEADER_CASE(w13_sum_wraps, INS_BAD_SOURCE, ""),
    HEADER_CASE(w14_negative, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w14_backwards, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w14_one_entry, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w14_three_entries, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w14_floats, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w14_two_to_64, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w14_missing, INS_BAD_SOURCE, "not a range"),
    HEADER_CASE(w15_million_in_4_bytes, INS_BAD_SOURCE, "disagree"),
    HEADER_CASE(w16_range_wider_than_shape, INS_BAD_SOURCE, "disagree"),
    HEADER_CASE(w17_beyond_file, INS_BAD_SOURCE, "cut short"),
    HEADER_CASE(w18_hole_at_start, INS_BAD_SOURCE, "does not begin where"),
    HEADER_CASE(w18_hole, INS_BAD_SOURCE, "does not begin where"),
    HEADER_CASE(w18_overlap, INS_BAD_SOURCE, "does not begin where"),
    HEADER_CASE(w19_trailing_bytes, INS_BAD_SOURCE, "1 bytes after"),
    HEADER_CASE(w20_unknown_dtype, INS_UNSUPPORTED, "\"Q4\""),
    HEADER_CASE(w20_dtype_number, INS_BAD_SOURCE, "no dtype"),
    HEADER_CASE(w20_half_byte, INS_BAD_SOURCE, "disagree"),
    EDIT_CASE("w20_integer_weights", 0,
              "embeddings.LayerNorm.bias\":{\"dtype\":\"F32\"",
              "embeddings.LayerNorm.bias\":{\"dtype\":\"I32\"", INS_UNSUPPORTED,
              "\"I32\""),
    HEADER_CASE(n01_nan, INS_BAD_SOURCE, "word_embeddings"),
    HEADER_CASE(n02_infinity, INS_BAD_SOURCE, "not finite"),
    {"test_w21_f16_nan", TINY_F16, NULL, NULL, NULL, w21_f16_nan,
     INS_BAD_SOURCE, "not finite"},
    {"test_w21_bf16_infinity", TINY_BF16, NULL, NULL, NULL, w21_bf16_infinity,
     INS_BAD_SOURCE, "not finite"},
    {"test_w21_f16_denormal", TINY_F16, NULL, NULL, NULL, w21_f16_denormal,
     INS_OK, ""},
    EDIT_CASE("w22_duplicate_tensor", 0, "token_type_embeddings",
              "position_embeddings", INS_BAD_SOURCE, "duplicate"),
    EDIT_CASE("w22_duplicate_dtype", 0, "\"dtype\":\"F32\"",
              "\"dtype\":\"F32\",\"dtype\":\"F32\"", INS_BAD_SOURCE,
              "duplicate"),
    HEADER_CASE(w22_key_equal_after_unescape, INS_BAD_SOURCE, "duplicate"),
    EDIT_CASE("w23_metadata_number", 0, "\"pt\"", "1", INS_BAD_SOURCE,
              "__metadata__.format"),
    EDIT_CASE("w23_metadata_array", 0, "{\"format\":\"pt\"}", "[]",
              INS_BAD_SOURCE, "__metadata__"),
    EDIT_CASE("w23_metadata_twice", 0, "{\"__metadata__\"",
              "{\"__metadata__\":{},\"__metadata__\"", INS_BAD_SOURCE,
              "duplicate"),
    EDIT_CASE("w24_trailing_comma", 0, "\"pt\"}", "\"pt\",}", INS_BAD_SOURCE,
              "not valid JSON"),
    EDIT_CASE("w24_comment", 0, "\"pt\"}", "\"pt\"/**/}", INS_BAD_SOURCE,
              "not valid JSON"),
    EDIT_CASE("w24_single_quotes", 0, "\"pt\"", "'pt'", INS_BAD_SOURCE,
              "not valid JSON"),
    EDIT_CASE("w24_nan", 0, "\"pt\"", "NaN", INS_BAD_SOURCE, "not valid JSON"),
    EDIT_CASE("w24_plus", 0, "\"pt\"", "+1", INS_BAD_SOURCE, "not valid JSON"),
    EDIT_CASE("w24_leading_zero", 0, "\"pt\"", "01", INS_BAD_SOURCE,
              "not valid JSON"),
    EDIT_CASE("w24_bare_control", 0, "\"pt\"", "\"\x01\"", INS_BAD_SOURCE,
              "not valid JSON"),
    EDIT_CASE("w24_bad_escape", 0, "\"pt\"", "\"\\x\"", INS_BAD_SOURCE,
              "not valid JSON"),
    HEADER_CASE(w24_huge_number, INS_BAD_SOURCE, "not valid JSON"),
    HEADER_CASE(w25_hundred_brackets, INS_BAD_SOURCE, "deeper than 32"),
    HEADER_CASE(w25_million_brackets, INS_BAD_SOURCE, "deeper than 32"),
    HEADER_CASE(w25_million_braces, INS_BAD_SOURCE, "deeper than 32"),
    EDIT_CASE("w26_missing_tensor", 0, "layer.1.output.dense.bias",
              "layer.1.output.dense.bios", INS_BAD_SOURCE,
              "\"bert.encoder.layer.1.output.dense.bias\" is missing"),
    EDIT_CASE("w26_wrong_shape", 0, "[2,32]", "[32,2]", INS_BAD_SOURCE,
              "does not have the shape [2, 32]"),
    EDIT_CASE("w26_wrong_rank", 0, "[2,32]", "[64]", INS_BAD_SOURCE,
              "does not have the shape [2, 32]"),
    EDIT_CASE("w27_huge_layer", TINY_EXTRAS, "bert.pooler.dense.weight",
              "bert.encoder.layer.999999999.x", INS_UNSUPPORTED,
              "layer.999999999"),
    EDIT_CASE("w27_negative_layer", TINY_EXTRAS, "bert.pooler.dense.weight",
              "bert.encoder.layer.-1.x", INS_UNSUPPORTED, "layer.-1"),
    EDIT_CASE("w27_double_zero_layer", TINY_EXTRAS, "bert.pooler.dense.weight",
              "bert.encoder.layer.00.output.dense.bias", INS_UNSUPPORTED,
              "layer.00"),
    EDIT_CASE("w28_adapter_in_encoder", TINY_EXTRAS, "bert.pooler.dense.weight",
              "bert.encoder.layer.0.attention.self.query.lora_A.weight",
              INS_UNSUPPORTED, "lora_A"),
    EDIT_CASE("w29_unaligned_data", 0, "\"pt\"", "\"pt \"", INS_OK, ""),
    {"test_w30_etc_passwd", TINY_SHARDED, INDEX, SHARD, "/etc/passwd", NULL,
     INS_BAD_SOURCE, "\"/etc/passwd\", which is not a shard's name"},
    {"test_w30_parent", TINY_SHARDED, INDEX, SHARD, "../" SHARD, NULL,
     INS_BAD_SOURCE, "not a shard's name"},
    {"test_w30_url", TINY_SHARDED, INDEX, SHARD, "http://a/" SHARD, NULL,
     INS_BAD_SOURCE, "not a shard's name"},
    {"test_w30_not_a_string", TINY_SHARDED, INDEX, "\"" SHARD "\"", "3", NULL,
     INS_BAD_SOURCE, "not a shard's name"},
    {"test_w30_missing_shard", TINY_SHARDED, SHARD, NULL, NULL, NULL,
     INS_BAD_SOURCE, SHARD " is missing"},
    {"test_w30_no_map", TINY_SHARDED, INDEX, NULL, "{}", NULL, INS_BAD_SOURCE,
     "weight_map"},
    {"test_w30_empty_map", TINY_SHARDED, NULL, NULL, NULL, w30_empty_map,
     INS_BAD_SOURCE, "is missing"},
    {"test_w30_lying_index", TINY_SHARDED, NULL, NULL, NULL, w30_lying_index,
     INS_BAD_SOURCE, "says to be there"},
    HEADER_CASE(w31_pickle, INS_UNSUPPORTED, "pickle"),
    HEADER_CASE(w31_tensorflow, INS_UNSUPPORTED, "safe_serialization"),
    {"test_w31_no_weights", 0, WEIGHTS, NULL, NULL, NULL, INS_BAD_SOURCE,
     "model.safetensors is missing"},
    {"test_w31_lfs_pointer", 0, WEIGHTS, NULL,
     "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
     NULL, INS_BAD_SOURCE, "Git LFS pointer"},
    {"test_w33_empty_file", 0, WEIGHTS, NULL, "", NULL, INS_BAD_SOURCE,
     "model.safetensors is empty"},
};

int
main(void)
{
    return run_bad_cases("bad_input_weights", cases,
                         sizeof(cases) / sizeof(cases[0]));
}
