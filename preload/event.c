/* SPDX-License-Identifier: MIT */
/* How each event is packed. Numbers that repeat from event to event are written as differences, so
 * that the usual record is 5 to 9 bytes. */
#include "preload/event.h"

#include <string.h>
#include <time.h>

#include "preload/event_hot.h"
#include "preload/real.h"
#include "preload/recall.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/unwind.h"
#include "trace/pack_hot.h"

uint64_t event_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The time where it is not the counter's. */
static __attribute__((noinline)) uint64_t other_ticks(const struct lane *lane)
{
    if (!(session.flags & SESSION_BORROWED_CLOCK))
        return event_monotonic_ns();
    const uint64_t now = atomic_load_explicit(&session.header->now_ticks, memory_order_relaxed);
    return now > lane->last_ticks ? now : lane->last_ticks;
}

static inline bool reads_counter(void)
{
    return !(session.flags & (SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK));
}

uint64_t event_ticks(const struct lane *lane)
{
    return __builtin_expect(reads_counter(), 1) ? arch_ticks() : other_ticks(lane);
}

/* Put the beginning of a record of what happens now at `at`; returns where its next element goes. */
static inline uint8_t *write_head_now(struct lane *lane, uint8_t *at, enum trace_tag tag,
                                      uint32_t n_elements)
{
    ring_begin_stamp(lane);
    return event_hot_head(lane, at, tag, n_elements, event_ticks(lane), 0);
}

uint8_t *event_read_block(struct lane *lane, uint8_t *at, enum trace_tag tag, uint32_t n_elements,
                          const void *address)
{
    /* Read too early, a group's stamp would be before that of the event by which another lane gave up its block. */
    if (stamp_has_company(lane))
        arch_wait_for_loads();
    at = event_hot_head(lane, at, tag, n_elements, arch_ticks(), 0);
    return event_hot_address(lane, at, address);
}

void event_read_release(struct lane *lane, enum trace_tag tag, const void *address)
{
    uint8_t *const at = ring_byte(lane, lane->head);
    ring_publish(lane, event_read_block(lane, at, tag, 3, address));
}

/* The same with a reading of its own or not, whatever the clock is. */
static inline uint8_t *write_block_now(struct lane *lane, uint8_t *at, enum trace_tag tag,
                                       uint32_t n_elements, const void *address)
{
    if (__builtin_expect(!reads_counter(), 0))
        return event_hot_address(lane, write_head_now(lane, at, tag, n_elements), address);
    ring_begin_stamp(lane);
    if (!stamp_is_shared(lane, address))
        return event_read_block(lane, at, tag, n_elements, address);
    stamp_note_shared(lane);
    return event_hot_block(lane, at, tag, n_elements, address);
}

void event_begin(struct lane *lane, struct pack_cursor *cursor, enum trace_tag tag,
                 uint32_t n_elements)
{
    cursor->at = write_head_now(lane, cursor->at, tag, n_elements);
}

uint8_t *event_room_slow(struct lane *lane, size_t n_bytes)
{
    uint8_t *const room = ring_reserve_slow(lane, n_bytes);
    if (!room)
        ring_count_loss(lane, ring_loss_reason(), 1);
    return room;
}

uint8_t *event_room(struct lane *lane, size_t n_bytes)
{
    if (__builtin_expect(lane->head + n_bytes <= lane->plain_until, 1))
        return ring_byte(lane, lane->head);
    return event_room_slow(lane, n_bytes);
}

/* Unwind a stack that is none of the kept ones, and have it kept: recall_learn() or recall_learn_at(). */
static inline uint32_t unwind_and(void learn(struct lane *, const struct arch_frame *, uint32_t),
                                  struct lane *lane, const struct arch_frame *caller)
{
    unwind_stack(caller, lane, session.max_depth);
    const uint32_t id = lane->stack.id ? lane->stack.id : stacktree_id(lane);
    learn(lane, caller, id);
    return id;
}

uint32_t event_stack(struct lane *lane, const struct arch_frame *caller)
{
    if (__builtin_expect(session.max_depth == 0, 0))
        return 0;
    const struct kept_stack *const stack = recall_find(lane, caller);
    return stack ? stack->id : unwind_and(recall_learn, lane, caller);
}

uint32_t event_stack_at(struct lane *lane, const struct arch_frame *caller)
{
    if (__builtin_expect(session.max_depth == 0, 0))
        return 0;
    const struct kept_stack *const stack = recall_find_at(lane, caller);
    return stack ? stack->id : unwind_and(recall_learn_at, lane, caller);
}

uint64_t event_form_stack(struct lane *lane, const struct arch_frame *caller)
{
    return pack_hot_form_of(unwind_and(recall_learn, lane, caller));
}

static inline bool counts_live(void)
{
    return __builtin_expect(session.flags & SESSION_COUNT_LIVE, 0);
}

/* Say how long a call took, right behind its record, whose reading does for this one. */
static void write_call_time(struct lane *lane, enum trace_timed_call call, uint64_t cycles)
{
    uint8_t *at = event_room(lane, EVENT_BYTES);
    if (!at)
        return;
    ring_begin_stamp(lane);
    at = stamp_lasts(lane) ? pack_hot_head(at, 4, TRACE_CALL_TIME, 0)
                           : event_hot_head(lane, at, TRACE_CALL_TIME, 4, event_ticks(lane), 0);
    at = pack_hot_uint(at, call);
    ring_publish(lane, pack_hot_uint(at, cycles));
}

