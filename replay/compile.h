/* SPDX-License-Identifier: MIT */
/* How a trace's calls become operations that can be done again (replay/ops.h). */
#ifndef HEAPWISE_REPLAY_COMPILE_H
#define HEAPWISE_REPLAY_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/program.h"
#include "replay/ops_writer.h"
#include "replay/plan.h"

/* What to compile. Zero it, then set at least the process. */
struct compile_options {
    uint32_t process_id;
    uint64_t n_expected_calls;      /* about; decides how long an epoch is */
    const struct replay_plan *plan; /* may be NULL */
    const uint16_t *row_of_site;    /* row of the plan, from 1, or 0; by site number less one */
    uint32_t n_site_rows;
};

struct compiled {
    struct ops_writer file; /* whole; compiled_fini() closes it */
    struct ops_head head;
    struct program_counts counts;
    bool is_truncated;
};

/* Compile one process of the trace at `path`.
 *
 * Slots of freed blocks are reused, so slots are about as many as blocks were live at once.
 * Returns 0; what program_load() returns, error_out filled; or -errno of the file of operations, error_out
 * filled. Cost: 16 bytes of file a call; memory O(live blocks + stacks + sites + threads). */
int compile_trace(const char *path, const struct compile_options *options,
                  struct compiled *compiled_out, struct trace_error *error_out);

void compiled_fini(struct compiled *compiled);

#endif
