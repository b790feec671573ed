/* SPDX-License-Identifier: MIT */
/* The slots of a session as the collector keeps them: offered, claimed by threads, taken back.
 *
 *   absent --offer--> free --(a thread claims)--> claimed --adopt--> drained --give back--> free
 *
 * All that decides anything is kept here, privately; the shared words are only hints from a target
 * that may have gone mad. Not thread-safe. */
#ifndef HEAPWISE_COLLECTOR_SLOTS_H
#define HEAPWISE_COLLECTOR_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/session.h"
#include "trace/record.h"

/* One ring of one claim. */
struct stream {
    uint32_t id;             /* 0 until the file was told of it */
    bool abandoned;          /* broke the grammar: skipped from then on */
    bool map_pending;        /* its last map record is an unmap that a MAP_FAIL may take back */
    uint64_t tail;           /* bytes consumed; the shared one is only written */
    struct record_base base; /* decoding state before the byte at tail */
    uint64_t hold_ticks;     /* nothing to come from it is stamped before */
    uint64_t n_lost[8];      /* already written, by reason */
};

struct slot {
    struct slot_header *header; /* NULL while absent */
    uint64_t word;              /* as adopted; 0 while not */
    uint32_t image_id;
    uint64_t next_check_ns; /* when to look whether its thread is gone */
    bool gone;              /* it is: give back once drained */
    struct stream streams[2];
};

struct slots {
    struct session *session;
    struct slot *slots; /* n_slots of the session */
    uint32_t n_offered; /* the first so many have memory */
    uint32_t n_claimed; /* as of the last pass */
    bool exhausted;     /* no memory for more */
};

/* Prepare for `session`. Returns 0 or -ENOMEM. */
int slots_init(struct slots *slots, struct session *session);
void slots_fini(struct slots *slots);

/* Have at least a few free slots ahead of demand; wakes threads that wait for one. */
void slots_offer(struct slots *slots);

/* Look at slot `i`: returns it if it is claimed and ready, NULL if not. `adopted_out` tells that it
 * is so for the first time; its streams are fresh then and hold_ticks is set to `since_ticks`. */
struct slot *slots_look(struct slots *slots, uint32_t i, uint64_t since_ticks, bool *adopted_out);

/* The ring of an adopted slot, and its bytes. */
struct ring *slot_ring(const struct slot *slot, unsigned ring);
const uint8_t *slots_ring_bytes(const struct slots *slots, const struct slot *slot, unsigned ring);

/* Tell whether the thread that claimed word is gone: it or its process has exited. */
bool slots_thread_is_gone(uint64_t word);

/* Offer a slot again. Nothing of it may be in use. */
void slots_give_back(struct slots *slots, uint32_t i);

#endif
