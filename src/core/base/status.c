/*
 * status.c - status names and the formatter of error messages.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/status.h"

#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"

static const char *const status_texts[] = {
#define INS_STATUS(name, text) text,
#include "base/status.def"
#undef INS_STATUS
};

/* A buffer that is cut, never overrun. */
struct output {
    char *data;
    size_t capacity; /* bytes, including the NUL */
    size_t length;
};

const char *
ins_status_text(ins_status status)
{
    if ((unsigned) status >= INS_STATUS_COUNT)
        return "unknown status";
    return status_texts[status];
}

/* Puts all of the bytes or none, so that a cut never splits a character. */
static void
put_bytes(struct output *out, const char *bytes, size_t count)
{
    if (count < out->capacity - out->length) {
        memcpy(out->data + out->length, bytes, count);
        out->length += count;
    }
}

static void
put_escaped(struct output *out, const char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    while (at < size) {
        uint32_t code_point;
        size_t length = ins_utf8_decode(text + at, size - at, &code_point);

        if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||
            code_point == INS_UTF8_INVALID) {
            for (size_t i = 0; i < length; i++) {
                unsigned char byte = (unsigned char) text[at + i];
                char escape[4] = {'\\', 'x', digits[byte >> 4],
                                  digits[byte & 15]};

                put_bytes(out, escape, sizeof(escape));
            }
        } else {
            put_bytes(out, text + at, length);
        }
        at += length;
    }
}

static void
put_number(struct output *out, bool negative, unsigned long long value)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char) ('0' + value % 10);
        value /= 10;
    } while (value != 0);
    if (negative)
        digits[--at] = '-';
    put_bytes(out, digits + at, sizeof(digits) - at);
}

static void
put_signed(struct output *out, long long value)
{
    unsigned long long magnitude = (unsigned long long) value;

    put_number(out, value < 0, value < 0 ? 0 - magnitude : magnitude);
}

static void
put_string(struct output *out, const char *text, int limit)
{
    size_t size;

    if (text == NULL)
        text = "(null)";
    size = limit < 0 ? strlen(text) : strnlen(text, (size_t) limit);
    put_escaped(out, text, size);
}

/* One conversion after '%'; returns the character after it. */
static const char *
put_conversion(struct output *out, const char *format, va_list *arguments)
{
    int limit = -1;

    if (format[0] == '.' && format[1] == '*') {
        limit = va_arg(*arguments, int);
        format += 2;
    }
    switch (*format) {
    case 's':
        put_string(out, va_arg(*arguments, const char *), limit);
        return format + 1;
    case 'c': {
        char byte = (char) va_arg(*arguments, int);

        put_escaped(out, &byte, 1);
        return format + 1;
    }
    case 'd':
        put_signed(out, va_arg(*arguments, int));
        return format + 1;
    case 'u':
        put_number(out, false, va_arg(*arguments, unsigned));
        return format + 1;
    case 'z':
        put_number(out, false, va_arg(*arguments, size_t));
        return format + 2;
    case 'l':
        if (format[1] == 'l' && format[2] == 'd')
            put_signed(out, va_arg(*arguments, long long));
        else
            put_number(out, false, va_arg(*arguments, unsigned long long));
        return format + 3;
    case '%':
        put_bytes(out, "%", 1);
        return format + 1;
    default:
        return format;
    }
}

static size_t
format_arguments(char *buffer, size_t size, const char *format,
                 va_list *arguments)
{
    struct output out = {buffer, size, 0};

    if (size == 0)
        return 0;
    while (*format != '\0') {
        if (*format == '%') {
            format = put_conversion(&out, format + 1, arguments);
        } else {
            put_bytes(&out, format, 1);
            format++;
        }
    }
    out.data[out.length] = '\0';
    return out.length;
}

size_t
ins_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_arguments(buffer, size, format, &arguments);
    va_end(arguments);
    return length;
}

ins_status
ins_fail(ins_error *error, ins_status status, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return status;
    error->status = status;
    error->detail[0] = '\0';
    error->hint[0] = '\0';
    va_start(arguments, format);
    format_arguments(error->message, sizeof(error->message), format,
                     &arguments);
    va_end(arguments);
    return status;
}

void
ins_fail_detail(ins_error *error, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return;
    va_start(arguments, format);
    format_arguments(error->detail, sizeof(error->detail), format, &arguments);
    va_end(arguments);
}

void
ins_fail_hint(ins_error *error, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return;
    va_start(arguments, format);
    format_arguments(error->hint, sizeof(error->hint), format, &arguments);
    va_end(arguments);
}

ins_status
ins_fail_no_memory(ins_error *error, size_t size)
{
    ins_fail(error, INS_NO_MEMORY, "out of memory");
    ins_fail_detail(error, "Failed on a request of %zu bytes.", size);
    return INS_NO_MEMORY;
}

ins_status
ins_fail_cancelled(ins_error *error)
{
    return ins_fail(error, INS_CANCELLED, "cancelled on request");
}
