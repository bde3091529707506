/*
 * pg_catalog.c - reading the tables of schema insitu.
 *
 * Inference reads them by OID with index scans, never through SPI: a query
 * would run with the caller's rights and search path.  The tables count only
 * when they belong to the extension, so that nobody can plant others.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "pg_catalog.h"

static const struct {
    const char *name;
    const char *index;
    int columns;
} tables[TABLE_COUNT] = {
    [TABLE_MODEL] = {"model", "model_pkey", MODEL_CREATED_AT},
    [TABLE_CHUNK] = {"model_chunk", "model_chunk_pkey", CHUNK_DATA},
    [TABLE_ALIAS] = {"alias", "alias_pkey", ALIAS_NAME},
    [TABLE_GRANT] = {"model_grant", "model_grant_pkey", GRANT_GRANTEE},
};

/* OIDs found last; valid until an invalidation names one of them. */
static struct {
    bool valid;
    Oid table[TABLE_COUNT];
    Oid index[TABLE_COUNT];
    Oid owner;
} catalog;

static uint64_t generation = 1;
static uint64_t changes;
static bool version_checked;

bool
is_model_name(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length >= MODEL_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!word && (i == 0 || (c != '_' && c != '.' && c != '-')))
            return false;
    }
    return true;
}

uint64_t
chunk_count(uint64_t bytes)
{
    return (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

/* ---- invalidation ------------------------------------------------------- */

static void
forget_relation(Datum argument, Oid relation)
{
    bool ours = relation == InvalidOid || !catalog.valid;

    (void) argument;
    for (int i = 0; !ours && i < TABLE_COUNT; i++)
        ours = relation == catalog.table[i] || relation == catalog.index[i];
    if (!ours)
        return;
    catalog.valid = false;
    generation++;
    changes++;
}

void
watch_catalog(void)
{
    CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
}

uint64_t
catalog_generation(void)
{
    return generation;
}

uint64_t
catalog_changes(void)
{
    return changes;
}

void
advance_generation(void)
{
    generation++;
}

/* ---- the tables --------------------------------------------------------- */

static void
fail_not_installed(void)
{
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the tables of extension \"insitu\" are missing"),
                    errhint("Run CREATE EXTENSION insitu in this database.")));
}

/* The SQL functions may be older or newer than this library. */
static void
check_version(Oid extension)
{
    Relation rel;
    SysScanDesc scan;
    ScanKeyData key;
    HeapTuple tuple;
    bool is_null;
    char *version = NULL;

    version_checked = true;
    rel = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(extension));
    scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
    tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        Datum datum = heap_getattr(tuple, Anum_pg_extension_extversion,
                                   RelationGetDescr(rel), &is_null);

        if (!is_null)
            version = TextDatumGetCString(datum);
    }
    systable_endscan(scan);
    table_close(rel, AccessShareLock);
    if (version != NULL && strcmp(version, INSITU_VERSION) != 0)
        ereport(WARNING,
                (errmsg("extension \"insitu\" is version %s, its library is "
                        "version %s",
                        version, INSITU_VERSION),
                 errhint("Reconnect, and run ALTER EXTENSION insitu UPDATE.")));
}

static void
find_tables(void)
{
    Oid extension = get_extension_oid("insitu", true);
    Oid schema = get_namespace_oid("insitu", true);
    HeapTuple tuple;

    if (!OidIsValid(extension) || !OidIsValid(schema))
        fail_not_installed();
    if (!version_checked)
        check_version(extension);
    /* An invalidation that arrives meanwhile must not be lost. */
    catalog.valid = true;
    for (int i = 0; i < TABLE_COUNT; i++) {
        Oid table = get_relname_relid(tables[i].name, schema);
        Oid index = get_relname_relid(tables[i].index, schema);

        catalog.table[i] = table;
        catalog.index[i] = index;
        if (!OidIsValid(table) || !OidIsValid(index) ||
            getExtensionOfObject(RelationRelationId, table) != extension) {
            catalog.valid = false;
            fail_not_installed();
        }
    }
    tuple =
        SearchSysCache1(RELOID, ObjectIdGetDatum(catalog.table[TABLE_MODEL]));
    if (HeapTupleIsValid(tuple)) {
        catalog.owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
        ReleaseSysCache(tuple);
    }
}

