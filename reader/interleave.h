/* SPDX-License-Identifier: MIT */
/* Several sorted runs of events as one, without a guess per event.
 *
 *   run 1   3 5 9          merged by two, again by two, ...          3 4 5 6 9
 *   run 2   4 6      ->    of numbers and pointers; then each   ->
 *   run 3   ...            event is copied once
 *
 * Threads that run at the same time take turns as chance will have it. A processor that guesses whose turn it
 * is, as it has to where each event is a branch, is wrong at half of them, which is dearer than all the rest. */
#ifndef HEAPWISE_READER_INTERLEAVE_H
#define HEAPWISE_READER_INTERLEAVE_H

#include <stdint.h>

#include "reader/batch.h"

enum interleave_limits {
    INTERLEAVE_RUNS = 16,   /* a power of two */
    INTERLEAVE_EVENTS = 64, /* of one run */
};

struct interleave_key {
    uint64_t ticks;
    const struct event *event;
};

/* Zero `n_runs` to begin. */
struct interleave {
    uint32_t n_runs;
    uint32_t ends[INTERLEAVE_RUNS]; /* in keys[0]; run i begins where the one before it ends */
    struct interleave_key keys[2][INTERLEAVE_RUNS * INTERLEAVE_EVENTS];
};

/* Add a run: of events[0..n), at most INTERLEAVE_EVENTS, those before the first one at `ticks` or later. What
 * has no stamp, or one before its predecessor's, counts as of that one's time. The events are sent from where
 * they are. Returns how many they are. */
uint32_t interleave_add(struct interleave *interleave, const struct event *events, uint32_t n,
                        uint64_t ticks);

/* Send all of it by time, events of the same time in the order of their runs, and begin anew. Returns 0 or what
 * the outlet returned. */
int interleave_send(struct interleave *interleave, struct outlet *outlet);

#endif
