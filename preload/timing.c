/* SPDX-License-Identifier: MIT */
/* Which call is timed next. */
#include "preload/timing.h"

#include "preload/xorshift.h"

enum { N_TRIES = 8 };

static bool has_counter(void)
{
    return !(session.flags & (SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK));
}

static bool is_off(void)
{
    return !has_counter() || (session.flags & (SESSION_NO_ALLOC | SESSION_NO_LATENCY));
}

void timing_start(void)
{
    uint64_t least = UINT32_MAX;
    for (unsigned i = 0; i < N_TRIES && has_counter(); i++) {
        const uint64_t began = arch_cycles(), cycles = arch_cycles() - began;
        least = cycles < least ? cycles : least;
    }
    session.stamp_cycles = has_counter() ? (uint32_t)least : 0;
}

uint64_t timing_begin_now(void)
{
    return is_off() ? 0 : arch_cycles();
}

uint64_t timing_begin_slow(void)
{
    struct thread_state *const thread = &thread_state;
    const bool is_first = thread->timed_state == 0;
    thread->timed_state = xorshift_next(is_first ? UINT32_C(2463534242) : thread->timed_state);
    thread->until_timed = (int32_t)(thread->timed_state >> 25);
    return is_first ? 0 : timing_begin_now();
}
