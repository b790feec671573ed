/* SPDX-License-Identifier: MIT */
/* The recorded sequence of allocations once more, measured: under other allocators, or with techniques in
 * place of the allocator at single call sites.
 *
 * The method. Calls are compiled into operations (replay/ops.h) and done by heapwise-replayer, which has no
 * allocator linked in, in a fresh process for each run; threads and the order of what crosses them are kept.
 * Runs of all variants take turns, N rounds of them, with an empty run in each: the same operations with no
 * allocator called. A run's processor time (waiting for other threads left out) less the median of the empty
 * runs' is what the allocator took, page faults of touching its memory included. One call in 16 or 64 is timed
 * by itself besides, less what the same takes in an empty run: this is how long a caller waits for it, while
 * in the whole a processor does parts of several calls at once.
 *
 * What is not modelled: time between calls, so caches are warmer than in the program; which bytes of a block
 * were used (each page of it is touched, once); copies by the program when a container grows, but where the
 * plan reserves (those of realloc are the allocator's and are made); blocks from mmap; and resizes that
 * failed. */
#ifndef HEAPWISE_REPLAY_REPLAY_H
#define HEAPWISE_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reader/program.h"
#include "replay/ops.h"
#include "replay/plan.h"

enum replay_limits {
    REPLAY_RUNS = 5, /* unless asked otherwise */
    REPLAY_MAX_RUNS = 1000,
    REPLAY_MAX_ALLOCATORS = 16,
};

struct replay_options {
    const char *const *allocators;  /* names or files (replay/launch.h) */
    size_t n_allocators;            /* 0: native, and what is installed of the others known */
    const struct replay_plan *plan; /* measured with the first allocator; may be NULL */
    bool each_row;       /* besides the plan as a whole, each row of it alone (plan_row_leads()) */
    unsigned n_runs;     /* 0: REPLAY_RUNS */
    uint32_t process_id; /* 0: the one with the most events of allocation */
    /* Of this trace, with names, showing that process or all; NULL: it is made here. Saves a reading. */
    const struct profile *profile;
    const char *player; /* path of heapwise-replayer; NULL: beside the program */
};

/* Of all runs of a variant. */
struct replay_spread {
    double median, least, most;
};

/* What one way of running came to. Bytes are without what the replayer itself holds. */
struct replay_variant {
    const char *allocator;                       /* as asked for */
    const char *module;                          /* the file its malloc is in */
    int row;                                     /* of the plan: 0 none in use, from 1; -1 all */
    uint64_t n_failed;                           /* calls that got no memory, in the worst run */
    struct replay_spread seconds;                /* of the allocator, or what stands in its place */
    struct replay_spread ns_per_call;            /* the same, over all calls */
    struct replay_spread call_ns[OPS_N_CLASSES]; /* mean of calls timed by themselves; 0 none was */
    struct replay_spread faults;
    struct replay_spread peak_rss_bytes;
    struct replay_spread rss_at_peak_bytes;  /* when most bytes were live */
    struct replay_spread live_at_peak_bytes; /* at that moment; of one thread always the same */
    struct replay_spread fragmentation;      /* those two divided; 0 unknown */
    struct replay_spread wall_seconds;       /* of the run as a whole */
};

/* A row of the plan, before (first allocator, no row in use) and after. */
struct replay_row {
    const struct replay_plan_row *plan; /* of options.plan, which has to stay */
    bool is_found;                      /* the process has such a site */
    uint64_t n_served, n_overflowed;    /* acquisitions and resizes with all rows in use */
    uint64_t n_releases;
    struct replay_spread call_ns_before,
        call_ns_after; /* of all its calls; after: with all in use */
    int alone;         /* index of the variant that has it alone, -1 none */
    double
        saved_seconds; /* by it alone, of variants[0].seconds; below 0: it costs. 0 without `alone` */
};

struct replay_result {
    uint32_t process_id; /* 0: the trace has no process */
    uint32_t n_threads, n_runs;
    uint64_t n_calls[OPS_N_CALLS]; /* done in each run, by ops_kind */
    uint64_t n_all_calls;
    struct program_counts counts; /* of the compiled trace: what calls leave out */
    uint64_t lost_events;         /* of the process: where not 0, the sequence has holes */
    bool is_truncated;
    double
        recorded_seconds; /* of the allocator, as recorded: counts times about the mean call; 0 unknown */
    double compile_seconds;
    struct replay_spread empty_seconds;  /* of the empty runs */
    double empty_call_ns[OPS_N_CLASSES]; /* what timing found there, and is taken off elsewhere */
    size_t n_variants;
    struct replay_variant
        *variants; /* allocators as asked for; then the plan; then its rows alone */
    size_t n_rows;
    struct replay_row *rows;
    char *texts; /* what the names point into */
};

/* Replay a process of the trace at `trace` (no pipe: it is read twice).
 *
 * Returns 0 and a result for replay_free(). Errors fill error_out and are those of profile_load(), and by
 * error_out->record: "allocator" -ENOENT, -EINVAL; "replayer" -ENOENT, -EIO (a run did not end well), -ENOEXEC.
 * Cost: a run takes about what the recorded calls took; two readings of the trace. */
int replay_measure(const char *trace, const struct replay_options *options,
                   struct replay_result **result_out, struct trace_error *error_out);

void replay_free(struct replay_result *result);

/* Print as a table, or as the document heapwise-replay/1 (docs/REPLAY.md). 0, or -ENOMEM. */
int replay_print_text(const struct replay_result *result, FILE *out);
int replay_print_json(const struct replay_result *result, const char *trace, FILE *out);

#endif
