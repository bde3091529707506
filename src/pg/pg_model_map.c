/*
 * pg_model_map.c - table rows to a file that all backends map.
 *
 * The file lies in pg_stat_tmp/insitu/<database>/, a directory that base
 * backups leave out; the database's OID in the path keeps one database from
 * naming the weights of another.  Order of locks: heavyweight locks first, the
 * file lock last, because the deadlock detector does not see the latter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <dirent.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg_error.h"
#include "pg_host.h"
#include "pg_model_map.h"
#include "pg_settings.h"

#define DEFAULT_DIRECTORY    "pg_stat_tmp/insitu"
#define SHORTEST_WAIT        10 /* milliseconds */
#define LONGEST_WAIT         100
#define MAX_PENDING_REMOVALS 16

/* ---- chunks ------------------------------------------------------------- */

static void
sleep_interruptibly(long milliseconds)
{
    (void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                     milliseconds, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

static ins_status
fail_chunk(const model_identity *identity, uint64_t i, const char *what,
           ins_error *error)
{
    error->status = INS_CORRUPT_PACK;
    snprintf(error->message, sizeof(error->message),
             "model \"%s\" is damaged: part " UINT64_FORMAT " of " UINT64_FORMAT
             " %s",
             identity->name, (uint64) i + 1,
             (uint64) chunk_count(identity->bytes), what);
    error->detail[0] = '\0';
    snprintf(error->hint, sizeof(error->hint),
             "Drop the model with model_drop('%s') and register it again.",
             identity->name);
    return INS_CORRUPT_PACK;
}

static ins_status
take_chunk(HeapTuple tuple, TupleDesc row, const model_identity *identity,
           uint64_t i, chunk_sink sink, void *user, ins_error *error)
{
    uint64_t left = identity->bytes - i * CHUNK_BYTES;
    size_t size = left < CHUNK_BYTES ? (size_t) left : CHUNK_BYTES;
    Datum values[CHUNK_DATA];
    bool nulls[CHUNK_DATA];
    bytea *data;

    heap_deform_tuple(tuple, row, values, nulls);
    if (nulls[CHUNK_SEQ - 1] ||
        DatumGetInt32(values[CHUNK_SEQ - 1]) != (int32) i)
        return fail_chunk(identity, i, "is missing", error);
    if (nulls[CHUNK_DATA - 1])
        return fail_chunk(identity, i, "is empty", error);
    data = DatumGetByteaPP(values[CHUNK_DATA - 1]);
    if (VARSIZE_ANY_EXHDR(data) != size)
        return fail_chunk(identity, i, "has a wrong size", error);
    return sink(user, VARDATA_ANY(data), size, error);
}

static ins_status
scan_chunks(Relation rel, Relation index, const model_identity *identity,
            chunk_sink sink, void *user, ins_error *error)
{
    MemoryContext context = AllocSetContextCreate(
        CurrentMemoryContext, "insitu chunk", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = CurrentMemoryContext;
    uint64_t count = chunk_count(identity->bytes);
    ins_status status = INS_OK;
    uint64_t i = 0;
    bytea *digest = palloc(VARHDRSZ + INS_DIGEST_BYTES);
    ScanKeyData key;
    SysScanDesc scan;

    SET_VARSIZE(digest, VARHDRSZ + INS_DIGEST_BYTES);
    memcpy(VARDATA(digest), identity->digest, INS_DIGEST_BYTES);
    ScanKeyInit(&key, CHUNK_DIGEST, BTEqualStrategyNumber, F_BYTEAEQ,
                PointerGetDatum(digest));
    scan = systable_beginscan_ordered(rel, index, query_snapshot(), 1, &key);
    while (status == INS_OK && i < count) {
        HeapTuple tuple = systable_getnext_ordered(scan, ForwardScanDirection);

        if (!HeapTupleIsValid(tuple)) {
            status = fail_chunk(identity, i, "is missing", error);
            break;
        }
        CHECK_FOR_INTERRUPTS();
        MemoryContextSwitchTo(context);
        status = take_chunk(tuple, RelationGetDescr(rel), identity, i, sink,
                            user, error);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(context);
        if (setting_debug_load_delay > 0)
            sleep_interruptibly(setting_debug_load_delay);
        i++;
    }
    systable_endscan_ordered(scan);
    MemoryContextDelete(context);
    pfree(digest);
    return status;
}

ins_status
read_chunks(const model_identity *identity, chunk_sink sink, void *user,
            ins_error *error)
{
    Relation index;
    Relation rel = open_catalog(TABLE_CHUNK, &index);
    ins_status status = scan_chunks(rel, index, identity, sink, user, error);

    index_close(index, AccessShareLock);
    table_close(rel, AccessShareLock);
    return status;
}

/* ---- directories -------------------------------------------------------- */

static const char *
cache_root(void)
{
    return setting_cache_directory != NULL && setting_cache_directory[0] != '\0'
               ? setting_cache_directory
               : DEFAULT_DIRECTORY;
}

static void
database_directory(char path[MAXPGPATH])
{
    if (snprintf(path, MAXPGPATH, "%s/%u", cache_root(), MyDatabaseId) >=
        MAXPGPATH)
        ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                        errmsg("insitu.cache_directory is too long")));
}

static void
make_root(void)
{
    const char *root = cache_root();

    if (MakePGDirectory(root) != 0 && errno != EEXIST)
        ereport(ERROR, (errcode_for_file_access(),
                        errmsg("could not create directory \"%s\": %m", root),
                        errhint("Check insitu.cache_directory.")));
}

/* Directories of databases that are gone. */
static void
sweep_databases(void)
{
    const char *root = cache_root();
    DIR *directory = AllocateDir(root);
    struct dirent *entry;

    while (directory != NULL &&
           (entry = ReadDirExtended(directory, root, LOG)) != NULL) {
        char path[MAXPGPATH];
        char *end;
        unsigned long oid = strtoul(entry->d_name, &end, 10);

        if (end == entry->d_name || *end != '\0' || oid == 0 ||
            oid > PG_UINT32_MAX || get_database_name((Oid) oid) != NULL)
            continue;
        if (snprintf(path, MAXPGPATH, "%s/%s", root, entry->d_name) < MAXPGPATH)
            (void) rmtree(path, true);
    }
    if (directory != NULL)
        FreeDir(directory);
}

/* "<64 digits>-1.pack" to a digest. */
static bool
parse_file_name(const char *name, uint8_t digest[INS_DIGEST_BYTES])
{
    char expected[INS_CACHE_KEY_BYTES + 8];
    char key[INS_CACHE_KEY_BYTES];

    if (strspn(name, "0123456789abcdef") != 2 * INS_DIGEST_BYTES)
        return false;
    (void) hex_decode(name, 2 * INS_DIGEST_BYTES, (char *) digest);
    ins_cache_key(key, digest);
    snprintf(expected, sizeof(expected), "%s.pack", key);
    return strcmp(name, expected) == 0;
}

/* Files of models that this database no longer has.  Whoever has one mapped
 * keeps the pages. */
static void
sweep_files(const char *path)
{
    DIR *directory = AllocateDir(path);
    struct dirent *entry;

    while (directory != NULL &&
           (entry = ReadDirExtended(directory, path, LOG)) != NULL) {
        uint8_t digest[INS_DIGEST_BYTES];
        char key[INS_CACHE_KEY_BYTES];
        ins_error ignored;

        if (!parse_file_name(entry->d_name, digest) ||
            is_digest_registered(digest, NULL))
            continue;
        ins_cache_key(key, digest);
        (void) ins_cache_remove(path, key, &ignored);
    }
    if (directory != NULL)
        FreeDir(directory);
}

/* ---- loading ------------------------------------------------------------ */

static ins_status
append_chunk(void *user, const void *data, size_t size, ins_error *error)
{
    return ins_cache_append(user, data, size, error);
}

/* One attempt by whoever holds the lock. */
static ins_status
fill_file(ins_cache_filler *filler, Relation rel, Relation index,
          const model_identity *identity, ins_error *error)
{
    ins_status status = ins_cache_begin(filler, identity->bytes, error);

    if (status == INS_OK)
        status = scan_chunks(rel, index, identity, append_chunk, filler, error);
    if (status == INS_OK)
        status = ins_cache_commit(filler, identity->digest, error);
    return status;
}

/*
 * Maps the file, or takes the lock and fills it, or does neither because
 * another backend holds the lock (INS_BUSY).
 */
static ins_status
map_or_fill(const char *directory, const char *key, Relation rel,
            Relation index, const model_identity *identity,
            ins_mapping *mapping, bool *loaded, ins_error *error)
{
    ins_host host = host_in(TopMemoryContext);
    ins_cache_filler *filler;
    volatile ins_status status;

    status = ins_cache_lock(&filler, directory, key, &host, error);
    if (status != INS_OK)
        return status;
    PG_TRY();
    {
        /* Somebody else may have finished meanwhile. */
        status = ins_cache_map(mapping, directory, key, identity->bytes, error);
        if (status == INS_CORRUPT_PACK)
            (void) ins_cache_remove(directory, key, error);
        if (status == INS_CORRUPT_PACK || status == INS_NOT_FOUND) {
            sweep_databases();
            sweep_files(directory);
            status = fill_file(filler, rel, index, identity, error);
            *loaded = status == INS_OK;
            if (status == INS_OK)
                status = ins_cache_map(mapping, directory, key, identity->bytes,
                                       error);
        }
    }
    PG_FINALLY();
    {
        ins_cache_unlock(filler);
    }
    PG_END_TRY();
    return status;
}

static void
load_model(const char *directory, const char *key,
           const model_identity *identity, ins_mapping *mapping, bool *loaded)
{
    /* Heavyweight locks before the file lock; held until the end of the
     * transaction, for nothing may wait under the file lock. */
    Relation index;
    Relation rel = open_catalog(TABLE_CHUNK, &index);
    long wait = SHORTEST_WAIT;
    ins_error error;
    ins_status status;

    table_close(open_catalog(TABLE_MODEL, NULL), NoLock);
    make_root();
    while ((status = map_or_fill(directory, key, rel, index, identity, mapping,
                                 loaded, &error)) == INS_BUSY) {
        sleep_interruptibly(wait);
        wait = Min(wait * 2, LONGEST_WAIT);
        if (ins_cache_map(mapping, directory, key, identity->bytes, &error) ==
            INS_OK) {
            status = INS_OK;
            break;
        }
    }
    index_close(index, NoLock);
    table_close(rel, NoLock);
    check_status(status, &error);
}

void
map_model(const model_identity *identity, ins_mapping *mapping, bool *loaded)
{
    char path[MAXPGPATH];
    char key[INS_CACHE_KEY_BYTES];
    ins_error error;
    ins_status status;

    *loaded = false;
    if (identity->bundled) {
        if (!find_bundled_file(identity->name, path))
            elog(ERROR, "bundled model \"%s\" is gone", identity->name);
        check_status(ins_file_map(mapping, path, MAX_MODEL_BYTES, &error),
                     &error);
        return;
    }
    database_directory(path);
    ins_cache_key(key, identity->digest);
    status = ins_cache_map(mapping, path, key, identity->bytes, &error);
    if (status == INS_NOT_FOUND || status == INS_CORRUPT_PACK)
        load_model(path, key, identity, mapping, loaded);
    else
        check_status(status, &error);
}

void
discard_file(const model_identity *identity)
{
    char path[MAXPGPATH];
    char key[INS_CACHE_KEY_BYTES];
    ins_error error;

    database_directory(path);
    ins_cache_key(key, identity->digest);
    check_status(ins_cache_remove(path, key, &error), &error);
}

/* ---- removal at commit -------------------------------------------------- */

static uint8_t pending_removals[MAX_PENDING_REMOVALS][INS_DIGEST_BYTES];
static int pending_count;

/* More than fit are left to the next sweep. */
void
remove_file_at_commit(const uint8_t digest[INS_DIGEST_BYTES])
{
    if (pending_count < MAX_PENDING_REMOVALS)
        memcpy(pending_removals[pending_count++], digest, INS_DIGEST_BYTES);
}

/* A drop may have been rolled back to a savepoint, and another name may have
 * the same bytes: files that are still needed stay. */
void
prepare_file_removal(void)
{
    int kept = 0;

    /* DROP EXTENSION in the same transaction took the tables along. */
    if (pending_count == 0 || !OidIsValid(get_extension_oid("insitu", true)))
        return;
    for (int i = 0; i < pending_count; i++)
        if (!is_digest_registered(pending_removals[i], NULL))
            memmove(pending_removals[kept++], pending_removals[i],
                    INS_DIGEST_BYTES);
    pending_count = kept;
}

void
finish_file_removal(bool committed)
{
    char path[MAXPGPATH];

    for (int i = 0; committed && i < pending_count; i++) {
        char key[INS_CACHE_KEY_BYTES];
        ins_error error;

        if (snprintf(path, MAXPGPATH, "%s/%u", cache_root(), MyDatabaseId) >=
            MAXPGPATH)
            break;
        ins_cache_key(key, pending_removals[i]);
        if (ins_cache_remove(path, key, &error) != INS_OK)
            elog(WARNING, "%s", error.message);
    }
    pending_count = 0;
}
