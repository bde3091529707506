/*
 * pg_bundled.c - models that are files of the share directory.
 *
 * SHAREDIR/insitu/NAME.pack is mapped directly; there is no row.  The
 * directory belongs to whoever installs software on the machine.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg_catalog.h"
#include "pg_error.h"
#include "pg_host.h"
#include "store/cache_file.h"

#define SUFFIX ".pack"

/* What is known of a bundled file; a backend never forgets it. */
typedef struct bundled_file {
    struct bundled_file *next;
    char name[MODEL_NAME_BYTES];
    bool has_digest;
    uint8_t digest[INS_DIGEST_BYTES];
    char path[MAXPGPATH];
} bundled_file;

static bundled_file *known_files;

/* ---- the directories ---------------------------------------------------- */

/*
 * Directories that may hold bundled packs, as a List of char *.  Debian's
 * setting extension_destdir puts a staged installation before the real one;
 * PostgreSQL 18 has a search path for extensions.
 */
static List *
bundled_directories(void)
{
    char share[MAXPGPATH];
    const char *staged = GetConfigOption("extension_destdir", true, false);
    const char *path =
        PG_EXTENSION_PATH_SETTING == NULL
            ? NULL
            : GetConfigOption(PG_EXTENSION_PATH_SETTING, true, false);
    List *directories = NIL;

    get_share_path(my_exec_path, share);
    if (staged != NULL && staged[0] != '\0')
        directories =
            lappend(directories, psprintf("%s%s/insitu", staged, share));
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");

        if (length > 0 && path[0] == '/')
            directories = lappend(directories,
                                  psprintf("%.*s/insitu", (int) length, path));
        path += length + (path[length] == ':');
    }
    return lappend(directories, psprintf("%s/insitu", share));
}

static bool
search_file(const char *name, char path[MAXPGPATH])
{
    List *directories = bundled_directories();
    ListCell *cell;

    foreach (cell, directories) {
        struct stat status;

        if (snprintf(path, MAXPGPATH, "%s/%s" SUFFIX,
                     (const char *) lfirst(cell), name) < MAXPGPATH &&
            stat(path, &status) == 0 && S_ISREG(status.st_mode))
            return true;
    }
    return false;
}

static bundled_file *
find_file(const char *name)
{
    char path[MAXPGPATH];
    bundled_file *file;

    for (file = known_files; file != NULL; file = file->next)
        if (strcmp(file->name, name) == 0)
            return file;
    if (!is_model_name(name) || !search_file(name, path))
        return NULL;
    file = MemoryContextAllocZero(TopMemoryContext, sizeof(*file));
    strlcpy(file->name, name, MODEL_NAME_BYTES);
    strlcpy(file->path, path, MAXPGPATH);
    file->next = known_files;
    known_files = file;
    return file;
}

bool
find_bundled_file(const char *name, char path[MAXPGPATH])
{
    bundled_file *file = find_file(name);

    if (file != NULL)
        strlcpy(path, file->path, MAXPGPATH);
    return file != NULL;
}

/* ---- digest and list ---------------------------------------------------- */

void
bundled_digest(const char *name, uint8_t digest[INS_DIGEST_BYTES])
{
    bundled_file *file = find_file(name);
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    ins_mapping mapping;
    ins_status status;
    ins_error error;

    memset(digest, 0, INS_DIGEST_BYTES);
    if (file == NULL)
        return;
    if (!file->has_digest) {
        check_status(
            ins_file_map(&mapping, file->path, MAX_MODEL_BYTES, &error),
            &error);
        status = ins_digest_of(mapping.data, mapping.size, &host, file->digest,
                               &error);
        ins_mapping_close(&mapping);
        check_status(status, &error);
        file->has_digest = true;
    }
    memcpy(digest, file->digest, INS_DIGEST_BYTES);
}

static bool
has_name(List *names, const char *name)
{
    ListCell *cell;

    foreach (cell, names)
        if (strcmp(lfirst(cell), name) == 0)
            return true;
    return false;
}

List *
bundled_names(void)
{
    List *directories = bundled_directories();
    List *names = NIL;
    ListCell *cell;

    foreach (cell, directories) {
        const char *path = lfirst(cell);
        DIR *directory = AllocateDir(path);
        struct dirent *entry;

        while (directory != NULL &&
               (entry = ReadDirExtended(directory, path, LOG)) != NULL) {
            size_t length = strlen(entry->d_name);
            char *name;

            if (length <= strlen(SUFFIX) ||
                strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
                continue;
            name = pnstrdup(entry->d_name, length - strlen(SUFFIX));
            if (find_file(name) != NULL && !has_name(names, name))
                names = lappend(names, name);
        }
        if (directory != NULL)
            FreeDir(directory);
    }
    return names;
}
