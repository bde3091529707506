/*
 * digest_text.h - a digest as its 64 hexadecimal digits, in lower case: what
 * users see, and the beginning of a cache file's name.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_DIGEST_TEXT_H
#define INS_DIGEST_TEXT_H

#include "insitu_import.h"

#define INS_DIGEST_CHARS (2 * INS_DIGEST_BYTES + 1) /* with the NUL */

void ins_digest_text(char text[INS_DIGEST_CHARS],
                     const uint8_t digest[INS_DIGEST_BYTES]);

#endif
