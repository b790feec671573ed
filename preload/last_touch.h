/* SPDX-License-Identifier: MIT */
/* Which lane had the last event of a block: a table of the process's, of 64 Ki blocks, the rest forgotten.
 *
 * An entry is the block's address and the lane's mark (lane->mark), 64 bits that are read and written as one. Its place
 * holds what the entry leaves out of the address, so an entry means exactly one address of the 47 bits that programs have.
 * Two blocks of one place drive each other out, which reads as "somebody else's": never the other way round.
 *
 * Without a fence: a lane writes its mark before it lets go of the block, and x86 shows stores in their order, so
 * who gets the block sees that mark, a later one or none. A forked child finds the table empty. Async-signal-safe; a
 * load and a comparison, and a store where the block was another's. */
#ifndef HEAPWISE_PRELOAD_LAST_TOUCH_H
#define HEAPWISE_PRELOAD_LAST_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/lane.h"
#include "preload/session.h"

enum last_touch_bounds {
    LAST_TOUCH_PLACE_BITS = 16,
    LAST_TOUCH_PLACES = 1 << LAST_TOUCH_PLACE_BITS,
    LAST_TOUCH_GRAIN_BITS =
        4, /* of an address: stand in the entry, as those above the place's do */
    LAST_TOUCH_MARK_BITS = 33,
    LAST_TOUCH_ADDRESS_BITS = 47,
};
_Static_assert(LAST_TOUCH_ADDRESS_BITS - LAST_TOUCH_PLACE_BITS + LAST_TOUCH_MARK_BITS <= 64,
               "an entry tells which block, and whose");

/* Where a block's last event is noted. */
static inline _Atomic uint64_t *last_touch_place(uint64_t at)
{
    const uint64_t high = at >> (LAST_TOUCH_GRAIN_BITS + LAST_TOUCH_PLACE_BITS);
    /* Heaps of threads begin at equal distances: each is to have places of its own. */
    const uint64_t spread = high * UINT32_C(0x9e3779b1) >> 16;
    return &session.last_touch[(at >> LAST_TOUCH_GRAIN_BITS ^ spread) & (LAST_TOUCH_PLACES - 1)];
}

/* What is noted where it was this lane's. */
static inline uint64_t last_touch_entry(const struct lane *lane, uint64_t at)
{
    const uint64_t high = at >> (LAST_TOUCH_GRAIN_BITS + LAST_TOUCH_PLACE_BITS);
    const uint64_t low = at & ((1 << LAST_TOUCH_GRAIN_BITS) - 1);
    return (high << LAST_TOUCH_GRAIN_BITS | low) << LAST_TOUCH_MARK_BITS | lane->mark;
}

/* Tell whether it was this lane's, which it is from now on. */
static inline bool last_touch_was_ours(const struct lane *lane, const void *address)
{
    const uint64_t at = (uintptr_t)address;
    const uint64_t entry = last_touch_entry(lane, at);
    _Atomic uint64_t *const last = last_touch_place(at);
    if (__builtin_expect(atomic_load_explicit(last, memory_order_relaxed) == entry, 1))
        return true;
    atomic_store_explicit(last, entry, memory_order_relaxed);
    return false;
}

/* Unless it was this lane's, it was nobody's. Of any address. */
static inline void last_touch_forget_others(const struct lane *lane, const void *address)
{
    const uint64_t at = (uintptr_t)address;
    _Atomic uint64_t *const last = last_touch_place(at);
    if (atomic_load_explicit(last, memory_order_relaxed) != last_touch_entry(lane, at))
        atomic_store_explicit(last, 0, memory_order_relaxed);
}

#endif
