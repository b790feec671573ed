/* SPDX-License-Identifier: MIT */
#include "tests/support/oracle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/cfi.h"
#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/unwind.h"
#include "tests/support/libunwind.h"

enum { DEPTH = 512 };

/* The shim's module list is not part of this test; its generation is. */
_Atomic uint32_t modules_generation_now;

static struct libunwind libunwind;

/* Without the flush libunwind keeps the rules of a library that was unloaded and uses them for the
 * next one at its address: 715 of 37,104 stacks of the shapes came out wrong. With it, 15 still do, by
 * the shortcut of unw_backtrace(), which remembers frames in each thread; none when nothing is
 * unloaded. */
void oracle_new_generation(void)
{
    atomic_fetch_add(&modules_generation_now, 1);
    libunwind.flush(*libunwind.space, 0, 0);
}

static pthread_mutex_t report = PTHREAD_MUTEX_INITIALIZER;
static struct oracle_counts counts;
static _Atomic size_t n_by_steps, n_unasked;

/* A lane for each thread; 0: the thread's own, 1: of a check that interrupted another. */
struct place {
    struct lane lanes[2];
    struct ring rings[2];
    void *seen[2][DEPTH + 16];
    uintptr_t fast[2][DEPTH], library[2][DEPTH], memo[2][DEPTH];
};
static __thread struct place *place;
static __thread volatile int depth;

bool oracle_open(void)
{
    return libunwind_open(&libunwind);
}

/* libunwind without its own shortcut: one unw_step(3) after the other. */
static int step_through(void **pcs, int cap)
{
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t pc;
    int n = 0;
    if (libunwind.getcontext(&context) < 0 || libunwind.init(&cursor, &context) < 0)
        return 0;
    while (n < cap && libunwind.step(&cursor) > 0 && libunwind.get(&cursor, UNW_REG_IP, &pc) == 0)
        pcs[n++] = (void *)pc;
    return n;
}

struct stack_view {
    const char *name;
    const uintptr_t *pcs;
    size_t n;
};

/* Tell whether ours says what libunwind says. `theirs` may go on where ours knows the end. */
static bool same(const struct stack_view *ours, const struct stack_view *theirs)
{
    if (ours->n > theirs->n)
        return false;
    for (size_t i = 0; i < ours->n; i++) {
        const bool interrupted = i > 0 && libunwind_is_trampoline(theirs->pcs[i - 1]);
        if (ours->pcs[i] != theirs->pcs[i] + interrupted)
            return false;
    }
    return true;
}

/* A realigned frame interrupted where gcc's tables for it are not exact. */
static bool ends_at_inexact_frame(const struct stack_view *ours, const struct stack_view *theirs)
{
    return ours->n >= 2 && libunwind_is_trampoline(theirs->pcs[ours->n - 2]) &&
           libunwind_is_risky(ours->pcs[ours->n - 1] - 1);
}

static bool interrupts_realigned_frame(const struct stack_view *ours)
{
    for (size_t i = 1; i < ours->n; i++)
        if (libunwind_is_trampoline(ours->pcs[i - 1]) && libunwind_is_risky(ours->pcs[i] - 1))
            return true;
    return false;
}

/* Frames beyond our end must be ones that no table covers, or address zero, or beyond what cannot be
 * followed without risk. */
static bool ends_rightly(const struct stack_view *ours, const struct stack_view *theirs)
{
    if (ours->n == theirs->n || ours->n == DEPTH)
        return true;
    if (theirs->pcs[ours->n] == 0)
        return true;
    if (ends_at_inexact_frame(ours, theirs))
        return true;
    const enum cfi_kind kind = cfi_find(ours->pcs[ours->n - 1] - 1).kind;
    return kind == CFI_NONE || kind == CFI_NO_TABLE;
}

static void describe(const struct stack_view *views, const char *where)
{
    size_t n = (size_t)snprintf(counts.first, sizeof counts.first, "at %s:\n", where);
    for (size_t v = 0; v < 4 && n < sizeof counts.first; v++) {
        n += (size_t)snprintf(counts.first + n, sizeof counts.first - n, "  %s:", views[v].name);
        for (size_t i = 0; i < views[v].n && i < 24 && n < sizeof counts.first - 64; i++) {
            Dl_info info = {.dli_sname = NULL};
            dladdr((void *)(views[v].pcs[i] - 1), &info);
            n += (size_t)snprintf(counts.first + n, sizeof counts.first - n, " %.24s(%lx)",
                                  info.dli_sname ? info.dli_sname : "?", (long)views[v].pcs[i]);
        }
        n += (size_t)snprintf(counts.first + n, sizeof counts.first - n, "\n");
    }
}

