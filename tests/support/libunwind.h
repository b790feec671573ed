/* SPDX-License-Identifier: MIT */
/* libunwind, loaded where a test wants it: linked, its own _Unwind_* names would take the place of ours. */
#ifndef HEAPWISE_TESTS_LIBUNWIND_H
#define HEAPWISE_TESTS_LIBUNWIND_H

#include <stdbool.h>
#include <stdint.h>
#define UNW_LOCAL_ONLY
#include <libunwind.h>

struct libunwind {
    void **space; /* of the own process */
    int (*backtrace)(void **pcs, int n);
    void (*flush)(void *space, uintptr_t low, uintptr_t high);
    int (*getcontext)(unw_context_t *context);
    int (*init)(unw_cursor_t *cursor, unw_context_t *context);
    int (*step)(unw_cursor_t *cursor);
    int (*get)(unw_cursor_t *cursor, int number, unw_word_t *value_out);
    int (*find)(void *space, uintptr_t pc, unw_proc_info_t *info_out, void *argument);
};

/* Tell whether `pc`, in a module's code, is the kernel's way out of a signal handler. */
bool libunwind_is_trampoline(uintptr_t pc);

/* Tell whether libunwind may die of a frame interrupted at `pc`: the frame is a realigned one, whose table is not exact
 * in its last instructions. libunwind 1.6.2 follows a word that the table names without asking whether it is
 * mapped, and it need not be where rbp is in other use (seen: rbp = 0xcccccccd, a divisor's inverse). */
bool libunwind_is_risky(uintptr_t pc);

/* Load it. Returns false where it is not installed. */
bool libunwind_open(struct libunwind *library_out);

#endif
