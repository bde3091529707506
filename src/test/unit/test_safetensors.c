/*
 * test_safetensors.c - tensor views and exact conversion of values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/safetensors.h"
#include "unit/tiny_model.h"

/* A file in memory: header, then data. */
struct file {
    uint8_t *bytes;
    size_t size;
    ins_safetensors view;
    tiny_host host;
};

static ins_status
open_file(struct file *file, const char *header, const void *data,
          size_t data_size, ins_error *error)
{
    uint64_t length = strlen(header);

    tiny_host_open(&file->host);
    file->size = 8 + (size_t) length + data_size;
    file->bytes = malloc(file->size);
    assert_non_null(file->bytes);
    memcpy(file->bytes, &length, 8);
    memcpy(file->bytes + 8, header, (size_t) length);
    memcpy(file->bytes + 8 + length, data, data_size);
    return ins_safetensors_open(&file->view, "f", file->bytes, file->size,
                                &file->host.host, error);
}

static void
close_file(struct file *file)
{
    ins_safetensors_close(&file->view, &file->host.host);
    assert_int_equal(file->host.live_blocks, 0);
    free(file->bytes);
}

static void
test_views(void **state)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"z\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
        "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]},"
        "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[12,20]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":"
        "[20,20]}}";
    const float values[5] = {1.5f, -2.0f, 3.25f, 0, 0};
    struct file file;
    ins_error error;
    const ins_safetensor *tensor;
    float read[2];

    (void) state;
    assert_int_equal(open_file(&file, header, values, 20, &error), INS_OK);
    assert_int_equal(file.view.count, 4);
    tensor = ins_safetensors_find(&file.view, "z");
    assert_non_null(tensor);
    assert_int_equal(tensor->rank, 2);
    assert_int_equal(tensor->count, 2);
    assert_int_equal(
        ins_safetensors_read(&file.view, tensor, &file.host.host, read, &error),
        INS_OK);
    assert_true(read[0] == 1.5f && read[1] == -2.0f);
    tensor = ins_safetensors_find(&file.view, "scalar");
    assert_int_equal(tensor->rank, 0);
    assert_int_equal(tensor->count, 1);
    assert_int_equal(ins_safetensors_find(&file.view, "none")->count, 0);
    assert_int_equal(ins_safetensors_read(&file.view,
                                          ins_safetensors_find(&file.view, "a"),
                                          &file.host.host, read, &error),
                     INS_UNSUPPORTED);
    assert_null(ins_safetensors_find(&file.view, "__metadata__"));
    assert_null(ins_safetensors_find(&file.view, ""));
    assert_null(ins_safetensors_find(&file.view, "zz"));
    close_file(&file);
}

/* IEEE 754 binary16, from its definition and by another way than the code. */
static float
half_value(uint16_t half)
{
    int exponent = half >> 10 & 31;
    float fraction = (float) (half & 0x3FF) / 1024.0f;
    float value = exponent == 0 ? fraction : 1.0f + fraction;

    if (exponent == 0)
        exponent = 1;
    for (; exponent < 15; exponent++)
        value /= 2;
    for (; exponent > 15; exponent--)
        value *= 2;
    return (half & 0x8000) != 0 ? -value : value;
}

static uint32_t
bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Row N10: all 65,536 patterns. */
static void
test_n10_every_f16(void **state)
{
    static const char header[] = "{\"w\":{\"dtype\":\"F16\",\"shape\":[1],"
                                 "\"data_offsets\":[0,2]}}";

    (void) state;
    for (uint32_t pattern = 0; pattern < 65536; pattern++) {
        uint16_t half = (uint16_t) pattern;
        bool is_finite = (half & 0x7C00) != 0x7C00;
        struct file file;
        ins_error error;
        float value;
        ins_status status;

        assert_int_equal(open_file(&file, header, &half, 2, &error), INS_OK);
        status = ins_safetensors_read(&file.view, file.view.tensors,
                                      &file.host.host, &value, &error);
        if (status != (is_finite ? INS_OK : INS_BAD_SOURCE) ||
            (is_finite && bits_of(value) != bits_of(half_value(half))))
            fail_msg("pattern %04x", half);
        close_file(&file);
    }
}

static void
test_n10_every_bf16(void **state)
{
    static const char header[] = "{\"w\":{\"dtype\":\"BF16\",\"shape\":[1],"
                                 "\"data_offsets\":[0,2]}}";

    (void) state;
    for (uint32_t pattern = 0; pattern < 65536; pattern++) {
        uint16_t narrow = (uint16_t) pattern;
        bool is_finite = (narrow & 0x7F80) != 0x7F80;
        struct file file;
        ins_error error;
        float value;
        ins_status status;

        assert_int_equal(open_file(&file, header, &narrow, 2, &error), INS_OK);
        status = ins_safetensors_read(&file.view, file.view.tensors,
                                      &file.host.host, &value, &error);
        if (status != (is_finite ? INS_OK : INS_BAD_SOURCE) ||
            (is_finite && bits_of(value) != pattern << 16))
            fail_msg("pattern %04x", narrow);
        close_file(&file);
    }
}

static void
test_every_truncation(void **state)
{
    tiny_model model;
    tiny_host host;
    const ins_source_file *source;

    (void) state;
    tiny_open(&model, 0);
    tiny_host_open(&host);
    source = tiny_find(&model, "model.safetensors");
    for (size_t size = 0; size < source->size; size += size < 8192 ? 7 : 4099) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        ins_safetensors file;
        ins_error error;

        assert_non_null(copy);
        memcpy(copy, source->data, size);
        assert_int_equal(
            ins_safetensors_open(&file, "f", copy, size, &host.host, &error),
            INS_BAD_SOURCE);
        assert_int_equal(host.live_blocks, 0);
        free(copy);
    }
    tiny_close(&model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_n10_every_f16),
        cmocka_unit_test(test_n10_every_bf16),
        cmocka_unit_test(test_every_truncation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
