/*
 * sqlite_weights.c - the bytes of a model, brought into this process.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sqlite_weights.h"

SQLITE_EXTENSION_INIT3

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/memory.h"

/* How long to wait for another process that fills the same cache file. */
#define BUSY_MILLISECONDS 20
#define MAX_BUSY_ROUNDS   500 /* ten seconds, then a private copy */

/* Of all files in the cache directory; the longest unused ones go first. */
#define MAX_CACHE_BYTES ((uint64_t) 4 << 30)

/* ---- the model in this library ------------------------------------------ */

#ifdef INSITU_BUNDLED_DIGEST
/* bundled_model.S */
extern const unsigned char insitu_bundled_pack[];
extern const unsigned char insitu_bundled_pack_end[];

ins_text
bundled_pack(void)
{
    return (ins_text){(const char *) insitu_bundled_pack,
                      (size_t) (insitu_bundled_pack_end - insitu_bundled_pack)};
}

static uint8_t
hex_digit(char digit)
{
    return (uint8_t) (digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

bool
bundled_identity(model_identity *identity)
{
    static const char digest[] = INSITU_BUNDLED_DIGEST;

    _Static_assert(sizeof(digest) == INS_DIGEST_CHARS, "64 hexadecimal digits");
    memset(identity, 0, sizeof(*identity));
    memcpy(identity->name, BUNDLED_MODEL_NAME, sizeof(BUNDLED_MODEL_NAME));
    for (int i = 0; i < INS_DIGEST_BYTES; i++)
        identity->digest[i] = (uint8_t) (hex_digit(digest[2 * i]) << 4 |
                                         hex_digit(digest[2 * i + 1]));
    identity->bytes = bundled_pack().size;
    identity->bundled = true;
    return true;
}
#else
ins_text
bundled_pack(void)
{
    return (ins_text){"", 0};
}

bool
bundled_identity(model_identity *identity)
{
    (void) identity;
    return false;
}
#endif

/* ---- a private copy ----------------------------------------------------- */

struct private_copy {
    char *data;
    size_t size;
    size_t filled;
    ins_digest *digest;
};

static ins_status
append_private(void *user, const void *data, size_t size, ins_error *error)
{
    struct private_copy *copy = user;

    INS_CHECK(size <= copy->size - copy->filled, error, INS_CORRUPT_PACK,
              "model has more bytes than its row says");
    memcpy(copy->data + copy->filled, data, size);
    copy->filled += size;
    ins_digest_add(copy->digest, data, size);
    return INS_OK;
}

static ins_status
fill_private(connection *conn, const model_identity *identity,
             struct private_copy *copy, ins_error *error)
{
    uint8_t digest[INS_DIGEST_BYTES] = {0};
    ins_status status;

    INS_TRY(ins_digest_open(&copy->digest, &process_host, error));
    status = read_chunks(conn, identity, append_private, copy, error);
    ins_digest_close(copy->digest, digest);
    if (status != INS_OK)
        return status;
    INS_CHECK(memcmp(digest, identity->digest, INS_DIGEST_BYTES) == 0, error,
              INS_CORRUPT_PACK,
              "model \"%s\" is damaged: its bytes do not have its digest",
              identity->name);
    return INS_OK;
}

/* Mapped, not allocated: aligned, beyond 2 GB, and write-protected after. */
static ins_status
load_private(connection *conn, const model_identity *identity, weights *found,
             ins_error *error)
{
    struct private_copy copy = {NULL, (size_t) identity->bytes, 0, NULL};
    void *data = mmap(NULL, copy.size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ins_status status;

    if (data == MAP_FAILED)
        return ins_fail_no_memory(error, copy.size);
    copy.data = data;
    status = fill_private(conn, identity, &copy, error);
    if (status != INS_OK) {
        munmap(data, copy.size);
        return status;
    }
    (void) mprotect(data, copy.size, PROT_READ);
    found->mapping.data = data;
    found->mapping.size = copy.size;
    found->place = PLACE_PRIVATE;
    return INS_OK;
}

/* ---- the cache file ----------------------------------------------------- */

struct cache_copy {
    ins_cache_filler *filler;
    uint64_t size;
    bool begun;
};

static ins_status
append_cached(void *user, const void *data, size_t size, ins_error *error)
{
    struct cache_copy *copy = user;

    /* Not earlier: a row that lies about its size must not fill the disk. */
    if (!copy->begun)
        INS_TRY(ins_cache_begin(copy->filler, copy->size, error));
    copy->begun = true;
    return ins_cache_append(copy->filler, data, size, error);
}

/* Waits while another process fills the file.  *filler NULL: it is done. */
static ins_status
lock_or_map(connection *conn, const char *directory, const char *key,
            const model_identity *identity, ins_cache_filler **filler,
            ins_mapping *mapping, ins_error *error)
{
    static const struct timespec pause = {0, BUSY_MILLISECONDS * 1000000};
    ins_host host = connection_host(conn);
    ins_status status = INS_BUSY;

    *filler = NULL;
    for (int i = 0; i < MAX_BUSY_ROUNDS && status == INS_BUSY; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        INS_TRY(ins_poll(&host, error));
        status = ins_cache_map(mapping, directory, key, identity->bytes, error);
        if (status == INS_OK)
            return INS_OK;
        status = ins_cache_lock(filler, directory, key, &process_host, error);
    }
    return status;
}

static ins_status
fill_cache(connection *conn, const model_identity *identity,
           ins_cache_filler *filler, ins_error *error)
{
    struct cache_copy copy = {filler, identity->bytes, false};

    INS_TRY(read_chunks(conn, identity, append_cached, &copy, error));
    return ins_cache_commit(filler, identity->digest, error);
}

static ins_status
load_cached(connection *conn, const char *directory,
            const model_identity *identity, weights *found, ins_error *error)
{
    char key[INS_CACHE_KEY_BYTES];
    ins_cache_filler *filler;
    ins_status status;

    ins_cache_key(key, identity->digest);
    INS_TRY(lock_or_map(conn, directory, key, identity, &filler,
                        &found->mapping, error));
    if (filler == NULL)
        goto mapped;
    /* Another process may have finished before we got the lock. */
    status =
        ins_cache_map(&found->mapping, directory, key, identity->bytes, error);
    if (status != INS_OK) {
        status = fill_cache(conn, identity, filler, error);
        if (status == INS_OK)
            status = ins_cache_map(&found->mapping, directory, key,
                                   identity->bytes, error);
    }
    ins_cache_unlock(filler);
    if (status != INS_OK)
        return status;
    ins_cache_sweep(directory, key, MAX_CACHE_BYTES);
mapped:
    found->place = PLACE_CACHE;
    return INS_OK;
}

/* ---- all three ---------------------------------------------------------- */

/*
 * Sharing is worth having, but a full disk or a read-only home directory must
 * not keep anybody from working: then the copy is private.
 */
static ins_status
load_stored(connection *conn, const model_identity *identity, weights *found,
            ins_error *error)
{
    char buffer[4096];
    const char *directory =
        usable_cache_directory(conn, buffer, sizeof(buffer));
    ins_status status;

    if (directory != NULL) {
        status = load_cached(conn, directory, identity, found, error);
        if (status == INS_OK || status == INS_CANCELLED)
            return status;
        sqlite3_log(SQLITE_WARNING, "insitu: model \"%s\" is not shared: %s",
                    identity->name, error->message);
    }
    return load_private(conn, identity, found, error);
}

ins_status
load_weights(connection *conn, const model_identity *identity, weights *found,
             ins_error *error)
{
    memset(found, 0, sizeof(*found));
    if (identity->bundled) {
        ins_text pack = bundled_pack();

        found->data = pack.data;
        found->size = pack.size;
        found->place = PLACE_LIBRARY;
        return INS_OK;
    }
    INS_TRY(load_stored(conn, identity, found, error));
    found->data = found->mapping.data;
    found->size = found->mapping.size;
    return INS_OK;
}

void
unload_weights(weights *unused)
{
    ins_mapping_close(&unused->mapping);
    memset(unused, 0, sizeof(*unused));
}
