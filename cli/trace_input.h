/* SPDX-License-Identifier: MIT */
/* Reading a trace for a command, with errors put into words. */
#ifndef HEAPWISE_CLI_TRACE_INPUT_H
#define HEAPWISE_CLI_TRACE_INPUT_H

#include "cli/options.h"
#include "reader/profile.h"

/* A command that reads one trace. */
struct trace_command {
    const char *name;
    const struct option_set *options;
    int (*print_help)(void); /* its exit code is the command's */
};

/* Read a command's options into `values` (cli/options.h) and find the trace among its operands, of which
 * there is to be one. Prints help or the error, where that is what comes of it, and says so by *trace_out
 * NULL. Returns 0 or the exit code. */
int trace_input_arguments(const struct trace_command *command, int argc, char **argv, void *values,
                          const char **trace_out);

/* Is `path` something to read at all? Prints the error otherwise. Returns 0 or the exit code. */
int trace_input_check(const char *path);

/* Say why reading `path` failed with `result` (a negative errno). Returns the exit code. */
int trace_input_error(const char *path, int result, const struct trace_error *error);

/* profile_load() with both of the above. */
int trace_input_load(const char *path, const struct profile_options *options,
                     struct profile **profile_out);

#endif
