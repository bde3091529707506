/*
 * number_text.c - the shortest decimal that reads back as the same double.
 *
 * Source: G. L. Steele and J. L. White, "How to print floating-point numbers
 * accurately" (1990), the free-format algorithm (FPP)2, with whole numbers of
 * any length.
 *
 * A value is fraction / scale.  below and above, over the same scale, are half
 * the distances to its neighbours: every decimal closer than that reads back
 * as the value.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "base/writer.h"

/* 2^1077 times ten. */
#define MAX_WORDS 36

#define MANTISSA_BITS 52
#define MAX_DIGITS    17
/* Powers of ten beyond which ECMAScript writes an exponent. */
#define MAX_POINT 21
#define MIN_POINT (-6)

/* Little-endian, without leading zeros. */
struct whole {
    uint32_t words[MAX_WORDS];
    int count;
};

struct decimal {
    struct whole fraction;
    struct whole scale;
    struct whole below;
    struct whole above;
    bool inclusive; /* a decimal on the boundary reads back as the value */
    char digits[MAX_DIGITS + 1];
    int count;
    int point; /* the value is 0.DIGITS times ten to this power */
};

/* ---- whole numbers ------------------------------------------------------- */

static void
set_shifted(struct whole *number, uint64_t value, int shift)
{
    memset(number, 0, sizeof(*number));
    for (int bit = 0; bit < 64; bit++)
        if (value >> bit & 1)
            number->words[(bit + shift) / 32] |= 1u << ((bit + shift) % 32);
    for (int i = 0; i < MAX_WORDS; i++)
        if (number->words[i] != 0)
            number->count = i + 1;
}

static void
multiply(struct whole *number, uint32_t factor)
{
    uint64_t carry = 0;

    for (int i = 0; i < number->count; i++) {
        carry += (uint64_t) number->words[i] * factor;
        number->words[i] = (uint32_t) carry;
        carry >>= 32;
    }
    if (carry != 0 && number->count < MAX_WORDS)
        number->words[number->count++] = (uint32_t) carry;
}

