/* SPDX-License-Identifier: MIT */
/* The last stack of a lane: what it is called, and everything needed to see that it is still there.
 *
 *      upper      innermost ... outermost new one        as they were walked
 *      frames     top ... main                           settled: with words, hash, what rbp is for
 *
 * Frames are settled outermost first, so that a stack that differs only at its inner end shares its
 * beginning. Frame i was reached from frame i + 1 by reading two words of the stack: the return
 * address just below sp[i], and rbp, if it was saved there and matters. These words stand in a list
 * of their own, so that comparing them is one short loop.
 *
 * New frames stay where they were walked until a later walk meets one of them, or their nodes must be
 * made: most are replaced by the next stack before that. */
#ifndef HEAPWISE_PRELOAD_STACK_H
#define HEAPWISE_PRELOAD_STACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/cfi.h"
#include "trace/trace_format.h"

/* How a walk ended. */
enum unwind_end {
    UNWIND_COMPLETE, /* reached the outermost frame */
    UNWIND_CUT,      /* more frames than `cap` */
    UNWIND_NO_TABLE, /* a frame that no unwind table covers: run-time generated code */
    UNWIND_UNUSUAL,  /* a rule that the fast way does not follow */
};

struct stack {
    size_t n;       /* frames */
    size_t n_kept;  /* frames[0..n_kept) are settled and may be compared with the next stack; 0 when
                       this one must not: it was cut at the depth limit, or found by the fallback */
    size_t n_upper; /* frames above them, n - n_kept; means nothing where n_kept is 0 */
    /* The innermost frame once the whole stack was met again as it is: all settled and kept; else NULL. */
    const struct stack_frame *whole;
    uint32_t id;                         /* its stack id, 0 while not yet known */
    enum unwind_end end;                 /* of the outermost frame */
    uint32_t generation;                 /* of the module list when it was walked */
    struct stack_frame *upper;           /* the innermost of them, and in memory below it */
    struct stack_frame *upper_outermost; /* the others, down to this one */
    bool upper_bp_matters; /* in any of them rbp may decide how an outer frame is found */
    /* The words that lead from frame to frame, the outermost first, behind one that is never equal. */
    struct stack_word {
        const uintptr_t *at;
        uintptr_t value;
    } words[1 + 2 * TRACE_MAX_DEPTH];
    struct stack_frame {
        struct arch_frame
            at; /* pc, sp, bp while this frame was the innermost; bp where it matters */
        struct cfi_word rule; /* how it leads to the next: CFA is that one's sp */
        uint64_t hash;        /* of the return addresses from the outermost to this one */
        /* Not of upper frames, of which only the innermost has a hash. */
        bool bp_matters;  /* rbp here decides how an outer frame is found */
        uint16_t n;       /* frames from here to the outermost, both counted */
        uint16_t n_words; /* words[0..n_words) lead from here to the outermost */
    } frames[TRACE_MAX_DEPTH];
    /* One half has `upper`, its last frame; the next walk fills the other. */
    struct stack_frame walked[2][1 + TRACE_MAX_DEPTH];
};

/* One more return address on top of a path. The next address meets a hash whose every bit depends on
 * the lower bits before; 64 bits tell paths apart, with the last address kept beside them. Few
 * instructions that wait for each other: a walk waits for this chain. */
static inline uint64_t stack_hash(uint64_t outer, uintptr_t pc)
{
    const uint64_t value = (outer ^ pc) * UINT64_C(0x9fb21c651e98df25);
    return value << 32 | value >> 32;
}

/* Where a frame saved its caller's rbp, by the caller's sp; NULL: it is still in rbp. */
static inline const uintptr_t *stack_bp_slot(const struct stack_frame *frame, uintptr_t cfa)
{
    return cfi_word_bp_saved(frame->rule) ? (const uintptr_t *)cfa + cfi_word_bp_words(frame->rule)
                                          : NULL;
}

/* Compare outwards from a word that is of the living stack: the first that is another one, words[0] when none is.
 * Reads nothing beyond it. About 0.5 ns a word. */
static inline const struct stack_word *stack_first_difference(const struct stack_word *word)
{
    for (;; word -= 4) { /* four a round: the fewest instructions a word */
        if (*word[0].at != word[0].value)
            return word;
        if (*word[-1].at != word[-1].value)
            return word - 1;
        if (*word[-2].at != word[-2].value)
            return word - 2;
        if (*word[-3].at != word[-3].value)
            return word - 3;
    }
}

/* Frame i from the outermost, 0 <= i < stack->n; of an upper one only `at` and `rule` are known. */
static inline const struct stack_frame *stack_frame_at(const struct stack *stack, size_t i)
{
    const size_t n_below = stack->n - stack->n_upper;
    return i < n_below ? &stack->frames[i] : stack->upper - (stack->n - 1 - i);
}

/* The innermost frame of a stack that has one; its hash is that of the whole stack. */
static inline const struct stack_frame *stack_innermost(const struct stack *stack)
{
    return stack->n_upper ? stack->upper : &stack->frames[stack->n - 1];
}

/* Forget what is kept for comparing: the next stack shares nothing with this one. */
static inline void stack_void(struct stack *stack)
{
    stack->n_kept = 0;
    stack->n_upper = 0;
    stack->whole = NULL;
}

/* Stores before this are done before those after it, as a handler that leaves a hook for good sees them. */
static inline void stack_order_stores(void)
{
    atomic_signal_fence(memory_order_release);
}

/* Settle the upper frames from `innermost` outwards, and forget those above it: with them gone, the stack
 * is another one and has no id. No change where there are no upper frames. */
void stack_settle_from(struct stack *stack, const struct stack_frame *innermost);

/* Settle all: frames[0..n) hold the stack. */
static inline void stack_settle(struct stack *stack)
{
    stack_settle_from(stack, stack->upper);
}

/* Make the outermost frame of a void stack, frames[0], from a walked one, whose bp is written if its CFA counts
 * from it. A rule that leads on from there led to a return address of zero: a word to compare, too. */
const struct stack_frame *stack_put_outermost(struct stack *stack,
                                              const struct stack_frame *walked);

#endif
