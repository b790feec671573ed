/* SPDX-License-Identifier: MIT */
/* Hooks of the C allocation functions: guard, forward, record, return.
 *
 * An acquisition is recorded after it succeeded, a release before it is forwarded, so that no other
 * thread can be given the block in between and be recorded first. The real call happens outside
 * the recording guard: an allocator may call back into another hook, and is then seen. While the
 * shim itself is calling, blocks come from its arena, and go back to it. The four that programs call
 * are timed now and then (timing.h), and releases have a stack now and then (sampling.h). */
#include <errno.h>
#include <stdlib.h>

#include "preload/arena.h"
#include "preload/event.h"
#include "preload/event_hot.h"
#include "preload/real.h"
#include "preload/sampling.h"
#include "preload/session.h"
#include "preload/stamp.h"
#include "preload/timing.h"
#include "preload/usable.h"

#define EXPORT __attribute__((visibility("default")))

/* Of C23 and of old times; this libc's headers do not declare them. */
EXPORT void cfree(void *address);
EXPORT void free_sized(void *address, size_t n_bytes);
EXPORT void free_aligned_sized(void *address, size_t alignment, size_t n_bytes);

/* Make sure there is something to forward to. */
static inline void ensure_real(void)
{
    if (__builtin_expect(!real.malloc_usable_size, 0))
        session_start();
}

static inline bool records_allocations(void)
{
    return !(session.flags & SESSION_NO_ALLOC);
}

static void record_block(enum trace_tag tag, const struct event_block *block,
                         const struct arch_frame *caller)
{
    if (!block->address || !records_allocations())
        return;
    struct lane *const lane = session_enter();
    if (lane) {
        event_allocation(lane, tag, block, caller);
        stamp_consider(lane);
    }
    session_leave(lane);
}

/* `caller` NULL: without a stack. Returns the event's place, 0 where it was not recorded. */
static uint64_t record_release(enum trace_tag tag, const void *address,
                               const struct arch_frame *caller)
{
    if (!records_allocations())
        return 0;
    struct lane *const lane = session_enter();
    uint64_t place = 0;
    if (lane) {
        place = event_release(lane, tag, address, caller);
        stamp_consider(lane);
    }
    session_leave(lane);
    return place;
}

/* After the allocator returned from the release recorded at `place`. */
static void record_release_time(uint64_t place, uint64_t call_cycles)
{
    struct lane *const lane = session_enter();
    if (lane)
        event_release_time(lane, place, call_cycles);
    session_leave(lane);
}

/* A malloc that is to be timed, or a thread's first. */
static __attribute__((noinline)) void *malloc_timed(size_t n_bytes, const struct arch_frame *caller)
{
    if (session_is_internal())
        return arena_take(n_bytes, 0);
    ensure_real();
    const uint64_t began = timing_begin_slow();
    void *const address = real.malloc(n_bytes);
    const struct event_block block = {
        .address = address, .size_bytes = n_bytes, .call_cycles = timing_end(began)};
    if (address)
        usable_check(address, n_bytes);
    record_block(TRACE_MALLOC, &block, caller);
    return address;
}

/* A malloc in another thread state than usual. */
static __attribute__((noinline)) void record_malloc(const void *address, size_t n_bytes,
                                                    const struct arch_frame *caller)
{
    const struct event_block block = {.address = address, .size_bytes = n_bytes};
    record_block(TRACE_MALLOC, &block, caller);
}

/* One whose block is not glibc's, or unusual. */
static __attribute__((noinline)) void write_malloc(struct lane *lane, const void *address,
                                                   size_t n_bytes, const struct arch_frame *caller)
{
    const size_t usable = usable_of(address, n_bytes);
    if (usable != 0) {
        const size_t unusual = usable == TRACE_USUAL_USABLE(n_bytes) ? 0 : usable;
        event_hot_allocation(lane, TRACE_MALLOC, address, n_bytes, unusual, caller);
        return;
    }
    const struct event_block block = {.address = address, .size_bytes = n_bytes};
    event_allocation(lane, TRACE_MALLOC, &block, caller);
}

