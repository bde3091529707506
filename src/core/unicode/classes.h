/*
 * classes.h - the character classes of the reference tokenizer.
 *
 * Source: BertNormalizer and BertPreTokenizer of the "tokenizers" library,
 * which has the general categories of Unicode 8: characters that are younger
 * are no controls, no punctuation and no marks.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CLASSES_H
#define INS_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

/* Unicode's White_Space property. */
bool ins_is_whitespace(uint32_t code_point);
/* Categories Cc, Cf, Co and Cs, but for tab, line feed and return. */
bool ins_is_control(uint32_t code_point);
/* ASCII punctuation and symbols, and the categories P*. */
bool ins_is_punctuation(uint32_t code_point);
/* The CJK ideograph blocks; kana and hangul are not among them. */
bool ins_is_chinese(uint32_t code_point);
/* Category Mn: what stripping accents removes. */
bool ins_is_nonspacing_mark(uint32_t code_point);
/* Canonical combining class, as the reference's Unicode 9 has it. */
uint8_t ins_combining_class(uint32_t code_point);
/* \w of regular expressions: letters, marks, digits, connectors; of the
 * Unicode version of utf8proc.  For added tokens with single_word only. */
bool ins_is_word_character(uint32_t code_point);

#endif
