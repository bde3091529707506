/*
 * pg_models.c - the functions that manage and describe models.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "pg_catalog_change.h"
#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"
#include "pg_model_map.h"
#include "pg_rows.h"
#include "pg_session.h"

static char *
name_argument(FunctionCallInfo fcinfo, int argument)
{
    return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* The digest of any model; a bundled one's is computed when asked for. */
static void
digest_of(const model_identity *identity, uint8_t digest[INS_DIGEST_BYTES])
{
    if (identity->bundled)
        bundled_digest(identity->name, digest);
    else
        memcpy(digest, identity->digest, INS_DIGEST_BYTES);
}

static Datum
digest_datum(const model_identity *identity)
{
    uint8_t digest[INS_DIGEST_BYTES];
    char text[INS_DIGEST_CHARS];

    digest_of(identity, digest);
    ins_digest_text(text, digest);
    return CStringGetTextDatum(text);
}

/* ---- change ------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_model_drop);

Datum
insitu_model_drop(PG_FUNCTION_ARGS)
{
    bool missing_ok = PG_NARGS() > 1 && PG_GETARG_BOOL(1);
    bool forget = PG_NARGS() > 2 && PG_GETARG_BOOL(2);

    PG_RETURN_BOOL(drop_model(name_argument(fcinfo, 0), missing_ok, forget));
}

PG_FUNCTION_INFO_V1(insitu_model_alias);

Datum
insitu_model_alias(PG_FUNCTION_ARGS)
{
    set_alias(name_argument(fcinfo, 0), name_argument(fcinfo, 1));
    PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}

PG_FUNCTION_INFO_V1(insitu_model_grant);

Datum
insitu_model_grant(PG_FUNCTION_ARGS)
{
    grant_model(name_argument(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
    PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(insitu_model_revoke);

Datum
insitu_model_revoke(PG_FUNCTION_ARGS)
{
    revoke_model(name_argument(fcinfo, 0), NameStr(*PG_GETARG_NAME(1)));
    PG_RETURN_VOID();
}

/* ---- load and unload ---------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_model_load);

Datum
insitu_model_load(PG_FUNCTION_ARGS)
{
    model_call call;

    open_named_call(&call, name_argument(fcinfo, 0));
    pin_loaded(&call);
    PG_RETURN_DATUM(digest_datum(&call.identity));
}

PG_FUNCTION_INFO_V1(insitu_model_unload);

Datum
insitu_model_unload(PG_FUNCTION_ARGS)
{
    model_identity identity;

    find_model(name_argument(fcinfo, 0), true, &identity);
    PG_RETURN_BOOL(unload_model(&identity));
}

/* ---- bytes -------------------------------------------------------------- */

/* Read from the tables, not from the file that backends share. */
static void
find_readable(FunctionCallInfo fcinfo, model_identity *identity)
{
    find_model(name_argument(fcinfo, 0), true, identity);
    check_use_right(identity);
}

typedef struct export_copy {
    char *data;
    size_t filled;
} export_copy;

/* read_chunks gives identity->bytes in all, never more. */
static ins_status
append_export(void *user, const void *data, size_t size, ins_error *error)
{
    export_copy *copy = user;

    (void) error;
    memcpy(copy->data + copy->filled, data, size);
    copy->filled += size;
    return INS_OK;
}

PG_FUNCTION_INFO_V1(insitu_model_export);

