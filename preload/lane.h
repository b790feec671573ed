/* SPDX-License-Identifier: MIT */
/* One ring as its writer sees it: where to write, what the short numbers count from, which stacks
 * it has already named. A thread has two, main and signal; they share nothing, so a hook that
 * interrupts a hook writes undisturbed. */
#ifndef HEAPWISE_PRELOAD_LANE_H
#define HEAPWISE_PRELOAD_LANE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace/session_layout.h"
#include "trace/trace_format.h"
#include "preload/recall.h"
#include "preload/stack.h"
#include "preload/stacktree.h"

struct lane {
    /* What every event touches: one cache line. */
    alignas(64) struct ring *ring; /* shared counters */
    uint8_t *data; /* shared bytes of this lap, less lap: byte number head is at data + head */
    uint64_t head; /* our copy of ring->head */
    uint64_t plain_until;  /* head may grow to here and nothing be due: at most room_until, the
                              lap's end and notify_at */
    uint64_t last_ticks;   /* base of the next dt */
    uint64_t last_address; /* base of the next da */
    struct recall *recall; /* stacks that came before; NULL: none are kept */
    uint32_t stack_before; /* id of the last allocation's */
    bool is_signal;        /* for hooks that interrupt a hook */
    bool is_orphaned; /* a fork interrupted its hook: nobody reads this ring, no more gets in */
    uint8_t stage;    /* on the way to shared readings (stamp.c) */

    /* When readings of the counter are shared (stamp.h). */
    uint64_t shared_until; /* head up to which records may share the last one; 0: none does */
    uint64_t coarse_seen;  /* the coarse clock at that reading */
    uint64_t alone;    /* what session.company is while it says that we are; else no value of its */
    uint64_t together; /* what it was when we last saw others in it */
    uint64_t mark;     /* ours in last_touch.h */
    uint64_t group_bytes; /* of records that the next reading is to be for */
    uint64_t stage_since; /* head when this stage was entered */
    uint64_t dense_since; /* the same, or head at the last pause, ... */
    uint64_t dense_ticks; /* ... and the time then */
    uint64_t dense_bytes; /* of records without a pause that lead to the next stage */
    uint64_t claimed_at;  /* head when we said that we are alone */
    uint64_t claim_from;  /* head before which we do not say so again */
    uint64_t claim_rest;  /* bytes from being disturbed to claim_from */
    uint64_t useful_at; /* head when an event was last seen to share, later by what was no asking */
    uint64_t ask_from;  /* head before which we do not ask for the coarse clock again */
    uint64_t ask_rest;  /* bytes from having asked in vain to ask_from */
    uint16_t number;    /* from 1, in this process */

    uint64_t ring_bytes; /* power of two */
    uint64_t lap;        /* head at which this lap began; a multiple of ring_bytes */
    uint64_t room_until; /* head may grow to here before tail must be read again */
    uint64_t notify_at;  /* head from which the collector may be worth waking */
    uint64_t stuck_tail; /* tail, plus one, at which waiting proved useless; 0: never did */
    struct stacktree tree;
    struct stack stack; /* the last one; large, and the target's own stack may be small */
    uintptr_t pcs[TRACE_MAX_DEPTH]; /* scratch of the unwinders that are rarely needed */
};

/* A slot mapped into this process, with the lanes of the thread that holds it. */
struct slot_memory {
    struct slot_header *header; /* shared */
    uint32_t index;
    struct lane lanes[2];
    struct recall recall; /* of the first one */
};

#endif
