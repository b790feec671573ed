/* SPDX-License-Identifier: MIT */
/* What happened when: at most TIMELINE_POINTS buckets of equal width, which doubles when they are
 * used up. Times are ticks; the width a bucket begins with is given by the caller. */
#ifndef HEAPWISE_READER_TIMELINE_H
#define HEAPWISE_READER_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "reader/array.h"

enum { TIMELINE_POINTS = 1000 };

struct timeline_bucket {
    uint64_t live_bytes; /* highest */
    uint64_t rss_bytes;  /* highest */
    uint64_t alloc_count, alloc_bytes;
    uint64_t read_bytes, write_bytes;
};

struct timeline {
    struct timeline_bucket *buckets; /* TIMELINE_POINTS of them */
    struct timeline_bucket *now;     /* the one in use */
    uint64_t start_ticks, width_ticks;
    uint64_t end_ticks;             /* of the bucket in use: the fast path's one comparison */
    uint32_t n;                     /* buckets in use */
    uint64_t live_bytes, rss_bytes; /* now */
};

/* Begin. Returns 0 or -ENOMEM. width_ticks is not 0. */
int timeline_init(struct timeline *timeline, uint64_t start_ticks, uint64_t width_ticks);

/* Time is `ticks` now (earlier than before counts as before): begin the buckets up to there. */
void timeline_begin_buckets(struct timeline *timeline, uint64_t ticks);
static inline void timeline_advance(struct timeline *timeline, uint64_t ticks)
{
    if (ticks >= timeline->end_ticks)
        timeline_begin_buckets(timeline, ticks);
}

/* At the present time: live bytes grow, shrink; set resident bytes, count an allocation, a transfer. */
static inline void timeline_gain(struct timeline *timeline, uint64_t n_bytes)
{
    struct timeline_bucket *const bucket = timeline->now;
    timeline->live_bytes = add_capped(timeline->live_bytes, n_bytes);
    if (timeline->live_bytes > bucket->live_bytes)
        bucket->live_bytes = timeline->live_bytes;
}
static inline void timeline_drop(struct timeline *timeline, uint64_t n_bytes)
{
    timeline->live_bytes = subtract_floored(timeline->live_bytes, n_bytes);
}
void timeline_set_rss(struct timeline *timeline, uint64_t rss_bytes);
static inline void timeline_count(struct timeline *timeline, uint64_t alloc_count,
                                  uint64_t alloc_bytes)
{
    struct timeline_bucket *const bucket = timeline->now;
    bucket->alloc_count += alloc_count;
    bucket->alloc_bytes = add_capped(bucket->alloc_bytes, alloc_bytes);
}

static inline void timeline_count_io(struct timeline *timeline, uint64_t read_bytes,
                                     uint64_t write_bytes)
{
    struct timeline_bucket *const bucket = &timeline->buckets[timeline->n - 1];
    bucket->read_bytes = add_capped(bucket->read_bytes, read_bytes);
    bucket->write_bytes = add_capped(bucket->write_bytes, write_bytes);
}

void timeline_fini(struct timeline *timeline);

#endif
