/* SPDX-License-Identifier: MIT */
/* How a frame leads to its caller: pc -> cached rule -> caller's registers. Inlined into the walks, which
 * do it for each frame of each new stack.
 *
 * Rules are cached process-wide in a table without locks: an entry is {pc ^ rule, rule}, so an entry
 * torn by two writers matches no pc that occurs and is looked up again. The generation of the module list
 * is part of the key, so no rule outlives its module.
 *
 * A frame must lie above the one before and below the thread's stack end, as far as that is known, so
 * that code with wrong tables cannot lead the walk into unmapped memory. */
#ifndef HEAPWISE_PRELOAD_UNWIND_STEP_H
#define HEAPWISE_PRELOAD_UNWIND_STEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/cfi.h"
#include "preload/stack.h"

enum unwind_step_limits {
    UNWIND_CACHE_BITS = 14,
    UNWIND_CACHE_ENTRIES = 1 << UNWIND_CACHE_BITS,
    UNWIND_RED_ZONE_BYTES = 128, /* below sp a leaf may keep data; AMD64 ABI 3.2.2 */
};

struct unwind_cached_rule {
    _Atomic uint64_t key; /* (pc + generation << 48) ^ rule */
    _Atomic uint64_t rule;
};
extern struct unwind_cached_rule unwind_cache[UNWIND_CACHE_ENTRIES]
    __attribute__((visibility("hidden")));

/* What stays the same during one walk. */
struct unwind_walk {
    uint64_t salt; /* names the module generation in the rule cache; one less than that */
    struct unwind_cached_rule *cache;
    uintptr_t limit; /* no frame may reach beyond; 0 where sp is odd: no step is right */
};
struct unwind_walk unwind_begin(uintptr_t sp, uint32_t generation);

/* Find a rule in the tables and keep it. */
struct cfi_word unwind_rule_anew(struct unwind_cached_rule *entry, uint64_t name, uintptr_t pc);

/* The rule at a return address. CFI_UNUSUAL also where it could not be right for any frame. */
static inline struct cfi_word unwind_rule(const struct unwind_walk *walk, uintptr_t return_address)
{
    const uint64_t name = return_address + walk->salt;
    const uint64_t hash = name * UINT64_C(0x9e3779b97f4a7c15);
    struct unwind_cached_rule *const entry = walk->cache + (hash >> (64 - UNWIND_CACHE_BITS));
    const uint64_t bits = atomic_load_explicit(&entry->rule, memory_order_relaxed);
    if (__builtin_expect((atomic_load_explicit(&entry->key, memory_order_relaxed) ^ bits) != name,
                         0))
        return unwind_rule_anew(entry, name, return_address - 1);
    return (struct cfi_word){bits};
}

/* Tell whether a rule's numbers can be right: what depends on no register is looked at once, here. */
static inline bool unwind_can_follow(struct cfi_rule rule)
{
    const int64_t bp_offset = rule.cfa_offset + 8 * (int64_t)rule.bp_words;
    return rule.kind != CFI_RULE || rule.cfa_from_bp ||
           (rule.cfa_offset > 0 && rule.cfa_offset % 8 == 0 &&
            (!rule.bp_saved || bp_offset >= -UNWIND_RED_ZONE_BYTES));
}

/* Leave a frame whose rule counts from `base`, a register of *at. False beyond the limit. */
static inline bool unwind_leave(const struct unwind_walk *walk, struct cfi_word rule,
                                uintptr_t base, struct arch_frame *at)
{
    const uintptr_t cfa = base + (uintptr_t)cfi_word_cfa_offset(rule);
    if (__builtin_expect(cfa > walk->limit, 0))
        return false;
    const uintptr_t *const words = (const uintptr_t *)cfa;
    if (cfi_word_bp_saved(rule))
        at->bp = words[cfi_word_bp_words(rule)];
    at->pc = words[-1];
    at->sp = cfa;
    return true;
}

/* Follow a rule that can be followed from the registers *at to the caller's, whose sp is the CFA. False
 * where it is no CFI_RULE, or the frame cannot be right; *at is unchanged then. */
static inline bool unwind_step(const struct unwind_walk *walk, struct cfi_word rule,
                               struct arch_frame *at)
{
    if (cfi_word_is_plain(rule))
        return unwind_leave(walk, rule, at->sp, at);
    const uintptr_t cfa = at->bp + (uintptr_t)cfi_word_cfa_offset(rule);
    if (cfi_word_kind(rule) != CFI_RULE || cfa <= at->sp || cfa % sizeof(uintptr_t) != 0 ||
        (cfi_word_bp_saved(rule) &&
         cfa + 8 * (uintptr_t)cfi_word_bp_words(rule) < at->sp - UNWIND_RED_ZONE_BYTES))
        return false;
    return unwind_leave(walk, rule, at->bp, at);
}

/* How a walk ends at a rule that was not followed. */
enum unwind_end unwind_end_of(enum cfi_kind kind);

#endif
