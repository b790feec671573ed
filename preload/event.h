/* SPDX-License-Identifier: MIT */
/* What happened -> one record in the thread's ring. The encoder of every ring record but the image's.
 *
 * All functions take the lane session_enter() gave. Where there is no room the event is counted as
 * lost, never waited for beyond what ring_reserve() allows. A stamp is taken after everything that may
 * wait or take long (unwinding, new stacks), right before publication; for a release that is still
 * before the allocator is called, for an acquisition after it succeeded. */
#ifndef HEAPWISE_PRELOAD_EVENT_H
#define HEAPWISE_PRELOAD_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/arch_x86_64.h"
#include "preload/lane.h"
#include "trace/pack.h"
#include "trace/trace_format.h"

/* A block as the allocator returned it. */
struct event_block {
    const void *address;
    size_t size_bytes;    /* as asked for */
    size_t alignment;     /* 0: the call named none */
    uint64_t call_cycles; /* that the call took, 0: not timed */
};

void event_allocation(struct lane *lane, enum trace_tag tag, const struct event_block *block,
                      const struct arch_frame *caller);
/* `caller` NULL: without a stack. Returns the place of the record in its ring, 0 where it was lost. */
uint64_t event_release(struct lane *lane, enum trace_tag tag, const void *address,
                       const struct arch_frame *caller);

/* A resize is event_resize_begin() before the call, then event_allocation(TRACE_REALLOC_END),
 * event_bare(TRACE_REALLOC_FAIL) or event_resize_freed(), which is a release: `caller` may be NULL. */
void event_resize_begin(struct lane *lane, enum trace_resize_call call, const void *address);
void event_resize_freed(struct lane *lane, const struct arch_frame *caller);
void event_bare(struct lane *lane, enum trace_tag tag);

/* The release recorded at `place` took so many ticks; left out if anything was recorded since. */
void event_release_time(struct lane *lane, uint64_t place, uint64_t call_cycles);

/* TRACE_MMAP and TRACE_REMAP_END carry the stack; the releasing ones take caller NULL. */
void event_map(struct lane *lane, enum trace_tag tag, const void *address, size_t n_bytes,
               const struct arch_frame *caller);

/* [tag, dt, number], [tag, dt, number, number] and [tag, dt, number, text] records. */
void event_number(struct lane *lane, enum trace_tag tag, int64_t number);
void event_numbers(struct lane *lane, enum trace_tag tag, int64_t first, int64_t second);
void event_number_text(struct lane *lane, enum trace_tag tag, int64_t number, const char *text);
void event_text(struct lane *lane, enum trace_tag tag, const char *text);

/* Write the head of a stamped record into room already reserved, and take its stamp. Follow with the
 * fields and ring_publish(). */
void event_begin(struct lane *lane, struct pack_cursor *cursor, enum trace_tag tag,
                 uint32_t n_elements);

/* The steps of it, for encoders that take their stamp before the rest: now, in ticks; room for n_bytes, NULL where
 * the loss was counted; the id of the caller's stack. */
uint64_t event_ticks(const struct lane *lane);
uint64_t event_monotonic_ns(void); /* where the clock is not the counter */
uint8_t *event_room(struct lane *lane, size_t n_bytes);
uint32_t event_stack(struct lane *lane, const struct arch_frame *caller);

/* The same for what comes between allocations without following from them: I/O, a release now and then. */
uint32_t event_stack_at(struct lane *lane, const struct arch_frame *caller);

#endif
