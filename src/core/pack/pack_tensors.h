/*
 * pack_tensors.h - the tensors of a pack: their roles, number types and how
 * they lie; part of pack_format.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PACK_TENSORS_H
#define INS_PACK_TENSORS_H

#include <assert.h>
#include <stdint.h>

#define INS_PACK_ALIGNMENT 64

/* The number type of the encoder's matrices and of the word embeddings. */
enum ins_weight_type {
    INS_WEIGHTS_F32 = 1,
    INS_WEIGHTS_BF16,
    INS_WEIGHTS_INT8,
    INS_WEIGHTS_LAST = INS_WEIGHTS_INT8
};

/*
 * How a tensor's numbers lie.
 *
 * Rows: one after the other.  INT8_ROWS: int8_t[rows][columns], from the next
 * multiple of 64 on float[rows]: what each row is multiplied with.
 *
 * Panels: 64 rows (outputs of a matrix) together, in steps of 256 bytes down
 * the columns (inputs), so that a step feeds vectors of 4, 8 or 16 lanes:
 *   F32    step [64]     one column
 *   BF16   step [64][2]  two columns
 *   INT8   step [64][4]  four columns
 * Missing rows and columns are 0.  After the panels INT8 has, for all rows
 * rounded up to 64, float[]: what each row is multiplied with, then float[]:
 * the sum of its numbers.  INT8 numbers are within -127 .. 127.
 */
enum ins_tensor_type {
    INS_TENSOR_F32_ROWS = 1,
    INS_TENSOR_BF16_ROWS,
    INS_TENSOR_INT8_ROWS,
    INS_TENSOR_F32_PANELS,
    INS_TENSOR_BF16_PANELS,
    INS_TENSOR_INT8_PANELS
};

#define INS_PANEL_OUTPUTS    64
#define INS_PANEL_STEP_BYTES 256

/* Bytes of one panel of a matrix with so many columns. */
static inline uint64_t
ins_panel_bytes(uint32_t type, uint32_t columns)
{
    uint32_t step = type == INS_TENSOR_INT8_PANELS   ? 4
                    : type == INS_TENSOR_BF16_PANELS ? 2
                                                     : 1;

    return ((uint64_t) columns + step - 1) / step * INS_PANEL_STEP_BYTES;
}

static inline uint64_t
ins_panel_count(uint32_t rows)
{
    return ((uint64_t) rows + INS_PANEL_OUTPUTS - 1) / INS_PANEL_OUTPUTS;
}

/* Roles; a matrix is [outputs][inputs]. */
enum ins_tensor_role {
    /* layer = 0 */
    INS_ROLE_WORDS = 1,  /* [vocabulary][hidden] */
    INS_ROLE_POSITIONS,  /* [positions][hidden] */
    INS_ROLE_TYPES,      /* [token_types][hidden] */
    INS_ROLE_INPUT_NORM, /* [2][hidden]: scale, then bias */
    /* layer = 0 .. layers-1 */
    INS_ROLE_QKV,            /* [3*hidden][hidden]: query, key, value */
    INS_ROLE_QKV_BIAS,       /* [1][3*hidden] */
    INS_ROLE_ATTENTION_OUT,  /* [hidden][hidden] */
    INS_ROLE_ATTENTION_BIAS, /* [1][hidden] */
    INS_ROLE_ATTENTION_NORM, /* [2][hidden] */
    INS_ROLE_FFN_UP,         /* [intermediate][hidden] */
    INS_ROLE_FFN_UP_BIAS,    /* [1][intermediate] */
    INS_ROLE_FFN_DOWN,       /* [hidden][intermediate] */
    INS_ROLE_FFN_DOWN_BIAS,  /* [1][hidden] */
    INS_ROLE_FFN_NORM,       /* [2][hidden] */
    /* layer = 0 */
    INS_ROLE_HEAD_DENSE,      /* [hidden, TABULAR: intermediate][hidden] */
    INS_ROLE_HEAD_DENSE_BIAS, /* [1][rows of the dense layer] */
    INS_ROLE_HEAD_OUT,        /* [labels][what it reads] */
    INS_ROLE_HEAD_OUT_BIAS,   /* [1][labels] */
    INS_ROLE_FEATURES,        /* [3][hidden]; TABULAR: see pack_format.h */
    INS_ROLE_LEXICAL,         /* [1][vocabulary]: weights of the pieces */
    INS_ROLE_HEAD_WORDS,      /* [head_words][labels] */
    INS_ROLE_LAST = INS_ROLE_HEAD_WORDS
};

/* Sorted by (layer, role), each pair once. */
typedef struct ins_pack_tensor {
    uint32_t role;     /*  0 */
    uint32_t layer;    /*  4 */
    uint32_t type;     /*  8  enum ins_tensor_type */
    uint32_t rows;     /* 12 */
    uint32_t columns;  /* 16 */
    uint32_t reserved; /* 20  0 */
    uint64_t offset;   /* 24  from the start of the pack, multiple of 64 */
    uint64_t bytes;    /* 32  see enum ins_tensor_type */
} ins_pack_tensor;
static_assert(sizeof(ins_pack_tensor) == 40, "part of the format");

#endif