Relation
open_catalog(catalog_table table, Relation *index)
{
    Relation rel;

    /* Opening accepts invalidations, which may be about what was found. */
    for (int attempt = 0;; attempt++) {
        if (!catalog.valid)
            find_tables();
        rel = table_open(catalog.table[table], AccessShareLock);
        if (catalog.valid || attempt > 10)
            break;
        table_close(rel, AccessShareLock);
    }
    if (rel->rd_rel->relkind != RELKIND_RELATION ||
        RelationGetDescr(rel)->natts != tables[table].columns)
        fail_not_installed();
    if (index != NULL)
        *index = index_open(catalog.index[table], AccessShareLock);
    return rel;
}

Oid
catalog_owner(void)
{
    if (!catalog.valid)
        find_tables();
    return catalog.owner;
}

Snapshot
query_snapshot(void)
{
    return ActiveSnapshotSet() ? GetActiveSnapshot() : NULL;
}

/* ---- rows --------------------------------------------------------------- */

static SysScanDesc
begin_text_scan(Relation rel, Oid index, int column, const char *value)
{
    ScanKeyData key;

    ScanKeyInit(&key, (AttrNumber) column, BTEqualStrategyNumber, F_TEXTEQ,
                CStringGetTextDatum(value));
    return systable_beginscan(rel, index, true, query_snapshot(), 1, &key);
}

static void
fail_damaged(const char *what, const char *name)
{
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("the row of %s \"%s\" is damaged", what, name)));
}

static void
copy_name(char target[MODEL_NAME_BYTES], Datum datum)
{
    char *name = TextDatumGetCString(datum);

    if (!is_model_name(name))
        fail_damaged("model", name);
    strlcpy(target, name, MODEL_NAME_BYTES);
}

/* Rows can be restored from anywhere, so each value is checked. */
static void
take_model_row(HeapTuple tuple, TupleDesc row, model_identity *identity)
{
    Datum values[MODEL_CREATED_AT];
    bool nulls[MODEL_CREATED_AT];
    bytea *digest;
    int64 bytes;

    heap_deform_tuple(tuple, row, values, nulls);
    for (int i = 0; i < MODEL_CREATED_BY; i++)
        if (nulls[i])
            fail_damaged("model", identity->name);
    digest = DatumGetByteaPP(values[MODEL_DIGEST - 1]);
    bytes = DatumGetInt64(values[MODEL_BYTES - 1]);
    if (VARSIZE_ANY_EXHDR(digest) != INS_DIGEST_BYTES || bytes <= 0 ||
        (uint64_t) bytes > MAX_MODEL_BYTES)
        fail_damaged("model", identity->name);
    memcpy(identity->digest, VARDATA_ANY(digest), INS_DIGEST_BYTES);
    identity->bytes = (uint64_t) bytes;
    identity->restricted = DatumGetBool(values[MODEL_RESTRICTED - 1]);
    strlcpy(identity->created_by,
            NameStr(*DatumGetName(values[MODEL_CREATED_BY - 1])), NAMEDATALEN);
}

static bool
read_model(const char *name, model_identity *identity)
{
    Relation rel = open_catalog(TABLE_MODEL, NULL);
    SysScanDesc scan =
        begin_text_scan(rel, catalog.index[TABLE_MODEL], MODEL_NAME, name);
    HeapTuple tuple = systable_getnext(scan);
    bool found = HeapTupleIsValid(tuple);

    if (found) {
        memset(identity, 0, sizeof(*identity));
        strlcpy(identity->name, name, MODEL_NAME_BYTES);
        take_model_row(tuple, RelationGetDescr(rel), identity);
    }
    systable_endscan(scan);
    table_close(rel, AccessShareLock);
    return found;
}

