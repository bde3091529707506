/*
 * models.c - the tiny models of the unit tests, for the programs here.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tiny_model.c"
#include "unit/tiny_table.c"
