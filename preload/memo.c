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
 * The frames walked become the next stack's upper part as they are; which words lead outwards from one
 * is written down when a later walk meets it. That is as exact as writing it at once: where these words
 * lie and what they were follows from what the walk kept of each frame, and nothing of the program is
 * read for it. Most frames are replaced before they are met.
 *
 * rbp is a plain register in most code. It is derived only when an outer frame's CFA counts from it: from
 * the caller's, through the words where the frames between saved it, of the living stack. It is compared
 * only where such a frame lies further out and it was not saved before (bp_matters); of upper frames that
 * is not known, so it must be equal there if any of them or the one below it is such a frame. Kept values
 * may be stale elsewhere, so a walk never takes rbp from a kept frame. */
#include "preload/memo.h"

#include "preload/unwind_step.h"

/* Above every stack. */
static const struct stack_frame nothing = {.at = {.sp = UINTPTR_MAX}};

/* The kept frame that a walk meets next, if it does: it has passed those with a smaller sp. */
struct kept {
    const struct stack_frame *frame;
    const struct stack_frame *last; /* of the upper part, or of the settled one */
};

/* A walk under way. The frames walked stand where the next stack will have them, innermost last. */
struct walker {
    uintptr_t pc, sp;         /* of the next frame */
    struct stack_frame *next; /* where it goes */
    const struct stack_frame *full;
    struct kept kept;
};

/* Its rbp, derived only where that is asked for: kept apart from what the walk has in registers. */
struct walked_bp {
    uintptr_t value;
    struct stack_frame *of; /* and of all further in `at.bp` is written */
    bool decides;           /* the CFA of one of the frames walked counts from it */
};

static inline struct kept settled_part(const struct stack *stack, const struct stack_frame *frame)
{
    if (frame < stack->frames)
        return (struct kept){.frame = &nothing};
    return (struct kept){.frame = frame, .last = stack->frames};
}

static inline struct kept innermost_kept(const struct stack *stack)
{
    if (stack->n_kept == 0)
        return (struct kept){.frame = &nothing};
    if (stack->n_upper == 0)
        return settled_part(stack, stack->frames + stack->n_kept - 1);
    return (struct kept){.frame = stack->upper, .last = stack->upper_outermost};
}

/* Pass the kept frames that lie further in than sp. */
static inline struct kept pass(const struct stack *stack, struct kept kept, uintptr_t sp)
{
    while (kept.frame->at.sp < sp) {
        if (__builtin_expect(kept.frame != kept.last, 1))
            kept.frame--;
        else if (kept.last != stack->frames)
            kept = settled_part(stack, stack->frames + stack->n_kept - 1);
        else
            kept.frame = &nothing;
    }
    return kept;
}

/* Derive rbp outwards up to `to`, of which only sp need be written. */
static __attribute__((noinline)) uintptr_t derive_bp(struct walked_bp *bp, struct stack_frame *to)
{
    for (; bp->of > to; bp->of--) {
        const uintptr_t *const bp_slot = stack_bp_slot(bp->of, bp->of[-1].at.sp);
        bp->of->at.bp = bp->value;
        if (bp_slot)
            bp->value = *bp_slot;
    }
    return bp->value;
}

/* Tell whether the next frame is a kept one, passing those that it is not. */
static inline bool meets(const struct stack *stack, struct walker *w, struct walked_bp *bp)
{
    w->kept = pass(stack, w->kept, w->sp);
    const struct stack_frame *const frame = w->kept.frame;
    if (frame->at.sp != w->sp || frame->at.pc != w->pc)
        return false;
    const bool bp_matters =
        w->kept.last == stack->frames ? frame->bp_matters : stack->upper_bp_matters;
    if (__builtin_expect(!bp_matters, 1))
        return true;
    w->next->at.sp = w->sp;
    return frame->at.bp == derive_bp(bp, w->next);
}

/* Leave a frame by a rule that counts from rbp. */
static inline bool leave_by_bp(const struct unwind_walk *walk, struct cfi_word rule,
                               struct walker *w, struct walked_bp *bp)
{
    struct arch_frame at = {.pc = w->pc, .sp = w->sp};
    if (cfi_word_kind(rule) != CFI_RULE)
        return false;
    at.bp = w->next->at.bp = derive_bp(bp, w->next);
    bp->decides = true;
    if (!unwind_step(walk, rule, &at))
        return false;
    bp->value = at.bp;
    bp->of = w->next - 1;
    w->pc = at.pc;
    w->sp = at.sp;
    return true;
}

/* The same for one that may count from rsp, as nearly all do. */
static inline bool leave(const struct unwind_walk *walk, struct cfi_word rule, struct walker *w,
                         struct walked_bp *bp)
{
    if (__builtin_expect(!cfi_word_is_plain(rule), 0))
        return leave_by_bp(walk, rule, w, bp);
    const uintptr_t cfa = w->sp + (uintptr_t)cfi_word_cfa_offset(rule);
    if (__builtin_expect(cfa > walk->limit, 0))
        return false;
    w->pc = ((const uintptr_t *)cfa)[-1];
    w->sp = cfa;
    return true;
}

