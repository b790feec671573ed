/* SPDX-License-Identifier: MIT */
/* What the hooks of I/O share. */
#include "preload/io_call.h"

#include "preload/event.h"

static uint64_t other_ticks(void)
{
    if (session.flags & SESSION_BORROWED_CLOCK)
        return 1; /* how long the call takes cannot be told */
    return session.flags & SESSION_CLOCK_MONOTONIC ? event_monotonic_ns() : arch_ticks();
}

/* The thread gets its rings, and a fork is noticed, before the call: that takes its time. */
uint64_t io_begin_slow(void)
{
    struct thread_state *const thread = &thread_state;
    if (atomic_load_explicit(&session.state, memory_order_relaxed) == SESSION_UNKNOWN)
        session_start();
    if (atomic_load_explicit(&session.state, memory_order_relaxed) != SESSION_ON ||
        (session.flags & SESSION_NO_IO) || thread->internal || thread_in_vfork)
        return 0;
    if ((!thread->slot && !thread->refused) || !*session.fork_canary) {
        session_leave(session_enter());
        if (atomic_load_explicit(&session.state, memory_order_relaxed) != SESSION_ON)
            return 0;
    }
    return other_ticks();
}

uint64_t io_begin_untold(int fd)
{
    if (!thread_state.refused) /* else the loss would be counted twice */
        identity_tell(fd);
    return io_begin();
}

void io_record(const struct event_io *io, const struct arch_frame *caller)
{
    struct lane *const lane = session_enter();
    if (lane)
        event_io(lane, TRACE_IO, io, caller);
    session_leave(lane);
}

static bool opens(uint8_t op)
{
    return io_op_class(op) == IO_CLASS_OPEN;
}

/* A new descriptor may have a number that libc closed behind our back. In a vfork child the table of
 * descriptors is another than ours. */
void io_record_path(const struct event_path_call *call, const struct arch_frame *caller)
{
    if (opens(call->op) && call->result >= 0) {
        if (session_is_guest())
            return;
        identity_forget((int)call->result);
    }
    struct lane *const lane = session_enter();
    if (lane)
        event_path_call(lane, call, caller);
    session_leave(lane);
}

void io_record_new(enum io_op op, int fd, int other, const struct arch_frame *caller)
{
    if (fd < 0 || session_is_guest())
        return;
    identity_forget(fd);
    struct lane *const lane = session_enter();
    if (lane)
        event_fd_new(lane, op, fd, other, caller);
    session_leave(lane);
}

void io_record_pair(enum io_op op, const int fds[2], const struct arch_frame *caller)
{
    io_record_new(op, fds[0], fds[1], caller);
    io_record_new(op, fds[1], fds[0], caller);
}

void io_record_closing(uint32_t first, uint32_t last)
{
    if (first > last || session_is_guest())
        return;
    identity_forget_range(first, last);
    struct lane *const lane = session_enter();
    if (lane)
        event_fd_close(lane, first, last);
    session_leave(lane);
}
