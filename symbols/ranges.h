/* SPDX-License-Identifier: MIT */
/* Which of many address ranges, nested or overlapping, holds an address most closely?
 *
 * Filled with ranges_add, sorted once by ranges_seal, then asked. */
#ifndef HEAPWISE_SYMBOLS_RANGES_H
#define HEAPWISE_SYMBOLS_RANGES_H

#include <stddef.h>
#include <stdint.h>

#define RANGES_NONE UINT32_MAX

struct range {
    uint64_t low, high; /* [low, high) */
    uint64_t max_high;  /* highest `high` of this and all ranges before it, once sealed */
    uint32_t depth; /* nesting: the deepest range that holds an address wins, then the narrowest */
    uint32_t value;
};

struct ranges {
    struct range *items;
    size_t n, capacity;
};

/* Add one range; empty ones are ignored. Returns 0 or -ENOMEM. */
int ranges_add(struct ranges *ranges, struct range range);

void ranges_seal(struct ranges *ranges);

/* Returns the value of the range that holds `address`, RANGES_NONE when none does.
 * Cost: O(log n) and the ranges that begin between the outermost holder and the address. */
uint32_t ranges_find(const struct ranges *ranges, uint64_t address);

void ranges_fini(struct ranges *ranges);

#endif
