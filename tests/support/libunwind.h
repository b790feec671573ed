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

/* Tell whether libunwind is not to be asked beyond a frame interrupted at `pc`. In a realigned frame's last instructions
 * its table is not exact: libunwind 1.6.2 follows the word that it names without asking whether it is mapped, and
 * dies where rbp is in other use (seen: 0xcccccccd, a divisor's inverse). In longjmp(3) it takes the CFA for the
 * caller's sp, though the table says where that is: the frames beyond are wrong, or missing. */
bool libunwind_is_risky(uintptr_t pc);

/* Load it. Returns false where it is not installed. */
bool libunwind_open(struct libunwind *library_out);

#endif
