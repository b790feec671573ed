/* SPDX-License-Identifier: MIT */
/* The caller's resource limits, and how the collector escapes those meant for the program.
 *
 * The command must see the caller's limits unchanged, so rlimits_raise() is called only after it was
 * forked. */
#ifndef HEAPWISE_COLLECTOR_RLIMITS_H
#define HEAPWISE_COLLECTOR_RLIMITS_H

#include <stdint.h>

struct rlimits {
    uint64_t caller_file_bytes; /* RLIMIT_FSIZE as the caller set it; UINT64_MAX for none */
    uint64_t own_file_bytes;    /* what this process may now reach; UINT64_MAX for none */
    uint64_t files;             /* RLIMIT_NOFILE now */
};

/* Raise this process's own limits on file size, memory, descriptors and CPU time as far as it may:
 * to infinity with CAP_SYS_RESOURCE, else to the hard limit. Never fails; says what came of it. */
void rlimits_raise(struct rlimits *limits_out);

#endif
