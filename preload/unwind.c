/* SPDX-License-Identifier: MIT */
/* How a frame leads to its caller: pc -> cached rule -> caller's registers.
 *
 * Rules are cached process-wide in a table without locks: an entry is {pc ^ rule, rule}, so an entry
 * torn by two writers does not match any pc and is looked up again. The generation of the module list
 * is part of the key, so no rule outlives its module.
 *
 * A frame must lie above the one before and below the thread's stack end, as far as that is known, so
 * that code with wrong tables cannot lead the walk into unmapped memory. */
#include "preload/unwind.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/lane.h"
#include "preload/memo.h"
#include "preload/modules.h"
#include "preload/ring.h"

enum {
    CACHE_ENTRIES = 1 << 14,
    LARGEST_STACK_BYTES = 1 << 30,
    RED_ZONE_BYTES = 128, /* below sp a leaf may keep data; AMD64 ABI 3.2.2 */
};

struct cached_rule {
    _Atomic uint64_t key; /* (pc + generation << 48) ^ rule */
    _Atomic uint64_t rule;
};
static struct cached_rule cache[CACHE_ENTRIES];

/* End of the main thread's stack; exported by ld.so. */
extern void *__libc_stack_end __attribute__((weak));

struct cfi_rule unwind_rule(const struct unwind_walk *walk, uintptr_t return_address)
{
    const uintptr_t pc = return_address - 1;
    const uint64_t name = pc + walk->salt;
    struct cached_rule *const entry =
        &cache[(name * UINT64_C(0x9e3779b97f4a7c15)) >> 50 & (CACHE_ENTRIES - 1)];
    uint64_t word = atomic_load_explicit(&entry->rule, memory_order_relaxed);
    struct cfi_rule rule;
    if ((atomic_load_explicit(&entry->key, memory_order_relaxed) ^ word) == name) {
        memcpy(&rule, &word, sizeof rule);
        return rule;
    }
    rule = cfi_find(pc);
    memcpy(&word, &rule, sizeof word);
    atomic_store_explicit(&entry->key, name ^ word, memory_order_relaxed);
    atomic_store_explicit(&entry->rule, word, memory_order_relaxed);
    return rule;
}

/* The highest address a frame may reach, UINTPTR_MAX where the stack is not one we know (coroutines,
 * alternate signal stacks). A thread's control block lies at the end of its stack. */
static uintptr_t stack_limit(uintptr_t sp)
{
    const uintptr_t thread_end = arch_thread_pointer();
    if (sp < thread_end && thread_end - sp < LARGEST_STACK_BYTES)
        return thread_end;
    const uintptr_t main_end = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0;
    if (sp <= main_end && main_end - sp < LARGEST_STACK_BYTES)
        return main_end + 4096;
    return UINTPTR_MAX;
}

struct unwind_walk unwind_begin(uintptr_t sp, uint32_t generation)
{
    return (struct unwind_walk){.salt = (uint64_t)generation << 48, .limit = stack_limit(sp)};
}

bool unwind_step(const struct unwind_walk *walk, const struct cfi_rule *rule,
                 struct stack_frame *frame, struct arch_frame *caller_out)
{
    const struct arch_frame at = frame->at;
    const uintptr_t cfa =
        (rule->cfa_from_bp ? at.bp : at.sp) + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (cfa <= at.sp || cfa > walk->limit || cfa % sizeof(uintptr_t) != 0)
        return false;
    const uintptr_t *const words = (const uintptr_t *)cfa;
    frame->cfa_from_bp = rule->cfa_from_bp;
    frame->bp_slot = rule->bp_saved ? words + rule->bp_words : NULL;
    if (frame->bp_slot && (uintptr_t)frame->bp_slot < at.sp - RED_ZONE_BYTES)
        return false;
    *caller_out = (struct arch_frame){
        .pc = words[-1], .sp = cfa, .bp = frame->bp_slot ? *frame->bp_slot : at.bp};
    return true;
}

enum unwind_end unwind_end_of(const struct cfi_rule *rule)
{
    static const enum unwind_end ends[] = {
        [CFI_NONE] = UNWIND_COMPLETE, /* start code without tables: nothing calls it */
        [CFI_OUTERMOST] = UNWIND_COMPLETE,
        [CFI_UNUSUAL] = UNWIND_UNUSUAL,
        [CFI_NO_MODULE] = UNWIND_NO_TABLE,
    };
    return ends[rule->kind];
}

size_t unwind_fast(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                   enum unwind_end *end_out)
{
    const struct unwind_walk walk = unwind_begin(caller->sp, modules_generation());
    struct stack_frame frame = {.at = *caller};
    size_t n = 0;
    *end_out = UNWIND_COMPLETE;
    while (frame.at.pc != 0) {
        if (n == cap) {
            *end_out = UNWIND_CUT;
            break;
        }
        pcs[n++] = frame.at.pc;
        const struct cfi_rule rule = unwind_rule(&walk, frame.at.pc);
        struct arch_frame outer;
        if (rule.kind != CFI_RULE || !unwind_step(&walk, &rule, &frame, &outer)) {
            *end_out = rule.kind == CFI_RULE ? UNWIND_UNUSUAL : unwind_end_of(&rule);
            break;
        }
        frame.at = outer;
    }
    return n;
}

/* Put return addresses, innermost first, into the lane's stack, not to be compared with. */
static void replace(struct stack *stack, const uintptr_t *pcs, size_t n)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++) {
        struct stack_frame *const frame = &stack->frames[i];
        frame->at.pc = pcs[n - 1 - i];
        hash = stack_hash(hash, frame->at.pc);
        frame->hash = hash;
    }
    stack->n = n;
    stack->n_kept = 0;
    stack->id = 0;
}

/* The stack is another one, or may be. */
static __attribute__((noinline)) void walk_anew(const struct arch_frame *caller, struct lane *lane,
                                                size_t max_depth, uint32_t generation)
{
    struct stack *const stack = &lane->stack;
    if (__builtin_expect(stack->generation != generation, 0)) {
        stack->generation = generation;
        stack->n_kept = 0;
    }
    const struct unwind_walk walk = unwind_begin(caller->sp, generation);
    enum unwind_end end = memo_walk(stack, caller, &walk, max_depth);
    if (__builtin_expect(end == UNWIND_CUT, 0))
        replace(stack, lane->pcs, unwind_fast(caller, lane->pcs, max_depth, &end));
    const bool unusual = end == UNWIND_UNUSUAL;
    if (__builtin_expect(unusual, 0))
        replace(stack, lane->pcs, unwind_library(caller, lane->pcs, max_depth, &end));
    ring_count(unusual ? &lane->ring->n_fallback : &lane->ring->n_fast, 1);
    if (__builtin_expect(end != UNWIND_COMPLETE, 0))
        ring_count(&lane->ring->n_truncated, 1);
}

void unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth)
{
    const uint32_t generation = modules_generation();
    if (!memo_holds(&lane->stack, caller, generation)) {
        walk_anew(caller, lane, max_depth, generation);
        return;
    }
    ring_count(&lane->ring->n_fast, 1);
    if (__builtin_expect(lane->stack.end != UNWIND_COMPLETE, 0))
        ring_count(&lane->ring->n_truncated, 1);
}
