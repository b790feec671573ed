/* SPDX-License-Identifier: MIT */
/* How counts are kept: a table probed by bucket, of as many slots as buckets that occurred need. */
#include "reader/histogram.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"

enum { BUCKET_BITS = HISTOGRAM_BUCKET_BITS, N_BUCKETS = 1920 };
#define BUCKET_MASK HISTOGRAM_BUCKET_MASK
#define MAX_COUNT   (UINT64_MAX >> BUCKET_BITS)

static uint64_t first_of(unsigned bucket)
{
    if (bucket < 64)
        return bucket;
    const unsigned shift = bucket / 32 - 1;
    return (uint64_t)(bucket - shift * 32) << shift;
}

static uint32_t bucket_of(uint64_t slot)
{
    return (uint32_t)(slot & BUCKET_MASK) - 1;
}

static uint64_t *find(uint64_t *slots, uint32_t n_slots, uint32_t bucket)
{
    uint32_t at = histogram_home(n_slots, bucket);
    while (slots[at] && bucket_of(slots[at]) != bucket)
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static void count(uint64_t *slot, uint32_t bucket, uint64_t n)
{
    const uint64_t sum = add_capped(*slot >> BUCKET_BITS, n);
    *slot = (sum < MAX_COUNT ? sum : MAX_COUNT) << BUCKET_BITS | (bucket + 1);
}

static int grow(struct histogram *histogram)
{
    const uint32_t n_slots = histogram->n_slots ? 2 * histogram->n_slots : 8;
    uint64_t *const slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    if (!histogram->n_slots) {
        count(find(slots, n_slots, histogram->only_bucket), histogram->only_bucket, histogram->n);
        histogram->n_used = 1;
    }
    for (uint32_t i = 0; i < histogram->n_slots; i++)
        if (histogram->slots[i])
            *find(slots, n_slots, bucket_of(histogram->slots[i])) = histogram->slots[i];
    free(histogram->slots);
    histogram->slots = slots;
    histogram->n_slots = n_slots;
    return 0;
}

static int add_to_bucket(struct histogram *histogram, uint32_t bucket, uint64_t n)
{
    if (histogram->n == 0)
        histogram->only_bucket = (uint16_t)bucket;
    if (!histogram->n_slots && bucket == histogram->only_bucket)
        return 0; /* `n` itself is the count */
    if (!histogram->n_slots && grow(histogram))
        return -ENOMEM;
    uint64_t *slot = find(histogram->slots, histogram->n_slots, bucket);
    if (!*slot) {
        if (4 * (histogram->n_used + 1u) > 3 * histogram->n_slots) {
            if (grow(histogram))
                return -ENOMEM;
            slot = find(histogram->slots, histogram->n_slots, bucket);
        }
        histogram->n_used++;
    }
    count(slot, bucket, n);
    return 0;
}

static void widen(struct histogram *histogram, uint64_t min, uint64_t max, uint64_t n)
{
    if (histogram->n == 0 || min < histogram->min)
        histogram->min = min;
    if (histogram->n == 0 || max > histogram->max)
        histogram->max = max;
    histogram->n = add_capped(histogram->n, n);
}

int histogram_add(struct histogram *histogram, uint64_t value, uint64_t n)
{
    if (n == 0)
        return 0;
    const int error = add_to_bucket(histogram, histogram_bucket(value), n);
    if (error == 0)
        widen(histogram, value, value, n);
    return error;
}

int histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    if (from->n == 0)
        return 0;
    int error = 0;
    if (!from->n_slots) {
        if ((error = add_to_bucket(histogram, from->only_bucket, from->n)))
            return error;
        widen(histogram, from->min, from->max, from->n);
        return 0;
    }
    for (uint32_t i = 0; i < from->n_slots; i++) {
        const uint64_t slot = from->slots[i], n = slot >> BUCKET_BITS;
        if (!slot)
            continue;
        if ((error = add_to_bucket(histogram, bucket_of(slot), n)))
            return error;
        widen(histogram, from->min, from->max, n);
    }
    return 0;
}

/* List the slots in the order of their buckets: sorted[0..n). Returns n. Which buckets occur is noted in
 * a bitmap, that gives them in order. */