Datum
insitu_model_export(PG_FUNCTION_ARGS)
{
    model_identity identity;
    ins_mapping mapping = {NULL, 0};
    export_copy copy = {NULL, 0};
    ins_error error;
    bool loaded;
    bytea *result;

    find_readable(fcinfo, &identity);
    if (identity.bundled) {
        map_model(&identity, &mapping, &loaded);
        identity.bytes = mapping.size;
    }
    if (identity.bytes > MaxAllocSize - VARHDRSZ) {
        ins_mapping_close(&mapping);
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("model \"%s\" is larger than a bytea may be",
                               identity.name)));
    }
    result = palloc_extended(VARHDRSZ + identity.bytes, MCXT_ALLOC_NO_OOM);
    if (result == NULL) {
        ins_mapping_close(&mapping);
        ereport(ERROR,
                (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    }
    SET_VARSIZE(result, VARHDRSZ + identity.bytes);
    copy.data = VARDATA(result);
    if (identity.bundled)
        memcpy(copy.data, mapping.data, mapping.size);
    ins_mapping_close(&mapping);
    if (!identity.bundled)
        check_status(read_chunks(&identity, append_export, &copy, &error),
                     &error);
    PG_RETURN_BYTEA_P(result);
}

/*
 * INS_CORRUPT_PACK: the bytes are not what was registered.  Copies the pack,
 * because checking it needs it whole.
 */
static ins_status
verify_stored(const model_identity *identity, ins_error *error)
{
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    export_copy copy = {NULL, 0};
    uint8_t digest[INS_DIGEST_BYTES];
    ins_status status;

    copy.data = MemoryContextAllocHuge(CurrentMemoryContext, identity->bytes);
    status = read_chunks(identity, append_export, &copy, error);
    if (status == INS_OK)
        status = ins_digest_of(copy.data, copy.filled, &host, digest, error);
    if (status == INS_OK &&
        memcmp(digest, identity->digest, INS_DIGEST_BYTES) != 0)
        status = INS_CORRUPT_PACK;
    if (status == INS_OK)
        status = ins_pack_check(copy.data, copy.filled, &host, error);
    pfree(copy.data);
    return status;
}

/* The shared file, if there is one in use here, as inference sees it. */
static ins_status
verify_mapped(const model_identity *identity, ins_error *error)
{
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    uint8_t wanted[INS_DIGEST_BYTES];
    uint8_t digest[INS_DIGEST_BYTES];
    model_call call;
    ins_text pack;
    ins_status status;

    open_named_call(&call, identity->name);
    digest_of(identity, wanted);
    pack = mapped_pack(&call);
    status = ins_digest_of(pack.data, pack.size, &host, digest, error);
    if (status == INS_OK && memcmp(digest, wanted, INS_DIGEST_BYTES) != 0)
        status = INS_CORRUPT_PACK;
    if (status == INS_OK && identity->bundled)
        status = ins_pack_check(pack.data, pack.size, &host, error);
    return status;
}

PG_FUNCTION_INFO_V1(insitu_model_verify);

Datum
insitu_model_verify(PG_FUNCTION_ARGS)
{
    model_identity identity;
    ins_error error;
    ins_status status = INS_OK;

    find_readable(fcinfo, &identity);
    if (!identity.bundled)
        status = verify_stored(&identity, &error);
    if (status == INS_OK)
        status = verify_mapped(&identity, &error);
    if (status != INS_OK && status != INS_CORRUPT_PACK)
        raise_failure(&error);
    PG_RETURN_BOOL(status == INS_OK);
}

/* ---- description -------------------------------------------------------- */

PG_FUNCTION_INFO_V1(insitu_model_info);

Datum
insitu_model_info(PG_FUNCTION_ARGS)
{
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    uint8_t digest[INS_DIGEST_BYTES];
    char digits[INS_DIGEST_CHARS];
    StringInfoData text;
    model_call call;
    ins_error error;
    char *json;
    size_t size;

    open_named_call(&call, name_argument(fcinfo, 0));
    check_status(
        ins_model_info_json(model_of(&call), &host, &json, &size, &error),
        &error);
    digest_of(&call.identity, digest);
    ins_digest_text(digits, digest);
    initStringInfo(&text);
    /* Its first byte opens the object. */
    appendStringInfo(&text, "{\"name\":\"%s\",\"digest\":\"%s\",",
                     call.identity.name, digits);
    appendBinaryStringInfo(&text, json + 1, (int) size - 1);
    return jsonb_datum((ins_text){text.data, (size_t) text.len});
}

enum {
    LIST_NAME,
    LIST_KIND,
    LIST_TARGET,
    LIST_TASKS,
    LIST_DIGEST,
    LIST_BYTES,
    LIST_RESTRICTED,
    LIST_COLUMNS
};

static void
list_bundled(row_sink *sink)
{
    ListCell *cell;

    foreach (cell, bundled_names()) {
        model_call call;
        Datum values[LIST_COLUMNS] = {0};
        bool nulls[LIST_COLUMNS] = {false};

        open_named_call(&call, lfirst(cell));
        values[LIST_NAME] = CStringGetTextDatum(call.identity.name);
        values[LIST_KIND] = CStringGetTextDatum("bundled");
        nulls[LIST_TARGET] = true;
        values[LIST_TASKS] =
            CStringGetTextDatum(ins_model_tasks(model_of(&call)));
        values[LIST_DIGEST] = digest_datum(&call.identity);
        values[LIST_BYTES] = Int64GetDatum((int64) mapped_pack(&call).size);
        values[LIST_RESTRICTED] = BoolGetDatum(false);
        put_row(sink, values, nulls);
    }
}

static void
list_stored(row_sink *sink)
{
    Relation index;
    Relation rel = open_catalog(TABLE_MODEL, &index);
    SysScanDesc scan =
        systable_beginscan_ordered(rel, index, query_snapshot(), 0, NULL);
    HeapTuple tuple;

    while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) !=
           NULL) {
        Datum row[MODEL_CREATED_AT];
        bool row_nulls[MODEL_CREATED_AT];
        Datum values[LIST_COLUMNS] = {0};
        bool nulls[LIST_COLUMNS] = {false};

        heap_deform_tuple(tuple, RelationGetDescr(rel), row, row_nulls);
        values[LIST_NAME] = row[MODEL_NAME - 1];
        values[LIST_KIND] = CStringGetTextDatum("stored");
        nulls[LIST_TARGET] = true;
        values[LIST_TASKS] = row[MODEL_TASKS - 1];
        values[LIST_DIGEST] = DirectFunctionCall2(
            binary_encode, row[MODEL_DIGEST - 1], CStringGetTextDatum("hex"));
        values[LIST_BYTES] = row[MODEL_BYTES - 1];
        values[LIST_RESTRICTED] = row[MODEL_RESTRICTED - 1];
        put_row(sink, values, nulls);
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    table_close(rel, AccessShareLock);
}

