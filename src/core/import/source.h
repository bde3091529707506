/*
 * source.h - the files that an import was given.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SOURCE_H
#define INS_SOURCE_H

#include "formats/json.h"
#include "insitu_import.h"

#define INS_LEXICAL_FILE "insitu_lexical.json"

typedef struct ins_import_source {
    const ins_source_file *files; /* borrowed */
    size_t count;
    const ins_import_options *options;
    const ins_host *host;
} ins_import_source;

/* Checks every file of the source: names, LFS pointers left by git. */
ins_status ins_import_check_files(const ins_import_source *source,
                                  ins_error *error);

/* The file of that name which has data, or NULL. */
const ins_source_file *ins_import_find(const ins_import_source *source,
                                       const char *name);

/*
 * Parses a JSON file; json->value stays NULL when there is no such file.
 * Close with ins_json_close.
 */
ins_status ins_import_json(const ins_import_source *source, const char *name,
                           ins_json *json, ins_error *error);

/* The same for a file whose top must be an object. */
ins_status ins_import_json_object(const ins_import_source *source,
                                  const char *name, ins_json *json,
                                  ins_error *error);

#endif
