/*
 * pack_reader.c - validates a pack once, so that nobody else has to.
 *
 * The bytes may come from a database file that somebody sent: every offset,
 * count, id and shape is checked against the pack's size and the limits of
 * pack_format.h before it is used.  All functions check first and store after.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/pack_reader.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "pack/tensor_shapes.h"

/* A failed check of the pack's structure. */
#define CHECK_PACK(condition, error, ...) \
    INS_CHECK(condition, error, INS_CORRUPT_PACK, __VA_ARGS__)

/* The pack and its section table while it is read. */
struct reader {
    ins_pack_view *view;
    const ins_pack_section *sections; /* [INS_PACK_SECTIONS] */
    ins_error *error;
};

static const ins_pack_section *
section(const struct reader *reader, uint32_t kind)
{
    return &reader->sections[kind - 1];
}

static const void *
section_data(const struct reader *reader, uint32_t kind)
{
    return reader->view->bytes + section(reader, kind)->offset;
}

/* Does the section hold exactly count elements of size bytes? */
static bool
has_elements(const struct reader *reader, uint32_t kind, uint64_t count,
             size_t size)
{
    uint64_t bytes;

    return ins_mul_u64(count, size, &bytes) &&
           section(reader, kind)->bytes == bytes;
}

static ins_status
read_header(const void *pack, size_t size, ins_error *error)
{
    ins_pack_header header;
    const uint64_t table =
        sizeof(header) + INS_PACK_SECTIONS * sizeof(ins_pack_section);

    CHECK_PACK(size >= table && ((uintptr_t) pack & 7) == 0, error,
               "model pack is too short or not aligned");
    memcpy(&header, pack, sizeof(header));
    CHECK_PACK(memcmp(header.magic, INS_PACK_MAGIC, 8) == 0, error,
               "data is not a model pack");
    if (header.version != INS_PACK_VERSION) {
        ins_fail(error, INS_UNSUPPORTED,
                 "model pack has format version %u, not %d", header.version,
                 INS_PACK_VERSION);
        ins_fail_hint(error, "Import the model again with this version.");
        return INS_UNSUPPORTED;
    }
    CHECK_PACK(header.section_count == INS_PACK_SECTIONS &&
                   header.reserved == 0 && header.total_bytes == size &&
                   size <= INS_MAX_PACK_BYTES,
               error, "model pack has a damaged header");
    return INS_OK;
}

/* Sections lie in order, aligned, without overlap, inside the pack. */
static ins_status
read_sections(struct reader *reader)
{
    uint64_t end =
        sizeof(ins_pack_header) + INS_PACK_SECTIONS * sizeof(ins_pack_section);

    for (uint32_t i = 0; i < INS_PACK_SECTIONS; i++) {
        const ins_pack_section *s = &reader->sections[i];

        CHECK_PACK(
            s->kind == i + 1 && s->reserved == 0 &&
                s->offset % INS_PACK_ALIGNMENT == 0 && s->offset >= end &&
                ins_range_inside(s->offset, s->bytes, reader->view->size),
            reader->error, "model pack has a damaged section %u", i + 1);
        end = s->offset + s->bytes;
    }
    return INS_OK;
}

/* ---- recipe -------------------------------------------------------------- */

static bool
has_valid_sizes(const ins_pack_recipe *r)
{
    return r->layers >= 1 && r->layers <= INS_MAX_LAYERS && r->hidden >= 1 &&
           r->hidden <= INS_MAX_HIDDEN && r->heads >= 1 &&
           r->heads <= r->hidden && r->hidden % r->heads == 0 &&
           r->intermediate >= 1 && r->intermediate <= INS_MAX_INTERMEDIATE &&
           r->vocabulary >= 1 && r->vocabulary <= INS_MAX_VOCABULARY &&
           r->positions >= 2 && r->positions <= INS_MAX_POSITIONS &&
           r->position_offset <= r->positions - 2 &&
           r->token_types <= INS_MAX_TOKEN_TYPES && r->max_tokens >= 2 &&
           r->max_tokens <= r->positions - r->position_offset;
}

