/* SPDX-License-Identifier: MIT */
/* What is kept while a trace is read for reader/habits.h: beside each site and each thread of the model.
 *
 * All of it is there only where `gathered` is set; it holds O(sites + threads + grown blocks), and a run for
 * each thread that frees blocks of a site in turns with others. */
#ifndef HEAPWISE_READER_HABITS_MODEL_H
#define HEAPWISE_READER_HABITS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/habits.h"
#include "reader/histogram.h"
#include "reader/idmap.h"

/* Blocks of one site that one thread frees without allocating in between. */
struct model_run {
    uint64_t id; /* of the thread's frees in a row, counted up from 1; 0 none */
    uint64_t count, bytes;
    uint64_t first_born_ticks, last_born_ticks, died_ticks;
    uint32_t thread, site;
};

/* Sixteenths of bytes per tick that a block would have to be written with in its life. The ticks' length is
 * known only at the end. */
struct model_speeds {
    struct histogram counts, bytes;
};

enum { HABITS_SPEED_UNITS = 16 };

/* What most sites have nothing of. */
struct model_rare_habits {
    uint64_t aligned_count;
    uint32_t alignment_bits; /* of the largest alignment, as in struct event */
    uint64_t burst_count, n_bursts;
    struct model_run largest_burst;
    struct growth growth;
    struct model_speeds speeds; /* of large blocks, where calloc was called */
    uint64_t leaked_born[HABITS_EIGHTHS], leaked_born_bytes[HABITS_EIGHTHS];
};

/* In the order of use: a release touches the first cache line, an allocation the second one. */
struct model_site_habits {
    uint64_t freed_elsewhere_count;
    uint64_t n_grown;               /* live blocks that took the place of smaller ones */
    uint64_t calloc_count;          /* of alloc_count */
    struct model_rare_habits *rare; /* NULL before anything of it was seen */
    uint64_t first_alloc_ticks, last_alloc_ticks;
    struct histogram live_counts; /* of the site, at each of its allocations and resizes */
    struct model_run run; /* the last one; another thread's may go on, too: it is parked then */
};

/* A block that was freed. */
struct model_freed {
    uint64_t bytes, born_ticks, died_ticks;
    uint32_t site;
};

struct model_thread_habits {
    uint64_t last_address; /* of its last allocation */
    uint32_t last_site; /* of that, as long as it may take the place of a smaller block; else 0 */
    uint32_t n_freed;   /* since it last allocated or resized, as far as 2 */
    struct model_freed first_freed; /* of those: most are the only ones, and no run */
    uint64_t run;                   /* their number, from the second one on */
};

struct model_habits {
    bool gathered;
    struct model_site_habits *sites;     /* by number - 1, as model.sites */
    struct model_thread_habits *threads; /* by thread & LIVE_THREAD_MASK */
    uint32_t sites_capacity, threads_capacity;
    uint64_t last_run;
    struct model_run *parked; /* by idmap's value - 1; id 0: free to be used again */
    uint32_t n_parked, parked_capacity;
    struct idmap parked_by_owner; /* site << 32 | thread */
};

#endif
