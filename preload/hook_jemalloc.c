/* SPDX-License-Identifier: MIT */
/* Hooks of jemalloc's extended interface, for programs that use it.
 *
 * These names are exported whether jemalloc is there or not, so a program that tests a weak reference
 * to one of them finds it; without jemalloc each then does by the standard functions what jemalloc's
 * manual promises. Flags: bits 0-5 hold log2 of the alignment, bit 6 asks for zeroed memory. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preload/event.h"
#include "preload/real.h"
#include "preload/sampling.h"
#include "preload/session.h"

#define EXPORT __attribute__((visibility("default")))

enum { FLAG_ALIGN_MASK = 0x3f, FLAG_ZERO = 0x40 };

EXPORT void *mallocx(size_t n_bytes, int flags);
EXPORT void *rallocx(void *address, size_t n_bytes, int flags);
EXPORT size_t xallocx(void *address, size_t n_bytes, size_t n_extra, int flags);
EXPORT void dallocx(void *address, int flags);
EXPORT void sdallocx(void *address, size_t n_bytes, int flags);

static size_t alignment_of(int flags)
{
    const int log2 = flags & FLAG_ALIGN_MASK;
    return log2 ? (size_t)1 << log2 : 0;
}

static struct lane *enter(void)
{
    if (!real.malloc_usable_size)
        session_start();
    return session.flags & SESSION_NO_ALLOC ? NULL : session_enter();
}

static void *allocate(size_t n_bytes, int flags)
{
    if (real.mallocx)
        return real.mallocx(n_bytes, flags);
    const size_t alignment = alignment_of(flags);
    void *const address = alignment > 16 ? real.memalign(alignment, n_bytes) : real.malloc(n_bytes);
    if (address && (flags & FLAG_ZERO))
        memset(address, 0, n_bytes);
    return address;
}

EXPORT void *mallocx(size_t n_bytes, int flags)
{
    if (!real.malloc_usable_size)
        session_start();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct event_block block = {.address = allocate(n_bytes, flags),
                                      .size_bytes = n_bytes,
                                      .alignment = alignment_of(flags)};
    struct lane *const lane = block.address ? enter() : NULL;
    if (lane)
        event_allocation(lane, TRACE_MALLOCX, &block, &caller);
    session_leave(lane);
    return (void *)block.address;
}

static void begin(enum trace_resize_call call, const void *address)
{
    struct lane *const lane = enter();
    if (lane)
        event_resize_begin(lane, call, address);
    session_leave(lane);
}

static void end(const struct event_block *block, const struct arch_frame *caller)
{
    struct lane *const lane = enter();
    if (lane && block->address)
        event_allocation(lane, TRACE_REALLOC_END, block, caller);
    else if (lane)
        event_bare(lane, TRACE_REALLOC_FAIL);
    session_leave(lane);
}

EXPORT void *rallocx(void *address, size_t n_bytes, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    begin(TRACE_CALL_RALLOCX, address);
    const struct event_block block = {.address = real.rallocx
                                                     ? real.rallocx(address, n_bytes, flags)
                                                     : real.realloc(address, n_bytes),
                                      .size_bytes = n_bytes,
                                      .alignment = alignment_of(flags)};
    end(&block, &caller);
    return (void *)block.address;
}

/* Never moves; the result is the size it reached, as far as the caller may use it. */
EXPORT size_t xallocx(void *address, size_t n_bytes, size_t n_extra, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    begin(TRACE_CALL_XALLOCX, address);
    const size_t n_before = real_usable_bytes(address);
    const size_t n_after = real.xallocx ? real.xallocx(address, n_bytes, n_extra, flags) : n_before;
    const struct event_block block = {.address =
                                          n_after == n_before && n_after < n_bytes ? NULL : address,
                                      .size_bytes = n_bytes,
                                      .alignment = alignment_of(flags)};
    end(&block, &caller);
    return n_after;
}

static void release(enum trace_tag tag, const void *address, const struct arch_frame *caller)
{
    struct lane *const lane = enter();
    if (lane)
        event_release(lane, tag, address, sampling_caller(caller));
    session_leave(lane);
}

EXPORT void dallocx(void *address, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    release(TRACE_DALLOCX, address, &caller);
    if (real.dallocx)
        real.dallocx(address, flags);
    else
        real.free(address);
}

EXPORT void sdallocx(void *address, size_t n_bytes, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    release(TRACE_SDALLOCX, address, &caller);
    if (real.sdallocx)
        real.sdallocx(address, n_bytes, flags);
    else
        real.free(address);
}
