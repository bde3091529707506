/*
 * pg_catalog_change.h - registering, dropping and naming models.
 *
 * All run as the owner of the tables, in the caller's transaction, after
 * taking a lock that lets one transaction at a time change the catalog.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_CATALOG_CHANGE_H
#define PG_CATALOG_CHANGE_H

#include "pg_catalog.h"

typedef struct new_model {
    const char *name;
    const char *tasks;
    const void *pack;
    size_t pack_bytes;
    bool restricted;
    uint8_t digest[INS_DIGEST_BYTES];
} new_model;

/* ERROR unless the name may be given to a model or an alias. */
void check_new_name(const char *what, const char *name);
/* Same name and digest: nothing happens. */
void store_model(const new_model *model);
/* False when it was not there. */
bool drop_model(const char *name, bool missing_ok, bool forget);
void set_alias(const char *alias, const char *name);
void grant_model(const char *name, const char *role);
void revoke_model(const char *name, const char *role);

#endif
