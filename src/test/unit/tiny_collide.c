/*
 * tiny_collide.c - texts that hash.h's hash cannot tell apart.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "tiny_collide.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 400000

struct trial {
    uint32_t state;
    uint32_t number;
};

static int
compare(const void *a, const void *b)
{
    const struct trial *first = a;
    const struct trial *second = b;

    if (first->state != second->state)
        return first->state < second->state ? -1 : 1;
    return (first->number > second->number) - (first->number < second->number);
}

/* Different letters for different numbers. */
static void
write_block(uint32_t number, char block[TINY_COLLIDE_BLOCK])
{
    uint64_t bits = number * UINT64_C(0x9E3779B97F4A7C15);

    for (int i = 0; i < TINY_COLLIDE_BLOCK; i++)
        block[i] = (char) ('0' + (bits >> (64 - 6 * (i + 1)) & 63));
}

/* Of 400,000 blocks two give the same state: about eighteen pairs do. */
static uint32_t
find_pair(struct trial *trials, uint32_t state,
          char blocks[2][TINY_COLLIDE_BLOCK])
{
    for (uint32_t i = 0; i < TRIES; i++) {
        char block[TINY_COLLIDE_BLOCK];

        write_block(i, block);
        trials[i] =
            (struct trial){ins_hash_add(state, block, sizeof(block)), i};
    }
    qsort(trials, TRIES, sizeof(trials[0]), compare);
    for (uint32_t i = 1; i < TRIES; i++) {
        if (trials[i].state != trials[i - 1].state)
            continue;
        write_block(trials[i - 1].number, blocks[0]);
        write_block(trials[i].number, blocks[1]);
        return trials[i].state;
    }
    abort();
}

void
tiny_collide(tiny_colliding *colliding)
{
    struct trial *trials = malloc(TRIES * sizeof(*trials));
    uint32_t state = ins_hash_start(0);

    if (trials == NULL)
        abort();
    for (int i = 0; i < TINY_COLLIDE_BITS; i++)
        state = find_pair(trials, state, colliding->blocks[i]);
    free(trials);
}

ins_text
tiny_colliding_text(tiny_colliding *colliding, uint32_t number)
{
    for (int i = 0; i < TINY_COLLIDE_BITS; i++)
        memcpy(colliding->text + i * TINY_COLLIDE_BLOCK,
               colliding->blocks[i][number >> i & 1], TINY_COLLIDE_BLOCK);
    return (ins_text){colliding->text, sizeof(colliding->text)};
}
