/* SPDX-License-Identifier: MIT */
/* How stacks are kept, and where they are looked for.
 *
 * A kept stack lies in the units from its first one on. Tables without keys lead there: what they say is checked
 * anyway, so a wrong entry costs a guess. From the stack before most are found at once; where a program goes
 * another way than last time, by place, and from there by the words that differ:
 *
 *     place ──► A   word 3 is not x but y ──► B   word 7 is not ... ──► C
 *
 * A handler may leave a hook for good between any two stores: what is kept is written before it is led to. */
#include "preload/recall.h"

#include <stddef.h>
#include <string.h>

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "trace/pack_hot.h"

#define GROUPS_OF(n_words) (((n_words) + RECALL_WORDS_A_GROUP - 1) / RECALL_WORDS_A_GROUP)
#define UNITS_OF(n_groups)                                                                         \
    ((offsetof(struct recalled, groups) + (n_groups) * sizeof(struct recall_words) +               \
      RECALL_UNIT_BYTES - 1) /                                                                     \
     RECALL_UNIT_BYTES)

enum {
    MAX_DIFFERENCES = 6,      /* tried for one stack */
    LEAST_TAKEN_PER_MISS = 4, /* else what is kept is of little use */
    RESTING_STACKS = 1 << 15,
    PAGE_BYTES = 4096,
    LEAST_NEAR_WORDS = 9, /* for fewer, to begin and to end costs as much */
    LARGEST_UNITS = UNITS_OF(GROUPS_OF(RECALL_MAX_WORDS) + 2),
};

#define WHATEVER_BEFORE UINT32_MAX /* no stack has this id */