static unsigned sort_slots(const struct histogram *histogram, uint64_t sorted[N_BUCKETS])
{
    uint64_t present[N_BUCKETS / 64] = {0}, slots[N_BUCKETS];
    unsigned n = 0;
    if (!histogram->n_slots) {
        sorted[0] = 0;
        count(sorted, histogram->only_bucket, histogram->n);
        return 1;
    }
    for (uint32_t i = 0; i < histogram->n_slots; i++) {
        const uint32_t bucket = bucket_of(histogram->slots[i]);
        if (histogram->slots[i] && bucket < N_BUCKETS) {
            present[bucket / 64] |= UINT64_C(1) << bucket % 64;
            slots[bucket] = histogram->slots[i];
        }
    }
    for (unsigned i = 0; i < N_BUCKETS / 64; i++)
        for (uint64_t left = present[i]; left; left &= left - 1)
            sorted[n++] = slots[64 * i + (unsigned)__builtin_ctzll(left)];
    return n;
}

static uint64_t middle_of(unsigned bucket)
{
    return bucket < 64 ? bucket : first_of(bucket) + (UINT64_C(1) << (bucket / 32 - 1)) / 2;
}

static uint64_t quantile(const struct histogram *histogram, const uint64_t *sorted,
                         unsigned n_slots, unsigned percent)
{
    const uint64_t n = histogram->n;
    const uint64_t rank = n / 100 * percent + (n % 100 * percent + 99) / 100;
    uint64_t seen = 0, value = histogram->max;
    for (unsigned i = 0; i < n_slots; i++) {
        seen = add_capped(seen, sorted[i] >> BUCKET_BITS);
        if (seen >= rank) {
            value = middle_of(bucket_of(sorted[i]));
            break;
        }
    }
    if (value < histogram->min)
        return histogram->min;
    return value > histogram->max ? histogram->max : value;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent)
{
    uint64_t sorted[N_BUCKETS];
    return histogram->n ? quantile(histogram, sorted, sort_slots(histogram, sorted), percent) : 0;
}

uint64_t histogram_ceiling(const struct histogram *histogram, unsigned per_mille)
{
    const uint64_t n = histogram->n;
    const uint64_t rank = n / 1000 * per_mille + (n % 1000 * per_mille + 999) / 1000;
    uint64_t sorted[N_BUCKETS], seen = 0;
    const unsigned n_slots = n ? sort_slots(histogram, sorted) : 0;
    for (unsigned i = 0; i < n_slots; i++) {
        const uint32_t bucket = bucket_of(sorted[i]);
        seen = add_capped(seen, sorted[i] >> BUCKET_BITS);
        if (seen >= rank && bucket + 1 < N_BUCKETS && first_of(bucket + 1) <= histogram->max)
            return first_of(bucket + 1) - 1;
        if (seen >= rank)
            break;
    }
    return n ? histogram->max : 0;
}

uint64_t histogram_count_from(const struct histogram *histogram, double least)
{
    uint64_t n = 0;
    if (!histogram->n_slots)
        return (double)first_of(histogram->only_bucket) >= least ? histogram->n : 0;
    for (uint32_t i = 0; i < histogram->n_slots; i++) {
        const uint64_t slot = histogram->slots[i];
        if (slot && (double)first_of(bucket_of(slot)) >= least)
            n = add_capped(n, slot >> BUCKET_BITS);
    }
    return n;
}

static uint64_t scaled(uint64_t value, double scale)
{
    if (scale == 1)
        return value;
    const double product = (double)value * scale + 0.5;
    return product < 0x1p63 ? (uint64_t)product : UINT64_MAX;
}

struct quantiles histogram_quantiles(const struct histogram *histogram, double scale)
{
    uint64_t sorted[N_BUCKETS];
    if (histogram->n == 0)
        return (struct quantiles){0};
    const unsigned n = sort_slots(histogram, sorted);
    return (struct quantiles){.min = scaled(histogram->min, scale),
                              .p50 = scaled(quantile(histogram, sorted, n, 50), scale),
                              .p95 = scaled(quantile(histogram, sorted, n, 95), scale),
                              .p99 = scaled(quantile(histogram, sorted, n, 99), scale),
                              .max = scaled(histogram->max, scale),
                              .n = histogram->n};
}

void histogram_fini(struct histogram *histogram)
{
    free(histogram->slots);
    *histogram = (struct histogram){0};
}
