/* SPDX-License-Identifier: MIT */
/* The shim's state: what is process-wide, what is each thread's, and how a hook goes in and out.
 *
 * A hook brackets its recording with session_enter() and session_leave():
 *
 *     struct lane *lane = session_enter();
 *     if (lane)
 *         event_...(lane, ...);
 *     session_leave(lane);
 *
 * session_enter() attaches the process at its very first event (often before any constructor), notices
 * a fork, gives the thread its rings at its first event, and picks the lane: the main ring, or the
 * signal ring when this hook interrupted another one. It returns NULL when nothing is to be recorded.
 * Nothing here calls malloc, stdio or a lock of libc's; errno is kept. Thread-safe and
 * async-signal-safe throughout. */
#ifndef HEAPWISE_PRELOAD_SESSION_H
#define HEAPWISE_PRELOAD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/session_layout.h"
#include "preload/arch_x86_64.h"
#include "preload/lane.h"

enum session_state {
    SESSION_UNKNOWN,  /* no hook has run yet */
    SESSION_STARTING, /* the first one is looking for a session */
    SESSION_ON,
    SESSION_OFF, /* no session, or this process is not to be followed */
};

/* A flag of session.flags that no header has: reading the time stamp counter or asking the kernel for
 * the time would kill the program (strict seccomp, PR_TSC_SIGSEGV). Times are the collector's then. */
enum session_private_flags { SESSION_BORROWED_CLOCK = 1 << 30 };

/* What stands at session.fork_canary; 0 in a forked child that nobody has noticed. */
enum session_canary {
    SESSION_OURS = 1,
    SESSION_PLAIN = 2,    /* beside OURS: allocations are recorded, and no flag asks for more than
                          their usual records, nor for another clock than the counter */
    SESSION_PLAIN_IO = 4, /* beside OURS: I/O is recorded, by the counter */
};

/* Everything process-wide. One writer at a time: the attaching thread, or the only thread of a
 * forked child; afterwards fields change only where they are atomic. */
struct session {
    _Atomic uint32_t state;        /* session_state */
    struct session_header *header; /* shared; NULL until attached */
    uint32_t flags;                /* copy of header->flags, and SESSION_BORROWED_CLOCK */
    uint32_t max_depth;
    uint32_t image_id;
    uint32_t parent_image; /* of a forked child */
    uint32_t fork_id;      /* likewise */
    pid_t parent_pid;      /* likewise */
    pid_t pid;             /* of this image, as the image itself sees it */
    _Atomic uint32_t next_fork_id;
    _Atomic uint32_t n_sampling;     /* threads that began to sample their releases */
    _Atomic uint32_t announced;      /* 1 once some lane carries the image record */
    _Atomic uint32_t syscalls_risky; /* a seccomp filter is in force: none that can be avoided */
    _Atomic uint32_t collector_gone; /* it died: never wait for it again */
    _Atomic uint64_t stalled_at;     /* heartbeat it stalled at, plus one; 0 when it moves */
    _Atomic uint64_t company;        /* who has events beside whom (stamp.h) */
    _Atomic uint64_t *last_touch;    /* whose a block's last event was (last_touch.h); wiped, too */
    uint32_t stamp_cycles;  /* that reading the counter takes by itself; 0 where it is not read */
    uint8_t *fork_canary;   /* page that the kernel wipes in a forked child (enum session_canary) */
    _Atomic uint64_t *told; /* descriptors whose identity is told, a bit each; wiped likewise */
    _Atomic uint64_t n_own_reads; /* the shim's, since kernel_io_begin() */
    _Atomic uint64_t own_read_bytes;
    struct slot_memory *slots[SESSION_MAX_SLOTS]; /* slots this process has mapped */
};
extern struct session session;

