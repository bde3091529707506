/*
 * pg_datum.h - texts and arrays between PostgreSQL and the core.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_DATUM_H
#define PG_DATUM_H

#include "insitu.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/*
 * A text that a model reads, as UTF-8; refused before it is decompressed when
 * it is longer than insitu.max_input_bytes.  A server encoding of SQL_ASCII
 * hands its bytes over as they are.
 */
ins_text input_text(Datum datum);
/* The same without a limit and for a text that is in memory. */
ins_text utf8_text(const char *data, int size);
/* A jsonb as it is written. */
ins_text json_text(Jsonb *value);
/* JSON of the core as a jsonb. */
Datum jsonb_datum(ins_text json);
/* UTF-8 of a model (label, piece) in the server's encoding. */
text *server_text(ins_text utf8);

/* Where in a text a count of characters has come to. */
typedef struct character_position {
    ins_text text;
    size_t byte;
    int32 characters;
} character_position;

/* Characters before a byte, as the server's substr() counts them.  Tokens come
 * in the order of the text, so that one pass counts all. */
int32 count_characters(character_position *position, size_t byte);

/* An uninitialised real[] of count values; *values points to them. */
ArrayType *make_real_array(uint32_t count, float **values);
/* An uninitialised integer[]. */
ArrayType *make_integer_array(uint32_t count, int32_t **values);
/* The numbers of a float8[], NaN for NULL. */
const double *read_numbers(ArrayType *array, int *count);

#endif
