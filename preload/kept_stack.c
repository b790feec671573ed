/* SPDX-License-Identifier: MIT */
#include "preload/kept_stack.h"

#include "preload/event.h"
#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/session.h"

static inline uint64_t now_valid(const struct lane *lane)
{
    return (uint64_t)lane->tree.age << 32 | modules_generation();
}

static inline bool is_place_of(const struct kept_stack *kept, const struct arch_frame *caller)
{
    return kept->at.pc == caller->pc && kept->at.sp == caller->sp;
}

/* Reads words of the living stack only, and none beyond the first that is another: words[0] always is. */
static inline bool holds(const struct lane *lane, const struct kept_stack *kept,
                         const struct arch_frame *caller)
{
    if (!is_place_of(kept, caller) || kept->n_words == 0 || kept->valid_in != now_valid(lane) ||
        (kept->bp_matters && kept->at.bp != caller->bp))
        return false;
    const struct stack_word *word = kept->words + kept->n_words - 1;
    while (*word->at == word->value)
        word--;
    return word == kept->words;
}

/* Keep the lane's stack, if it is one that may be compared. */
static void keep(struct lane *lane, struct kept_stack *kept)
{
    struct stack *const stack = &lane->stack;
    kept->n_words = 0;
    if (stack->n_kept == 0 || stack->id == 0 || stack->end != UNWIND_COMPLETE)
        return;
    stack_settle(stack);
    const struct stack_frame *const innermost = stack_innermost(stack);
    if (innermost->n_words > KEPT_STACK_WORDS)
        return;
    for (size_t i = 0; i < innermost->n_words; i++)
        kept->words[i] = stack->words[i];
    kept->at.bp = innermost->at.bp;
    kept->bp_matters = innermost->bp_matters;
    kept->id = stack->id;
    kept->valid_in = now_valid(lane);
    stack_order_stores();
    kept->n_words = innermost->n_words;
}

/* A stack is kept when it comes for the second time; where they change at one place, ever more rarely. */
static bool is_due(uint32_t n_missed)
{
    return n_missed > 1 && (n_missed & (n_missed - 1)) == 0;
}

/* Either of a caller's two entries, in turn: of two callers that have the same ones, each soon has one. A handler
 * that never comes back may not leave the words of another caller. */
static struct kept_stack *claim(struct kept_stacks *stacks, size_t place,
                                const struct arch_frame *caller)
{
    struct kept_stack *const kept = &stacks->places[(place & ~(size_t)1) + stacks->n_claims++ % 2];
    kept->n_words = 0;
    stack_order_stores();
    kept->at = *caller;
    kept->n_missed = 0;
    return kept;
}

static __attribute__((noinline)) uint32_t id_anew(struct lane *lane, struct kept_stacks *stacks,
                                                  size_t place, const struct arch_frame *caller)
{
    const uint32_t id = event_unwound_stack(lane, caller);
    struct kept_stack *kept = &stacks->places[place];
    if (!is_place_of(kept, caller))
        kept = &stacks->places[place ^ 1];
    if (!is_place_of(kept, caller))
        kept = claim(stacks, place, caller);
    kept->n_missed++;
    if (is_due(kept->n_missed))
        keep(lane, kept);
    return id;
}

uint32_t kept_stack_id(struct lane *lane, struct kept_stacks *stacks,
                       const struct arch_frame *caller)
{
    const size_t place = (caller->pc ^ caller->pc >> 7 ^ caller->sp >> 4) % KEPT_STACKS;
    struct kept_stack *kept = &stacks->places[place];
    if (!is_place_of(kept, caller))
        kept = &stacks->places[place ^ 1];
    if (__builtin_expect(!holds(lane, kept, caller), 0))
        return id_anew(lane, stacks, place, caller);
    kept->n_missed = 1;
    ring_count(&lane->ring->n_fast, 1);
    return kept->id;
}
