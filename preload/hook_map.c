/* SPDX-License-Identifier: MIT */
/* Hooks of mmap, munmap and mremap: anonymous memory, never counted with the heap's. Calls inside libc
 * (the allocator's own, thread stacks) do not come through here, on purpose: they are not requests
 * of the program. */
#include <stdarg.h>
#include <sys/mman.h>

#include "preload/event.h"
#include "preload/real.h"
#include "preload/session.h"

#define EXPORT __attribute__((visibility("default")))

/* off_t has 64 bits here: one function by two names, as in libc. */
EXPORT void *mmap64(void *address, size_t n_bytes, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));

static struct lane *enter(void)
{
    return session.flags & SESSION_NO_ALLOC ? NULL : session_enter();
}

static void record(enum trace_tag tag, const void *address, size_t n_bytes,
                   const struct arch_frame *caller)
{
    struct lane *const lane = enter();
    if (lane)
        event_map(lane, tag, address, n_bytes, caller);
    session_leave(lane);
}

static void record_refusal(void)
{
    struct lane *const lane = enter();
    if (lane)
        event_bare(lane, TRACE_MAP_FAIL);
    session_leave(lane);
}

EXPORT void *mmap(void *address, size_t n_bytes, int protection, int flags, int fd, off_t offset)
{
    if (!real.mmap)
        session_start();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    void *const mapped = real.mmap(address, n_bytes, protection, flags, fd, offset);
    if (mapped != MAP_FAILED && (flags & MAP_ANONYMOUS))
        record(TRACE_MMAP, mapped, n_bytes, &caller);
    return mapped;
}

EXPORT int munmap(void *address, size_t n_bytes)
{
    if (!real.munmap)
        session_start();
    record(TRACE_MUNMAP, address, n_bytes, NULL);
    const int result = real.munmap(address, n_bytes);
    if (result != 0)
        record_refusal();
    return result;
}

EXPORT void *mremap(void *address, size_t n_old_bytes, size_t n_new_bytes, int flags, ...)
{
    if (!real.mremap)
        session_start();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    va_list more;
    va_start(more, flags);
    void *const wanted = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? va_arg(more, void *) : NULL;
    va_end(more);
    record(TRACE_REMAP_BEGIN, address, n_old_bytes, NULL);
    void *const mapped = real.mremap(address, n_old_bytes, n_new_bytes, flags, wanted);
    if (mapped == MAP_FAILED)
        record_refusal();
    else
        record(TRACE_REMAP_END, mapped, n_new_bytes, &caller);
    return mapped;
}
