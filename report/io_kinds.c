/* SPDX-License-Identifier: MIT */
/* Which kernel calls does a place make, and what do its stacks' figures add up to? */
#include "report/io_kinds.h"

#include "report/io_stacks.h"

#include <stdlib.h>
#include <string.h>

/* Sums saturate: a damaged trace must not make large counts small. */
static void sum(uint64_t *total, uint64_t n)
{
    if (__builtin_add_overflow(*total, n, total))
        *total = UINT64_MAX;
}

static void join(struct quantiles *all, uint64_t *low, const struct quantiles *one)
{
    if (one->n == 0)
        return;
    const bool first = all->n == 0;
    *low = first || one->p50 < *low ? one->p50 : *low;
    all->min = first || one->min < all->min ? one->min : all->min;
    all->p50 = one->p50 > all->p50 ? one->p50 : all->p50;
    all->p99 = one->p99 > all->p99 ? one->p99 : all->p99;
    all->max = one->max > all->max ? one->max : all->max;
    sum(&all->n, one->n);
}

static void sum_site(struct io_kind *kind, const struct io_site *site)
{
    if (kind->n_sites == 0) {
        *kind = (struct io_kind){.main = site, .one_path = site->n_files == 1};
    } else {
        kind->one_path &= strcmp(kind->main->path, site->path) == 0;
    }
    kind->n_sites++;
    kind->seconds += site->seconds;
    join(&kind->sizes, &kind->size_low, &site->sizes);
    join(&kind->latency, &kind->latency_low, &site->latency_ns);
    sum(&kind->calls, site->calls);
    sum(&kind->logical_calls, site->logical_calls);
    sum(&kind->failed, site->failed);
    sum(&kind->would_block, site->would_block);
    sum(&kind->interrupted, site->interrupted);
    sum(&kind->short_calls, site->short_calls);
    sum(&kind->empty, site->empty);
    sum(&kind->fresh_calls, site->fresh_calls);
    sum(&kind->single_calls, site->single_calls);
    sum(&kind->inner_allocs, site->inner_allocs);
    sum(&kind->copied_bytes, site->copied_bytes);
    sum(&kind->pattern.consecutive, site->pattern.consecutive);
    sum(&kind->pattern.strided, site->pattern.strided);
    sum(&kind->pattern.random, site->pattern.random);
}

static bool is_same_kind(const struct io_site *a, const struct io_site *b)
{
    return a->layer == b->layer && strcmp(a->op, b->op) == 0;
}

static int compare_kinds(const void *a, const void *b)
{
    const struct io_kind *const left = a, *const right = b;
    if (left->seconds != right->seconds)
        return left->seconds > right->seconds ? -1 : 1;
    return strcmp(left->main->op, right->main->op);
}

size_t io_kinds_find(const struct profile *profile, const struct calltree_range *range,
                     struct io_kind *kinds, uint64_t *more_out)
{
    size_t n = 0;
    uint64_t more = 0;
    for (size_t i = 0; i < range->n; i++) {
        const struct io_site *const site = io_stacks_site(profile, range->sites[i]);
        size_t k = 0;
        while (k < n && !is_same_kind(kinds[k].main, site))
            k++;
        if (k == IO_KINDS_MAX) {
            sum(&more, site->calls);
            continue;
        }
        if (k == n)
            kinds[n++] = (struct io_kind){0};
        sum_site(&kinds[k], site);
    }
    qsort(kinds, n, sizeof *kinds, compare_kinds);
    *more_out = more;
    return n;
}
