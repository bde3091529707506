/*
 * source_directory.c - reads a Hugging Face directory, or a pack file, whole.
 *
 * The names that are opened come from ins_import_file_names and from the
 * directory's own listing (shards), never from the content of a file.  The one
 * exception is the path of an adapter's base: a directory that is read by the
 * same rules as the adapter's, and whose own files name no other.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "store/source_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "store/system_error.h"

#define READ_BYTES     ((size_t) 1 << 20) /* between two polls */
#define MAX_FILES      320                /* named files and shards */
#define MAX_ENTRIES    100000             /* of the directory's listing */
#define NAME_BYTES     128                /* of a file in the directory */
#define PATH_BYTES     4096
#define SINGLE_WEIGHTS "model.safetensors"
#define OPEN_FLAGS     (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct source_file {
    char name[NAME_BYTES];
    void *data; /* owned; NULL when the file was not read */
    uint64_t size;
};

struct ins_source {
    ins_host host;
    bool is_pack;        /* files[0] is the pack */
    int directory;       /* -1 = closed */
    int root;            /* the directory not to leave, or -1 */
    uint64_t bytes_left; /* of the limit for the sum */
    uint64_t max_bytes;
    size_t file_count;
    char path[PATH_BYTES];
    const char *inside; /* path relative to root */
    const char *prefix; /* of the names in files, not on disk */
    ins_source *base;   /* of an adapter, owned, or NULL */
    struct source_file files[MAX_FILES];
};

/* ---- opening ------------------------------------------------------------ */

/*
 * Opens a path that must stay beneath root.  Kernels before 5.6 lack the call
 * and some sandboxes forbid it; then nothing is opened.
 */
static int
open_beneath(int root, const char *path)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    /* The kernel's own name: glibc before 2.32 has no SYS_openat2. */
    return (int) syscall(__NR_openat2, root, path, &how, sizeof(how));
}

static ins_status
fail_opening(const ins_source *source, int code, const char *path,
             ins_error *error)
{
    if (source->root >= 0 && code == ENOSYS)
        return ins_fail(error, INS_UNSUPPORTED,
                        "this system cannot confine \"%s\" to a directory",
                        ins_shown_path(path));
    if (source->root >= 0 && code == EXDEV)
        return ins_fail(error, INS_PERMISSION,
                        "\"%s\" leads out of the permitted directory",
                        ins_shown_path(path));
    return ins_fail_system(error, code, "open", path);
}

static ins_status
check_regular(const ins_source *source, const struct stat *status,
              const char *path, ins_error *error)
{
    const char *shown = ins_shown_path(path);

    INS_CHECK(S_ISREG(status->st_mode), error, INS_BAD_SOURCE,
              "\"%s\" is not a regular file", shown);
    /* A hard link may bring in any file of the same disk. */
    INS_CHECK(source->root < 0 || status->st_nlink == 1, error, INS_PERMISSION,
              "\"%s\" has more than one hard link", shown);
    INS_CHECK(status->st_size > 0, error, INS_BAD_SOURCE, "\"%s\" is empty",
              shown);
    if ((uint64_t) status->st_size > source->bytes_left) {
        ins_fail(error, INS_LIMIT_EXCEEDED,
                 "\"%s\" exceeds the limit for a model", shown);
        ins_fail_detail(error, "It has %lld bytes; the limit is %llu bytes.",
                        (long long) status->st_size,
                        (unsigned long long) source->max_bytes);
        return INS_LIMIT_EXCEEDED;
    }
    return INS_OK;
}

/* ---- reading ------------------------------------------------------------ */

static ins_status
fail_changed(const char *path, ins_error *error)
{
    return ins_fail(error, INS_BAD_SOURCE,
                    "\"%s\" changed while it was being read",
                    ins_shown_path(path));
}