static bool
has_valid_choices(const ins_pack_recipe *r)
{
    const uint32_t known = INS_RECIPE_CLASSIFY | INS_RECIPE_EMBED |
                           INS_RECIPE_MULTI_LABEL | INS_RECIPE_NORMALIZE |
                           INS_RECIPE_HEAD_DENSE;
    bool classify = (r->flags & INS_RECIPE_CLASSIFY) != 0;
    bool embed = (r->flags & INS_RECIPE_EMBED) != 0;

    return (r->flags & ~known) == 0 && (classify || embed) &&
           r->activation >= INS_ACTIVATION_GELU &&
           r->activation <= INS_ACTIVATION_TANH &&
           r->head_activation <= INS_ACTIVATION_TANH &&
           r->pooling <= INS_POOLING_MAX &&
           embed == (r->pooling != INS_POOLING_NONE) &&
           classify == (r->labels != 0) && r->labels <= INS_MAX_LABELS &&
           isfinite(r->norm_epsilon) && r->norm_epsilon > 0 &&
           r->norm_epsilon <= 1 && r->reserved == 0;
}

/* The name is shown to people and put into JSON: plain ASCII only. */
static bool
is_plain_name(const char *name, size_t capacity)
{
    size_t length = strnlen(name, capacity);

    if (length == 0 || length == capacity)
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] < '!' || name[i] > '~')
            return false;
    return true;
}

static ins_status
read_recipe(struct reader *reader)
{
    const ins_pack_recipe *recipe = section_data(reader, INS_SECTION_RECIPE);

    CHECK_PACK(
        has_elements(reader, INS_SECTION_RECIPE, 1, sizeof(ins_pack_recipe)),
        reader->error, "model pack has a damaged recipe");
    CHECK_PACK(
        has_valid_sizes(recipe) && has_valid_choices(recipe) &&
            is_plain_name(recipe->architecture, sizeof(recipe->architecture)),
        reader->error, "model pack has an invalid recipe");
    reader->view->recipe = recipe;
    return INS_OK;
}

/* ---- strings ------------------------------------------------------------- */

/* Ends must not fall and the last must be the size of the bytes. */
static ins_status
read_strings(const struct reader *reader, uint32_t ends_kind, uint32_t count,
             uint32_t max_bytes, ins_string_table *table)
{
    const uint32_t *ends = section_data(reader, ends_kind);
    uint64_t size = section(reader, ends_kind + 1)->bytes;
    uint32_t start = 0;

    CHECK_PACK(has_elements(reader, ends_kind, count, sizeof(uint32_t)),
               reader->error, "model pack has a damaged section %u", ends_kind);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_PACK(ends[i] >= start && ends[i] - start <= max_bytes &&
                       ends[i] <= size,
                   reader->error, "model pack has a damaged string %u", i);
        start = ends[i];
    }
    CHECK_PACK(start == size, reader->error,
               "model pack has a damaged section %u", ends_kind + 1);
    table->ends = ends;
    table->bytes = section_data(reader, ends_kind + 1);
    table->count = count;
    return INS_OK;
}

static bool
is_utf8(ins_text text)
{
    size_t at = 0;

    while (at < text.size) {
        uint32_t code_point;

        at += ins_utf8_decode(text.data + at, text.size - at, &code_point);
        if (code_point == INS_UTF8_INVALID || code_point == 0)
            return false;
    }
    return true;
}

static ins_status
read_labels(struct reader *reader)
{
    ins_string_table *labels = &reader->view->labels;

    INS_TRY(read_strings(reader, INS_SECTION_LABEL_ENDS,
                         reader->view->recipe->labels, INS_MAX_LABEL_BYTES,
                         labels));
    for (uint32_t i = 0; i < labels->count; i++)
        CHECK_PACK(is_utf8(ins_string_at(labels, i)), reader->error,
                   "label %u of the model pack is not UTF-8", i);
    return INS_OK;
}

/* ---- tokenizer ----------------------------------------------------------- */

