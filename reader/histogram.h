/* SPDX-License-Identifier: MIT */
/* How values are distributed: log-linear buckets, 32 to the octave, kept sparsely.
 *
 * Values below 64 are exact; above, a bucket is 1/32 of its octave wide and answers with its middle,
 * so a quantile is within 1/64 of a value that occurred. The least and the greatest are exact. */
#ifndef HEAPWISE_READER_HISTOGRAM_H
#define HEAPWISE_READER_HISTOGRAM_H

#include <stdint.h>

#include "reader/profile.h"

/* Zero it to begin. Most sites know one size only, so the first bucket needs no table. */
struct histogram {
    uint64_t n;
    uint64_t min, max; /* meaningless while n is 0 */
    uint64_t *slots;   /* open addressing: count << 11 | bucket; 0 empty */
    uint32_t n_slots;  /* power of two, or 0 while all values fell into only_bucket */
    uint16_t n_used;
    uint16_t only_bucket;
};

/* Count `n` times `value`. Returns 0 or -ENOMEM (then nothing was counted). */
int histogram_add(struct histogram *histogram, uint64_t value, uint64_t n);

/* Count everything that `from` counted. Returns 0 or -ENOMEM. */
int histogram_merge(struct histogram *histogram, const struct histogram *from);

/* The least value v such that a share of at least `percent` / 100 is <= v, as exact as above. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent);

/* All of it, each value multiplied by `scale` (ticks to nanoseconds; 1 for sizes). */
struct quantiles histogram_quantiles(const struct histogram *histogram, double scale);

void histogram_fini(struct histogram *histogram);

#endif
