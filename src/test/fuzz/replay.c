/*
 * replay.c - feeds files to one fuzz target without a fuzzer.
 *
 *     replay_fuzz_json corpora/fuzz_json/a corpora/fuzz_json/b ...
 *
 * Prints one TAP line per file.  Each file is copied into a block of exactly
 * its size, so that AddressSanitizer sees a read of one byte too many.  What
 * the target says about the input does not matter: not crashing passes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns the file's bytes, owned by the caller, or NULL. */
static uint8_t *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long length;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t) length;
        data = malloc(*size > 0 ? *size : 1);
        if (data != NULL && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static const char *
base_name(const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++) {
        if (*path == '/')
            name = path + 1;
    }
    return name;
}

int
main(int argument_count, char **arguments)
{
    int failures = 0;

    printf("1..%d\n", argument_count - 1);
    for (int i = 1; i < argument_count; i++) {
        size_t size = 0;
        uint8_t *data = read_file(arguments[i], &size);

        /* A crash must leave the name of its input in the log. */
        printf("# %s\n", base_name(arguments[i]));
        fflush(stdout);
        if (data != NULL)
            LLVMFuzzerTestOneInput(data, size);
        else
            failures++;
        printf("%s %d - %s\n", data != NULL ? "ok" : "not ok", i,
               base_name(arguments[i]));
        free(data);
    }
    return failures > 0;
}
