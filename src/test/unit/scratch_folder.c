/*
 * scratch_folder.c - makes and removes a test's folder.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/scratch_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int
scratch_folder_open(scratch_folder *folder)
{
    tiny_host_open(&folder->memory);
    strcpy(folder->path, "/tmp/insitu-test-XXXXXX");
    return mkdtemp(folder->path) == NULL ? -1 : 0;
}

int
scratch_folder_close(scratch_folder *folder)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder->path);
    if (system(command) != 0)
        return -1;
    assert_int_equal(folder->memory.live_blocks, 0);
    return 0;
}
