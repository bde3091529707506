/*
 * one_file.h - any bytes as one file of an otherwise good model.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ONE_FILE_H
#define ONE_FILE_H

#include "unit/tiny_model.h"

/* Imports model with the bytes in the place of the file of that name: what is
 * accepted makes a pack that passes every check, what is not says why. */
void fuzz_one_file(const tiny_model *model, const char *name,
                   const uint8_t *data, size_t size);

#endif