static void note(const struct stack_view *views, bool right, bool unusual, const char *where)
{
    pthread_mutex_lock(
        &report); /* handlers of the tests interrupt no other check of their thread */
    counts.n_checks++;
    counts.n_fast += !unusual;
    counts.n_unusual += unusual;
    counts.n_frames += views[0].n;
    if (views[0].n > counts.deepest)
        counts.deepest = views[0].n;
    if (!right && counts.n_wrong++ == 0)
        describe(views, where);
    pthread_mutex_unlock(&report);
}

static size_t memo_of(const struct arch_frame *caller, struct lane *lane, uintptr_t *pcs)
{
    unwind_stack(caller, lane, DEPTH);
    const size_t n = lane->stack.n;
    for (size_t i = 0; i < n; i++)
        pcs[i] = stack_frame_at(&lane->stack, n - 1 - i)->at.pc;
    return n;
}

static bool hash_is_right(const struct stack *stack)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < stack->n; i++) {
        hash = stack_hash(hash, stack_frame_at(stack, i)->at.pc);
        if (i < stack->n - stack->n_upper && stack->frames[i].hash != hash)
            return false;
    }
    return stack->n == 0 || stack_innermost(stack)->hash == hash;
}

/* What one of libunwind's ways says, from `caller` outwards. */
static struct stack_view view_of_libunwind(const struct arch_frame *caller, int level,
                                           int (*backtrace)(void **, int))
{
    void **const pcs = place->seen[level];
    const int n = backtrace(pcs, DEPTH + 16);
    int first = 0;
    while (first < n && (uintptr_t)pcs[first] != caller->pc)
        first++;
    return (struct stack_view){.name = "libunwind",
                               .pcs = (const uintptr_t *)(void *)(pcs + first),
                               .n = (size_t)(n - first)};
}

/* Ours only: the rules give up at a realigned frame, the library follows it, and the memo agrees. */
static bool agree_alone(const struct stack_view *library, const struct stack_view *memo)
{
    return memo->n == library->n &&
           memcmp(memo->pcs, library->pcs, library->n * sizeof *library->pcs) == 0;
}

static bool compare(const struct arch_frame *caller, const char *where, int level)
{
    struct lane *const lane = &place->lanes[level];
    bool by_steps = false;
    enum unwind_end fast_end, library_end;
    lane->ring = &place->rings[level];
    struct stack_view views[4] = {{"libunwind", NULL, 0},
                                  {"fast", place->fast[level], 0},
                                  {"library", place->library[level], 0},
                                  {"memo", place->memo[level], 0}};
    /* The memo first, on the stack as it is: the others leave words of their own below. */
    views[3].n = memo_of(caller, lane, place->memo[level]);
    views[1].n = unwind_fast(caller, place->fast[level], DEPTH, &fast_end);
    views[2].n = unwind_library(caller, place->library[level], DEPTH, &library_end);
    if (interrupts_realigned_frame(&views[2])) {
        const bool right = agree_alone(&views[2], &views[3]) && hash_is_right(&lane->stack);
        atomic_fetch_add(&n_unasked, 1);
        note(views, right, true, where);
        return right;
    }
    views[0] = view_of_libunwind(caller, level, libunwind.backtrace);
    if (!same(&views[2], &views[0])) {
        views[0] = view_of_libunwind(caller, level, step_through);
        by_steps = same(&views[2], &views[0]);
    }
    const bool unusual = fast_end == UNWIND_UNUSUAL;
    bool right = same(&views[2], &views[0]) && ends_rightly(&views[2], &views[0]);
    right = right && same(&views[1], &views[0]);
    right = right && (unusual || (views[1].n == views[2].n));
    const struct stack_view *const expected = unusual ? &views[2] : &views[1];
    right = right && views[3].n == expected->n &&
            memcmp(views[3].pcs, expected->pcs, expected->n * sizeof *expected->pcs) == 0 &&
            hash_is_right(&lane->stack);
    note(views, right, unusual, where);
    atomic_fetch_add(&n_by_steps, by_steps);
    return right;
}

bool oracle_check(const struct arch_frame *caller, const char *where)
{
    if (!place)
        place =
            mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (depth >= 2)
        return true;
    depth++;
    const bool right = compare(caller, where, depth - 1);
    depth--;
    return right;
}

void oracle_survive(const struct arch_frame *caller)
{
    static struct lane lane;
    static struct ring ring;
    static uintptr_t pcs[DEPTH];
    enum unwind_end end;
    lane.ring = &ring;
    unwind_stack(caller, &lane, DEPTH);
    unwind_library(caller, pcs, DEPTH, &end);
    unwind_fast(caller, pcs, DEPTH, &end);
    counts.n_checks++;
    counts.n_wrong += lane.stack.n == 0 || pcs[0] != caller->pc;
}

struct oracle_counts oracle_counts(void)
{
    struct oracle_counts now = counts;
    now.n_by_steps = atomic_load(&n_by_steps);
    now.n_unasked = atomic_load(&n_unasked);
    return now;
}
