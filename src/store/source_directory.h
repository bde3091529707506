/*
 * source_directory.h - reads what model_register(name, path) names: a Hugging
 * Face directory, an adapter's directory with its base's, or a pack file.
 *
 * Each file is opened once (O_NONBLOCK, so that a FIFO cannot hang us), must
 * be a regular file, is bounded before it is read and is read into memory:
 * nothing that changes or shrinks afterwards can hurt.  Names found inside
 * files are never opened, but for the directory of an adapter's base, to which
 * all of this applies again.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_SOURCE_DIRECTORY_H
#define INS_SOURCE_DIRECTORY_H

#include "insitu_import.h"

typedef struct ins_source ins_source;

/*
 * max_bytes: limit for the sum of all files.  beneath: NULL, or a directory
 * that path and an adapter's base must not leave, by "..", symbolic links or
 * hard links.
 * Errors: NOT_FOUND, PERMISSION, LIMIT_EXCEEDED, BAD_SOURCE, IO_ERROR,
 * CANCELLED, NO_MEMORY; each names the path.
 */
ins_status ins_source_open(ins_source **source, const char *path,
                           const char *beneath, uint64_t max_bytes,
                           const ins_host *host, ins_error *error);
void ins_source_close(ins_source *source);

/*
 * The pack: imported from the directory, or the pack file itself after
 * ins_pack_check.  *pack: owned by the caller (host->release).
 */
ins_status ins_source_pack(const ins_source *source,
                           const ins_import_options *options,
                           const ins_host *host, void **pack,
                           size_t *pack_bytes, ins_error *error);

#endif