static ins_status
read_tokenizer(struct reader *reader)
{
    const ins_pack_tokenizer *t = section_data(reader, INS_SECTION_TOKENIZER);
    const uint32_t known = INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE |
                           INS_TOKENIZER_STRIP_ACCENTS |
                           INS_TOKENIZER_LOWERCASE;
    uint32_t ids = reader->view->recipe->vocabulary;

    CHECK_PACK(has_elements(reader, INS_SECTION_TOKENIZER, 1, sizeof(*t)),
               reader->error, "model pack has a damaged tokenizer");
    CHECK_PACK((t->flags & ~known) == 0 && t->pieces >= 1 && t->pieces <= ids &&
                   t->cls_id < ids && t->sep_id < ids && t->unk_id < ids &&
                   t->pad_id < ids && t->max_word_chars >= 1 &&
                   t->max_word_chars <= INS_MAX_WORD_CHARS &&
                   t->index_slots > t->pieces &&
                   (t->index_slots & (t->index_slots - 1)) == 0 &&
                   t->added_tokens <= INS_MAX_ADDED_TOKENS &&
                   t->prefix_bytes <= INS_PREFIX_BYTES &&
                   t->query_prompt_bytes <= INS_MAX_PROMPT_BYTES &&
                   t->document_prompt_bytes <= INS_MAX_PROMPT_BYTES,
               reader->error, "model pack has an invalid tokenizer");
    reader->view->tokenizer = t;
    return INS_OK;
}

static ins_status
read_piece_index(struct reader *reader)
{
    const ins_pack_tokenizer *tokenizer = reader->view->tokenizer;
    const uint32_t *slots = section_data(reader, INS_SECTION_PIECE_INDEX);

    CHECK_PACK(has_elements(reader, INS_SECTION_PIECE_INDEX,
                            tokenizer->index_slots, sizeof(uint32_t)),
               reader->error, "model pack has a damaged vocabulary index");
    for (uint32_t i = 0; i < tokenizer->index_slots; i++)
        CHECK_PACK(slots[i] <= tokenizer->pieces, reader->error,
                   "model pack has a damaged vocabulary index");
    reader->view->piece_index = slots;
    return INS_OK;
}

static ins_status
read_added_tokens(struct reader *reader)
{
    const ins_pack_added_token *added =
        section_data(reader, INS_SECTION_ADDED_TOKENS);
    uint64_t size = section(reader, INS_SECTION_ADDED_BYTES)->bytes;
    uint32_t count = reader->view->tokenizer->added_tokens;
    const uint32_t known = INS_ADDED_SPECIAL | INS_ADDED_LSTRIP |
                           INS_ADDED_RSTRIP | INS_ADDED_SINGLE_WORD |
                           INS_ADDED_NORMALIZED;

    CHECK_PACK(
        has_elements(reader, INS_SECTION_ADDED_TOKENS, count, sizeof(*added)),
        reader->error, "model pack has damaged added tokens");
    for (uint32_t i = 0; i < count; i++)
        CHECK_PACK(added[i].id < reader->view->recipe->vocabulary &&
                       (added[i].flags & ~known) == 0 && added[i].bytes >= 1 &&
                       added[i].bytes <= INS_MAX_PIECE_BYTES &&
                       ins_range_inside(added[i].start, added[i].bytes, size),
                   reader->error, "model pack has a damaged added token %u", i);
    reader->view->added_tokens = added;
    reader->view->added_bytes = section_data(reader, INS_SECTION_ADDED_BYTES);
    return INS_OK;
}

/* ---- tensors ------------------------------------------------------------- */

static ins_status
check_tensor(const struct reader *reader, const ins_pack_tensor *tensor)
{
    const ins_pack_section *weights = section(reader, INS_SECTION_WEIGHTS);
    ins_tensor_shape shape;
    uint64_t bytes;

    CHECK_PACK(ins_tensor_shape_of(reader->view->recipe, tensor->role,
                                   tensor->layer, &shape),
               reader->error,
               "model pack has a tensor that its recipe has not");
    CHECK_PACK(
        tensor->type == INS_WEIGHT_F32 && tensor->reserved == 0 &&
            tensor->rows == shape.rows && tensor->columns == shape.columns,
        reader->error, "tensor \"%s\" of layer %u has a wrong type or shape",
        shape.name, tensor->layer);
    bytes = (uint64_t) shape.rows * shape.columns * sizeof(float);
    CHECK_PACK(
        tensor->bytes == bytes && tensor->offset % INS_PACK_ALIGNMENT == 0 &&
            tensor->offset >= weights->offset &&
            ins_range_inside(tensor->offset - weights->offset, bytes,
                             weights->bytes),
        reader->error, "tensor \"%s\" of layer %u lies outside of the weights",
        shape.name, tensor->layer);
    return INS_OK;
}

