/* SPDX-License-Identifier: MIT */
#include "tests/support/second_opinion.h"

#include "preload/cfi.h"

enum { OWN_FRAMES = 40 }; /* between the context and the caller: the hook's and the test's */

struct their_walk {
    const struct libunwind *library;
    unw_cursor_t cursor;
};

static uintptr_t value_of(struct their_walk *walk, int number)
{
    unw_word_t value = 0;
    return walk->library->get(&walk->cursor, number, &value) == 0 ? value : 0;
}

/* Go to the frame that the claim begins with. */
static bool go_to(struct their_walk *walk, const struct arch_frame *caller)
{
    for (int i = 0; i < OWN_FRAMES; i++) {
        if (value_of(walk, UNW_REG_IP) == caller->pc && value_of(walk, UNW_REG_SP) == caller->sp)
            return true;
        if (walk->library->step(&walk->cursor) <= 0)
            return false;
    }
    return false;
}

/* The next frame outwards; its address is 0 where there is none. */
static bool step(struct their_walk *walk)
{
    return walk->library->step(&walk->cursor) > 0 && value_of(walk, UNW_REG_IP) != 0;
}

/* At the call, that is: what follows it may be another function, which libunwind would look at next. */
static bool knows_no_table(struct their_walk *walk, uintptr_t return_address)
{
    unw_proc_info_t info;
    return walk->library->find(*walk->library->space, return_address - 1, &info, NULL) != 0;
}

/* Their walk is at our last frame: is that an end for them, too? */
static enum opinion compare_ends(struct their_walk *walk, const struct stack_claim *claim)
{
    if (claim->is_cut)
        return OPINION_CUT;
    const enum cfi_kind kind = cfi_find(claim->pcs[claim->n - 1] - 1).kind;
    if (kind == CFI_NONE || kind == CFI_NO_TABLE) {
        if (!knows_no_table(walk, claim->pcs[claim->n - 1]))
            return OPINION_DIFFERENT;
        return kind == CFI_NONE ? OPINION_START_CODE : OPINION_NO_TABLE;
    }
    return step(walk) ? OPINION_DIFFERENT : OPINION_EQUAL;
}

static void take(struct their_walk *walk, struct second_opinion *opinion)
{
    if (opinion->n < OPINION_DEPTH)
        opinion->pcs[opinion->n++] = value_of(walk, UNW_REG_IP);
}

static enum opinion compare(struct their_walk *walk, const struct stack_claim *claim,
                            struct second_opinion *opinion)
{
    bool interrupted = false; /* the frame that the walk is at */
    for (size_t i = 0; i < claim->n; i++) {
        take(walk, opinion);
        if (value_of(walk, UNW_REG_IP) + interrupted != claim->pcs[i])
            return OPINION_DIFFERENT;
        if (interrupted && libunwind_is_risky(claim->pcs[i] - 1))
            return OPINION_INEXACT;
        if (i + 1 == claim->n)
            break;
        interrupted = libunwind_is_trampoline(claim->pcs[i]);
        opinion->is_interrupted |= interrupted;
        if (!step(walk))
            return OPINION_DIFFERENT;
    }
    const enum opinion opinion_of_end = compare_ends(walk, claim);
    if (opinion_of_end == OPINION_DIFFERENT)
        take(walk, opinion);
    return opinion_of_end;
}

void second_opinion_of(const struct libunwind *library, unw_context_t *context,
                       const struct stack_claim *claim, struct second_opinion *opinion_out)
{
    struct their_walk walk = {.library = library};
    opinion_out->opinion = OPINION_DIFFERENT;
    opinion_out->is_interrupted = false;
    opinion_out->n = 0;
    if (claim->n == 0 || library->init(&walk.cursor, context) != 0)
        return;
    if (go_to(&walk, claim->caller))
        opinion_out->opinion = compare(&walk, claim, opinion_out);
}
