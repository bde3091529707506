/*
 * json_parse.c - JSON text to a tree of jansson values, without recursion.
 *
 * Source: RFC 8259.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "formats/json_parse.h"

#include <string.h>

#include "base/utf8.h"

#define VALUES_PER_POLL 4096

/* What may come next. */
enum state {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* after '[' */
    WANT_KEY,
    WANT_KEY_OR_END, /* after '{' */
    WANT_SEPARATOR   /* after a value: ',' or the container's end */
};

struct parser {
    const char *data;
    size_t size;
    size_t at;
    uint64_t values_left;
    bool large_as_reals;
    const ins_host *host;              /* or NULL */
    json_t *root;                      /* owned */
    json_t *stack[INS_JSON_MAX_DEPTH]; /* borrowed from the root */
    size_t depth;
    json_t *key; /* owned; of the value to come in an object */
    ins_json_failure *failure;
};

/* ---- failures ----------------------------------------------------------- */

static bool
fail(struct parser *parser, const char *problem)
{
    *parser->failure = (ins_json_failure){problem, INS_BAD_SOURCE, parser->at};
    return false;
}

static bool
fail_memory(struct parser *parser)
{
    *parser->failure = (ins_json_failure){NULL, INS_NO_MEMORY, parser->at};
    return false;
}

/* ---- text --------------------------------------------------------------- */

/* The byte at hand, or -1 at the end. */
static int
peek(const struct parser *parser)
{
    return parser->at < parser->size ? (unsigned char) parser->data[parser->at]
                                     : -1;
}

static void
skip_space(struct parser *parser)
{
    int byte = peek(parser);

    while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
        parser->at++;
        byte = peek(parser);
    }
}

static bool
is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- strings ------------------------------------------------------------ */

/* Four hexadecimal digits at the parser's place, or -1. */
static int32_t
take_hex(struct parser *parser)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++) {
        int byte = peek(parser);
        int digit;

        if (is_digit(byte))
            digit = byte - '0';
        else if (byte >= 'a' && byte <= 'f')
            digit = byte - 'a' + 10;
        else if (byte >= 'A' && byte <= 'F')
            digit = byte - 'A' + 10;
        else
            return -1;
        value = value * 16 + digit;
        parser->at++;
    }
    return value;
}

/* What follows "\u"; false when it is not a scalar value other than NUL. */
static bool
take_code_point(struct parser *parser, uint32_t *code_point)
{
    int32_t first = take_hex(parser);
    int32_t second;

    if (first <= 0)
        return fail(parser, "invalid \\u escape");
    *code_point = (uint32_t) first;
    if (first < 0xD800 || first > 0xDFFF)
        return true;
    if (first > 0xDBFF || parser->size - parser->at < 6 ||
        memcmp(parser->data + parser->at, "\\u", 2) != 0)
        return fail(parser, "unpaired surrogate");
    parser->at += 2;
    second = take_hex(parser);
    if (second < 0xDC00 || second > 0xDFFF)
        return fail(parser, "unpaired surrogate");
    *code_point = 0x10000u + ((uint32_t) (first - 0xD800) << 10) +
                  (uint32_t) (second - 0xDC00);
    return true;
}

/* What follows a backslash. */
static bool
take_escape(struct parser *parser, uint32_t *code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    int byte = peek(parser);
    const char *letter;

    if (byte == 'u') {
        parser->at++;
        return take_code_point(parser, code_point);
    }
    letter = byte > 0 ? strchr(letters, byte) : NULL;
    if (letter == NULL)
        return fail(parser, "invalid escape");
    *code_point = (unsigned char) values[letter - letters];
    parser->at++;
    return true;
}

/* One character of a string, escaped or not. */
static bool
take_character(struct parser *parser, uint32_t *code_point)
{
    const char *here = parser->data + parser->at;
    size_t length;

    if (*here == '\\') {
        parser->at++;
        return take_escape(parser, code_point);
    }
    if ((unsigned char) *here < 0x20)
        return fail(parser, "control character in a string");
    length = ins_utf8_decode(here, parser->size - parser->at, code_point);
    if (*code_point == INS_UTF8_INVALID)
        return fail(parser, "invalid UTF-8");
    parser->at += length;
    return true;
}

/*
 * Reads a string from after its opening quote to after its closing one.
 * out: NULL, or room for the *size bytes that a call with NULL has found.
 */
static bool
take_characters(struct parser *parser, char *out, size_t *size)
{
    *size = 0;
    while (peek(parser) != '"') {
        char bytes[INS_UTF8_MAX_BYTES];
        uint32_t code_point;
        size_t length;

        if (peek(parser) < 0)
            return fail(parser, "unfinished string");
        if (!take_character(parser, &code_point))
            return false;
        length = ins_utf8_encode(code_point, bytes);
        if (out != NULL)
            memcpy(out + *size, bytes, length);
        *size += length;
    }
    parser->at++;
    return true;
}

