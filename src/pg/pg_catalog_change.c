/*
 * pg_catalog_change.c - registering, dropping and naming models.
 *
 * Statements run through SPI as the owner of the tables, who is whoever
 * created the extension; every name and operator in them is qualified, because
 * the search path is the caller's.  An ERROR restores the user, as it does for
 * foreign keys: the end of the (sub)transaction does it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "pg_catalog_change.h"
#include "pg_model_map.h"
#include "pg_session.h"

/* ---- running statements ------------------------------------------------- */

typedef struct saved_user {
    Oid user;
    int context;
} saved_user;

static void
begin_writing(saved_user *writer, const char *function)
{
    Oid owner;

    PreventCommandIfReadOnly(function);
    PreventCommandIfParallelMode(function);
    owner = catalog_owner();
    GetUserIdAndSecContext(&writer->user, &writer->context);
    SetUserIdAndSecContext(owner, writer->context |
                                      SECURITY_LOCAL_USERID_CHANGE |
                                      SECURITY_NOFORCE_RLS);
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    /* One change at a time: what is read below stays true until commit. */
    if (SPI_execute("LOCK TABLE insitu.model IN SHARE ROW EXCLUSIVE MODE",
                    false, 0) < 0)
        elog(ERROR, "could not lock insitu.model");
}

static void
end_writing(const saved_user *writer)
{
    if (SPI_finish() != SPI_OK_FINISH)
        elog(ERROR, "SPI_finish failed");
    SetUserIdAndSecContext(writer->user, writer->context);
}

/* Returns the number of rows that the statement read or changed. */
static uint64
run(const char *sql, int count, Oid *types, Datum *values)
{
    int code = SPI_execute_with_args(sql, count, types, values, NULL, false, 0);

    if (code < 0)
        elog(ERROR, "a statement on the catalog failed: %s",
             SPI_result_code_string(code));
    return SPI_processed;
}

static uint64
run_with_text(const char *sql, const char *text)
{
    Oid types[] = {TEXTOID};
    Datum values[] = {CStringGetTextDatum(text)};

    return run(sql, 1, types, values);
}

static uint64
run_with_texts(const char *sql, const char *first, const char *second)
{
    Oid types[] = {TEXTOID, TEXTOID};
    Datum values[] = {CStringGetTextDatum(first), CStringGetTextDatum(second)};

    return run(sql, 2, types, values);
}

static Datum
bytea_datum(const void *data, size_t size)
{
    bytea *value = palloc(VARHDRSZ + size);

    SET_VARSIZE(value, VARHDRSZ + size);
    memcpy(VARDATA(value), data, size);
    return PointerGetDatum(value);
}

static uint64
run_with_digest(const char *sql, const uint8_t *digest)
{
    Oid types[] = {BYTEAOID};
    Datum values[] = {bytea_datum(digest, INS_DIGEST_BYTES)};

    return run(sql, 1, types, values);
}

/* First column of the first row. */
static char *
first_text(void)
{
    return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* *digest is left alone when there is no row. */
static bool
read_digest(const char *sql, const char *name, uint8_t *digest)
{
    bool is_null;
    Datum datum;
    bytea *value;

    if (run_with_text(sql, name) == 0)
        return false;
    datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
                          &is_null);
    value = is_null ? NULL : DatumGetByteaPP(datum);
    if (value == NULL || VARSIZE_ANY_EXHDR(value) != INS_DIGEST_BYTES)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("the row of model \"%s\" is damaged", name)));
    memcpy(digest, VARDATA_ANY(value), INS_DIGEST_BYTES);
    return true;
}

/* ---- names -------------------------------------------------------------- */

void
check_new_name(const char *what, const char *name)
{
    char path[MAXPGPATH];

    if (!is_model_name(name))
        ereport(
            ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("%s \"%.*s\" is not allowed", what,
                    pg_mbcliplen(name, (int) strlen(name), MODEL_NAME_BYTES),
                    name),
             errhint("Use up to 63 of a-z, 0-9, \"_\", \".\" and \"-\", "
                     "beginning with a letter or digit.")));
    if (find_bundled_file(name, path))
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("\"%s\" is a model that ships with insitu", name)));
}

static bool
read_target(const char *alias, char target[MODEL_NAME_BYTES])
{
    if (run_with_text("SELECT name FROM insitu.alias WHERE alias "
                      "OPERATOR(pg_catalog.=) $1",
                      alias) == 0)
        return false;
    strlcpy(target, first_text(), MODEL_NAME_BYTES);
    return true;
}

static bool
read_model_digest(const char *name, uint8_t *digest)
{
    return read_digest("SELECT digest FROM insitu.model WHERE name "
                       "OPERATOR(pg_catalog.=) $1",
                       name, digest);
}

