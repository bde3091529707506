/*
 * cache_file.c - the protocol of cache_file.h over flock, rename and mmap.
 *
 * Two details carry the safety.  KEY.pack appears by rename only, complete and
 * synced, and is never written again: a mapping can not see it change.  And
 * KEY.lock may be unlinked by the process that holds it, so whoever gets the
 * lock compares the inode with the name before believing that it has it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store/cache_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "store/digest_text.h"
#include "store/system_error.h"

/* Part of the name: raise it when the same digest may hold another content. */
#define KEY_SUFFIX "-1"

#define NAME_BYTES (INS_CACHE_KEY_BYTES + 8)

struct ins_cache_filler {
    ins_host host;
    int directory; /* -1 = closed, as for the others */
    int lock;
    int temporary;
    uint64_t size; /* announced by ins_cache_begin */
    uint64_t written;
    ins_digest *digest;
    char key[INS_CACHE_KEY_BYTES];
    char shown[INS_SHOWN_PATH_BYTES + 1]; /* the directory, for messages */
};

void
ins_cache_key(char key[INS_CACHE_KEY_BYTES],
              const uint8_t digest[INS_DIGEST_BYTES])
{
    ins_digest_text(key, digest);
    memcpy(key + 2 * INS_DIGEST_BYTES, KEY_SUFFIX, sizeof(KEY_SUFFIX));
}

static void
make_name(char name[NAME_BYTES], const char *key, const char *suffix)
{
    ins_format(name, NAME_BYTES, "%s%s", key, suffix);
}

static void
close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static ins_status
open_directory(int *descriptor, const char *dir, ins_error *error)
{
    *descriptor = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*descriptor < 0)
        return ins_fail_system(error, errno, "open directory", dir);
    return INS_OK;
}

/* ---- mapping ------------------------------------------------------------ */

static ins_status
map_descriptor(ins_mapping *mapping, int descriptor, uint64_t size,
               const char *shown, ins_error *error)
{
    size_t bytes;
    void *data;

    INS_CHECK(size > 0 && ins_to_size(size, &bytes), error, INS_CORRUPT_PACK,
              "file \"%s\" has an impossible size", ins_shown_path(shown));
    data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED)
        return ins_fail_system(error, errno, "map", shown);
    /* Advice only: reading ahead is cheaper than a fault per page. */
    (void) madvise(data, bytes, MADV_WILLNEED);
    mapping->data = data;
    mapping->size = bytes;
    return INS_OK;
}

/* Someone else's file could be shortened under us: SIGBUS. */
static ins_status
check_cache_file(const struct stat *status, uint64_t expected_size,
                 const char *name, ins_error *error)
{
    INS_CHECK(S_ISREG(status->st_mode), error, INS_IO_ERROR,
              "cache file \"%s\" is not a regular file", name);
    INS_CHECK(status->st_uid == geteuid() && (status->st_mode & 022) == 0,
              error, INS_PERMISSION,
              "cache file \"%s\" can be written by other users", name);
    INS_CHECK((uint64_t) status->st_size == expected_size, error,
              INS_CORRUPT_PACK,
              "cache file \"%s\" has %lld bytes instead of %llu", name,
              (long long) status->st_size, (unsigned long long) expected_size);
    return INS_OK;
}

static ins_status
map_in_directory(ins_mapping *mapping, int directory, const char *name,
                 uint64_t expected_size, ins_error *error)
{
    int descriptor =
        openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    ins_status result;

    if (descriptor < 0)
        return ins_fail_system(error, errno, "open cache file", name);
    if (fstat(descriptor, &status) != 0)
        result = ins_fail_system(error, errno, "examine", name);
    else
        result = check_cache_file(&status, expected_size, name, error);
    if (result == INS_OK)
        result =
            map_descriptor(mapping, descriptor, expected_size, name, error);
    /* ins_cache_sweep goes by it. */
    if (result == INS_OK)
        (void) futimens(descriptor, NULL);
    close(descriptor);
    return result;
}

