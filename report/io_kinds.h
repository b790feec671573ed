/* SPDX-License-Identifier: MIT */
/* The I/O of one place, by kind of call. */
#ifndef HEAPWISE_REPORT_IO_KINDS_H
#define HEAPWISE_REPORT_IO_KINDS_H

#include "reader/profile.h"
#include "report/calltree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More kinds than these at one place are not told apart. */
#define IO_KINDS_MAX 16

/* All sites of one place that make the same call for the same layer. */
struct io_kind {
    const struct io_site *main; /* the first of them */
    size_t n_sites;
    bool one_path;  /* all have main's */
    double seconds; /* counts from here on are sums */
    uint64_t calls, logical_calls, failed, would_block, interrupted, short_calls, empty;
    uint64_t fresh_calls, single_calls, inner_allocs, copied_bytes;
    struct io_pattern pattern;
    /* Of the stacks' quantiles the largest, but for `min`: a bound for those of all calls together. */
    struct quantiles sizes, latency;
    uint64_t size_low, latency_low; /* smallest of their medians */
};

/* Find the kinds of calls that the sites of a range (of io_stacks_of_sites()) make: fills
 * kinds[0..IO_KINDS_MAX), most time first, and returns how many; *more_out counts the calls of others. */
size_t io_kinds_find(const struct profile *profile, const struct calltree_range *range,
                     struct io_kind *kinds, uint64_t *more_out);

#endif
