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

#include "preload/unwind_step.h"

#include <string.h>

/* From the frame that was met, the outermost one that is still reached the same way. */
static struct stack_frame *first_unchanged(struct stack *stack, struct stack_frame *met)
{
    const struct stack_word *word = stack->words + met->n_words;
    while (word > stack->words && *word[-1].at == word[-1].value)
        word--;
    if (word == stack->words)
        return stack->frames;
    while (stack->words + met[-1].n_words >= word)
        met--;
    return met;
}

/* One by one: a wide load of what was just written in small parts would have to wait for it. */
static inline void set_fresh(struct stack_frame *fresh, const struct arch_frame *at,
                             const uintptr_t *bp_slot, bool cfa_from_bp)
{
    fresh->at.pc = at->pc;
    fresh->at.sp = at->sp;
    fresh->at.bp = at->bp;
    fresh->bp_slot = bp_slot;
    fresh->cfa_from_bp = cfa_from_bp;
}

/* Kept frames from `met` down to the one above `unchanged` become part of the walk, met - unchanged in
 * number; return the registers at `unchanged`. */
static __attribute__((noinline)) struct arch_frame take_over(const struct stack_frame *met,
                                                             const struct stack_frame *unchanged,
                                                             uintptr_t bp,
                                                             struct stack_frame *fresh)
{
    for (; met > unchanged; met--) {
        const struct arch_frame at = {.pc = met->at.pc, .sp = met->at.sp, .bp = bp};
        set_fresh(fresh++, &at, met->bp_slot, met->cfa_from_bp);
        if (met->bp_slot)
            bp = *met->bp_slot;
    }
    return (struct arch_frame){.pc = unchanged->at.pc, .sp = unchanged->at.sp, .bp = bp};
}

/* The outermost frame: nothing leads on from it. */
static void put_outermost(struct stack_frame *frame, const struct stack_frame *fresh)
{
    set_fresh(frame, &fresh->at, fresh->bp_slot, fresh->cfa_from_bp);
    frame->bp_matters = fresh->cfa_from_bp;
    frame->n_words = 0;
    frame->hash = stack_hash(0, fresh->at.pc);
}

/* A frame on top of `outer`, and the words through which it leads there. */
static inline void put_on_top(struct stack_word *words, const struct stack_frame *outer,
                              struct stack_frame *frame, const struct stack_frame *fresh)
{
    size_t n_words = outer->n_words;
    set_fresh(frame, &fresh->at, fresh->bp_slot, fresh->cfa_from_bp);
    frame->bp_matters = fresh->cfa_from_bp || (!fresh->bp_slot && outer->bp_matters);
    frame->hash = stack_hash(outer->hash, fresh->at.pc);
    if (outer->bp_matters && fresh->bp_slot) {
        words[n_words].at = fresh->bp_slot;
        words[n_words++].value = outer->at.bp;
    }
    words[n_words].at = (const uintptr_t *)outer->at.sp - 1;
    words[n_words++].value = outer->at.pc;
    frame->n_words = (uint16_t)n_words;
}

/* The same for frames of which none, down to the outermost, counts from rbp: no other words matter. */
static struct stack_frame *put_plain(struct stack_word *words, struct stack_frame *frame,
                                     const struct stack_frame *fresh,
                                     const struct stack_frame *first)
{
    uintptr_t pc = frame[-1].at.pc, sp = frame[-1].at.sp;
    uint64_t hash = frame[-1].hash;
    uint16_t n_words = frame[-1].n_words;
    for (; fresh > first; frame++) {
        words[n_words].at = (const uintptr_t *)sp - 1;
        words[n_words++].value = pc;
        fresh--;
        pc = fresh->at.pc;
        sp = fresh->at.sp;
        hash = stack_hash(hash, pc);
        frame->at.pc = pc;
        frame->at.sp = sp;
        frame->bp_slot = fresh->bp_slot;
        frame->cfa_from_bp = frame->bp_matters = false;
        frame->n_words = n_words;
        frame->hash = hash;
    }
    return frame;
}

/* The kept frames below `frame` stay; put those walked, [stack->fresh, fresh), on top of them. */
static inline void assemble(struct stack *stack, struct stack_frame *frame,
                            const struct stack_frame *fresh, bool any_from_bp)
{
    if (frame == stack->frames && fresh > stack->fresh)
        put_outermost(frame++, --fresh);
    if (!any_from_bp && fresh > stack->fresh && !frame[-1].bp_matters) {
        frame = put_plain(stack->words, frame, fresh, stack->fresh);
    } else {
        for (; fresh > stack->fresh; frame++)
            put_on_top(stack->words, frame - 1, frame, --fresh);
    }
    stack->n = stack->n_kept = (size_t)(frame - stack->frames);
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
    struct stack_frame *kept =
        stack->frames + stack->n_kept; /* those beyond were passed, or changed */
    struct stack_frame *fresh = stack->fresh;
    struct stack_frame *const full = stack->fresh + cap;
    struct arch_frame at = *caller;
    enum unwind_end end = UNWIND_COMPLETE;
    bool any_from_bp = false;
    while (at.pc != 0) {
        while (kept > stack->frames && kept[-1].at.sp < at.sp)
            kept--;
        if (kept > stack->frames && memo_is_met(kept - 1, &at)) {
            struct stack_frame *const unchanged = first_unchanged(stack, kept - 1);
            if (unchanged == stack->frames) {
                end = stack->end;
                goto known;
            }
            if (kept - 1 - unchanged >= full - fresh)
                return give_up(stack, UNWIND_CUT);
            at = take_over(kept - 1, unchanged, at.bp, fresh);
            any_from_bp = true; /* or not: it was not looked at */
            fresh += kept - 1 - unchanged;
            kept = unchanged;
        }
        if (fresh == full)
            return give_up(stack, UNWIND_CUT);
        const struct cfi_rule rule = unwind_rule(walk, at.pc);
        fresh->at.pc = at.pc;
        fresh->at.sp = at.sp;
        fresh->at.bp = at.bp;
        fresh->cfa_from_bp = rule.cfa_from_bp;
        any_from_bp |= rule.cfa_from_bp;
        fresh->bp_slot = NULL;
        fresh++;
        if (__builtin_expect(
                rule.kind == CFI_RULE && unwind_step(walk, &rule, &at, &fresh[-1].bp_slot), 1))
            continue;
        end = rule.kind == CFI_RULE ? UNWIND_UNUSUAL : unwind_end_of(&rule);
        if (end == UNWIND_UNUSUAL)
            return give_up(stack, end);
        break;
    }
    kept = stack->frames; /* none was met to the end */
known:
    if ((kept - stack->frames) + (fresh - stack->fresh) > (ptrdiff_t)cap)
        return give_up(stack, UNWIND_CUT);
    stack->id = 0;
    stack->end = end;
    assemble(stack, kept, fresh, any_from_bp);
    return end;
}
