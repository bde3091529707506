/*
 * pack_format.h - the pack: a model as one read-only, position-independent
 * image, used in place by every process that maps it.
 *
 * Little-endian.  All offsets count from the first byte of the pack; sections
 * and tensors begin at multiples of 64.  A pack holds no architecture: the
 * importer has turned BERT, DistilBERT, ... into a recipe of flags that the
 * encoder follows.  See README.md beside this file for the tables.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_FORMAT_H
#define INS_PACK_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/pack_tensors.h"

#define INS_PACK_MAGIC   "INSITUPK"
#define INS_PACK_VERSION 3

/* Limits: a pack or a source that exceeds one is refused. */
#define INS_MAX_PACK_BYTES         ((uint64_t) 16 << 30)
#define INS_MAX_TENSORS            4096
#define INS_MAX_LABELS             65536
#define INS_MAX_LABEL_BYTES        1024
#define INS_MAX_VOCABULARY         (1u << 22)
#define INS_MAX_PIECE_BYTES        1024
#define INS_MAX_ADDED_TOKENS       4096
#define INS_MAX_LAYERS             128
#define INS_MAX_HIDDEN             16384
#define INS_MAX_INTERMEDIATE       65536
#define INS_MAX_POSITIONS          32768
#define INS_MAX_TOKEN_TYPES        16
#define INS_MAX_PROMPT_BYTES       1024
#define INS_MAX_WORD_CHARS         1000 /* max_input_chars_per_word */
#define INS_MAX_INDEX_PROBES       64   /* longest run in the piece index */
#define INS_MAX_ARCHITECTURE_BYTES 16
#define INS_MAX_LEXICAL            16384
#define INS_MAX_LEXICAL_LENGTH     1000

typedef struct ins_pack_header {
    char magic[8];          /*  0  "INSITUPK" */
    uint32_t version;       /*  8  INS_PACK_VERSION */
    uint32_t section_count; /* 12  entries of the table that follows */
    uint64_t total_bytes;   /* 16  size of the whole pack */
    uint64_t reserved;      /* 24  0 */
} ins_pack_header;
static_assert(sizeof(ins_pack_header) == 32, "part of the format");

/* One of each, in this order; empty ones have bytes 0. */
enum ins_pack_section_kind {
    INS_SECTION_RECIPE = 1,  /* one ins_pack_recipe */
    INS_SECTION_TOKENIZER,   /* one ins_pack_tokenizer */
    INS_SECTION_PIECE_ENDS,  /* uint32_t[vocabulary]: end of piece i in BYTES */
    INS_SECTION_PIECE_BYTES, /* the pieces, one after the other */
    INS_SECTION_PIECE_INDEX, /* uint32_t[index_slots]: id + 1, or 0 */
    INS_SECTION_ADDED_TOKENS, /* ins_pack_added_token[] */
    INS_SECTION_ADDED_BYTES,  /* their texts, one after the other */
    INS_SECTION_LABEL_ENDS,   /* uint32_t[labels] */
    INS_SECTION_LABEL_BYTES,  /* UTF-8 */
    INS_SECTION_TENSORS,      /* ins_pack_tensor[] */
    INS_SECTION_WEIGHTS,      /* what the tensors point into */
    INS_SECTION_LAST = INS_SECTION_WEIGHTS
};
#define INS_PACK_SECTIONS 11

typedef struct ins_pack_section {
    uint32_t kind;     /*  0 */
    uint32_t reserved; /*  4  0 */
    uint64_t offset;   /*  8  multiple of 64 */
    uint64_t bytes;    /* 16 */
} ins_pack_section;
static_assert(sizeof(ins_pack_section) == 24, "part of the format");

enum ins_activation {
    INS_ACTIVATION_NONE = 0,
    INS_ACTIVATION_GELU, /* exact, with erf */
    INS_ACTIVATION_GELU_TANH,
    INS_ACTIVATION_RELU,
    INS_ACTIVATION_TANH
};

enum ins_pooling {
    INS_POOLING_NONE = 0,
    INS_POOLING_MEAN,
    INS_POOLING_CLS,
    INS_POOLING_MAX
};

enum ins_recipe_flags {
    INS_RECIPE_CLASSIFY = 1u << 0,    /* has a classification head */
    INS_RECIPE_EMBED = 1u << 1,       /* pooling is set */
    INS_RECIPE_MULTI_LABEL = 1u << 2, /* sigmoid per label, not softmax */
    INS_RECIPE_NORMALIZE = 1u << 3,   /* embeddings get length 1 */
    INS_RECIPE_HEAD_DENSE = 1u << 4,  /* a dense layer before the labels */
    INS_RECIPE_HEAD_POOLED = 1u << 5, /* the head reads the embedding */
    INS_RECIPE_TABULAR = 1u << 6      /* no encoder: a head over numbers */
};

