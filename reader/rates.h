/* SPDX-License-Identifier: MIT */
/* How fast at the fastest: allocations and bytes in the best one-second window.
 *
 * A tick's length is known for sure only at the end of a trace (its second CLOCK record), so what
 * happened is kept by small steps of ticks, empty ones left out. Steps begin below a millisecond and
 * double when RATES_MAX_STEPS are in use: the window's edges are then coarser, never the counts. */
#ifndef HEAPWISE_READER_RATES_H
#define HEAPWISE_READER_RATES_H

#include <stdint.h>

#include "reader/array.h"

enum {
    RATES_FIRST_SHIFT = 19, /* 2^19 ticks: 0.17 ms at 3 GHz, 0.52 ms where ticks are nanoseconds */
    RATES_MAX_STEPS = 1 << 18, /* 6 MiB; at 3 GHz doubling begins after 46 s without a pause */
};

struct rates_step {
    uint64_t index; /* ticks since the start, shifted */
    uint64_t alloc_bytes;
    uint64_t alloc_count;
};

/* Zero it and set start_ticks to begin. */
struct rates {
    struct rates_step *steps; /* by index, ascending */
    uint32_t n_steps, capacity;
    uint32_t shift; /* 0: RATES_FIRST_SHIFT, nothing counted yet */
    uint64_t start_ticks;
    uint64_t end_ticks; /* of the last step; 0 while there is none */
};

/* Make the step in use the one for `ticks`, unless it is a later one. Returns 0 or -ENOMEM. */
int rates_begin_step(struct rates *rates, uint64_t ticks);

/* Count an allocation at `ticks` (earlier than the last one counts as then). Returns 0 or -ENOMEM. */
static inline int rates_count(struct rates *rates, uint64_t ticks, uint64_t alloc_count,
                              uint64_t alloc_bytes)
{
    if (ticks >= rates->end_ticks) {
        const int error = rates_begin_step(rates, ticks);
        if (error)
            return error;
    }
    struct rates_step *const last = &rates->steps[rates->n_steps - 1];
    last->alloc_count += alloc_count;
    last->alloc_bytes = add_capped(last->alloc_bytes, alloc_bytes);
    return 0;
}

/* Add everything another one counted from the same start. Returns 0 or -ENOMEM. */
int rates_merge(struct rates *rates, const struct rates *from);

/* The most allocations and the most bytes in any window of `window_ticks`. */
void rates_peak(const struct rates *rates, double window_ticks, uint64_t *count_out,
                uint64_t *bytes_out);

void rates_fini(struct rates *rates);

#endif
