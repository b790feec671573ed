/* SPDX-License-Identifier: MIT */
/* How walked frames become settled ones.
 *
 * A program may leave a hook for good in the middle (longjmp from a signal handler). So nothing is kept
 * while frames are being written, and n_kept comes back last. */
#include "preload/stack.h"

/* What the first word is compared with, and differs from. */
static const uintptr_t never_equal = 1;

/* One by one: a wide load of what was just written in small parts would have to wait for it. */
static inline void set_walked(struct stack_frame *frame, const struct stack_frame *walked)
{
    frame->at.pc = walked->at.pc;
    frame->at.sp = walked->at.sp;
    frame->at.bp = walked->at.bp;
    frame->rule = walked->rule;
}

/* A frame on top of `outer`, and the words through which it leads there. */
static inline void put_one(struct stack_word *words, const struct stack_frame *outer,
                           struct stack_frame *frame, const struct stack_frame *walked)
{
    const uintptr_t *const bp_slot = stack_bp_slot(walked, outer->at.sp);
    size_t n_words = outer->n_words;
    set_walked(frame, walked);
    frame->bp_matters = cfi_word_from_bp(walked->rule) || (!bp_slot && outer->bp_matters);
    frame->hash = stack_hash(outer->hash, walked->at.pc);
    if (outer->bp_matters && bp_slot) {
        words[n_words].at = bp_slot;
        words[n_words++].value = outer->at.bp;
    }
    words[n_words].at = (const uintptr_t *)outer->at.sp - 1;
    words[n_words++].value = outer->at.pc;
    frame->n_words = (uint16_t)n_words;
    frame->n = (uint16_t)(outer->n + 1);
}

/* Settle walked[0..n), the outermost first, from `frame` on. */
static void put_on_top(struct stack_word *words, struct stack_frame *frame,
                       const struct stack_frame *walked, size_t n)
{
    const struct stack_frame *const end = walked + n;
    for (; walked < end; walked++, frame++)
        put_one(words, frame - 1, frame, walked);
}

/* The same where none of these frames, down to the outermost of all, counts from rbp: no other words matter. */
static void put_plain(struct stack_word *words, struct stack_frame *frame,
                      const struct stack_frame *walked, size_t n)
{
    const struct stack_frame *const end = walked + n;
    uintptr_t pc = frame[-1].at.pc, sp = frame[-1].at.sp;
    uint64_t hash = frame[-1].hash;
    uint16_t n_words = frame[-1].n_words, n_frames = frame[-1].n;
    for (; walked < end; walked++, frame++) {
        words[n_words].at = (const uintptr_t *)sp - 1;
        words[n_words++].value = pc;
        pc = walked->at.pc;
        sp = walked->at.sp;
        hash = stack_hash(hash, pc);
        frame->at.pc = pc;
        frame->at.sp = sp;
        frame->rule = walked->rule;
        frame->bp_matters = false;
        frame->n_words = n_words;
        frame->n = ++n_frames;
        frame->hash = hash;
    }
}

const struct stack_frame *stack_put_outermost(struct stack *stack, const struct stack_frame *walked)
{
    struct stack_frame *const frame = &stack->frames[0];
    const struct cfi_word rule = walked->rule;
    const uintptr_t base = cfi_word_from_bp(rule) ? walked->at.bp : walked->at.sp;
    const uintptr_t cfa = base + (uintptr_t)cfi_word_cfa_offset(rule);
    stack->words[0] = (struct stack_word){.at = &never_equal, .value = never_equal + 1};
    stack->words[1] = (struct stack_word){.at = (const uintptr_t *)cfa - 1, .value = 0};
    set_walked(frame, walked);
    frame->bp_matters = cfi_word_from_bp(rule);
    frame->n = 1;
    frame->n_words = cfi_word_kind(rule) == CFI_RULE ? 2 : 1;
    frame->hash = stack_hash(0, walked->at.pc);
    return frame;
}

void stack_settle_from(struct stack *stack, const struct stack_frame *innermost)
{
    const size_t n_kept = stack->n_kept;
    if (stack->n_upper == 0)
        return;
    const struct stack_frame *const outermost = stack->upper_outermost;
    const size_t n = (size_t)(innermost - outermost) + 1;
    struct stack_frame *const frames = stack->frames + n_kept;
    if (innermost != stack->upper)
        stack->id = 0;
    stack_void(stack);
    stack_order_stores();
    if (stack->upper_bp_matters)
        put_on_top(stack->words, frames, outermost, n);
    else
        put_plain(stack->words, frames, outermost, n);
    stack_order_stores();
    stack->n = stack->n_kept = n_kept + n;
}
