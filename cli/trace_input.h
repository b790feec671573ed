/* SPDX-License-Identifier: MIT */
/* Reading a trace for a command, with errors put into words. */
#ifndef HEAPWISE_CLI_TRACE_INPUT_H
#define HEAPWISE_CLI_TRACE_INPUT_H

#include "reader/profile.h"

/* Was exactly one operand, the trace, given to `command`? Prints the error otherwise. Returns 0 or the
 * exit code. */
int trace_input_operand(const char *command, int n_operands);

/* Is `path` something to read at all? Prints the error otherwise. Returns 0 or the exit code. */
int trace_input_check(const char *path);

/* Say why reading `path` failed with `result` (a negative errno). Returns the exit code. */
int trace_input_error(const char *path, int result, const struct trace_error *error);

/* profile_load() with both of the above. */
int trace_input_load(const char *path, const struct profile_options *options,
                     struct profile **profile_out);

#endif
