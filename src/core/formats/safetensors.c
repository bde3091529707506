/*
 * safetensors.c - validates a safetensors file and converts its values.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "formats/safetensors.h"

#include <string.h>

#include "base/checked.h"

#define LENGTH_BYTES    8 /* the header's length, little-endian */
#define MAX_VALUES      ((uint64_t) INS_SAFETENSORS_MAX_COUNT * 32)
#define VALUES_PER_POLL ((uint64_t) 1 << 18)
#define METADATA_KEY    "__metadata__"

/* The types of the format and their sizes in bits. */
static const struct {
    const char *name;
    uint32_t bits;
} types[] = {
    {"F32", 32},    {"F16", 16}, {"BF16", 16},   {"F64", 64},    {"I64", 64},
    {"I32", 32},    {"I16", 16}, {"I8", 8},      {"U64", 64},    {"U32", 32},
    {"U16", 16},    {"U8", 8},   {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8},
    {"F8_E8M0", 8}, {"C64", 64}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

/* ---- one tensor's entry ------------------------------------------------- */

static ins_status
fail_entry(const ins_safetensors *file, const ins_safetensor *tensor,
           const char *problem, ins_error *error)
{
    return ins_fail(error, INS_BAD_SOURCE, "%s: tensor \"%.*s\" %s", file->file,
                    100, tensor->name, problem);
}

static ins_status
check_name(const ins_safetensors *file, const ins_safetensor *tensor,
           ins_error *error)
{
    size_t size = strlen(tensor->name);

    if (size == 0 || size > INS_SAFETENSORS_MAX_NAME)
        return fail_entry(file, tensor, "has an empty or overlong name", error);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char) tensor->name[i];

        if (byte < 0x20 || byte == 0x7f)
            return fail_entry(file, tensor,
                              "has a control character in its name", error);
    }
    return INS_OK;
}

static ins_status
read_type(const ins_safetensors *file, const json_t *entry,
          ins_safetensor *tensor, uint32_t *bits, ins_error *error)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));

    if (name == NULL)
        return fail_entry(file, tensor, "has no dtype", error);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(types[i].name, name) == 0) {
            tensor->type = types[i].name;
            *bits = types[i].bits;
            return INS_OK;
        }
    }
    return ins_fail(error, INS_UNSUPPORTED,
                    "%s: tensor \"%.*s\" has dtype \"%.*s\", which is not "
                    "supported",
                    file->file, 100, tensor->name, 32, name);
}

static bool
read_size(const json_t *value, uint64_t *size)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *size = (uint64_t) json_integer_value(value);
    return true;
}

static ins_status
read_shape(const ins_safetensors *file, const json_t *entry,
           ins_safetensor *tensor, ins_error *error)
{
    const json_t *shape = json_object_get(entry, "shape");
    size_t rank = json_array_size(shape);

    if (!json_is_array(shape))
        return fail_entry(file, tensor, "has no shape", error);
    if (rank > INS_SAFETENSORS_MAX_RANK)
        return fail_entry(file, tensor, "has too many dimensions", error);
    tensor->rank = (uint32_t) rank;
    tensor->count = 1;
    for (size_t i = 0; i < rank; i++) {
        if (!read_size(json_array_get(shape, i), &tensor->shape[i]))
            return fail_entry(file, tensor,
                              "has a dimension that is not a count", error);
        if (!ins_mul_u64(tensor->count, tensor->shape[i], &tensor->count))
            return fail_entry(file, tensor,
                              "has a shape whose product overflows", error);
    }
    return INS_OK;
}

static ins_status
read_offsets(const ins_safetensors *file, const json_t *entry,
             ins_safetensor *tensor, uint32_t bits, ins_error *error)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    uint64_t total_bits;

    if (json_array_size(offsets) != 2 ||
        !read_size(json_array_get(offsets, 0), &tensor->begin) ||
        !read_size(json_array_get(offsets, 1), &tensor->end) ||
        tensor->begin > tensor->end)
        return fail_entry(file, tensor, "has data_offsets that are not a range",
                          error);
    if (!ins_mul_u64(tensor->count, bits, &total_bits))
        return fail_entry(file, tensor, "has a size that overflows", error);
    if (total_bits % 8 != 0 || tensor->end - tensor->begin != total_bits / 8)
        return fail_entry(file, tensor,
                          "has data_offsets that disagree with its shape",
                          error);
    return INS_OK;
}

static ins_status
read_entry(const ins_safetensors *file, const json_t *entry,
           ins_safetensor *tensor, ins_error *error)
{
    uint32_t bits = 0;

    INS_TRY(check_name(file, tensor, error));
    if (!json_is_object(entry))
        return fail_entry(file, tensor, "is not described by an object", error);
    INS_TRY(read_type(file, entry, tensor, &bits, error));
    INS_TRY(read_shape(file, entry, tensor, error));
    return read_offsets(file, entry, tensor, bits, error);
}

/* ---- order -------------------------------------------------------------- */

typedef bool (*is_less)(const ins_safetensor *a, const ins_safetensor *b);

