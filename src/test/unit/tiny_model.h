/*
 * tiny_model.h - makes the files of a complete tiny model in memory, with ways
 * to damage any of them.  2 layers, 32 hidden, 4 heads, about 120 pieces.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include "insitu_import.h"

#define TINY_MAX_FILES 24

/* What insitu_lexical.json says, and the weight of a row. */
#define TINY_LEXICAL_SIZE       200
#define TINY_LEXICAL_SATURATION 1.5f
#define TINY_LEXICAL_DOCUMENT   0.5f
#define TINY_LEXICAL_QUERY      2.0f
#define TINY_LEXICAL_WEIGHT(piece) \
    ((piece) < 5 ? 0.0f : (float) ((piece) % 7) / 2)

enum tiny_flags {
    TINY_DISTILBERT = 1 << 0, /* otherwise BERT */
    TINY_CLASSIFIER = 1 << 1, /* three labels: billing, delivery, other */
    TINY_SENTENCE = 1 << 2,   /* files of sentence-transformers */
    TINY_SHARDED = 1 << 3,    /* two files and an index */
    TINY_VOCAB_TXT = 1 << 4,  /* vocab.txt instead of tokenizer.json */
    TINY_F16 = 1 << 5,
    TINY_BF16 = 1 << 6,
    TINY_UNPREFIXED = 1 << 7, /* tensor names without "bert." */
    TINY_OLD_NAMES = 1 << 8,  /* gamma and beta */
    TINY_EXTRAS = 1 << 9,     /* position_ids, cls.*, pooler */
    TINY_LEXICAL = 1 << 10    /* with TINY_SENTENCE: insitu_lexical.json */
};

typedef struct tiny_model {
    ins_source_file files[TINY_MAX_FILES]; /* names and data owned */
    size_t count;
} tiny_model;

/* Aborts the program when it is out of memory, as all functions here. */
void tiny_open(tiny_model *model, unsigned flags);
void tiny_close(tiny_model *model);

const ins_source_file *tiny_find(const tiny_model *model, const char *name);
/* Replaces or adds a file; data is copied, NULL = there but not read. */
void tiny_set(tiny_model *model, const char *name, const void *data,
              size_t size);
void tiny_set_text(tiny_model *model, const char *name, const char *text);
void tiny_remove(tiny_model *model, const char *name);
/* Replaces the first occurrence in a file; false when there is none. */
bool tiny_replace(tiny_model *model, const char *name, const char *from,
                  const char *to);
/* The same in a safetensors header, whose length is then set anew. */
bool tiny_edit_header(tiny_model *model, const char *name, const char *from,
                      const char *to);
/* A safetensors file of this header and so many bytes of zeros. */
void tiny_set_header(tiny_model *model, const char *name, const char *header,
                     size_t header_size, size_t data_size);

ins_status tiny_import(const tiny_model *model, const ins_host *host,
                       void **pack, size_t *size, ins_error *error);

/* A host over malloc that counts and can fail. */
typedef struct tiny_host {
    ins_host host;
    size_t live_blocks;
    size_t live_bytes;
    size_t peak_bytes;
    size_t calls;
    size_t fail_at;  /* 1 = the first call; 0 = never */
    bool persistent; /* all later calls fail too */
    size_t polls;
    size_t cancel_at; /* 0 = never */
} tiny_host;

void tiny_host_open(tiny_host *host);
/* Sets a group of cmocka's up: the runtime is ready for products. */
int tiny_prepare(void **state);

#endif
