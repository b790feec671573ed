/* SPDX-License-Identifier: MIT */
/* The run over time, and its allocations by size. */
#include <errno.h>

#include "reader/analysis.h"

int timeline_analyse(struct analysis *analysis)
{
    const struct timeline *const timeline = &analysis->model->timeline;
    struct timeline_point *const points =
        storage_array(analysis->storage, timeline->n, sizeof *points);
    if (!points)
        return -ENOMEM;
    for (uint32_t i = 0; i < timeline->n; i++) {
        const struct timeline_bucket *const bucket = &timeline->buckets[i];
        points[i] =
            (struct timeline_point){.t_seconds = (double)(i + 1) * (double)timeline->width_ticks *
                                                 analysis->ns_per_tick / 1e9,
                                    .live_bytes = bucket->live_bytes,
                                    .alloc_count = bucket->alloc_count,
                                    .alloc_bytes = bucket->alloc_bytes,
                                    .rss_bytes = bucket->rss_bytes,
                                    .io_read_bytes = bucket->read_bytes,
                                    .io_write_bytes = bucket->write_bytes};
    }
    analysis->profile->timeline = points;
    analysis->profile->n_timeline = timeline->n;
    return 0;
}

int sizes_analyse(struct analysis *analysis)
{
    const struct model_octave *const octaves = analysis->model->octaves;
    struct size_bucket *const buckets =
        storage_array(analysis->storage, MODEL_N_OCTAVES, sizeof *buckets);
    if (!buckets)
        return -ENOMEM;
    size_t n = 0;
    for (uint32_t i = 0; i < MODEL_N_OCTAVES; i++) {
        if (octaves[i].alloc_count == 0 && octaves[i].alloc_bytes == 0)
            continue;
        buckets[n++] = (struct size_bucket){
            .lower_bytes = i ? UINT64_C(1) << (i - 1) : 0,
            .upper_bytes = i ? (UINT64_C(1) << i) - 1 : 0,
            .alloc_count = octaves[i].alloc_count,
            .alloc_bytes = octaves[i].alloc_bytes,
            .temporary_count = octaves[i].temporary_count,
            .lifetime_ns = histogram_quantiles(&octaves[i].lifetime_ticks, analysis->ns_per_tick)};
    }
    analysis->profile->size_buckets = buckets;
    analysis->profile->n_size_buckets = n;
    return 0;
}
