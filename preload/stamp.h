/* SPDX-License-Identifier: MIT */
/* When an event happened, for less than reading the time stamp counter each time: one reading costs
 * 16 to 40 ns under a hypervisor, as much as the rest of a record.
 *
 * Where stamps order nothing but their own thread's events (the process has one thread, and no signal
 * handler has come between), a reading is shared by STAMP_GROUP events while they come thick and fast:
 *
 *     read ---- + stride ---- + stride ---- + stride ---- read ...        stride: of the group before
 *
 * Estimates end as soon as a second thread attaches (other threads' events are ordered by stamps: which
 * of two frees an address's allocation belongs to), a handler's event came between, the group before took
 * more than STAMP_DENSE_TICKS an event, or the collector's clock has moved. So an estimate is never
 * further off than the time between two passes of the collector, and that only right after a pause;
 * and it never lies before header->now_ticks, which is what watermarks rely on (collector/drain.c). */
#ifndef HEAPWISE_PRELOAD_STAMP_H
#define HEAPWISE_PRELOAD_STAMP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/lane.h"
#include "preload/session.h"

enum stamp_limits {
    STAMP_GROUP_BITS = 2,
    STAMP_GROUP = 1 << STAMP_GROUP_BITS, /* events to a reading */
    STAMP_DENSE_TICKS = 500,             /* between two events, on average of a group */
};

/* Read the clock, and decide what may follow. Where it is not the counter, ask for the time otherwise. */
uint64_t stamp_read(struct lane *lane);

/* Tell whether no other thread has rings. A block of another thread's can have come here only after that
 * one was counted, so this is asked for each estimate, not once a group. */
static inline bool stamp_is_alone(void)
{
    return atomic_load_explicit(&session.n_threads, memory_order_relaxed) == 1;
}

static inline bool stamp_is_counter(void)
{
    return !(session.flags & (SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK));
}

/* The stamp of an allocation or a release, under ring_begin_stamp(). */
static inline uint64_t stamp_usual(struct lane *lane)
{
    if (!stamp_is_alone())
        return __builtin_expect(stamp_is_counter(), 1) ? arch_ticks() : stamp_read(lane);
    const uint64_t now = atomic_load_explicit(&session.header->now_ticks, memory_order_relaxed);
    if (__builtin_expect(lane->n_estimates == 0 || now != lane->seen_ticks, 0))
        return stamp_read(lane);
    lane->n_estimates--;
    return lane->last_ticks + lane->stride_ticks;
}

#endif
