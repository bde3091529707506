/*
 * pg_import.c - model_register(): a directory, a file or a pack to rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "insitu_import.h"
#include "pg_catalog_change.h"
#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"
#include "pg_settings.h"
#include "store/source_directory.h"

/* ---- what is registered ------------------------------------------------- */

/*
 * The directory that path must stay beneath, or NULL for members of
 * pg_read_server_files, who may read every file of the server anyway.
 */
static const char *
allowed_root(void)
{
    if (has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
        return NULL;
    if (setting_model_path == NULL || setting_model_path[0] == '\0')
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to read a model from a directory"),
             errhint("Members of pg_read_server_files may, and others beneath "
                     "insitu.model_path when a superuser has set it; "
                     "model_register(name, bytea) needs no such right.")));
    return setting_model_path;
}

static void
pack_from_path(const char *path, const ins_import_options *options,
               const ins_host *host, void **pack, size_t *size)
{
    ins_source *source;
    ins_error error;
    ins_status status;

    check_status(ins_source_open(&source, path, allowed_root(), MAX_MODEL_BYTES,
                                 host, &error),
                 &error);
    status = ins_source_pack(source, options, host, pack, size, &error);
    ins_source_close(source);
    check_status(status, &error);
}

/* The tasks of a pack that was checked. */
static char *
read_tasks(const void *pack, size_t size, const ins_host *host)
{
    ins_model *model;
    ins_error error;
    char *tasks;

    check_status(ins_model_open(&model, pack, size, host, &error), &error);
    tasks = pstrdup(ins_model_tasks(model));
    ins_model_close(model);
    return tasks;
}

static Datum
store_pack(const char *name, const void *pack, size_t size, bool restricted,
           const ins_host *host)
{
    new_model model = {
        .name = name,
        .pack = pack,
        .pack_bytes = size,
        .restricted = restricted,
    };
    char digest[INS_DIGEST_CHARS];
    ins_error error;

    model.tasks = read_tasks(pack, size, host);
    check_status(ins_digest_of(pack, size, host, model.digest, &error), &error);
    store_model(&model);
    ins_digest_text(digest, model.digest);
    return CStringGetTextDatum(digest);
}

/* ---- SQL functions ------------------------------------------------------ */

/* Everything of a registration is freed with this context, also by ERROR. */
static MemoryContext
begin_registration(const char *name, const char **copy)
{
    MemoryContext context;

    check_new_name("model name", name);
    PreventCommandIfReadOnly("model_register()");
    context = AllocSetContextCreate(CurrentMemoryContext, "insitu import",
                                    ALLOCSET_DEFAULT_SIZES);
    *copy = MemoryContextStrdup(context, name);
    return context;
}

PG_FUNCTION_INFO_V1(insitu_model_register);

Datum
insitu_model_register(PG_FUNCTION_ARGS)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    const char *name;
    MemoryContext context =
        begin_registration(text_to_cstring(PG_GETARG_TEXT_PP(0)), &name);
    ins_host host = host_to_the_end_in(context);
    char *path = text_to_cstring(PG_GETARG_TEXT_PP(1));
    ins_error error;
    void *pack;
    size_t size;
    Datum digest;

    if (PG_NARGS() > 2) {
        Jsonb *jsonb = PG_GETARG_JSONB_P(2);

        check_status(
            ins_import_options_parse(&options, json_text(jsonb), &error),
            &error);
    }
    pack_from_path(path, &options, &host, &pack, &size);
    digest = store_pack(name, pack, size, options.restricted, &host);
    MemoryContextDelete(context);
    PG_RETURN_DATUM(digest);
}

PG_FUNCTION_INFO_V1(insitu_model_register_pack);

Datum
insitu_model_register_pack(PG_FUNCTION_ARGS)
{
    const char *name;
    MemoryContext context =
        begin_registration(text_to_cstring(PG_GETARG_TEXT_PP(0)), &name);
    ins_host host = host_to_the_end_in(context);
    bytea *value = PG_GETARG_BYTEA_PP(1);
    size_t size = VARSIZE_ANY_EXHDR(value);
    ins_error error;
    Datum digest;
    /* The value need not be aligned as a pack must be. */
    void *pack = MemoryContextAllocHuge(context, size + 1);

    memcpy(pack, VARDATA_ANY(value), size);
    check_status(ins_pack_check(pack, size, &host, &error), &error);
    digest = store_pack(name, pack, size, false, &host);
    MemoryContextDelete(context);
    PG_RETURN_DATUM(digest);
}
