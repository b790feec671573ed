/* SPDX-License-Identifier: MIT */
/* Hold the shim's unwinders against libunwind, at the same point of the same stack.
 *
 * oracle_check() takes the stack of its caller four times: by rules (unwind_fast), by the C runtime's
 * unwinder (unwind_library), as the shim does it with the memo of the call before (unwind_stack),
 * and with libunwind's unw_backtrace(3), which is loaded with dlopen so that its own _Unwind_* names
 * cannot take the place of ours. All return addresses must be the same. Known differences, by name:
 *   - a frame interrupted by a signal: libunwind gives the address of the instruction, ours is one
 *     more (so that "less one" finds it);
 *   - unw_backtrace() takes a shortcut that remembers frames of unloaded libraries; where it differs,
 *     unw_step(3) decides;
 *   - a realigned frame (its CFA is a DWARF expression) that a signal interrupted in its first or last
 *     instructions: gcc's tables are not exact there, and ours stop where a word they name lies outside
 *     the stack. libunwind may crash there, so that such a stack is compared between our ways only
 *     (n_unasked);
 *   - the end: where libunwind has no table for a frame it may guess on; ours stop there, and do not
 *     count frames above an address of zero.
 * Thread-safe; may be called in a signal handler. */
#ifndef HEAPWISE_TESTS_ORACLE_H
#define HEAPWISE_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"

struct oracle_counts {
    size_t n_checks;
    size_t n_wrong;    /* any of the three differed */
    size_t n_fast;     /* stacks the rules walked to their end */
    size_t n_unusual;  /* stacks that needed the library */
    size_t n_by_steps; /* stacks that unw_backtrace() got wrong and unw_step() right */
    size_t n_unasked;  /* stacks that libunwind was not asked for, as it might crash */
    size_t n_frames;   /* in all */
    size_t deepest;    /* most frames of a stack */
    char first[4096];  /* what was wrong first, as text */
};

/* Load libunwind. Returns false where it is not installed. */
bool oracle_open(void);

/* Compare for the stack that `caller` begins; `where` names the place. Returns whether all agreed. */
bool oracle_check(const struct arch_frame *caller, const char *where);

/* Take the caller's stack by our three ways only, for stacks on which libunwind itself crashes: all three
 * must begin alike and return. */
void oracle_survive(const struct arch_frame *caller);

/* Tell that modules have come or gone. */
void oracle_new_generation(void);

struct oracle_counts oracle_counts(void);

#endif
