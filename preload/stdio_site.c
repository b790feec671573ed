/* SPDX-License-Identifier: MIT */
/* The rarer ways into a hook of stdio: a stream's first call in a thread, a call inside another. */
#include "preload/stdio_site.h"

#include <errno.h>
#include <signal.h>

#include "preload/syscalls.h"

enum {
    /* Between a hook and what libc calls back lie libc's frames only; the largest have a wide
     * stream's buffer of 32 KiB (vfwprintf of an unbuffered stream). */
    LARGEST_DISTANCE = 64 * 1024,
};

__thread struct stdio_thread stdio_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden"))) = {.stream = &streams_none};

/* Tell whether two words at `address` may be read: the kernel reads a signal set there before it finds
 * that no such operation exists. */
static bool is_readable(uintptr_t address)
{
    enum { NO_OPERATION = -1, SET_BYTES = 8 };
    if (atomic_load(&session.syscalls_risky))
        return false;
    return arch_syscall(SYS_rt_sigprocmask, NO_OPERATION, address + 8, NULL, SET_BYTES) == -EINVAL;
}

static bool lies_above(uintptr_t outer, uintptr_t frame)
{
    return outer > frame && outer - frame < LARGEST_DISTANCE;
}

/* Tell whether the call of `frame` is part of the one that is under way: the same stream, by a wrapper that
 * somebody put behind our hook. A signal handler's call is of another stream, or a deadlock. */
static bool is_part(const struct stdio_thread *here, const FILE *file, uintptr_t frame)
{
    return here->entered_at && atomic_load(&here->stream->file) == file &&
           lies_above(here->entered_at, frame) && is_readable(here->entered_at) &&
           stdio_return_address(here->entered_at) == here->pc;
}

/* Give the thread its rings, or the child of a fork its own; false where nothing is recorded. */
static bool records(void)
{
    if (atomic_load_explicit(&session.state, memory_order_relaxed) == SESSION_UNKNOWN)
        session_start();
    if (atomic_load_explicit(&session.state, memory_order_relaxed) != SESSION_ON ||
        (session.flags & SESSION_NO_IO) || session_is_internal() || thread_in_vfork)
        return false;
    if (thread_state.refused && *session.fork_canary)
        return false;
    if (!thread_state.slot || !*session.fork_canary)
        session_leave(session_enter());
    return thread_state.slot != NULL && *session.fork_canary;
}

static __attribute__((noinline)) void enter(const FILE *file, uintptr_t frame)
{
    struct stdio_thread *const here = &stdio_thread;
    if (is_part(here, file, frame))
        return;
    here->entered_at = 0;
    if (!records())
        return;
    struct stream *const stream = file ? streams_place(file) : NULL;
    here->stream = stream ? stream : &streams_none;
    here->entered_at = frame;
    here->pc = stdio_return_address(frame);
    if (stream)
        streams_count(stream, here->pc);
    else
        here->n_unlisted = 1;
    arch_increment(&thread_state.slot->lanes[0].ring->n_stdio_calls);
}

ARCH_KEEPS_REGISTERS void stdio_enter_slow(const FILE *file, uintptr_t frame)
{
    enter(file, frame);
}

bool stdio_site(uintptr_t frame, struct arch_frame *caller_out)
{
    const struct stdio_thread *const here = &stdio_thread;
    const uintptr_t at = here->entered_at;
    if (!lies_above(at, frame) || stdio_return_address(at) != here->pc)
        return false;
    *caller_out = (struct arch_frame){
        .pc = here->pc, .sp = at + 2 * sizeof(uintptr_t), .bp = *(const uintptr_t *)at};
    return true;
}
