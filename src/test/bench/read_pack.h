/*
 * read_pack.h - the whole of a pack in memory, for the programs that measure.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef READ_PACK_H
#define READ_PACK_H

#include <stdio.h>
#include <stdlib.h>

/* From malloc, aligned as packs have to be; ends the program when it fails. */
static inline void *
read_pack(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    void *bytes = NULL;
    long end = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        end = ftell(file);
    if (end > 0)
        bytes = aligned_alloc(64, ((size_t) end + 63) / 64 * 64);
    if (bytes != NULL) {
        rewind(file);
        *size = fread(bytes, 1, (size_t) end, file);
    }
    if (bytes == NULL || *size != (size_t) end) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return bytes;
}

#endif
