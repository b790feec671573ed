/* SPDX-License-Identifier: MIT */
/* Draining: from all rings of all followed processes into the trace, pass by pass.
 *
 * A pass copies what each ring has published, checks it record by record, writes it as chunks, and
 * ends with a watermark: the time before which nothing more can come. Memory does not grow with
 * events. Not thread-safe. */
#ifndef HEAPWISE_COLLECTOR_DRAIN_H
#define HEAPWISE_COLLECTOR_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/coarse_clock.h"
#include "collector/compress.h"
#include "collector/places.h"
#include "collector/scribe.h"
#include "collector/slots.h"
#include "collector/tree.h"

struct drain {
    struct slots *slots;
    struct compress *out;
    struct places *places;
    struct tree *tree;
    struct coarse_clock *clock;
    uint8_t *buffer;    /* private copy of ring bytes that are not written */
    size_t chunk_bytes; /* a chunk ends with the record that reaches it; 0: as long as it gets */
    bool discarding;    /* recording has stopped: rings are emptied, nothing is written */

    /* The watermark. */
    uint64_t last_end_ticks, last_end_ns; /* end of the previous pass that was far enough away */
    uint64_t last_coarse_ticks;           /* coarse_clock_bound() then */
    uint64_t since_ticks;                 /* last_end_ticks of the previous pass */
    uint64_t watermark;                   /* last written */
    uint64_t watermark_at_bytes;          /* compress_n_bytes() when it last moved */

    /* Totals. */
    uint32_t n_streams;
    uint64_t n_events;
    uint64_t n_lost[8]; /* by trace_loss_reason */
    uint64_t n_lost_written[8];
    uint64_t n_no_slot;         /* of the session's own count, as last seen */
    uint64_t live_bytes;        /* as of the last pass, with SESSION_COUNT_LIVE */
    uint64_t live_closed_bytes; /* of slots given back since: gained - dropped, wraps */
};

/* What one pass found. */
struct drain_pass {
    size_t n_bytes;       /* from all rings */
    size_t fullest_bytes; /* from the ring that had most */
    bool wants_clock;     /* one that had some asks for the coarse clock */
};

/* All pointers of `drain` but the buffer must be set. Returns 0 or -ENOMEM. */
int drain_init(struct drain *drain);
void drain_fini(struct drain *drain);

/* Empty every ring once. */
struct drain_pass drain_run(struct drain *drain);

/* Give back the slots whose threads are gone and whose rings are empty. `all`: look at every slot
 * now rather than when it is due. */
void drain_reclaim(struct drain *drain, bool all);

/* Write losses that were counted since they were last written. */
void drain_write_losses(struct drain *drain);

/* End every stream: no thread is listened to any more. Call after a last drain_run(). */
void drain_finish(struct drain *drain);

/* Count slots claimed by threads that exist, in processes that were seen to be those they say. */
uint32_t drain_count_live(const struct drain *drain);

#endif
