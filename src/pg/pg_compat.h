/*
 * pg_compat.h - PostgreSQL 13 to 18: every test of the version lies here.
 *
 * Include it first in each file of this folder; it includes postgres.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_COMPAT_H
#define PG_COMPAT_H

#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/hsearch.h"

#if PG_VERSION_NUM < 130000
#error "insitu needs PostgreSQL 13 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 140000
#include "catalog/indexing.h" /* ExtensionOidIndexId */
#define ROLE_PG_READ_SERVER_FILES DEFAULT_ROLE_READ_SERVER_FILES
#define ROLE_PG_READ_ALL_STATS    DEFAULT_ROLE_READ_ALL_STATS
#define HASH_STRINGS              0 /* the default kind of key */
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define PG_HAS_NAMED_SEGMENTS 1
#else
#define PG_HAS_NAMED_SEGMENTS 0
#endif

/* Where preloaded libraries ask for shared memory. */
#if PG_VERSION_NUM >= 150000
#define PG_HAS_SHMEM_REQUEST_HOOK 1
#else
#define PG_HAS_SHMEM_REQUEST_HOOK 0
#endif

/* What a ProcessUtility_hook gets and hands on. */
#if PG_VERSION_NUM >= 140000
#define UTILITY_HOOK_PARAMETERS                                  \
    PlannedStmt *statement, const char *sql, bool read_only,     \
        ProcessUtilityContext context, ParamListInfo parameters, \
        QueryEnvironment *environment, DestReceiver *receiver,   \
        QueryCompletion *completion
#define UTILITY_HOOK_ARGUMENTS                                             \
    statement, sql, read_only, context, parameters, environment, receiver, \
        completion
#else
#define UTILITY_HOOK_PARAMETERS                                             \
    PlannedStmt *statement, const char *sql, ProcessUtilityContext context, \
        ParamListInfo parameters, QueryEnvironment *environment,            \
        DestReceiver *receiver, QueryCompletion *completion
#define UTILITY_HOOK_ARGUMENTS \
    statement, sql, context, parameters, environment, receiver, completion
#endif

/* Plan nodes of ours. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
/* Without the entry that stands for GROUP BY. */
#define EXPLAINED_TABLES(es) ((es)->rtable_size)
#else
#define EXPLAINED_TABLES(es) list_length((es)->rtable)
#endif
#if PG_VERSION_NUM >= 150000
#define CUSTOM_SCAN_PROJECTS CUSTOMPATH_SUPPORT_PROJECTION
#else
#define CUSTOM_SCAN_PROJECTS 0
#endif
#if PG_VERSION_NUM >= 140000
#define FORBID_ASYNC(plan) ((plan)->async_capable = false)
#else
#define FORBID_ASYNC(plan) ((void) (plan))
#endif

/* Other directories with extensions, beside the share directory. */
#if PG_VERSION_NUM >= 180000
#define PG_EXTENSION_PATH_SETTING "extension_control_path"
#else
#define PG_EXTENSION_PATH_SETTING NULL
#endif

#endif