ins_status
ins_cache_map(ins_mapping *mapping, const char *dir, const char *key,
              uint64_t expected_size, ins_error *error)
{
    char name[NAME_BYTES];
    int directory;
    ins_status status;

    mapping->data = NULL;
    mapping->size = 0;
    make_name(name, key, ".pack");
    INS_TRY(open_directory(&directory, dir, error));
    status = map_in_directory(mapping, directory, name, expected_size, error);
    close(directory);
    return status;
}

static ins_status
map_regular_file(ins_mapping *mapping, int descriptor, const char *path,
                 uint64_t max_bytes, ins_error *error)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return ins_fail_system(error, errno, "examine", path);
    INS_CHECK(S_ISREG(status.st_mode), error, INS_BAD_SOURCE,
              "\"%s\" is not a regular file", ins_shown_path(path));
    INS_CHECK(status.st_size > 0, error, INS_CORRUPT_PACK,
              "file \"%s\" is empty", ins_shown_path(path));
    INS_CHECK((uint64_t) status.st_size <= max_bytes, error, INS_LIMIT_EXCEEDED,
              "file \"%s\" has %lld bytes; the limit is %llu",
              ins_shown_path(path), (long long) status.st_size,
              (unsigned long long) max_bytes);
    return map_descriptor(mapping, descriptor, (uint64_t) status.st_size, path,
                          error);
}

ins_status
ins_file_map(ins_mapping *mapping, const char *path, uint64_t max_bytes,
             ins_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ins_status status;

    mapping->data = NULL;
    mapping->size = 0;
    if (descriptor < 0)
        return ins_fail_system(error, errno, "open", path);
    status = map_regular_file(mapping, descriptor, path, max_bytes, error);
    close(descriptor);
    return status;
}

void
ins_mapping_close(ins_mapping *mapping)
{
    if (mapping->data != NULL)
        munmap((void *) (uintptr_t) mapping->data, mapping->size);
    mapping->data = NULL;
    mapping->size = 0;
}

/* ---- filling ------------------------------------------------------------ */

static ins_status
make_directory(const char *dir, ins_error *error)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return INS_OK;
    return ins_fail_system(error, errno, "create directory", dir);
}

