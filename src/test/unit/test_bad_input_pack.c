/*
 * test_bad_input_pack.c - row W36: packs that somebody has forged.  A database
 * file may come from anywhere, so the reader must stand all of it.
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

#include "pack/pack_reader.h"
#include "pack/pack_shape.h"
#include "unit/tiny_model.h"

/* A good pack to damage; views are of the untouched bytes. */
struct pack {
    uint8_t *bytes;
    size_t size;
    ins_pack_section *sections;
    ins_pack_recipe *recipe;
    ins_pack_tokenizer *tokenizer;
};

static void *
section_data(const struct pack *pack, uint32_t kind)
{
    return pack->bytes + pack->sections[kind - 1].offset;
}

static struct pack
open_pack(tiny_host *host, unsigned flags)
{
    struct pack pack;
    tiny_model model;
    ins_error error;
    void *bytes;

    tiny_open(&model, flags);
    assert_int_equal(
        tiny_import(&model, &host->host, &bytes, &pack.size, &error), INS_OK);
    tiny_close(&model);
    pack.bytes = bytes;
    pack.sections =
        (ins_pack_section *) (void *) (pack.bytes + sizeof(ins_pack_header));
    pack.recipe = section_data(&pack, INS_SECTION_RECIPE);
    pack.tokenizer = section_data(&pack, INS_SECTION_TOKENIZER);
    return pack;
}

/* One forgery: a field that is set, and the words of the message. */
struct forgery {
    const char *name;
    void (*forge)(struct pack *pack);
    const char *words;
    ins_status status; /* 0: INS_CORRUPT_PACK */
};

static void
run_forgery(void **state)
{
    const struct forgery *forgery = *state;
    ins_status expected =
        forgery->status != INS_OK ? forgery->status : INS_CORRUPT_PACK;
    tiny_host host;
    struct pack pack;
    ins_error error = {.status = INS_OK};

    tiny_host_open(&host);
    pack = open_pack(&host, TINY_CLASSIFIER | TINY_SENTENCE | TINY_LEXICAL);
    forgery->forge(&pack);
    assert_int_equal(ins_pack_check(pack.bytes, pack.size, &host.host, &error),
                     expected);
    if (strstr(error.message, forgery->words) == NULL &&
        strstr(error.detail, forgery->words) == NULL)
        print_error("said: %s | %s\n", error.message, error.detail);
    assert_true(strstr(error.message, forgery->words) != NULL ||
                strstr(error.detail, forgery->words) != NULL);
    host.host.release(&host, pack.bytes);
    assert_int_equal(host.live_blocks, 0);
}

