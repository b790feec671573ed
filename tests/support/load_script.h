/* SPDX-License-Identifier: MIT */
/* How a test gets the profile of a scripted trace. */
#ifndef HEAPWISE_TESTS_LOAD_SCRIPT_H
#define HEAPWISE_TESTS_LOAD_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reader/profile.h"
#include "tests/support/trace_writer.h"

/* Begins every script: one process, one thread; its module covers 0x400000 to 0x500000. One tick is
 * one nanosecond. */
#define SCRIPT_HEAD                                                                                \
    "run command=[prog,-x] kernel=k libc=l cpu=c cores=2 clock=monotonic started_ns=0 "            \
    "root_pid=100\n"                                                                               \
    "clock 0 0 0\n"                                                                                \
    "stream 1 1 100 100 0\n"                                                                       \
    "1 image 1 image=1 pid=100 parent_pid=1 parent_image=0 fork_id=0 start=7 "                     \
    "executable=/bin/prog "                                                                        \
    "arguments=[prog,-x] allocator=/lib/libc.so.6\n"                                               \
    "1 module 1 1 /bin/prog aa11 0x400000 0x400000 0x500000\n"                                     \
    "1 node 1 0 0x400101\n"                                                                        \
    "1 node 2 1 0x400201\n"                                                                        \
    "1 node 3 1 0x400301\n"
#define SCRIPT_TAIL                                                                                \
    "process_end 1000000000 100 0\n"                                                               \
    "clock 1000000000 1000000000 0\n"                                                              \
    "end 1000000000 events=0\n"

static inline int load_bytes(const void *bytes, size_t n_bytes,
                             const struct profile_options *options, struct profile **profile_out,
                             struct trace_error *error_out)
{
    char path[64];
    const int fd = trace_file(bytes, n_bytes, path);
    const int result = profile_load(path, options, profile_out, error_out);
    close(fd);
    return result;
}

/* The profile of a whole script; aborts where there is none. */
static inline struct profile *load_script_with(const char *script,
                                               const struct profile_options *options)
{
    struct profile *profile = NULL;
    struct trace_error error = {.reason = ""};
    struct trace_bytes trace = trace_write(script);
    if (load_bytes(trace.bytes, trace.n_bytes, options, &profile, &error)) {
        fprintf(stderr, "load: %s\n", error.reason);
        abort();
    }
    free(trace.bytes);
    return profile;
}

static inline struct profile *load_script(const char *script)
{
    return load_script_with(script, NULL);
}

#endif
