/*
 * writer.c - a text that grows: JSON and HTML, without locale and stdio.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/writer.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/utf8.h"

#define FIRST_BYTES 1024
#define POLL_SHIFT  16 /* the host is asked once per 64 kB */

void
ins_writer_open(ins_writer *writer, const ins_host *host, ins_error *error)
{
    memset(writer, 0, sizeof(*writer));
    writer->host = host;
    writer->error = error;
    writer->status = INS_OK;
}

static ins_status
grow(ins_writer *writer, uint64_t needed)
{
    uint64_t capacity =
        writer->capacity > 0 ? writer->capacity : FIRST_BYTES / 2;
    void *memory;

    do
        if (!ins_mul_u64(capacity, 2, &capacity))
            return ins_fail_no_memory(writer->error, SIZE_MAX);
    while (capacity < needed);
    INS_TRY(ins_alloc(writer->host, capacity, 1, &memory, writer->error));
    if (writer->size > 0)
        memcpy(memory, writer->data, writer->size);
    ins_release(writer->host, writer->data);
    writer->data = memory;
    writer->capacity = (size_t) capacity;
    return INS_OK;
}

/* Room for size more bytes and the NUL at the end. */
static bool
make_room(ins_writer *writer, size_t size)
{
    uint64_t needed;

    if (writer->status != INS_OK)
        return false;
    if (!ins_add_u64(writer->size, size, &needed) ||
        !ins_add_u64(needed, 1, &needed))
        writer->status = ins_fail_no_memory(writer->error, SIZE_MAX);
    else if (needed >> POLL_SHIFT != (uint64_t) writer->size >> POLL_SHIFT)
        writer->status = ins_poll(writer->host, writer->error);
    if (writer->status == INS_OK && needed > writer->capacity)
        writer->status = grow(writer, needed);
    return writer->status == INS_OK;
}

ins_status
ins_writer_finish(ins_writer *writer, char **text, size_t *size)
{
    *text = NULL;
    *size = 0;
    if (!make_room(writer, 0)) {
        ins_writer_close(writer);
        return writer->status;
    }
    writer->data[writer->size] = '\0';
    *text = writer->data;
    *size = writer->size;
    return INS_OK;
}

void
ins_writer_close(ins_writer *writer)
{
    ins_release(writer->host, writer->data);
    writer->data = NULL;
}

void
ins_write_bytes(ins_writer *writer, const char *bytes, size_t size)
{
    if (size == 0 || !make_room(writer, size))
        return;
    memcpy(writer->data + writer->size, bytes, size);
    writer->size += size;
}

void
ins_write(ins_writer *writer, const char *text)
{
    ins_write_bytes(writer, text, strlen(text));
}

/* ---- numbers ------------------------------------------------------------- */

void
ins_write_u64(ins_writer *writer, uint64_t value)
{
    char digits[24];

    ins_write_bytes(
        writer, digits,
        ins_format(digits, sizeof(digits), "%llu", (unsigned long long) value));
}

void
ins_write_double(ins_writer *writer, double value)
{
    char text[INS_NUMBER_TEXT_BYTES];

    /* Neither NaN nor infinite. */
    if (value - value == 0)
        ins_write_bytes(writer, text, ins_number_text(value, text));
    else
        ins_write(writer, "null");
}

void
ins_write_fixed(ins_writer *writer, double value, unsigned decimals)
{
    uint64_t unit = 1;
    uint64_t rounded;

    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    rounded = (uint64_t) (value * (double) unit + 0.5);
    ins_write_u64(writer, rounded / unit);
    if (decimals == 0)
        return;
    ins_write(writer, ".");
    for (unit /= 10; unit > 0; unit /= 10) {
        char digit = (char) ('0' + rounded / unit % 10);

        ins_write_bytes(writer, &digit, 1);
    }
}

/* ---- texts --------------------------------------------------------------- */

static void
write_json_escape(ins_writer *writer, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte != 0 ? strchr(plain, byte) : NULL;
    char escape[6] = {
        '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};

    if (found == NULL) {
        ins_write_bytes(writer, escape, 6);
        return;
    }
    escape[1] = letters[found - plain];
    ins_write_bytes(writer, escape, 2);
}

void
ins_write_json_text(ins_writer *writer, ins_text text)
{
    size_t start = 0;

    ins_write(writer, "\"");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char) text.data[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        ins_write_bytes(writer, text.data + start, i - start);
        write_json_escape(writer, byte);
        start = i + 1;
    }
    if (start < text.size)
        ins_write_bytes(writer, text.data + start, text.size - start);
    ins_write(writer, "\"");
}

static void
write_html_character(ins_writer *writer, const char *bytes, size_t length,
                     uint32_t code_point)
{
    switch (code_point) {
    case '&':
        ins_write(writer, "&amp;");
        return;
    case '<':
        ins_write(writer, "&lt;");
        return;
    case '>':
        ins_write(writer, "&gt;");
        return;
    case '"':
        ins_write(writer, "&quot;");
        return;
    case '\'':
        ins_write(writer, "&#39;");
        return;
    default:
        break;
    }
    /* What HTML forbids even as a reference. */
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||
        code_point == INS_UTF8_INVALID)
        ins_write(writer, "&#xFFFD;");
    else
        ins_write_bytes(writer, bytes, length);
}

/* One character as it is; returns its length. */
static size_t
write_kept(ins_writer *writer, ins_text text, size_t at)
{
    uint32_t code_point;
    size_t length =
        ins_utf8_decode(text.data + at, text.size - at, &code_point);

    if (code_point == '\t' || code_point == '\n' || code_point == '\f')
        ins_write_bytes(writer, text.data + at, 1);
    else if (code_point == '\r') /* a parser would make it a line feed */
        ins_write(writer, "&#13;");
    else
        write_html_character(writer, text.data + at, length, code_point);
    return length;
}

void
ins_write_html_kept(ins_writer *writer, ins_text text)
{
    for (size_t at = 0; at < text.size && writer->status == INS_OK;)
        at += write_kept(writer, text, at);
}

void
ins_write_html_text(ins_writer *writer, ins_text text, size_t max_characters)
{
    size_t at = 0;

    for (size_t i = 0; i < max_characters && at < text.size; i++) {
        uint32_t code_point;
        size_t length =
            ins_utf8_decode(text.data + at, text.size - at, &code_point);

        if (code_point == '\t' || code_point == '\n' || code_point == '\r')
            ins_write(writer, " ");
        else
            write_html_character(writer, text.data + at, length, code_point);
        at += length;
    }
    if (at < text.size)
        ins_write(writer, "&hellip;");
}
