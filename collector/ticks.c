/* SPDX-License-Identifier: MIT */
/* Which clock stamps events, and how it is tied to wall time: the three clocks are read one after
 * the other, several times, and the reading with the smallest spread wins, because a preemption
 * between two of them would bend every time in the trace. */
#include "collector/ticks.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "trace/trace_format.h"

enum { MOMENT_TRIES = 5 };

static const char clocksource_path[] =
    "/sys/devices/system/clocksource/clocksource0/current_clocksource";

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

bool ticks_tsc_is_usable(void)
{
    char name[8] = "";
    const int fd = open(clocksource_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, name, sizeof name);
    close(fd);
    return n == 4 && memcmp(name, "tsc\n", 4) == 0;
}

uint64_t ticks_now(bool tsc)
{
    if (!tsc)
        return clock_ns(CLOCK_MONOTONIC);
    _mm_lfence(); /* not before the loads that precede it */
    return __rdtsc() / TRACE_CYCLES_PER_TICK;
}

uint64_t ticks_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

struct ticks_moment ticks_moment_now(bool tsc)
{
    struct ticks_moment best = {0};
    uint64_t best_spread = UINT64_MAX;
    for (int i = 0; i < MOMENT_TRIES; i++) {
        const uint64_t before = ticks_now(tsc);
        const uint64_t monotonic_ns = clock_ns(CLOCK_MONOTONIC);
        const uint64_t after = ticks_now(tsc);
        const int64_t realtime_ns = (int64_t)clock_ns(CLOCK_REALTIME);
        const uint64_t spread = ticks_now(tsc) - before;
        if (spread >= best_spread)
            continue;
        best_spread = spread;
        best = (struct ticks_moment){before + (after - before) / 2, monotonic_ns, realtime_ns};
    }
    return best;
}