/* X(name, words, statements on "pack") */
#define FORGERIES(X)                                                           \
    X(magic, "does not begin", pack->bytes[0] = 'X')                           \
    X(section_count, "header", pack->bytes[12] = 3)                            \
    X(header_reserved, "header", pack->bytes[24] = 1)                          \
    X(total_bytes, "size is not", pack->bytes[16]++)                           \
    X(cut_to_nothing, "too short", pack->size = 0)                             \
    X(cut_in_header, "too short", pack->size = 31)                             \
    X(cut_by_one, "size is not", pack->size--)                                 \
    X(section_kind, "section table", pack->sections[2].kind = 9)               \
    X(section_reserved, "section table", pack->sections[2].reserved = 9)       \
    X(section_offset, "section table", pack->sections[2].offset += 64)         \
    X(section_offset_wraps, "section table",                                   \
      pack->sections[10].offset = UINT64_MAX - 63)                             \
    X(section_bytes_wrap, "section table",                                     \
      pack->sections[10].bytes = UINT64_MAX)                                   \
    X(section_overlap, "section table",                                        \
      pack->sections[3].offset = pack->sections[2].offset)                     \
    X(recipe_size, "section", pack->sections[0].bytes--)                       \
    X(last_section_short, "goes on", pack->sections[10].bytes -= 4)            \
    X(no_task, "recipe", pack->recipe->flags = 0)                              \
    X(unknown_flag, "flags", pack->recipe->flags |= 1u << 20)                  \
    X(pooled_without_embed, "flags",                                           \
      pack->recipe->flags ^=                                                   \
      INS_RECIPE_EMBED | INS_RECIPE_HEAD_POOLED | INS_RECIPE_NORMALIZE)        \
    X(pooled_without_head, "flags",                                            \
      pack->recipe->flags ^=                                                   \
      INS_RECIPE_CLASSIFY | INS_RECIPE_HEAD_DENSE | INS_RECIPE_HEAD_POOLED)    \
    X(words_without_weights, "wrong size", pack->recipe->head_words = 64)      \
    X(words_no_power, "head_words", pack->recipe->head_words = 96)             \
    X(words_too_many, "head_words", pack->recipe->head_words = 1u << 31)       \
    X(no_layers, "layers", pack->recipe->layers = 0)                           \
    X(many_layers, "layers", pack->recipe->layers = UINT32_MAX)                \
    X(one_layer_more, "size", pack->recipe->layers++)                          \
    X(no_hidden, "hidden", pack->recipe->hidden = 0)                           \
    X(other_hidden, "tensors do not fit", pack->recipe->hidden = 64)           \
    X(huge_hidden, "hidden", pack->recipe->hidden = 1u << 31)                  \
    X(no_heads, "heads", pack->recipe->heads = 0)                              \
    X(heads_do_not_divide, "heads", pack->recipe->heads = 5)                   \
    X(no_intermediate, "intermediate", pack->recipe->intermediate = 0)         \
    X(huge_intermediate, "intermediate",                                       \
      pack->recipe->intermediate = UINT32_MAX)                                 \
    X(no_vocabulary, "vocabulary", pack->recipe->vocabulary = 0)               \
    X(small_vocabulary, "vocabulary size", pack->recipe->vocabulary = 20)      \
    X(one_position, "positions", pack->recipe->positions = 1)                  \
    X(position_offset, "max_tokens", pack->recipe->position_offset = 20)       \
    X(position_offset_wraps, "position_offset",                                \
      pack->recipe->position_offset = UINT32_MAX)                              \
    X(max_tokens_zero, "max_tokens", pack->recipe->max_tokens = 0)             \
    X(max_tokens_beyond, "max_tokens", pack->recipe->max_tokens = 49)          \
    X(token_types, "token_types", pack->recipe->token_types = 17)              \
    X(no_token_types, "section", pack->recipe->token_types = 0)                \
    X(activation, "activation", pack->recipe->activation = 77)                 \
    X(head_activation, "activation", pack->recipe->head_activation = 77)       \
    X(pooling, "pooling", pack->recipe->pooling = 4)                           \
    X(no_pooling, "pooling", pack->recipe->pooling = 0)                        \
    X(no_labels, "labels", pack->recipe->labels = 0)                           \
    X(many_labels, "labels", pack->recipe->labels = 65537)                     \
    X(one_label_more, "section", pack->recipe->labels = 4)                     \
    X(epsilon_zero, "norm_epsilon", pack->recipe->norm_epsilon = 0)            \
    X(epsilon_negative, "norm_epsilon", pack->recipe->norm_epsilon = -1)       \
    X(epsilon_nan, "norm_epsilon",                                             \
      memset(&pack->recipe->norm_epsilon, 0xFF, 4))                            \
    X(weights_zero, "weights", pack->recipe->weights = 0)                      \
    X(weights_unknown, "weights", pack->recipe->weights = 4)                   \
    X(weights_other, "tensors do not fit",                                     \
      pack->recipe->weights = INS_WEIGHTS_F32)                                 \
    X(architecture_unended, "architecture",                                    \
      memset(pack->recipe->architecture, 'a', INS_MAX_ARCHITECTURE_BYTES))     \
    X(architecture_empty, "architecture", pack->recipe->architecture[0] = 0)   \
    X(architecture_control, "architecture",                                    \
      pack->recipe->architecture[1] = '\n')                                    \
    X(architecture_after_end, "architecture",                                  \
      pack->recipe->architecture[14] = 'a')                                    \
    X(no_lexical, "lexical", pack->recipe->lexical = 0)                        \
    X(huge_lexical, "lexical", pack->recipe->lexical = UINT32_MAX)             \
    X(saturation_negative, "lexical", pack->recipe->lexical_saturation = -1)   \
    X(saturation_nan, "lexical",                                               \
      memset(&pack->recipe->lexical_saturation, 0xFF, 4))                      \
    X(document_zero, "lexical", pack->recipe->lexical_document = 0)            \
    X(query_huge, "lexical", pack->recipe->lexical_query = 1e9f)               \
    X(query_nan, "lexical", memset(&pack->recipe->lexical_query, 0xFF, 4))     \
    X(lexical_of_any_length, "lexical",                                        \
      pack->recipe->flags ^= INS_RECIPE_NORMALIZE)                             \
    X(no_pieces, "vocabulary size", pack->tokenizer->pieces = 0)               \
    X(many_pieces, "vocabulary size", pack->tokenizer->pieces = UINT32_MAX)    \
    X(fewer_pieces, "section", pack->tokenizer->pieces--)                      \
    X(cls_beyond, "special token", pack->tokenizer->cls_id = 9999)             \
    X(sep_beyond, "special token", pack->tokenizer->sep_id = UINT32_MAX)       \
    X(unk_beyond, "special token", pack->tokenizer->unk_id = 1u << 31)         \
    X(pad_beyond, "special token", pack->tokenizer->pad_id = 9999)             \
    X(word_chars_zero, "longest word", pack->tokenizer->max_word_chars = 0)    \
    X(word_chars_huge, "longest word",                                         \
      pack->tokenizer->max_word_chars = UINT32_MAX)                            \
    X(tokenizer_flags, "flags", pack->tokenizer->flags |= 1u << 9)             \
    X(tokenizer_reserved, "flags", pack->tokenizer->reserved[2] = 1)           \
    X(slots_zero, "index", pack->tokenizer->index_slots = 0)                   \
    X(slots_odd, "index", pack->tokenizer->index_slots = 300)                  \
    X(slots_few, "index", pack->tokenizer->index_slots = 64)                   \
    X(slots_many, "section", pack->tokenizer->index_slots *= 2)                \
    X(other_seed, "index lacks piece", pack->tokenizer->index_seed ^= 1)       \
    X(prefix_long, "text", pack->tokenizer->prefix_bytes = 17)                 \
    X(prompt_long, "text", pack->tokenizer->query_prompt_bytes = 1025)         \
    X(prompt_cut, "text", pack->tokenizer->query_prompt_bytes = 3)             \
    X(prompt_invalid, "text", pack->tokenizer->query_prompt[0] = (char) 0xFF)  \
    X(document_prompt_huge, "text",                                            \
      pack->tokenizer->document_prompt_bytes = UINT32_MAX)                     \
    X(added_many, "added tokens", pack->tokenizer->added_tokens = 4097)        \
    X(added_fewer, "section", pack->tokenizer->added_tokens = 4)               \
    X(piece_ends_fall, "vocabulary is malformed",                              \
      ((uint32_t *) section_data(pack, INS_SECTION_PIECE_ENDS))[3] = 1)        \
    X(piece_ends_beyond, "vocabulary is malformed",                            \
      ((uint32_t *) section_data(pack, INS_SECTION_PIECE_ENDS))[3] =           \
          UINT32_MAX)                                                          \
    X(piece_invalid, "vocabulary is malformed",                                \
      ((char *) section_data(pack, INS_SECTION_PIECE_BYTES))[3] = (char) 0x80) \
    X(piece_cut, "vocabulary is malformed", cut_character(pack))               \
    X(piece_nul, "vocabulary is malformed",                                    \
      ((char *) section_data(pack, INS_SECTION_PIECE_BYTES))[3] = 0)           \
    X(index_beyond, "index is out of range",                                   \
      ((uint32_t *) section_data(pack, INS_SECTION_PIECE_INDEX))[0] =          \
          1 + pack->tokenizer->pieces)                                         \
    X(index_empty, "index lacks piece",                                        \
      memset(section_data(pack, INS_SECTION_PIECE_INDEX), 0,                   \
             pack->sections[INS_SECTION_PIECE_INDEX - 1].bytes))               \
    X(index_full, "index lacks piece", fill_index(pack))                       \
    X(added_id, "added token", added(pack)->id = UINT32_MAX)                   \
    X(added_flags, "added token", added(pack)->flags = 1u << 30)               \
    X(added_empty, "added token", added(pack)->bytes = 0)                      \
    X(added_long, "added token", added(pack)->bytes = UINT32_MAX)              \
    X(added_start, "added token", added(pack)->start = UINT32_MAX)             \
    X(label_ends_fall, "labels are malformed",                                 \
      ((uint32_t *) section_data(pack, INS_SECTION_LABEL_ENDS))[1] = 0)        \
    X(label_ends_short, "labels are malformed",                                \
      ((uint32_t *) section_data(pack, INS_SECTION_LABEL_ENDS))[2]--)          \
    X(label_invalid, "labels are malformed",                                   \
      ((char *) section_data(pack, INS_SECTION_LABEL_BYTES))[0] = (char) 0xFE) \
    X(label_nul, "labels are malformed",                                       \
      ((char *) section_data(pack, INS_SECTION_LABEL_BYTES))[0] = 0)           \
    X(tensor_role, "tensors do not fit", tensors(pack)[0].role = 99)           \
    X(tensor_role_zero, "tensors do not fit", tensors(pack)[0].role = 0)       \
    X(tensor_layer, "tensors do not fit", tensors(pack)[5].layer = 1)          \
    X(tensor_twice, "tensors do not fit", tensors(pack)[1] = tensors(pack)[0]) \
    X(tensor_type, "tensors do not fit", tensors(pack)[0].type = 2)            \
    X(tensor_rows, "tensors do not fit", tensors(pack)[0].rows--)              \
    X(tensor_columns, "tensors do not fit", tensors(pack)[0].columns = 0)      \
    X(tensor_shape_swapped, "tensors do not fit", swap_shape(pack))            \
    X(tensor_reserved, "tensors do not fit", tensors(pack)[0].reserved = 1)    \
    X(tensor_offset, "tensors do not fit", tensors(pack)[2].offset += 64)      \
    X(tensor_offset_wraps, "tensors do not fit",                               \
      tensors(pack)[2].offset = UINT64_MAX - 63)                               \
    X(tensor_bytes, "tensors do not fit", tensors(pack)[2].bytes += 4)         \
    X(weight_nan, "not finite",                                                \
      memset(tensor_data(pack, INS_ROLE_INPUT_NORM), 0xFF, 4))                 \
    X(lexical_weight_nan, "not finite",                                        \
      memset(tensor_data(pack, INS_ROLE_LEXICAL), 0xFF, 4))                    \
    X(factor_nan, "not finite", memset(factors_of_words(pack), 0xFF, 4))       \
    X(weight_out_of_range, "out of range",                                     \
      *(int8_t *) tensor_data(pack, INS_ROLE_WORDS) = INT8_MIN)

