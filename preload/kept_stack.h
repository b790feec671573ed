/* SPDX-License-Identifier: MIT */
/* A stack that is kept: which words lead through it, and whether they are those of the living one.
 *
 *     innermost frame │ words of the first page │ of the second │ all others
 *                     │ compared at once        │ at once       │ one by one, up to the first difference
 *
 * The place of a frame follows from the words further in. So a word is read only where all on the pages before it are
 * the same: then there is that frame, and of its page all can be read. Nothing tells more than that: a program may have
 * unmapped or protected part of any stack, the main thread's, too, and run a coroutine next to it.
 *
 * Reads memory of the target's, writes none. Async-signal-safe. */
#ifndef HEAPWISE_PRELOAD_KEPT_STACK_H
#define HEAPWISE_PRELOAD_KEPT_STACK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/stack.h"

enum kept_stack_bounds {
    KEPT_STACK_MAX_WORDS = 512,
    KEPT_STACK_WORDS_A_GROUP = 4,
    /* Each of the three parts ends with a group of its own. */
    KEPT_STACK_MAX_GROUPS = KEPT_STACK_MAX_WORDS / KEPT_STACK_WORDS_A_GROUP + 2,
};

/* Two words that are compared in one instruction. */
typedef uintptr_t kept_stack_pair __attribute__((vector_size(2 * sizeof(uintptr_t))));

/* Four words of a stack, from the caller outwards, and how far above its sp each lies: two distances in one number, the
 * inner word's below. So a word takes two loads to compare, or two and a half; with an address of its own it took three. */
struct kept_stack_words {
    kept_stack_pair values[KEPT_STACK_WORDS_A_GROUP / 2];
    uint64_t offsets[KEPT_STACK_WORDS_A_GROUP / 2];
};

/* A kept stack. The last group of each part is filled up with its last word. */
struct kept_stack {
    struct arch_frame at; /* the innermost frame */
    uint64_t form;        /* how its id is packed (pack_hot_form_of) */
    uint32_t id;
    /* Groups of the first page that words lie on, and of the next: all on a page can be read where the innermost can. */
    uint16_t n_near[2];
    uint16_t n_far; /* behind them: a word can be read where all before it are the same */
    bool bp_matters;
    alignas(kept_stack_pair) struct kept_stack_words groups[];
};

/* Of a kept stack of so many groups. */
#define KEPT_STACK_BYTES(n_groups)                                                                 \
    (offsetof(struct kept_stack, groups) + (n_groups) * sizeof(struct kept_stack_words))

/* Write down a stack that is settled (stack_settle), complete and named, where there are
 * KEPT_STACK_BYTES(KEPT_STACK_MAX_GROUPS). Returns how many bytes it took; 0 where it cannot be compared: it is too
 * long, or a word does not lie above its caller. */
size_t kept_stack_put(struct kept_stack *kept, const struct stack *stack);

/* Tell whether it was taken at this place. */
static inline bool kept_stack_is_at(const struct kept_stack *stack, const struct arch_frame *caller)
{
    return stack->at.pc == caller->pc && stack->at.sp == caller->sp &&
           (!stack->bp_matters || stack->at.bp == caller->bp);
}

/* The word that lies so far above sp. */
static inline const uintptr_t *kept_stack_word_at(uintptr_t sp, uint32_t offset)
{
    return (const uintptr_t *)(sp + offset);
}

/* The first word of n_groups that is another one, NULL when none is. Reads nothing beyond it. About 0.4 ns a word. */
static inline const uintptr_t *kept_stack_difference_in(const struct kept_stack_words *group,
                                                        size_t n_groups, uintptr_t sp)
{
    for (size_t n = n_groups; n > 0; n--, group++) {
        const uint64_t inner = group->offsets[0], outer = group->offsets[1];
        if (*kept_stack_word_at(sp, (uint32_t)inner) != group->values[0][0])
            return kept_stack_word_at(sp, (uint32_t)inner);
        if (*kept_stack_word_at(sp, inner >> 32) != group->values[0][1])
            return kept_stack_word_at(sp, inner >> 32);
        if (*kept_stack_word_at(sp, (uint32_t)outer) != group->values[1][0])
            return kept_stack_word_at(sp, (uint32_t)outer);
        if (*kept_stack_word_at(sp, outer >> 32) != group->values[1][1])
            return kept_stack_word_at(sp, outer >> 32);
    }
    return NULL;
}

/* How many there are. */
static inline size_t kept_stack_groups(const struct kept_stack *stack)
{
    return (size_t)stack->n_near[0] + stack->n_near[1] + stack->n_far;
}

/* From a caller whose place it is outwards: the first word that is another one, NULL when none is. Reads nothing beyond
 * it. */
static inline const uintptr_t *kept_stack_first_difference(const struct kept_stack *stack)
{
    return kept_stack_difference_in(stack->groups, kept_stack_groups(stack), stack->at.sp);
}

static inline kept_stack_pair kept_stack_pair_at(uintptr_t sp, uint64_t offsets)
{
    return (kept_stack_pair){*kept_stack_word_at(sp, (uint32_t)offsets),
                             *kept_stack_word_at(sp, offsets >> 32)};
}

/* What is behind n_groups, all of whose words can be read; NULL where one is another word. Without a branch a word: about
 * 0.3 ns each, where nothing else is to be done. */
static inline const struct kept_stack_words *
kept_stack_behind_same(const struct kept_stack_words *group, size_t n_groups, uintptr_t sp)
{
    kept_stack_pair inner = {0}, outer = {0}; /* bits that differ */
    do {
        inner |= kept_stack_pair_at(sp, group->offsets[0]) ^ group->values[0];
        outer |= kept_stack_pair_at(sp, group->offsets[1]) ^ group->values[1];
        group++;
    } while (--n_groups > 0);
    inner |= outer;
    return (inner[0] | inner[1]) == 0 ? group : NULL;
}

/* Tell whether it is the caller's stack. */
static inline bool kept_stack_holds(const struct kept_stack *stack, const struct arch_frame *caller)
{
    if (!kept_stack_is_at(stack, caller))
        return false;
    const uintptr_t sp = stack->at.sp;
    const struct kept_stack_words *group = stack->groups;
    if (stack->n_near[0] > 0) {
        group = kept_stack_behind_same(group, stack->n_near[0], sp);
        if (group && stack->n_near[1] > 0)
            group = kept_stack_behind_same(group, stack->n_near[1], sp);
        if (!group)
            return false;
    }
    return stack->n_far == 0 || !kept_stack_difference_in(group, stack->n_far, sp);
}

#endif
