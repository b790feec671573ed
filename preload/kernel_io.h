/* SPDX-License-Identifier: MIT */
/* What the kernel counted of this process, /proc/self/io: the measure that all recorded calls together are
 * held against. Its numbers have the children that were waited for in them. Source: proc(5). */
#ifndef HEAPWISE_PRELOAD_KERNEL_IO_H
#define HEAPWISE_PRELOAD_KERNEL_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/event_io.h"
#include "preload/lane.h"
#include "preload/session.h"

/* Record it as an image begins: what the loader and we read so far is in it, this reading too. */
void kernel_io_begin(struct lane *lane);

/* Record it as late as possible: before exec, _exit, and when the shim's destructor runs. May be called
 * more than once; the last counts. Nothing in a vfork child, or where a filter may forbid reading. What the shim
 * itself read since the begin is taken off, and recorded apart: it is in what the collector reads later. */
void kernel_io_end(void);

/* Count a read of the shim's own, but in a vfork child, whose reads are another process's. Any thread. */
static inline void kernel_io_own(long result)
{
    if (thread_in_vfork)
        return;
    atomic_fetch_add_explicit(&session.n_own_reads, 1, memory_order_relaxed);
    if (result > 0)
        atomic_fetch_add_explicit(&session.own_read_bytes, (uint64_t)result, memory_order_relaxed);
}

/* Take the counts from the text of /proc/self/io. Returns false where one is missing. */
bool kernel_io_parse(const char *text, struct event_kernel_io *counts_out);

#endif
