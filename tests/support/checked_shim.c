/* SPDX-License-Identifier: MIT */
/* The shim, with every stack it records taken a second time by libunwind.
 *
 * All of preload/ is linked in as it is; the linker alone puts __wrap_unwind_stack() between the recording and
 * the unwinder (--wrap), and the like where a stack is recognised without it. Where heapwise finds this library in the place of its shim (tests/e2e/lib_checked.py), a
 * run is recorded as ever, and counted on the board beside it.
 *
 * libunwind needs some kilobytes of stack, which a thread or a signal handler may not have: it works on a stack
 * of ours, from the registers that swapcontext(3) leaves. It takes locks, and so do its callers in
 * the loader: signals are blocked meanwhile, and one thread at a time asks it. It may not be linked (see
 * libunwind.h), so stacks from before our constructor have the runtime's unwinder for a second. */
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "preload/event.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/syscalls.h"
#include "preload/unwind.h"
#include "tests/support/board.h"

enum {
    OWN_STACK_BYTES = 256 * 1024,
    ALL_WAYS_EVERY = 16, /* the runtime's unwinder takes 10 us a stack and knows no caching */
};

void __real_unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth);
void __wrap_unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth);

typedef const struct kept_stack *find_function(struct lane *lane, const struct arch_frame *caller);
find_function __real_recall_find, __wrap_recall_find, __real_recall_find_at, __wrap_recall_find_at;

static struct libunwind libunwind;
static bool has_libunwind;
static struct board *_Atomic board;

/* The check under way; of the thread that holds the lock. */
static struct {
    ucontext_t target, own;
    struct stack_claim claim;
    struct second_opinion second;
    size_t max_depth;
    size_t n_checks;
    unsigned long long n_unloads;
    uintptr_t pcs[TRACE_MAX_DEPTH], rules[TRACE_MAX_DEPTH], library[TRACE_MAX_DEPTH];
    size_t n_rules, n_library;
    enum unwind_end rules_end;
    bool all_ways;
    _Alignas(64) char stack[OWN_STACK_BYTES];
} work;

/* The stack before, of each lane. */
struct stack_before {
    size_t n;
    struct {
        uintptr_t pc, sp;
    } frames[TRACE_MAX_DEPTH]; /* outermost first */
};
static struct stack_before *befores[SESSION_MAX_SLOTS][2];

/* A lane's second one, for the stacks that were recognised and not taken: they are taken in there, so that the
 * lane's own memo is left as it would be. */
struct shadow {
    struct lane lane;
    struct ring ring;
    struct stack_before before;
};
static struct shadow *shadows[SESSION_MAX_SLOTS];

/* ---- one at a time, uninterrupted ---- */

static _Atomic pid_t holder;

static uint64_t block_signals(void)
{
    const uint64_t all = ~UINT64_C(0);
    uint64_t before = 0;
    arch_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof before);
    return before;
}

