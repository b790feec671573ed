/* SPDX-License-Identifier: MIT */
/* Which stream comes next: a binary heap of streams by the ticks of what they have next. */
#ifndef HEAPWISE_READER_HEAP_H
#define HEAPWISE_READER_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* places[0] of a heap is before all others; those below places[i] are places[2i + 1] and places[2i + 2]. */
struct place {
    uint64_t ticks;
    uint32_t stream;
};

/* Equal ticks go by stream, so that the same trace always gives the same order. */
static inline bool heap_before(const struct place *a, const struct place *b)
{
    return a->ticks != b->ticks ? a->ticks < b->ticks : a->stream < b->stream;
}

/* Put places[at] in order, which is too late for its place, or as it should be. */
void heap_sink(struct place *places, uint32_t n, uint32_t at);

/* The same for one that is too early. */
void heap_rise(struct place *places, uint32_t at);

/* Sort numbers of places by the streams that are there. For a few. */
void heap_sort_by_stream(const struct place *places, uint32_t *numbers, uint32_t n);

#endif
