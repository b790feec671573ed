/* SPDX-License-Identifier: MIT */
/* The frame of a hook of I/O: when it began, the real call, what came of it.
 *
 *     EXPORT ssize_t read(int fd, void *buffer, size_t n_bytes)
 *     {
 *         IO_CALL(ssize_t, IO_READ, fd, real.read(fd, buffer, n_bytes),
 *                 .requested_bytes = n_bytes, .buffer = buffer);
 *     }
 *
 * Nothing is held over the real call: a cancelled thread never comes back from it, and a signal
 * handler may make other calls meanwhile. errno is the call's own: what records makes no call that sets it.
 * Where nothing is to be recorded (no session, --no-io, the shim's own calls, a vfork child) began is 0 and
 * the call is only forwarded. */
#ifndef HEAPWISE_PRELOAD_IO_CALL_H
#define HEAPWISE_PRELOAD_IO_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/event_io.h"
#include "preload/identity.h"
#include "preload/real.h"
#include "preload/session.h"

#define IO_EXPORT __attribute__((visibility("default")))

/* Where io_begin() cannot tell at a glance. */
uint64_t io_begin_slow(void);

/* Take the time before a call; 0: only forward it. The real functions are known afterwards. */
static inline uint64_t io_begin(void)
{
    const struct thread_state *const thread = &thread_state;
    if (__builtin_expect(thread->slot && !thread->internal && !thread_in_vfork &&
                             (*session.fork_canary & SESSION_PLAIN_IO),
                         1))
        return arch_ticks();
    return io_begin_slow();
}

/* The same before a transfer, of which the descriptor's identity has to be told first. */
uint64_t io_begin_untold(int fd);
static inline uint64_t io_begin_on(int fd)
{
    const uint64_t began = io_begin();
    return began && !identity_is_told(fd) ? io_begin_untold(fd) : began;
}

static inline uint64_t io_begin_on_two(int fd, int other)
{
    const uint64_t began = io_begin_on(fd);
    return began && !identity_is_told(other) ? io_begin_untold(other) : began;
}

/* What the kernel returned, from what libc does. */
static inline int64_t io_result(int64_t returned)
{
    return returned == -1 ? -errno : returned;
}

/* Record a call that ended just now. */
void io_record(const struct event_io *io, const struct arch_frame *caller);
void io_record_path(const struct event_path_call *call, const struct arch_frame *caller);

/* Record that the call gave a new descriptor (nothing where fd is negative), and from what. */
void io_record_new(enum io_op op, int fd, int other, const struct arch_frame *caller);
/* The same of two that belong together. */
void io_record_pair(enum io_op op, const int fds[2], const struct arch_frame *caller);

/* Before first..last are closed. Not to be called when io_begin() gave 0. */
void io_record_closing(uint32_t first, uint32_t last);

/* The whole body of a hook; `kernel_result` is said in terms of `result`. */
#define IO_BODY(type, begin, op_, fd_, call, kernel_result, ...)                                   \
    const struct arch_frame caller = ARCH_CALLER_FRAME();                                          \
    const uint64_t began = (begin);                                                                \
    const type result = (call);                                                                    \
    if (__builtin_expect(began != 0, 1))                                                           \
        io_record(                                                                                 \
            &(struct event_io){                                                                    \
                .op = (op_), .fd = (fd_), .began = began, .result = (kernel_result), __VA_ARGS__}, \
            &caller);                                                                              \
    return result

#define IO_CALL(type, op, fd, call, ...)                                                           \
    IO_BODY(type, io_begin_on(fd), op, fd, call, io_result(result), __VA_ARGS__)

/* A call that returns its error and leaves errno alone. */
#define IO_ERROR(op, fd, call, ...)                                                                \
    IO_BODY(int, io_begin_on(fd), op, fd, call, -(int64_t)result, __VA_ARGS__)

/* A copy inside the kernel, between two descriptors. */
#define IO_COPY(op, from, to, n_bytes, call)                                                       \
    IO_BODY(ssize_t, io_begin_on_two(from, to), op, from, call, io_result(result),                 \
            .requested_bytes = (n_bytes), .detail = (to))

/* A call by path that makes no descriptor. */
#define IO_PATH(type, op_, folder, path_, call)                                                    \
    const struct arch_frame caller = ARCH_CALLER_FRAME();                                          \
    const uint64_t began = io_begin();                                                             \
    const type result = (call);                                                                    \
    if (__builtin_expect(began != 0, 1))                                                           \
        io_record_path(&(struct event_path_call){.op = (op_),                                      \
                                                 .folder_fd = (folder),                            \
                                                 .began = began,                                   \
                                                 .result = io_result(result),                      \
                                                 .path = (path_)},                                 \
                       &caller);                                                                   \
    return result

/* A call that returns a new descriptor without a path. */
#define IO_NEW(op, other, call)                                                                    \
    const struct arch_frame caller = ARCH_CALLER_FRAME();                                          \
    const uint64_t began = io_begin();                                                             \
    const int result = (call);                                                                     \
    if (began)                                                                                     \
        io_record_new((op), result, (other), &caller);                                             \
    return result

/* A call that fills in two new descriptors and returns 0. */
#define IO_PAIR(op, fds, call)                                                                     \
    const struct arch_frame caller = ARCH_CALLER_FRAME();                                          \
    const uint64_t began = io_begin();                                                             \
    const int result = (call);                                                                     \
    if (began && result == 0)                                                                      \
        io_record_pair((op), (fds), &caller);                                                      \
    return result

#endif
