/* SPDX-License-Identifier: MIT */
/* How ranges grow together: a new one swallows all that it meets or touches, which are neighbours in
 * the array. A file read from front to back keeps one range and only moves its end. */
#include "reader/covered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"

/* The first range that ends at `start` or later. */
static uint32_t first_met(const struct covered *covered, uint64_t start)
{
    uint32_t low = 0, high = covered->n;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (covered->ranges[middle].end < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert(struct covered *covered, uint32_t at, const struct covered_range *range)
{
    if (covered->n == COVERED_MAX_RANGES) {
        covered_fini(covered);
        covered->is_unknown = true;
        return 0;
    }
    struct covered_range *const ranges =
        array_room(covered->ranges, covered->n, &covered->capacity, sizeof *ranges);
    if (!ranges)
        return -ENOMEM;
    covered->ranges = ranges;
    memmove(&ranges[at + 1], &ranges[at], (covered->n - at) * sizeof *ranges);
    ranges[at] = *range;
    covered->n++;
    covered->n_bytes += range->end - range->start;
    return 0;
}

/* Make one range of ranges[at..end) and the new one. */
static void join(struct covered *covered, uint32_t at, uint32_t end,
                 const struct covered_range *range)
{
    struct covered_range *const ranges = covered->ranges;
    struct covered_range all = *range;
    for (uint32_t i = at; i < end; i++)
        covered->n_bytes -= ranges[i].end - ranges[i].start;
    if (ranges[at].start < all.start)
        all.start = ranges[at].start;
    if (ranges[end - 1].end > all.end)
        all.end = ranges[end - 1].end;
    memmove(&ranges[at + 1], &ranges[end], (covered->n - end) * sizeof *ranges);
    covered->n -= end - at - 1;
    covered->n_bytes += all.end - all.start;
    ranges[at] = all;
}

int covered_add(struct covered *covered, uint64_t start, uint64_t end)
{
    const struct covered_range range = {.start = start, .end = end};
    if (start >= end || covered->is_unknown)
        return 0;
    const uint32_t at = first_met(covered, start);
    uint32_t behind = at;
    while (behind < covered->n && covered->ranges[behind].start <= end)
        behind++;
    if (at == behind)
        return insert(covered, at, &range);
    join(covered, at, behind, &range);
    return 0;
}

void covered_fini(struct covered *covered)
{
    free(covered->ranges);
    *covered = (struct covered){.n = 0};
}
