/* SPDX-License-Identifier: MIT */
/* Who this process is, for its image record: executable, arguments, start time, allocator. Read
 * once at attaching, through /proc, because no constructor may have run yet. */
#ifndef HEAPWISE_PRELOAD_IMAGE_H
#define HEAPWISE_PRELOAD_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "preload/lane.h"

/* Find NAME=value in the environment; copies value and returns its length, 0 where absent or longer
 * than cap - 1. Uses `environ` once libc has set it, else /proc/self/environ. */
size_t image_environment(const char *name, char *value_out, size_t cap);

/* Read what the record needs. The result belongs to the shim. */
void image_read(void);

/* Read the start time again: a forked child has its own. */
void image_read_start_time(void);

/* How many seccomp filters the process is under; 0 also where that cannot be told (Linux before 5.9). */
uint32_t image_count_filters(void);

/* The running executable's path, "" where unknown. */
const char *image_executable(void);

/* Write TRACE_IMAGE for the current process into the lane. */
void image_announce(struct lane *lane);

#endif
