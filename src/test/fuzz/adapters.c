/*
 * adapters.c - the tiny adapters of the unit tests, for the programs here.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tiny_adapter.c"
