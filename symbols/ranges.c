/* SPDX-License-Identifier: MIT */
/* Which range holds an address? Sorted by low end, each with the highest end so far:
 *
 *     outer   |------------------------|        max_high of b = outer.high, so the search goes
 *         a      |--|                           back from b past a until it meets outer, and
 *         b            |-|    ^ address         stops where max_high <= address
 */
#include "ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* A file made to be slow could nest every range in one; real functions hold a few thousand. */
enum { MAX_STEPS_BACK = 1 << 16 };

int ranges_add(struct ranges *ranges, struct range range)
{
    if (range.low >= range.high) {
        return 0;
    }
    if (ranges->n == ranges->capacity) {
        const size_t capacity = ranges->capacity == 0 ? 64 : 2 * ranges->capacity;
        struct range *items = reallocarray(ranges->items, capacity, sizeof *items);
        if (items == NULL) {
            return -ENOMEM;
        }
        ranges->items = items;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->n++] = range;
    return 0;
}

static int by_low(const void *left, const void *right)
{
    const struct range *a = left;
    const struct range *b = right;
    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return (a->depth > b->depth) - (a->depth < b->depth);
}

void ranges_seal(struct ranges *ranges)
{
    if (ranges->n == 0) {
        return;
    }
    qsort(ranges->items, ranges->n, sizeof *ranges->items, by_low);
    uint64_t max_high = 0;
    for (size_t i = 0; i < ranges->n; i++) {
        struct range *range = &ranges->items[i];
        max_high = range->high > max_high ? range->high : max_high;
        range->max_high = max_high;
    }
}

static bool is_closer(const struct range *range, const struct range *best)
{
    if (best == NULL || range->depth != best->depth) {
        return best == NULL || range->depth > best->depth;
    }
    return range->high - range->low < best->high - best->low;
}

uint32_t ranges_find(const struct ranges *ranges, uint64_t address)
{
    size_t begin = 0;
    size_t end = ranges->n; /* items[0..begin) start at or below address, items[end..n) above */
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (ranges->items[middle].low <= address) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    const struct range *best = NULL;
    for (size_t i = begin, steps = 0; i > 0 && steps < MAX_STEPS_BACK; i--, steps++) {
        const struct range *range = &ranges->items[i - 1];
        if (range->max_high <= address) {
            break;
        }
        if (range->high > address && is_closer(range, best)) {
            best = range;
        }
    }
    return best == NULL ? RANGES_NONE : best->value;
}

void ranges_fini(struct ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct ranges){0};
}
