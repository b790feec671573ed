/* SPDX-License-Identifier: MIT */
/* How most of an unwind is saved: the outer frames of one stack are nearly always those of the stack
 * before.
 *
 *     before:  main  parse  expr  term  malloc          kept, outermost first
 *     now:     main  parse  expr  call  print  malloc
 *                           ^ met here: same pc, sp and (where it matters) rbp
 *
 * An unwind is a function of the start registers and the stack words it reads. So walk from the inner
 * end until a frame is met that the kept stack has too, then only compare the words that led from
 * there outwards. All equal: the rest is the same. The first difference: walk on from there. The
 * comparison begins at a frame met on the living stack and goes outwards, so it never reads a stack
 * that is gone, and stops before what it does not know to be mapped.
 *
 * rbp is a plain register in most code. It is compared only where an outer frame's CFA counts from it
 * before it is restored (bp_matters); kept values may be stale elsewhere, so a walk that goes on
 * from a kept frame derives rbp again from the frame it met. */
#include "preload/memo.h"

#include "preload/unwind.h"

#include <string.h>

/* From the frame met at `index`, the outermost one that is still reached the same way. */
static size_t first_unchanged(const struct stack *stack, size_t index)
{
    const struct stack_frame *const frames = stack->frames;
    size_t n_words = frames[index].n_words;
    while (n_words > 0 && *stack->words[n_words - 1].at == stack->words[n_words - 1].value)
        n_words--;
    if (n_words == 0)
        return 0;
    while (frames[index - 1].n_words >= n_words)
        index--;
    return index;
}

/* Kept frames met..unchanged + 1 become part of the walk; return the registers at `unchanged`. */
static struct arch_frame take_over(struct stack *stack, size_t met, size_t unchanged, uintptr_t bp,
                                   size_t *n_fresh)
{
    for (size_t i = met; i > unchanged; i--) {
        struct stack_frame *const fresh = &stack->fresh[(*n_fresh)++];
        *fresh = stack->frames[i];
        fresh->at.bp = bp;
        if (fresh->bp_slot)
            bp = *fresh->bp_slot;
    }
    struct arch_frame frame = stack->frames[unchanged].at;
    frame.bp = bp;
    return frame;
}

/* Note the words through which this frame leads to `outer`. */
static void add_words(struct stack *stack, const struct stack_frame *outer,
                      struct stack_frame *frame)
{
    size_t n_words = outer->n_words;
    if (outer->bp_matters && frame->bp_slot)
        stack->words[n_words++] = (struct stack_word){frame->bp_slot, outer->at.bp};
    stack->words[n_words++] =
        (struct stack_word){(const uintptr_t *)outer->at.sp - 1, outer->at.pc};
    frame->n_words = (uint16_t)n_words;
}

/* The first n_shared kept frames stay; put the walked ones on top of them. */
static void assemble(struct stack *stack, size_t n_shared, size_t n_fresh)
{
    uint64_t hash = n_shared ? stack->frames[n_shared - 1].hash : 0;
    bool bp_matters = n_shared ? stack->frames[n_shared - 1].bp_matters : false;
    for (size_t i = n_fresh; i > 0; i--) {
        struct stack_frame *const frame = &stack->frames[n_shared + n_fresh - i];
        *frame = stack->fresh[i - 1];
        hash = stack_hash(hash, frame->at.pc);
        bp_matters = frame->cfa_from_bp || (!frame->bp_slot && bp_matters);
        frame->hash = hash;
        frame->bp_matters = bp_matters;
        if (frame > stack->frames)
            add_words(stack, frame - 1, frame);
    }
    stack->n = stack->n_kept = n_shared + n_fresh;
}

static enum unwind_end give_up(struct stack *stack, enum unwind_end end)
{
    stack->n_kept = 0;
    stack->id = 0;
    return end;
}

enum unwind_end memo_walk(struct stack *stack, const struct arch_frame *caller,
                          const struct unwind_walk *walk, size_t cap)
{
    struct arch_frame frame = *caller;
    size_t n_kept = stack->n_kept; /* frames beyond were passed or found changed */
    size_t n_fresh = 0;
    enum unwind_end end = UNWIND_COMPLETE;
    while (frame.pc != 0) {
        while (n_kept > 0 && stack->frames[n_kept - 1].at.sp < frame.sp)
            n_kept--;
        if (n_kept > 0 && memo_is_met(&stack->frames[n_kept - 1], &frame)) {
            const size_t met = n_kept - 1;
            const size_t unchanged = first_unchanged(stack, met);
            if (unchanged == 0) {
                end = stack->end;
                break;
            }
            if (n_fresh + met - unchanged >= cap)
                return give_up(stack, UNWIND_CUT);
            frame = take_over(stack, met, unchanged, frame.bp, &n_fresh);
            n_kept = unchanged;
        }
        if (n_fresh == cap)
            return give_up(stack, UNWIND_CUT);
        struct stack_frame *const fresh = &stack->fresh[n_fresh++];
        *fresh = (struct stack_frame){.at = frame};
        const struct cfi_rule rule = unwind_rule(walk, frame.pc);
        if (rule.kind == CFI_RULE && unwind_step(walk, &rule, fresh, &frame))
            continue;
        end = rule.kind == CFI_RULE ? UNWIND_UNUSUAL : unwind_end_of(&rule);
        if (end == UNWIND_UNUSUAL)
            return give_up(stack, end);
        n_kept = 0;
        break;
    }
    if (frame.pc == 0)
        n_kept = 0;
    if (n_kept + n_fresh > cap)
        return give_up(stack, UNWIND_CUT);
    stack->id = 0;
    stack->end = end;
    assemble(stack, n_kept, n_fresh);
    return end;
}