EXPORT void *malloc(size_t n_bytes)
{
    if (timing_is_due() || session_is_internal()) {
        const struct arch_frame caller = ARCH_CALLER_FRAME();
        return malloc_timed(n_bytes, &caller);
    }
    void *const address = real.malloc(n_bytes);
    if (__builtin_expect(!address, 0))
        return NULL;
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    struct lane *const lane = session_enter_main(SESSION_PLAIN);
    if (__builtin_expect(!lane, 0)) {
        record_malloc(address, n_bytes, &caller);
        return address;
    }
    if (__builtin_expect(real_is_usual(address, n_bytes), 1))
        event_hot_allocation(lane, TRACE_MALLOC, address, n_bytes, 0, &caller);
    else
        write_malloc(lane, address, n_bytes, &caller);
    session_leave_main();
    return address;
}

EXPORT void *calloc(size_t n, size_t n_bytes)
{
    if (session_is_internal())
        return arena_take(n * n_bytes, 0);
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = timing_begin();
    void *const address = real.calloc(n, n_bytes);
    const struct event_block block = {
        .address = address, .size_bytes = n * n_bytes, .call_cycles = timing_end(began)};
    record_block(TRACE_CALLOC, &block, &caller);
    return (void *)block.address;
}

/* What a resize turned out to be. */
static void record_resized(struct lane *lane, const struct event_block *block, bool freed,
                           const struct arch_frame *caller)
{
    if (!lane)
        return;
    if (block->address)
        event_allocation(lane, TRACE_REALLOC_END, block, caller);
    else if (freed)
        event_resize_freed(lane, sampling_caller(caller));
    else
        event_bare(lane, TRACE_REALLOC_FAIL);
}

static void begin_resize(enum trace_resize_call call, const void *address)
{
    if (!records_allocations())
        return;
    struct lane *const lane = session_enter();
    if (lane)
        event_resize_begin(lane, call, address);
    session_leave(lane);
}

static void end_resize(const struct event_block *block, const struct arch_frame *caller)
{
    if (!records_allocations())
        return;
    struct lane *const lane = session_enter();
    /* glibc and jemalloc free the block for a size of 0 and return NULL; any other NULL is a failure. */
    record_resized(lane, block, block->size_bytes == 0, caller);
    session_leave(lane);
}

EXPORT void *realloc(void *address, size_t n_bytes)
{
    if (arena_owns(address))
        return arena_resize(address, n_bytes);
    if (session_is_internal())
        return arena_take(n_bytes, 0);
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    struct event_block block = {.size_bytes = n_bytes};
    if (!address) {
        const uint64_t began = timing_begin();
        block.address = real.realloc(NULL, n_bytes);
        block.call_cycles = timing_end(began);
        record_block(TRACE_REALLOC_NEW, &block, &caller);
        return (void *)block.address;
    }
    begin_resize(TRACE_CALL_REALLOC, address);
    const uint64_t began = timing_begin();
    block.address = real.realloc(address, n_bytes);
    block.call_cycles = timing_end(began);
    end_resize(&block, &caller);
    return (void *)block.address;
}

EXPORT void *reallocarray(void *address, size_t n, size_t n_bytes)
{
    size_t n_total;
    if (__builtin_mul_overflow(n, n_bytes, &n_total)) {
        errno = ENOMEM;
        return NULL;
    }
    if (arena_owns(address))
        return arena_resize(address, n_total);
    if (session_is_internal())
        return arena_take(n_total, 0);
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    struct event_block block = {.size_bytes = n_total};
    /* glibc's reallocarray calls realloc, and would be seen twice. */
    if (!address) {
        block.address = real.realloc(NULL, n_total);
        record_block(TRACE_REALLOCARRAY_NEW, &block, &caller);
        return (void *)block.address;
    }
    begin_resize(TRACE_CALL_REALLOCARRAY, address);
    block.address = real.realloc(address, n_total);
    end_resize(&block, &caller);
    return (void *)block.address;
}

EXPORT int posix_memalign(void **address_out, size_t alignment, size_t n_bytes)
{
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const int error = real.posix_memalign(address_out, alignment, n_bytes);
    if (error)
        return error;
    const struct event_block block = {
        .address = *address_out, .size_bytes = n_bytes, .alignment = alignment};
    record_block(TRACE_POSIX_MEMALIGN, &block, &caller);
    return 0;
}

EXPORT void *aligned_alloc(size_t alignment, size_t n_bytes)
{
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct event_block block = {.address = real.aligned_alloc(alignment, n_bytes),
                                      .size_bytes = n_bytes,
                                      .alignment = alignment};
    record_block(TRACE_ALIGNED_ALLOC, &block, &caller);
    return (void *)block.address;
}