/* Walk until a kept frame is met, then return true; else false and how it ended. */
static inline bool walk_on(const struct stack *stack, const struct unwind_walk *walk,
                           struct walker *w, struct walked_bp *bp, enum unwind_end *end_out)
{
    struct cfi_word rule;
    for (;; w->next--) {
        if (w->sp >= w->kept.frame->at.sp && meets(stack, w, bp))
            return true;
        if (__builtin_expect(w->next == w->full, 0)) {
            *end_out = UNWIND_CUT;
            return false;
        }
        rule = unwind_rule(walk, w->pc);
        w->next->at.pc = w->pc;
        w->next->at.sp = w->sp;
        w->next->rule = rule;
        if (!leave(walk, rule, w, bp))
            break;
    }
    *end_out = UNWIND_COMPLETE;
    if (w->pc != 0) { /* else it led beyond the outermost one */
        *end_out = unwind_end_of(cfi_word_kind(rule));
        w->next--;
    }
    return false;
}

/* Settled frames from `met` outwards, up to the one through which `differs` leads, are those of this stack,
 * too: take them into the walk, which goes on at that one. False where there is no room. */
static __attribute__((noinline)) bool take_over(const struct stack *stack,
                                                const struct stack_frame *met,
                                                const struct stack_word *differs, struct walker *w,
                                                struct walked_bp *bp)
{
    while (met > stack->frames && stack->words + met[-1].n_words > differs) {
        if (w->next == w->full)
            return false;
        w->next->at.pc = met->at.pc;
        w->next->at.sp = met->at.sp;
        w->next->rule = met->rule;
        w->next--;
        bp->decides |= cfi_word_from_bp(met->rule);
        met--;
    }
    w->pc = met->at.pc;
    w->sp = met->at.sp;
    w->kept = settled_part(stack, met - 1);
    return true;
}

/* The kept frame that was met, as a settled one. */
static inline const struct stack_frame *settle_met(struct stack *stack, const struct kept *kept)
{
    if (kept->last == stack->frames)
        return kept->frame;
    stack_settle_from(stack, kept->frame);
    return stack->frames + stack->n_kept - 1;
}

/* The settled frames from `base` outwards stay, none if that is NULL; n_walked ones are put on top. */
static inline void put(struct stack *stack, const struct stack_frame *base,
                       struct stack_frame *outermost, size_t n_walked, struct walked_bp *bp)
{
    struct stack_frame *const innermost = outermost + n_walked - 1;
    struct stack_frame *const top = outermost;
    stack_void(stack);
    stack_order_stores();
    if (__builtin_expect(!base, 0)) {
        base = stack_put_outermost(stack, outermost++);
        n_walked--;
    }
    stack->upper_bp_matters = bp->decides || base->bp_matters;
    if (__builtin_expect(stack->upper_bp_matters, 0) && bp->of >= top)
        top->at.bp = derive_bp(bp, top);
    stack->id = 0;
    stack->upper = innermost;
    stack->upper_outermost = outermost;
    stack->n_upper = n_walked;
    stack->n = base->n + n_walked;
    uint64_t hash = base->hash;
    for (; outermost <= innermost; outermost++)
        hash = stack_hash(hash, outermost->at.pc);
    innermost->hash = hash;
    stack_order_stores();
    stack->n_kept = base->n;
}

static enum unwind_end give_up(struct stack *stack, enum unwind_end end)
{
    stack_void(stack);
    stack->id = 0;
    return end;
}

/* The half of stack->walked that holds no upper frames; its last one. */
static inline struct stack_frame *free_half(struct stack *stack)
{
    struct stack_frame *const first = &stack->walked[0][TRACE_MAX_DEPTH];
    return stack->upper == first ? &stack->walked[1][TRACE_MAX_DEPTH] : first;
}

enum unwind_end memo_walk(struct stack *stack, const struct arch_frame *caller,
                          const struct unwind_walk *walk, size_t cap)
{
    struct stack_frame *const innermost = free_half(stack);
    const struct stack_frame *base = NULL; /* from which outwards all is the same */
    struct walked_bp bp = {.value = caller->bp, .of = innermost};
    struct walker w = {.pc = caller->pc,
                       .sp = caller->sp,
                       .next = innermost,
                       .full = innermost - cap,
                       .kept = innermost_kept(stack)};
    enum unwind_end end;
    while (walk_on(stack, walk, &w, &bp, &end)) {
        const struct stack_frame *const met = settle_met(stack, &w.kept);
        const struct stack_word *const differs = memo_first_difference(stack, met);
        if (differs == stack->words) {
            base = met;
            end = stack->end;
            break;
        }
        struct walker on = w; /* which stays in registers */
        if (!take_over(stack, met, differs, &on, &bp))
            return give_up(stack, UNWIND_CUT);
        w = on;
    }
    const size_t n_walked = (size_t)(innermost - w.next);
    if (base && n_walked + base->n > cap)
        return give_up(stack, UNWIND_CUT);
    if (!base && (end == UNWIND_CUT || end == UNWIND_UNUSUAL || n_walked == 0))
        return give_up(stack, n_walked == 0 ? UNWIND_UNUSUAL : end);
    if (base && n_walked == 0 && base->n == stack->n) {
        stack->whole = base;
        return end; /* the same one */
    }
    stack->end = end;
    put(stack, base, w.next + 1, n_walked, &bp);
    return end;
}
