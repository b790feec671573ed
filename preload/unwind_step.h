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
#include <string.h>

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
    uint64_t salt;   /* names the module generation in the rule cache */
    uintptr_t limit; /* no frame may reach beyond */
};
struct unwind_walk unwind_begin(uintptr_t sp, uint32_t generation);

/* Find a rule in the tables and keep it. */
struct cfi_rule unwind_rule_anew(struct unwind_cached_rule *entry, uint64_t name, uintptr_t pc);

/* The rule at a return address. */
static inline struct cfi_rule unwind_rule(const struct unwind_walk *walk, uintptr_t return_address)
{
    const uintptr_t pc = return_address - 1;
    const uint64_t name = pc + walk->salt;
    struct unwind_cached_rule *const entry =
        &unwind_cache[(name * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - UNWIND_CACHE_BITS)];
    const uint64_t word = atomic_load_explicit(&entry->rule, memory_order_relaxed);
    if (__builtin_expect((atomic_load_explicit(&entry->key, memory_order_relaxed) ^ word) != name,
                         0))
        return unwind_rule_anew(entry, name, pc);
    struct cfi_rule rule;
    memcpy(&rule, &word, sizeof rule);
    return rule;
}

/* Follow a CFI_RULE from the registers *at to the caller's. *bp_slot_out is where its rbp was saved, NULL
 * where it was not. False where the frame cannot be right; *at is void then. */
static inline bool unwind_step(const struct unwind_walk *walk, const struct cfi_rule *rule,
                               struct arch_frame *at, const uintptr_t **bp_slot_out)
{
    const uintptr_t sp = at->sp;
    const uintptr_t cfa = (rule->cfa_from_bp ? at->bp : sp) + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (cfa <= sp || cfa > walk->limit || cfa % sizeof(uintptr_t) != 0)
        return false;
    const uintptr_t *const words = (const uintptr_t *)cfa;
    *bp_slot_out = NULL;
    if (rule->bp_saved) {
        const uintptr_t *const bp_slot = words + rule->bp_words;
        if ((uintptr_t)bp_slot < sp - UNWIND_RED_ZONE_BYTES)
            return false;
        *bp_slot_out = bp_slot;
        at->bp = *bp_slot;
    }
    at->pc = words[-1];
    at->sp = cfa;
    return true;
}

/* How a walk ends at a rule that is not CFI_RULE. */
enum unwind_end unwind_end_of(const struct cfi_rule *rule);

#endif