static bool
read_dropped_digest(const char *name, uint8_t *digest)
{
    return read_digest("SELECT digest FROM insitu.dropped_model WHERE name "
                       "OPERATOR(pg_catalog.=) $1",
                       name, digest);
}

static bool
is_digest_used(const uint8_t *digest)
{
    return run_with_digest("SELECT 1 FROM insitu.model WHERE digest "
                           "OPERATOR(pg_catalog.=) $1",
                           digest) > 0;
}

/* ---- register ----------------------------------------------------------- */

static void
fail_other_bytes(const char *name, bool dropped)
{
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             dropped ? errmsg("name \"%s\" belonged to another model", name)
                     : errmsg("model \"%s\" exists with other content", name),
             errhint("Choose a new name; an alias can move from one model to "
                     "another. model_drop(name, true, true) frees a name, and "
                     "indexes that used it must then be rebuilt.")));
}

static void
insert_chunks(const new_model *model)
{
    Oid types[] = {BYTEAOID, INT4OID, BYTEAOID};
    Datum values[3];
    SPIPlanPtr plan = SPI_prepare("INSERT INTO insitu.model_chunk (digest, "
                                  "seq, data) VALUES ($1, $2, $3)",
                                  3, types);

    if (plan == NULL)
        elog(ERROR, "SPI_prepare failed");
    values[0] = bytea_datum(model->digest, INS_DIGEST_BYTES);
    for (uint64_t i = 0; i < chunk_count(model->pack_bytes); i++) {
        size_t start = (size_t) i * CHUNK_BYTES;
        size_t size = Min(model->pack_bytes - start, (size_t) CHUNK_BYTES);

        CHECK_FOR_INTERRUPTS();
        values[1] = Int32GetDatum((int32) i);
        values[2] = bytea_datum((const char *) model->pack + start, size);
        if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_INSERT)
            elog(ERROR, "could not store a part of the model");
        pfree(DatumGetPointer(values[2]));
    }
}

static void
insert_model(const new_model *model, Oid creator)
{
    Oid types[] = {TEXTOID, BYTEAOID, INT8OID, TEXTOID, BOOLOID, NAMEOID};
    NameData role;
    Datum values[6];

    namestrcpy(&role, GetUserNameFromId(creator, false));
    values[0] = CStringGetTextDatum(model->name);
    values[1] = bytea_datum(model->digest, INS_DIGEST_BYTES);
    values[2] = Int64GetDatum((int64) model->pack_bytes);
    values[3] = CStringGetTextDatum(model->tasks);
    values[4] = BoolGetDatum(model->restricted);
    values[5] = NameGetDatum(&role);
    (void) run("INSERT INTO insitu.model (name, digest, bytes, tasks, "
               "restricted, created_by) VALUES ($1, $2, $3, $4, $5, $6)",
               6, types, values);
}

static void
add_model(const new_model *model, Oid creator)
{
    uint8_t digest[INS_DIGEST_BYTES];
    char target[MODEL_NAME_BYTES];

    if (read_target(model->name, target))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"%s\" is an alias of model \"%s\"",
                               model->name, target)));
    if (read_model_digest(model->name, digest)) {
        if (memcmp(digest, model->digest, INS_DIGEST_BYTES) != 0)
            fail_other_bytes(model->name, false);
        return;
    }
    if (read_dropped_digest(model->name, digest) &&
        memcmp(digest, model->digest, INS_DIGEST_BYTES) != 0)
        fail_other_bytes(model->name, true);
    (void) run_with_text("DELETE FROM insitu.dropped_model WHERE name "
                         "OPERATOR(pg_catalog.=) $1",
                         model->name);
    if (!is_digest_used(model->digest)) {
        /* What an interrupted restore may have left. */
        (void) run_with_digest("DELETE FROM insitu.model_chunk WHERE digest "
                               "OPERATOR(pg_catalog.=) $1",
                               model->digest);
        insert_chunks(model);
    }
    insert_model(model, creator);
}

void
store_model(const new_model *model)
{
    saved_user writer;

    begin_writing(&writer, "model_register()");
    add_model(model, writer.user);
    end_writing(&writer);
}

/* ---- drop --------------------------------------------------------------- */

/* An alias to nothing would be a trap. */
static void
check_no_alias(const char *name)
{
    if (run_with_text("SELECT alias FROM insitu.alias WHERE name "
                      "OPERATOR(pg_catalog.=) $1",
                      name) > 0)
        ereport(
            ERROR,
            (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
             errmsg("model \"%s\" is the target of alias \"%s\"", name,
                    first_text()),
             errhint("Point the alias to another model with model_alias, or "
                     "drop it with model_drop.")));
}

