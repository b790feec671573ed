/* SPDX-License-Identifier: MIT */
/* How the calling thread's stack is obtained. The narrow interface behind which unwinders are
 * exchanged: rules compiled from .eh_frame first, the C runtime's unwinder where they do not reach.
 * See docs/UNWINDING.md for why these two. */
#ifndef HEAPWISE_PRELOAD_UNWIND_H
#define HEAPWISE_PRELOAD_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"

struct lane;

/* Unwind from `caller` outwards.
 *
 * Fills lane->pcs[0..n) with return addresses, innermost first, caller->pc being the first; subtract
 * one before symbolizing (the pc of a frame interrupted by a signal is stored plus one to fit).
 * Returns n, at most max_depth. Counts in the lane's ring: fast or fallback, and truncated
 * when frames were left out or no table covers one. Never allocates, locks or makes a system call;
 * for use inside a hook, also in a signal handler. About 10 ns a frame once its rule is known. */
size_t unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth);

/* The two ways by themselves, for tests that compare them. Each fills pcs[0..n), returns n. */
enum unwind_end {
    UNWIND_COMPLETE, /* reached the outermost frame */
    UNWIND_CUT,      /* more frames than `cap` */
    UNWIND_NO_TABLE, /* a frame that no unwind table covers: run-time generated code */
    UNWIND_UNUSUAL,  /* a rule that the fast way does not follow */
};
size_t unwind_fast(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                   enum unwind_end *end_out);
size_t unwind_library(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                      enum unwind_end *end_out);

#endif
