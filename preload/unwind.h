/* SPDX-License-Identifier: MIT */
/* How the calling thread's stack is obtained. The narrow interface behind which unwinders are
 * exchanged: rules compiled from .eh_frame first, with a memo of the stack before; the C runtime's
 * unwinder where they do not reach. See docs/UNWINDING.md for why these. */
#ifndef HEAPWISE_PRELOAD_UNWIND_H
#define HEAPWISE_PRELOAD_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/stack.h"

struct lane;

/* Unwind from `caller` outwards into lane->stack, at most max_depth frames (the innermost ones). Where
 * caller->sp is 0 nothing but its pc is known, and the stack is that one frame, not counted as truncated.
 *
 * The frames' pc are return addresses, caller->pc being the innermost; subtract one before
 * symbolizing (the pc of a frame interrupted by a signal is stored plus one to fit). Keeps
 * stack.id when the stack is the one of the call before. Counts in the lane's ring: fast or
 * fallback, and truncated when frames were left out or no table covers one. Never allocates, locks or
 * makes a system call; for use inside a hook, also in a signal handler.
 * Cost: about 10 ns per new frame, below 1 ns per frame shared with the call before. */
void unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth);

/* Go outwards from *frame, whose pc lies in [start, end), to the first frame whose pc does not. False where the
 * way there is unusual, or there is none; *frame is unchanged then. As safe as unwind_stack(). */
bool unwind_out_of(uintptr_t start, uintptr_t end, struct arch_frame *frame);

/* The single ways, for tests that compare them. Each fills pcs[0..n), innermost first; returns n. */
size_t unwind_fast(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                   enum unwind_end *end_out);
size_t unwind_library(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                      enum unwind_end *end_out);

/* Let the runtime's unwinder do what it does once, behind pthread_once(): a signal handler that interrupted
 * that would wait for itself. */
void unwind_library_prepare(void);

#endif