static int
compare(const struct whole *a, const struct whole *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

/* Compares a + b with c. */
static int
compare_sum(const struct whole *a, const struct whole *b, const struct whole *c)
{
    struct whole sum = *a;
    uint64_t carry = 0;

    for (int i = 0; i < MAX_WORDS; i++) {
        carry += (uint64_t) a->words[i] + b->words[i];
        sum.words[i] = (uint32_t) carry;
        carry >>= 32;
        if (sum.words[i] != 0)
            sum.count = i + 1;
    }
    return compare(&sum, c);
}

/* a -= b, which is not larger. */
static void
subtract(struct whole *a, const struct whole *b)
{
    int64_t borrow = 0;
    int count = 0;

    for (int i = 0; i < a->count; i++) {
        borrow += (int64_t) a->words[i] - b->words[i];
        a->words[i] = (uint32_t) borrow;
        borrow >>= 32;
        if (a->words[i] != 0)
            count = i + 1;
    }
    a->count = count;
}

/* ---- digits -------------------------------------------------------------- */

/* value: positive. */
static void
decompose(double value, struct decimal *decimal)
{
    uint64_t bits;
    uint64_t mantissa;
    int exponent;
    bool uneven; /* the neighbour below is half as far as the one above */

    memcpy(&bits, &value, sizeof(bits));
    mantissa = bits & (((uint64_t) 1 << MANTISSA_BITS) - 1);
    exponent = (int) (bits >> MANTISSA_BITS & 0x7ff);
    uneven = mantissa == 0 && exponent > 1;
    if (exponent > 0)
        mantissa |= (uint64_t) 1 << MANTISSA_BITS;
    else
        exponent = 1;
    exponent -= 1023 + MANTISSA_BITS;
    decimal->inclusive = mantissa % 2 == 0;
    set_shifted(&decimal->fraction, mantissa,
                (exponent > 0 ? exponent : 0) + 1 + uneven);
    set_shifted(&decimal->scale, 1,
                (exponent < 0 ? -exponent : 0) + 1 + uneven);
    set_shifted(&decimal->below, 1, exponent > 0 ? exponent : 0);
    set_shifted(&decimal->above, 1, (exponent > 0 ? exponent : 0) + uneven);
}

static void
multiply_value(struct decimal *decimal)
{
    multiply(&decimal->fraction, 10);
    multiply(&decimal->below, 10);
    multiply(&decimal->above, 10);
}

/* Would the next digit round up to the next power of ten? */
static bool
is_too_large(const struct decimal *decimal)
{
    return compare_sum(&decimal->fraction, &decimal->above, &decimal->scale) >=
           !decimal->inclusive;
}

/* Brings the value into 0.1 to 1. */
static void
find_point(struct decimal *decimal)
{
    decimal->point = 0;
    while (is_too_large(decimal)) {
        multiply(&decimal->scale, 10);
        decimal->point++;
    }
    if (decimal->point > 0)
        return;
    do {
        multiply_value(decimal);
        decimal->point--;
    } while (!is_too_large(decimal));
    /* The last step was one too many. */
    multiply(&decimal->scale, 10);
    decimal->point++;
}

static char
take_digit(struct decimal *decimal)
{
    char digit = '0';

    multiply_value(decimal);
    while (compare(&decimal->fraction, &decimal->scale) >= 0) {
        subtract(&decimal->fraction, &decimal->scale);
        digit++;
    }
    return digit;
}

static void
find_digits(struct decimal *decimal)
{
    bool low;
    bool high;
    char digit;

    decimal->count = 0;
    do {
        digit = take_digit(decimal);
        low = compare(&decimal->fraction, &decimal->below) < decimal->inclusive;
        high = is_too_large(decimal);
        if (low || high) {
            multiply(&decimal->fraction, 2);
            if (high &&
                (!low || compare(&decimal->fraction, &decimal->scale) >= 0))
                digit++;
        }
        decimal->digits[decimal->count++] = digit;
    } while (!low && !high && decimal->count < MAX_DIGITS);
}

/* ---- the form ------------------------------------------------------------ */

static size_t
put(char *text, size_t at, const char *bytes, int count)
{
    if (count > 0)
        memcpy(text + at, bytes, (size_t) count);
    return at + (size_t) (count > 0 ? count : 0);
}

static size_t
put_plain(const struct decimal *decimal, char *text, size_t at)
{
    static const char zeros[] = "000000000000000000000";
    int whole =
        decimal->point < decimal->count ? decimal->point : decimal->count;

    if (decimal->point <= 0) {
        at = put(text, at, "0.", 2);
        at = put(text, at, zeros, -decimal->point);
        return put(text, at, decimal->digits, decimal->count);
    }
    at = put(text, at, decimal->digits, whole);
    at = put(text, at, zeros, decimal->point - whole);
    if (decimal->count > whole) {
        at = put(text, at, ".", 1);
        at = put(text, at, decimal->digits + whole, decimal->count - whole);
    }
    return at;
}

static size_t
put_exponent(const struct decimal *decimal, char *text, size_t at)
{
    int exponent = decimal->point - 1;

    at = put(text, at, decimal->digits, 1);
    if (decimal->count > 1) {
        at = put(text, at, ".", 1);
        at = put(text, at, decimal->digits + 1, decimal->count - 1);
    }
    return at + ins_format(text + at, INS_NUMBER_TEXT_BYTES - at, "e%s%d",
                           exponent > 0 ? "+" : "", exponent);
}

size_t
ins_number_text(double value, char text[INS_NUMBER_TEXT_BYTES])
{
    struct decimal decimal;
    size_t at = 0;

    if (value < 0) {
        at = put(text, at, "-", 1);
        value = -value;
    }
    if (value == 0)
        return put(text, at, "0", 1);
    decompose(value, &decimal);
    find_point(&decimal);
    find_digits(&decimal);
    if (decimal.point > MIN_POINT && decimal.point <= MAX_POINT)
        return put_plain(&decimal, text, at);
    return put_exponent(&decimal, text, at);
}
