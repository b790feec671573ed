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
    uint64_t *slots;   /* open addressing: count << 11 | bucket + 1; 0 empty */
    uint32_t n_slots;  /* power of two, or 0 while all values fell into only_bucket */
    uint16_t n_used;
    uint16_t only_bucket;
};

enum { HISTOGRAM_BUCKET_BITS = 11 };
#define HISTOGRAM_BUCKET_MASK ((UINT64_C(1) << HISTOGRAM_BUCKET_BITS) - 1)

/* The bucket of a value: the position of its highest bit gives the octave, the five bits below it the
 * place inside.
 *
 *   value  1xxxxx.......   octave e, shifted right by e - 5: 32..63
 *   bucket (e - 5) * 32 + that; 1919 for the greatest value, so eleven bits hold any bucket. */
static inline uint32_t histogram_bucket(uint64_t value)
{
    if (value < 64)
        return (uint32_t)value;
    const unsigned shift = 63 - (unsigned)__builtin_clzll(value) - 5;
    return shift * 32 + (uint32_t)(value >> shift);
}

/* Count `n` times `value`. Returns 0 or -ENOMEM (then nothing was counted). */
int histogram_add(struct histogram *histogram, uint64_t value, uint64_t n);

/* Where the search for a bucket begins; n_slots is not 0. As the factor is odd, buckets that follow each
 * other, as lifetimes do, have homes of their own; as it is large, these are apart, so that others which
 * do not fit beside them find room nearby. */
static inline uint32_t histogram_home(uint32_t n_slots, uint32_t bucket)
{
    return bucket * 40503u & (n_slots - 1);
}

/* Count `value`, whose bucket is known, once: the same as histogram_add(), inline where the bucket has
 * been met before, as it nearly always has. One by one, no slot gets to its 2^53. */
static inline int histogram_count(struct histogram *histogram, uint32_t bucket, uint64_t value)
{
    if (histogram->n_slots == 0) {
        if (histogram->only_bucket != bucket)
            return histogram_add(histogram, value, 1);
    } else {
        const uint32_t mask = histogram->n_slots - 1;
        uint32_t at = histogram_home(histogram->n_slots, bucket);
        uint64_t *slot = &histogram->slots[at];
        while ((*slot & HISTOGRAM_BUCKET_MASK) != bucket + 1) {
            if (*slot == 0)
                return histogram_add(histogram, value, 1);
            at = (at + 1) & mask;
            slot = &histogram->slots[at];
        }
        *slot += UINT64_C(1) << HISTOGRAM_BUCKET_BITS;
    }
    histogram->n++;
    if (value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    return 0;
}

/* Count everything that `from` counted. Returns 0 or -ENOMEM. */
int histogram_merge(struct histogram *histogram, const struct histogram *from);

/* The least value v such that a share of at least `percent` / 100 is <= v, as exact as above. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent);

/* The same for a share in thousandths, as the greatest value that its bucket stands for: at least the true
 * one, and at most 1/32 above it. 0 where nothing was counted. */
uint64_t histogram_ceiling(const struct histogram *histogram, unsigned per_mille);

/* How often a value was counted whose bucket begins at `least` or above. */
uint64_t histogram_count_from(const struct histogram *histogram, double least);

/* All of it, each value multiplied by `scale` (ticks to nanoseconds; 1 for sizes). */
struct quantiles histogram_quantiles(const struct histogram *histogram, double scale);

void histogram_fini(struct histogram *histogram);

#endif
