/* SPDX-License-Identifier: MIT */
/* How hard the next frame is to be compressed, where the collector's time is taken from the program
 * it watches, and bytes from the user's disk. Only arithmetic: the caller brings the clock. */
#ifndef HEAPWISE_COLLECTOR_PACE_H
#define HEAPWISE_COLLECTOR_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Those between are worse than two of these in turn; docs/PERFORMANCE.md has their figures. */
enum pace_way {
    PACE_STORED, /* as it is */
    PACE_QUICK,  /* frequent bytes get short codes */
    PACE_DENSE,  /* and repetitions are found */
};

enum pace_sizes { PACE_MOST_DEFERRED_BYTES = 512 << 20 };

/* Zeroed at the start. */
struct pace {
    int64_t credit_bytes; /* allowed for the events so far, not used */
    uint64_t
        deferred_bytes; /* used without being allowed: to be saved when the program has ended */
    uint64_t behind_until_ns; /* a ring was nearly full just now */
    uint64_t last_ns;         /* end of the last frame */
    bool quick_suffices;      /* the last quick frame took no more bytes than are allowed */
    bool calm;                /* few events: any work on them is nothing */
    bool stalled;             /* the file takes longer than compressing does */
    bool crowded;             /* a processor busy with frames is missed by others */
    bool may_defer;           /* the file can be packed anew at the end */
};

/* One frame that was written. */
struct pace_frame {
    enum pace_way way;
    uint64_t n_events;
    uint64_t n_bytes; /* written */
    uint64_t compress_ns, write_ns;
    uint64_t end_ns; /* all on one monotonic clock */
};

/* A ring was drained that held filled_bytes of ring_bytes. */
void pace_note_fill(struct pace *pace, uint64_t filled_bytes, uint64_t ring_bytes, uint64_t now_ns);

/* Whether others want the processor, and whether dense frames may wait for the end (see repack.h). */
void pace_note_crowding(struct pace *pace, bool crowded, bool may_defer);

void pace_note_frame(struct pace *pace, const struct pace_frame *frame);

/* Choose the way of the next frame. */
enum pace_way pace_choose(const struct pace *pace, uint64_t now_ns);

/* How many bytes a file of n_bytes is to lose at the end; 0 where it is not worth the work. */
uint64_t pace_debt_bytes(const struct pace *pace, uint64_t n_bytes);

#endif
