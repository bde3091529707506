/*
 * cache_file.h - one copy of a pack for all processes: a read-only file, named
 * by its digest, that everybody maps.  The page cache is the shared memory.
 *
 * The catalog row is the truth; this file is a cache that may be deleted (but
 * never truncated) at any time.  Exactly one process fills it, under flock;
 * the kernel frees the lock, the descriptors and the mapping of a process that
 * dies, so that no clean-up protocol exists.
 *
 *     ins_cache_map(&mapping, dir, key, size, &error)   INS_NOT_FOUND? then
 *     ins_cache_lock(&filler, dir, key, &error)         INS_BUSY: wait, retry
 *     ins_cache_map again: another process may have finished meanwhile
 *     ins_cache_begin(filler, size), ins_cache_append(filler, ...) ...,
 *     ins_cache_commit(filler, digest), ins_cache_map
 *     ins_cache_unlock(filler)                          also after failures
 *
 * Nothing here waits, calls back or unwinds; a host that may longjmp between
 * the steps calls ins_cache_unlock from its clean-up.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CACHE_FILE_H
#define INS_CACHE_FILE_H

#include "insitu_import.h"

/* Files of a key: KEY.pack, KEY.lock, KEY.tmp.  Key: hex digest + format
 * version, made by ins_cache_key. */
#define INS_CACHE_KEY_BYTES 80
void ins_cache_key(char key[INS_CACHE_KEY_BYTES],
                   const uint8_t digest[INS_DIGEST_BYTES]);

/* A mapping of a whole regular file, PROT_READ, MAP_SHARED. */
typedef struct ins_mapping {
    const void *data; /* NULL when nothing is mapped */
    size_t size;
} ins_mapping;

/* Maps dir/KEY.pack.  expected_size: checked against the file before mapping.
 * Errors: NOT_FOUND, CORRUPT_PACK (wrong size), IO_ERROR, NO_MEMORY. */
ins_status ins_cache_map(ins_mapping *mapping, const char *dir, const char *key,
                         uint64_t expected_size, ins_error *error);
/* Maps any file by path (bundled packs). max_bytes bounds it. */
ins_status ins_file_map(ins_mapping *mapping, const char *path,
                        uint64_t max_bytes, ins_error *error);
void ins_mapping_close(ins_mapping *mapping); /* accepts an empty one */

typedef struct ins_cache_filler ins_cache_filler;

/* Makes dir (mode 0700, parents must exist) and takes the lock without
 * waiting.  INS_BUSY: another process is filling.  Removes a dead filler's
 * temporary file.  Allocated from host. */
ins_status ins_cache_lock(ins_cache_filler **filler, const char *dir,
                          const char *key, const ins_host *host,
                          ins_error *error);
/* Reserves the space first: a full disk is INS_DISK_FULL here, never a SIGBUS
 * later. */
ins_status ins_cache_begin(ins_cache_filler *filler, uint64_t size,
                           ins_error *error);
ins_status ins_cache_append(ins_cache_filler *filler, const void *data,
                            size_t size, ins_error *error);
/* Verifies size and SHA-256 (INS_CORRUPT_PACK), syncs, renames. */
ins_status ins_cache_commit(ins_cache_filler *filler,
                            const uint8_t digest[INS_DIGEST_BYTES],
                            ins_error *error);
/* Frees everything; removes an unfinished temporary file.  Accepts NULL. */
void ins_cache_unlock(ins_cache_filler *filler);

/*
 * Keeps the directory from growing for ever: removes the packs that were mapped
 * longest ago until the rest has at most max_bytes, and what fillers left that
 * died a day ago.  keep: a key that stays.  What cannot be removed stays.
 */
void ins_cache_sweep(const char *dir, const char *keep, uint64_t max_bytes);

/* Unlinks KEY.pack; running mappings live on.  A missing file is no error. */
ins_status ins_cache_remove(const char *dir, const char *key, ins_error *error);

#endif
