/* SPDX-License-Identifier: MIT */
/* The memo of the last stack: how to see that it is still there, and how to reuse what is left of it.
 * How it works, and why it is exact: memo.c. */
#ifndef HEAPWISE_PRELOAD_MEMO_H
#define HEAPWISE_PRELOAD_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/stack.h"

struct unwind_walk;

/* Tell whether a kept frame is the one that was met on the living stack. */
static inline bool memo_is_met(const struct stack_frame *kept, const struct arch_frame *frame)
{
    return kept->at.sp == frame->sp && kept->at.pc == frame->pc &&
           (!kept->bp_matters || kept->at.bp == frame->bp);
}

/* Tell whether the caller's stack is the kept one, frame by frame. Reads only words of the living
 * stack: outwards from the frame met, up to the first difference. Below 1 ns a frame. */
static inline bool memo_holds(const struct stack *stack, const struct arch_frame *caller,
                              uint32_t generation)
{
    if (stack->n_kept == 0 || stack->generation != generation)
        return false;
    const struct stack_frame *const innermost = &stack->frames[stack->n_kept - 1];
    if (!memo_is_met(innermost, caller))
        return false;
    const struct stack_word *word = stack->words + innermost->n_words;
    while (word > stack->words) {
        word--;
        if (*word->at != word->value)
            return false;
    }
    return true;
}

/* Walk, sharing with stack->frames what is still the same. On UNWIND_COMPLETE and UNWIND_NO_TABLE
 * `stack` is the new one, its id unknown; else it is void (n_kept 0) and its first frames may be
 * overwritten. */
enum unwind_end memo_walk(struct stack *stack, const struct arch_frame *caller,
                          const struct unwind_walk *walk, size_t cap);

#endif
