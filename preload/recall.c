/* SPDX-License-Identifier: MIT */
/* Where kept stacks lie, and where they are looked for.
 *
 * A kept stack lies in the units from its first one on. Tables without keys lead there: what they say is checked
 * anyway, so a wrong entry costs a guess. From the stack before most are found at once; where a program goes
 * another way than last time, by place, and from there by the words that differ:
 *
 *     place ──► A   word 3 is not x but y ──► B   word 7 is not ... ──► C
 *
 * A handler may leave a hook for good between any two stores: what is kept is written before it is led to. */
#include "preload/recall.h"

#include <string.h>

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"

#define UNITS_OF(n_bytes) (((n_bytes) + RECALL_UNIT_BYTES - 1) / RECALL_UNIT_BYTES)

enum {
    MAX_DIFFERENCES = 6,      /* tried for one stack */
    LEAST_TAKEN_PER_MISS = 4, /* else what is kept is of little use */
    RESTING_STACKS = 1 << 15,
    LARGEST_UNITS = UNITS_OF(KEPT_STACK_BYTES(KEPT_STACK_MAX_GROUPS)),
};

#define WHATEVER_BEFORE UINT32_MAX /* no stack has this id */

static inline const struct kept_stack *stack_in(const struct recall *recall, uint16_t unit)
{
    return (const struct kept_stack *)recall->units[unit];
}

static inline size_t hashed(uint64_t key, unsigned n_bits)
{
    return key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - n_bits);
}

/* The guess for a caller, after a stack with this id. */
static inline uint16_t *guess_after(struct recall *recall, const struct arch_frame *caller,
                                    uint32_t id)
{
    return &recall->guesses[hashed(caller->pc ^ caller->sp << 17 ^ (uint64_t)id << 40,
                                   RECALL_GUESS_BITS)];
}

/* The guess where this word of the caller's was not that of a kept stack. */
static inline uint16_t *guess_beyond(struct recall *recall, uint16_t unit, const uintptr_t *word,
                                     const struct arch_frame *caller)
{
    const uint64_t place = ((uintptr_t)word - caller->sp) << 13 | unit;
    return &recall->guesses[hashed(*word ^ place << 38, RECALL_GUESS_BITS)];
}

static inline uint16_t *neighbour(struct recall *recall, const uint16_t *guess)
{
    return &recall->guesses[(size_t)(guess - recall->guesses) ^ 1];
}

/* Of two places that have the same guess each soon has one: it is this or, where this is taken, its neighbour. */
static inline uint16_t *either(struct recall *recall, uint16_t *guess,
                               const struct arch_frame *caller)
{
    const bool is_free = *guess == 0;
    return is_free || kept_stack_is_at(stack_in(recall, *guess), caller) ? guess
                                                                         : neighbour(recall, guess);
}

/* Where a walk along the guesses ended. */
struct guessed {
    const struct kept_stack *stack; /* the caller's; NULL: not found */
    uint16_t *guess;                /* that led to it, or is to */
};

/* Follow the guesses from the caller's place. */
static inline struct guessed guess_at(struct recall *recall, const struct arch_frame *caller)
{
    uint16_t *guess = either(recall, guess_after(recall, caller, WHATEVER_BEFORE), caller);
    for (size_t i = 0; i < MAX_DIFFERENCES; i++) {
        const struct kept_stack *const stack = stack_in(recall, *guess);
        if (!kept_stack_is_at(stack, caller))
            break;
        const uintptr_t *const differs = kept_stack_first_difference(stack);
        if (!differs)
            return (struct guessed){.stack = stack, .guess = guess};
        guess = either(recall, guess_beyond(recall, *guess, differs, caller), caller);
    }
    return (struct guessed){.guess = guess};
}

static inline bool may_find(const struct recall *recall)
{
    return __builtin_expect(recall && recall->generation == modules_generation(), 1);
}

static inline const struct kept_stack *found(struct lane *lane, const struct kept_stack *stack)
{
    arch_increment(&lane->ring->n_fast);
    return stack;
}

/* Not the one that came last time. */
static __attribute__((noinline)) const struct kept_stack *
find_otherwise(struct lane *lane, const struct arch_frame *caller)
{
    const struct guessed guessed = guess_at(lane->recall, caller);
    if (!guessed.stack)
        return NULL;
    *guess_after(lane->recall, caller, lane->stack_before) = *guessed.guess;
    lane->stack_before = guessed.stack->id;
    return found(lane, guessed.stack);
}

const struct kept_stack *recall_find(struct lane *lane, const struct arch_frame *caller)
{
    struct recall *const recall = lane->recall;
    if (!may_find(recall))
        return NULL;
    const struct kept_stack *const stack =
        stack_in(recall, *guess_after(recall, caller, lane->stack_before));
    if (__builtin_expect(!kept_stack_holds(stack, caller), 0))
        return find_otherwise(lane, caller);
    lane->stack_before = stack->id;
    return found(lane, stack);
}

static __attribute__((noinline)) const struct kept_stack *
find_further(struct recall *recall, const struct arch_frame *caller)
{
    return guess_at(recall, caller).stack;
}

