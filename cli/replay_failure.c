/* SPDX-License-Identifier: MIT */
/* What do errors of a replay mean to its user? */
#include "cli/replay_failure.h"

#include <string.h>

#include "cli/message.h"
#include "cli/status.h"
#include "cli/trace_input.h"
#include "replay/replay.h"

int replay_failure(const char *trace, int result, const struct trace_error *error)
{
    const char *const record = error->record ? error->record : "";
    if (strcmp(record, "allocator") == 0)
        message_error("--allocator", "%s", error->reason);
    else if (strcmp(record, "replayer") == 0 || strcmp(record, "replay") == 0)
        message_error("replay", "%s", error->reason);
    else
        return trace_input_error(trace, result, error);
    return STATUS_USAGE;
}

int replay_check(const char *trace, unsigned long long n_runs)
{
    if (n_runs == 0 || n_runs > REPLAY_MAX_RUNS) {
        message_error("--runs", "has to be 1 to %d", REPLAY_MAX_RUNS);
        return STATUS_USAGE;
    }
    if (strcmp(trace, "-") == 0) {
        message_error("standard input", "cannot be replayed: the trace is read twice; give a file");
        return STATUS_USAGE;
    }
    return trace_input_check(trace);
}