/* A tensor of size 0 comes before the one that begins where it ends. */
static bool
is_before(const ins_safetensor *a, const ins_safetensor *b)
{
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
}

static bool
is_named_before(const ins_safetensor *a, const ins_safetensor *b)
{
    return strcmp(a->name, b->name) < 0;
}

static void
swap_tensors(ins_safetensor *a, ins_safetensor *b)
{
    ins_safetensor saved = *a;

    *a = *b;
    *b = saved;
}

static void
sift_down(ins_safetensor *heap, size_t root, size_t count, is_less less)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count)
            return;
        if (child + 1 < count && less(&heap[child], &heap[child + 1]))
            child++;
        if (!less(&heap[root], &heap[child]))
            return;
        swap_tensors(&heap[root], &heap[child]);
        root = child;
    }
}

/* Heapsort: libc's qsort allocates. */
static void
sort_tensors(ins_safetensor *tensors, size_t count, is_less less)
{
    for (size_t i = count / 2; i > 0; i--)
        sift_down(tensors, i - 1, count, less);
    for (size_t end = count; end > 1; end--) {
        swap_tensors(&tensors[0], &tensors[end - 1]);
        sift_down(tensors, 0, end - 1, less);
    }
}

/* ---- the whole ---------------------------------------------------------- */

static ins_status
check_contiguous(const ins_safetensors *file, uint64_t data_bytes,
                 ins_error *error)
{
    uint64_t end = 0;

    for (uint32_t i = 0; i < file->count; i++) {
        const ins_safetensor *tensor = &file->tensors[i];

        if (tensor->begin != end)
            return fail_entry(file, tensor,
                              "does not begin where the one before it ends",
                              error);
        end = tensor->end;
    }
    if (end > data_bytes) {
        ins_fail(error, INS_BAD_SOURCE, "%s is cut short", file->file);
        ins_fail_detail(
            error, "Its tensors need %llu bytes of data; %llu are there.",
            (unsigned long long) end, (unsigned long long) data_bytes);
        ins_fail_hint(error, "The download is incomplete: fetch it again.");
        return INS_BAD_SOURCE;
    }
    INS_CHECK(end == data_bytes, error, INS_BAD_SOURCE,
              "%s has %llu bytes after its last tensor", file->file,
              (unsigned long long) (data_bytes - end));
    return INS_OK;
}

static ins_status
check_metadata(const ins_safetensors *file, const json_t *metadata,
               ins_error *error)
{
    const char *key;
    json_t *value;

    INS_CHECK(json_is_object(metadata), error, INS_BAD_SOURCE,
              "%s: \"" METADATA_KEY "\" must be an object", file->file);
    json_object_foreach((json_t *) metadata, key, value)
    {
        INS_CHECK(json_is_string(value), error, INS_BAD_SOURCE,
                  "%s: \"" METADATA_KEY ".%.*s\" must be a string", file->file,
                  100, key);
    }
    return INS_OK;
}

static ins_status
read_entries(ins_safetensors *file, ins_error *error)
{
    const char *name;
    json_t *entry;

    json_object_foreach((json_t *) file->header.value, name, entry)
    {
        ins_safetensor *tensor = &file->tensors[file->count];

        if (strcmp(name, METADATA_KEY) == 0) {
            INS_TRY(check_metadata(file, entry, error));
            continue;
        }
        tensor->name = name;
        INS_TRY(read_entry(file, entry, tensor, error));
        file->count++;
    }
    return INS_OK;
}

static ins_status
read_header(ins_safetensors *file, ins_text text, const ins_host *host,
            ins_error *error)
{
    static const ins_json_limits limits = {INS_SAFETENSORS_MAX_HEADER,
                                           MAX_VALUES, false};
    size_t count;
    void *memory;

    INS_TRY(ins_json_open(&file->header, text, &limits, host, error));
    INS_CHECK(json_is_object(file->header.value), error, INS_BAD_SOURCE,
              "%s: the header is not a JSON object", file->file);
    count = json_object_size(file->header.value);
    INS_CHECK(count <= INS_SAFETENSORS_MAX_COUNT, error, INS_LIMIT_EXCEEDED,
              "%s has %zu tensors; the limit is %d", file->file, count,
              INS_SAFETENSORS_MAX_COUNT);
    INS_TRY(
        ins_alloc_zeroed(host, count, sizeof(ins_safetensor), &memory, error));
    file->tensors = memory;
    return read_entries(file, error);
}

static ins_status
find_header(const ins_safetensors *file, const uint8_t *bytes, uint64_t size,
            ins_text *header, ins_error *error)
{
    uint64_t length = 0;

    INS_CHECK(size >= LENGTH_BYTES, error, INS_BAD_SOURCE,
              "%s is too short to be a safetensors file", file->file);
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    INS_CHECK(length <= INS_SAFETENSORS_MAX_HEADER, error, INS_LIMIT_EXCEEDED,
              "%s: the header has %llu bytes; the limit is %llu", file->file,
              (unsigned long long) length,
              (unsigned long long) INS_SAFETENSORS_MAX_HEADER);
    INS_CHECK(length <= size - LENGTH_BYTES, error, INS_BAD_SOURCE,
              "%s ends inside its header", file->file);
    INS_CHECK(length >= 2 && bytes[LENGTH_BYTES] == '{', error, INS_BAD_SOURCE,
              "%s: the header is not a JSON object", file->file);
    *header = (ins_text){(const char *) bytes + LENGTH_BYTES, (size_t) length};
    return INS_OK;
}