static ins_pack_tensor *
tensors(const struct pack *pack)
{
    return section_data(pack, INS_SECTION_TENSORS);
}

/* A tensor of the first layer. */
static void *
tensor_data(const struct pack *pack, uint32_t role)
{
    const ins_pack_tensor *tensor = tensors(pack);

    while (tensor->role != role)
        tensor++;
    return pack->bytes + tensor->offset;
}

static void *
factors_of_words(const struct pack *pack)
{
    const ins_pack_tensor *words = tensors(pack);

    return pack->bytes + words->offset +
           ins_pack_factors_offset(words->type, words->rows, words->columns);
}

static ins_pack_added_token *
added(const struct pack *pack)
{
    return section_data(pack, INS_SECTION_ADDED_TOKENS);
}

/* All pieces together are text, two of them are not. */
static void
cut_character(struct pack *pack)
{
    uint32_t *ends = section_data(pack, INS_SECTION_PIECE_ENDS);
    char *bytes = section_data(pack, INS_SECTION_PIECE_BYTES);

    memcpy(bytes + ends[3] - 1, "\xC3\xA9", 2);
}

/* No empty slot ends a search: only the limit of probes does. */
static void
fill_index(struct pack *pack)
{
    uint32_t *slots = section_data(pack, INS_SECTION_PIECE_INDEX);

    for (uint32_t i = 0; i < pack->tokenizer->index_slots; i++)
        slots[i] = 1;
}

