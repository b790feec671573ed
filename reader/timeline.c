/* SPDX-License-Identifier: MIT */
/* How the width doubles: neighbours are joined in pairs, which frees the upper half. */
#include "reader/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

int timeline_init(struct timeline *timeline, uint64_t start_ticks, uint64_t width_ticks)
{
    *timeline = (struct timeline){.start_ticks = start_ticks,
                                  .width_ticks = width_ticks,
                                  .end_ticks = add_capped(start_ticks, width_ticks),
                                  .n = 1};
    timeline->buckets = calloc(TIMELINE_POINTS, sizeof *timeline->buckets);
    timeline->now = timeline->buckets;
    return timeline->buckets ? 0 : -ENOMEM;
}

static void join_pairs(struct timeline *timeline)
{
    struct timeline_bucket *const buckets = timeline->buckets;
    for (uint32_t i = 0; i < TIMELINE_POINTS; i++) {
        struct timeline_bucket joined = {0};
        for (uint32_t j = 2 * i; j < 2 * i + 2 && j < timeline->n; j++) {
            joined.live_bytes = greater(joined.live_bytes, buckets[j].live_bytes);
            joined.rss_bytes = greater(joined.rss_bytes, buckets[j].rss_bytes);
            joined.alloc_count += buckets[j].alloc_count;
            joined.alloc_bytes = add_capped(joined.alloc_bytes, buckets[j].alloc_bytes);
            joined.read_bytes = add_capped(joined.read_bytes, buckets[j].read_bytes);
            joined.write_bytes = add_capped(joined.write_bytes, buckets[j].write_bytes);
        }
        buckets[i] = joined;
    }
    timeline->n = (timeline->n + 1) / 2;
    timeline->width_ticks = add_capped(timeline->width_ticks, timeline->width_ticks);
}

/* Begin buckets until the one that holds `ticks`; each starts with what the last one left. */
void timeline_begin_buckets(struct timeline *timeline, uint64_t ticks)
{
    if (!timeline->buckets)
        return;
    const uint64_t elapsed = ticks - timeline->start_ticks;
    while (elapsed / timeline->width_ticks >= TIMELINE_POINTS)
        join_pairs(timeline);
    const uint32_t wanted = (uint32_t)(elapsed / timeline->width_ticks) + 1;
    for (; timeline->n < wanted; timeline->n++)
        timeline->buckets[timeline->n] = (struct timeline_bucket){
            .live_bytes = timeline->live_bytes, .rss_bytes = timeline->rss_bytes};
    timeline->now = &timeline->buckets[timeline->n - 1];
    uint64_t length;
    if (__builtin_mul_overflow(timeline->width_ticks, timeline->n, &length))
        length = UINT64_MAX;
    timeline->end_ticks = add_capped(timeline->start_ticks, length);
}

void timeline_set_rss(struct timeline *timeline, uint64_t rss_bytes)
{
    struct timeline_bucket *const bucket = timeline->now;
    timeline->rss_bytes = rss_bytes;
    if (rss_bytes > bucket->rss_bytes)
        bucket->rss_bytes = rss_bytes;
}

void timeline_fini(struct timeline *timeline)
{
    free(timeline->buckets);
    *timeline = (struct timeline){0};
}