/* True when the name still leads to the open file. */
static bool
is_named(int directory, const char *name, int descriptor)
{
    struct stat held;
    struct stat named;

    return fstat(descriptor, &held) == 0 &&
           fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static ins_status
take_lock(ins_cache_filler *filler, ins_error *error)
{
    char name[NAME_BYTES];
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int result;

    make_name(name, filler->key, ".lock");
    filler->lock = openat(filler->directory, name, flags, 0600);
    if (filler->lock < 0)
        return ins_fail_system(error, errno, "open lock file", name);
    do
        result = flock(filler->lock, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EWOULDBLOCK)
        return ins_fail_system(error, errno, "lock", name);
    if (result == 0 && is_named(filler->directory, name, filler->lock))
        return INS_OK;
    /* Not ours: closing must not remove the name. */
    close_descriptor(&filler->lock);
    return ins_fail(error, INS_BUSY,
                    "another process is loading the same model");
}

static ins_status
open_filler(ins_cache_filler *filler, const char *dir, ins_error *error)
{
    char name[NAME_BYTES];

    INS_TRY(make_directory(dir, error));
    INS_TRY(open_directory(&filler->directory, dir, error));
    INS_TRY(take_lock(filler, error));
    /* We hold the lock, so whoever wrote this is dead. */
    make_name(name, filler->key, ".tmp");
    if (unlinkat(filler->directory, name, 0) != 0 && errno != ENOENT)
        return ins_fail_system(error, errno, "remove", name);
    return INS_OK;
}

ins_status
ins_cache_lock(ins_cache_filler **filler, const char *dir, const char *key,
               const ins_host *host, ins_error *error)
{
    void *memory;
    ins_status status;

    *filler = NULL;
    INS_CHECK(strlen(key) < INS_CACHE_KEY_BYTES, error, INS_INVALID_ARGUMENT,
              "cache key is too long");
    INS_TRY(
        ins_alloc_zeroed(host, 1, sizeof(ins_cache_filler), &memory, error));
    *filler = memory;
    (*filler)->host = *host;
    (*filler)->directory = (*filler)->lock = (*filler)->temporary = -1;
    ins_format((*filler)->key, sizeof((*filler)->key), "%s", key);
    ins_format((*filler)->shown, sizeof((*filler)->shown), "%s",
               ins_shown_path(dir));
    status = open_filler(*filler, dir, error);
    if (status != INS_OK) {
        ins_cache_unlock(*filler);
        *filler = NULL;
    }
    return status;
}

/* Exceeding RLIMIT_FSIZE raises SIGXFSZ, which kills most programs. */
static bool
exceeds_file_limit(uint64_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}

static ins_status
fail_reserving(ins_cache_filler *filler, int code, ins_error *error)
{
    ins_status status =
        ins_fail_system(error, code, "reserve a cache file in", filler->shown);

    ins_fail_detail(error, "The file needs %llu bytes.",
                    (unsigned long long) filler->size);
    return status;
}

ins_status
ins_cache_begin(ins_cache_filler *filler, uint64_t size, ins_error *error)
{
    char name[NAME_BYTES];
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int code;

    filler->size = size;
    INS_CHECK(filler->temporary < 0, error, INS_INTERNAL,
              "cache file is already begun");
    INS_CHECK(size > 0 && size <= INT64_MAX, error, INS_INVALID_ARGUMENT,
              "a cache file cannot have %llu bytes", (unsigned long long) size);
    if (exceeds_file_limit(size))
        return fail_reserving(filler, EFBIG, error);
    INS_TRY(ins_digest_open(&filler->digest, &filler->host, error));
    make_name(name, filler->key, ".tmp");
    filler->temporary = openat(filler->directory, name, flags, 0600);
    if (filler->temporary < 0)
        return ins_fail_system(error, errno, "create cache file in",
                               filler->shown);
    do
        code = posix_fallocate(filler->temporary, 0, (off_t) size);
    while (code == EINTR);
    return code == 0 ? INS_OK : fail_reserving(filler, code, error);
}

ins_status
ins_cache_append(ins_cache_filler *filler, const void *data, size_t size,
                 ins_error *error)
{
    const char *next = data;
    size_t left = size;

    INS_CHECK(filler->temporary >= 0, error, INS_INTERNAL,
              "cache file is not begun");
    INS_CHECK(size <= filler->size - filler->written, error, INS_CORRUPT_PACK,
              "model has more bytes than its catalog row says");
    while (left > 0) {
        ssize_t count = write(filler->temporary, next, left);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ins_fail_system(error, errno, "write a cache file in",
                                   filler->shown);
        next += count;
        left -= (size_t) count;
    }
    ins_digest_add(filler->digest, data, size);
    filler->written += size;
    return INS_OK;
}

static ins_status
check_content(ins_cache_filler *filler, const uint8_t digest[INS_DIGEST_BYTES],
              ins_error *error)
{
    uint8_t found[INS_DIGEST_BYTES];

    INS_CHECK(filler->temporary >= 0, error, INS_INTERNAL,
              "cache file is not begun");
    INS_CHECK(filler->written == filler->size, error, INS_CORRUPT_PACK,
              "model has %llu bytes instead of %llu",
              (unsigned long long) filler->written,
              (unsigned long long) filler->size);
    ins_digest_close(filler->digest, found);
    filler->digest = NULL;
    INS_CHECK(memcmp(found, digest, INS_DIGEST_BYTES) == 0, error,
              INS_CORRUPT_PACK, "model does not have the digest of its row");
    return INS_OK;
}

ins_status
ins_cache_commit(ins_cache_filler *filler,
                 const uint8_t digest[INS_DIGEST_BYTES], ins_error *error)
{
    char temporary[NAME_BYTES];
    char final[NAME_BYTES];

    INS_TRY(check_content(filler, digest, error));
    make_name(temporary, filler->key, ".tmp");
    make_name(final, filler->key, ".pack");
    /* Sync before rename: a crash must not leave a torn file by this name. */
    if (fchmod(filler->temporary, 0400) != 0 || fsync(filler->temporary) != 0)
        return ins_fail_system(error, errno, "sync a cache file in",
                               filler->shown);
    /* Somebody removed the lock file and another process began anew. */
    INS_CHECK(is_named(filler->directory, temporary, filler->temporary), error,
              INS_IO_ERROR, "cache file was replaced while it was written");
    if (renameat(filler->directory, temporary, filler->directory, final) != 0)
        return ins_fail_system(error, errno, "rename a cache file in",
                               filler->shown);
    close_descriptor(&filler->temporary);
    /* Losing the name in a crash costs a second load, no more. */
    (void) fsync(filler->directory);
    return INS_OK;
}

static void
remove_own_name(const ins_cache_filler *filler, const char *suffix,
                int descriptor)
{
    char name[NAME_BYTES];

    make_name(name, filler->key, suffix);
    if (descriptor >= 0 && is_named(filler->directory, name, descriptor))
        (void) unlinkat(filler->directory, name, 0);
}

void
ins_cache_unlock(ins_cache_filler *filler)
{
    uint8_t unused[INS_DIGEST_BYTES];
    ins_host host;

    if (filler == NULL)
        return;
    host = filler->host;
    ins_digest_close(filler->digest, unused);
    remove_own_name(filler, ".tmp", filler->temporary);
    close_descriptor(&filler->temporary);
    remove_own_name(filler, ".lock", filler->lock);
    close_descriptor(&filler->lock);
    close_descriptor(&filler->directory);
    ins_release(&host, filler);
}

ins_status
ins_cache_remove(const char *dir, const char *key, ins_error *error)
{
    char name[NAME_BYTES];
    int directory;
    int result;
    int code;

    make_name(name, key, ".pack");
    directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT)
        return INS_OK;
    if (directory < 0)
        return ins_fail_system(error, errno, "open directory", dir);
    result = unlinkat(directory, name, 0);
    code = errno;
    close(directory);
    if (result != 0 && code != ENOENT)
        return ins_fail_system(error, code, "remove cache file", name);
    return INS_OK;
}

