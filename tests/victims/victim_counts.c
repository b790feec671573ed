/* SPDX-License-Identifier: MIT */
#include "victim_counts.h"

#include "victim.h"

void counts_expect(const char *site, const char *metric, uint64_t n)
{
    expect(site, metric, n);
}

void counts_expect_freed(const char *site, uint64_t count, uint64_t bytes)
{
    expect_freed(site, count, bytes);
}
