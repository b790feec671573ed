/* SPDX-License-Identifier: MIT */
/* Which clock is read, and how many stamps may be estimated from it. */
#include "preload/stamp.h"

#include <time.h>

#include "preload/arch_x86_64.h"

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The time where it is not the counter's. */
static uint64_t other_ticks(const struct lane *lane, uint64_t seen_ticks)
{
    if (!(session.flags & SESSION_BORROWED_CLOCK))
        return monotonic_ns();
    return seen_ticks > lane->last_ticks ? seen_ticks : lane->last_ticks;
}

/* The time since the last reading, per event; more than any limit where a group was cut short. */
static uint64_t ticks_per_event(const struct lane *lane, uint64_t elapsed)
{
    if (lane->n_estimates > 0)
        return UINT64_MAX;
    return lane->estimated ? elapsed >> STAMP_GROUP_BITS : elapsed;
}

uint64_t stamp_read(struct lane *lane)
{
    const uint64_t seen = atomic_load_explicit(&session.header->now_ticks, memory_order_relaxed);
    if (!stamp_is_counter())
        return other_ticks(lane, seen);
    const uint64_t ticks = arch_ticks();
    const uint64_t stride = ticks_per_event(lane, ticks - lane->read_ticks);
    lane->estimated = stride < STAMP_DENSE_TICKS && !lane->is_signal && stamp_is_alone();
    lane->n_estimates = lane->estimated ? STAMP_GROUP - 1 : 0;
    lane->stride_ticks = (uint32_t)stride;
    lane->read_ticks = ticks;
    lane->seen_ticks = seen;
    return ticks > lane->last_ticks ? ticks : lane->last_ticks;
}
