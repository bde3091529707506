/*
 * writer.h - a text that grows: JSON and HTML, without locale and stdio.
 *
 *     ins_writer writer;
 *
 *     ins_writer_open(&writer, host, error);
 *     ins_write(&writer, "{\"name\":");
 *     ins_write_json_text(&writer, name);
 *     ins_write(&writer, "}");
 *     return ins_writer_finish(&writer, &text, &size);
 *
 * The first failure is kept, and what is written after it is dropped, so that
 * only ins_writer_finish has to be checked.  The host is asked whether to stop
 * every 64 kB.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_WRITER_H
#define INS_WRITER_H

#include "base/status.h"

typedef struct ins_writer {
    const ins_host *host;
    ins_error *error;
    char *data; /* owned */
    size_t size;
    size_t capacity;
    ins_status status; /* of the first failure */
} ins_writer;

/* host, error: borrowed until ins_writer_finish. */
void ins_writer_open(ins_writer *writer, const ins_host *host,
                     ins_error *error);
/*
 * *text: owned by the caller, with a NUL behind its size bytes; NULL on
 * failure.  Errors: NO_MEMORY, CANCELLED.
 */
ins_status ins_writer_finish(ins_writer *writer, char **text, size_t *size);
/* Instead of ins_writer_finish, when the text is not wanted. */
void ins_writer_close(ins_writer *writer);

void ins_write(ins_writer *writer, const char *text);
void ins_write_bytes(ins_writer *writer, const char *bytes, size_t size);
void ins_write_u64(ins_writer *writer, uint64_t value);
/* ins_number_text of it; "null" when it is not finite, as JSON has it. */
void ins_write_double(ins_writer *writer, double value);
/* value, from 0 to 10^9, rounded to so many decimals, 0 to 6. */
void ins_write_fixed(ins_writer *writer, double value, unsigned decimals);
/* In quotes, escaped as RFC 8259 asks.  text: valid UTF-8. */
void ins_write_json_text(ins_writer *writer, ins_text text);
/*
 * Escaped for HTML's text and quoted attributes; tabs and line ends become
 * spaces, other control characters and invalid bytes U+FFFD.  Cut with an
 * ellipsis beyond max_characters.
 */
void ins_write_html_text(ins_writer *writer, ins_text text,
                         size_t max_characters);

/* The same, whole and with its white space as it is, for a place where CSS
 * keeps it. */
void ins_write_html_kept(ins_writer *writer, ins_text text);

#define INS_NUMBER_TEXT_BYTES 32

/*
 * The shortest decimal that reads back as value, in the form of ECMAScript's
 * Number::toString ("0.1", "1e-7", "-2.5e+21"); returns its length.
 * value: finite.
 */
size_t ins_number_text(double value, char text[INS_NUMBER_TEXT_BYTES]);

#endif
