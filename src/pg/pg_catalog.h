/*
 * pg_catalog.h - the tables of schema insitu, and the bundled models.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_CATALOG_H
#define PG_CATALOG_H

#include "insitu_import.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "store/digest_text.h"

#define MODEL_NAME_BYTES 64 /* with the NUL */
#define CHUNK_BYTES      (1 << 20)
#define MAX_MODEL_BYTES  ((uint64_t) 2 << 30)

/* What the catalog knows about a model before it is loaded. */
typedef struct model_identity {
    char name[MODEL_NAME_BYTES];
    uint8_t digest[INS_DIGEST_BYTES]; /* zeros when bundled */
    uint64_t bytes;
    bool bundled;    /* a file of the share directory, no row */
    bool restricted; /* for its creator and grantees only */
    char created_by[NAMEDATALEN];
} model_identity;

/* Columns in the order of 10-tables.sql. */
enum model_column {
    MODEL_NAME = 1,
    MODEL_DIGEST,
    MODEL_BYTES,
    MODEL_TASKS,
    MODEL_RESTRICTED,
    MODEL_CREATED_BY,
    MODEL_CREATED_AT
};
enum chunk_column { CHUNK_DIGEST = 1, CHUNK_SEQ, CHUNK_DATA };
enum alias_column { ALIAS_ALIAS = 1, ALIAS_NAME };
enum grant_column { GRANT_NAME = 1, GRANT_GRANTEE };

typedef enum catalog_table {
    TABLE_MODEL,
    TABLE_CHUNK,
    TABLE_ALIAS,
    TABLE_GRANT,
    TABLE_COUNT
} catalog_table;

bool is_model_name(const char *name);
uint64_t chunk_count(uint64_t bytes);

/* Registers the invalidation callback. */
void watch_catalog(void);
/*
 * Changes when a model, an alias or a grant may have changed, or when a loaded
 * model was unmapped: what was looked up under another generation must be
 * looked up again.
 */
uint64_t catalog_generation(void);
/* Counts the first kind of reason only. */
uint64_t catalog_changes(void);
void advance_generation(void);

/* Opens a table of ours, and its primary key when index is not NULL, with
 * AccessShareLock.  ERROR when the extension is not installed. */
Relation open_catalog(catalog_table table, Relation *index);
Oid catalog_owner(void);
/* The snapshot of the running query; NULL means the latest. */
Snapshot query_snapshot(void);

/*
 * Finds a model under the query's snapshot.  allow_alias: follow an alias;
 * otherwise an alias is an ERROR, because f(input, model) must never change
 * its meaning.  A name that is not there is an ERROR.
 */
void find_model(const char *name, bool allow_alias, model_identity *identity);
/* True when a model with this digest is there; snapshot NULL = the latest. */
bool is_digest_registered(const uint8_t *digest, Snapshot snapshot);
/* ERROR unless the current user may use the model. */
void check_use_right(const model_identity *identity);

/* ---- pg_bundled.c: packs of the share directory ------------------------- */

/* Fills path when SHAREDIR/insitu/NAME.pack is there. */
bool find_bundled_file(const char *name, char path[MAXPGPATH]);
/* SHA-256 of the file, computed once per backend. */
void bundled_digest(const char *name, uint8_t digest[INS_DIGEST_BYTES]);
/* Names of all bundled models, as a List of char *. */
struct List *bundled_names(void);

#endif
