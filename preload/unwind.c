/* SPDX-License-Identifier: MIT */
/* How a stack is walked fast: pc -> cached rule -> caller's frame, until the outermost.
 *
 * Rules are cached process-wide in a table without locks: an entry is {pc ^ rule, rule}, so an entry
 * torn by two writers does not match any pc and is looked up again. The generation of the module list
 * is part of the key, so no rule outlives its module.
 *
 * A frame must lie above the one before and below the thread's stack end, as far as that is known, so
 * that code with wrong tables cannot lead the walk into unmapped memory. */
#include "preload/unwind.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "preload/cfi.h"
#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"

enum {
    CACHE_ENTRIES = 1 << 14,
    LARGEST_STACK_BYTES = 1 << 30,
};

struct cached_rule {
    _Atomic uint64_t key; /* (pc + generation << 48) ^ rule */
    _Atomic uint64_t rule;
};
static struct cached_rule cache[CACHE_ENTRIES];

/* End of the main thread's stack; exported by ld.so. */
extern void *__libc_stack_end __attribute__((weak));

static struct cfi_rule rule_at(uintptr_t pc, uint64_t salt)
{
    const uint64_t name = pc + salt;
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

/* Step to the caller. False where the frame cannot be right. */
static bool step(struct arch_frame *frame, const struct cfi_rule *rule, uintptr_t limit)
{
    const uintptr_t cfa =
        (rule->cfa_from_bp ? frame->bp : frame->sp) + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (cfa <= frame->sp || cfa > limit || cfa % 8 != 0 ||
        (rule->bp_saved && cfa + (uintptr_t)(8 * (intptr_t)rule->bp_words) < frame->sp - 128))
        return false;
    const uintptr_t *const words = (const uintptr_t *)cfa;
    frame->pc = words[-1];
    if (rule->bp_saved)
        frame->bp = words[rule->bp_words];
    frame->sp = cfa;
    return true;
}

static const enum unwind_end ends[] = {
    [CFI_NONE] = UNWIND_COMPLETE, /* start code without tables: nothing calls it */
    [CFI_OUTERMOST] = UNWIND_COMPLETE,
    [CFI_UNUSUAL] = UNWIND_UNUSUAL,
    [CFI_NO_MODULE] = UNWIND_NO_TABLE,
};

size_t unwind_fast(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                   enum unwind_end *end_out)
{
    const uint64_t salt = (uint64_t)modules_generation() << 48;
    const uintptr_t limit = stack_limit(caller->sp);
    struct arch_frame frame = *caller;
    size_t n = 0;
    *end_out = UNWIND_COMPLETE;
    while (frame.pc != 0) {
        if (n == cap) {
            *end_out = UNWIND_CUT;
            break;
        }
        pcs[n++] = frame.pc;
        const struct cfi_rule rule = rule_at(frame.pc - 1, salt);
        if (rule.kind != CFI_RULE) {
            *end_out = ends[rule.kind];
            break;
        }
        if (!step(&frame, &rule, limit)) {
            *end_out = UNWIND_UNUSUAL;
            break;
        }
    }
    return n;
}

size_t unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth)
{
    enum unwind_end end;
    size_t n = unwind_fast(caller, lane->pcs, max_depth, &end);
    if (__builtin_expect(end == UNWIND_UNUSUAL, 0)) {
        n = unwind_library(caller, lane->pcs, max_depth, &end);
        ring_count(&lane->ring->n_fallback, 1);
    } else {
        ring_count(&lane->ring->n_fast, 1);
    }
    if (__builtin_expect(end != UNWIND_COMPLETE, 0))
        ring_count(&lane->ring->n_truncated, 1);
    return n;
}
