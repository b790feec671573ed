/* SPDX-License-Identifier: MIT */
/* How a process and its threads come to be recorded, and how a fork is noticed. */
#include "preload/session.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>

#include "preload/diag.h"
#include "preload/event.h"
#include "preload/folder.h"
#include "preload/identity.h"
#include "preload/image.h"
#include "preload/kernel_io.h"
#include "preload/last_touch.h"
#include "preload/modules.h"
#include "preload/real.h"
#include "preload/ring.h"
#include "preload/sampling.h"
#include "preload/slot.h"
#include "preload/syscalls.h"
#include "preload/timing.h"
#include "preload/unwind.h"
#include "preload/usable.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { CANARY_BYTES = 4096 };

struct session session;
__thread struct thread_state thread_state
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
__thread int thread_in_vfork __attribute__((tls_model("initial-exec"), visibility("hidden")));

static bool header_is_ours(const struct session_header *header)
{
    return header->magic == SESSION_MAGIC && header->layout_version == SESSION_LAYOUT_VERSION &&
           header->n_slots <= SESSION_MAX_SLOTS;
}

static struct session_header *open_session(const char *path)
{
    const long fd = sys_open(path, O_RDWR);
    if (fd < 0)
        return NULL;
    const long at =
        arch_syscall(SYS_mmap, 0, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sys_close(fd);
    if (at < 0 && at > -4096)
        return NULL;
    struct session_header *const header = (struct session_header *)at;
    if (header_is_ours(header))
        return header;
    sys_unmap(header, SESSION_HEADER_BYTES);
    return NULL;
}

/* Behind the canary lies what else a forked child must find empty: it has told nothing yet. */
static uint8_t *make_canary(void)
{
    enum {
        TOLD_BYTES = IDENTITY_BITS / 8,
        N_BYTES = CANARY_BYTES + TOLD_BYTES + LAST_TOUCH_PLACES * sizeof(uint64_t),
    };
    uint8_t *const page = sys_map(N_BYTES);
    if (!page)
        return NULL;
    if (arch_syscall(SYS_madvise, page, N_BYTES, MADV_WIPEONFORK) != 0) {
        sys_unmap(page, N_BYTES);
        return NULL;
    }
    session.told = (_Atomic uint64_t *)(void *)(page + CANARY_BYTES);
    session.last_touch = (_Atomic uint64_t *)(void *)(page + CANARY_BYTES + TOLD_BYTES);
    return page;
}

static void set_canary(void)
{
    const uint32_t unusual = SESSION_NO_ALLOC | SESSION_FREE_STACKS | SESSION_COUNT_LIVE |
                             SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK;
    const uint32_t unusual_io = SESSION_NO_IO | SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK;
    *session.fork_canary = SESSION_OURS | (session.flags & unusual ? 0 : SESSION_PLAIN) |
                           (session.flags & unusual_io ? 0 : SESSION_PLAIN_IO);
}

void session_borrow_clock(void)
{
    session.flags |= SESSION_BORROWED_CLOCK;
    if (session.fork_canary && *session.fork_canary) /* else the fork has still to be noticed */
        set_canary();
}

/* A filter that the collector is under, too, as in a container, forbids nothing that we need: it makes
 * the same calls. One that came later may. */
static bool own_filter_is_in_force(const struct session_header *header)
{
    if (arch_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) <= 0)
        return false;
    return header->n_filters == 0 || image_count_filters() != header->n_filters;
}

static bool attach(const char *path)
{
    struct session_header *const header = open_session(path);
    if (!header)
        return false;
    session.fork_canary = make_canary();
    if (!session.fork_canary) {
        sys_unmap(header, SESSION_HEADER_BYTES);
        return false;
    }
    session.header = header;
    session.flags = header->flags;
    set_canary();
    session.max_depth = header->max_depth < TRACE_MAX_DEPTH ? header->max_depth : TRACE_MAX_DEPTH;
    session.image_id = atomic_fetch_add(&header->next_image_id, 1);
    session.pid = sys_pid();
    atomic_store(&session.syscalls_risky, own_filter_is_in_force(header));
    image_read();
    timing_start();
    unwind_library_prepare();
    return true;
}