void event_allocation(struct lane *lane, enum trace_tag tag, const struct event_block *block,
                      const struct arch_frame *caller)
{
    const uint32_t stack = event_stack(lane, caller);
    const size_t usable = real_usable_bytes(block->address);
    const bool usual = usable == TRACE_USUAL_USABLE(block->size_bytes) && block->alignment == 0;
    uint8_t *at = event_room(lane, EVENT_BYTES);
    if (!at)
        return;
    if (counts_live())
        ring_count(&lane->ring->live_gained_bytes, usable);
    at = write_block_now(lane, at, tag, usual ? 5 : block->alignment ? 7 : 6, block->address);
    at = pack_hot_uint(at, block->size_bytes);
    at = pack_hot_uint(at, stack);
    if (!usual)
        at = pack_hot_uint(at, usable);
    if (block->alignment)
        at = pack_hot_uint(at, block->alignment);
    ring_publish(lane, at);
    if (__builtin_expect(block->call_cycles != 0, 0))
        write_call_time(lane, TRACE_TIMED_ACQUISITION, block->call_cycles);
}

/* The stack of a release, where it is to have one. */
static inline uint32_t release_stack(struct lane *lane, const struct arch_frame *caller)
{
    return caller ? event_stack_at(lane, caller) : 0;
}

uint64_t event_release(struct lane *lane, enum trace_tag tag, const void *address,
                       const struct arch_frame *caller)
{
    const uint32_t stack = release_stack(lane, caller);
    uint8_t *at = event_room(lane, EVENT_BYTES);
    if (!at)
        return 0;
    if (counts_live())
        ring_count(&lane->ring->live_dropped_bytes, real_usable_bytes(address));
    at = write_block_now(lane, at, tag, caller ? 4 : 3, address);
    if (caller)
        at = pack_hot_uint(at, stack);
    ring_publish(lane, at);
    return lane->head;
}

void event_release_time(struct lane *lane, uint64_t place, uint64_t call_cycles)
{
    if (place == lane->head)
        write_call_time(lane, TRACE_TIMED_RELEASE, call_cycles);
}

void event_resize_begin(struct lane *lane, enum trace_resize_call call, const void *address)
{
    uint8_t *at = event_room(lane, EVENT_BYTES);
    if (!at)
        return;
    if (counts_live())
        ring_count(&lane->ring->live_dropped_bytes, real_usable_bytes(address));
    at = write_block_now(lane, at, TRACE_REALLOC_BEGIN, 4, address);
    *at = (uint8_t)call;
    ring_publish(lane, at + 1);
}

void event_resize_freed(struct lane *lane, const struct arch_frame *caller)
{
    const uint32_t stack = release_stack(lane, caller);
    uint8_t *at = event_room(lane, EVENT_BYTES);
    if (!at)
        return;
    at = write_head_now(lane, at, TRACE_REALLOC_FREED, caller ? 3 : 2);
    ring_publish(lane, caller ? pack_hot_uint(at, stack) : at);
}

void event_bare(struct lane *lane, enum trace_tag tag)
{
    uint8_t *const room = event_room(lane, EVENT_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, 2);
    ring_publish(lane, cursor.at);
}

void event_map(struct lane *lane, enum trace_tag tag, const void *address, size_t n_bytes,
               const struct arch_frame *caller)
{
    const uint32_t stack = caller ? event_stack(lane, caller) : 0;
    uint8_t *const room = event_room(lane, EVENT_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, caller ? 5 : 4);
    pack_uint64(&cursor, (uintptr_t)address);
    pack_uint64(&cursor, n_bytes);
    if (caller)
        pack_uint32(&cursor, stack);
    ring_publish(lane, cursor.at);
}

void event_number(struct lane *lane, enum trace_tag tag, int64_t number)
{
    uint8_t *const room = event_room(lane, EVENT_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, 3);
    pack_int64(&cursor, number);
    ring_publish(lane, cursor.at);
}

void event_numbers(struct lane *lane, enum trace_tag tag, int64_t first, int64_t second)
{
    uint8_t *const room = event_room(lane, EVENT_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, 4);
    pack_int64(&cursor, first);
    pack_int64(&cursor, second);
    ring_publish(lane, cursor.at);
}

void event_number_text(struct lane *lane, enum trace_tag tag, int64_t number, const char *text)
{
    const size_t n = strnlen(text, TRACE_MAX_TEXT_BYTES);
    uint8_t *const room = event_room(lane, EVENT_BYTES + n);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, 4);
    pack_int64(&cursor, number);
    pack_text(&cursor, text, n);
    ring_publish(lane, cursor.at);
}

void event_text(struct lane *lane, enum trace_tag tag, const char *text)
{
    const size_t n = strnlen(text, TRACE_MAX_TEXT_BYTES);
    uint8_t *const room = event_room(lane, EVENT_BYTES + n);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, tag, 3);
    pack_text(&cursor, text, n);
    ring_publish(lane, cursor.at);
}
