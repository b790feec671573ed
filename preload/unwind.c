/* SPDX-License-Identifier: MIT */
/* How a stack is taken: by the memo of the one before, else frame by frame, else by the library. */
#include "preload/unwind.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/lane.h"
#include "preload/memo.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/unwind_step.h"

enum {
    LARGEST_STACK_BYTES = 1 << 30,
};

struct unwind_cached_rule unwind_cache[UNWIND_CACHE_ENTRIES];

/* End of the main thread's stack; exported by ld.so. */
extern void *__libc_stack_end __attribute__((weak));

struct cfi_word unwind_rule_anew(struct unwind_cached_rule *entry, uint64_t name, uintptr_t pc)
{
    struct cfi_rule rule = cfi_find(pc);
    if (!unwind_can_follow(rule))
        rule = (struct cfi_rule){.kind = CFI_UNUSUAL};
    const struct cfi_word word = cfi_word_of(rule);
    atomic_store_explicit(&entry->key, name ^ word.bits, memory_order_relaxed);
    atomic_store_explicit(&entry->rule, word.bits, memory_order_relaxed);
    return word;
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
    return (struct unwind_walk){.salt = ((uint64_t)generation << 48) - 1,
                                .cache = unwind_cache,
                                .limit = sp % sizeof(uintptr_t) == 0 ? stack_limit(sp) : 0};
}

enum unwind_end unwind_end_of(enum cfi_kind kind)
{
    static const enum unwind_end ends[] = {
        [CFI_NONE] = UNWIND_COMPLETE, /* start code without tables: nothing calls it */
        [CFI_RULE] = UNWIND_UNUSUAL,  /* followed, it would lead anywhere */
        [CFI_OUTERMOST] = UNWIND_COMPLETE, [CFI_UNUSUAL] = UNWIND_UNUSUAL,
        [CFI_NO_TABLE] = UNWIND_NO_TABLE,
    };
    return ends[kind];
}

size_t unwind_fast(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                   enum unwind_end *end_out)
{
    const struct unwind_walk walk = unwind_begin(caller->sp, modules_generation());
    struct arch_frame at = *caller;
    size_t n = 0;
    *end_out = UNWIND_COMPLETE;
    while (at.pc != 0) {
        if (n == cap) {
            *end_out = UNWIND_CUT;
            break;
        }
        pcs[n++] = at.pc;
        const struct cfi_word rule = unwind_rule(&walk, at.pc);
        if (!unwind_step(&walk, rule, &at)) {
            *end_out = unwind_end_of(cfi_word_kind(rule));
            break;
        }
    }
    return n;
}

bool unwind_out_of(uintptr_t start, uintptr_t end, struct arch_frame *frame)
{
    const struct unwind_walk walk = unwind_begin(frame->sp, modules_generation());
    struct arch_frame at = *frame;
    for (size_t n = 0; n < TRACE_MAX_DEPTH && at.pc >= start && at.pc < end; n++)
        if (!unwind_step(&walk, unwind_rule(&walk, at.pc), &at))
            return false;
    if (at.pc == 0 || (at.pc >= start && at.pc < end))
        return false;
    *frame = at;
    return true;
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
    stack_void(stack);
    stack->id = 0;
}

/* The stack is another one, or may be. */
static __attribute__((noinline)) void walk_anew(const struct arch_frame *caller, struct lane *lane,
                                                size_t max_depth, uint32_t generation)
{
    struct stack *const stack = &lane->stack;
    if (__builtin_expect(stack->generation != generation, 0)) {
        stack->generation = generation;
        stack_void(stack);
    }
    if (__builtin_expect(caller->sp == 0, 0)) {
        replace(stack, &caller->pc, 1);
        ring_count(&lane->ring->n_fast, 1);
        return;
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
