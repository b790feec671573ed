/* SPDX-License-Identifier: MIT */
/* How a record gets into the shared ring: room first, then the bytes, then the length.
 *
 *     ring_reserve()      wait for room, pad to the next lap if need be; may block (--on-full block);
 *                         wake the collector where what was published before calls for it
 *     ring_begin_stamp()  from here on the collector expects an older stamp from this ring
 *     ... pack the record ...
 *     ring_publish()      head moves: the record exists, also if the next instruction kills us
 *
 * Waiting happens before the stamp, so stamps stay close to publication. The collector is waited for
 * only while it lives and moves: see ring_reserve(). */
#ifndef HEAPWISE_PRELOAD_RING_H
#define HEAPWISE_PRELOAD_RING_H

#include <stddef.h>
#include <stdint.h>

#include "preload/lane.h"

uint8_t *ring_reserve_slow(struct lane *lane, size_t n_bytes);

/* Where byte number `position` of the current lap lies. An integer until then: laps that are long past lie
 * before the ring's memory. */
static inline uint8_t *ring_byte(const struct lane *lane, uint64_t position)
{
    return (uint8_t *)((uintptr_t)lane->data + position);
}

/* Get n_bytes of contiguous room, at most TRACE_MAX_RECORD_BYTES and a quarter of the ring.
 *
 * Returns NULL when there is none to be had: --on-full drop, recording stopped, the collector is
 * dead (noticed within a second) or made no progress for five seconds of running time. The loss
 * is counted by the caller, with ring_count_loss(). */
static inline uint8_t *ring_reserve(struct lane *lane, size_t n_bytes)
{
    if (__builtin_expect(lane->head + n_bytes <= lane->plain_until, 1))
        return ring_byte(lane, lane->head);
    return ring_reserve_slow(lane, n_bytes);
}

static inline void ring_begin_stamp(struct lane *lane)
{
    atomic_store_explicit(&lane->ring->in_event, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

/* Make the bytes up to `end` (from ring_reserve) visible. */
static inline void ring_publish(struct lane *lane, const uint8_t *end)
{
    struct ring *const ring = lane->ring;
    const uint64_t head = (uintptr_t)end - (uintptr_t)lane->data;
    lane->head = head;
    atomic_store_explicit(&ring->head, head, memory_order_release);
    atomic_store_explicit(&ring->in_event, 0, memory_order_release);
}

/* A counter with one writer needs no locked instruction. */
static inline void ring_count(_Atomic uint64_t *counter, uint64_t n)
{
    const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

static inline void ring_count_loss(struct lane *lane, enum trace_loss_reason reason, uint64_t n)
{
    ring_count(&lane->ring->n_lost[reason], n);
}

/* The reason an event could not be written just now. */
enum trace_loss_reason ring_loss_reason(void);

#endif
