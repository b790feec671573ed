/* SPDX-License-Identifier: MIT */
/* Which sizes are asked for? A histogram over powers of two. */
#include "report/sections.h"

#include <inttypes.h>
#include <stdio.h>

static void add_columns(struct view *view)
{
    view_column(view, "size", "bytes", UNIT_COUNT);
    view_column(view, "alloc_count", "calls", UNIT_COUNT);
    view_column(view, "share", "share", UNIT_SHARE);
    view_column(view, "alloc_bytes", "requested", UNIT_BYTES);
    view_column(view, "temporary_count", "temporary", UNIT_COUNT);
    view_column(view, "lifetime_p50", "lives p50", UNIT_NS);
    view_column(view, "bar", "share of calls", UNIT_BAR);
}

static void add_range(struct view *view, const struct size_bucket *bucket)
{
    char range[48];
    if (bucket->lower_bytes == bucket->upper_bytes)
        snprintf(range, sizeof range, "%" PRIu64, bucket->lower_bytes);
    else
        snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, bucket->lower_bytes,
                 bucket->upper_bytes);
    view_text(view, range);
}

static void add_bucket(struct view *view, const struct size_bucket *bucket, double calls)
{
    const double share = view_share((double)bucket->alloc_count, calls);
    view_row(view, VIEW_ROW_PLAIN, 0, false);
    add_range(view, bucket);
    view_integer(view, UNIT_COUNT, bucket->alloc_count);
    view_real(view, UNIT_SHARE, share);
    view_integer(view, UNIT_BYTES, bucket->alloc_bytes);
    view_integer(view, UNIT_COUNT, bucket->temporary_count);
    if (bucket->lifetime_ns.n > 0)
        view_integer(view, UNIT_NS, bucket->lifetime_ns.p50);
    else
        view_skip(view);
    view_real(view, UNIT_BAR, share);
}

int view_sizes(const struct profile *profile, const struct report_options *options,
               struct view *view_out)
{
    (void)options;
    view_init(view_out, "sizes", "SIZES", "requested sizes of all allocations");
    double calls = 0;
    for (size_t i = 0; i < profile->n_size_buckets; i++)
        calls += (double)profile->size_buckets[i].alloc_count;
    if (calls <= 0) {
        view_note(view_out, "no allocation was recorded");
        return 0;
    }
    add_columns(view_out);
    for (size_t i = 0; i < profile->n_size_buckets; i++)
        if (profile->size_buckets[i].alloc_count > 0)
            add_bucket(view_out, &profile->size_buckets[i], calls);
    const struct quantiles *q = &profile->sizes;
    if (q->n > 0)
        view_note(view_out,
                  "median %" PRIu64 " bytes, 95 %% up to %" PRIu64 ", 99 %% up to %" PRIu64
                  ", largest %" PRIu64,
                  q->p50, q->p95, q->p99, q->max);
    return 0;
}
