/* SPDX-License-Identifier: MIT */
/* When a ring has no room: pad the lap, wake the collector, wait for it, but never for ever.
 *
 * How long is too long: the owner word of `alive` tells at once that the collector died; a heartbeat
 * that stands still through WAIT_LIMIT_US in which we really ran means that it is stopped; one
 * that moves while our tail does not, that it has given up this ring (the program may have written
 * over the tail). It is waited in short slices, and the time within them is what counts: not the
 * clock, so a machine or a process group that was suspended counts for nothing; and not their number,
 * for a signal may end one at once. */
#include "preload/ring.h"

#include <linux/futex.h>
#include <string.h>

#include "preload/session.h"
#include "preload/syscalls.h"

enum {
    WAIT_SLICE_MS = 50,
    WAIT_LIMIT_US = 5 * 1000 * 1000,
    SPINS_PER_SLICE = 1000 * 1000, /* where no system call may be made; about 40 ms of pauses */
};

static void wake_collector(void)
{
    struct session_header *const header = session.header;
    if (atomic_load_explicit(&session.syscalls_risky, memory_order_relaxed))
        return;
    atomic_fetch_add_explicit(&header->wake, 1, memory_order_release);
    if (atomic_load_explicit(&header->asleep, memory_order_acquire))
        sys_futex_wake(&header->wake, 1);
}

static void notify(struct lane *lane)
{
    const uint64_t tail = atomic_load_explicit(&lane->ring->tail, memory_order_acquire);
    if (lane->head - tail >= lane->ring_bytes / 2)
        wake_collector();
    lane->notify_at = lane->head + lane->ring_bytes / 8;
}

/* Room as the collector left it; a tail that makes no sense counts as a full ring. */
static void refresh_room(struct lane *lane)
{
    const uint64_t tail = atomic_load_explicit(&lane->ring->tail, memory_order_acquire);
    if (tail <= lane->head && lane->head - tail <= lane->ring_bytes)
        lane->room_until = tail + lane->ring_bytes;
}

static bool collector_is_dead(void)
{
    if (session_owner_word(&session.header->alive) & FUTEX_OWNER_DIED)
        atomic_store(&session.collector_gone, 1);
    return atomic_load_explicit(&session.collector_gone, memory_order_relaxed);
}

static bool is_recording(void)
{
    return atomic_load_explicit(&session.header->recording, memory_order_relaxed);
}

enum trace_loss_reason ring_loss_reason(void)
{
    return is_recording() ? TRACE_LOSS_RING_FULL : TRACE_LOSS_STOPPED;
}

/* Returns about how long it waited, in microseconds. */
static uint32_t wait_slice(struct ring *ring, uint32_t seen)
{
    if (!atomic_load_explicit(&session.syscalls_risky, memory_order_relaxed))
        return sys_futex_wait(&ring->tail_word, seen, WAIT_SLICE_MS);
    for (unsigned i = 0; i < SPINS_PER_SLICE; i++) {
        if (atomic_load_explicit(&ring->tail_word, memory_order_relaxed) != seen)
            return 0;
        arch_pause();
    }
    return WAIT_SLICE_MS * 1000;
}

static uint64_t tail_of(const struct lane *lane)
{
    return atomic_load_explicit(&lane->ring->tail, memory_order_relaxed);
}

/* Tell whether waiting makes sense at all. A collector that stalled once is not waited for again
 * until it moved, nor one that has given up this ring. */
static bool may_wait(const struct lane *lane)
{
    if ((session.flags & SESSION_DROP_WHEN_FULL) || !is_recording() || collector_is_dead() ||
        lane->stuck_tail == tail_of(lane) + 1)
        return false;
    const uint64_t stalled_at = atomic_load_explicit(&session.stalled_at, memory_order_relaxed);
    if (stalled_at == 0)
        return true;
    if (atomic_load_explicit(&session.header->heartbeat, memory_order_relaxed) + 1 == stalled_at)
        return false;
    atomic_store(&session.stalled_at, 0);
    return true;
}

/* Where the collector stood when it last did something for us. */
struct progress {
    uint64_t tail;
    uint64_t heartbeat;
    unsigned n_passes;  /* begun since the tail moved; the second to end must have seen our need */
    uint32_t waited_us; /* since the tail moved or one of the first passes began */
};

static void watch(struct progress *progress, const struct lane *lane, uint32_t waited_us)
{
    const uint64_t tail = tail_of(lane);
    const uint64_t heartbeat = atomic_load(&session.header->heartbeat);
    const bool is_new_pass = heartbeat != progress->heartbeat;
    progress->waited_us += waited_us;
    if (tail != progress->tail)
        progress->n_passes = progress->waited_us = 0;
    else if (is_new_pass && ++progress->n_passes <= 3)
        progress->waited_us = 0;
    progress->tail = tail;
    progress->heartbeat = heartbeat;
}

/* Remember a wait in vain: every thread's when the collector stands still, else this ring's. */
static void give_up(const struct progress *progress, struct lane *lane)
{
    if (progress->n_passes <= 3)
        atomic_store(&session.stalled_at, progress->heartbeat + 1);
    else
        lane->stuck_tail = progress->tail + 1;
}

/* Wait until head may grow to `until`. */
static bool wait_for_room(struct lane *lane, uint64_t until)
{
    struct ring *const ring = lane->ring;
    refresh_room(lane);
    if (until <= lane->room_until)
        return true;
    if (!may_wait(lane))
        return false;
    struct progress progress = {.tail = tail_of(lane),
                                .heartbeat = atomic_load(&session.header->heartbeat)};
    while (progress.waited_us < WAIT_LIMIT_US) {
        const uint32_t seen = atomic_load(&ring->tail_word);
        atomic_store(&ring->wants_room, 1);
        refresh_room(lane);
        if (until <= lane->room_until || !is_recording() || collector_is_dead() ||
            lane->is_orphaned)
            break;
        wake_collector();
        watch(&progress, lane, wait_slice(ring, seen));
    }
    atomic_store(&ring->wants_room, 0);
    if (progress.waited_us >= WAIT_LIMIT_US)
        give_up(&progress, lane);
    return until <= lane->room_until;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The rest of the lap becomes nil bytes, and the head stands at the beginning of the next. */
static void end_lap(struct lane *lane, uint64_t n_rest)
{
    if (n_rest) {
        memset(ring_byte(lane, lane->head), 0xc0, n_rest);
        lane->head += n_rest;
        atomic_store_explicit(&lane->ring->head, lane->head, memory_order_release);
    }
    lane->lap += lane->ring_bytes;
    lane->data = (uint8_t *)((uintptr_t)lane->data - lane->ring_bytes);
}

uint8_t *ring_reserve_slow(struct lane *lane, size_t n_bytes)
{
    const uint64_t n_lap = lane->lap + lane->ring_bytes - lane->head;
    const uint64_t n_padding = n_bytes <= n_lap ? 0 : n_lap;
    if (lane->head >= lane->notify_at)
        notify(lane);
    if (n_bytes > lane->ring_bytes / 4 || !is_recording() || lane->is_orphaned)
        return NULL;
    if (!wait_for_room(lane, lane->head + n_padding + n_bytes))
        return NULL;
    if (n_bytes > n_lap)
        end_lap(lane, n_lap);
    lane->plain_until =
        least(lane->lap + lane->ring_bytes, least(lane->room_until, lane->notify_at));
    return ring_byte(lane, lane->head);
}
