/*
 * pack_reader.c - validates a pack and gives typed views into it.
 *
 * There is one writer and one layout, so the reader does not ask whether a
 * pack could be read somehow: it computes where every section and tensor must
 * lie and compares.  Holes, overlaps and spare entries are therefore
 * impossible, not merely checked for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pack/pack_reader.h"

#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "pack/pack_shape.h"

static ins_status
fail_pack(ins_error *error, const char *problem)
{
    return ins_fail(error, INS_CORRUPT_PACK, "the model pack is corrupt: %s",
                    problem);
}

/* ---- sections ----------------------------------------------------------- */

static ins_status
check_header(const uint8_t *pack, size_t size, ins_error *error)
{
    ins_pack_header header;

    if ((uintptr_t) pack % 8 != 0)
        return ins_fail(error, INS_INVALID_ARGUMENT,
                        "the model pack is not aligned to 8 bytes");
    if (size < sizeof(header))
        return fail_pack(error, "it is too short for a header");
    memcpy(&header, pack, sizeof(header));
    if (memcmp(header.magic, INS_PACK_MAGIC, sizeof(header.magic)) != 0)
        return fail_pack(error, "it does not begin with " INS_PACK_MAGIC);
    if (header.version != INS_PACK_VERSION) {
        ins_fail(error, INS_UNSUPPORTED,
                 "model pack version %u is not supported", header.version);
        ins_fail_detail(error, "This version of insitu reads version %d.",
                        INS_PACK_VERSION);
        ins_fail_hint(error, "Import the model again from its directory, under "
                             "a new name.");
        return INS_UNSUPPORTED;
    }
    if (header.section_count != INS_PACK_SECTIONS || header.reserved != 0)
        return fail_pack(error, "its header is malformed");
    if (header.total_bytes != size) {
        fail_pack(error, "its size is not the one in its header");
        ins_fail_detail(error, "It has %zu bytes instead of %llu.", size,
                        (unsigned long long) header.total_bytes);
        return INS_CORRUPT_PACK;
    }
    return INS_OK;
}

typedef ins_pack_section section_table[INS_PACK_SECTIONS];

/* Each section must begin at the first boundary after the one before. */
static ins_status
read_sections(const uint8_t *pack, uint64_t size, section_table sections,
              ins_error *error)
{
    uint64_t end = sizeof(ins_pack_header) + sizeof(section_table);

    if (size < end)
        return fail_pack(error, "it is too short for its section table");
    memcpy(sections, pack + sizeof(ins_pack_header), sizeof(section_table));
    for (uint32_t i = 0; i < INS_PACK_SECTIONS; i++) {
        const ins_pack_section *section = &sections[i];
        uint64_t start;

        if (!ins_align_u64(end, INS_PACK_ALIGNMENT, &start) ||
            section->kind != i + 1 || section->reserved != 0 ||
            section->offset != start ||
            !ins_range_inside(start, section->bytes, size))
            return fail_pack(error, "its section table is malformed");
        end = start + section->bytes;
    }
    if (end != size)
        return fail_pack(error, "it goes on after its last section");
    return INS_OK;
}

/* The section when it holds exactly count entries of size bytes. */
static ins_status
take_section(const ins_pack_view *view, const section_table sections,
             uint32_t kind, uint64_t count, size_t size, const void **start,
             ins_error *error)
{
    const ins_pack_section *section = &sections[kind - 1];
    uint64_t bytes;

    if (!ins_mul_u64(count, size, &bytes) || section->bytes != bytes) {
        fail_pack(error, "a section has the wrong size");
        ins_fail_detail(error, "Section %u has %llu bytes instead of %llu.",
                        kind, (unsigned long long) section->bytes,
                        (unsigned long long) (count * size));
        return INS_CORRUPT_PACK;
    }
    *start = view->bytes + section->offset;
    return INS_OK;
}

/* ---- text --------------------------------------------------------------- */

/* All ends rise, none of the strings is too long, each is text: all together
 * are, which is looked at much faster, and none ends inside of a character. */