/* ---- sweeping ----------------------------------------------------------- */

#define MAX_REMOVALS       1000
#define DEAD_AFTER_SECONDS (24 * 60 * 60)

/* Digest, "-", version, suffix: no other file is ever removed. */
static bool
is_cache_name(const char *name, const char *suffix)
{
    size_t digits = strspn(name, "0123456789abcdef");
    size_t version;

    if (digits != 2 * INS_DIGEST_BYTES || name[digits] != '-')
        return false;
    name += digits + 1;
    version = strspn(name, "0123456789");
    return version > 0 && strcmp(name + version, suffix) == 0;
}

struct survey {
    uint64_t bytes;          /* of all packs */
    time_t oldest_time;      /* of those that may go */
    char oldest[NAME_BYTES]; /* empty: none may */
};

static void
survey_pack(struct survey *survey, const char *name, const char *kept,
            const struct stat *status)
{
    survey->bytes += (uint64_t) status->st_size;
    if (strcmp(name, kept) == 0 || strlen(name) >= NAME_BYTES ||
        (survey->oldest[0] != '\0' && status->st_mtime >= survey->oldest_time))
        return;
    survey->oldest_time = status->st_mtime;
    ins_format(survey->oldest, NAME_BYTES, "%s", name);
}

static void
survey_directory(DIR *listing, const char *kept, struct survey *survey)
{
    int directory = dirfd(listing);
    time_t dead = time(NULL) - DEAD_AFTER_SECONDS;
    struct dirent *entry;

    memset(survey, 0, sizeof(*survey));
    rewinddir(listing);
    while ((entry = readdir(listing)) != NULL) {
        const char *name = entry->d_name;
        struct stat status;

        if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        if (is_cache_name(name, ".pack"))
            survey_pack(survey, name, kept, &status);
        else if (is_cache_name(name, ".tmp") && status.st_mtime < dead)
            (void) unlinkat(directory, name, 0);
    }
}

void
ins_cache_sweep(const char *dir, const char *keep, uint64_t max_bytes)
{
    DIR *listing = opendir(dir);
    char kept[NAME_BYTES];
    struct survey survey;

    if (listing == NULL)
        return;
    make_name(kept, keep, ".pack");
    for (int i = 0; i < MAX_REMOVALS; i++) {
        survey_directory(listing, kept, &survey);
        if (survey.bytes <= max_bytes || survey.oldest[0] == '\0' ||
            unlinkat(dirfd(listing), survey.oldest, 0) != 0)
            break;
    }
    closedir(listing);
}
