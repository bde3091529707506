/*
 * tiny_collide.h - texts that hash.h's hash cannot tell apart.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TINY_COLLIDE_H
#define TINY_COLLIDE_H

#include "base/hash.h"
#include "insitu.h"

#define TINY_COLLIDE_BITS  13
#define TINY_COLLIDE_BLOCK 6 /* bytes */

/* Two blocks for each bit of a number, after which the hash is the same; a text
 * is a block for each bit. */
typedef struct tiny_colliding {
    char blocks[TINY_COLLIDE_BITS][2][TINY_COLLIDE_BLOCK];
    char text[TINY_COLLIDE_BITS * TINY_COLLIDE_BLOCK];
} tiny_colliding;

/* With the seed 0. */
void tiny_collide(tiny_colliding *colliding);
/* number: below 8192.  Good until the next call. */
ins_text tiny_colliding_text(tiny_colliding *colliding, uint32_t number);

#endif
