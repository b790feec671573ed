/* SPDX-License-Identifier: MIT */
/* Why a replay failed, in words. */
#ifndef HEAPWISE_CLI_REPLAY_FAILURE_H
#define HEAPWISE_CLI_REPLAY_FAILURE_H

#include "reader/profile.h"

/* Say why replay_measure() of `trace` failed with `result`. Returns the exit code. */
int replay_failure(const char *trace, int result, const struct trace_error *error);

/* Can `trace` be replayed at all? Prints the error otherwise. Returns 0 or the exit code. */
int replay_check(const char *trace, unsigned long long n_runs);

#endif