/*
 * What the encoder does.  Post-norm transformer: embeddings are the sum of
 * word, position and (if token_types > 0) type-0 rows, normalised; each layer
 * is x = norm(x + attention(x)); x = norm(x + ffn(x)).  The head reads the
 * first token, or with HEAD_POOLED what the task embed gives for the same text
 * as a document, without the lexical part: [dense + head_activation], then the
 * label matrix.
 *
 * lexical > 0, with EMBED and NORMALIZE: that many values follow the pooled
 * ones, a sketch of which pieces the text has, see tasks/lexical.c; the role
 * LEXICAL has a weight for each piece.
 *
 * head_words > 0, with CLASSIFY: the head reads words, too: what that many rows
 * of the role HEAD_WORDS have for the text's words, see pack/word_table.h, is
 * added to the logits.
 *
 * TABULAR, alone or with HEAD_DENSE: the head reads hidden features x, each as
 * (x - (mean + rest)) * factor, and its softmax scores the labels; the role
 * FEATURES has rows of means, of what rounding to float took from the means,
 * and of factors, 1 / deviation or 0.  The pieces are the features' names;
 * intermediate is the width of the dense layer, 0
 * without; position_offset is the label that predict scores.  Layers, heads,
 * vocabulary, positions, token_types, activation, pooling, max_tokens,
 * norm_epsilon and the whole tokenizer are 0, weights is f32.
 */
typedef struct ins_pack_recipe {
    uint32_t flags;           /*  0  enum ins_recipe_flags */
    uint32_t layers;          /*  4 */
    uint32_t hidden;          /*  8 */
    uint32_t heads;           /* 12  divides hidden */
    uint32_t intermediate;    /* 16 */
    uint32_t vocabulary;      /* 20  rows of the word embedding */
    uint32_t positions;       /* 24  rows of the position embedding */
    uint32_t position_offset; /* 28  row of the first token; see TABULAR */
    uint32_t token_types;     /* 32  rows, 0 = none */
    uint32_t activation;      /* 36  of the feed-forward layers */
    uint32_t head_activation; /* 40  after the head's dense layer */
    uint32_t pooling;         /* 44  enum ins_pooling */
    uint32_t labels;          /* 48 */
    uint32_t max_tokens;      /* 52  <= positions - position_offset, >= 2 */
    float norm_epsilon;       /* 56  > 0 */
    uint32_t weights;         /* 60  enum ins_weight_type */
    char architecture[INS_MAX_ARCHITECTURE_BYTES]; /* 64  for humans only */
    uint32_t lexical;         /* 80  values of the lexical part, 0 = none */
    float lexical_saturation; /* 84  0 without the part, as what follows */
    float lexical_document;   /* 88  length beside the pooled values' 1 ... */
    float lexical_query;      /* 92  ... in a query */
    uint32_t head_words;      /* 96  a power of two; 0 = none */
} ins_pack_recipe;
static_assert(sizeof(ins_pack_recipe) == 100, "part of the format");

enum ins_tokenizer_flags {
    INS_TOKENIZER_CLEAN = 1u << 0,   /* drop controls, unify spaces */
    INS_TOKENIZER_CHINESE = 1u << 1, /* spaces around CJK ideographs */
    INS_TOKENIZER_STRIP_ACCENTS = 1u << 2,
    INS_TOKENIZER_LOWERCASE = 1u << 3
};

#define INS_PREFIX_BYTES 16

typedef struct ins_pack_tokenizer {
    uint32_t flags;          /*  0  enum ins_tokenizer_flags */
    uint32_t pieces;         /*  4  vocabulary entries, <= recipe.vocabulary */
    uint32_t cls_id;         /*  8  put first */
    uint32_t sep_id;         /* 12  put last */
    uint32_t unk_id;         /* 16 */
    uint32_t pad_id;         /* 20 */
    uint32_t max_word_chars; /* 24  longer words become [UNK] */
    uint32_t index_seed;     /* 28  of ins_hash for the piece index */
    uint32_t index_slots;    /* 32  power of two, > pieces */
    uint32_t added_tokens;   /* 36 */
    uint32_t prefix_bytes;   /* 40 */
    uint32_t query_prompt_bytes;                /* 44 */
    uint32_t document_prompt_bytes;             /* 48 */
    uint32_t reserved[3];                       /* 52  0 */
    char prefix[INS_PREFIX_BYTES];              /* 64  "##" */
    char query_prompt[INS_MAX_PROMPT_BYTES];    /*   80  put before a query */
    char document_prompt[INS_MAX_PROMPT_BYTES]; /* 1104  ... a document */
} ins_pack_tokenizer;
static_assert(sizeof(ins_pack_tokenizer) == 2128, "part of the format");

enum ins_added_token_flags {
    INS_ADDED_SPECIAL = 1u << 0,
    INS_ADDED_LSTRIP = 1u << 1,      /* swallows spaces on its left */
    INS_ADDED_RSTRIP = 1u << 2,      /* ... on its right */
    INS_ADDED_SINGLE_WORD = 1u << 3, /* only between word boundaries */
    INS_ADDED_NORMALIZED = 1u << 4   /* matched in the normalised text */
};

typedef struct ins_pack_added_token {
    uint32_t id;    /*  0 */
    uint32_t flags; /*  4 */
    uint32_t start; /*  8  in INS_SECTION_ADDED_BYTES */
    uint32_t bytes; /* 12  >= 1 */
} ins_pack_added_token;
static_assert(sizeof(ins_pack_added_token) == 16, "part of the format");

#endif
