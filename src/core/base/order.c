/*
 * order.c - sorts numbers by what they stand for.
 *
 * Heapsort: libc's qsort allocates.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/order.h"

#include <string.h>

/* Steps between two looks at the host, each of at most 40 comparisons. */
#define POLL_STEPS 1024

typedef struct number_heap {
    uint32_t *order;
    ins_before before;
    const void *what;
} number_heap;

static void
sift_down(const number_heap *heap, uint32_t root, uint32_t count)
{
    uint32_t *order = heap->order;

    for (;;) {
        uint32_t child = 2 * root + 1;
        uint32_t moved = order[root];

        if (child >= count)
            return;
        if (child + 1 < count &&
            heap->before(heap->what, order[child], order[child + 1]))
            child++;
        if (!heap->before(heap->what, moved, order[child]))
            return;
        order[root] = order[child];
        order[child] = moved;
        root = child;
    }
}

ins_status
ins_order(uint32_t *order, uint32_t count, ins_before before, const void *what,
          const ins_host *host, ins_error *error)
{
    number_heap heap = {order, before, what};

    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t root = count / 2; root > 0; root--) {
        if (root % POLL_STEPS == 0)
            INS_TRY(ins_poll(host, error));
        sift_down(&heap, root - 1, count);
    }
    for (uint32_t last = count; last > 1; last--) {
        uint32_t largest = order[0];

        if (last % POLL_STEPS == 0)
            INS_TRY(ins_poll(host, error));
        order[0] = order[last - 1];
        order[last - 1] = largest;
        sift_down(&heap, 0, last - 1);
    }
    return INS_OK;
}

int
ins_text_compare(ins_text a, ins_text b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}