EXPORT void *memalign(size_t alignment, size_t n_bytes)
{
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct event_block block = {.address = real.memalign(alignment, n_bytes),
                                      .size_bytes = n_bytes,
                                      .alignment = alignment};
    record_block(TRACE_MEMALIGN, &block, &caller);
    return (void *)block.address;
}

enum { PAGE_BYTES = 4096 };

EXPORT void *valloc(size_t n_bytes)
{
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct event_block block = {
        .address = real.valloc(n_bytes), .size_bytes = n_bytes, .alignment = PAGE_BYTES};
    record_block(TRACE_VALLOC, &block, &caller);
    return (void *)block.address;
}

EXPORT void *pvalloc(size_t n_bytes)
{
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct event_block block = {
        .address = real.pvalloc(n_bytes), .size_bytes = n_bytes, .alignment = PAGE_BYTES};
    record_block(TRACE_PVALLOC, &block, &caller);
    return (void *)block.address;
}

/* A free that is to be sampled, or a thread's first one. The caller's registers come one by one, so that free()
 * itself needs no stack. */
static __attribute__((noinline)) void free_sampled(void *address, uintptr_t pc, uintptr_t sp,
                                                   uintptr_t bp)
{
    const struct arch_frame caller = {.pc = pc, .sp = sp, .bp = bp};
    ensure_real();
    const unsigned what = sampling_decide();
    const uint64_t place =
        record_release(TRACE_FREE, address, what & SAMPLING_STACK ? &caller : NULL);
    const uint64_t began = what & SAMPLING_TIME ? timing_begin_now() : 0;
    real.free(address);
    const uint64_t call_cycles = timing_end(began);
    if (call_cycles != 0)
        record_release_time(place, call_cycles);
}

/* A free in another thread state than usual, or without room in the ring. */
static __attribute__((noinline)) void free_unusual(void *address, uintptr_t pc, uintptr_t sp,
                                                   uintptr_t bp)
{
    const struct arch_frame caller = {.pc = pc, .sp = sp, .bp = bp};
    record_release(TRACE_FREE, address, sampling_usual() & SAMPLING_STACK ? &caller : NULL);
    real.free(address);
}

/* A free whose record needs a reading of its own. */
static __attribute__((noinline)) void free_read(struct lane *lane, void *address)
{
    event_read_release(lane, TRACE_FREE, address);
    session_leave_main();
    real.free(address);
}

/* Nothing the usual one does is a call but the last, so that it saves no registers. */
EXPORT void free(void *address)
{
    if (!address || arena_owns(address))
        return;
    if (sampling_is_due()) {
        const struct arch_frame caller = ARCH_CALLER_FRAME();
        free_sampled(address, caller.pc, caller.sp, caller.bp);
        return;
    }
    struct lane *const lane = session_enter_main(SESSION_PLAIN);
    if (__builtin_expect(lane && event_has_room(lane), 1)) {
        if (!event_hot_release(lane, TRACE_FREE, address)) {
            free_read(lane, address);
            return;
        }
        session_leave_main();
        real.free(address);
        return;
    }
    if (lane)
        session_leave_main();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    free_unusual(address, caller.pc, caller.sp, caller.bp);
}

EXPORT void cfree(void *address)
{
    if (arena_owns(address))
        return;
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    if (address)
        record_release(TRACE_CFREE, address, sampling_caller(&caller));
    real.free(address);
}

EXPORT void free_sized(void *address, size_t n_bytes)
{
    if (arena_owns(address))
        return;
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    if (address)
        record_release(TRACE_FREE_SIZED, address, sampling_caller(&caller));
    if (real.free_sized)
        real.free_sized(address, n_bytes);
    else
        real.free(address);
}

EXPORT void free_aligned_sized(void *address, size_t alignment, size_t n_bytes)
{
    if (arena_owns(address))
        return;
    ensure_real();
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    if (address)
        record_release(TRACE_FREE_ALIGNED_SIZED, address, sampling_caller(&caller));
    if (real.free_aligned_sized)
        real.free_aligned_sized(address, alignment, n_bytes);
    else
        real.free(address);
}

EXPORT size_t malloc_usable_size(void *address)
{
    if (arena_owns(address))
        return arena_usable_bytes(address);
    ensure_real();
    return real.malloc_usable_size(address);
}
