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

/* From a settled frame that was met on the living stack, compare outwards: the first word that is
 * another one, words[0] when none is. Reads nothing beyond it. About 0.5 ns a frame. */
static inline const struct stack_word *memo_first_difference(const struct stack *stack,
                                                             const struct stack_frame *met)
{
    return stack_first_difference(stack->words + met->n_words - 1);
}

/* Tell whether the caller's stack is the kept one, frame by frame, and was it before. Reads only words of
 * the living stack: outwards from the frame met, up to the first difference. */
static inline bool memo_holds(const struct stack *stack, const struct arch_frame *caller,
                              uint32_t generation)
{
    const struct stack_frame *const innermost = stack->whole;
    return innermost && stack->generation == generation && memo_is_met(innermost, caller) &&
           memo_first_difference(stack, innermost) == stack->words;
}

/* Walk, sharing with the kept stack what is still the same. On UNWIND_COMPLETE and UNWIND_NO_TABLE
 * `stack` is the one found; its id stays when it is the one before, else is 0. Otherwise `stack` is
 * void, and its first frames may be overwritten. */
enum unwind_end memo_walk(struct stack *stack, const struct arch_frame *caller,
                          const struct unwind_walk *walk, size_t cap);

#endif
