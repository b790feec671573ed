/* SPDX-License-Identifier: MIT */
/* How long the real allocator takes: of one call in 64 on average, so that it costs next to nothing.
 *
 *     const uint64_t began = timing_begin();
 *     address = real.malloc(n_bytes);
 *     const uint64_t call_cycles = timing_end(began);     0: this one was not timed
 *
 * The distance from one timed call to the next varies between 1 and 128, so that no rhythm of the
 * program's is sampled at one beat; it is the same from run to run. Off with --no-latency, and where
 * times are not the counter's. Async-signal-safe; a counter and a branch a call. */
#ifndef HEAPWISE_PRELOAD_TIMING_H
#define HEAPWISE_PRELOAD_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/session.h"

/* Learn what reading the counter costs; 0 where times are not the counter's. Once, at the start of the session. */
void timing_start(void);

uint64_t timing_begin_slow(void);

/* Time a call that something else has chosen (sampling.h). */
uint64_t timing_begin_now(void);

/* Count a call; true where it is to begin with timing_begin_slow(). So it is in a thread's first one, and
 * until that has been called: what has to be made sure of once is done behind this branch. The counter
 * changes in a single instruction, so a signal handler finds it whole. */
static inline bool timing_is_due(void)
{
    return __builtin_expect(--thread_state.until_timed < 0, 0);
}

static inline uint64_t timing_begin(void)
{
    return timing_is_due() ? timing_begin_slow() : 0;
}

/* Cycles of the counter since `began`, at least 1; 0 when that is 0. */
static inline uint64_t timing_end(uint64_t began)
{
    if (__builtin_expect(began == 0, 1))
        return 0;
    const uint64_t cycles = arch_cycles() - began;
    return cycles > session.stamp_cycles ? cycles - session.stamp_cycles : 1;
}

#endif