/* A thread's share. Initial-exec storage, so that no access can allocate. */
struct thread_state {
    uintptr_t entered_at;     /* frame of the hook that uses the main lane, 0: none; stays first */
    bool nested;              /* another one, which interrupted it, uses the signal lane */
    uint32_t internal;        /* > 0 while the shim itself calls out: nothing is recorded */
    uintptr_t unsettled_at;   /* frame of what gets the rings, or learns of a fork; else 0 */
    struct slot_memory *slot; /* NULL until its first event, and in a new fork */
    bool refused;             /* no slot could be had: events are counted only */
    uint32_t fork_id;         /* of the fork this thread is inside of */
    int32_t until_timed;      /* allocations until one is timed (timing_is_due) */
    uint32_t timed_state;     /* decides the distance to the next; 0: none yet */
    int32_t until_sampled;    /* releases until one is sampled (sampling_is_due) */
    uint32_t sampling_state;  /* decides the distance to the next; 0: none yet */
    uint32_t n_interrupting;  /* events of signal handlers meanwhile, not yet counted anywhere */
};
extern __thread struct thread_state thread_state
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Static_assert(offsetof(struct thread_state, entered_at) == 0, "arch_x86_64.S writes it");

/* 1 between vfork and exec in the child, which runs in our memory and in the thread that waits for it.
 * Set by arch_x86_64.S, which also puts thread_state.entered_at right in the parent. */
extern __thread int thread_in_vfork
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* `frame`: any address of the hook's stack frame. */
struct lane *session_enter_slow(uintptr_t frame);

/* Take the main lane for the hook of this frame, or return NULL: session_enter_slow() has to look closer. `canary` is
 * what has to stand there.
 *
 * The guard comes first and the rest is looked at behind it, so a signal handler that forks leaves alone, in the
 * child, the lane of a hook that has one. To a hook that has none yet it may give a new one, but then it
 * also took the guard away. */
static inline __attribute__((always_inline)) struct lane *session_take_main(uintptr_t frame,
                                                                            uint8_t canary)
{
    struct thread_state *const thread = &thread_state;
    if (__builtin_expect(thread->entered_at != 0, 0))
        return NULL;
    thread->entered_at = frame;
    atomic_signal_fence(memory_order_seq_cst);
    struct slot_memory *const slot = thread->slot;
    const bool fits = slot && (*session.fork_canary & canary);
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(fits && thread->entered_at == frame, 1))
        return &slot->lanes[0];
    thread->entered_at = 0;
    return NULL;
}

/* The usual way in. */
static inline __attribute__((always_inline)) struct lane *session_enter_main(uint8_t canary)
{
    return session_take_main((uintptr_t)__builtin_frame_address(0), canary);
}

static inline struct lane *session_enter(void)
{
    struct lane *const lane = session_enter_main(SESSION_OURS);
    return lane ? lane : session_enter_slow((uintptr_t)__builtin_frame_address(0));
}

/* The way out for who knows that the lane is the main one. */
static inline void session_leave_main(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    thread_state.entered_at = 0;
}

static inline void session_leave(struct lane *lane)
{
    if (!lane)
        return;
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(lane->is_signal, 0))
        thread_state.nested = false;
    else
        thread_state.entered_at = 0;
}

/* Tell whether the shim itself is calling: such an allocation is served from the arena. */
static inline bool session_is_internal(void)
{
    return __builtin_expect(thread_state.internal != 0, 0);
}

/* Bracket a call of the shim's own that may allocate (dlsym). */
static inline void session_begin_internal(void)
{
    thread_state.internal++;
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void session_end_internal(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    thread_state.internal--;
}

/* Never read a clock again: SESSION_BORROWED_CLOCK. */
void session_borrow_clock(void);

/* Attach the process if no event has yet. For constructors and for hooks that record nothing. */
void session_start(void);

/* Notice that this process is a fork of the one that attached; give it an image of its own.
 * Cheap when it is not. */
void session_check_fork(void);

/* Tell whether this is a child that runs in our memory until it execs: by vfork, or by clone with CLONE_VM.
 * The heap it works on is its parent's and so are its events; what it does to itself (exec, its name)
 * is not the parent's and must not be recorded there. */
bool session_is_guest(void);

/* Tell whether children that exec are to be recorded. */
static inline bool session_follows(void)
{
    return session.header && !(session.flags & SESSION_NO_FOLLOW);
}

#endif