const struct kept_stack *recall_find_at(struct lane *lane, const struct arch_frame *caller)
{
    struct recall *const recall = lane->recall;
    if (!may_find(recall))
        return NULL;
    const struct kept_stack *stack =
        stack_in(recall, *guess_after(recall, caller, WHATEVER_BEFORE));
    if (__builtin_expect(!kept_stack_holds(stack, caller), 0))
        stack = find_further(recall, caller);
    return stack ? found(lane, stack) : NULL;
}

void recall_forget(struct recall *recall)
{
    if (!recall || recall->n_units == 0)
        return;
    memset(recall->guesses, 0, sizeof recall->guesses);
    memset(recall->by_id, 0, sizeof recall->by_id);
    stack_order_stores();
    recall->n_units = 0;
}

static bool is_full(const struct recall *recall)
{
    return recall->n_units > RECALL_UNITS - LARGEST_UNITS;
}

/* Forget all, and where the stacks kept were of little use, keep none for a time: of a program whose stacks hardly come
 * twice each would be copied, and be in the way of the program's own data in the caches, for nothing. */
static void begin_anew(struct recall *recall, uint64_t n_taken)
{
    const bool was_useful =
        recall->n_missed < (n_taken - recall->n_taken_before) / LEAST_TAKEN_PER_MISS;
    recall_forget(recall);
    recall->n_missed = 0;
    recall->n_taken_before = n_taken;
    if (was_useful)
        return;
    recall->generation--; /* so that nothing is looked for */
    recall->n_resting = RESTING_STACKS;
}

/* Keep the lane's stack where there is room for any. Returns its first unit, 0 where it cannot be kept. */
static uint16_t keep(struct recall *recall, struct stack *stack)
{
    if (recall->n_units == 0)
        recall->n_units = RECALL_FIRST_UNIT;
    const uint32_t unit = recall->n_units;
    stack_settle(stack);
    const size_t n_bytes = kept_stack_put((struct kept_stack *)recall->units[unit], stack);
    if (n_bytes == 0)
        return 0;
    stack_order_stores();
    recall->n_units = unit + (uint32_t)UNITS_OF(n_bytes);
    stack_order_stores();
    return (uint16_t)unit;
}

/* Tell whether what stands in a table is to make room for another, at every second time on average: two stacks that come
 * in turn would else put each other out for ever. In no rhythm that a program could have, too. */
static bool gives_way(struct recall *recall)
{
    return ++recall->n_met * UINT64_C(0x9e3779b97f4a7c15) >> 63;
}

/* The first unit of the lane's stack, which is kept if it was seen before; else 0. */
static uint16_t unit_of(struct recall *recall, struct stack *stack, const struct arch_frame *caller)
{
    const uint64_t key = stack->id ^ caller->sp << 20;
    uint16_t *const known = &recall->by_id[hashed(key, RECALL_ID_BITS)];
    const uint16_t mark = (uint16_t)(1 + key % (RECALL_FIRST_UNIT - 1));
    if (*known >= RECALL_FIRST_UNIT && kept_stack_holds(stack_in(recall, *known), caller))
        return *known;
    if (*known != mark) {
        if (*known == 0 || gives_way(recall))
            *known = mark;
        return 0;
    }
    const uint16_t unit = keep(recall, stack);
    *known = unit;
    return unit;
}

/* Let the guesses from the caller's place end at this stack. */
static void lead_to(struct recall *recall, uint16_t unit, const struct arch_frame *caller)
{
    uint16_t *guess = guess_at(recall, caller).guess;
    const bool is_taken = *guess != 0 && !kept_stack_is_at(stack_in(recall, *guess), caller);
    if (is_taken && gives_way(recall))
        guess = neighbour(recall, guess);
    *guess = unit;
}

/* Returns the first unit of the lane's stack, as unit_of(), which its place then leads to. */
static uint16_t learn_at(struct lane *lane, const struct arch_frame *caller)
{
    struct recall *const recall = lane->recall;
    struct stack *const stack = &lane->stack;
    const uint64_t n_taken = atomic_load_explicit(&lane->ring->n_fast, memory_order_relaxed);
    if (recall->n_resting > 0) {
        recall->n_resting--;
        recall->n_taken_before = n_taken;
        return 0;
    }
    if (recall->generation != stack->generation) {
        recall_forget(recall);
        stack_order_stores();
        recall->generation = stack->generation;
    }
    recall->n_missed++;
    if (is_full(recall)) {
        begin_anew(recall, n_taken);
        return 0;
    }
    const uint16_t unit = unit_of(recall, stack, caller);
    if (unit != 0)
        lead_to(recall, unit, caller);
    return unit;
}

static bool may_keep(const struct lane *lane, uint32_t id)
{
    const struct stack *const stack = &lane->stack;
    return lane->recall && id != 0 && stack->id == id && stack->n_kept != 0 &&
           stack->end == UNWIND_COMPLETE;
}

void recall_learn_at(struct lane *lane, const struct arch_frame *caller, uint32_t id)
{
    if (may_keep(lane, id))
        learn_at(lane, caller);
}

void recall_learn(struct lane *lane, const struct arch_frame *caller, uint32_t id)
{
    const uint32_t id_before = lane->stack_before;
    lane->stack_before = id;
    if (!may_keep(lane, id))
        return;
    const uint16_t unit = learn_at(lane, caller);
    if (unit != 0)
        *guess_after(lane->recall, caller, id_before) = unit;
}
