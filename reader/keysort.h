/* SPDX-License-Identifier: MIT */
/* Put items in the order of a 64-bit key: a radix sort by bytes, lowest first, which keeps the order of
 * equal ones. Bytes that all keys have in common cost one pass of reading; there are no comparisons. */
#ifndef HEAPWISE_READER_KEYSORT_H
#define HEAPWISE_READER_KEYSORT_H

#include <stddef.h>
#include <stdint.h>

struct keysort_item {
    uint64_t key;
    uint32_t value, extra; /* the caller's */
};

/* Sort items[0..n) by key, smallest first; `n` is below 2^32. Returns 0 or -ENOMEM. */
int keysort(struct keysort_item *items, size_t n);

#endif