static bool
read_alias(const char *alias, char target[MODEL_NAME_BYTES])
{
    Relation rel = open_catalog(TABLE_ALIAS, NULL);
    SysScanDesc scan =
        begin_text_scan(rel, catalog.index[TABLE_ALIAS], ALIAS_ALIAS, alias);
    HeapTuple tuple = systable_getnext(scan);
    bool found = HeapTupleIsValid(tuple);

    if (found) {
        bool is_null;
        Datum datum =
            heap_getattr(tuple, ALIAS_NAME, RelationGetDescr(rel), &is_null);

        if (is_null)
            fail_damaged("alias", alias);
        copy_name(target, datum);
    }
    systable_endscan(scan);
    table_close(rel, AccessShareLock);
    return found;
}

static bool
find_direct(const char *name, model_identity *identity)
{
    char path[MAXPGPATH];

    if (!is_model_name(name))
        return false;
    if (find_bundled_file(name, path)) {
        memset(identity, 0, sizeof(*identity));
        strlcpy(identity->name, name, MODEL_NAME_BYTES);
        identity->bundled = true;
        return true;
    }
    return read_model(name, identity);
}

static void
fail_not_found(const char *name)
{
    ereport(
        ERROR,
        (errcode(ERRCODE_UNDEFINED_OBJECT),
         errmsg("model \"%.*s\" does not exist",
                pg_mbcliplen(name, (int) strlen(name), MODEL_NAME_BYTES), name),
         errhint("Register it with model_register(name, path); SELECT "
                 "name FROM model_list() shows those there are.")));
}

void
find_model(const char *name, bool allow_alias, model_identity *identity)
{
    char target[MODEL_NAME_BYTES];

    if (find_direct(name, identity))
        return;
    if (!is_model_name(name) || !read_alias(name, target))
        fail_not_found(name);
    if (!allow_alias)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("\"%s\" is an alias, which cannot be named in a call",
                        name),
                 errhint("Name the model \"%s\", or set "
                         "insitu.default_classifier or "
                         "insitu.default_embedder to the alias and leave the "
                         "model out.",
                         target)));
    if (!find_direct(target, identity))
        fail_not_found(target);
}

bool
is_digest_registered(const uint8_t *digest, Snapshot snapshot)
{
    Relation rel = open_catalog(TABLE_MODEL, NULL);
    SysScanDesc scan =
        systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
    HeapTuple tuple;
    bool found = false;

    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        bool is_null;
        Datum datum =
            heap_getattr(tuple, MODEL_DIGEST, RelationGetDescr(rel), &is_null);
        bytea *other = is_null ? NULL : DatumGetByteaPP(datum);

        found = other != NULL && VARSIZE_ANY_EXHDR(other) == INS_DIGEST_BYTES &&
                memcmp(VARDATA_ANY(other), digest, INS_DIGEST_BYTES) == 0;
    }
    systable_endscan(scan);
    table_close(rel, AccessShareLock);
    return found;
}

/* ---- rights ------------------------------------------------------------- */

/* A role that is gone gives nobody a right. */
static bool
is_member_of(const char *role)
{
    Oid oid;

    if (strcmp(role, "public") == 0)
        return true;
    oid = get_role_oid(role, true);
    return OidIsValid(oid) && has_privs_of_role(GetUserId(), oid);
}

static bool
is_grantee(const char *name)
{
    Relation rel = open_catalog(TABLE_GRANT, NULL);
    SysScanDesc scan =
        begin_text_scan(rel, catalog.index[TABLE_GRANT], GRANT_NAME, name);
    HeapTuple tuple;
    bool allowed = false;

    while (!allowed && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        bool is_null;
        Datum datum =
            heap_getattr(tuple, GRANT_GRANTEE, RelationGetDescr(rel), &is_null);

        allowed = !is_null && is_member_of(NameStr(*DatumGetName(datum)));
    }
    systable_endscan(scan);
    table_close(rel, AccessShareLock);
    return allowed;
}

void
check_use_right(const model_identity *identity)
{
    if (!identity->restricted || superuser() ||
        is_member_of(identity->created_by) || is_grantee(identity->name))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied for model \"%s\"", identity->name),
             errhint("Its creator can grant it with model_grant('%s', role).",
                     identity->name)));
}
