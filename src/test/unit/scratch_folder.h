/*
 * scratch_folder.h - a folder of its own for each test that needs files, and a
 * host that counts what the test allocates.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SCRATCH_FOLDER_H
#define SCRATCH_FOLDER_H

#include "unit/tiny_model.h"

typedef struct scratch_folder {
    char path[64];
    tiny_host memory;
} scratch_folder;

/* For the set-up and tear-down of cmocka: 0, or -1 where /tmp cannot be
 * used.  Closing checks that nothing is left allocated and removes the folder
 * with all that lies in it. */
int scratch_folder_open(scratch_folder *folder);
int scratch_folder_close(scratch_folder *folder);

#endif