static void
swap_shape(struct pack *pack)
{
    ins_pack_tensor *tensor = &tensors(pack)[0];
    uint32_t rows = tensor->rows;

    tensor->rows = tensor->columns;
    tensor->columns = rows;
}

#define FORGE_FUNCTION(name, words, statement)  \
    static void forge_##name(struct pack *pack) \
    {                                           \
        statement;                              \
    }
#define FORGE_ROW(name, words, statement) \
    {"test_w36_" #name, forge_##name, words, INS_OK},

FORGERIES(FORGE_FUNCTION)

static void
forge_version(struct pack *pack)
{
    pack->bytes[8] = 99;
}

static const struct forgery forgeries[] = {
    FORGERIES(FORGE_ROW){"test_d01_unknown_version", forge_version,
                         "version 99 is not supported", INS_UNSUPPORTED}};
#define FORGERY_COUNT (sizeof(forgeries) / sizeof(forgeries[0]))

/* ---- many at once -------------------------------------------------------- */

/* Reads the pack; when it is accepted, touches all that a view promises. */
static bool
survives(const uint8_t *bytes, size_t size)
{
    ins_pack_view view;
    ins_error error;
    size_t sum = 0;

    if (ins_pack_read(&view, bytes, size, &error) != INS_OK)
        return false;
    for (uint32_t i = 0; i < view.pieces.count; i++)
        for (size_t k = 0; k < ins_string_at(&view.pieces, i).size; k++)
            sum += (size_t) ins_string_at(&view.pieces, i).data[k];
    for (uint32_t i = 0; i < view.tensor_count; i++)
        sum += view.bytes[view.tensors[i].offset + view.tensors[i].bytes - 1];
    return sum != 1;
}

/* F10: every byte in front of the weights, each bit. */
static void
test_w36_every_bit_before_weights(void **state)
{
    tiny_host host;
    struct pack pack;
    size_t end;
    size_t accepted = 0;

    (void) state;
    tiny_host_open(&host);
    pack = open_pack(&host, TINY_CLASSIFIER | TINY_SENTENCE | TINY_LEXICAL);
    end = (size_t) pack.sections[INS_SECTION_WEIGHTS - 1].offset;
    for (size_t i = 0; i < end; i++) {
        for (int bit = 0; bit < 8; bit++) {
            pack.bytes[i] ^= (uint8_t) (1 << bit);
            accepted += survives(pack.bytes, pack.size);
            pack.bytes[i] ^= (uint8_t) (1 << bit);
        }
    }
    assert_true(survives(pack.bytes, pack.size));
    /* Texts, index entries and padding may change and stay well-formed. */
    assert_true(accepted > 0 && accepted < end * 8);
    host.host.release(&host, pack.bytes);
}

/* The copy has exactly the size, so that a read past it is seen. */
static void
test_w36_every_truncation(void **state)
{
    tiny_host host;
    struct pack pack;

    (void) state;
    tiny_host_open(&host);
    pack = open_pack(&host, 0);
    for (size_t size = 0; size < pack.size;
         size += size < 8192 ? 1 : pack.size / 50) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        uint64_t total = size;

        assert_non_null(copy);
        memcpy(copy, pack.bytes, size);
        assert_false(survives(copy, size));
        /* A header that knows of the cut. */
        if (size >= sizeof(ins_pack_header)) {
            memcpy(copy + 16, &total, sizeof(total));
            assert_false(survives(copy, size));
        }
        free(copy);
    }
    host.host.release(&host, pack.bytes);
}

static void
test_w36_unaligned(void **state)
{
    tiny_host host;
    struct pack pack;
    ins_pack_view view;
    ins_error error;
    uint8_t *copy;

    (void) state;
    tiny_host_open(&host);
    pack = open_pack(&host, 0);
    copy = malloc(pack.size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, pack.bytes, pack.size);
    assert_int_equal(ins_pack_read(&view, copy + 1, pack.size, &error),
                     INS_INVALID_ARGUMENT);
    free(copy);
    host.host.release(&host, pack.bytes);
}

int
main(void)
{
    struct CMUnitTest tests[FORGERY_COUNT + 3] = {
        cmocka_unit_test(test_w36_every_bit_before_weights),
        cmocka_unit_test(test_w36_every_truncation),
        cmocka_unit_test(test_w36_unaligned),
    };

    for (size_t i = 0; i < FORGERY_COUNT; i++) {
        tests[3 + i].name = forgeries[i].name;
        tests[3 + i].test_func = run_forgery;
        tests[3 + i].initial_state = (void *) (uintptr_t) &forgeries[i];
    }
    return _cmocka_run_group_tests("bad_input_pack", tests, FORGERY_COUNT + 3,
                                   NULL, NULL);
}
