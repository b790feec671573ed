/* SPDX-License-Identifier: MIT */
/* How many bytes of a new block are usable, where that follows from the request.
 *
 * glibc notes it before the block (real.h). jemalloc looks it up in a tree by address, which takes longer than the
 * rest of a record; but its nallocx(3) promises what a request of a size will get. So small requests are remembered,
 * eight sizes to an entry, each once nallocx() and the first such block have said the same. Blocks of timed calls
 * are compared from then on, and one that says otherwise ends it for good. Async-signal-safe. */
#ifndef HEAPWISE_PRELOAD_USABLE_H
#define HEAPWISE_PRELOAD_USABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum usable_bounds {
    USABLE_GRAIN = 8,
    USABLE_MOST_BYTES = 4096, /* of a request that is remembered */
};

/* Usable bytes by the end of the eight requests that have them; 0: not known. */
typedef _Atomic uint16_t usable_table[USABLE_MOST_BYTES / USABLE_GRAIN + 1];

/* The one that holds: where nothing is promised, one of zeros. */
extern usable_table *_Atomic usable_now __attribute__((visibility("hidden")));

/* Look for nallocx() beside the malloc() that is forwarded to, and forget everything. Where lookups may allocate. */
void usable_start(void);

/* Ask for those of a block just got by malloc(n_bytes), and remember. 0 where they do not follow from the request. */
size_t usable_ask(const void *address, size_t n_bytes);

/* Compare with what is remembered. */
void usable_check(const void *address, size_t n_bytes);

static inline size_t usable_entry(size_t n_bytes)
{
    return (n_bytes + USABLE_GRAIN - 1) / USABLE_GRAIN;
}

/* What is remembered of malloc(n_bytes), 0: nothing. */
static inline size_t usable_known(size_t n_bytes)
{
    if (n_bytes > USABLE_MOST_BYTES)
        return 0;
    usable_table *const table = atomic_load_explicit(&usable_now, memory_order_relaxed);
    return atomic_load_explicit(&(*table)[usable_entry(n_bytes)], memory_order_relaxed);
}

/* Those of a block just got by malloc(n_bytes), or 0: then only its allocator knows. */
static inline size_t usable_of(const void *address, size_t n_bytes)
{
    const size_t known = usable_known(n_bytes);
    return __builtin_expect(known != 0, 1) ? known : usable_ask(address, n_bytes);
}

#endif