static bool
is_string_table(const ins_string_table *table, uint64_t bytes,
                uint32_t max_bytes)
{
    uint32_t start = 0;

    if (!ins_utf8_is_text(table->bytes, bytes))
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t end = table->ends[i];

        if (end < start || end > bytes || end - start > max_bytes ||
            (end < bytes && ins_utf8_continues(table->bytes[end])))
            return false;
        start = end;
    }
    return start == bytes;
}

static ins_status
read_strings(const ins_pack_view *view, const section_table sections,
             uint32_t ends_kind, ins_string_table *table, ins_error *error)
{
    const ins_pack_section *bytes = &sections[ends_kind]; /* the next kind */
    bool is_labels = ends_kind == INS_SECTION_LABEL_ENDS;
    const void *start;

    INS_TRY(take_section(view, sections, ends_kind, table->count,
                         sizeof(uint32_t), &start, error));
    table->ends = start;
    table->bytes = (const char *) view->bytes + bytes->offset;
    if (!is_string_table(table, bytes->bytes,
                         is_labels ? INS_MAX_LABEL_BYTES : INS_MAX_PIECE_BYTES))
        return fail_pack(error, is_labels ? "its labels are malformed"
                                          : "its vocabulary is malformed");
    return INS_OK;
}

/* ---- tokenizer ---------------------------------------------------------- */

/* Unused bytes of a fixed field are zero, so that equal packs are equal. */
static bool
is_padded_text(const char *field, uint32_t bytes, size_t size)
{
    if (bytes > size || !ins_utf8_is_text(field, bytes))
        return false;
    for (size_t i = bytes; i < size; i++)
        if (field[i] != 0)
            return false;
    return true;
}

static bool
has_known_ids(const ins_pack_tokenizer *tokenizer, uint32_t vocabulary)
{
    return tokenizer->cls_id < vocabulary && tokenizer->sep_id < vocabulary &&
           tokenizer->unk_id < vocabulary && tokenizer->pad_id < vocabulary;
}

static ins_status
check_tokenizer(const ins_pack_view *view, ins_error *error)
{
    const ins_pack_tokenizer *tokenizer = view->tokenizer;
    const uint32_t known = INS_TOKENIZER_CLEAN | INS_TOKENIZER_CHINESE |
                           INS_TOKENIZER_STRIP_ACCENTS |
                           INS_TOKENIZER_LOWERCASE;
    const uint32_t *reserved = tokenizer->reserved;
    uint32_t slots = tokenizer->index_slots;

    if ((tokenizer->flags & ~known) != 0 ||
        (reserved[0] | reserved[1] | reserved[2]) != 0)
        return fail_pack(error, "its tokenizer has unknown flags");
    if (tokenizer->pieces < 1 || tokenizer->pieces > view->recipe->vocabulary)
        return fail_pack(error, "its vocabulary size is out of range");
    if (!has_known_ids(tokenizer, view->recipe->vocabulary))
        return fail_pack(error, "a special token is out of range");
    if (tokenizer->max_word_chars < 1 ||
        tokenizer->max_word_chars > INS_MAX_WORD_CHARS)
        return fail_pack(error, "its longest word is out of range");
    if ((slots & (slots - 1)) != 0 || slots <= tokenizer->pieces)
        return fail_pack(error, "its vocabulary index has a wrong size");
    if (tokenizer->added_tokens > INS_MAX_ADDED_TOKENS)
        return fail_pack(error, "it has too many added tokens");
    if (!is_padded_text(tokenizer->prefix, tokenizer->prefix_bytes,
                        INS_PREFIX_BYTES) ||
        !is_padded_text(tokenizer->query_prompt, tokenizer->query_prompt_bytes,
                        INS_MAX_PROMPT_BYTES) ||
        !is_padded_text(tokenizer->document_prompt,
                        tokenizer->document_prompt_bytes, INS_MAX_PROMPT_BYTES))
        return fail_pack(error, "a text of its tokenizer is malformed");
    return INS_OK;
}

