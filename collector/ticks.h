/* SPDX-License-Identifier: MIT */
/* The clock that stamps events, as the collector reads it.
 *
 * A tick is a TSC cycle where the kernel itself trusts the TSC, else a nanosecond of
 * CLOCK_MONOTONIC. Thread-safe. */
#ifndef HEAPWISE_COLLECTOR_TICKS_H
#define HEAPWISE_COLLECTOR_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/* One moment on all three clocks; what a CLOCK record holds. */
struct ticks_moment {
    uint64_t ticks;
    uint64_t monotonic_ns;
    int64_t realtime_ns;
};

/* Tell whether the kernel's current clocksource is the TSC: only then is it the same on all cores. */
bool ticks_tsc_is_usable(void);

/* Read the clock; `tsc` as ticks_tsc_is_usable() said at the session's start. */
uint64_t ticks_now(bool tsc);

uint64_t ticks_monotonic_ns(void);

/* Read all three clocks as close together as a few tries allow. */
struct ticks_moment ticks_moment_now(bool tsc);

#endif