ins_status
ins_safetensors_open(ins_safetensors *file, const char *name, const void *bytes,
                     uint64_t size, const ins_host *host, ins_error *error)
{
    ins_text header;
    ins_status status;

    *file = (ins_safetensors){.file = name,
                              .header = {name, "", INS_BAD_SOURCE, NULL}};
    INS_TRY(find_header(file, bytes, size, &header, error));
    file->data = (const uint8_t *) bytes + LENGTH_BYTES + header.size;
    status = read_header(file, header, host, error);
    if (status == INS_OK) {
        sort_tensors(file->tensors, file->count, is_before);
        status =
            check_contiguous(file, size - LENGTH_BYTES - header.size, error);
    }
    if (status != INS_OK) {
        ins_safetensors_close(file, host);
        return status;
    }
    sort_tensors(file->tensors, file->count, is_named_before);
    return INS_OK;
}

void
ins_safetensors_close(ins_safetensors *file, const ins_host *host)
{
    ins_json_close(&file->header);
    ins_release(host, file->tensors);
    file->tensors = NULL;
    file->count = 0;
}

const ins_safetensor *
ins_safetensors_find(const ins_safetensors *file, const char *name)
{
    uint32_t low = 0;
    uint32_t high = file->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->tensors[middle].name);

        if (order == 0)
            return &file->tensors[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- values ------------------------------------------------------------- */

#define EXPONENT_BITS 0x7F800000u /* all set: infinity or NaN */

/* IEEE 754 binary16 to binary32 bits; exact. */
static uint32_t
widen_half(uint16_t half)
{
    uint32_t sign = (uint32_t) (half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3FF;

    if (exponent == 31)
        return sign | EXPONENT_BITS | fraction << 13;
    if (exponent == 0 && fraction == 0)
        return sign;
    if (exponent == 0) {
        /* Subnormal: shift until the leading bit becomes implicit. */
        exponent = 1;
        while ((fraction & 0x400) == 0) {
            fraction <<= 1;
            exponent--;
        }
        fraction &= 0x3FF;
    }
    return sign | (exponent + 112) << 23 | fraction << 13;
}

static uint16_t
read_u16(const uint8_t *bytes)
{
    return (uint16_t) (bytes[0] | bytes[1] << 8);
}

/* Converts count values; the files are little-endian, as all our hosts are. */
static void
convert_values(const ins_safetensor *tensor, const uint8_t *from,
               uint64_t count, float *values)
{
    bool is_half = strcmp(tensor->type, "F16") == 0;

    if (strcmp(tensor->type, "F32") == 0) {
        memcpy(values, from, (size_t) count * sizeof(float));
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint16_t narrow = read_u16(from + 2 * i);
        uint32_t bits = is_half ? widen_half(narrow) : (uint32_t) narrow << 16;

        memcpy(&values[i], &bits, sizeof(bits));
    }
}

static bool
all_finite(const float *values, uint64_t count)
{
    uint32_t infinite = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof(bits));
        infinite |= (bits & EXPONENT_BITS) == EXPONENT_BITS;
    }
    return infinite == 0;
}

ins_status
ins_safetensors_read_range(const ins_safetensors *file,
                           const ins_safetensor *tensor, uint64_t first,
                           uint64_t count, const ins_host *host, float *values,
                           ins_error *error)
{
    uint64_t size = strcmp(tensor->type, "F32") == 0 ? 4 : 2;
    uint64_t done = 0;

    if (strcmp(tensor->type, "F32") != 0 && strcmp(tensor->type, "F16") != 0 &&
        strcmp(tensor->type, "BF16") != 0)
        return ins_fail(error, INS_UNSUPPORTED,
                        "%s: tensor \"%.*s\" has dtype \"%s\", which is not "
                        "supported (supported: F32, F16, BF16)",
                        file->file, 100, tensor->name, tensor->type);
    INS_CHECK(first <= tensor->count && count <= tensor->count - first, error,
              INS_INTERNAL, "%s: tensor \"%.*s\" is shorter than planned",
              file->file, 100, tensor->name);
    while (done < count) {
        uint64_t left = count - done;
        uint64_t step = left < VALUES_PER_POLL ? left : VALUES_PER_POLL;

        INS_TRY(ins_poll(host, error));
        convert_values(tensor,
                       file->data + tensor->begin + (first + done) * size, step,
                       values + done);
        if (!all_finite(values + done, step))
            return fail_entry(file, tensor, "holds values that are not finite",
                              error);
        done += step;
    }
    return INS_OK;
}

ins_status
ins_safetensors_read(const ins_safetensors *file, const ins_safetensor *tensor,
                     const ins_host *host, float *values, ins_error *error)
{
    return ins_safetensors_read_range(file, tensor, 0, tensor->count, host,
                                      values, error);
}