static void unblock_signals(uint64_t before)
{
    arch_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

/* False in a child whose parent had another thread hold it at the fork. */
static bool lock(void)
{
    const pid_t pid = sys_pid();
    for (;;) {
        pid_t seen = 0;
        if (atomic_compare_exchange_strong(&holder, &seen, pid))
            return true;
        if (seen != pid)
            return false;
        arch_syscall(SYS_sched_yield);
    }
}

static void unlock(void)
{
    atomic_store(&holder, 0);
}

static struct {
    uint64_t signals;
    bool is_ours; /* the lock is */
} at_fork;        /* forks come one after the other: of the lock's holder */

static void before_fork(void)
{
    const uint64_t signals = block_signals();
    const bool is_ours = lock();
    at_fork.signals = signals;
    at_fork.is_ours = is_ours;
}

static void after_fork(void)
{
    const uint64_t signals = at_fork.signals;
    if (at_fork.is_ours)
        unlock();
    unblock_signals(signals);
}

/* ---- libunwind ---- */

static int read_unloads(struct dl_phdr_info *info, size_t n_bytes, void *unloads_out)
{
    (void)n_bytes;
    *(unsigned long long *)unloads_out = info->dlpi_subs;
    return 1; /* one entry tells it */
}

/* libunwind would use the rules of a library for another at its address. Does not ask the shim. */
static void notice_unloads(void)
{
    unsigned long long n_unloads = 0;
    dl_iterate_phdr(read_unloads, &n_unloads);
    if (n_unloads != work.n_unloads)
        libunwind.flush(*libunwind.space, 0, 0);
    work.n_unloads = n_unloads;
}

static void on_own_stack(void)
{
    second_opinion_of(&libunwind, &work.target, &work.claim, &work.second);
    if (work.all_ways)
        work.n_rules = unwind_fast(work.claim.caller, work.rules, work.max_depth, &work.rules_end);
    setcontext(&work.target);
}

static void ask_libunwind(void)
{
    notice_unloads();
    work.own.uc_stack = (stack_t){.ss_sp = work.stack, .ss_size = sizeof work.stack};
    makecontext(&work.own, on_own_stack, 0);
    swapcontext(&work.target, &work.own);
}

/* ---- the check ---- */

static bool is_claimed(const uintptr_t *pcs, size_t n)
{
    return n == work.claim.n && memcmp(pcs, work.claim.pcs, n * sizeof *pcs) == 0;
}

/* What rules and runtime say, each without the memo. False after telling the difference. */
static bool ways_agree(struct board *on)
{
    struct stack_claim claim = work.claim;
    claim.pcs = work.library;
    claim.n = work.n_library;
    if (!is_claimed(work.library, work.n_library)) {
        board_tell(on, "the runtime's unwinder", &claim, work.second.pcs, work.second.n);
        return false;
    }
    claim.pcs = work.rules;
    claim.n = work.n_rules;
    if (work.rules_end != UNWIND_UNUSUAL && !is_claimed(work.rules, work.n_rules)) {
        board_tell(on, "rules", &claim, work.second.pcs, work.second.n);
        return false;
    }
    return true;
}

static enum board_row compare_locked(struct board *on, struct lane *lane,
                                     const struct arch_frame *caller)
{
    const struct stack *const stack = &lane->stack;
    for (size_t i = 0; i < stack->n; i++)
        work.pcs[i] = stack_frame_at(stack, stack->n - 1 - i)->at.pc;
    work.claim = (struct stack_claim){
        .caller = caller, .pcs = work.pcs, .n = stack->n, .is_cut = stack->n == work.max_depth};
    work.all_ways = work.n_checks++ % ALL_WAYS_EVERY == 0;
    enum unwind_end end;
    if (work.all_ways)
        work.n_library = unwind_library(caller, work.library, work.max_depth, &end);
    ask_libunwind();
    board_add(on, BOARD_INTERRUPTED, work.second.is_interrupted);
    board_add(on, BOARD_ALL_WAYS, work.all_ways);
    if (work.second.opinion == OPINION_DIFFERENT) {
        board_tell(on, "the shim", &work.claim, work.second.pcs, work.second.n);
        return BOARD_DIFFERENT;
    }
    if (work.all_ways && !ways_agree(on))
        return BOARD_DIFFERENT;
    return (enum board_row)work.second.opinion;
}

/* `row` where the runtime's unwinder says the same. Needs no lock: the lane is ours. */
static enum board_row compare_with_runtime(struct lane *lane, const struct arch_frame *caller,
                                           size_t max_depth, enum board_row row)
{
    const struct stack *const stack = &lane->stack;
    enum unwind_end end;
    const size_t n = unwind_library(caller, lane->pcs, max_depth, &end);
    bool same = n == stack->n;
    for (size_t i = 0; i < n && same; i++)
        same = lane->pcs[i] == stack_frame_at(stack, n - 1 - i)->at.pc;
    return same ? row : BOARD_DIFFERENT;
}

static enum board_row compare(struct board *on, struct lane *lane, const struct arch_frame *caller,
                              size_t max_depth)
{
    if (atomic_load(&session.syscalls_risky))
        return compare_with_runtime(lane, caller, max_depth, BOARD_FORBIDDEN);
    if (!has_libunwind)
        return compare_with_runtime(lane, caller, max_depth, BOARD_EARLY);
    const uint64_t signals = block_signals();
    enum board_row row;
    if (lock()) {
        int cancelling; /* libunwind writes to a pipe: a thread cancelled there would keep the lock */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
        work.max_depth = max_depth;
        row = compare_locked(on, lane, caller);
        pthread_setcancelstate(cancelling, NULL);
        unlock();
    } else {
        row = compare_with_runtime(lane, caller, max_depth, BOARD_FORKED);
    }
    unblock_signals(signals);
    return row;
}

/* Where the stack before is kept; NULL where there is no memory for it, and in a child forked amid a check, whose
 * lane is another than the one that the check began with. */
static struct stack_before *before_of(const struct lane *lane)
{
    const struct slot_memory *const slot = thread_state.slot;
    if (slot && shadows[slot->index] && lane == &shadows[slot->index]->lane)
        return &shadows[slot->index]->before;
    if (!slot || lane != &slot->lanes[lane->is_signal])
        return NULL;
    struct stack_before **const place = &befores[slot->index][lane->is_signal];
    if (!*place && !atomic_load(&session.syscalls_risky))
        *place = sys_map(sizeof **place);
    return *place;
}

/* Outer frames that are those of the stack before. One that the memo may not use shares none. */
static size_t count_shared(const struct stack *stack, const struct stack_before *before)
{
    const size_t n_kept = stack->n_kept + stack->n_upper;
    size_t n = 0;
    while (n < n_kept && n < before->n) {
        const struct stack_frame *const frame = stack_frame_at(stack, n);
        if (frame->at.pc != before->frames[n].pc || frame->at.sp != before->frames[n].sp)
            break;
        n++;
    }
    return n;
}

static void keep(const struct stack *stack, struct stack_before *before_out)
{
    for (size_t i = 0; i < stack->n; i++) {
        before_out->frames[i].pc = stack_frame_at(stack, i)->at.pc;
        before_out->frames[i].sp = stack_frame_at(stack, i)->at.sp;
    }
    before_out->n = stack->n;
}

/* The memo may keep a number only for the stack that had it. */
static bool keeps_rightly(struct board *on, const struct lane *lane, uint32_t id_before)
{
    struct stack_before *const before = before_of(lane);
    const struct stack *const stack = &lane->stack;
    if (!before)
        return true;
    const size_t n_shared = count_shared(stack, before);
    const bool right =
        !stack->id || (stack->id == id_before && n_shared == stack->n && n_shared == before->n);
    board_add(on, BOARD_SHARED, n_shared);
    keep(stack, before);
    return right;
}

static struct board *the_board(void)
{
    if (!board && !atomic_load(&session.syscalls_risky))
        board = board_open(session.header->shim_path);
    return board;
}

void __wrap_unwind_stack(const struct arch_frame *caller, struct lane *lane, size_t max_depth)
{
    const int error = errno;
    struct board *const on = the_board();
    const uint32_t id_before = lane->stack.id;
    if (on)
        board_add(on, BOARD_BEGUN, 1);
    __real_unwind_stack(caller, lane, max_depth);
    if (!on)
        return;
    if (caller->sp == 0) { /* an address alone: there is nothing to unwind from */
        board_add(on, BOARD_EQUAL, 1);
        return;
    }
    board_add(on, BOARD_FRAMES, lane->stack.n);
    session_begin_internal();
    enum board_row row = compare(on, lane, caller, max_depth);
    if (!keeps_rightly(on, lane, id_before))
        row = BOARD_DIFFERENT;
    board_add(on, row, 1);
    session_end_internal();
    errno = error;
}

static struct shadow *shadow_of(void)
{
    struct shadow **const place = &shadows[thread_state.slot->index];
    if (!*place && !atomic_load(&session.syscalls_risky))
        *place = sys_map(sizeof **place);
    if (*place)
        (*place)->lane.ring = &(*place)->ring;
    return *place;
}

/* The id that a lane knows a stack by. */
static uint32_t id_of(const struct lane *lane, const struct stack *stack)
{
    const struct stack_frame *const innermost = stack_innermost(stack);
    const struct stacktree_slot *slot;
    for (uint64_t at = innermost->hash;; at++) {
        slot = &lane->tree.slots[at & (lane->tree.n_slots - 1)];
        if (slot->id == 0 ||
            (slot->hash == innermost->hash && slot->check == (uint32_t)innermost->at.pc))
            return slot->id;
    }
}

/* A whole stack of before that was found again: it is taken as well, and must be the one with that id. */
static const struct kept_stack *find_checked(find_function *find, struct lane *lane,
                                             const struct arch_frame *caller)
{
    const uint32_t age = lane->tree.age, generation = modules_generation();
    struct shadow *const shadow = lane->recall && the_board() ? shadow_of() : NULL;
    const struct kept_stack *const found = shadow ? find(lane, caller) : NULL;
    if (!found)
        return NULL;
    const uint32_t id = found->id;
    __wrap_unwind_stack(caller, &shadow->lane, session.max_depth);
    /* A handler that forks has ids begin anew in the child. */
    if (lane->tree.age == age && modules_generation() == generation &&
        id_of(lane, &shadow->lane.stack) != id)
        board_add(the_board(), BOARD_DIFFERENT, 1);
    return found;
}

const struct kept_stack *__wrap_recall_find(struct lane *lane, const struct arch_frame *caller)
{
    return find_checked(__real_recall_find, lane, caller);
}

const struct kept_stack *__wrap_recall_find_at(struct lane *lane, const struct arch_frame *caller)
{
    return find_checked(__real_recall_find_at, lane, caller);
}

/* Runs before libc's own initialization (-z initfirst), which dlopen() makes up for, but with nothing for
 * arguments and with what it takes for the environment: what that sets is set by us. */
__attribute__((constructor)) static void open_libunwind(int argc, char **argv, char **environment)
{
    session_start();
    if (atomic_load(&session.state) != SESSION_ON || atomic_load(&session.syscalls_risky))
        return;
    session_begin_internal();
    environ = environment;
    getcontext(&work.own);
    memset(&work.own.uc_sigmask, 0xff, sizeof work.own.uc_sigmask);
    pthread_atfork(before_fork, after_fork, after_fork);
    has_libunwind = libunwind_open(&libunwind);
    if (argc > 0) {
        const char *const slash = strrchr(argv[0], '/');
        program_invocation_name = argv[0];
        program_invocation_short_name = slash ? (char *)slash + 1 : argv[0];
    }
    session_end_internal();
}
