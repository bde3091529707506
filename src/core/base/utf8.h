/*
 * utf8.h - strict UTF-8, one code point at a time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_UTF8_H
#define INS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INS_UTF8_INVALID   0xFFFFFFFFu
#define INS_UTF8_MAX_BYTES 4

/*
 * Decodes the code point at text, size >= 1, and returns its length in bytes.
 * A malformed sequence gives INS_UTF8_INVALID and the length of its maximal
 * subpart (Unicode, section 3.9, as Python's and Rust's lossy decoders do), so
 * that replacing each failure by U+FFFD gives the text that they would give.
 */
size_t ins_utf8_decode(const char *text, size_t size, uint32_t *code_point);

/* Is it a byte of a longer code point, but not its first? */
static inline bool
ins_utf8_continues(char byte)
{
    return ((unsigned char) byte & 0xC0) == 0x80;
}

/* Is all of it UTF-8 without NUL: what both databases accept as text? */
bool ins_utf8_is_text(const char *text, size_t size);

/* Stores the code point (a scalar value) and returns its length, 1 to 4. */
size_t ins_utf8_encode(uint32_t code_point, char out[INS_UTF8_MAX_BYTES]);

#endif