static void
list_aliases(row_sink *sink)
{
    Relation index;
    Relation rel = open_catalog(TABLE_ALIAS, &index);
    SysScanDesc scan =
        systable_beginscan_ordered(rel, index, query_snapshot(), 0, NULL);
    HeapTuple tuple;

    while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) !=
           NULL) {
        Datum row[ALIAS_NAME];
        bool row_nulls[ALIAS_NAME];
        Datum values[LIST_COLUMNS] = {0};
        bool nulls[LIST_COLUMNS] = {false, false, false, true,
                                    true,  true,  true};

        heap_deform_tuple(tuple, RelationGetDescr(rel), row, row_nulls);
        values[LIST_NAME] = row[ALIAS_ALIAS - 1];
        values[LIST_KIND] = CStringGetTextDatum("alias");
        values[LIST_TARGET] = row[ALIAS_NAME - 1];
        put_row(sink, values, nulls);
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    table_close(rel, AccessShareLock);
}

PG_FUNCTION_INFO_V1(insitu_model_list);

Datum
insitu_model_list(PG_FUNCTION_ARGS)
{
    row_sink sink;

    begin_rows(fcinfo, &sink);
    list_bundled(&sink);
    list_stored(&sink);
    list_aliases(&sink);
    PG_RETURN_NULL();
}

/* ---- triggers of the tables --------------------------------------------- */

/* After a change: every backend looks names up again. */
PG_FUNCTION_INFO_V1(insitu_announce_change);

Datum
insitu_announce_change(PG_FUNCTION_ARGS)
{
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("not called by a trigger")));
    CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
    PG_RETURN_POINTER(NULL);
}

/* A name never stands for other bytes. */
PG_FUNCTION_INFO_V1(insitu_refuse_update);

Datum
insitu_refuse_update(PG_FUNCTION_ARGS)
{
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("not called by a trigger")));
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("rows of insitu.%s are never changed",
                RelationGetRelationName(
                    ((TriggerData *) fcinfo->context)->tg_relation)),
         errhint("Register the model under another name; an alias can move.")));
    PG_RETURN_POINTER(NULL);
}
