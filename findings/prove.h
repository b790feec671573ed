/* SPDX-License-Identifier: MIT */
/* Measure what findings suggest, by replaying the recording with it in place.
 *
 * Pools, arenas, reserved sizes, buffers kept and buffers on the stack can be tried this way: the calls of the
 * places concerned are served by them, all others by the allocator (replay/replay.h). Buffers of which more are in
 * use at once than there are threads are tried as a pool, shared where threads pass them on. What a finding says
 * of I/O, of leaks or of sizes has no such trial. */
#ifndef HEAPWISE_FINDINGS_PROVE_H
#define HEAPWISE_FINDINGS_PROVE_H

#include "findings/findings.h"
#include "replay/replay.h"

/* Add to a plan what a finding suggests, one row for each call stack of its places. Arenas are numbered by `group`,
 * which is not 0. Returns 0, also where there is nothing to try, or -ENOMEM. */
int prove_plan(const struct finding *finding, const struct profile *profile, uint16_t group,
               struct replay_plan *plan);

/* What all kept findings suggest, as one plan for plan_fini(). Returns 0 or -ENOMEM. */
int prove_plan_all(const struct findings *findings, struct replay_plan *plan_out);

/* Measure each kept finding that can be tried, alone, and set its `measured`. Where no two runs, one before and one
 * after, are a quarter of the predicted gain apart, the confidence is halved; then the kept ones are ranked anew.
 *
 * `trace` is the file the profile was read from; `process_id` 0 is its busiest process. A finding whose
 * places that process does not have stays unmeasured. Returns 0, or what replay_measure() returns with
 * error_out filled. Cost: 2 n_runs runs of the recorded calls for each finding. */
int prove_all(struct findings *findings, const char *trace, unsigned n_runs, uint32_t process_id,
              struct trace_error *error_out);

#endif
