/*
 * pg_datum.c - texts and arrays between PostgreSQL and the core.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg_datum.h"
#include "pg_settings.h"

ins_text
utf8_text(const char *data, int size)
{
    ins_text utf8 = {data, (size_t) size};

    /* pg_server_to_any would verify SQL_ASCII as UTF-8 and refuse it. */
    if (GetDatabaseEncoding() != PG_SQL_ASCII) {
        utf8.data = pg_server_to_any(data, size, PG_UTF8);
        if (utf8.data != data)
            utf8.size = strlen(utf8.data);
    }
    return utf8;
}

ins_text
json_text(Jsonb *value)
{
    char *json = JsonbToCString(NULL, &value->root, VARSIZE(value));

    return utf8_text(json, (int) strlen(json));
}

ins_text
input_text(Datum datum)
{
    Size size = toast_raw_datum_size(datum) - VARHDRSZ;
    text *value;

    if (size > (Size) setting_max_input_bytes)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                 errmsg("a text of %zu bytes exceeds the limit of %d bytes",
                        size, setting_max_input_bytes),
                 errhint("Shorten it with left(), or have a superuser raise "
                         "insitu.max_input_bytes.")));
    value = DatumGetTextPP(datum);
    return utf8_text(VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
}

text *
server_text(ins_text utf8)
{
    char *data = (char *) utf8.data;
    int size = (int) utf8.size;

    if (GetDatabaseEncoding() != PG_SQL_ASCII &&
        GetDatabaseEncoding() != PG_UTF8) {
        data = pg_any_to_server(utf8.data, size, PG_UTF8);
        if (data != utf8.data)
            size = (int) strlen(data);
    }
    return cstring_to_text_with_len(data, size);
}

Datum
jsonb_datum(ins_text json)
{
    return DirectFunctionCall1(
        jsonb_in, CStringGetDatum(text_to_cstring(server_text(json))));
}

int32
count_characters(character_position *position, size_t byte)
{
    bool single_bytes = GetDatabaseEncoding() == PG_SQL_ASCII;

    if (byte < position->byte) {
        position->byte = 0;
        position->characters = 0;
    }
    for (; position->byte < byte; position->byte++) {
        unsigned char c = (unsigned char) position->text.data[position->byte];

        position->characters += single_bytes || (c & 0xC0) != 0x80;
    }
    return position->characters;
}

static ArrayType *
make_array(uint32_t count, size_t element_bytes, Oid element_type)
{
    Size bytes = ARR_OVERHEAD_NONULLS(1) + (Size) count * element_bytes;
    ArrayType *array;

    if (!AllocSizeIsValid(bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("an array of %u values is too large", count)));
    array = palloc(bytes);
    memset(array, 0, ARR_OVERHEAD_NONULLS(1));
    SET_VARSIZE(array, bytes);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = element_type;
    ARR_DIMS(array)[0] = (int) count;
    ARR_LBOUND(array)[0] = 1;
    return array;
}

ArrayType *
make_real_array(uint32_t count, float **values)
{
    ArrayType *array = make_array(count, sizeof(float), FLOAT4OID);

    *values = (float *) ARR_DATA_PTR(array);
    return array;
}

ArrayType *
make_integer_array(uint32_t count, int32_t **values)
{
    ArrayType *array = make_array(count, sizeof(int32_t), INT4OID);

    *values = (int32_t *) ARR_DATA_PTR(array);
    return array;
}

const double *
read_numbers(ArrayType *array, int *count)
{
    Datum *elements;
    bool *nulls;
    double *numbers;

    if (!array_contains_nulls(array)) {
        *count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
        return (const double *) ARR_DATA_PTR(array);
    }
    deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
                      TYPALIGN_DOUBLE, &elements, &nulls, count);
    numbers = palloc((Size) *count * sizeof(*numbers));
    for (int i = 0; i < *count; i++)
        numbers[i] = nulls[i] ? NAN : DatumGetFloat8(elements[i]);
    return numbers;
}