static bool
take_string(struct parser *parser, json_t **value)
{
    size_t start = ++parser->at;
    size_t size;

    if (!take_characters(parser, NULL, &size))
        return false;
    /* Escapes only shorten, so these bytes are there to be copied. */
    *value = json_stringn_nocheck(parser->data + start, size);
    if (*value == NULL)
        return fail_memory(parser);
    if (parser->at - start == size + 1)
        return true;
    /* With escapes: the copy is ours and on the heap, so decode into it. */
    parser->at = start;
    return take_characters(
        parser, (char *) (uintptr_t) json_string_value(*value), &size);
}

/* ---- numbers ------------------------------------------------------------ */

/* The parts of a number's text. */
struct number {
    bool negative;
    bool is_integer;
    bool overflowed;   /* digits beyond 64 bits */
    uint64_t mantissa; /* of the first digits, as many as fit */
    int64_t exponent;  /* of ten */
};

static void
add_digit(struct number *number, int byte, bool is_fraction)
{
    uint64_t digit = (uint64_t) (byte - '0');

    if (number->overflowed || number->mantissa > (UINT64_MAX - digit) / 10) {
        number->overflowed = true;
        number->exponent += !is_fraction;
        return;
    }
    number->mantissa = number->mantissa * 10 + digit;
    number->exponent -= is_fraction;
}

static bool
take_digits(struct parser *parser, struct number *number, bool is_fraction)
{
    if (!is_digit(peek(parser)))
        return fail(parser, "invalid number");
    while (is_digit(peek(parser)))
        add_digit(number, parser->data[parser->at++], is_fraction);
    return true;
}

static bool
take_exponent(struct parser *parser, struct number *number)
{
    bool negative = peek(parser) == '-';
    int64_t exponent = 0;

    if (negative || peek(parser) == '+')
        parser->at++;
    if (!is_digit(peek(parser)))
        return fail(parser, "invalid number");
    while (is_digit(peek(parser))) {
        if (exponent < 1000000)
            exponent = exponent * 10 + (parser->data[parser->at] - '0');
        parser->at++;
    }
    number->exponent += negative ? -exponent : exponent;
    return true;
}

static bool
scan_number(struct parser *parser, struct number *number)
{
    int first;

    *number = (struct number){.is_integer = true};
    if (peek(parser) == '-') {
        number->negative = true;
        parser->at++;
    }
    first = peek(parser);
    if (!take_digits(parser, number, false))
        return false;
    /* A leading zero stands alone. */
    if (first == '0' && is_digit(parser->data[parser->at - 1]) &&
        parser->at >= 2 && is_digit(parser->data[parser->at - 2]))
        return fail(parser, "invalid number");
    if (peek(parser) == '.') {
        parser->at++;
        number->is_integer = false;
        if (!take_digits(parser, number, true))
            return false;
    }
    if (peek(parser) == 'e' || peek(parser) == 'E') {
        parser->at++;
        number->is_integer = false;
        if (!take_exponent(parser, number))
            return false;
    }
    return true;
}

/*
 * mantissa * 10^exponent, to within a unit in the last place; libc's strtod
 * would depend on the locale.  Infinite when too large, 0 when too small.
 */
static double
make_real(const struct number *number)
{
    int64_t exponent = number->exponent;
    long double value = (long double) number->mantissa;
    long double power = 10.0L;
    uint64_t left = (uint64_t) (exponent < 0 ? -exponent : exponent);

    if (number->mantissa == 0)
        return 0.0;
    if (left > 5000)
        left = 5000;
    for (; left > 0; left >>= 1) {
        if (left & 1)
            value = exponent < 0 ? value / power : value * power;
        power *= power;
    }
    return (double) (number->negative ? -value : value);
}

static bool
take_number(struct parser *parser, json_t **value)
{
    struct number number;
    uint64_t limit = INT64_MAX;
    bool is_large;
    double real;

    if (!scan_number(parser, &number))
        return false;
    if (number.negative)
        limit++;
    is_large = number.overflowed || number.mantissa > limit;
    if (number.is_integer && is_large && !parser->large_as_reals)
        return fail(parser, "integer too large");
    if (number.is_integer && !is_large) {
        *value =
            json_integer((json_int_t) (number.negative ? 0 - number.mantissa
                                                       : number.mantissa));
    } else {
        real = make_real(&number);
        if (real - real != 0)
            return fail(parser, "number too large");
        *value = json_real(real);
    }
    return *value != NULL ? true : fail_memory(parser);
}

/* ---- values ------------------------------------------------------------- */

static bool
take_word(struct parser *parser, const char *word, json_t *constant,
          json_t **value)
{
    size_t length = strlen(word);

    if (parser->size - parser->at < length ||
        memcmp(parser->data + parser->at, word, length) != 0)
        return fail(parser, "invalid token");
    parser->at += length;
    *value = constant;
    return true;
}

