/*
 * digest_text.c - a digest as hexadecimal digits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store/digest_text.h"

void
ins_digest_text(char text[INS_DIGEST_CHARS],
                const uint8_t digest[INS_DIGEST_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < INS_DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[INS_DIGEST_CHARS - 1] = '\0';
}