static bool
is_unchanged(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size &&
           before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

static ins_status
read_bytes(const ins_source *source, int descriptor, struct source_file *file,
           const char *path, ins_error *error)
{
    char *data = file->data;
    uint64_t done = 0;

    while (done < file->size) {
        uint64_t left = file->size - done;
        ssize_t count;

        INS_TRY(ins_poll(&source->host, error));
        count = read(descriptor, data + done,
                     left < READ_BYTES ? (size_t) left : READ_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ins_fail_system(error, errno, "read", path);
        if (count == 0)
            return fail_changed(path, error);
        done += (uint64_t) count;
    }
    return INS_OK;
}

/* Git leaves such a text of 130 bytes where the file should be. */
static bool
is_lfs_pointer(const struct source_file *file)
{
    static const char start[] = "version https://git-lfs.";

    return file->size >= sizeof(start) - 1 && file->size < 1024 &&
           memcmp(file->data, start, sizeof(start) - 1) == 0;
}

/* On failure file->data may be set; ins_source_close releases it. */
static ins_status
read_file(ins_source *source, int descriptor, struct source_file *file,
          const char *path, ins_error *error)
{
    struct stat before;
    struct stat after;

    if (fstat(descriptor, &before) != 0)
        return ins_fail_system(error, errno, "examine", path);
    INS_TRY(check_regular(source, &before, path, error));
    file->size = (uint64_t) before.st_size;
    INS_TRY(ins_alloc(&source->host, file->size, 1, &file->data, error));
    INS_TRY(read_bytes(source, descriptor, file, path, error));
    if (fstat(descriptor, &after) != 0)
        return ins_fail_system(error, errno, "examine", path);
    if (!is_unchanged(&before, &after))
        return fail_changed(path, error);
    if (is_lfs_pointer(file)) {
        ins_fail(error, INS_BAD_SOURCE, "\"%s\" is a Git LFS pointer",
                 ins_shown_path(path));
        ins_fail_hint(error, "Fetch the file itself with git lfs pull.");
        return INS_BAD_SOURCE;
    }
    source->bytes_left -= file->size;
    return INS_OK;
}

/* Weights in formats that can run code: known to be there, never read. */
static bool
is_foreign_format(const char *name)
{
    static const char *const suffixes[] = {".bin", ".pt", ".pth", ".h5",
                                           ".msgpack"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t bytes = strlen(suffixes[i]);

        if (length > bytes && strcmp(name + length - bytes, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static bool
join_path(char path[PATH_BYTES], const char *directory, const char *name)
{
    return ins_format(path, PATH_BYTES, "%s/%s", directory, name) <
           PATH_BYTES - 1;
}

/*
 * Beneath a root each file is resolved from the root, not from the model's
 * directory: the links of a hub cache lead from snapshots/ to blobs/.
 */
static int
open_member(const ins_source *source, const char *name)
{
    char path[PATH_BYTES];

    if (source->root < 0)
        return openat(source->directory, name, OPEN_FLAGS);
    if (!join_path(path, source->inside, name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open_beneath(source->root, path);
}

/* A name that does not exist, as opposed to a link that leads nowhere. */
static bool
is_absent(const ins_source *source, const char *name)
{
    struct stat status;

    return fstatat(source->directory, name, &status, AT_SYMLINK_NOFOLLOW) !=
               0 &&
           (errno == ENOENT || errno == ENOTDIR);
}

/* Reads one file of the directory; a missing one is no failure. */
static ins_status
add_file(ins_source *source, const char *name, ins_error *error)
{
    struct source_file *file = &source->files[source->file_count];
    char path[PATH_BYTES];
    int descriptor;
    ins_status status;

    if (is_absent(source, name))
        return INS_OK;
    INS_CHECK(source->file_count < MAX_FILES &&
                  strlen(source->prefix) + strlen(name) < NAME_BYTES,
              error, INS_LIMIT_EXCEEDED, "\"%s\" has more than %d model files",
              ins_shown_path(source->path), MAX_FILES);
    INS_CHECK(join_path(path, source->path, name), error, INS_BAD_SOURCE,
              "path \"%s\" is too long", ins_shown_path(path));
    ins_format(file->name, NAME_BYTES, "%s%s", source->prefix, name);
    source->file_count++;
    if (is_foreign_format(name))
        return INS_OK;
    descriptor = open_member(source, name);
    if (descriptor < 0)
        return fail_opening(source, errno, path, error);
    status = read_file(source, descriptor, file, path, error);
    close(descriptor);
    return status;
}

static const struct source_file *
find_file(const ins_source *source, const char *name)
{
    size_t skipped = strlen(source->prefix);

    for (size_t i = 0; i < source->file_count; i++)
        if (strcmp(source->files[i].name + skipped, name) == 0)
            return &source->files[i];
    return NULL;
}

static ins_status
add_listed_shards(ins_source *source, DIR *listing, ins_error *error)
{
    for (int i = 0; i < MAX_ENTRIES; i++) {
        struct dirent *entry;

        if (i % 1024 == 0)
            INS_TRY(ins_poll(&source->host, error));
        errno = 0;
        entry = readdir(listing);
        if (entry == NULL && errno != 0)
            return ins_fail_system(error, errno, "list", source->path);
        if (entry == NULL)
            return INS_OK;
        if (ins_import_is_shard(entry->d_name))
            INS_TRY(add_file(source, entry->d_name, error));
    }
    return ins_fail(error, INS_LIMIT_EXCEEDED,
                    "directory \"%s\" has more than %d entries",
                    ins_shown_path(source->path), MAX_ENTRIES);
}

static ins_status
add_shards(ins_source *source, ins_error *error)
{
    int descriptor =
        openat(source->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing;
    ins_status status;

    if (descriptor < 0)
        return ins_fail_system(error, errno, "list", source->path);
    listing = fdopendir(descriptor);
    if (listing == NULL) {
        close(descriptor);
        return ins_fail_no_memory(error, 0);
    }
    status = add_listed_shards(source, listing, error);
    closedir(listing);
    return status;
}

static ins_status
read_directory(ins_source *source, ins_error *error)
{
    for (size_t i = 0; ins_import_file_names[i] != NULL; i++)
        INS_TRY(add_file(source, ins_import_file_names[i], error));
    if (find_file(source, INS_IMPORT_ADAPTER) != NULL)
        return INS_OK;
    if (find_file(source, "config.json") == NULL) {
        ins_fail(error, INS_BAD_SOURCE, "directory \"%s\" has no config.json",
                 ins_shown_path(source->path));
        ins_fail_hint(error, "Name the directory of a Hugging Face model, or "
                             "a pack file.");
        return INS_BAD_SOURCE;
    }
    /* As in the reference library, a single file goes before shards. */
    if (find_file(source, SINGLE_WEIGHTS) != NULL)
        return INS_OK;
    return add_shards(source, error);
}

/* ---- the whole ---------------------------------------------------------- */

/* Makes source->inside: path relative to the root. */
static ins_status
enter_root(ins_source *source, const char *beneath, ins_error *error)
{
    size_t length = strlen(beneath);

    source->inside = source->path;
    if (source->path[0] == '/') {
        while (length > 0 && beneath[length - 1] == '/')
            length--;
        INS_CHECK(strncmp(source->path, beneath, length) == 0 &&
                      source->path[length] == '/',
                  error, INS_PERMISSION,
                  "\"%s\" is not below the permitted directory",
                  ins_shown_path(source->path));
        source->inside += length;
        while (*source->inside == '/')
            source->inside++;
        if (*source->inside == '\0')
            source->inside = ".";
    }
    source->root = open(beneath, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source->root < 0)
        return ins_fail_system(error, errno, "open directory", beneath);
    return INS_OK;
}

/*
 * Takes the descriptor.  A pack file is read at once, so that one descriptor
 * serves the check and the read.
 */
static ins_status
read_path(ins_source *source, int descriptor, ins_error *error)
{
    struct stat status;
    ins_status result;

    if (fstat(descriptor, &status) != 0) {
        result = ins_fail_system(error, errno, "examine", source->path);
    } else if (S_ISDIR(status.st_mode)) {
        source->directory = descriptor;
        return read_directory(source, error);
    } else if (source->prefix[0] != '\0') {
        result = ins_fail(error, INS_BAD_SOURCE,
                          "the base of the adapter, \"%s\", is no directory",
                          ins_shown_path(source->path));
    } else {
        source->is_pack = true;
        source->file_count = 1;
        result = read_file(source, descriptor, &source->files[0], source->path,
                           error);
    }
    close(descriptor);
    return result;
}

static ins_status
open_source(ins_source *source, const char *beneath, ins_error *error)
{
    int descriptor;
    struct stat status;

    if (beneath != NULL) {
        INS_TRY(enter_root(source, beneath, error));
        descriptor = open_beneath(source->root, source->inside);
    } else {
        /* Opening a device may act on it (a tape rewinds); ask first. */
        if (stat(source->path, &status) == 0 && !S_ISREG(status.st_mode) &&
            !S_ISDIR(status.st_mode))
            return check_regular(source, &status, source->path, error);
        descriptor = open(source->path, OPEN_FLAGS);
    }
    if (descriptor < 0)
        return fail_opening(source, errno, source->path, error);
    return read_path(source, descriptor, error);
}

/* ---- the base of an adapter --------------------------------------------- */

static ins_status
make_source(ins_source **source, const char *path, uint64_t max_bytes,
            const ins_host *host, ins_error *error)
{
    void *memory;

    *source = NULL;
    INS_CHECK(path[0] != '\0', error, INS_INVALID_ARGUMENT,
              "the path of a model must not be empty");
    INS_CHECK(strlen(path) < PATH_BYTES, error, INS_INVALID_ARGUMENT,
              "path \"%s\" is too long", ins_shown_path(path));
    INS_TRY(ins_alloc_zeroed(host, 1, sizeof(ins_source), &memory, error));
    *source = memory;
    (*source)->host = *host;
    (*source)->directory = (*source)->root = -1;
    (*source)->max_bytes = (*source)->bytes_left = max_bytes;
    (*source)->prefix = "";
    memcpy((*source)->path, path, strlen(path) + 1);
    return INS_OK;
}

/* Most often the name that a hub has for the model. */
static ins_status
fail_no_base(const char *named, const char *path, ins_error *error)
{
    ins_fail(error, INS_NOT_FOUND,
             "the base of the adapter is not there: \"%s\" is no directory",
             ins_shown_path(named));
    ins_fail_detail(error, "It was looked for as \"%s\".",
                    ins_shown_path(path));
    ins_fail_hint(error, "Bring that model's directory to this machine and "
                         "name it in \"base_model_name_or_path\" of "
                         "" INS_IMPORT_ADAPTER ", absolute or relative to the "
                         "adapter's directory.");
    return INS_NOT_FOUND;
}

/* Reads the directory that an adapter's names, too, within the same limits. */
static ins_status
open_base(ins_source *source, const char *beneath, ins_error *error)
{
    const struct source_file *file = find_file(source, INS_IMPORT_ADAPTER);
    char named[INS_IMPORT_PATH_BYTES];
    char path[PATH_BYTES];
    ins_source_file config;
    ins_status status;
    bool fits;

    if (source->is_pack || file == NULL)
        return INS_OK;
    config = (ins_source_file){file->name, file->data, file->size};
    INS_TRY(ins_import_base_path(&config, &source->host, named, error));
    if (named[0] == '/')
        fits = ins_format(path, PATH_BYTES, "%s", named) < PATH_BYTES - 1;
    else
        fits = join_path(path, source->path, named);
    INS_CHECK(fits, error, INS_BAD_SOURCE, "path \"%s\" is too long",
              ins_shown_path(path));
    INS_TRY(make_source(&source->base, path, source->max_bytes, &source->host,
                        error));
    source->base->bytes_left = source->bytes_left;
    source->base->prefix = INS_IMPORT_BASE;
    status = open_source(source->base, beneath, error);
    /* Not one of its files, which may be a link that leads nowhere. */
    if (status == INS_NOT_FOUND && source->base->directory < 0)
        return fail_no_base(named, path, error);
    return status;
}

/* ---- the whole ----------------------------------------------------------- */

ins_status
ins_source_open(ins_source **source, const char *path, const char *beneath,
                uint64_t max_bytes, const ins_host *host, ins_error *error)
{
    ins_status status;

    INS_TRY(make_source(source, path, max_bytes, host, error));
    status = open_source(*source, beneath, error);
    if (status == INS_OK)
        status = open_base(*source, beneath, error);
    if (status != INS_OK) {
        ins_source_close(*source);
        *source = NULL;
    }
    return status;
}

void
ins_source_close(ins_source *source)
{
    ins_host host;

    if (source == NULL)
        return;
    ins_source_close(source->base);
    host = source->host;
    for (size_t i = 0; i < source->file_count; i++)
        ins_release(&host, source->files[i].data);
    if (source->directory >= 0)
        close(source->directory);
    if (source->root >= 0)
        close(source->root);
    ins_release(&host, source);
}

static ins_status
copy_pack(const ins_source *source, const ins_host *host, void **pack,
          size_t *pack_bytes, ins_error *error)
{
    const struct source_file *file = &source->files[0];

    INS_TRY(ins_pack_check(file->data, (size_t) file->size, host, error));
    INS_TRY(ins_alloc(host, file->size, 1, pack, error));
    memcpy(*pack, file->data, (size_t) file->size);
    *pack_bytes = (size_t) file->size;
    return INS_OK;
}

/* Returns how many files there are now. */
static size_t
list_files(const ins_source *source, ins_source_file *files, size_t count)
{
    for (size_t i = 0; i < source->file_count; i++) {
        files[count].name = source->files[i].name;
        files[count].data = source->files[i].data;
        files[count++].size = source->files[i].size;
    }
    return count;
}

static ins_status
import_files(const ins_source *source, const ins_import_options *options,
             const ins_host *host, void **pack, size_t *pack_bytes,
             ins_error *error)
{
    ins_source_file files[2 * MAX_FILES];
    size_t count = list_files(source, files, 0);

    if (source->base != NULL)
        count = list_files(source->base, files, count);
    return ins_import(files, count, options, host, pack, pack_bytes, error);
}

/* The core knows bytes only; say where they came from. */
static void
name_source(const ins_source *source, ins_error *error)
{
    if (source->base == NULL)
        ins_fail_detail(error, "The source is \"%s\".",
                        ins_shown_path(source->path));
    else
        ins_fail_detail(error, "The source is \"%s\", an adapter of \"%s\".",
                        ins_shown_path(source->path),
                        ins_shown_path(source->base->path));
}

ins_status
ins_source_pack(const ins_source *source, const ins_import_options *options,
                const ins_host *host, void **pack, size_t *pack_bytes,
                ins_error *error)
{
    ins_status status;

    *pack = NULL;
    *pack_bytes = 0;
    if (source->is_pack)
        status = copy_pack(source, host, pack, pack_bytes, error);
    else
        status = import_files(source, options, host, pack, pack_bytes, error);
    if (status != INS_OK && status != INS_CANCELLED && error != NULL &&
        error->detail[0] == '\0')
        name_source(source, error);
    return status;
}
