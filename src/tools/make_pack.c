/*
 * make_pack.c - make_pack SOURCE_DIR OUTPUT_FILE [OPTIONS]: a Hugging Face
 * directory to a pack file, as model_register does it; OPTIONS is the JSON
 * object that SQL takes.  Used at build time for the model that ships.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insitu_import.h"
#include "store/source_directory.h"

#define MAX_SOURCE_BYTES ((uint64_t) 4 << 30)

static void *
allocate(void *user, size_t size)
{
    (void) user;
    return malloc(size);
}

static void
release(void *user, void *memory)
{
    (void) user;
    free(memory);
}

static void
print_error(const char *path, const ins_error *error)
{
    fprintf(stderr, "make_pack: %s: %s\n", path, error->message);
    if (error->detail[0] != '\0')
        fprintf(stderr, "%s\n", error->detail);
    if (error->hint[0] != '\0')
        fprintf(stderr, "Hint: %s\n", error->hint);
}

/* Writes beside the target and renames, so that a half file is never seen. */
static int
write_file(const char *path, const void *bytes, size_t size)
{
    char temporary[4096];
    FILE *file;
    int length = snprintf(temporary, sizeof(temporary), "%s.new", path);
    int failed;

    if (length < 0 || (size_t) length >= sizeof(temporary))
        return 1;
    file = fopen(temporary, "wb");
    if (file == NULL) {
        perror(temporary);
        return 1;
    }
    failed = fwrite(bytes, 1, size, file) != size;
    failed |= fclose(file) != 0;
    if (!failed)
        failed = rename(temporary, path) != 0;
    if (failed) {
        perror(temporary);
        remove(temporary);
    }
    return failed;
}

static void
print_digest(const void *pack, size_t size, const ins_host *host)
{
    uint8_t digest[INS_DIGEST_BYTES];

    if (ins_digest_of(pack, size, host, digest, NULL) != INS_OK)
        return;
    for (size_t i = 0; i < sizeof(digest); i++)
        printf("%02x", digest[i]);
    printf("  %zu bytes\n", size);
}

int
main(int argc, char **argv)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    const ins_host host = {.alloc = allocate, .release = release};
    ins_source *source = NULL;
    ins_error error = {.status = INS_OK};
    void *pack = NULL;
    size_t size = 0;
    int failed = 1;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: make_pack SOURCE_DIR OUTPUT_FILE "
                        "[OPTIONS]\n");
        return 2;
    }
    if (argc == 4 &&
        ins_import_options_parse(&options, (ins_text){argv[3], strlen(argv[3])},
                                 &error) != INS_OK) {
        print_error("options", &error);
        return 2;
    }
    if (ins_source_open(&source, argv[1], NULL, MAX_SOURCE_BYTES, &host,
                        &error) != INS_OK ||
        ins_source_pack(source, &options, &host, &pack, &size, &error) !=
            INS_OK) {
        print_error(argv[1], &error);
    } else {
        failed = write_file(argv[2], pack, size);
        if (!failed)
            print_digest(pack, size, &host);
    }
    ins_source_close(source);
    free(pack);
    return failed;
}
