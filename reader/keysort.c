/* SPDX-License-Identifier: MIT */
/* How keys are sorted: all eight counts of bytes in one pass, then a move per byte that differs. */
#include "reader/keysort.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N_BYTES = sizeof(uint64_t), N_VALUES = 256, FEW = 32 };

static void sort_few(struct keysort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct keysort_item item = items[i];
        size_t at = i;
        for (; at > 0 && items[at - 1].key > item.key; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static uint8_t byte_of(uint64_t key, unsigned byte)
{
    return (uint8_t)(key >> 8 * byte);
}

/* Turn counts into places. Returns whether all items have the same value here. */
static bool find_places(uint32_t counts[N_VALUES], size_t n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < N_VALUES; i++) {
        const uint32_t count = counts[i];
        if (count == n)
            return true;
        counts[i] = sum;
        sum += count;
    }
    return false;
}

int keysort(struct keysort_item *items, size_t n)
{
    uint32_t counts[N_BYTES][N_VALUES] = {0};
    if (n <= FEW) {
        sort_few(items, n);
        return 0;
    }
    struct keysort_item *const other = calloc(n, sizeof *other);
    if (!other)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        for (unsigned byte = 0; byte < N_BYTES; byte++)
            counts[byte][byte_of(items[i].key, byte)]++;
    struct keysort_item *from = items, *to = other;
    for (unsigned byte = 0; byte < N_BYTES; byte++) {
        if (find_places(counts[byte], n))
            continue;
        for (size_t i = 0; i < n; i++)
            to[counts[byte][byte_of(from[i].key, byte)]++] = from[i];
        struct keysort_item *const swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, n * sizeof *items);
    free(other);
    return 0;
}
