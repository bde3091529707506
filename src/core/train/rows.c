/*
 * rows.c - the texts of a training and their labels, kept compactly.
 *
 * Numbers are written seven bits at a time, lowest first; the eighth bit says
 * that more follow.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/rows.h"

#include <string.h>

#define MAX_NUMBER_BYTES 10 /* of 64 bits */
#define MAX_LABEL_BYTES  5  /* of 32 bits */
#define SMALLEST_CHUNK   ((uint64_t) 4096)
#define LARGEST_CHUNK    ((uint64_t) 1 << 20)

struct ins_row_chunk {
    ins_row_chunk *next;
    size_t used;
    size_t capacity;
    uint8_t bytes[]; /* [capacity] */
};

static uint8_t *
put_number(uint8_t *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (uint8_t) (number | 0x80);
        number >>= 7;
    }
    *at++ = (uint8_t) number;
    return at;
}

static const uint8_t *
get_number(const uint8_t *at, uint64_t *number)
{
    int shift = 0;

    *number = 0;
    for (;; shift += 7) {
        *number |= (uint64_t) (*at & 0x7F) << shift;
        if ((*at++ & 0x80) == 0)
            return at;
    }
}

void
ins_row_store_close(ins_row_store *store, const ins_host *host)
{
    ins_row_chunk *chunk = store->first;

    while (chunk != NULL) {
        ins_row_chunk *next = chunk->next;

        ins_release(host, chunk);
        chunk = next;
    }
    *store = (ins_row_store){.first = NULL};
}

/* At most; UINT64_MAX when no memory holds it. */
static uint64_t
row_bytes(size_t text_size, size_t label_count)
{
    if (text_size > PTRDIFF_MAX / 2 || label_count > PTRDIFF_MAX / 16)
        return UINT64_MAX / 2;
    return (uint64_t) text_size + 2 * MAX_NUMBER_BYTES +
           (uint64_t) label_count * MAX_LABEL_BYTES;
}

/* Of the chunk that a row of so many bytes needs, its header included; 0 when
 * the last one has room. */
static uint64_t
new_chunk_bytes(const ins_row_store *store, uint64_t bytes)
{
    uint64_t size = store->bytes / 4;

    if (store->last != NULL &&
        bytes <= store->last->capacity - store->last->used)
        return 0;
    if (size < SMALLEST_CHUNK)
        size = SMALLEST_CHUNK;
    if (size > LARGEST_CHUNK)
        size = LARGEST_CHUNK;
    if (size < bytes)
        size = bytes;
    return size + sizeof(ins_row_chunk);
}

uint64_t
ins_row_store_bytes_with(const ins_row_store *store, size_t text_size,
                         size_t label_count)
{
    return store->bytes +
           new_chunk_bytes(store, row_bytes(text_size, label_count));
}

static ins_status
make_room(ins_row_store *store, uint64_t bytes, const ins_host *host,
          ins_error *error)
{
    uint64_t size = new_chunk_bytes(store, bytes);
    ins_row_chunk *chunk;
    void *memory;

    if (size == 0)
        return INS_OK;
    INS_TRY(ins_alloc(host, size, 1, &memory, error));
    chunk = memory;
    *chunk = (ins_row_chunk){
        .next = NULL,
        .capacity = (size_t) size - sizeof(*chunk),
    };
    if (store->last != NULL)
        store->last->next = chunk;
    else
        store->first = chunk;
    store->last = chunk;
    store->bytes += size;
    return INS_OK;
}

ins_status
ins_row_store_add(ins_row_store *store, ins_text text, const uint32_t *labels,
                  size_t label_count, const ins_host *host, ins_error *error)
{
    ins_row_chunk *chunk;
    uint8_t *at;

    INS_CHECK(store->count < UINT32_MAX, error, INS_LIMIT_EXCEEDED,
              "a training takes at most %u rows", UINT32_MAX);
    INS_TRY(make_room(store, row_bytes(text.size, label_count), host, error));
    chunk = store->last;
    at = put_number(chunk->bytes + chunk->used, label_count);
    for (size_t i = 0; i < label_count; i++)
        at = put_number(at, labels[i]);
    at = put_number(at, text.size);
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    chunk->used = (size_t) (at - chunk->bytes) + text.size;
    store->count++;
    store->text_bytes += text.size;
    if (text.size > store->longest)
        store->longest = text.size;
    return INS_OK;
}

bool
ins_row_cursor_next(ins_row_cursor *cursor, ins_row *row)
{
    const uint8_t *at;
    uint64_t number;

    if (cursor->chunk == NULL)
        cursor->chunk = cursor->store->first;
    else if (cursor->at == cursor->chunk->used && cursor->chunk->next != NULL) {
        cursor->chunk = cursor->chunk->next;
        cursor->at = 0;
    }
    if (cursor->chunk == NULL || cursor->at == cursor->chunk->used)
        return false;
    at = get_number(cursor->chunk->bytes + cursor->at, &number);
    row->label_count = (uint32_t) number;
    row->labels = at;
    for (uint32_t i = 0; i < row->label_count; i++)
        at = get_number(at, &number);
    at = get_number(at, &number);
    row->text = (ins_text){(const char *) at, (size_t) number};
    cursor->at = (size_t) (at - cursor->chunk->bytes) + row->text.size;
    return true;
}

uint32_t
ins_row_next_label(ins_row *row)
{
    uint64_t number;

    row->labels = get_number(row->labels, &number);
    return (uint32_t) number;
}