static ins_status
check_index(const ins_pack_view *view, ins_error *error)
{
    uint32_t largest = 0;

    for (uint32_t i = 0; i < view->tokenizer->index_slots; i++)
        if (view->piece_index[i] > largest)
            largest = view->piece_index[i];
    if (largest > view->pieces.count)
        return fail_pack(error, "its vocabulary index is out of range");
    return INS_OK;
}

static ins_status
check_added_tokens(const ins_pack_view *view, uint64_t bytes, ins_error *error)
{
    const uint32_t known = INS_ADDED_SPECIAL | INS_ADDED_LSTRIP |
                           INS_ADDED_RSTRIP | INS_ADDED_SINGLE_WORD |
                           INS_ADDED_NORMALIZED;
    uint64_t end = 0;

    for (uint32_t i = 0; i < view->tokenizer->added_tokens; i++) {
        const ins_pack_added_token *token = &view->added_tokens[i];

        if (token->id >= view->recipe->vocabulary ||
            (token->flags & ~known) != 0 || token->bytes < 1 ||
            token->bytes > INS_MAX_PIECE_BYTES || token->start != end ||
            !ins_range_inside(token->start, token->bytes, bytes) ||
            !ins_utf8_is_text(view->added_bytes + token->start, token->bytes))
            return fail_pack(error, "an added token is malformed");
        end += token->bytes;
    }
    if (end != bytes)
        return fail_pack(error, "its added tokens have spare bytes");
    return INS_OK;
}

/* A model over numbers has names in the place of pieces, and no tokenizer. */
static ins_status
read_features(ins_pack_view *view, const section_table sections,
              ins_error *error)
{
    static const ins_pack_tokenizer nothing;
    const void *start;

    INS_TRY(take_section(view, sections, INS_SECTION_TOKENIZER, 1,
                         sizeof(ins_pack_tokenizer), &start, error));
    view->tokenizer = start;
    if (memcmp(start, &nothing, sizeof(nothing)) != 0)
        return fail_pack(error, "a model over numbers has a tokenizer");
    view->pieces.count = view->recipe->hidden;
    INS_TRY(read_strings(view, sections, INS_SECTION_PIECE_ENDS, &view->pieces,
                         error));
    for (uint32_t kind = INS_SECTION_PIECE_INDEX;
         kind <= INS_SECTION_ADDED_BYTES; kind++)
        INS_TRY(take_section(view, sections, kind, 0, 1, &start, error));
    return INS_OK;
}

static ins_status
read_tokenizer(ins_pack_view *view, const section_table sections,
               ins_error *error)
{
    const void *start;

    if (ins_pack_is_tabular(view->recipe))
        return read_features(view, sections, error);

    INS_TRY(take_section(view, sections, INS_SECTION_TOKENIZER, 1,
                         sizeof(ins_pack_tokenizer), &start, error));
    view->tokenizer = start;
    INS_TRY(check_tokenizer(view, error));
    view->pieces.count = view->tokenizer->pieces;
    INS_TRY(read_strings(view, sections, INS_SECTION_PIECE_ENDS, &view->pieces,
                         error));
    INS_TRY(take_section(view, sections, INS_SECTION_PIECE_INDEX,
                         view->tokenizer->index_slots, sizeof(uint32_t), &start,
                         error));
    view->piece_index = start;
    INS_TRY(check_index(view, error));
    INS_TRY(take_section(view, sections, INS_SECTION_ADDED_TOKENS,
                         view->tokenizer->added_tokens,
                         sizeof(ins_pack_added_token), &start, error));
    view->added_tokens = start;
    view->added_bytes = (const char *) view->bytes +
                        sections[INS_SECTION_ADDED_BYTES - 1].offset;
    return check_added_tokens(view, sections[INS_SECTION_ADDED_BYTES - 1].bytes,
                              error);
}

/* ---- recipe, labels, tensors -------------------------------------------- */

/* The name is shown to people and put into JSON: printable ASCII only. */
static bool
is_plain_name(const char *name)
{
    size_t length = strnlen(name, INS_MAX_ARCHITECTURE_BYTES);

    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    return length > 0 && length < INS_MAX_ARCHITECTURE_BYTES &&
           is_padded_text(name, (uint32_t) length, INS_MAX_ARCHITECTURE_BYTES);
}

