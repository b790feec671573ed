/* SPDX-License-Identifier: MIT */
/* Who is calling stdio: the frame of the outermost hook that is under way in this thread.
 *
 *     EXPORT int fputc(int byte, FILE *stream)
 *     {
 *         stdio_enter(stream, STDIO_FRAME());
 *         const int result = real.fputc(byte, stream);
 *         stdio_leave(STDIO_FRAME());
 *         return result;
 *     }
 *
 * Nearly every such call ends in the stream's buffer, so entering is a dozen loads and stores: two words that
 * lead to the caller, two counters. Only a transfer reads them (stdio_transfer.c), and it does without
 * where they are gone: then it unwinds through libc itself. So a call that never comes back (longjmp,
 * cancellation, a coroutine given up) does no harm: what it left is seen to be stale, by
 * its place on the stack and by the return address that no longer stands there. */
#ifndef HEAPWISE_PRELOAD_STDIO_SITE_H
#define HEAPWISE_PRELOAD_STDIO_SITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "preload/ring.h"
#include "preload/session.h"
#include "preload/streams.h"

struct stdio_thread {
    uintptr_t entered_at;  /* frame of the hook, 0: none */
    uintptr_t pc;          /* its return address, as it was then */
    struct stream *stream; /* place of the stream used last, of no stream where it has none */
    uint64_t n_unlisted;   /* 1 after a call on no stream that is listed, until its transfer */
    uintptr_t opening_at;  /* entered_at of fopen and its like: the descriptor is nobody's yet */
    struct stdio_seek {
        uint64_t began; /* 0: none */
        int64_t result;
        int32_t whence;
    } seek; /* made while opening, recorded after the opening */
};
extern __thread struct stdio_thread stdio_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The hook's frame: its caller's rbp stands there, its return address above. */
#define STDIO_FRAME() ((uintptr_t)__builtin_frame_address(0))

static inline uintptr_t stdio_return_address(uintptr_t frame)
{
    return ((const uintptr_t *)frame)[1];
}

/* Where entering takes more than a comparison. Keeps errno. */
ARCH_KEEPS_REGISTERS __attribute__((visibility("hidden"))) void stdio_enter_slow(const FILE *file,
                                                                                 uintptr_t frame);

/* A call of stdio begins. A call inside another one on the same stream is part of that. The real functions
 * are known afterwards. */
static inline void stdio_enter(const FILE *file, uintptr_t frame)
{
    struct stdio_thread *const here = &stdio_thread;
    struct stream *const stream = here->stream;
    const struct slot_memory *const slot = thread_state.slot;
    if (__builtin_expect(here->entered_at ||
                             atomic_load_explicit(&stream->file, memory_order_relaxed) != file ||
                             !slot || !*session.fork_canary,
                         0)) {
        if (!(session.flags & SESSION_NO_IO)) /* which is known no sooner than the real functions */
            ARCH_CALL_KEEPING(stdio_enter_slow, file, frame);
        return;
    }
    here->entered_at = frame;
    here->pc = stdio_return_address(frame);
    streams_count(stream, here->pc);
    arch_increment(&slot->lanes[0].ring->n_stdio_calls);
}

static inline void stdio_leave(uintptr_t frame)
{
    struct stdio_thread *const here = &stdio_thread;
    if (__builtin_expect(here->entered_at == frame, 1))
        here->entered_at = 0;
}

/* The caller of the hook under way, for code at `frame` that libc called. False where there is none. */
bool stdio_site(uintptr_t frame, struct arch_frame *caller_out);

#endif
