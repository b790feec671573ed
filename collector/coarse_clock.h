/* SPDX-License-Identifier: MIT */
/* The clock that recorded threads may look at without reading the counter: a word of the session that a thread of the
 * collector's steps every third of a millisecond (preload/stamp.h says what for).
 *
 * It runs only while somebody wants it, for it costs some 2 % of a processor. Where the thread cannot be had it
 * stands still for good, and every event reads the counter. One thread calls these functions. */
#ifndef HEAPWISE_COLLECTOR_COARSE_CLOCK_H
#define HEAPWISE_COLLECTOR_COARSE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/session.h"

struct coarse_clock {
    struct session *session;
    pthread_t thread;
    bool has_thread, failed;
    uint64_t unwanted_since_ns; /* 0: it is wanted */
    _Atomic uint32_t order;     /* futex: what the thread is to do */
    _Atomic uint64_t ticks;     /* our copy of the shared word, which the target may write over */
};

/* Say whether a busy ring wants it. It goes on for a while after nobody does. */
void coarse_clock_want(struct coarse_clock *clock, bool wanted, uint64_t now_ns);

/* A bound of what the word shows from now on, in ticks: never less, but for the 0 of a clock that stands still,
 * for which this is 0, too. */
uint64_t coarse_clock_bound(struct coarse_clock *clock);

void coarse_clock_fini(struct coarse_clock *clock);

#endif