static ins_status
read_recipe(ins_pack_view *view, const section_table sections, ins_error *error)
{
    const char *problem;
    const void *start;

    INS_TRY(take_section(view, sections, INS_SECTION_RECIPE, 1,
                         sizeof(ins_pack_recipe), &start, error));
    view->recipe = start;
    if (!ins_pack_recipe_is_sound(view->recipe, &problem)) {
        fail_pack(error, "its recipe is out of range");
        ins_fail_detail(error, "The field is \"%s\".", problem);
        return INS_CORRUPT_PACK;
    }
    if (!is_plain_name(view->recipe->architecture))
        return fail_pack(error, "its architecture's name is malformed");
    view->labels.count = view->recipe->labels;
    return read_strings(view, sections, INS_SECTION_LABEL_ENDS, &view->labels,
                        error);
}

/* Is the entry the one that must stand here?  *at moves to its end. */
static bool
is_expected_tensor(const ins_pack_recipe *recipe, const ins_pack_tensor *tensor,
                   ins_pack_step step, uint64_t *at)
{
    uint32_t rows;
    uint32_t columns;
    uint64_t start;

    ins_pack_role_shape(recipe, step.role, &rows, &columns);
    if (tensor->role != step.role || tensor->layer != step.layer ||
        tensor->type != ins_pack_role_type(recipe, step.role) ||
        tensor->rows != rows || tensor->columns != columns ||
        tensor->reserved != 0)
        return false;
    if (tensor->bytes != ins_pack_tensor_bytes(tensor->type, rows, columns) ||
        !ins_align_u64(*at, INS_PACK_ALIGNMENT, &start) ||
        tensor->offset != start)
        return false;
    return ins_add_u64(start, tensor->bytes, at);
}

static ins_status
read_tensors(ins_pack_view *view, const section_table sections,
             ins_error *error)
{
    const ins_pack_section *weights = &sections[INS_SECTION_WEIGHTS - 1];
    ins_pack_step step = {0, 0};
    uint64_t at = weights->offset;
    const void *start;

    view->tensor_count = ins_pack_step_count(view->recipe);
    INS_TRY(take_section(view, sections, INS_SECTION_TENSORS,
                         view->tensor_count, sizeof(ins_pack_tensor), &start,
                         error));
    view->tensors = start;
    for (uint32_t i = 0; ins_pack_next_step(view->recipe, &step); i++) {
        const ins_pack_tensor *tensor = &view->tensors[i];

        if (!is_expected_tensor(view->recipe, tensor, step, &at)) {
            fail_pack(error, "its tensors do not fit its recipe");
            ins_fail_detail(error, "Role %u of layer %u is wrong.", step.role,
                            step.layer);
            return INS_CORRUPT_PACK;
        }
    }
    if (at != weights->offset + weights->bytes)
        return fail_pack(error, "its weights have the wrong size");
    return INS_OK;
}

ins_status
ins_pack_read(ins_pack_view *view, const void *pack, size_t size,
              ins_error *error)
{
    section_table sections;

    *view = (ins_pack_view){.bytes = pack, .size = size};
    INS_TRY(check_header(pack, size, error));
    INS_TRY(read_sections(pack, size, sections, error));
    INS_TRY(read_recipe(view, sections, error));
    INS_TRY(read_tokenizer(view, sections, error));
    return read_tensors(view, sections, error);
}

const ins_pack_tensor *
ins_pack_find_tensor(const ins_pack_view *view, uint32_t role, uint32_t layer)
{
    uint32_t low = 0;
    uint32_t high = view->tensor_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const ins_pack_tensor *tensor = &view->tensors[middle];

        if (tensor->role == role && tensor->layer == layer)
            return tensor;
        if (tensor->layer < layer ||
            (tensor->layer == layer && tensor->role < role))
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

    /* The offset is a multiple of 64 and the pack is aligned. */
    return tensor != NULL ? (const void *) (view->bytes + tensor->offset)
                          : NULL;
}
