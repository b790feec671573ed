/* SPDX-License-Identifier: MIT */
/* What a descriptor leads to: told once, before its first transfer.
 *
 * A bit per descriptor says that it was; closing, duplicating onto, connecting and opening clear it. Which
 * descriptors are open is not kept here at all: a descriptor may come from libc, from the parent, or
 * through a socket. From IDENTITY_BITS on there are no bits, and the identity is told at each transfer:
 * the kernel's own bound of a process's descriptors is as high unless raised (fs.nr_open). The bits are
 * in pages of which only those used take memory. Async-signal-safe; errno is kept. */
#ifndef HEAPWISE_PRELOAD_IDENTITY_H
#define HEAPWISE_PRELOAD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/session.h"

enum { IDENTITY_BITS = 1 << 20 };

static inline bool identity_is_told(int fd)
{
    if (__builtin_expect((unsigned)fd >= IDENTITY_BITS, 0))
        return fd < 0; /* the call will be refused */
    return atomic_load_explicit(&session.told[fd / 64], memory_order_relaxed) >> (fd % 64) & 1;
}

/* Whatever fd leads to now is not what was told of it. Needs a session that is on. */
static inline void identity_forget(int fd)
{
    if (identity_is_told(fd) && (unsigned)fd < IDENTITY_BITS)
        atomic_fetch_and_explicit(&session.told[fd / 64], ~(UINT64_C(1) << (fd % 64)),
                                  memory_order_relaxed);
}

/* The same for first..last. Cost: a step per 64 of those that there are bits for. */
void identity_forget_range(uint32_t first, uint32_t last);

/* Record what fd leads to, unless that was done. Makes six system calls at most; nothing where a filter may
 * forbid them, and nothing for descriptors that are not open. */
void identity_tell(int fd);

#endif