static int
compare_keys(const ins_pack_tensor *tensor, uint32_t role, uint32_t layer)
{
    if (tensor->layer != layer)
        return tensor->layer < layer ? -1 : 1;
    if (tensor->role != role)
        return tensor->role < role ? -1 : 1;
    return 0;
}

const ins_pack_tensor *
ins_pack_find_tensor(const ins_pack_view *view, uint32_t role, uint32_t layer)
{
    uint32_t low = 0;
    uint32_t high = view->tensor_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_keys(&view->tensors[middle], role, layer);

        if (order == 0)
            return &view->tensors[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const float *
ins_pack_f32(const ins_pack_view *view, uint32_t role, uint32_t layer)
{
    const ins_pack_tensor *tensor = ins_pack_find_tensor(view, role, layer);

    return tensor != NULL
               ? (const float *) (const void *) (view->bytes + tensor->offset)
               : NULL;
}

/* Every role that the recipe asks for is there. */
static ins_status
check_complete(const struct reader *reader)
{
    const ins_pack_recipe *recipe = reader->view->recipe;
    ins_tensor_shape shape;

    for (uint32_t layer = 0; layer < recipe->layers; layer++)
        for (uint32_t role = 1; role <= INS_ROLE_LAST; role++) {
            if (!ins_tensor_shape_of(recipe, role, layer, &shape))
                continue;
            CHECK_PACK(ins_pack_find_tensor(reader->view, role, layer) != NULL,
                       reader->error,
                       "model pack lacks tensor \"%s\" of layer %u", shape.name,
                       layer);
        }
    return INS_OK;
}

static ins_status
read_tensors(struct reader *reader)
{
    ins_pack_view *view = reader->view;
    uint64_t bytes = section(reader, INS_SECTION_TENSORS)->bytes;
    uint64_t count = bytes / sizeof(ins_pack_tensor);

    CHECK_PACK(count * sizeof(ins_pack_tensor) == bytes &&
                   count <= INS_MAX_TENSORS,
               reader->error, "model pack has a damaged table of tensors");
    view->tensors = section_data(reader, INS_SECTION_TENSORS);
    view->tensor_count = (uint32_t) count;
    for (uint32_t i = 0; i < count; i++) {
        const ins_pack_tensor *tensor = &view->tensors[i];

        INS_TRY(check_tensor(reader, tensor));
        CHECK_PACK(i == 0 || compare_keys(&view->tensors[i - 1], tensor->role,
                                          tensor->layer) < 0,
                   reader->error, "model pack has its tensors out of order");
    }
    return check_complete(reader);
}

ins_status
ins_pack_read(ins_pack_view *view, const void *pack, size_t size,
              ins_error *error)
{
    struct reader reader = {view, NULL, error};

    memset(view, 0, sizeof(*view));
    INS_TRY(read_header(pack, size, error));
    view->bytes = pack;
    view->size = size;
    reader.sections =
        (const ins_pack_section *) (const void *) (view->bytes +
                                                   sizeof(ins_pack_header));
    INS_TRY(read_sections(&reader));
    INS_TRY(read_recipe(&reader));
    INS_TRY(read_tokenizer(&reader));
    INS_TRY(read_strings(&reader, INS_SECTION_PIECE_ENDS,
                         view->tokenizer->pieces, INS_MAX_PIECE_BYTES,
                         &view->pieces));
    INS_TRY(read_piece_index(&reader));
    INS_TRY(read_added_tokens(&reader));
    INS_TRY(read_labels(&reader));
    return read_tensors(&reader);
}
