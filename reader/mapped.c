/* SPDX-License-Identifier: MIT */
/* How ranges are kept: a sorted array, neighbours joined, cut in the middle where an unmap says so. */
#include "reader/mapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"

/* The first range that ends behind `address`. */
static uint32_t first_behind(const struct mapped *mapped, uint64_t address)
{
    uint32_t low = 0, high = mapped->n_ranges;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (mapped->ranges[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void remove_ranges(struct mapped *mapped, uint32_t at, uint32_t n)
{
    memmove(&mapped->ranges[at], &mapped->ranges[at + n],
            (mapped->n_ranges - at - n) * sizeof *mapped->ranges);
    mapped->n_ranges -= n;
}

static int insert(struct mapped *mapped, uint32_t at, struct mapped_range range)
{
    if (mapped->n_ranges >= MAPPED_MAX_RANGES)
        return 0;
    struct mapped_range *const ranges =
        array_room(mapped->ranges, mapped->n_ranges, &mapped->capacity, sizeof *ranges);
    if (!ranges)
        return -ENOMEM;
    mapped->ranges = ranges;
    memmove(&ranges[at + 1], &ranges[at], (mapped->n_ranges - at) * sizeof *ranges);
    ranges[at] = range;
    mapped->n_ranges++;
    return 0;
}

static void note_piece(struct mapped_cut *cut, uint64_t start, uint64_t end)
{
    if (cut->n_pieces < MAPPED_MAX_PIECES)
        cut->pieces[cut->n_pieces++] = (struct mapped_range){start, end};
    cut->bytes += end - start;
}

/* Cut [start, end) out of the range at `at`, which overlaps it. Returns whether the range is gone. */
static int cut_range(struct mapped *mapped, uint32_t at, struct mapped_range hole,
                     struct mapped_cut *cut)
{
    struct mapped_range *const range = &mapped->ranges[at];
    const struct mapped_range old = *range;
    const uint64_t start = old.start > hole.start ? old.start : hole.start;
    const uint64_t end = old.end < hole.end ? old.end : hole.end;
    note_piece(cut, start, end);
    mapped->total_bytes -= end - start;
    if (old.start < start && end < old.end) {
        range->end = start;
        const uint32_t n_before = mapped->n_ranges;
        const int error = insert(mapped, at + 1, (struct mapped_range){end, old.end});
        if (mapped->n_ranges == n_before)
            mapped->total_bytes -= old.end - end; /* not followed any more */
        return error;
    }
    if (old.start < start)
        range->end = start;
    else
        range->start = end; /* empty when all of it went; swept by the caller */
    return 0;
}

int mapped_cut(struct mapped *mapped, uint64_t start, uint64_t n_bytes, struct mapped_cut *cut_out)
{
    struct mapped_cut cut = {.n_pieces = 0};
    const struct mapped_range hole = {start, add_capped(start, n_bytes)};
    const uint32_t first = first_behind(mapped, start);
    uint32_t at = first, n_gone = 0;
    while (at < mapped->n_ranges && mapped->ranges[at].start < hole.end && hole.start < hole.end) {
        const int error = cut_range(mapped, at, hole, &cut);
        if (error)
            return error;
        if (mapped->ranges[at].start == mapped->ranges[at].end)
            n_gone++;
        at++;
    }
    /* Ranges that went whole lie side by side, after at most one that lost its end. */
    uint32_t from = first;
    while (n_gone && from < mapped->n_ranges &&
           mapped->ranges[from].start != mapped->ranges[from].end)
        from++;
    if (n_gone)
        remove_ranges(mapped, from, n_gone);
    *cut_out = cut;
    return 0;
}

int mapped_add(struct mapped *mapped, uint64_t start, uint64_t n_bytes)
{
    struct mapped_cut replaced;
    const uint64_t end = add_capped(start, n_bytes);
    int error = mapped_cut(mapped, start, n_bytes, &replaced);
    if (error || start == end)
        return error;
    const uint32_t at = first_behind(mapped, start);
    struct mapped_range *const before = at > 0 ? &mapped->ranges[at - 1] : NULL;
    struct mapped_range *const behind = at < mapped->n_ranges ? &mapped->ranges[at] : NULL;
    const uint64_t n_before = mapped->n_ranges;
    if (before && before->end == start) {
        before->end = end;
        if (behind && behind->start == end) {
            before->end = behind->end;
            remove_ranges(mapped, at, 1);
        }
    } else if (behind && behind->start == end) {
        behind->start = start;
    } else {
        error = insert(mapped, at, (struct mapped_range){start, end});
        if (mapped->n_ranges == n_before)
            return error;
    }
    mapped->total_bytes += end - start;
    return 0;
}

int mapped_restore(struct mapped *mapped, const struct mapped_cut *cut)
{
    int error = 0;
    for (uint32_t i = 0; i < cut->n_pieces && error == 0; i++)
        error = mapped_add(mapped, cut->pieces[i].start, cut->pieces[i].end - cut->pieces[i].start);
    return error;
}

void mapped_fini(struct mapped *mapped)
{
    free(mapped->ranges);
    *mapped = (struct mapped){0};
}