void session_start(void)
{
    uint32_t state = SESSION_UNKNOWN;
    if (!atomic_compare_exchange_strong(&session.state, &state, SESSION_STARTING))
        return;
    const int error = errno; /* a missing optional name may set it */
    session_begin_internal();
    real_resolve();
    usable_start();
    char path[SESSION_PATH_BYTES];
    const bool named = image_environment(SESSION_ENVIRONMENT, path, sizeof path) > 0;
    const bool attached = named && attach(path);
    session_end_internal();
    errno = error;
    atomic_store(&session.state, attached ? SESSION_ON : SESSION_OFF);
    if (!named)
        diag_line("not recording: the preload library does nothing by itself; "
                  "use `heapwise run -- COMMAND`");
}

/* Comes early by -z initfirst; mostly the loader's own allocations were earlier still. */
__attribute__((constructor)) static void attach_at_load(void)
{
    session_start();
    session_leave(session_enter());
}

static void name_thread(struct lane *lane, pid_t tid)
{
    char name[17] = "";
    if (!atomic_load(&session.syscalls_risky))
        arch_syscall(SYS_prctl, PR_GET_NAME, name, 0, 0, 0);
    event_number_text(lane, TRACE_THREAD, tid, name);
}

/* Hooks in signal handlers that interrupt what lies between these two forward, but record nothing: it
 * must not begin a second time. */
static void begin_unsettled(struct thread_state *thread)
{
    thread->unsettled_at = (uintptr_t)__builtin_frame_address(0);
    atomic_signal_fence(memory_order_seq_cst);
}

static void end_unsettled(struct thread_state *thread)
{
    atomic_signal_fence(memory_order_seq_cst);
    thread->unsettled_at = 0;
}

/* What an image says of I/O, behind the records that begin its stream. */
static void announce_io(struct lane *lane)
{
    if (session.flags & SESSION_NO_IO)
        return;
    folder_tell(lane);
    kernel_io_begin(lane);
}

/* The first records of a thread, perhaps of an image. */
static void announce(struct slot_memory *slot)
{
    struct lane *const lane = &slot->lanes[0];
    const bool is_first = !lane->is_orphaned && atomic_exchange(&session.announced, 1) == 0;
    if (is_first)
        image_announce(lane);
    name_thread(lane, slot->header->tid);
    if (is_first)
        announce_io(lane);
}

/* Give the calling thread its rings. Where a signal handler forked meanwhile they are the parent's, in the child,
 * which has to learn of that first: session_enter_slow() begins anew. */
static bool open_thread(struct thread_state *thread, uintptr_t frame)
{
    begin_unsettled(thread);
    struct slot_memory *const slot = slot_claim(sys_pid(), sys_tid());
    if (slot)
        thread->entered_at = frame;
    thread->slot = slot;
    thread->refused = !slot;
    end_unsettled(thread);
    atomic_fetch_add(slot ? &slot->lanes[1].ring->n_lost[TRACE_LOSS_NESTED]
                          : &session.header->n_lost_no_slot,
                     thread->n_interrupting);
    thread->n_interrupting = 0;
    if (!slot)
        return false;
    if (*session.fork_canary)
        announce(slot);
    thread->entered_at = 0;
    return true;
}

/* Tell whether the hook that ran at `began` was left by a jump (siglongjmp out of a signal handler that
 * interrupted it): what interrupts it lies below it, but on another stack. */
static bool was_left(uintptr_t began, uintptr_t frame)
{
    stack_t stack = {.ss_flags = SS_ONSTACK};
    if (frame < began || atomic_load(&session.syscalls_risky))
        return false;
    arch_syscall(SYS_sigaltstack, NULL, &stack);
    return !(stack.ss_flags & SS_ONSTACK);
}

/* A hook that was left may have left its ring at any point: half a record, numbers that count from one
 * that was never published. The thread goes on in another slot, and the reader sees two threads. */
static void forget_left_hook(struct thread_state *thread)
{
    if (thread->slot && *session.fork_canary) /* else it is our parent's */
        atomic_store(&thread->slot->header->closed, 1);
    thread->slot = NULL;
    thread->entered_at = 0;
    thread->nested = false;
    thread->unsettled_at = 0;
}

