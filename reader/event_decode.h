/* SPDX-License-Identifier: MIT */
/* The bulk of a chunk straight from its bytes into events: usual allocations and releases, resizes,
 * stack nodes, times of calls.
 *
 * The general way (record_decode, then event_fill) takes any record; this one the shapes that make up
 * nearly all of a trace, and gives the same for them. A number takes one branch, on whether its first byte
 * is all of it: guessing that lets the processor run ahead, where a table for all forms chained each
 * number to the one before it (churn: 183 ms of processor time against 136), and a branch for each width
 * would be guessed wrong. */
#ifndef HEAPWISE_READER_EVENT_DECODE_H
#define HEAPWISE_READER_EVENT_DECODE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "reader/batch.h"

/* Bytes that must be there: head, tag, and four numbers of nine. */
enum { EVENT_DECODE_BYTES = 2 + 4 * 9 };

/* How to take an integer whose first byte is a code: the big-endian word after that, shifted down with
 * its sign, cut to `mask`. */
struct event_number_form {
    uint64_t mask;
    uint64_t top; /* the top bit where that is no sign */
    uint64_t
        none; /* the top bit where it is no integer; then n_bytes is 0, and nothing behind is read */
    uint8_t shift, n_bytes;
};

enum { EVENT_FIRST_CODE = 0x80, EVENT_N_CODES = 0xe0 - 0x80 };
extern const struct event_number_form event_number_forms[EVENT_N_CODES];

/* The first byte of a usual record by its tag: an array of so many elements; 0 where none is usual. */
extern const uint8_t event_heads[256];

/* What numbers have been taken, and whether one of them did not fit its field. */
struct event_numbers {
    const uint8_t *at;
    uint64_t misfit; /* not 0: leave it to the general way */
};

/* Take a number that may be negative. One above INT64_MAX fits no field. */
static inline uint64_t event_take(struct event_numbers *numbers)
{
    const uint8_t first = *numbers->at;
    if ((int8_t)first >= -32) {
        numbers->at++;
        return (uint64_t)(int64_t)(int8_t)first;
    }
    const struct event_number_form *const form = &event_number_forms[first - EVENT_FIRST_CODE];
    uint64_t word;
    memcpy(&word, numbers->at + 1, sizeof word);
    const uint64_t value = (uint64_t)((int64_t)be64toh(word) >> form->shift) & form->mask;
    numbers->at += form->n_bytes;
    numbers->misfit |= (value | form->none) & form->top;
    return value;
}

static inline uint64_t event_take_unsigned(struct event_numbers *numbers, unsigned n_bits)
{
    const uint64_t value = event_take(numbers);
    numbers->misfit |= value >> n_bits;
    return value;
}

/* Usable less requested bytes where the record leaves usable out. */
static inline uint32_t event_usual_slack(uint64_t size_bytes)
{
    const uint64_t usable = TRACE_USUAL_USABLE(size_bytes);
    return usable > size_bytes ? (uint32_t)(usable - size_bytes) : 0;
}

static inline bool event_decode_node(struct event_numbers *numbers, struct event *event)
{
    event->ticks = 0;
    event->node = (uint32_t)event_take_unsigned(numbers, 32);
    event->parent = (uint32_t)event_take_unsigned(numbers, 32);
    event->return_address = event_take_unsigned(numbers, 63);
    return numbers->misfit == 0 && event->parent < event->node;
}

static inline bool event_decode_call_time(struct event_numbers *numbers, struct record_base *base,
                                          struct event *event)
{
    const uint64_t ticks = base->ticks + event_take(numbers);
    event->call = (uint32_t)event_take_unsigned(numbers, 8);
    event->size_bytes = event_take_unsigned(numbers, 63);
    if (numbers->misfit)
        return false;
    event->ticks = base->ticks = ticks;
    event->address = 0;
    event->slack_bytes = 0;
    event->alignment_bits = 0;
    return true;
}

/* Whether a record of this tag usually begins so: one release in TRACE_FREES_SAMPLED has a stack. */
static inline bool event_is_usual(uint8_t tag, uint8_t head)
{
    return (head == event_heads[tag] && head != 0) || (head == 0x94 && record_is_release(tag));
}

/* Decode what begins at numbers->at, EVENT_DECODE_BYTES of which are there, and move on behind it. On
 * false nothing but *event and *numbers has changed, and it is no verdict. */
static inline bool event_decode(struct event_numbers *numbers, struct record_base *base,
                                struct event *event)
{
    const uint8_t head = numbers->at[0], tag = numbers->at[1];
    if (!event_is_usual(tag, head))
        return false;
    numbers->at += 2;
    event->tag = tag;
    event->kind = EVENT_SHORT;
    if (tag >= TRACE_CALL_TIME)
        return tag == TRACE_NODE ? event_decode_node(numbers, event)
                                 : event_decode_call_time(numbers, base, event);
    const bool allocates = head == 0x95;
    const uint64_t ticks = base->ticks + event_take(numbers);
    const uint64_t address = base->address + event_take(numbers);
    uint64_t size_bytes = 0;
    uint32_t stack = 0, slack_bytes = 0;
    if (allocates) {
        size_bytes = event_take_unsigned(numbers, 63);
        stack = (uint32_t)event_take_unsigned(numbers, 32);
        slack_bytes = event_usual_slack(size_bytes);
    } else if (head == 0x94) {
        stack = (uint32_t)event_take_unsigned(numbers, 32);
        if (tag == TRACE_REALLOC_BEGIN) { /* not a stack, but which call it was */
            numbers->misfit |= stack >> 8;
            stack = 0;
        }
    }
    if (numbers->misfit)
        return false;
    event->ticks = base->ticks = ticks;
    event->address = base->address = address;
    event->size_bytes = size_bytes;
    event->stack = stack;
    event->slack_bytes = slack_bytes;
    event->alignment_bits = 0;
    return true;
}

#endif