/* A value that is not a container, or an empty container. */
static bool
take_value(struct parser *parser, json_t **value)
{
    int byte = peek(parser);

    switch (byte) {
    case '"':
        return take_string(parser, value);
    case 't':
        return take_word(parser, "true", json_true(), value);
    case 'f':
        return take_word(parser, "false", json_false(), value);
    case 'n':
        return take_word(parser, "null", json_null(), value);
    case '{':
    case '[':
        parser->at++;
        *value = byte == '{' ? json_object() : json_array();
        return *value != NULL ? true : fail_memory(parser);
    default:
        if (byte == '-' || is_digit(byte))
            return take_number(parser, value);
        return fail(parser, byte < 0 ? "unexpected end" : "invalid token");
    }
}

/* Puts the value where it belongs; takes it over, also on failure. */
static bool
attach(struct parser *parser, json_t *value)
{
    json_t *top = parser->depth > 0 ? parser->stack[parser->depth - 1] : NULL;
    int failed;

    if (top == NULL) {
        parser->root = value;
        return true;
    }
    if (json_is_array(top)) {
        failed = json_array_append_new(top, value);
    } else {
        failed = json_object_set_new_nocheck(
            top, json_string_value(parser->key), value);
        json_decref(parser->key);
        parser->key = NULL;
    }
    return failed ? fail_memory(parser) : true;
}

static bool
count_value(struct parser *parser)
{
    if (parser->values_left == 0) {
        fail(parser, "too many values");
        parser->failure->status = INS_LIMIT_EXCEEDED;
        return false;
    }
    parser->values_left--;
    if (parser->values_left % VALUES_PER_POLL == 0 && parser->host != NULL &&
        ins_poll(parser->host, NULL) != INS_OK) {
        fail(parser, NULL);
        parser->failure->status = INS_CANCELLED;
        return false;
    }
    return true;
}

static bool
read_value(struct parser *parser, enum state *state)
{
    json_t *value = NULL;
    bool is_container = peek(parser) == '{' || peek(parser) == '[';

    if (!count_value(parser))
        return false;
    if (is_container && parser->depth == INS_JSON_MAX_DEPTH)
        return fail(parser, "nested deeper than 32 levels");
    if (!take_value(parser, &value)) {
        json_decref(value);
        return false;
    }
    if (!attach(parser, value))
        return false;
    *state = WANT_SEPARATOR;
    if (is_container) {
        parser->stack[parser->depth++] = value;
        *state = json_is_object(value) ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    }
    return true;
}

static bool
read_key(struct parser *parser, enum state *state)
{
    const json_t *object = parser->stack[parser->depth - 1];

    if (peek(parser) != '"')
        return fail(parser, "a key in quotes is expected");
    if (!count_value(parser) || !take_string(parser, &parser->key))
        return false;
    if (json_object_get(object, json_string_value(parser->key)) != NULL)
        return fail(parser, "duplicate key");
    skip_space(parser);
    if (peek(parser) != ':')
        return fail(parser, "':' is expected");
    parser->at++;
    *state = WANT_VALUE;
    return true;
}

/* Does the container at hand end here? */
static bool
is_at_end(const struct parser *parser)
{
    const json_t *top = parser->stack[parser->depth - 1];

    return peek(parser) == (json_is_object(top) ? '}' : ']');
}

static bool
read_separator(struct parser *parser, enum state *state)
{
    if (is_at_end(parser)) {
        parser->at++;
        parser->depth--;
        return true;
    }
    if (peek(parser) != ',')
        return fail(parser, "',' or the end is expected");
    parser->at++;
    *state = json_is_object(parser->stack[parser->depth - 1]) ? WANT_KEY
                                                              : WANT_VALUE;
    return true;
}

static bool
read_next(struct parser *parser, enum state *state)
{
    bool may_end = *state == WANT_KEY_OR_END || *state == WANT_VALUE_OR_END;

    skip_space(parser);
    if (*state == WANT_SEPARATOR || (may_end && is_at_end(parser))) {
        *state = WANT_SEPARATOR;
        return read_separator(parser, state);
    }
    if (*state == WANT_KEY || *state == WANT_KEY_OR_END)
        return read_key(parser, state);
    return read_value(parser, state);
}

static bool
read_document(struct parser *parser)
{
    enum state state = WANT_VALUE;

    skip_space(parser);
    if (peek(parser) != '{' && peek(parser) != '[')
        return fail(parser, "'{' or '[' is expected");
    do {
        if (!read_next(parser, &state))
            return false;
    } while (parser->depth > 0);
    skip_space(parser);
    return peek(parser) < 0 ? true : fail(parser, "text after the end");
}

json_t *
ins_json_parse(ins_text text, uint64_t max_values, bool large_as_reals,
               const ins_host *host, ins_json_failure *failure)
{
    struct parser parser = {.data = text.data,
                            .size = text.size,
                            .values_left = max_values,
                            .large_as_reals = large_as_reals,
                            .host = host,
                            .failure = failure};

    if (read_document(&parser))
        return parser.root;
    json_decref(parser.key);
    json_decref(parser.root);
    return NULL;
}