static inline const struct recalled *stack_in(const struct recall *recall, uint16_t unit)
{
    return (const struct recalled *)recall->units[unit];
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

static inline bool is_at(const struct recalled *stack, const struct arch_frame *caller)
{
    return stack->at.pc == caller->pc && stack->at.sp == caller->sp &&
           (!stack->bp_matters || stack->at.bp == caller->bp);
}

/* The word that lies so far above sp. */
static inline const uintptr_t *word_at(uintptr_t sp, uint32_t offset)
{
    return (const uintptr_t *)(sp + offset);
}

/* The first word of n_groups that is another one, NULL when none is. Reads nothing beyond it. About 0.4 ns a word. */
static inline const uintptr_t *difference_in(const struct recall_words *group, size_t n_groups,
                                             uintptr_t sp)
{
    for (size_t n = n_groups; n > 0; n--, group++) {
        const uint64_t inner = group->offsets[0], outer = group->offsets[1];
        if (*word_at(sp, (uint32_t)inner) != group->values[0][0])
            return word_at(sp, (uint32_t)inner);
        if (*word_at(sp, inner >> 32) != group->values[0][1])
            return word_at(sp, inner >> 32);
        if (*word_at(sp, (uint32_t)outer) != group->values[1][0])
            return word_at(sp, (uint32_t)outer);
        if (*word_at(sp, outer >> 32) != group->values[1][1])
            return word_at(sp, outer >> 32);
    }
    return NULL;
}

static inline size_t groups_in(const struct recalled *stack)
{
    return (size_t)stack->n_near[0] + stack->n_near[1] + stack->n_far;
}

/* From a caller whose place it is outwards: the first word that is another one, NULL when none is. */
static inline const uintptr_t *first_difference(const struct recalled *stack)
{
    return difference_in(stack->groups, groups_in(stack), stack->at.sp);
}

static inline recall_pair pair_at(uintptr_t sp, uint64_t offsets)
{
    return (recall_pair){*word_at(sp, (uint32_t)offsets), *word_at(sp, offsets >> 32)};
}

/* What is behind n_groups, all of whose words can be read; NULL where one is another word. Without a branch a word: about
 * 0.3 ns each. */
static inline const struct recall_words *behind_same(const struct recall_words *group,
                                                     size_t n_groups, uintptr_t sp)
{
    recall_pair inner = {0}, outer = {0}; /* bits that differ */
    do {
        inner |= pair_at(sp, group->offsets[0]) ^ group->values[0];
        outer |= pair_at(sp, group->offsets[1]) ^ group->values[1];
        group++;
    } while (--n_groups > 0);
    inner |= outer;
    return (inner[0] | inner[1]) == 0 ? group : NULL;
}

/* Tell whether it is the caller's stack. */
static inline bool holds(const struct recalled *stack, const struct arch_frame *caller)
{
    if (!is_at(stack, caller))
        return false;
    const uintptr_t sp = stack->at.sp;
    const struct recall_words *group = stack->groups;
    if (stack->n_near[0] > 0) {
        group = behind_same(group, stack->n_near[0], sp);
        if (group && stack->n_near[1] > 0)
            group = behind_same(group, stack->n_near[1], sp);
        if (!group)
            return false;
    }
    return stack->n_far == 0 || !difference_in(group, stack->n_far, sp);
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
    return is_free || is_at(stack_in(recall, *guess), caller) ? guess : neighbour(recall, guess);
}

/* Where a walk along the guesses ended. */
struct guessed {
    const struct recalled *stack; /* the caller's; NULL: not found */
    uint16_t *guess;              /* that led to it, or is to */
};

/* Follow the guesses from the caller's place. */
static inline struct guessed guess_at(struct recall *recall, const struct arch_frame *caller)
{
    uint16_t *guess = either(recall, guess_after(recall, caller, WHATEVER_BEFORE), caller);
    for (size_t i = 0; i < MAX_DIFFERENCES; i++) {
        const struct recalled *const stack = stack_in(recall, *guess);
        if (!is_at(stack, caller))
            break;
        const uintptr_t *const differs = first_difference(stack);
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

static inline const struct recalled *found(struct lane *lane, const struct recalled *stack)
{
    arch_increment(&lane->ring->n_fast);
    return stack;
}

/* Not the one that came last time. */
static __attribute__((noinline)) const struct recalled *
find_otherwise(struct lane *lane, const struct arch_frame *caller)
{
    const struct guessed guessed = guess_at(lane->recall, caller);
    if (!guessed.stack)
        return NULL;
    *guess_after(lane->recall, caller, lane->stack_before) = *guessed.guess;
    lane->stack_before = guessed.stack->id;
    return found(lane, guessed.stack);
}

const struct recalled *recall_find(struct lane *lane, const struct arch_frame *caller)
{
    struct recall *const recall = lane->recall;
    if (!may_find(recall))
        return NULL;
    const struct recalled *const stack =
        stack_in(recall, *guess_after(recall, caller, lane->stack_before));
    if (__builtin_expect(!holds(stack, caller), 0))
        return find_otherwise(lane, caller);
    lane->stack_before = stack->id;
    return found(lane, stack);
}

static __attribute__((noinline)) const struct recalled *
find_further(struct recall *recall, const struct arch_frame *caller)
{
    return guess_at(recall, caller).stack;
}

const struct recalled *recall_find_at(struct lane *lane, const struct arch_frame *caller)
{
    struct recall *const recall = lane->recall;
    if (!may_find(recall))
        return NULL;
    const struct recalled *stack = stack_in(recall, *guess_after(recall, caller, WHATEVER_BEFORE));
    if (__builtin_expect(!holds(stack, caller), 0))
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

/* Tell whether a word lies where one can be compared. */
static bool is_above(uintptr_t sp, const struct stack_word *word)
{
    const uintptr_t at = (uintptr_t)word->at;
    return at % sizeof *word->at == 0 && (at - sp) >> 32 == 0;
}

/* Put words, the innermost of which is before `end`, into n_groups. False where one does not lie above sp. */
static bool put_words(struct recall_words *groups, size_t n_groups, uintptr_t sp,
                      const struct stack_word *outermost, const struct stack_word *end)
{
    const struct stack_word *word = end;
    bool are_above = true;
    for (size_t i = 0; i < n_groups; i++) {
        uint64_t offsets[RECALL_WORDS_A_GROUP];
        for (size_t j = 0; j < RECALL_WORDS_A_GROUP; j++) {
            word -= word > outermost;
            groups[i].values[j / 2][j % 2] = word->value;
            offsets[j] = (uintptr_t)word->at - sp;
            are_above = are_above && is_above(sp, word);
        }
        groups[i].offsets[0] = offsets[0] | offsets[1] << 32;
        groups[i].offsets[1] = offsets[2] | offsets[3] << 32;
    }
    return are_above;
}

/* The outermost of the words before `end` that lie on one page of memory, with all between; `end` where there is none. */
static const struct stack_word *outermost_on_page(const struct stack_word *outermost,
                                                  const struct stack_word *end)
{
    const struct stack_word *word = end;
    while (word > outermost && ((uintptr_t)word[-1].at ^ (uintptr_t)end[-1].at) < PAGE_BYTES)
        word--;
    return word;
}

/* Put all words, the innermost of which is before `end`: those of the first page, of the second, and the others. False
 * where one does not lie above sp. */
static bool put_groups(struct recalled *kept, const struct stack_word *outermost,
                       const struct stack_word *end)
{
    const struct stack_word *first = outermost_on_page(outermost, end);
    const struct stack_word *second = outermost_on_page(outermost, first);
    if (first - second < LEAST_NEAR_WORDS)
        second = first;
    if (second == first && end - first < LEAST_NEAR_WORDS)
        second = first = end;
    const size_t n_first = GROUPS_OF((size_t)(end - first)),
                 n_second = GROUPS_OF((size_t)(first - second)),
                 n_far = GROUPS_OF((size_t)(second - outermost));
    const uintptr_t sp = kept->at.sp;
    struct recall_words *const groups = kept->groups;
    kept->n_near[0] = (uint16_t)n_first;
    kept->n_near[1] = (uint16_t)n_second;
    kept->n_far = (uint16_t)n_far;
    return put_words(groups, n_first, sp, first, end) &&
           put_words(groups + n_first, n_second, sp, second, first) &&
           put_words(groups + n_first + n_second, n_far, sp, outermost, second);
}

/* Keep the lane's stack where there is room for any. Returns its first unit, 0 where it cannot be kept. */
static uint16_t keep(struct recall *recall, struct stack *stack)
{
    stack_settle(stack);
    const struct stack_frame *const innermost = stack_innermost(stack);
    const struct stack_word *const outermost = &stack->words[1]; /* that can be equal */
    if (innermost->n_words > RECALL_MAX_WORDS)
        return 0;
    if (recall->n_units == 0)
        recall->n_units = RECALL_FIRST_UNIT;
    const uint32_t unit = recall->n_units;
    struct recalled *const kept = (struct recalled *)recall->units[unit];
    kept->at = innermost->at;
    kept->bp_matters = innermost->bp_matters;
    kept->id = stack->id;
    kept->form = pack_hot_form_of(stack->id);
    if (!put_groups(kept, outermost, &stack->words[innermost->n_words]))
        return 0;
    stack_order_stores();
    recall->n_units = unit + (uint32_t)UNITS_OF(groups_in(kept));
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
    if (*known >= RECALL_FIRST_UNIT && holds(stack_in(recall, *known), caller))
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
    const bool is_taken = *guess != 0 && !is_at(stack_in(recall, *guess), caller);
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
