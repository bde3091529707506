/*
 * order.h - sorts numbers by what they stand for.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_ORDER_H
#define INS_ORDER_H

#include "base/memory.h"

/* Is number a before number b? */
typedef bool (*ins_before)(const void *what, uint32_t a, uint32_t b);

/* order: filled with 0 to count - 1, sorted.  Errors: CANCELLED. */
ins_status ins_order(uint32_t *order, uint32_t count, ins_before before,
                     const void *what, const ins_host *host, ins_error *error);
/* Below 0, 0 or above: a before b, equal, behind, by their bytes. */
int ins_text_compare(ins_text a, ins_text b);

#endif
