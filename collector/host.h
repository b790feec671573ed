/* SPDX-License-Identifier: MIT */
/* What a trace says of the machine it was made on. */
#ifndef HEAPWISE_COLLECTOR_HOST_H
#define HEAPWISE_COLLECTOR_HOST_H

#include <stdint.h>

struct host {
    char kernel[256]; /* "6.1.0-13-amd64" */
    char libc[64];    /* "glibc 2.36" */
    char cpu[128];    /* the processor's model name, "" where unknown */
    uint32_t n_cores;
    uint32_t page_bytes;
};

/* Fill in what can be found. Never fails. */
void host_describe(struct host *host_out);

/* How many seccomp filters this process is under; 0 also where the kernel does not say (before 5.9). */
uint32_t host_count_filters(void);

#endif
