/* SPDX-License-Identifier: MIT */
/* The two events that there are most of, written in line: a malloc of the usual kind and its free.
 *
 * For the hooks that session_enter_main() gave a lane as SESSION_PLAIN, so that none of the options need be
 * asked for here, and for event.c, whose records are built of the same parts. What is rare is a
 * call, and nothing else in here is one but the unwinder: the compiler then needs no stack and saves few
 * registers. */
#ifndef HEAPWISE_PRELOAD_EVENT_HOT_H
#define HEAPWISE_PRELOAD_EVENT_HOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/lane.h"
#include "preload/real.h"
#include "preload/recall.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/stamp.h"
#include "preload/unwind.h"
#include "trace/pack_hot.h"
#include "trace/trace_format.h"

enum {
    EVENT_BYTES = 8 * PACK_HOT_BYTES, /* array head, tag and at most six integers */
};

/* Room for a record, or the loss counted and NULL. */
uint8_t *event_room_slow(struct lane *lane, size_t n_bytes);

/* Unwind and name the caller's stack, which recall_find() did not know; returns how its id is packed. */
uint64_t event_form_stack(struct lane *lane, const struct arch_frame *caller);

static inline bool event_has_room(const struct lane *lane)
{
    return lane->head + EVENT_BYTES <= lane->plain_until;
}

/* Put the beginning of a record at `at`; returns where its next element goes. Of the time since the last record
 * call_ticks went into the call that it is of. */
static inline uint8_t *event_hot_head(struct lane *lane, uint8_t *at, enum trace_tag tag,
                                      uint32_t n_elements, uint64_t ticks, uint64_t call_ticks)
{
    const uint64_t elapsed = ticks - lane->last_ticks;
    lane->last_ticks = ticks;
    stamp_note(lane, ticks, elapsed - call_ticks);
    /* By branches, which are foreseen nearly always: where the rest goes does not wait for the counter. */
    if (__builtin_expect(elapsed < 128, 1))
        return pack_hot_head(at, (uint8_t)n_elements, (uint8_t)tag, (uint8_t)elapsed);
    at[0] = (uint8_t)(0x90 | n_elements);
    at[1] = (uint8_t)tag;
    if (elapsed <= UINT16_MAX)
        return pack_hot_uint16(at + 2, (uint16_t)elapsed);
    return pack_hot_int(at + 2, (int64_t)elapsed);
}

static inline uint8_t *event_hot_address(struct lane *lane, uint8_t *at, const void *address)
{
    const int64_t distance = (int64_t)((uintptr_t)address - lane->last_address);
    lane->last_address = (uintptr_t)address;
    return pack_hot_int(at, distance);
}

/* Put the beginning of the record of what happens to this block now, its address included, with a reading of its own. */
uint8_t *event_read_block(struct lane *lane, uint8_t *at, enum trace_tag tag, uint32_t n_elements,
                          const void *address);

/* The same with the lane's last reading, which the record may share (stamp_is_shared). */
static inline uint8_t *event_hot_block(struct lane *lane, uint8_t *at, enum trace_tag tag,
                                       uint32_t n_elements, const void *address)
{
    at = pack_hot_head(at, (uint8_t)n_elements, (uint8_t)tag, 0);
    return event_hot_address(lane, at, address);
}

/* How the id of the caller's stack is packed. */
static inline uint64_t event_hot_stack(struct lane *lane, const struct arch_frame *caller)
{
    if (__builtin_expect(session.max_depth == 0, 0))
        return UINT64_C(1) << 56; /* id 0 */
    const struct kept_stack *const stack = recall_find(lane, caller);
    return __builtin_expect(stack != NULL, 1) ? stack->form : event_form_stack(lane, caller);
}

/* An allocation without an alignment. `usable_bytes`: 0 where they are usual for the request (real_is_usual()). */
static inline __attribute__((always_inline)) void
event_hot_allocation(struct lane *lane, enum trace_tag tag, const void *address, size_t n_bytes,
                     size_t usable_bytes, const struct arch_frame *caller)
{
    const uint32_t n_elements = usable_bytes ? 6 : 5;
    const uint64_t stack = event_hot_stack(lane, caller);
    uint8_t *at = ring_byte(lane, lane->head);
    if (__builtin_expect(!event_has_room(lane), 0)) {
        at = event_room_slow(lane, EVENT_BYTES);
        if (!at)
            return;
    }
    ring_begin_stamp(lane);
    if (__builtin_expect(stamp_is_shared(lane, address), 1))
        at = event_hot_block(lane, at, tag, n_elements, address);
    else
        at = event_read_block(lane, at, tag, n_elements, address);
    at = pack_hot_uint(at, n_bytes);
    at = pack_hot_formed(at, stack);
    if (usable_bytes)
        at = pack_hot_uint(at, usable_bytes);
    ring_publish(lane, at);
}

/* Begin a release without a stack, of which event_has_room() is true. False where the record needs a reading of its
 * own: go on with event_read_release() then. Calls nothing. */
static inline bool event_hot_release(struct lane *lane, enum trace_tag tag, const void *address)
{
    ring_begin_stamp(lane);
    if (__builtin_expect(!stamp_is_shared(lane, address), 0))
        return false;
    uint8_t *const at = ring_byte(lane, lane->head);
    ring_publish(lane, event_hot_block(lane, at, tag, 3, address));
    return true;
}

void event_read_release(struct lane *lane, enum trace_tag tag, const void *address);

#endif