/* Get the main lane of a thread that has a slot, or the signal lane where that is in use. Where a signal handler
 * forked meanwhile, the child has lost the slot, and begins anew. */
static struct lane *take_lane(struct thread_state *thread, uintptr_t frame)
{
    struct slot_memory *const slot = thread->slot;
    if (!thread->entered_at) {
        struct lane *const lane = session_take_main(frame, SESSION_OURS);
        return lane ? lane : session_enter_slow(frame);
    }
    if (slot && thread->nested) {
        atomic_fetch_add(&slot->lanes[1].ring->n_lost[TRACE_LOSS_NESTED], 1);
        return NULL;
    }
    thread->nested = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (slot && thread->slot == slot)
        return &slot->lanes[1];
    thread->nested = false;
    return session_enter_slow(frame);
}

struct lane *session_enter_slow(uintptr_t frame)
{
    struct thread_state *const thread = &thread_state;
    if (thread->internal)
        return NULL;
    if (atomic_load_explicit(&session.state, memory_order_relaxed) == SESSION_UNKNOWN)
        session_start();
    if (atomic_load_explicit(&session.state, memory_order_relaxed) != SESSION_ON)
        return NULL;
    if (thread->entered_at && was_left(thread->entered_at, frame))
        forget_left_hook(thread);
    if (thread->unsettled_at && was_left(thread->unsettled_at, frame))
        forget_left_hook(thread);
    if (thread->unsettled_at) {
        thread->n_interrupting++;
        return NULL;
    }
    session_check_fork();
    if (atomic_load_explicit(&session.state, memory_order_relaxed) != SESSION_ON)
        return NULL;
    if (thread->slot)
        return take_lane(thread, frame);
    if (thread->refused || !open_thread(thread, frame)) {
        atomic_fetch_add(&session.header->n_lost_no_slot, 1);
        return NULL;
    }
    return session_enter_slow(frame);
}

bool session_is_guest(void)
{
    if (thread_in_vfork)
        return true;
    return !atomic_load(&session.syscalls_risky) && session.pid != sys_pid();
}

/* A hook under way in this lane gets no more room: it would note modules as told that its reader never hears of. */
static void orphan(struct lane *lane)
{
    lane->is_orphaned = true;
    lane->plain_until = 0;
}

/* In the child all other threads are gone. A hook of this one may be under way still (the fork came
 * from a signal handler that interrupted it): what it writes must not reach the parent's ring. */
static void leave_parents_slots(struct thread_state *thread)
{
    if (!thread->entered_at) {
        slot_forget_all();
    } else if (thread->slot) {
        arch_syscall(SYS_mmap, thread->slot->header, session.header->slot_bytes,
                     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        session.slots[thread->slot->index] = NULL;
        orphan(&thread->slot->lanes[0]);
        orphan(&thread->slot->lanes[1]);
        slot_forget_all();
    }
    thread->slot = NULL;
    thread->refused = false;
}

/* A forked child is an image of its own, that of its parent's moment of the fork. */
static void become_image(struct thread_state *thread)
{
    session.parent_image = session.image_id;
    session.parent_pid = session.pid;
    session.pid = sys_pid();
    session.fork_id = thread->fork_id;
    thread->fork_id = 0;
    sampling_forget(thread);
    session.image_id = atomic_fetch_add(&session.header->next_image_id, 1);
    atomic_store(&session.announced, 0);
    if (!atomic_load(&session.syscalls_risky))
        image_read_start_time();
    modules_forget();
    /* The table of last events is wiped, and all lanes are new. */
    atomic_store(&session.company, 0);
    set_canary();
}

void session_check_fork(void)
{
    if (!session.fork_canary || *session.fork_canary)
        return;
    struct thread_state *const thread = &thread_state;
    thread_in_vfork = 0; /* a fork of such a child has memory of its own */
    if (thread->unsettled_at)
        return;
    begin_unsettled(thread);
    leave_parents_slots(thread);
    if (session.flags & SESSION_NO_FOLLOW)
        atomic_store(&session.state, SESSION_OFF);
    else
        become_image(thread);
    end_unsettled(thread);
}