static void
bury_model(const char *name, const uint8_t *digest)
{
    Oid types[] = {TEXTOID, BYTEAOID};
    Datum values[] = {CStringGetTextDatum(name),
                      bytea_datum(digest, INS_DIGEST_BYTES)};

    (void) run("INSERT INTO insitu.dropped_model (name, digest) "
               "VALUES ($1, $2)",
               2, types, values);
}

static void
delete_model(const char *name, const uint8_t *digest)
{
    check_no_alias(name);
    (void) run_with_text("DELETE FROM insitu.model WHERE name "
                         "OPERATOR(pg_catalog.=) $1",
                         name);
    (void) run_with_text("DELETE FROM insitu.model_grant WHERE name "
                         "OPERATOR(pg_catalog.=) $1",
                         name);
    if (is_digest_used(digest))
        return;
    (void) run_with_digest("DELETE FROM insitu.model_chunk WHERE digest "
                           "OPERATOR(pg_catalog.=) $1",
                           digest);
    remove_file_at_commit(digest);
}

static bool
remove_name(const char *name, bool forget)
{
    uint8_t digest[INS_DIGEST_BYTES];
    bool there;

    if (run_with_text("DELETE FROM insitu.alias WHERE alias "
                      "OPERATOR(pg_catalog.=) $1",
                      name) > 0)
        return true;
    there = read_model_digest(name, digest);
    if (there)
        delete_model(name, digest);
    if (there && !forget)
        bury_model(name, digest);
    if (!there && forget)
        there = run_with_text("DELETE FROM insitu.dropped_model WHERE name "
                              "OPERATOR(pg_catalog.=) $1",
                              name) > 0;
    return there;
}

bool
drop_model(const char *name, bool missing_ok, bool forget)
{
    char path[MAXPGPATH];
    bool dropped = false;
    saved_user writer;

    if (find_bundled_file(name, path))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("\"%s\" ships with insitu and cannot be dropped",
                               name)));
    if (is_model_name(name)) {
        begin_writing(&writer, "model_drop()");
        dropped = remove_name(name, forget);
        end_writing(&writer);
    }
    if (!dropped && !missing_ok)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("model \"%.*s\" does not exist",
                               pg_mbcliplen(name, (int) strlen(name),
                                            MODEL_NAME_BYTES),
                               name)));
    return dropped;
}

/* ---- alias and rights --------------------------------------------------- */

void
set_alias(const char *alias, const char *name)
{
    uint8_t digest[INS_DIGEST_BYTES];
    char path[MAXPGPATH];
    saved_user writer;
    model_identity identity;

    check_new_name("alias", alias);
    begin_writing(&writer, "model_alias()");
    if (read_model_digest(alias, digest))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"%s\" is the name of a model", alias)));
    if (!find_bundled_file(name, path) && !read_model_digest(name, digest)) {
        /* Its error says whether it is an alias or nothing. */
        find_model(name, false, &identity);
        elog(ERROR, "model \"%s\" was dropped meanwhile", name);
    }
    (void) run_with_texts("INSERT INTO insitu.alias AS old (alias, name) "
                          "VALUES ($1, $2) ON CONFLICT (alias) DO UPDATE SET "
                          "name = EXCLUDED.name",
                          alias, name);
    end_writing(&writer);
}

/* Only who made a model decides who else may use it. */
static void
check_ownership(const char *name, Oid user)
{
    Oid creator;

    if (run_with_text("SELECT created_by FROM insitu.model WHERE name "
                      "OPERATOR(pg_catalog.=) $1",
                      name) == 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("model \"%s\" is not in the tables of this "
                               "database",
                               name)));
    creator = get_role_oid(first_text(), true);
    if (!superuser_arg(user) &&
        (!OidIsValid(creator) || !has_privs_of_role(user, creator)))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("must be the creator of model \"%s\"", name)));
}

void
grant_model(const char *name, const char *role)
{
    saved_user writer;

    if (strcmp(role, "public") != 0)
        (void) get_role_oid(role, false);
    begin_writing(&writer, "model_grant()");
    check_ownership(name, writer.user);
    (void) run_with_texts("INSERT INTO insitu.model_grant (name, grantee) "
                          "VALUES ($1, $2::pg_catalog.name) "
                          "ON CONFLICT DO NOTHING",
                          name, role);
    end_writing(&writer);
}

void
revoke_model(const char *name, const char *role)
{
    saved_user writer;

    begin_writing(&writer, "model_revoke()");
    check_ownership(name, writer.user);
    (void) run_with_texts("DELETE FROM insitu.model_grant WHERE name "
                          "OPERATOR(pg_catalog.=) $1 AND grantee "
                          "OPERATOR(pg_catalog.=) $2::pg_catalog.name",
                          name, role);
    end_writing(&writer);
}
