/*
 * test_digest.c - SHA-256 of packs, and its text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/digest_text.h"
#include "unit/tiny_model.h"

static void
assert_hex(const uint8_t digest[INS_DIGEST_BYTES], const char *hex)
{
    char text[INS_DIGEST_CHARS];

    memset(text, 'x', sizeof(text));
    ins_digest_text(text, digest);
    assert_string_equal(text, hex);
}

/* The examples of FIPS 180-4. */
static void
test_known_values(void **state)
{
    static const struct {
        const char *text;
        const char *hex;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb924"
             "27ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223"
                "b00361a396177a9cb410ff61f20015ad"},
    };
    tiny_host host;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint8_t digest[INS_DIGEST_BYTES];

        assert_int_equal(ins_digest_of(known[i].text, strlen(known[i].text),
                                       &host.host, digest, &error),
                         INS_OK);
        assert_hex(digest, known[i].hex);
    }
    assert_int_equal(host.calls, 0);
}

/* In pieces of any size it is the digest of the whole. */
static void
test_in_pieces(void **state)
{
    enum { SIZE = 1000 };
    uint8_t data[SIZE];
    uint8_t whole[INS_DIGEST_BYTES];
    tiny_host host;
    ins_error error;

    (void) state;
    tiny_host_open(&host);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t) (i * 7);
    ins_digest_of(data, SIZE, &host.host, whole, &error);
    for (size_t step = 1; step < SIZE; step += 37) {
        uint8_t digest[INS_DIGEST_BYTES];
        ins_digest *running;

        assert_int_equal(ins_digest_open(&running, &host.host, &error), INS_OK);
        for (size_t at = 0; at < SIZE; at += step)
            ins_digest_add(running, data + at,
                           at + step < SIZE ? step : SIZE - at);
        ins_digest_close(running, digest);
        assert_memory_equal(digest, whole, INS_DIGEST_BYTES);
    }
    ins_digest_close(NULL, whole);
    assert_int_equal(host.live_blocks, 0);
}

static void
test_cancel(void **state)
{
    const size_t size = 3u << 20;
    char *data = calloc(size, 1);
    uint8_t digest[INS_DIGEST_BYTES];
    tiny_host host;
    ins_error error;

    (void) state;
    assert_non_null(data);
    tiny_host_open(&host);
    host.cancel_at = 2;
    assert_int_equal(ins_digest_of(data, size, &host.host, digest, &error),
                     INS_CANCELLED);
    host.cancel_at = 0;
    host.polls = 0;
    assert_int_equal(ins_digest_of(data, size, &host.host, digest, &error),
                     INS_OK);
    assert_int_equal(host.polls, 3);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
